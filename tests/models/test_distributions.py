"""Latents of both generators, by moments and characteristic functions."""

import numpy as np
import pytest
import scipy.stats

from tfsemae.models import distributions

COUNT = 200_000


@pytest.mark.parametrize(
    ("generator", "variance", "kurtosis"), [("standard", 1, 0), ("slide", 3, 4 / 3)]
)
def test_moments(generator, variance, kurtosis):
    found = distributions.sample_prior(COUNT, 2, seed=(0, 1), generator=generator)
    assert (found.shape, found.dtype) == ((COUNT, 2), "float32")
    flat = np.ravel(found).astype(np.float64)
    # 4 standard errors: sqrt(variance / n), variance * sqrt((kurtosis + 2) / n), and
    # below 0.02 for the kurtosis, by moments up to the eighth.
    assert abs(np.mean(flat)) < 4 * np.sqrt(variance / flat.size)
    error = variance * np.sqrt((kurtosis + 2) / flat.size)
    assert np.var(flat) == pytest.approx(variance, abs=4 * error)
    assert scipy.stats.kurtosis(flat) == pytest.approx(kurtosis, abs=0.08)
    # No entry knows of the other, nor does its size.
    for both in (found, np.abs(found)):
        correlation = np.corrcoef(np.transpose(both))[0, 1]
        assert abs(correlation) < 4 / np.sqrt(COUNT)


@pytest.mark.parametrize("generator", ["standard", "slide"])
def test_characteristic_function(generator):
    # exp(-t**2 / 2) of a normal, 1 / (1 + t**2) of a Laplace variable of variance 2.
    t = np.array([0.3, 1.0, 2.0])
    expected = np.exp(-(t**2) / 2) / ((1 + t**2) if generator == "slide" else 1)
    found = distributions.sample_prior(COUNT, 1, seed=(2, 3), generator=generator)
    waves = np.cos(np.ravel(found)[:, np.newaxis] * t)
    # Of numbers in [-1, 1].
    np.testing.assert_allclose(waves.mean(axis=0), expected, atol=4 / np.sqrt(COUNT))


def test_latents_are_a_function_of_the_seed():
    for generator in distributions.GENERATORS:
        first, again, other = (
            distributions.sample_prior(9, 4, seed=seed, generator=generator)
            for seed in [(0, 1), (0, 1), (0, 2)]
        )
        np.testing.assert_array_equal(first, again)
        assert not np.any(np.equal(first, other))


def test_unknown_generator_is_refused():
    with pytest.raises(ValueError, match=r"one of standard, slide.*generator='flat'"):
        distributions.sample_prior(1, 1, seed=(0, 0), generator="flat")
