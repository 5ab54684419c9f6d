"""From finished runs to a ledger, with curves whose shape is known."""

import collections

import numpy as np
import pytest

from tfsemae import experiments, metrics
from tfsemae.experiments import intervals
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.tabacof2016 import (
    classifier_pictures,
    classifiers,
    pictures,
    printed,
    runs,
)
from tfsemae.experiments.tabacof2016.runs import AE, KL, L2, MAIN, VAE, Group
from tfsemae.experiments.tabacof2016.trade_offs import Measurements, TradeOffs
from tfsemae.reports import Ledger

PAIRS, PENALTIES = 6, 40
X = np.linspace(0, 1, PENALTIES)


def _curves(folder, hinges, *, places=None, linf=0.8):
    """An attack whose pairs have lines up to these hinges, and nothing beyond."""
    folder.mkdir(parents=True, exist_ok=True)
    y = np.stack([1 - np.minimum(X / hinge, 1) for hinge in hinges])
    x = np.broadcast_to(X, y.shape)
    areas = [metrics.auddc(*each) for each in zip(x, y, strict=True)]
    np.savez(
        folder / "measurements.npz",
        **{
            "pairs": np.arange(2 * len(y)).reshape(-1, 2) if places is None else places,
            "linf_epsilon": np.array([0.05, 0.1, 0.2], np.float32),
            "curve/distortion": x,
            "curve/distance": y,
            "curve/auddc": np.array(areas),
            "curve/rounded_auddc": np.array(areas),
            "curve/linf_distance": np.full((len(y), 3), linf),
            "adversarial/distortion": 10 * x,
        },
    )
    (folder / "metrics.json").write_text('{"converged": 0.25, "abnormal": 0.75}')
    return folder


@pytest.fixture
def run(tmp_path):
    def make(*hinges, **options):
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        return Measurements(_curves(folder, hinges, **options))

    return make


def test_numbers_of_a_curve(run):
    found = run(0.4, 0.4, 0.8, 0.8, 0.8, 0.4)
    hinges = [0.4, 0.4, 0.8, 0.8, 0.8, 0.4]
    # A triangle below the line, less than a step of the grid wrong.
    np.testing.assert_allclose(
        found.of_pairs("auddc"), np.array(hinges) / 2, atol=1 / PENALTIES
    )
    np.testing.assert_allclose(found.of_pairs("position"), hinges, atol=0.01)
    np.testing.assert_allclose(
        found.of_pairs("slope"), -1 / np.array(hinges), rtol=0.01
    )
    np.testing.assert_allclose(found.of_pairs("level"), 0, atol=0.01)
    assert np.all(found.of_pairs("correlation") < -0.999)
    assert np.all(found.of_pairs("rmse") < 0.01)
    assert found.of_pairs("beats_logistic").tolist() == [100] * 6
    assert found.of_pairs("tolerable").tolist() == [100] * 6
    half = found.of_pairs("half_distortion")
    np.testing.assert_allclose(half, 5 * np.array(hinges), atol=10 / PENALTIES)


def test_a_pair_without_a_curve_is_left_out(run):
    found = run(0.4, 0.5, 0.6)
    y = np.array(found.array("curve/distance"))
    y[1] = np.nan
    found.array = lambda name: y if name == "curve/distance" else found._array(name)
    position = found.of_pairs("position")
    assert np.isnan(position).tolist() == [False, True, False]
    groups = TradeOffs({"a": [found]})
    assert groups.means("a", "position") == [pytest.approx(0.5, abs=0.01)]
    interval = groups.value("a", "position")
    assert 0.39 < interval.low <= interval.effect <= interval.high < 0.61


def test_differences_are_of_pairs(run):
    first = [run(0.5, 0.6, 0.7), run(0.6, 0.7, 0.8)]
    second = [run(0.4, 0.5, 0.6), run(0.4, 0.5, 0.6)]
    found = TradeOffs({"a": first, "b": second}).difference("a", "b", "position")
    # 0.1 for each pair of the first seed, 0.2 for each of the second: no scatter.
    assert found == pytest.approx((0.15, 0.1, 0.2), abs=0.01)


