"""Gradient attacks over radii, on linear networks of which the worst case is known."""

import json
import math

import keras
import numpy as np
import pytest
import scipy.spatial.distance

from tfsemae import evaluation, metrics, settings
from tfsemae.evaluation import robustness, sanity
from tfsemae.evaluation.attack_registry import Pgd
from tfsemae.evaluation.gradient_attack import GradientAttack
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier

SHAPE = (12, 12, 1)
PIXELS = math.prod(SHAPE)
GAINS = np.concatenate([[3.0], np.ones(PIXELS - 1)])


def _scaled(shape, factors, name, then):
    """A linear network that multiplies each number."""
    start = keras.Input(shape)
    flat = keras.layers.Flatten()(start)
    scaled = keras.layers.Rescaling(factors.tolist())(flat)
    return keras.Model(start, keras.layers.Reshape(then)(scaled), name=name)


def _linear(variances=None):
    """Latent: the pixels. Image: the latent, its first number three times as large."""
    image = keras.Input(SHAPE)
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    log_variance = None
    if variances is not None:
        constant = keras.layers.Rescaling(0.0, math.log(variances))
        log_variance = keras.Model(image, constant(keras.layers.Flatten()(image)))
    decoder = _scaled((PIXELS,), GAINS, "decoder", SHAPE)
    return Autoencoder(encoder, decoder, log_variance=log_variance)


@pytest.fixture(scope="module")
def images(write_images):
    """40 images without labels, no pixel near 0 or 1."""
    pixels = np.random.default_rng(0).integers(100, 156, (40, *SHAPE), dtype=np.uint8)
    return write_images(
        images=pixels, labels=None, test_images=pixels, test_labels=None
    )


@pytest.fixture(scope="module")
def attack(tmp_path_factory, images):
    """Attacks a network; gives metrics, and arrays of each example."""

    def run(network=None, folder=None, **given):
        folder = folder or tmp_path_factory.mktemp("attack")
        (network or _linear()).save(folder / "victim")
        defaults = {
            "attack": "pgd",
            "model_dir": str(folder / "victim"),
            "dataset": str(images),
            "output_dir": str(folder / "out"),
        }
        found = evaluation.attack_run(
            settings.make(evaluation.AttackSettings, defaults | given)
        )
        with np.load(folder / "out" / "measurements.npz") as arrays:
            return found, dict(arrays)

    return run


@pytest.fixture(scope="module")
def untargeted(attack):
    return attack(epsilon=("0", "0.5", "1"), relative_epsilon=("0.1",))


@pytest.mark.parametrize("epsilon", [0.5, 1.0])
def test_strong_attack_reaches_the_worst_case(untargeted, epsilon):
    found, arrays = untargeted
    worst = (3 * epsilon) ** 2 / PIXELS
    name = f"strong_epsilon{epsilon:g}"
    assert found[name]["mse"] == pytest.approx(worst, rel=1e-4)
    assert found[name]["objective"] == pytest.approx(worst, rel=1e-4)
    np.testing.assert_allclose(arrays[f"{name}/displacement"], epsilon, rtol=1e-5)
    moved = arrays[f"{name}/point"] - arrays["clean/point"]
    np.testing.assert_allclose(np.abs(moved[:, 0]), epsilon, rtol=1e-4)
    # The attack of the paper begins at random, of which 143 directions lead nowhere.
    plain = found[f"pgd_epsilon{epsilon:g}"]["mse"]
    assert found[f"noise_epsilon{epsilon:g}"]["mse"] < plain < worst


def test_noise_has_the_full_length_and_the_mean_damage_of_directions(untargeted):
    found, arrays = untargeted
    expected = np.mean(GAINS**2) / PIXELS
    # 40 directions: 8 of 152 parts of the variance come from one of 144 numbers.
    assert found["noise_epsilon1"]["mse"] == pytest.approx(expected, rel=0.1)
    np.testing.assert_allclose(arrays["noise_epsilon1/displacement"], 1, rtol=1e-5)


def test_radius_0_changes_nothing(untargeted):
    found, _ = untargeted
    for attack in ("pgd", "strong", "noise"):
        values = found[f"{attack}_epsilon0"]
        assert (values["mse"], values["displacement"]) == (0, 0)
        assert values["ssim"] == pytest.approx(1, abs=1e-5)  # float32, of bright pixels


