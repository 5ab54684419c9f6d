import numpy as np
import pytest

from tfsemae.benchmarks import attack_workload

SHAPE, LATENT = (32, 32, 3), 6


@pytest.fixture(scope="module")
def arrays():
    return attack_workload.arrays(8, SHAPE, LATENT)


def test_first_points_lie_in_the_balls(arrays):
    distances = np.linalg.norm(arrays["initial"] - arrays["latents"], axis=1)
    assert np.all(distances <= arrays["epsilon"])
    assert np.all(distances > 0)


def test_pairs_are_images_that_differ(arrays):
    for name in ("images", "others"):
        assert arrays[name].shape == (8, *SHAPE)
        assert arrays[name].min() >= 0
        assert arrays[name].max() <= 1
    assert np.all(np.any(arrays["images"] != arrays["others"], axis=(1, 2, 3)))


def test_each_weight_of_the_decoder_matters(arrays):
    decoder = attack_workload.decoder(SHAPE, LATENT)
    images = decoder(arrays["latents"]).numpy()
    # Far from all grey, and neither black nor white throughout.
    assert images.std(axis=0).mean() > 0.1
    assert np.mean((images > 0.01) & (images < 0.99)) > 0.5
    for weight in decoder.weights:
        before = weight.numpy()
        weight.assign(before + 0.05)
        changed = np.abs(decoder(arrays["latents"]) - images).max()
        assert changed > 1e-4, weight.path
        weight.assign(before)
