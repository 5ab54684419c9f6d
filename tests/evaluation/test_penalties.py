"""Attacks over penalties, on linear networks of which the minima are known."""

import dataclasses
import math

import keras
import numpy as np
import pytest

from tfsemae import evaluation, settings
from tfsemae.evaluation import penalties
from tfsemae.models.autoencoder import Autoencoder

SHAPE = (12, 12, 1)
PIXELS = math.prod(SHAPE)
VARIANCE = 0.01


def _identity(variance=None):
    """Latent: the pixels. Image: the latent."""
    image, latent = keras.Input(SHAPE), keras.Input((PIXELS,))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    decoder = keras.Model(latent, keras.layers.Reshape(SHAPE)(latent))
    log_variance = None
    if variance is not None:
        constant = keras.layers.Rescaling(0.0, math.log(variance))
        log_variance = keras.Model(image, constant(keras.layers.Flatten()(image)))
    return Autoencoder(encoder, decoder, log_variance=log_variance)


@pytest.fixture(scope="module")
def images(write_images):
    """40 images of two classes."""
    pixels = np.random.default_rng(0).integers(20, 236, (40, *SHAPE), dtype=np.uint8)
    labels = np.arange(40) % 2
    return write_images(
        images=pixels, labels=labels, test_images=pixels, test_labels=labels
    )


@pytest.fixture(scope="module")
def attack(tmp_path_factory, images):
    """Attacks a network; gives metrics, and arrays of each pair."""

    def run(network=None, folder=None, **given):
        folder = folder or tmp_path_factory.mktemp("attack")
        (network or _identity()).save(folder / "victim")
        defaults = {
            "attack": "lbfgsb",
            "distance": "l2",
            "model_dir": str(folder / "victim"),
            "dataset": str(images),
            "examples": 6,
            "penalties": 5,
            "least_log2_penalty": -2.0,
            "greatest_log2_penalty": 2.0,
            "output_dir": str(folder / "out"),
        }
        chosen = settings.make(evaluation.AttackSettings, defaults | given)
        found = evaluation.attack_run(chosen)
        with np.load(folder / "out" / "measurements.npz") as arrays:
            return found, dict(arrays)

    return run


@pytest.fixture(scope="module")
def pixels(images):
    with np.load(images) as file:
        return file["test_images"] / 255


@pytest.fixture(scope="module")
def plain(attack):
    return attack()


def _pairs(arrays, pixels):
    return (pixels[arrays["pairs"][:, which]] for which in (0, 1))


def test_pairs_are_of_two_classes_and_drawn_once(plain):
    _, arrays = plain
    originals, targets = arrays["pairs"].T
    assert len(np.unique(originals)) == 6
    assert np.all(originals % 2 != targets % 2)


def test_minima_are_between_original_and_target(plain, pixels):
    found, arrays = plain
    assert arrays["penalty"].tolist() == [0.25, 0.5, 1, 2, 4]
    x, t = _pairs(arrays, pixels)
    weights = arrays["penalty"].reshape(-1, 1, 1, 1)
    minima = (t[:, np.newaxis] + weights * x[:, np.newaxis]) / (1 + weights)
    np.testing.assert_allclose(arrays["adversarial/images"], minima, atol=1e-4)
    between = np.sqrt(np.sum((x - t) ** 2, axis=(1, 2, 3)))
    np.testing.assert_allclose(arrays["pair/distance"], between, rtol=1e-5)
    share = 1 / (1 + arrays["penalty"])
    np.testing.assert_allclose(
        arrays["adversarial/distortion"], np.outer(between, share), rtol=1e-3
    )
    assert found["examples"] == 6
    assert found["converged"] == 1  # as float64 values let SciPy see
    assert found["not_finite"] == 0


def test_curves_are_straight_lines(plain):
    found, arrays = plain
    x, y = arrays["curve/distortion"], arrays["curve/distance"]
    np.testing.assert_allclose(y, 1 - x, atol=1e-3)
    # From X = 1/5, Z = 4/5 to X = 4/5, Z = 1/5, and on at that height.
    expected = 0.6 * 0.5 + 0.2 * 0.2
    np.testing.assert_allclose(arrays["curve/auddc"], expected, atol=1e-3)
    assert found["auddc"] == pytest.approx(expected, abs=1e-3)
    # A step of 8 bits is 1/255 of a pixel.
    assert found["rounded_auddc"] == pytest.approx(expected, abs=5e-3)
    assert not np.array_equal(arrays["curve/rounded_distance"], y)
    assert found["without_curve"] == 0


def test_distances_of_a_network_without_error(plain, pixels):
    _, arrays = plain
    _, t = _pairs(arrays, pixels)
    np.testing.assert_allclose(arrays["original/to_original"], 0, atol=1e-5)
    np.testing.assert_allclose(arrays["target/to_target"], 0, atol=1e-5)
    np.testing.assert_allclose(arrays["adversarial/to_itself"], 0, atol=1e-5)
    away = np.sqrt(np.sum((arrays["adversarial/images"] - t[:, None]) ** 2, (2, 3, 4)))
    np.testing.assert_allclose(arrays["adversarial/to_target"], away, rtol=1e-4)


