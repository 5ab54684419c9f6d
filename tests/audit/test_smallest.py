"""Smallest perturbations of linear decoders that are known in closed form."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from tfsemae.audit import damage, jacobian, minimal, steps, summary
from tfsemae.audit.attacking import Space

SHAPE = (12, 12, 1)
PIXELS = math.prod(SHAPE)
LEVEL = 0.01
DAMAGE = damage.make(f"mse:{LEVEL}", SHAPE)
#: L2 norm of a change of the image that does the damage.
CHANGE = math.sqrt(LEVEL * PIXELS)
#: The step length of the last round, and float32.
EXACT = 0.02


def _orthonormal(rows):
    normal = np.random.default_rng(0).normal(size=(PIXELS, rows))
    return np.linalg.qr(normal)[0].T


def _space(weights, latents):
    weights = np.float32(weights)
    return Space(
        name="latent",
        network=lambda latent: tf.reshape(latent @ weights + 0.5, [-1, *SHAPE]),
        shape=latents.shape[1:],
        spread=math.sqrt(latents.var(axis=0).sum()),
        bounds=None,
    )


def _headline(space, latents):
    effort = {"steps": tf.Variable(5), "rounds": tf.Variable(minimal.ROUNDS)}
    search = steps.Steps(space, DAMAGE, {}, effort=effort, seed=0)
    found = search.smallest(np.float32(latents), *search.numbers(1)(len(latents)))
    values = {name: value.numpy() for name, value in found["smallest"].items()}
    power = float(np.mean(np.sum(latents**2, axis=1)))
    return summary.smallest(space, DAMAGE, power, values)


def test_numbers_of_a_latent_may_differ_a_millionfold_in_scale():
    scales = np.array([1e3, 1.0, 1e-3])
    codes = np.random.default_rng(1).normal(size=(8, 3))
    gains = np.array([0.3, 0.9, 0.5])
    weights = (gains / scales)[:, None] * _orthonormal(3)
    latents = codes * scales
    space = _space(weights, latents)
    found = _headline(space, latents)
    # The number of the smallest scale does most, and one of the largest nothing.
    expected = CHANGE * scales[2] / gains[2]
    assert found.reached == 1
    assert found.median.absolute.value == pytest.approx(expected, rel=EXACT)
    # In deviations of each number the scale is gone.
    deviations = latents.std(axis=0)
    spectrum = jacobian.spectrum(
        "decoder", space.network, np.float32(latents), deviations, space.spread
    )
    of_codes = (codes.std(axis=0) * gains)[:, None] * _orthonormal(3)
    values = np.linalg.svd(of_codes)[1][:3]
    np.testing.assert_allclose(spectrum.values, values, rtol=1e-3)


def test_draws_that_belong_to_places_in_a_batch_are_common_to_all_evaluations():
    # As of a sampling layer of Keras whose seed is the same in each evaluation: they
    # cancel where each example keeps its place, and the figure is that without them.
    latents = np.random.default_rng(1).normal(size=(6, 3))
    gains = np.array([0.3, 0.9, 0.5])
    plain = _space(gains[:, None] * _orthonormal(3), latents)
    drawn = tf.random.stateless_normal((64, *SHAPE), seed=(5, 0))
    random = dataclasses.replace(
        plain, network=lambda x: plain.network(x) + drawn[: tf.shape(x)[0]]
    )
    found = _headline(random, latents)
    assert found.median.absolute.value == pytest.approx(CHANGE / 0.9, rel=EXACT)


def test_linear_vae_and_its_deterministic_twin_on_both_scales():
    # Tipping & Bishop 1999: of data with variances v along orthonormal rows and noise
    # of variance 1, the VAE has the gains sqrt(v - 1), and means of the variance
    # 1 - 1 / v. Its twin without noise, a PCA, has the gains 1 and the variances v.
    variances = np.array([4.0, 2.0])
    basis = _orthonormal(2)
    codes = np.random.default_rng(2).normal(size=(8, 2))
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    twins = {
        "vae": (np.sqrt(variances - 1), 1 - 1 / variances),
        "dae": (np.ones(2), variances),
    }
    absolute, relative = {}, {}
    for name, (gains, of_codes) in twins.items():
        latents = codes * np.sqrt(of_codes)
        found = _headline(_space(gains[:, None] * basis, latents), latents).median
        absolute[name] = found.absolute.value
        relative[name] = found.deviations.value
        expected = CHANGE / gains[0]
        assert absolute[name] == pytest.approx(expected, rel=EXACT)
        expected /= math.sqrt(of_codes.sum())
        assert relative[name] == pytest.approx(expected, rel=EXACT)
    # By a fixed norm the VAE is the weaker one, by deviations of the code it is not.
    assert absolute["vae"] < absolute["dae"]
    assert relative["vae"] > relative["dae"]