def test_relative_radii_are_in_units_of_the_spread(untargeted):
    found, arrays = untargeted
    points = arrays["clean/point"].astype(np.float64)
    spread = math.sqrt(points.var(axis=0).sum())
    assert found["spread"] == pytest.approx(spread, rel=1e-5)
    radius = found["pgd_relative_epsilon0.1"]["radius"]
    assert radius == pytest.approx(0.1 * spread, rel=1e-5)
    np.testing.assert_allclose(found["deviation"], points.std(axis=0), rtol=1e-4)


def test_spectrum_is_that_of_the_decoder(untargeted):
    found, arrays = untargeted
    np.testing.assert_allclose(arrays["clean/singular_value"], 3, rtol=1e-4)
    assert found["clean"]["singular_value"] == pytest.approx(3, rel=1e-4)


def _outputs(points):
    return (GAINS * points.astype(np.float64)).reshape(-1, *SHAPE)


@pytest.mark.parametrize("name", ["pgd_epsilon1", "strong_epsilon1", "noise_epsilon0"])
def test_outputs_are_compared_with_the_images_too(untargeted, images, name):
    found, arrays = untargeted
    with np.load(images) as file:
        pixels = file["test_images"] / 255
    error = np.mean((_outputs(arrays[f"{name}/point"]) - pixels) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(arrays[f"{name}/mse_to_input"], error, rtol=1e-3)
    assert found[name]["mse_to_input"] == pytest.approx(error.mean(), rel=1e-4)
    # Without a change it is what reconstruction costs.
    unchanged = arrays["pgd_epsilon0/ssim_to_input"]
    np.testing.assert_allclose(unchanged, arrays["clean/ssim"], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "measured"),
    [("clean", True), ("pgd_epsilon0.5", False), ("strong_epsilon1", True)],
)
def test_first_outputs_are_kept_and_the_diversity_of_all_is_measured(
    untargeted, name, measured
):
    found, arrays = untargeted
    outputs = _outputs(arrays[f"{name}/point"])
    shown = arrays[f"{name}/images"]
    assert (shown.shape, shown.dtype) == ((10, *SHAPE), np.uint8)
    # Half a step of 1/255, and float32.
    np.testing.assert_allclose(shown / 255, outputs[:10].clip(0, 1), atol=0.5001 / 255)
    assert f"{name}/output" not in arrays
    assert ("output_diversity" in found[name]) == measured  # at the greatest radius
    if measured:
        expected = np.mean(scipy.spatial.distance.pdist(outputs.reshape(40, -1)))
        assert found[name]["output_diversity"] == pytest.approx(expected, rel=1e-5)


def test_diversity_is_that_of_the_first_outputs(attack, monkeypatch):
    monkeypatch.setattr(robustness, "_OUTPUTS", 12)
    found, arrays = attack(epsilon=("1",), strong=False, batch_size=5)
    for name in ("clean", "noise_epsilon1"):
        outputs = _outputs(arrays[f"{name}/point"])[:12].reshape(12, -1)
        expected = np.mean(scipy.spatial.distance.pdist(outputs))
        assert found[name]["output_diversity"] == pytest.approx(expected, rel=1e-5)
        assert arrays[f"{name}/images"].shape == (10, *SHAPE)
        assert arrays[f"{name}/mse"].shape == (40,)


def test_outputs_as_a_set_are_compared_in_the_features_of_a_classifier(
    attack, tmp_path
):
    image = keras.Input(SHAPE)
    rows = keras.layers.AveragePooling2D((6, 12))(image)
    halves = keras.layers.Flatten(name="halves")(rows)
    network = keras.Model(image, keras.layers.Rescaling(4.0)(halves))
    classifier = Classifier.of(network, ("up", "down"), features_layer="halves")
    classifier.save(tmp_path)
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.75}', "utf-8")
    found, arrays = attack(epsilon=("0", "1"), classifier_dir=str(tmp_path))

    def moments(name):
        of_halves = _outputs(arrays[f"{name}/point"]).reshape(40, 2, -1).mean(axis=2)
        return of_halves.mean(axis=0), np.cov(of_halves.T)

    for name in ("pgd_epsilon1", "strong_epsilon1", "noise_epsilon1"):
        expected = metrics.frechet_distance(*moments(name), *moments("clean"))
        distance = found[name]["output_frechet_distance"]
        assert distance == pytest.approx(expected, rel=1e-3)  # float32 outputs
    unchanged = found["noise_epsilon0"]["output_frechet_distance"]
    assert unchanged == pytest.approx(0, abs=1e-9)
    assert "output_frechet_distance" not in found["clean"]
    described = found["classifier_features"]
    assert (described["layer"], described["samples"]) == ("halves", 40)
    assert described["accuracy"] == 0.75


