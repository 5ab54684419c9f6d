"""From finished attacks to the ledger, with features whose correlations are known."""

import collections
import json
import pathlib
import re

import numpy as np
import pytest

from tfsemae import data, evaluation, experiments, settings, training
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.runs import Run
from tfsemae.experiments.scarl2023 import observations, printed
from tfsemae.experiments.scarl2023.features import Features
from tfsemae.reports import Ledger, sentences

CLASSES, PER_CLASS, WIDTH = 10, 12, 16
NAMES = observations._CIFAR10


@pytest.fixture(scope="module")
def words():
    return np.random.default_rng(0).normal(size=(CLASSES, 12))


def _write(folder, words, *, noise, turned=False, seed=0, accuracy=0.5):
    """An attack whose features are the words in more dimensions, and noise.

    Attacked, each class shows the words of the next one if `turned`.
    """
    random = np.random.default_rng(seed)
    labels = np.arange(CLASSES).repeat(PER_CLASS)
    spread = np.random.default_rng(7).normal(size=(words.shape[1], WIDTH))
    folder.mkdir(parents=True, exist_ok=True)
    shown = (labels + turned) % CLASSES

    def features(classes, scale):
        return words[classes] @ spread + scale * random.normal(
            size=(len(labels), WIDTH)
        )

    np.savez(
        folder / "measurements.npz",
        **{
            "labels": labels,
            "clean/features": features(labels, 0.01),
            "pgd20/features": features(shown, noise),
        },
    )
    found = {"pgd20": {"accuracy": accuracy}, "warnings": []}
    (folder / "metrics.json").write_text(json.dumps(found))
    return folder


@pytest.fixture
def network(tmp_path, words):
    def make(**options):
        folders = (
            _write(tmp_path / name, words, seed=seed, **options)
            for seed, name in enumerate(("test", "train"))
        )
        return Features(*folders, words)

    return make


def test_features_that_are_the_words_correlate_fully(network, words):
    found = network(noise=0.01)
    for condition in ("clean", "pgd20"):
        for measure in (found.heldout, found.transfer, found.fitted):
            np.testing.assert_allclose(measure(condition), 1, atol=1e-3)
        assert len(found.heldout(condition)) == CLASSES - 1  # the rank of the words
        assert found.floor(condition).mean() < 0.5
        assert found.ridge(condition).max() < 1
    # Centred features lie as centred words do.
    spread = np.random.default_rng(7).normal(size=(words.shape[1], WIDTH))
    means = (words - words.mean(axis=0)) @ spread
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(found.similarity("clean"), unit @ unit.T, atol=0.05)


def test_classes_that_are_exchanged_stay_separable(network):
    found = network(noise=0.01, turned=True)
    # Refitted, nothing is lost; along the directions of clean images all is.
    np.testing.assert_allclose(found.heldout("pgd20"), 1, atol=1e-3)
    # The trace of a permutation without fixed points, less that of the mean.
    assert found.transfer("pgd20").mean() == pytest.approx(-1 / 9, abs=1e-3)


def test_noise_destroys_the_correlation(network):
    found = network(noise=100.0)
    assert abs(found.heldout("pgd20").mean()) < 0.3
    # Fitted to the same images it is no better than of permuted labels.
    fitted, floor = found.fitted("pgd20").mean(), found.floor("pgd20").mean()
    assert fitted == pytest.approx(floor, abs=0.15)


def test_other_vectors_give_the_same_correlations(network, words):
    found = network(noise=1.0)
    own = found.fitted("pgd20")
    for kind in ("perm", "random", "onehot"):
        other = found.fitted("pgd20", data.class_codes(words, kind))
        np.testing.assert_allclose(other, own, atol=1e-10)


def test_plan(parsed):
    planned = experiments.artefacts()["scarl2023_observations"].all_runs("full")
    found = collections.Counter(run.command for run in planned)
    assert found == {"train": 9, "attack": 18}
    for run in planned:
        chosen = parsed(run)
        if run.command == "train":
            assert chosen.network.model == "preact_resnet8"
            assert chosen.optimizer.steps == chosen.optimizer.cosine_steps == 2930
        else:
            assert chosen.robust_accuracy.keep_features
            assert chosen.robust_accuracy.per_class == 50


