"""Posterior and prior of a network whose distributions are known."""

import dataclasses
import math

import keras
import numpy as np
import pytest

from tfsemae import data, evaluation
from tfsemae.evaluation import checks, generation, loading
from tfsemae.models.autoencoder import Autoencoder

SHAPE, VARIANCE = (12, 12, 1), 0.25
PIXELS = math.prod(SHAPE)


def _network():
    """Two latents: 10 times the mean pixel, and 0. Each image has one brightness."""
    image = keras.Input(SHAPE)
    mean = keras.layers.GlobalAveragePooling2D()(image)
    scaled = keras.layers.Rescaling(10.0)(mean)
    nothing = keras.layers.Rescaling(0.0)(mean)
    both = keras.layers.Concatenate()([scaled, nothing])
    spread = keras.layers.Rescaling(0.0, math.log(VARIANCE))(both)
    latent = keras.Input((2,))
    first = keras.layers.Dense(1, use_bias=False, name="first")(latent)
    pixels = keras.layers.RepeatVector(PIXELS)(first)
    bright = keras.layers.Activation("sigmoid")(pixels)
    decoder = keras.Model(latent, keras.layers.Reshape(SHAPE)(bright))
    decoder.get_layer("first").set_weights([np.array([[1.0], [0.0]])])
    return Autoencoder(
        keras.Model(image, both), decoder, log_variance=keras.Model(image, spread)
    )


def _images(count=41):
    levels = np.linspace(0, 1, count, dtype=np.float32)
    pixels = np.broadcast_to(levels[:, None, None, None], (count, *SHAPE))
    return data.Images(np.array(pixels), None, ())


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generation")
    return folder, _measure(_images(), folder)


def _measure(images, folder, seed=0, **options):
    network = _network()
    latents = network.encoder(data.pixels(images, len(images))).numpy()
    return generation.measure(
        network, images, latents, folder=folder, seed=seed, **options
    )


def test_divergence_is_that_of_gaussians(tmp_path):
    found = evaluation.evaluate(
        _network(), _images(), _images(), output_dir=tmp_path, seed=0
    )
    means = 10 * np.linspace(0, 1, 41)
    each = 0.5 * (means**2 + 2 * (VARIANCE - math.log(VARIANCE) - 1))
    assert found["kl"] == pytest.approx(each.mean(), rel=1e-5)
    # The second entry is the same Gaussian for all images: q(z) is a product.
    assert found["total_correlation"] == pytest.approx(0, abs=1e-5)
    assert found["gaussian_total_correlation"] == pytest.approx(0, abs=1e-6)
    assert found["posterior_deviation"] == pytest.approx(math.sqrt(VARIANCE), rel=1e-5)
    share = 2 * VARIANCE / (2 * VARIANCE + np.var(means))
    assert found["posterior_share"] == pytest.approx(share, rel=1e-5)
    with np.load(tmp_path / "measurements.npz") as arrays:
        np.testing.assert_allclose(arrays["clean/kl"], each, rtol=1e-4)


def test_a_deterministic_network_with_a_prior_is_sampled_as_its_twin_is(
    measured, tmp_path
):
    network = _network()
    twin = Autoencoder(network.encoder, network.decoder)
    options = {"output_dir": tmp_path, "seed": 0}
    found = evaluation.evaluate(twin, _images(), _images(), prior=True, **options)
    assert measured[1].items() <= found.items()
    assert "kl" not in found
    assert (tmp_path / "samples.png").exists()
    plain = evaluation.evaluate(twin, _images(), _images(), **options)
    assert not {*measured[1]} & {*plain}
    with pytest.raises(ValueError, match="was trained without one"):
        evaluation.evaluate(twin, _images(), _images(), weights_dir="w", **options)


def test_samples_are_compared_by_lpips_too(tmp_path):
    def difference(a, b):
        return np.mean(np.abs(a - b), axis=(1, 2, 3))

    found = _measure(_images(), tmp_path, lpips={"lpips_squeeze": difference})
    # 40 steps of 1/40, and from the last to the first.
    assert found["image_diversity_lpips"] == pytest.approx(2 / 41, rel=1e-5)
    assert 0 < found["sample_diversity_lpips"] < 1
    plain = _measure(_images(), tmp_path)
    assert not any("lpips" in name for name in plain)