def test_other_pairs_are_refused(run):
    other = np.ones((3, 2), int)
    with pytest.raises(ValueError, match="compared on the same pairs"):
        TradeOffs({"a": [run(0.4, 0.5, 0.6)], "b": [run(1, 1, 1, places=other)]})


def test_worst_is_that_of_a_pair(run):
    found = TradeOffs({"a": [run(0.4, 0.8), run(0.2, 0.6)]}).worst("a", "position")
    assert found == pytest.approx((0.7, 0.6, 0.8), abs=0.01)


@pytest.mark.parametrize("dataset", ["mnist", "cifar10"])
def test_plan(parsed, dataset):
    planned = experiments.artefacts()[f"tabacof2016_{dataset}"].all_runs("full")
    found = collections.Counter(run.command for run in planned)
    # 2 networks; 3 main and 6 further attacks, of MNIST on 3 seeds and by Adam.
    by_dataset = {
        "mnist": {"train": 6, "attack": 30},
        "cifar10": {"train": 2, "attack": 9},
    }
    assert found == by_dataset[dataset]
    for run in planned:
        chosen = parsed(run)
        if run.command == "train":
            assert chosen.data.dataset == dataset
            continue
        assert (chosen.run.examples, chosen.run.seed) == (25, 1234)
        if dataset == "cifar10":
            assert chosen.lbfgsb.penalties in (10, 25)
            continue
        assert chosen.lbfgsb.penalties in (25, 100)
        # 2^-20 and 2^20 for 100 rows.
        ends = chosen.lbfgsb.least_log2_penalty, chosen.lbfgsb.greatest_log2_penalty
        assert ends == pytest.approx((-20 - np.log2(100), 20 - np.log2(100)))


@pytest.fixture
def made(tmp_path, finish, monkeypatch):
    """Makes the ledger of an artefact from fabricated runs."""
    monkeypatch.setattr(intervals, "_RESAMPLES", 50)
    monkeypatch.setattr(pictures, "draw", lambda *arguments: [])

    def make(name, hinge, **options):
        artefact = experiments.artefacts()[name]
        for run in artefact.all_runs("full"):
            if run.command == "train":
                finish(run, {})
                continue
            middle = hinge(run.label)
            hinges = middle + np.linspace(-0.05, 0.05, PAIRS)
            _curves(finish(run, {}), hinges, **options)
        work = Workspace(artefact, "full", tmp_path, tmp_path / "made")
        artefact.write_ledger(work)
        return Ledger.read(work.output_dir)

    return make


def test_ledger_of_straight_curves(made):
    def hinge(label):
        if label.endswith("_output"):
            return 0.8  # hardly an attack
        if label.endswith("_means"):
            return 0.7
        return 0.6 if "_vae_" in label else 0.45

    ledger = made("tabacof2016_mnist", hinge)
    verdicts = {c.id: c.verdict for c in ledger.claims if c.part_of is None}
    assert set(verdicts.values()) == {"holds"}
    groups = [group.id for group in MAIN]
    assert set(verdicts) == {
        *(f"{number}_{group}" for group in groups for number in (1, 2, 3, 6)),
        *("4", "4_released", "8", "9"),
        *(f"10_{group.id}" for group in (Group(VAE, KL), Group(AE, L2))),
    }
    claims = {claim.id: claim for claim in ledger.claims}
    assert claims["4"].effect == pytest.approx(0.075, abs=0.005)
    rows = {row.id: row for row in ledger.rows}
    released = rows["vae_released_auddc"]
    published = printed.RELEASED["mnist"]["vae"]["auddc"]
    assert (released.printed, released.n) == (published, 3)
    assert rows["vae_kl_auddc"].printed is None
    assert rows["vae_kl_abnormal"].measured == 75


