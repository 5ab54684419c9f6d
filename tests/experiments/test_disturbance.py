import numpy as np
import pytest

from tfsemae import metrics
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