def test_numbers_do_not_depend_on_the_batches(attack):
    options = {"epsilon": ("1",), "target": "random", "codes": "posterior"}
    network = _linear(variances=0.25)
    expected, arrays = attack(network, **options, batch_size=100)
    found, others = attack(network, **options, batch_size=7)
    assert others.keys() == arrays.keys()
    # Towards a target, where less is better.
    plain, strong = (arrays[f"{a}_epsilon1/objective"] for a in ("pgd", "strong"))
    assert np.all(strong <= plain)
    for name, values in others.items():
        # Sums of 144 float32 are ordered differently; ten steps follow one another.
        np.testing.assert_allclose(values, arrays[name], atol=1e-4, err_msg=name)
    assert found["huge"]["objective"] == pytest.approx(
        expected["huge"]["objective"], rel=1e-3
    )


def test_each_step_is_traced_once():
    attack = GradientAttack(_linear(), Pgd(epsilon=("1",), target="random"))
    pixels = np.random.default_rng(0).random((5, *SHAPE), np.float32)
    for rows, radius in ((3, 0.5), (5, 1.0), (1, 2.0)):
        images, drawn = pixels[:rows], attack.draws(0)(rows)
        clean = attack.clean(images, images, drawn)["clean"]
        known = {key: clean[key] for key in attack.takes}
        found = attack.attacked(images, images, drawn, known, radius)
        assert found["strong"]["mse"].shape == (rows,)
    for step in (attack.clean, attack.attacked):
        assert step.experimental_get_tracing_count() == 1


def test_lpips_of_outputs_where_there_are_weights(
    lpips_weights, tmp_path, write_images, capfd
):
    shape = (18, 18, 1)
    image, latent = keras.Input(shape), keras.Input((math.prod(shape),))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    decoder = keras.Model(latent, keras.layers.Reshape(shape)(latent))
    Autoencoder(encoder, decoder).save(tmp_path / "victim")
    pixels = np.random.default_rng(0).integers(50, 200, (4, *shape), dtype=np.uint8)
    file = write_images(
        images=pixels, labels=None, test_images=pixels, test_labels=None
    )

    def run(name, **given):
        folder = tmp_path / name
        defaults = {
            "attack": "pgd",
            "model_dir": str(tmp_path / "victim"),
            "dataset": str(file),
            "output_dir": str(folder),
            "epsilon": ("0", "2"),
            "strong": False,
        }
        found = evaluation.attack_run(
            settings.make(evaluation.AttackSettings, defaults | given)
        )
        with np.load(folder / "measurements.npz") as arrays:
            return found, dict(arrays)

    found, arrays = run("with", weights_dir=str(lpips_weights))
    clean = (pixels / 255).astype(np.float32)
    for name, net, resize in (("squeeze", "squeeze", None), ("alex", "alex", 64)):
        lpips = metrics.LPIPSDistance(lpips_weights, net, resize=resize)
        np.testing.assert_allclose(arrays[f"pgd_epsilon0/lpips_{name}"], 0, atol=1e-6)
        changed = arrays["noise_epsilon2/point"].reshape(clean.shape)
        distance = lpips(clean, changed)
        measured = arrays[f"noise_epsilon2/lpips_{name}"]
        np.testing.assert_allclose(measured, distance, rtol=1e-4)
        assert np.all(measured > 0.01)
    squeeze = metrics.LPIPSDistance(lpips_weights, "squeeze")
    pairs = np.mean(squeeze(clean, np.roll(clean, -1, axis=0)))
    assert found["clean"]["output_diversity_lpips"] == pytest.approx(pairs, rel=1e-4)
    inputs = json.loads((tmp_path / "with" / "inputs.json").read_text("utf-8"))
    assert len(inputs["lpips"]) == 64
    assert "LPIPS" not in capfd.readouterr().err

    found, arrays = run("without")
    assert not any("lpips" in name for name in [*found["clean"], *arrays])
    assert "LPIPS is not measured, since no --weights_dir" in capfd.readouterr().err
    with pytest.raises(ValueError, match=r"other data or networks \(lpips\)"):
        run("without", weights_dir=str(lpips_weights))