@pytest.mark.parametrize(
    "name", ["nat", "fgsm", "pgd", "trades", "scarl", "trades_wrn", "scarl_wrn"]
)
def test_flagfiles_of_the_full_scale(name):
    words = [f"--flagfile=flags/scarl2023_{name}.flags", "--output_dir=unused"]
    found = settings.parse(training.Settings, words)
    procedure, _, wide = name.partition("_")
    assert found.classifier.procedure == procedure
    model = "wide_resnet34_10" if wide else "preact_resnet18"
    assert found.network.model == model
    # 200 epochs of 391 batches; the rate falls after half and three quarters.
    assert found.optimizer.steps == 200 * 391
    assert found.optimizer.decay_boundaries() == [100 * 391, 150 * 391]
    if procedure != "nat":
        assert found.classifier.adversarial_epsilon == 8 / 255
    if procedure == "scarl":
        assert found.classifier.scarl.ramp_up_steps == 200 * 391


def test_flagfile_of_the_attack():
    flags = ["--flagfile=flags/scarl2023_attack.flags", "--model_dir=m"]
    found = settings.parse(evaluation.AttackSettings, [*flags, "--output_dir=o"])
    chosen = found.robust_accuracy
    assert chosen.linf_radius == 8 / 255
    assert chosen.linf_step == 2 / 255
    assert chosen.attacks[-1] == "aa_lite"


def _ledger(tmp_path, finish, words, *, fgsm_accuracy=0.3, clip=None):
    """A ledger of networks that lose more, the less they were trained for it."""
    artefact = experiments.artefacts()["scarl2023_observations"]
    noises = {"nat": 100.0, "fgsm": 3.0, "pgd": 0.1}
    accuracies = {"nat": 0.0, "fgsm": fgsm_accuracy, "pgd": 0.4}
    for run in artefact.all_runs("full"):
        folder = finish(run, {}, runs_dir=tmp_path / "runs")
        if run.command == "attack":
            _, procedure, seed, split, _ = run.label.split("_")
            _write(
                folder,
                words,
                noise=noises[procedure],
                seed=2 * int(seed.removeprefix("seed")) + (split == "train"),
                accuracy=accuracies[procedure],
            )
    path = tmp_path / "words.txt"
    lines = (
        f"{name} {' '.join(map(str, row))}"
        for name, row in zip(NAMES, words, strict=True)
    )
    path.write_text("\n".join(lines))
    work = Workspace(
        artefact,
        "full",
        tmp_path / "runs",
        tmp_path / "out",
        words_file=str(path),
        clip_embeddings=clip,
    )
    (tmp_path / "out").mkdir()
    artefact.write_ledger(work)
    ledger = Ledger.read(tmp_path / "out")
    assert "(K4): " in sentences.text("scarl2023", [ledger]).body
    return ledger


def test_ledger(tmp_path, finish, words):
    words = np.random.default_rng(3).normal(size=(CLASSES, 12))
    words[[3, 5]] = words[3] + 0.3 * words[[3, 5]]  # cat and dog are alike
    ledger = _ledger(tmp_path, finish, words)
    claims = {each.id: each for each in ledger.claims}
    for id_ in ("K1", "K2", "K3", "K3_fgsm", "K3_pgd", "K4_p", "K4_cat", "invariance"):
        assert claims[id_].verdict == "holds", claims[id_]
    assert claims["K1"].effect > printed.DESTROYED
    # Natural images look alike to all of these networks.
    assert claims["K4"].verdict != "holds"
    rows = {each.id: each for each in ledger.rows}
    assert rows["pgd_pgd20_heldout"].measured > rows["nat_pgd20_heldout"].measured
    assert {row.tag for row in ledger.rows} == {"reduced"}
    assert all((tmp_path / "out" / each.file).exists() for each in ledger.pictures)
    assert "--clip_embeddings" in ledger.pictures[1].caption
    assert "clip_similarity" not in rows


