"""FID in features that are known, and its weights as a flag."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data, evaluation, metrics, settings
from tfsemae.evaluation import fid
from tfsemae.models.autoencoder import Autoencoder

SHAPE = (12, 12, 1)


def _autoencoder(bright=1.0):
    """Its latent is the mean of each half; images are these, times `bright`."""
    image = keras.Input(SHAPE)
    halves = keras.layers.AveragePooling2D((6, 12))(image)
    mean = keras.layers.Flatten()(halves)
    latent = keras.Input((2,))
    pixels = keras.layers.Reshape((2, 1, 1))(latent)
    pixels = keras.layers.UpSampling2D((6, 12))(pixels)
    decoder = keras.Model(latent, keras.layers.Rescaling(bright)(pixels))
    return Autoencoder(keras.Model(image, mean), decoder)


def _images(count, channels=1):
    shape = (count, *SHAPE[:2], channels)
    pixels = np.random.default_rng(0).random(shape, np.float32)
    return data.Images(pixels, None, ())


def halves(images):
    """Means of the upper and the lower half."""
    assert images.shape[0] <= 50
    return tf.reshape(tf.reduce_mean(tf.reshape(images, [-1, 2, 72]), axis=2), [-1, 2])


def test_a_darker_reconstruction_has_the_distance_of_its_moments():
    images = _images(120)
    found = fid.measure(_autoencoder(0.5), halves, images, seed=0, prior=False)
    codes = np.float64(images.images.reshape(-1, 2, 72).mean(axis=2))
    # Half of it: means m/2, covariances C/4, which commute with m and C.
    expected = np.sum((codes.mean(axis=0) / 2) ** 2) + np.trace(np.cov(codes.T)) / 4
    assert found == {"reconstruction_fid": pytest.approx(expected, rel=1e-4)}


def test_samples_are_those_of_the_prior_within_the_range_of_pixels():
    images = _images(2000)
    found = fid.measure(_autoencoder(), halves, images, seed=0, prior=True)
    assert found["reconstruction_fid"] == pytest.approx(0, abs=1e-9)
    # A standard normal, clipped to [0, 1]: its mean and variance by integration.
    z = np.linspace(-8, 8, 400_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    mean = np.sum(z.clip(0, 1) * density)
    variance = np.sum((z.clip(0, 1) - mean) ** 2 * density)
    codes = np.float64(images.images.reshape(-1, 2, 72).mean(axis=2))
    expected = metrics.frechet_distance(
        codes.mean(axis=0), np.cov(codes.T), [mean, mean], variance * np.eye(2)
    )
    # Of 2,000 samples: a mean of 0.32 +- 0.01, which is subtracted from 0.5.
    assert found["sample_fid"] == pytest.approx(expected, rel=0.1)


def test_an_evaluation_has_them_beside_the_rest(tmp_path):
    images = _images(60)
    found = {
        prior: evaluation.evaluate(
            _autoencoder(0.5),
            images,
            images,
            output_dir=tmp_path / str(prior),
            seed=0,
            inception=halves,
            prior=prior,
        )
        for prior in (True, False)
    }
    expected = fid.measure(_autoencoder(0.5), halves, images, seed=0, prior=True)
    assert expected.items() <= found[True].items()
    assert found[False]["reconstruction_fid"] == expected["reconstruction_fid"]
    assert "sample_fid" not in found[False]
    assert found[True]["psnr"] == found[False]["psnr"]


def test_a_single_image_is_refused():
    with pytest.raises(ValueError, match=r"takes at least 2 images.*Received: 1"):
        fid.check(_images(1))


def test_a_run_begun_with_weights_does_not_end_without(
    images_file, tmp_path, monkeypatch
):
    class Stopped(Exception):
        pass

    def stopped(*_, **__):
        raise Stopped

    weights = tmp_path / "weights.npz"
    weights.write_bytes(b"any")
    _autoencoder().save(tmp_path / "model")
    flags = f"--dataset={images_file}\n"
    (tmp_path / "model/flags.txt").write_text(flags, "utf-8")
    values = {"model_dir": tmp_path / "model", "output_dir": tmp_path / "out"}
    values = {name: str(value) for name, value in values.items()}
    monkeypatch.setattr(fid, "inception", lambda path: halves)
    monkeypatch.setattr(fid, "measure", stopped)
    given = settings.make(
        evaluation.Settings, values | {"inception_weights": str(weights)}
    )
    with pytest.raises(Stopped):
        evaluation.evaluate_run(given)
    with pytest.raises(ValueError, match=r"began with other data.*\(inception\)"):
        evaluation.evaluate_run(settings.make(evaluation.Settings, values))
    monkeypatch.setattr(fid, "measure", lambda *_, **__: {"reconstruction_fid": 1.0})
    found = evaluation.evaluate_run(given)
    assert found["reconstruction_fid"] == 1.0
    assert found["fid_features"]["samples"] == found["examples"] == 40
    assert len(found["fid_features"]["weights"]) == 64
    weights.write_bytes(b"other")
    with pytest.raises(ValueError, match=r"began with other data.*\(inception\)"):
        evaluation.evaluate_run(given)


def test_images_of_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"3 channels, or 1\..*: 2 channels"):
        fid.check(_images(3, channels=2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "There is no such file"),
        (b"text", "no .npz archive, whatever its name says"),
    ],
)
def test_weights_that_cannot_be_used_are_named(content, message, images_file, tmp_path):
    weights = tmp_path / "weights.npz"
    if content:
        weights.write_bytes(content)
    _autoencoder().save(tmp_path / "model")
    flags = f"--dataset={images_file}\n"
    (tmp_path / "model/flags.txt").write_text(flags, "utf-8")
    values = {"model_dir": tmp_path / "model", "inception_weights": weights}
    values = {name: str(value) for name, value in values.items()}
    made = settings.make(evaluation.Settings, values)
    with pytest.raises(ValueError, match=f"^--inception_weights=.*{message}"):
        evaluation.evaluate_run(made)
