"""Attacks over penalties on a linear classifier, of which the minima are known."""

import math

import keras
import numpy as np
import pytest
from scipy import optimize, special

from tfsemae import evaluation, settings
from tfsemae.models.classifier import Classifier

SHAPE = (12, 12, 1)
SLOPE = 8.0


def _classifier():
    """Logits: 0, and 8 times the mean pixel less 0.5; two classes by brightness."""
    image = keras.Input(SHAPE)
    mean = keras.layers.GlobalAveragePooling2D()(image)
    dense = keras.layers.Dense(2, name="logits")
    network = keras.Model(image, dense(mean))
    dense.set_weights([np.array([[0.0, SLOPE]]), np.array([0.0, -SLOPE / 2])])
    return Classifier.of(network, ("dark", "bright"))


@pytest.fixture(scope="module")
def images(write_images):
    """30 images of one brightness each; 6 have a wrong label."""
    levels = np.repeat(np.array([77, 90, 102, 153, 166, 178], np.uint8), 5)
    pixels = np.broadcast_to(levels[:, None, None, None], (30, *SHAPE)).copy()
    labels = (levels > 127).astype(int)
    labels[::5] = 1 - labels[::5]
    return write_images(
        images=pixels, labels=labels, test_images=pixels, test_labels=labels
    )


@pytest.fixture(scope="module")
def attack(tmp_path_factory, images):
    def run(**given):
        folder = tmp_path_factory.mktemp("attack")
        _classifier().save(folder / "victim")
        defaults = {
            "attack": "lbfgsb",
            "model_dir": str(folder / "victim"),
            "dataset": str(images),
            "examples": 12,
            "penalties": 9,
            "least_log2_penalty": -6.0,
            "greatest_log2_penalty": 2.0,
            "output_dir": str(folder / "out"),
        }
        chosen = settings.make(evaluation.AttackSettings, defaults | given)
        found = evaluation.attack_run(chosen)
        with np.load(folder / "out" / "measurements.npz") as arrays:
            return found, dict(arrays)

    return run


@pytest.fixture(scope="module")
def swept(attack):
    return attack(bisections=12)


def _minimum(level, target, penalty):
    """The mean pixel that the attack reaches from an image of one brightness."""
    sign = 1 if target else -1

    def slope(mean):
        odds = sign * SLOPE * (mean - 0.5)
        loss = -sign * SLOPE * special.expit(-odds)
        return loss + penalty * 2 * math.prod(SHAPE) * (mean - level)

    return optimize.brentq(slope, -1.0, 2.0)


def test_minima_are_those_of_one_number(swept, images):
    found, arrays = swept
    with np.load(images) as file:
        levels = file["test_images"][arrays["indices"], 0, 0, 0] / 255
        labels = file["test_labels"][arrays["indices"]]
    np.testing.assert_array_equal(arrays["labels"], labels)
    np.testing.assert_array_equal(arrays["targets"], 1 - labels)
    assert np.all(labels == (levels > 0.5))  # those it knows
    for row, (level, target) in enumerate(zip(levels, 1 - labels, strict=True)):
        expected = [_minimum(level, target, c) for c in arrays["penalty"]]
        means = arrays["adversarial/images"][row].mean(axis=(1, 2, 3))
        np.testing.assert_allclose(means, expected, atol=1e-4)
        odds = SLOPE * (means - 0.5) * (1 if target else -1)
        found_odds = arrays["adversarial/target_log_odds"][row]
        np.testing.assert_allclose(found_odds, odds, atol=1e-4)
        probability = arrays["adversarial/target_probability"][row]
        np.testing.assert_allclose(probability, special.expit(odds), rtol=1e-4)
        sums = probability + arrays["adversarial/label_probability"][row]
        np.testing.assert_allclose(sums, 1, rtol=1e-6)
    assert found["examples"] == 12


def test_crossing_and_bisection_find_the_distance_to_the_boundary(swept, images):
    found, arrays = swept
    with np.load(images) as file:
        levels = file["test_images"][arrays["indices"], 0, 0, 0] / 255
    # To a mean of 0.5, all pixels alike.
    nearest = math.sqrt(math.prod(SHAPE)) * np.abs(levels - 0.5)
    norms = arrays["bisection/distortion"]
    # The log penalty is known to 2**-12; the minimum is flat there.
    np.testing.assert_allclose(norms, nearest, rtol=0.02)
    assert np.all(norms > nearest * (1 - 1e-6))
    assert found["bisected_distortion"] == pytest.approx(norms.mean())
    assert found["reached"] == 1
    # The sweep brackets it.
    crossing = arrays["crossing"]
    np.testing.assert_allclose(crossing, nearest, rtol=0.5)
    assert found["crossing_distortion"] == pytest.approx(crossing.mean())


def test_a_class_that_is_not_reached_has_no_crossing(attack):
    found, arrays = attack(least_log2_penalty=4.0, greatest_log2_penalty=6.0)
    assert found["reached"] == 0
    assert found["crossing_distortion"] is None
    assert np.isnan(arrays["crossing"]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"distance": "kl"}, "--distance and --notargeted are for autoencoders"),
        ({"targeted": False}, "--distance and --notargeted are for autoencoders"),
        ({"examples": 25}, "--examples=25 is more than the 24 images"),
        ({"attack": "noise", "noise_norm": 1.0}, "holds a classifier"),
    ],
)
def test_what_does_not_fit_is_refused(attack, given, message):
    defaults = {}
    if given.get("attack") == "noise":
        defaults = {
            "penalties": 100,
            "least_log2_penalty": -20.0,
            "greatest_log2_penalty": 20.0,
        }
    with pytest.raises(ValueError, match=message):
        attack(**defaults | given)