def test_ledger_of_equal_networks_that_fall_early(made):
    ledger = made("tabacof2016_cifar10", lambda label: 0.5, linf=0.2)
    verdicts = {c.id: c.verdict for c in ledger.claims if c.part_of is None}
    for id_ in ("4", "4_released", "8", "9", "10_vae_kl", "10_ae_l2"):
        assert verdicts[id_] == "does not hold"
    assert {row.tag for row in ledger.rows} == {"stand-in"}
    assert {row.id: row for row in ledger.rows}["ae_l2_slope"].printed == -3.54


def test_runs_share_their_networks():
    each = runs.attacks(Group(VAE, KL), "mnist", "full")
    further = runs.attacks(Group(VAE, runs.OUTPUT), "mnist", "full")
    for a, b in zip(each, further, strict=True):
        assert a.inputs["model_dir"].name == b.inputs["model_dir"].name


def _of_classifier(folder, crossings):
    """Images whose logit is a line through these norms; probability its sigmoid."""
    norms = np.tile(np.linspace(0, 4, 40), (len(crossings), 1))
    odds = 3 * (norms - np.array(crossings)[:, np.newaxis])
    probability = 1 / (1 + np.exp(-odds))
    np.savez(
        folder / "measurements.npz",
        **{
            "crossing": np.array(crossings),
            "bisection/distortion": np.array(crossings),
            "adversarial/distortion": norms,
            "adversarial/target_probability": probability,
            "adversarial/target_log_odds": odds,
        },
    )
    (folder / "metrics.json").write_text("{}")
    return folder


def test_correlations_are_those_of_points_inside(tmp_path):
    run = Measurements(_of_classifier(tmp_path, [1.5, 2.0]))
    logit = classifiers.correlations(run, "target_log_odds")
    assert logit == pytest.approx(1)
    probability = run.array("adversarial/target_probability")[0]
    inside = (probability > 1e-6) & (probability < 1 - 1e-6)
    norms = run.array("adversarial/distortion")[0]
    expected = np.corrcoef(norms[inside], probability[inside])[0, 1]
    assert classifiers.correlations(run, "target_probability")[0] == pytest.approx(
        expected
    )


def test_ledger_of_classifiers(tmp_path, finish, monkeypatch):
    monkeypatch.setattr(intervals, "_RESAMPLES", 50)
    monkeypatch.setattr(classifier_pictures, "draw", lambda *arguments: [])
    artefact = experiments.artefacts()["tabacof2016_classifier"]
    for run in artefact.all_runs("full"):
        folder = finish(run, {})
        if "classifier_attack" in run.label:
            _of_classifier(folder, np.linspace(0.9, 1.1, PAIRS))
        elif run.command == "attack":
            # Half the way at |d| = 5 times the hinge.
            middle = 0.6 if "mnist" in run.label else 0.2
            _curves(folder, middle + np.linspace(-0.02, 0.02, PAIRS))
    work = Workspace(artefact, "full", tmp_path, tmp_path / "made")
    artefact.write_ledger(work)
    ledger = Ledger.read(work.output_dir)
    claims = {claim.id: claim for claim in ledger.claims}
    assert {id_: c.verdict for id_, c in claims.items() if c.part_of is None} == {
        "5_mnist": "holds",
        "5_cifar10": "does not hold",
        "7_mnist": "holds",
        "7_cifar10": "holds",
    }
    # The grid of norms is 0.26 wide.
    assert claims["5_mnist_vae_kl"].effect == pytest.approx(3, rel=0.1)
    rows = {row.id: row for row in ledger.rows}
    assert rows["mnist_crossing"].measured == pytest.approx(1.0)
    assert (rows["mnist_crossing"].printed, rows["mnist_crossing"].n) == (1.84, PAIRS)
    assert rows["cifar10_crossing"].tag == "stand-in"
    assert rows["cifar10_crossing"].printed == pytest.approx(0.3986, rel=1e-3)