def test_a_network_that_fgsm_failed_to_harden_decides_nothing(tmp_path, finish, words):
    words = np.random.default_rng(3).normal(size=(CLASSES, 12))
    words -= words.mean(axis=0)
    clip = tmp_path / "clip.npy"
    turn, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(12, 12)))
    np.save(clip, 2 * words @ turn)
    ledger = _ledger(tmp_path, finish, words, fgsm_accuracy=0.02, clip=str(clip))
    # Turned words have the similarities of the words.
    rows = {each.id: each for each in ledger.rows}
    assert rows["clip_similarity"].measured == pytest.approx(1)
    assert rows["clip_mantel_p"].measured < 1e-3
    assert "missing" not in ledger.pictures[1].caption
    (claim,) = (each for each in ledger.claims if each.id == "K3")
    assert claim.verdict == "undecided"
    assert "2.0 %" in claim.measurement


def test_words_are_needed(tmp_path):
    artefact = experiments.artefacts()["scarl2023_observations"]
    work = Workspace(artefact, "full", tmp_path, tmp_path)
    with pytest.raises(ValueError, match="--words_file"):
        observations.build(work)


def test_runs_do_not_depend_on_where_the_words_lie(tmp_path):
    flags = ("--flagfile=flags/scarl2023_scarl.flags",)
    here, there = Run("a", flags), Run("a", (*flags, "--words_file=elsewhere.txt"))
    assert here.name == there.name
    words = here.words(tmp_path, {"words_file": "given.txt"})
    assert words[-1] == "--words_file=given.txt"


def test_words_go_to_the_runs_that_take_some(tmp_path):
    planned = experiments.artefacts()["scarl2023_ablation"].all_runs("full")
    vanilla = Run("a", ("--flagfile=flags/ming2022_mnist_vanilla.flags",))
    took = set()
    for run in (*planned, vanilla):
        _, *words = run.words(tmp_path, {"words_file": "given.txt"})
        settings.parse(run.group, words)  # refuses the file where nothing takes it
        took.add("--words_file=given.txt" in words)
    assert took == {True, False}


def test_plan_of_robustness(parsed):
    planned = experiments.artefacts()["scarl2023_robustness"].all_runs("full")
    found = collections.Counter(run.command for run in planned)
    assert found == {"train": 15, "attack": 30}
    for run in planned:
        chosen = parsed(run)
        if run.command == "attack" and "aa_lite" not in run.label:
            assert chosen.run.examples is None  # all test images


def test_plan_of_the_ablation(parsed):
    artefacts = experiments.artefacts()
    planned = artefacts["scarl2023_ablation"].all_runs("full")
    found = collections.Counter(run.command for run in planned)
    # 12 of other terms, 9 of other words, scarl itself; the images of nat are tried.
    assert found == {"train": 12 + 9 + 3 + 3, "attack": 12 + 9 + 3}
    shared = {run.name for run in artefacts["scarl2023_robustness"].all_runs("full")}
    new = [run for run in planned if run.name not in shared]
    assert collections.Counter(run.command for run in new) == {
        "train": 21,
        "attack": 21,
    }
    of = {run.label: parsed(run).classifier for run in new if run.command == "train"}
    chosen = {
        name: of[f"scarl_{name}_seed2"].scarl
        for name in ("none", "mi", "struct", "gram", "perm", "random", "onehot")
    }
    weights = {name: (s.mi_weight, s.struct_weight) for name, s in chosen.items()}
    assert weights["none"] == (0, 0)
    assert weights["mi"] == (1, 0)
    assert weights["struct"] == (0, 1)
    assert {weights[name] for name in ("gram", "perm", "random", "onehot")} == {(1, 1)}
    assert [s.words for s in chosen.values()] == [
        *4 * ["glove"],
        *("perm", "random", "onehot"),
    ]
    assert [name for name, s in chosen.items() if s.struct == "gram"] == ["gram"]


_CONDITIONS = ("clean", "noise", "fgsm", "pgd20", "cw20", "aa_lite")
_IMAGES = 200


