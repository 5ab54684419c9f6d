"""LPIPS of evaluations: which networks and sizes, and the diversity of images."""

import numpy as np
import pytest

from tfsemae import metrics
from tfsemae.evaluation import perceptual


def test_without_weights_there_are_no_distances():
    assert perceptual.distances(None, (28, 28, 1)) == {}
    assert perceptual.digest(None) == "none"


@pytest.mark.parametrize(("side", "resize"), [(28, 64), (64, None), (80, None)])
def test_only_alexnet_and_only_small_images_are_resized(lpips_weights, side, resize):
    found = perceptual.distances(str(lpips_weights), (side, side, 1))
    assert {name: (each.net, each.resize) for name, each in found.items()} == {
        "lpips_squeeze": ("squeeze", None),
        "lpips_alex": ("alex", resize),
    }
    assert len(perceptual.digest(str(lpips_weights))) == 64
    one = perceptual.distances(str(lpips_weights), (side, side, 1), ("squeeze",))
    assert list(one) == ["lpips_squeeze"]


def test_images_that_are_too_small_and_missing_weights_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"at least 17 x 17 pixels.*\(8, 8, 1\)"):
        perceptual.distances(str(tmp_path), (8, 8, 1))
    for call in (perceptual.digest, lambda at: perceptual.distances(at, (28, 28, 1))):
        with pytest.raises(ValueError, match=r"weights of LPIPS .* cannot be read"):
            call(str(tmp_path))


@pytest.mark.parametrize("batch", [2, 3, 100])
def test_diversity_is_the_mean_over_a_circle_of_pairs(monkeypatch, batch):
    def difference(a, b):
        return np.mean(np.abs(a - b), axis=(1, 2, 3))

    monkeypatch.setattr(perceptual, "_BATCH", batch)
    levels = np.float32([0, 1, 3, 2, 7])
    images = np.broadcast_to(levels[:, None, None, None], (5, 2, 2, 1))
    found = perceptual.diversity({"lpips_squeeze": difference}, images)
    assert found == pytest.approx((1 + 2 + 1 + 5 + 7) / 5)


def test_diversity_of_equal_images_is_zero(lpips_weights):
    lpips = perceptual.distances(str(lpips_weights), (20, 20, 1))
    assert isinstance(lpips["lpips_squeeze"], metrics.LPIPSDistance)
    images = np.full((3, 20, 20, 1), 0.3, np.float32)
    assert perceptual.diversity(lpips, images) == 0
    assert perceptual.diversity(lpips, images * [[[[0]]], [[[1]]], [[[2]]]]) > 0