def test_missing_weights_are_named(attack, tmp_path):
    with pytest.raises(ValueError, match="at least 17 x 17 pixels"):
        attack(epsilon=("1",), weights_dir=str(tmp_path))


def test_strong_attack_is_never_weaker_than_the_plain_one(untargeted):
    _, arrays = untargeted
    for radius in ("epsilon0.5", "epsilon1", "relative_epsilon0.1"):
        plain, strong = (arrays[f"{a}_{radius}/objective"] for a in ("pgd", "strong"))
        assert np.all(strong >= plain)


def _decoding(function):
    """An autoencoder whose latent are the pixels, and whose image is their function."""
    latent = keras.Input((PIXELS,))
    image = keras.layers.Reshape(SHAPE)(function(latent))
    return Autoencoder(_linear().encoder, keras.Model(latent, image, name="decoder"))


def _waves():
    """A decoder of many maxima: a sine of each pixel."""
    return _decoding(lambda latent: 0.5 + 0.5 * keras.ops.sin(20 * latent))


def test_strong_attack_goes_on_from_the_best_of_its_starts(attack):
    def objectives(name, steps):
        _, arrays = attack(_waves(), epsilon=("1",), steps=steps)
        return arrays[f"{name}_epsilon1/objective"]

    # Of few steps it has the starts alone, and with more it goes on from there.
    starts, plain = objectives("strong", 2), objectives("pgd", 20)
    strong = objectives("strong", 20)
    assert np.all(strong >= np.maximum(starts, plain))
    assert np.any(strong > 1.01 * np.maximum(starts, plain))


def test_strong_attack_begins_at_its_random_points():
    network = GradientAttack(_waves(), Pgd(epsilon=("1",), steps=2))
    pixels = np.random.default_rng(0).uniform(0.4, 0.6, (8, *SHAPE)).astype(np.float32)
    drawn = network.draws(0)(8)
    clean = network.clean(pixels, pixels, drawn)["clean"]
    taken = {name: clean[name] for name in network.takes}
    found = []
    for starts in (drawn["strong_starts"], 0 * drawn["strong_starts"]):
        given = drawn | {"strong_starts": starts}
        values = network.attacked(pixels, pixels, given, taken, np.float32(1))
        found.append(values["strong"]["objective"].numpy())
    # At the examples themselves the gradient is zero.
    assert np.all(found[0] >= found[1])
    assert np.any(found[0] > 1.01 * found[1])


@pytest.mark.parametrize("target", [None, "black"])
def test_further_restarts_are_never_worse_and_help(attack, target):
    found = []
    for restarts in (0, 5):
        options = {"target": target, "restarts": restarts, "strong": False, "steps": 1}
        _, arrays = attack(_waves(), epsilon=("1",), **options)
        sign = 1 if target is None else -1
        found.append(sign * arrays["pgd_epsilon1/objective"])
    assert np.all(found[1] >= found[0])
    assert np.any(found[1] > found[0] + 1e-4)


def test_shorter_steps_do_less(attack):
    # Towards black, one step of a tenth of the radius; the attack ends where it leads.
    options = {"epsilon": ("0.5",), "target": "black", "strong": False, "steps": 1}
    found = [
        attack(path_length=length, **options)[0]["pgd_epsilon0.5"]["mse"]
        for length in (0.1, 2.5)
    ]
    assert 0 < found[0] <= (3 * 0.05) ** 2 / PIXELS * (1 + 1e-5)
    assert found[1] > 10 * found[0]


def test_norm_of_ball_and_step(attack):
    def damage(**options):
        options = {"epsilon": ("0.5",), "strong": False} | options
        found, _ = attack(**options)
        return found["pgd_epsilon0.5"]["mse"]

    # In a cube all numbers go to a corner; in a sphere the first one alone does.
    squares = np.sum(np.square(GAINS))
    assert damage(norm="linf") == pytest.approx(0.25 * squares / PIXELS, rel=1e-5)
    # A single step along the sign is by far longer than the radius: it ends near the
    # diagonal, where each number has the same share. One along the gradient does not.
    diagonal = 0.25 * squares / PIXELS**2
    assert damage(step_norm="linf", steps=1) == pytest.approx(diagonal, rel=0.02)
    assert damage(steps=1) > 1.5 * diagonal


