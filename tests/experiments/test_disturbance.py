import numpy as np
import pytest

from tfsemae import metrics
from tfsemae.experiments import disturbance
from tfsemae.experiments.disturbance import psnr_at_ssim


@pytest.mark.parametrize("scale", [0.05, 0.5, 3.0])
def test_psnr_where_a_change_has_a_given_ssim(scale):
    random = np.random.default_rng(0)
    original = random.uniform(size=(4, 16, 16, 1)).astype(np.float32)
    change = random.normal(scale=0.05, size=original.shape).astype(np.float32)
    aim = original + np.float32(scale) * change
    ssim = float(np.mean(metrics.ssim(original, aim)))
    found = psnr_at_ssim(original, original + change, ssim)
    assert found == pytest.approx(float(np.mean(metrics.psnr(original, aim))), abs=0.05)


def _images():
    """The left half flat, the right half not."""
    random = np.random.default_rng(0)
    original = np.full((4, 24, 24, 1), 0.5, np.float32)
    original[:, :, 12:] = random.uniform(size=(4, 24, 12, 1))
    change = random.normal(scale=0.05, size=original.shape).astype(np.float32)
    return original, change


def test_psnr_falls_by_20_db_for_ten_times_the_change():
    psnr, ssim = disturbance.quality_by_scale(*_images(), [0.1, 1.0])
    assert psnr[0] - psnr[1] == pytest.approx(20, abs=1e-3)  # float32
    assert 1 > ssim[0] > ssim[1]


@pytest.mark.parametrize("psnr", [20.0, 39.93])
def test_a_change_is_scaled_to_a_psnr(psnr):
    original, change = _images()
    scaled = disturbance.scaled_to_psnr(original, change, psnr)
    found = np.mean(metrics.psnr(original, original + scaled))
    assert found == pytest.approx(psnr, abs=1e-3)  # float32
    ratios = scaled / change
    np.testing.assert_allclose(ratios, ratios.flat[0], rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [disturbance.white, disturbance.flat_concentrated, disturbance.of_low_ssim],
)
def test_noise_has_the_norm_of_the_change(make):
    original, change = _images()
    noise = make(original, change, seed=0)
    norms = [np.linalg.norm(each.reshape(4, -1), axis=1) for each in (noise, change)]
    np.testing.assert_allclose(*norms, rtol=1e-5)


def test_descent_on_ssim_costs_more_of_it_than_any_noise():
    original, change = _images()
    low, flat = (
        disturbance.quality_by_scale(original, make(original, change, seed=0), [1.0])[1]
        for make in (disturbance.of_low_ssim, disturbance.flat_concentrated)
    )
    assert low < 0.9 * flat


def test_noise_where_an_image_is_flat_costs_more_ssim():
    original, change = _images()
    flat = disturbance.flat_concentrated(original, change, seed=0)
    left, right = (np.mean(part**2) for part in np.split(flat, 2, axis=2))
    assert left > 10 * right
    white = disturbance.white(original, change, seed=0)
    (_, of_flat), (_, of_white) = (
        disturbance.quality_by_scale(original, each, [1.0]) for each in (flat, white)
    )
    assert of_flat[0] < of_white[0]