def test_without_a_change_of_class_nothing_is_decided(tmp_path):
    folder = _of_classifier(tmp_path, [1.0, 2.0, 3.0])
    run = Measurements(folder)
    run.array = lambda name: (
        np.full(3, np.nan) if name == "crossing" else run._array(name)
    )
    (claim,) = classifiers._harder(None, {"mnist": run})
    assert claim.verdict == "undecided"


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn: file -> panels or rows."""
    found = {}

    def keep(panels, *rest):
        found[rest[-1].name] = panels

    for name in ("curves", "curves_in_space", "image_grid"):
        monkeypatch.setattr(pictures.figures, name, keep)
    return found


def test_pictures_of_autoencoders(drawn, run, tmp_path):
    attack = run(0.4, 0.6, 0.8)
    made = pictures.draw_curves("MNIST", {Group(VAE, KL): attack}, tmp_path)
    assert [picture.file for picture in made] == ["figure3.png", "figure3_pairs.png"]
    *lines, median = drawn["figure3.png"][0].curves
    assert (len(lines), median.label) == (3, "median")
    # At X = 0.3 the middle one of three lines 1 - X / hinge.
    at = np.flatnonzero(np.isclose(median.x, 0.3))
    assert median.y[at] == pytest.approx([0.5], abs=0.01)
    assert len(drawn["figure3_pairs.png"][0].curves) == 3


def _one_pair(tmp_path, hit):
    """A pair whose output is nearer to the target up to a penalty."""
    to_target = np.where(np.arange(4) <= hit, 1.0, 3.0)[np.newaxis]
    images = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1, 1) / 4
    np.savez(
        tmp_path / "measurements.npz",
        **{
            "adversarial/images": np.broadcast_to(images, (1, 4, 2, 2, 1)),
            "adversarial/distortion": np.array([[4.0, 3.0, 2.0, 1.0]]),
            "adversarial/to_target": to_target,
            "adversarial/to_original": np.full((1, 4), 2.0),
            "original/to_target": np.array([3.5]),
            "target/to_target": np.array([0.5]),
            "pair/distance": np.array([5.0]),
            "pair/images": np.stack([np.zeros((2, 2, 1)), np.ones((2, 2, 1))])[None],
        },
    )
    (tmp_path / "metrics.json").write_text("{}")
    return Measurements(tmp_path)


def test_the_last_penalty_that_reaches_the_target_is_shown(tmp_path):
    attack = _one_pair(tmp_path, hit=2)
    panel = pictures.over_penalties("VAE", attack)
    every, shown = panel.curves
    assert (len(every.x), shown.x, shown.y) == (4, [2.0], [1.0])
    assert [level for _, level in panel.levels] == [3.5, 0.5]
    assert [x for _, x in panel.verticals] == [5.0]

    class Twice:
        def joint(self):
            return lambda pixels: {"reconstruction": 2.0 * pixels}

    rows = pictures.images(attack, Twice())
    values = [(label, float(images[0, 0, 0, 0])) for label, images in rows]
    assert values == [
        ("original", 0.0),
        ("its reconstruction", 0.0),
        ("adversarial", 0.5),
        ("its reconstruction", 1.0),
        ("target", 1.0),
        ("its reconstruction", 1.0),  # clipped
        ("0.5 + distortion / 2", 0.75),
    ]


def test_pictures_of_classifiers(tmp_path):
    attack = Measurements(_of_classifier(tmp_path, [1.0, 2.0]))
    probability, logit = classifier_pictures.centred(attack)
    for curve in probability.curves:
        # At the crossing the probability is one half, and the logit 0.
        assert np.interp(0, curve.x, curve.y) == pytest.approx(0.5, abs=0.01)
    for curve in logit.curves:
        assert np.interp(0, curve.x, curve.y) == pytest.approx(0, abs=0.01)