def test_momentum_begins_with_the_second_step(attack):
    def ends(**options):
        options = {"epsilon": ("0.5",), "strong": False} | options
        return attack(**options)[1]["pgd_epsilon0.5/point"]

    first = [ends(momentum=share, steps=1) for share in (0.0, 1.0)]
    np.testing.assert_allclose(*first, atol=1e-6)
    third = [ends(momentum=share, steps=3) for share in (0.0, 1.0)]
    assert np.abs(third[0] - third[1]).max() > 1e-3


def test_equal_directions_at_all_radii(untargeted):
    # Noise of one direction, of which the length alone differs.
    _, arrays = untargeted
    clean = arrays["clean/point"]
    half, whole = (arrays[f"noise_epsilon{e}/point"] - clean for e in ("0.5", "1"))
    np.testing.assert_allclose(2 * half, whole, atol=1e-5)


def test_targeted_attack_approaches_the_target(attack):
    found, arrays = attack(target="black", epsilon=("1",), strong=False)
    latent = arrays["clean/point"].astype(np.float64)
    decoded = GAINS * latent
    assert found["clean"]["objective"] == pytest.approx(np.mean(decoded**2), rel=1e-5)
    # No further than along the gradient of the first step, and nearer than at first.
    after = found["pgd_epsilon1"]["objective"]
    assert after < found["noise_epsilon1"]["objective"]
    steepest = np.linalg.norm(decoded, axis=1) - 3
    assert after >= np.mean(np.maximum(steepest, 0) ** 2) / PIXELS
    assert "singular_value" not in found["clean"]
    assert not any(name.startswith("strong") for name in found)
    assert found["huge"]["objective"] < 0.1 * found["clean"]["objective"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("white", lambda image, other: np.mean((image - 1) ** 2)),
        ("reversed", lambda image, other: np.mean((2 * image - 1) ** 2)),
        ("other_image", lambda image, other: np.mean((image - other) ** 2)),
    ],
)
def test_targets(attack, images, target, expected):
    found, arrays = attack(target=target, epsilon=("0",), strong=False, batch_size=7)
    with np.load(images) as file:
        pixels = file["test_images"].reshape(40, -1) / 255
    decoded = GAINS * arrays["clean/point"].astype(np.float64)
    other = np.roll(pixels, -1, axis=0)  # the next one, also across batches
    distance = expected(decoded, other)
    assert found["clean"]["objective"] == pytest.approx(distance, rel=1e-5)


def test_random_targets_are_uniform_and_their_own_for_each_image(attack):
    found, arrays = attack(target="random", epsilon=("0",), strong=False)
    decoded = GAINS * arrays["clean/point"].astype(np.float64)
    # Mean of (x - U)**2 is (x - 1/2)**2 + 1/12; of 5,760 pixels.
    expected = np.mean((decoded - 0.5) ** 2) + 1 / 12
    assert found["clean"]["objective"] == pytest.approx(expected, rel=0.05)
    assert arrays["clean/objective"].std() > 0


def test_input_space_is_bounded_by_the_values_of_pixels(attack):
    found, arrays = attack(
        space="input", objective="latent_l2", epsilon=("0.5", "50"), strong=False
    )
    # Here a latent is its image: the distance of the latents is that of the images.
    near = found["pgd_epsilon0.5"]
    assert near["objective"] == pytest.approx(0.5, rel=1e-4)
    assert near["displacement"] == pytest.approx(0.5, rel=1e-4)
    assert "pgd_epsilon0.5/point" not in arrays
    # Of pixels near 1/2 none can move by more than 0.61.
    assert arrays["pgd_epsilon50/displacement"].max() < 0.61 * math.sqrt(PIXELS)


def test_noise_of_black_images_has_the_full_length_too(attack, write_images):
    # Half of a direction is cut off, where nothing is below 0.
    black = np.zeros((20, *SHAPE), np.uint8)
    dataset = write_images(test_images=black, test_labels=None)
    found, arrays = attack(
        space="input", epsilon=("1", "3"), strong=False, dataset=str(dataset)
    )
    for radius in (1, 3):
        lengths = arrays[f"noise_epsilon{radius}/displacement"]
        np.testing.assert_allclose(lengths, radius, rtol=1e-4)
    assert found["noise_epsilon1"]["displacement"] == pytest.approx(1, rel=1e-4)