@pytest.fixture
def accuracies_ledger(tmp_path, finish):
    """Makes the ledger of an artefact: (network, seed) -> right answers of 200."""

    def make(name, count, *, scale="full"):
        artefact = experiments.artefacts()[name]
        for run in artefact.all_runs(scale):
            _, network, seed, *_ = run.label.split("_")
            right = np.arange(_IMAGES) < count(network, int(seed.removeprefix("seed")))
            found = {key: {"accuracy": right.mean()} for key in _CONDITIONS}
            flat = run.label == "scarl_nat_seed0_robust"
            found["warnings"] = ["flat: of pgd20."] if flat else []
            found["word_information"] = 2.0
            folder = finish(run, found, runs_dir=tmp_path / "runs")
            arrays = {f"{key}/correct": right for key in _CONDITIONS}
            np.savez(folder / "measurements.npz", **arrays)
        (tmp_path / "out").mkdir()
        work = Workspace(artefact, scale, tmp_path / "runs", tmp_path / "out")
        artefact.write_ledger(work)
        ledger = Ledger.read(tmp_path / "out")
        assert all((tmp_path / "out" / each.file).exists() for each in ledger.pictures)
        if scale == "full":  # the text names nothing that is not there
            last = "less TRADES is" if name.endswith("robustness") else "(K7): "
            assert last in _words(sentences.text("scarl2023", [ledger]).body)
        return ledger, {each.id: each for each in (*ledger.rows, *ledger.claims)}

    return make


def _words(text):
    """A text without its line breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("gains", "verdict"), [((4, 6, 8), "holds"), ((-4, -6, -8), "does not hold")]
)
def test_ledger_of_robustness(accuracies_ledger, gains, verdict):
    ledger, found = accuracies_ledger(
        "scarl2023_robustness",
        lambda network, seed: 60 + (gains[seed] if network == "scarl" else 0),
    )
    assert found["K5"].verdict == verdict
    # 2, 3 and 4 % of 200 images. The error is above that over seeds, 1/sqrt(3); it
    # would be above 3 if images were not paired.
    effect = found["K5_trades_cw20"]
    assert abs(effect.effect) == pytest.approx(3)
    assert 3**-0.5 < effect.high - effect.effect < 1.5
    assert found["trades_aa_lite"].measured == pytest.approx(30)
    _check_what_was_not_run([row for row in ledger.rows if row.tag == "not run"])
    (warning,) = ledger.warnings
    assert warning.name == "flat"
    assert warning.text.endswith("in 30 attack runs: scarl_nat_seed0_robust: of pgd20.")


def _check_what_was_not_run(rows):
    """Three methods under six attacks with one network, two under four with another."""
    assert len(rows) == 3 * 6 + 2 * 4
    values = {row.id: row.printed for row in rows}
    assert values["ResNet-18_pgd_autoattack"] == 47.63
    assert values["WRN-34-10_scarl_pgd100"] == 57.81
    for row in rows:
        assert row.measured is None
        (flagfile,) = re.findall(r"flags/\S+\.flags", row.note)
        assert pathlib.Path(flagfile).exists()


@pytest.mark.parametrize(
    ("worse", "verdicts", "gains"),
    [
        # Both terms and the words are needed.
        (
            ("none", "mi", "struct", "perm", "random", "onehot"),
            ("holds", "holds"),
            "none_pgd20, none_cw20, mi_pgd20, mi_cw20, struct_pgd20, struct_cw20",
        ),
        # Nothing makes a difference.
        ((), ("holds", "undecided"), "none"),
        # The structure alone is better than both, and so is one entry for each class.
        (("scarl", "none", "mi"), ("does not hold", "does not hold"), "none"),
    ],
)
def test_ledger_of_the_ablation(accuracies_ledger, worse, verdicts, gains):
    ledger, found = accuracies_ledger(
        "scarl2023_ablation",
        lambda network, seed: 60 - 20 * (network in worse) + seed,
    )
    assert (found["K6"].verdict, found["K7"].verdict) == verdicts
    assert found["K6"].note == f"more than one standard error above: {gains}"
    needed = verdicts[1] == "holds"
    assert ("not needed" in found["K7"].note) != needed
    assert len([each for each in ledger.claims if each.part_of == "K6"]) == 6
    assert len([each for each in ledger.claims if each.part_of == "K7"]) == 6
    # Means of 30, 30.5 and 31 % of 200 images.
    assert found["gram_pgd20"].measured == pytest.approx(30.5)
    assert found["perm_information"].measured == 2
    assert {row.tag for row in ledger.rows} == {"reduced"}


def test_one_seed_decides_nothing(accuracies_ledger):
    ledger, _ = accuracies_ledger(
        "scarl2023_ablation", lambda network, seed: 60, scale="smoke"
    )
    assert [(each.id, each.verdict) for each in ledger.claims] == [
        ("K6", "undecided"),
        ("K7", "undecided"),
    ]
    assert not any(each.note for each in ledger.claims)