def test_a_deterministic_autoencoder_is_attacked_by_its_latent(attack, plain):
    _, arrays = attack(distance=None)
    images = plain[1]["adversarial/images"]
    np.testing.assert_array_equal(arrays["adversarial/images"], images)


def test_posteriors_are_compared_and_reconstructions_drawn(attack, pixels):
    # Of equal variances KL is |m_a - m_t|^2 / (2 v): C of the other test times 50.
    scale = math.log2(0.5 / VARIANCE)
    found, arrays = attack(
        _identity(VARIANCE),
        distance="kl",
        least_log2_penalty=scale - 2,
        greatest_log2_penalty=scale + 2,
        reconstructions=50,
    )
    x, t = _pairs(arrays, pixels)
    weights = arrays["penalty"].reshape(-1, 1, 1, 1) * 2 * VARIANCE
    minima = (t[:, np.newaxis] + weights * x[:, np.newaxis]) / (1 + weights)
    np.testing.assert_allclose(arrays["adversarial/images"], minima, atol=1e-3)
    # The squared distance gets the variance of each pixel.
    away = np.sum((minima - t[:, np.newaxis]) ** 2, axis=(2, 3, 4))
    expected = np.sqrt(away + PIXELS * VARIANCE)
    # 50 draws of a norm, whose standard deviation is near 0.1.
    np.testing.assert_allclose(arrays["adversarial/to_target"], expected, rtol=0.05)
    noise = np.sqrt(PIXELS * VARIANCE)
    np.testing.assert_allclose(arrays["target/to_target"], noise, rtol=0.05)
    deviation = arrays["adversarial/to_target_deviation"]
    assert np.all((deviation > 0.03) & (deviation < 0.2))
    assert found["auddc"] == pytest.approx(0.3, abs=0.2)


def test_float32_is_coarser_and_iterations_can_be_limited(attack, plain, pixels):
    found, arrays = attack(attack_dtype="float32")
    images = plain[1]["adversarial/images"]
    np.testing.assert_allclose(arrays["adversarial/images"], images, atol=2e-3)
    assert found["converged"] + found["abnormal"] == pytest.approx(1)
    limited, arrays = attack(attack_iterations=1)
    assert set(arrays["adversarial/iterations"].ravel()) == {1}
    assert limited["converged"] < 1


def test_adam_finds_the_minima_of_lbfgsb(attack, plain):
    found, arrays = attack(solver="adam", adam_steps=800, adam_rate=0.005)
    images = plain[1]["adversarial/images"]
    # Near a minimum Adam goes back and forth by less than its rate.
    np.testing.assert_allclose(arrays["adversarial/images"], images, atol=2e-3)
    assert set(arrays["adversarial/iterations"].ravel()) == {800}
    assert (found["converged"], found["not_finite"]) == (0, 0)


def test_linf_attack_goes_to_the_nearest_point_of_its_cube(attack, pixels):
    _, arrays = attack(linf_epsilon=("0", "0.1", "1"))
    x, t = _pairs(arrays, pixels)
    assert arrays["linf_epsilon"].tolist() == [0, pytest.approx(0.1), 1]
    for column, radius in enumerate((0, 0.1, 1)):
        nearest = x + np.clip(t - x, -radius, radius)
        found = arrays["linf/images"][:, column]
        # 200 signed steps of 2.5 / 200 radii: the last ones go back and forth.
        np.testing.assert_allclose(found, nearest, atol=0.0126 * radius + 1e-6)
        away = np.sqrt(np.sum((found - t) ** 2, axis=(1, 2, 3)))
        between = np.sqrt(np.sum((x - t) ** 2, axis=(1, 2, 3)))
        np.testing.assert_allclose(
            arrays["curve/linf_distance"][:, column], away / between, rtol=1e-4
        )


def test_reconstructions_beyond_black_and_white_are_drawn(attack, tmp_path):
    network = _identity()
    brighter = keras.layers.Rescaling(3.0, -1.0)(network.decoder.output)
    decoder = keras.Model(network.decoder.input, brighter)
    beyond = dataclasses.replace(network, decoder=decoder)
    attack(beyond, tmp_path, examples=2, penalties=1)
    assert (tmp_path / "out" / "adversarial.png").exists()