def test_ssim_of_outputs(attack):
    found, _ = attack(objective="output_ssim", epsilon=("0", "1"), strong=False)
    assert found["clean"]["objective"] == pytest.approx(0, abs=1e-5)
    values = found["pgd_epsilon1"]
    assert values["objective"] == pytest.approx(1 - values["ssim"], abs=1e-5)
    assert values["objective"] > 1.2 * found["noise_epsilon1"]["objective"]


def test_kl_of_posteriors(attack):
    found, _ = attack(
        _linear(variances=0.25),
        space="input",
        objective="posterior_kl",
        epsilon=("0.5",),
        strong=False,
    )
    # Equal variances: half the squared distance of the means, over the variance.
    expected = 0.5 * 0.5**2 / 0.25
    assert found["pgd_epsilon0.5"]["objective"] == pytest.approx(expected, rel=1e-3)


def test_codes_of_posterior_and_prior(attack, images):
    with np.load(images) as file:
        mean = file["test_images"].reshape(40, -1) / 255
    options = {"epsilon": ("0",), "strong": False}
    _, arrays = attack(_linear(variances=0.25), codes="posterior", **options)
    standard = (arrays["clean/point"] - mean) / 0.5
    _, arrays = attack(_linear(variances=0.25), codes="prior", **options)
    for numbers in (standard, arrays["clean/point"]):
        # 5,760 numbers: standard errors of 0.013 and 0.009.
        assert abs(numbers.mean()) < 0.05
        assert numbers.std() == pytest.approx(1, abs=0.04)


def test_an_attacker_who_can_only_query_does_as_much(attack):
    options = {"epsilon": ("0.5",), "strong": False, "examples": 4}
    exact, _ = attack(**options)
    queried, _ = attack(gradient="finite_difference", **options)
    pair = [found["pgd_epsilon0.5"]["mse"] for found in (exact, queried)]
    assert pair[1] == pytest.approx(pair[0], rel=1e-2)
    # One direction of each step does less than all, and something.
    few, _ = attack(gradient="finite_difference", directions=1, **options)
    assert 0.1 * pair[0] < few["pgd_epsilon0.5"]["mse"] < 0.99 * pair[0]


def test_a_second_start_reads_what_was_found(attack, tmp_path):
    options = {"epsilon": ("0.5", "1"), "folder": tmp_path, "strong": False}
    found, _ = attack(**options)
    assert attack(**options)[0] == found
    written = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert written == found
    assert not (tmp_path / "out" / "arrays").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epsilon": None}, "needs --epsilon or --relative_epsilon"),
        ({"epsilon": ("1", "0.5")}, r"--epsilon=1,0\.5 must be .* ascending"),
        ({"epsilon": ("0.5", "0.5")}, "ascending order"),
        ({"epsilon": ("-1",)}, "--epsilon=-1 must be finite numbers of at least 0"),
        ({"epsilon": ("a",)}, "--epsilon=a must be finite"),
        ({"relative_epsilon": ("inf",)}, "--relative_epsilon=inf must be finite"),
        ({"objective": "latent_l2"}, "Add --space=input"),
        ({"space": "input", "codes": "prior"}, "--codes=prior are latents"),
        (
            {"space": "input", "objective": "latent_l2", "target": "reversed"},
            "--target=reversed is an output",
        ),
        (
            {"attack": "semantic_shift", "epsilon": None, "weights_dir": "w"},
            "--weights_dir=w belongs to --attack=pgd",
        ),
        ({"scales": ("2",)}, "--scales=2 belongs to --attack=semantic_shift"),
        ({"classifier_dir": "nowhere"}, "nowhere"),
        (
            {"attack": "semantic_shift", "epsilon": None, "classifier_dir": "c"},
            "--classifier_dir=c belongs to --attack=pgd",
        ),
        ({"lpips_nets": ("alex",)}, "--lpips_nets=alex must be squeeze or"),
        ({"lpips_nets": ("squeeze", "vgg")}, "--lpips_nets=squeeze,vgg must be"),
        ({"codes": "posterior"}, "--codes=posterior needs a variational autoencoder"),
        (
            {"space": "input", "objective": "posterior_kl"},
            "--objective=posterior_kl needs a variational",
        ),
    ],
)
def test_what_does_not_fit_is_refused(attack, given, message):
    with pytest.raises(ValueError, match=message):
        attack(**{"epsilon": ("1",)} | given)