@pytest.mark.parametrize(
    ("flags", "prior"),
    [("--dataset=digits\n--regularizer=mmd\n", True), ("--dataset=digits\n", False)],
)
def test_a_regularizer_of_training_tells_of_a_prior(tmp_path, flags, prior):
    assert not loading.has_prior(tmp_path)  # networks that were trained elsewhere
    (tmp_path / "flags.txt").write_text(flags, "utf-8")
    assert loading.has_prior(tmp_path) == prior


def test_a_constant_entry_is_not_active(measured):
    assert measured[1]["active_dimensions"] == 1


def test_diversity_of_samples_and_images(measured):
    levels = np.linspace(0, 1, 41)
    gaps = np.abs(levels[:, None] - levels)
    expected = math.sqrt(PIXELS) * gaps.sum() / (41 * 40)
    assert measured[1]["image_diversity"] == pytest.approx(expected, rel=1e-5)
    # Brightness sigmoid(z): mean distance of two, by its integral.
    z = np.linspace(-6, 6, 601)
    weights = np.exp(-(z**2) / 2)
    weights /= weights.sum()
    bright = 1 / (1 + np.exp(-z))
    integral = weights @ np.abs(bright[:, None] - bright) @ weights
    # 500 samples: a standard error of some 2 %.
    found = measured[1]["sample_diversity"] / math.sqrt(PIXELS)
    assert found == pytest.approx(integral, rel=0.08)


def test_total_correlation_is_that_of_correlated_gaussians():
    # q(z) is a Gaussian: means of variance 1 and correlation 0.9, plus posteriors of
    # variance 0.25, hence of correlation 0.9 / 1.25.
    rng, correlation = np.random.default_rng(0), 0.9
    first, other = rng.standard_normal((2, 2000))
    second = correlation * first + math.sqrt(1 - correlation**2) * other
    means = np.stack([first, second], axis=1).astype(np.float32)
    log_variances = np.full_like(means, math.log(VARIANCE))
    measures = generation.posterior_measures(means, log_variances, seed=0)
    found = measures["total_correlation"]
    expected = -0.5 * math.log(1 - (correlation / (1 + VARIANCE)) ** 2)
    # 2,000 codes: the standard error of their mean is 0.016.
    assert found == pytest.approx(expected, abs=0.05)
    # The correlation of 2,000 means is within 0.01.
    gaussian = measures["gaussian_total_correlation"]
    assert gaussian == pytest.approx(expected, abs=0.03)


def test_mutual_information_is_bounded_and_counted_as_total_correlation():
    # 10 independent entries, of which each has ln(1 + 100) / 2 nats of information.
    means = np.random.default_rng(0).standard_normal((4000, 10)).astype(np.float32)
    log_variances = np.full_like(means, math.log(0.01))
    found = generation.posterior_measures(means, log_variances, seed=0)
    assert found["mutual_information"] == pytest.approx(math.log(2000), abs=0.05)
    information = 5 * math.log(101)
    assert found["total_correlation"] == pytest.approx(
        information - math.log(2000), rel=0.05
    )
    # Of 45 correlations of standard error 1/sqrt(4000) each: 45 / 8000.
    assert found["gaussian_total_correlation"] == pytest.approx(0.0056, abs=0.004)


def test_pictures_are_drawn_also_of_few_images(measured, tmp_path):
    names = {"samples.png", "interpolations.png"}
    assert {path.name for path in measured[0].iterdir()} == names
    _measure(_images(3), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names


def test_samples_beyond_black_and_white_are_drawn(tmp_path):
    network = _network()
    brighter = keras.layers.Rescaling(3.0, -1.0)(network.decoder.output)
    decoder = keras.Model(network.decoder.input, brighter)
    beyond = dataclasses.replace(network, decoder=decoder)
    images, path = _images(3), tmp_path / "samples.png"
    generation._draw(beyond, images, beyond.decoder(np.ones((40, 2))).numpy(), tmp_path)
    assert path.exists()


def test_equal_seeds_give_equal_samples(measured, tmp_path):
    again, other = (_measure(_images(), tmp_path, seed) for seed in (0, 1))
    assert again == measured[1]
    assert other["sample_diversity"] != again["sample_diversity"]


def test_one_image_is_too_few():
    with pytest.raises(ValueError, match=r"at least 2 images. Received: 1"):
        checks.check(_network(), _images(1), _images(1))
