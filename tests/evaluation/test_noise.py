"""Gaussian noise as an attack: of its norm, and other noise than the control's."""

import math

import keras
import numpy as np
import pytest

from tfsemae import evaluation, settings
from tfsemae.models.autoencoder import Autoencoder

SHAPE = (12, 12, 1)


@pytest.fixture
def victim(tmp_path):
    """The identity, whose latent is the image."""
    image, latent = keras.Input(SHAPE), keras.Input((math.prod(SHAPE),))
    Autoencoder(
        keras.Model(image, keras.layers.Flatten()(image)),
        keras.Model(latent, keras.layers.Reshape(SHAPE)(latent)),
    ).save(tmp_path / "victim")
    return tmp_path / "victim"


def _attack(victim, folder, file, **changes):
    given = {
        "attack": "noise",
        "model_dir": str(victim),
        "output_dir": str(folder),
        "dataset": str(file),
    }
    return evaluation.attack_run(
        settings.make(evaluation.AttackSettings, given | changes)
    )


def test_noise_is_of_the_norm_and_not_that_of_the_control(
    victim, tmp_path, write_images
):
    file = write_images(labels=None, test_labels=None)
    found = _attack(victim, tmp_path / "out", file, noise_norm=0.5)
    with np.load(tmp_path / "out" / "measurements.npz") as measured:
        clean, adversarial, noise = (
            measured[f"{name}/latent"] for name in ("clean", "adversarial", "noise")
        )
        disturbance = measured["adversarial/disturbance"]
    np.testing.assert_allclose(disturbance, 0.5, rtol=1e-5)  # float32
    for latents in (adversarial, noise):
        norms = np.linalg.norm(latents - clean, axis=1)
        np.testing.assert_allclose(norms, 0.5, rtol=1e-5)
    # 40 cosines of independent directions: normal, of deviation 1/12 each.
    cosines = np.sum((adversarial - clean) * (noise - clean), axis=1) / 0.25
    assert abs(cosines.mean()) < 4 / 12 / math.sqrt(40)
    assert np.abs(cosines).max() < 5 / 12
    # A squared error of noise_norm**2 / 144 in every image.
    psnr = -10 * math.log10(0.25 / 144)
    assert found["adversarial"]["psnr"] == pytest.approx(psnr, rel=1e-5)
    assert set(found) == {"examples", "adversarial", "clipped"}


def test_no_noise_leaves_the_images(victim, tmp_path, write_images):
    file = write_images(labels=None, test_labels=None)
    _attack(victim, tmp_path / "out", file, noise_norm=0.0)
    with np.load(file) as given, np.load(tmp_path / "out" / "adversarial.npz") as made:
        expected = given["test_images"] / np.float32(255)
        np.testing.assert_array_equal(made["unclipped"], expected)