# --- sanity


def _found(**changes):
    """What an attack without faults finds."""
    values = {
        f"{attack}_epsilon{radius:g}": {
            "radius": radius,
            "mse": share * radius,
            "objective": share * radius,
            "finite": 1.0,
            "flat": 0.0,
        }
        for attack, share in (("pgd", 1.0), ("strong", 1.02), ("noise", 0.1))
        for radius in (0.0, 1.0, 2.0)
    }
    values |= {
        "spread": 1.0,
        "clean": {"objective": 0.0, "finite": 1.0},
        "huge": {"radius": 9.0, "objective": 9.0},
    }
    for name, more in changes.items():
        values[name] = values[name] | more
    return values


_PLAIN = Pgd(epsilon=("0", "1", "2"))


def test_an_attack_without_faults_gives_no_warning():
    assert sanity.warnings(_found(), _PLAIN) == []


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"pgd_epsilon0": {"mse": 0.1}}, "not_clean"),
        ({"pgd_epsilon2": {"objective": 0.9}}, "not_monotone"),
        ({"noise_epsilon1": {"objective": 1.1}}, "weaker_than_noise"),
        ({"strong_epsilon1": {"objective": 1.06}}, "too_weak"),
        ({"strong_epsilon2": {"flat": 0.25}}, "flat"),
        ({"pgd_epsilon1": {"finite": 0.9}}, "not_finite"),
        ({"clean": {"finite": 0.9}}, "not_finite"),
        ({"noise_epsilon1": {"finite": 0.9}}, "not_finite"),
    ],
)
def test_each_fault_has_its_warning(changes, check):
    found = {
        each.partition(":")[0] for each in sanity.warnings(_found(**changes), _PLAIN)
    }
    assert check in found


def test_relative_radii_of_equal_latents_are_told():
    relative = Pgd(epsilon=("0", "1", "2"), relative_epsilon=("0.1",))
    found = _found() | {"spread": 0.0}
    found |= {
        f"{each}_relative_epsilon0.1": found[f"{each}_epsilon0"]
        for each in ("pgd", "strong", "noise")
    }
    names = [each.partition(":")[0] for each in sanity.warnings(found, relative)]
    assert names == ["no_spread"]


@pytest.fixture(scope="module")
def partly_finite(attack):
    """An attack on a decoder that gives NaN where the first pixel is dark."""
    network = _decoding(
        lambda latent: latent + 0 * keras.ops.sqrt(latent[:, :1] - 0.45)  # NaN below
    )
    return attack(network, epsilon=("0", "0.5"))


def test_examples_that_are_not_finite_are_left_out_and_told(partly_finite, images):
    found, arrays = partly_finite
    with np.load(images) as file:
        dark = file["test_images"].reshape(40, -1)[:, 0] / 255 < 0.45
    assert 0 < dark.sum() < 40
    np.testing.assert_array_equal(np.isnan(arrays["clean/objective"]), dark)
    assert found["clean"]["finite"] == pytest.approx(1 - dark.mean())
    # The others move in any direction alike: the mean squared error of 0.5.
    assert found["noise_epsilon0.5"]["mse"] == pytest.approx(0.25 / PIXELS, rel=1e-3)
    kept = arrays["clean/point"].reshape(40, -1)[~dark]
    expected = np.mean(scipy.spatial.distance.pdist(kept))
    assert found["clean"]["output_diversity"] == pytest.approx(expected, rel=1e-3)
    told = [each for each in found["warnings"] if each.startswith("not_finite")]
    assert any("without an attack" in each for each in told)
    assert any("by noise at epsilon0.5" in each for each in told)


def test_a_target_that_no_radius_reaches_is_told():
    targeted = Pgd(epsilon=("0", "1", "2"), target="black", strong=False)
    found = _found(clean={"objective": 10.0}, huge={"objective": 6.0})
    for name, values in found.items():
        if name.startswith(("pgd", "noise")):
            values["objective"] = 10 - values["objective"]
    assert [each.partition(":")[0] for each in sanity.warnings(found, targeted)] == [
        "target_not_reached"
    ]
