"""Models that look robust and are not are flagged by name."""

import math
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data
from tfsemae.audit import checks, damage, jacobian, steps, subject
from tfsemae.audit.attacking import Space

SHAPE = (12, 12, 1)
PIXELS = math.prod(SHAPE)
LATENTS = np.float32(np.random.default_rng(0).uniform(0.3, 0.7, (12, 3)))
IMAGES = np.repeat(LATENTS, PIXELS // 3, axis=1).reshape(-1, *SHAPE)
WEIGHTS = np.float32(np.random.default_rng(1).normal(size=(3, PIXELS)) / 6)


def _encode(images):
    return tf.reduce_mean(tf.reshape(images, [-1, 3, PIXELS // 3]), axis=2)


def _linear(latent):
    return tf.reshape(0.5 + (latent - 0.5) @ WEIGHTS, [-1, *SHAPE])


def _rounded(latent):
    return tf.round(_linear(latent) * 16) / 16


def _saturated(latent):
    return tf.sigmoid(1e6 * (_linear(latent) - 0.5002))


@tf.custom_gradient
def _negated(latent):
    return latent, lambda upstream: -upstream


def _misled(latent):
    return _linear(_negated(latent))


def _not_differentiable(latent):
    return tf.ensure_shape(
        tf.numpy_function(
            lambda z: np.float32(0.5 + (z - 0.5) @ WEIGHTS).reshape(-1, *SHAPE),
            [latent],
            tf.float32,
        ),
        [None, *SHAPE],
    )


def _constant(latent):
    return tf.zeros([tf.shape(latent)[0], *SHAPE]) + 0.0 * latent[:, :1, None, None]


def _searched(decode, count=12):
    """The smallest perturbations of latents, and whether there is a gradient."""
    kind = steps.gradient_kind(decode, LATENTS)
    space = Space(
        name="latent",
        network=decode,
        shape=(3,),
        spread=float(np.sqrt(LATENTS.var(axis=0).sum())),
        bounds=None,
        differentiable=kind == "exact",
    )
    stated = damage.make("mse:0.01", SHAPE)
    effort = {"steps": tf.Variable(3), "rounds": tf.Variable(5)}
    search = steps.Steps(space, stated, {}, effort=effort, seed=0)
    found = search.smallest(LATENTS[:count], *search.numbers(1)(count))
    return {key: value.numpy() for key, value in found["smallest"].items()}


def test_maxima_that_tie_are_no_wrong_gradient():
    pool = keras.layers.MaxPooling2D(2)
    flat = np.zeros((64, 8, 8, 1), np.float32)
    assert steps.gradient_error(pool, flat, 0.3, seed=0) < 0.1


def _prepared(decode=_linear, encode=_encode, count=12, **options):
    return subject.prepare(
        subject.Request(
            encode=encode,
            decode=decode,
            images=data.Images(IMAGES[:count], None, ()),
            folder=pathlib.Path("unused"),
            value_range=(0.0, 1.0),
            damage="mse:0.01",
            **options,
        )
    )


def _names(prepared, psnr=30.0):
    shown = prepared.model.reconstruct(prepared.probe).numpy()
    return {warning.name for warning in checks.of_model(prepared, shown, psnr)}


@pytest.mark.parametrize("decode", [_saturated, _constant])
def test_decoder_without_slope_is_flagged(decode):
    found = _searched(decode)
    names = [each.name for each in checks.of_attacks("latent", found, [], "mse")]
    assert names == ["zero_gradient"]
    # Noise finds what gradients hide; nothing damages what is constant.
    assert np.isfinite(found["epsilon"]).all() == (decode is not _constant)


def test_what_is_not_differentiable_is_attacked_by_queries():
    found = _searched(_not_differentiable)["epsilon"]
    least = math.sqrt(0.01 * PIXELS) / np.linalg.svd(WEIGHTS)[1][0]
    assert (found >= least * 0.999).all()
    assert np.median(found) <= 1.3 * least
    few = _searched(_not_differentiable, 5)["epsilon"]
    np.testing.assert_allclose(few, found[:5], rtol=1e-5)  # of no other image


@pytest.mark.parametrize(
    ("decode", "expected"),
    [
        (_linear, set()),
        (_misled, {"wrong_gradient"}),
        (_not_differentiable, {"no_gradient"}),
        (_rounded, {"no_gradient"}),  # TensorFlow gives none of rounding
        (_constant, {"constant_decoder"}),
        (lambda latent: 3 * _linear(latent), {"value_range_suspicious"}),
    ],
)
def test_cause_for_distrust_is_named(decode, expected):
    assert _names(_prepared(decode)) == expected


def test_a_reconstruction_that_is_hardly_better_than_the_mean_image_is_bad():
    prepared = _prepared(_linear)
    errors = np.square(IMAGES - IMAGES.mean(axis=0)).mean(axis=(1, 2, 3))
    of_mean = np.mean(10 * np.log10(1 / errors))
    for more, expected in ((0.9, {"bad_reconstruction"}), (1.1, set())):
        assert _names(prepared, psnr=of_mean + more) == expected


def test_gradient_of_the_wrong_sign_is_off_by_twice_the_slope():
    error = steps.gradient_error(_misled, LATENTS, 0.1, seed=0)
    assert error == pytest.approx(2.0, rel=1e-2)


def test_query_only_attack_above_the_strong_one_is_flagged():
    few = np.full(4, 1.0)
    weak = {"mse": np.full(12, 0.5)}
    values = {"noise": weak, "pgd": weak, "strong": weak, "query_only": {"mse": few}}
    found = {"flat": np.zeros(12), "finite": np.ones(12)}
    names = {each.name for each in checks.of_attacks("latent", found, [values], "mse")}
    assert names == {"masked_gradient"}


def test_attacks_are_judged_by_the_damage_that_they_maximise():
    def values(error, similarity):
        return {"mse": np.full(12, error), "ssim": np.full(12, similarity)}

    # Queries find the larger error on the way to the lesser loss of structure.
    attacked = {
        "noise": values(0.01, 0.9),
        "pgd": values(0.05, 0.3),
        "strong": values(0.05, 0.3),
        "query_only": values(0.06, 0.5),
    }
    found = {"flat": np.zeros(12), "finite": np.ones(12)}
    for level, names in (("ssim:0.5", []), ("psnr:15", ["masked_gradient"])):
        metric = damage.make(level, SHAPE).attacked
        given = checks.of_attacks("latent", found, [attacked], metric)
        assert [each.name for each in given] == names


def test_attacks_that_beat_noise_give_no_warning():
    means = {"noise": 0.1, "pgd": 0.99, "strong": 1.0, "query_only": 0.9}
    values = {name: {"mse": np.full(12, mean)} for name, mean in means.items()}
    found = {"flat": np.zeros(12), "finite": np.ones(12)}
    assert not list(checks.of_attacks("latent", found, [values], "mse"))


def test_random_encoder_is_averaged_and_said():
    def encode(images):
        latent = _encode(images)
        return latent + 0.01 * tf.random.normal(tf.shape(latent))

    prepared = _prepared(encode=encode)
    assert prepared.model.stochastic == ("encoder",)
    assert "randomness_without_common_numbers" in _names(prepared)


def test_model_that_is_not_of_keras_is_named_by_its_files():
    assert _prepared().weights is None
    assert _prepared(weights="digest of files").weights == "digest of files"


def test_one_image_is_said_and_measured_in_units_of_one():
    prepared = _prepared(count=1)
    assert "one_image" in _names(prepared)
    found = jacobian.spectrum(
        "decoder", _linear, LATENTS[:1], prepared.deviations["latent"], 1.0
    )
    np.testing.assert_allclose(found.values, np.linalg.svd(WEIGHTS)[1], rtol=1e-3)


def test_jacobians_that_are_not_finite_are_left_out_of_the_spectrum():
    def network(latent):
        # Without a value where the first number is above 1, as a logarithm.
        return _linear(latent) + 0 * tf.math.log(1 - latent[:, :1, None, None])

    latents = np.concatenate([LATENTS[:5], [[2, 0, 0]]]).astype(np.float32)
    latents[:5] = np.clip(latents[:5], -0.5, 0.5)
    found = jacobian.spectrum("decoder", network, latents, np.ones(3), 1.0)
    singular = np.linalg.svd(WEIGHTS)[1]
    np.testing.assert_allclose(found.values, singular, rtol=1e-3)
    assert found.first.value == pytest.approx(singular[0], rel=1e-3)


def test_linear_prediction_of_a_constant_holds_everywhere():
    found = jacobian.spectrum("decoder", _constant, LATENTS, np.ones(3), 1.0)
    assert found.values == (0, 0, 0)
    assert found.linear_range.value is None


def test_linear_range_of_a_parabola():
    # z + c z**2 is beyond the slope at 0 by c z, whatever the sign of z.
    curvatures = np.float32([0.2, 0.5, 4.0])[:, np.newaxis]

    def network(latent):
        return tf.reshape((latent + curvatures * latent**2) / 9, [-1, 1, 1, 1])

    found = jacobian.spectrum(
        "decoder", network, np.zeros((3, 1), np.float32), np.ones(1), spread=2.0
    )
    # The median, of 20 %, in units of the spread; one of 32 parts between two steps.
    assert found.linear_range.value == pytest.approx(0.2 / 0.5 / 2.0, rel=0.02)


def test_ignored_number_of_the_latent_is_listed():
    latents = np.concatenate([LATENTS, LATENTS[:, :1]], axis=1)
    found, insensitive = jacobian.dimensions(
        lambda latent: _linear(latent[:, :3]), latents, latents.std(axis=0), seed=0
    )
    assert insensitive == [3]
    assert len(found) == 4
    names = [each.name for each in checks.of_dimensions(found, insensitive)]
    assert names == ["insensitive_dimensions"]
