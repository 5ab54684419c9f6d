"""Whether printed numbers can belong together: PSNR and SSIM of one disturbance."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage, optimize

from tfsemae import attacks, metrics

_SCALES = (1e-3, 1e2)  # of a change
_WINDOW = 7  # pixels, of the local variance
_LEAST_VARIANCE = 1e-4  # of pixels in [0, 1]
_STEPS = 50  # of the descent to a low SSIM


def psnr_at_ssim(original: np.ndarray, changed: np.ndarray, ssim: float) -> float:
    """The mean PSNR of a change that is scaled until its mean SSIM is given.

    Args:
        original: float `[N, H, W, C]` in [0, 1].
        changed: of the same shape, of lower SSIM than 1.
        ssim: in (0, 1).

    Returns:
        dB.
    """
    change = changed - original

    def excess(scale: float) -> float:
        return _quality(original, change, scale)[1] - ssim

    scale = optimize.brentq(excess, *_SCALES, xtol=1e-6)
    return _quality(original, change, scale)[0]


def scaled_to_psnr(original: np.ndarray, change: np.ndarray, psnr: float) -> np.ndarray:
    """A change with one factor for all images, so that its mean PSNR is given.

    Args:
        original: float `[N, H, W, C]` in [0, 1].
        change: of the same shape.
        psnr: dB, below the 48.13 of one grey level.

    Returns:
        Of the shape of `change`.
    """
    found, _ = _quality(original, change, 1.0)
    return change * np.float32(10 ** ((found - psnr) / 20))


def quality_by_scale(
    original: np.ndarray, change: np.ndarray, scales: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean PSNR (dB) and mean SSIM of images under a scaled change.

    Args:
        original: float `[N, H, W, C]` in [0, 1].
        change: of the same shape.
        scales: `[S]`, factors of the change.

    Returns:
        PSNR `[S]` and SSIM `[S]`.
    """
    psnr, ssim = zip(*(_quality(original, change, s) for s in scales), strict=True)
    return np.array(psnr), np.array(ssim)


def white(original: np.ndarray, change: np.ndarray, *, seed: int) -> np.ndarray:
    """White noise with the norm of a change, image by image; shapes as above."""
    noise = np.random.default_rng(seed).standard_normal(original.shape, np.float32)
    return _with_norm_of(change, noise)


def flat_concentrated(
    original: np.ndarray, change: np.ndarray, *, seed: int
) -> np.ndarray:
    """White noise where an image is flat, with the norm of a change, image by image.

    SSIM is lowest there: noise is divided by the local variance of the image.
    """
    noise = np.random.default_rng(seed).standard_normal(original.shape, np.float32)
    size = (1, _WINDOW, _WINDOW, 1)
    mean = ndimage.uniform_filter(original, size)
    variance = ndimage.uniform_filter(original**2, size) - mean**2
    return _with_norm_of(change, noise / np.maximum(variance, _LEAST_VARIANCE))


def of_low_ssim(original: np.ndarray, change: np.ndarray, *, seed: int) -> np.ndarray:
    """A change found by gradient descent on SSIM, with the norm of another one.

    Image by image, shapes as above. A longer search may find a lower SSIM.
    """
    attack = attacks.PGD(
        lambda images, original: metrics.ssim(original, images),
        epsilon=np.sqrt(np.sum(change**2, axis=(1, 2, 3))),
        steps=_STEPS,
        targeted=True,
        random_start=True,  # at the image itself the gradient of SSIM vanishes
        seed=(seed, 0),
    )
    return _with_norm_of(
        change, attack(original, original).adversarial.numpy() - original
    )


def _with_norm_of(change: np.ndarray, noise: np.ndarray) -> np.ndarray:
    axes = (1, 2, 3)
    sizes = np.sqrt(np.sum(change**2, axes, keepdims=True))
    return noise * (sizes / np.sqrt(np.sum(noise**2, axes, keepdims=True)))


def _quality(
    original: np.ndarray, change: np.ndarray, scale: float
) -> tuple[float, float]:
    images = original + np.float32(scale) * change
    psnr, ssim = metrics.psnr(original, images), metrics.ssim(original, images)
    return float(np.mean(psnr)), float(np.mean(ssim))