def _one_step_behind(variance):
    """An identity whose second half gets the noise of the first half as well.

    Half of the pixels of a reconstruction have twice the variance.
    """
    network = _identity(variance)
    image, noise = (
        keras.Input(SHAPE, name="image"),
        keras.Input((PIXELS,), name="noise"),
    )
    halves = keras.layers.Reshape((2, PIXELS // 2))(noise)
    first = keras.layers.Cropping1D((0, 1))(halves)
    before = keras.layers.Flatten()(keras.layers.ZeroPadding1D((1, 0))(first))
    sampled = keras.Model(
        {"image": image, "noise": noise},
        {
            "mean": network.encoder(image) + math.sqrt(variance) * before,
            "log_variance": network.log_variance(image),
        },
    )
    return dataclasses.replace(network, sampled_posterior=sampled)


@pytest.mark.parametrize("distance", ["kl", "output"])
def test_noise_of_earlier_steps_is_measured_and_attacked(attack, pixels, distance):
    _, arrays = attack(
        _one_step_behind(VARIANCE),
        distance=distance,
        reconstructions=60,
        fixed_draws=16,
        penalties=2,
    )
    noise = math.sqrt(PIXELS * VARIANCE * 1.5)  # of one half once, of the other twice
    # 60 draws of a norm, whose standard deviation is near 0.1.
    np.testing.assert_allclose(arrays["target/to_target"], noise, rtol=0.05)
    if distance == "output":
        x, t = _pairs(arrays, pixels)
        weights = arrays["penalty"].reshape(-1, 1, 1, 1)
        minima = (t[:, np.newaxis] + weights * x[:, np.newaxis]) / (1 + weights)
        # Means of 16 draws of each pixel, of a deviation of up to 0.141, of which
        # the minimum takes up to 1 / (1 + C) = 0.8.
        images = arrays["adversarial/images"]
        np.testing.assert_allclose(images, minima, atol=0.8 * 5 * 0.141 / 4)


@pytest.mark.parametrize("variance", [None, VARIANCE])
def test_output_attack_of_an_identity_has_the_same_minima(attack, pixels, variance):
    _, arrays = attack(_identity(variance), distance="output", fixed_draws=400)
    x, t = _pairs(arrays, pixels)
    weights = arrays["penalty"].reshape(-1, 1, 1, 1)
    minima = (t[:, np.newaxis] + weights * x[:, np.newaxis]) / (1 + weights)
    # The mean of 400 draws of each pixel is within 4 * 0.1 / 20 of 0.
    error = 1e-4 if variance is None else 0.03
    np.testing.assert_allclose(arrays["adversarial/images"], minima, atol=error)


def test_untargeted_attack_goes_to_the_box_where_the_penalty_is_small(attack, pixels):
    found, arrays = attack(targeted=False)
    x, _ = _pairs(arrays, pixels)
    images = arrays["adversarial/images"]
    small, large = arrays["penalty"] < 1, arrays["penalty"] > 1
    assert np.all(np.isin(images[:, small], (0, 1)))
    np.testing.assert_allclose(images[:, large], x[:, None].repeat(2, 1), atol=0.011)
    assert found["damage"] is None  # it has no error without a change
    assert "auddc" not in found


def test_a_second_start_continues(attack, tmp_path, monkeypatch):
    reference, expected = attack()
    whole = penalties._attacked

    def interrupted(attacked, pairs, first):
        if first:
            raise KeyboardInterrupt
        return whole(attacked, pairs, first)

    monkeypatch.setattr(penalties, "_attacked", interrupted)
    with pytest.raises(KeyboardInterrupt):
        attack(folder=tmp_path)
    monkeypatch.setattr(penalties, "_attacked", whole)
    found, arrays = attack(folder=tmp_path)
    assert found == reference
    for name, values in expected.items():
        np.testing.assert_array_equal(arrays[name], values, err_msg=name)
    assert not (tmp_path / "out" / "arrays").exists()
    assert (tmp_path / "out" / "adversarial.png").exists()


def test_one_label_makes_no_pairs(attack, write_images):
    only = write_images(test_labels=np.zeros(40, int))
    with pytest.raises(ValueError, match=r"at least two classes.* Received: 40 images"):
        attack(dataset=str(only))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"distance": "kl"}, "--distance=kl compares posteriors"),
        ({"least_log2_penalty": 3.0}, "--least_log2_penalty=3 must not be above"),
        ({"penalties": 0}, "--penalties"),
        ({"linf_epsilon": ("0.2", "0.1")}, r"--linf_epsilon=0\.2,0\.1 must be finite"),
        ({"adam_steps": 5}, "--adam_steps=5 belongs to --solver=adam"),
        ({"solver": "adam", "attack_iterations": 5}, "belongs to --solver=lbfgsb"),
        ({"bisections": 3}, "--bisections=3 is for classifiers"),
        ({"batch_size": 7}, "--batch_size=7 belongs to --attack=pgd"),
        ({"scales": ("2",)}, "--scales=2 belongs to"),
        ({"attack": "pgd", "epsilon": ("1",)}, "belongs to --attack=lbfgsb"),
    ],
)
def test_what_does_not_fit_is_refused(attack, given, message):
    with pytest.raises(ValueError, match=message):
        attack(**given)
