"""What a run exports works where tfsemae is not installed."""

import numpy as np
import pytest

from tfsemae import data, models

#: Runs isolated from the checkout, and from an installed tfsemae.
SCRIPT = """
import sys
sys.modules["tfsemae"] = None
try:
    import tfsemae
except ImportError:
    pass
else:
    raise AssertionError("tfsemae can be imported")
import numpy as np
import tensorflow as tf
folder, images, output = sys.argv[1:]
loaded = tf.saved_model.load(folder)
found = {"endpoints": sorted(loaded.signatures)}
for count in (1, 7):
    pixels = tf.constant(np.load(images)[:count])
    for again in ("", "_again"):
        latent = loaded.encode(pixels)
        found[f"encode_{count}{again}"] = latent
        found[f"decode_{count}{again}"] = loaded.decode(latent)
        found[f"reconstruct_{count}{again}"] = loaded.reconstruct(pixels)
        found[f"classify_{count}{again}"] = loaded.classify(pixels)
        (served,) = loaded.signatures["serving_default"](pixels).values()
        found[f"serving_default_{count}{again}"] = served
np.savez(output, **found)
"""

ENDPOINTS = ("encode", "decode", "reconstruct", "classify", "serving_default")


@pytest.fixture(scope="module")
def pixels():
    images = data.load("digits", "test")
    return next(iter(data.batches(images, 7, shuffle=False)))[0].numpy()


@pytest.fixture(scope="module")
def found(digits_run, pixels, run_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    np.save(folder / "images.npy", pixels)
    places = digits_run / "saved_model", folder / "images.npy", folder / "found.npz"
    ended = run_python("-I", "-c", SCRIPT, *places, cwd=folder)
    assert ended.status == 0, ended.messages
    with np.load(folder / "found.npz") as file:
        return dict(file)


def test_endpoints(found):
    assert list(found["endpoints"]) == sorted(ENDPOINTS)


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_repeated_calls_are_equal_bit_for_bit(found, endpoint, count):
    name = f"{endpoint}_{count}"
    np.testing.assert_array_equal(found[name], found[f"{name}_again"], strict=True)


@pytest.mark.parametrize("count", [1, 7])
def test_they_equal_the_keras_networks(found, digits_run, pixels, count):
    network = models.Autoencoder.load(digits_run)
    latent = network.encoder(pixels[:count])
    decoded, logits = network.decoder(latent), network.classifier(latent)
    expected = dict(
        zip(ENDPOINTS, [latent, decoded, decoded, logits, decoded], strict=True)
    )
    for endpoint, value in expected.items():
        # A graph in another process may order float32 sums differently.
        np.testing.assert_allclose(
            found[f"{endpoint}_{count}"], value, rtol=1e-5, atol=1e-6
        )


def test_serving_default_reconstructs(found):
    np.testing.assert_array_equal(found["serving_default_7"], found["reconstruct_7"])
