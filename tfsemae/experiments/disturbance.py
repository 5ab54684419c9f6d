"""Whether printed numbers can belong together: PSNR and SSIM of one disturbance."""

import numpy as np
from scipy import optimize

from tfsemae import metrics

_SCALES = (1e-3, 1e2)  # of a change


def psnr_at_ssim(original: np.ndarray, changed: np.ndarray, ssim: float) -> float:
    """The mean PSNR of a change that is scaled until its mean SSIM is given.

    Args:
        original: float `[N, H, W, C]` in [0, 1].
        changed: of the same shape, of lower SSIM than 1.
        ssim: in (0, 1).

    Returns:
        dB.
    """

    def scaled(scale: float) -> np.ndarray:
        return original + np.float32(scale) * (changed - original)

    def excess(scale: float) -> float:
        return float(np.mean(metrics.ssim(original, scaled(scale)))) - ssim

    scale = optimize.brentq(excess, *_SCALES, xtol=1e-6)
    return float(np.mean(metrics.psnr(original, scaled(scale))))
