"""Maximum mean discrepancy: values by hand, of populations, and far from the origin."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from tfsemae import objectives

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 1.0]])


def normal(count, width, seed):
    return np.random.default_rng(seed).normal(size=(count, width))


def mean_kernel(width):
    """Of pairs of prior samples, by the Gaussian integral."""
    return (1 + 2 / width) ** (-width / 2)


def test_by_hand():
    # Distances within 1; across 1 and sqrt(2), twice each. k = exp(-d**2 / 4).
    near, far = np.exp(-1 / 4), np.exp(-2 / 4)
    biased = objectives.mmd(*SQUARE, unbiased=False)
    # (2 + 2 near) / 4 for each set, (2 near + 2 far) / 4 across.
    assert float(biased) == pytest.approx(1 - far, rel=1e-14)
    assert float(biased) == pytest.approx(0.393469, abs=5e-7)
    unbiased = objectives.mmd(*SQUARE)
    assert float(unbiased) == pytest.approx(near - far, rel=1e-14)
    assert float(unbiased) == pytest.approx(0.172270, abs=5e-7)


def test_inverse_multiquadric_by_hand():
    near, far = 8 / 9, 8 / 10  # C = 4 D = 8
    biased = objectives.mmd(*SQUARE, kernel="imq", unbiased=False)
    assert float(biased) == pytest.approx(1 - far, rel=1e-14)
    unbiased = objectives.mmd(*SQUARE, kernel="imq")
    assert float(unbiased) == pytest.approx(near - far, rel=1e-14)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_scale_of_the_kernel(kernel):
    # exp(-d**2 / 2), and C = 4.
    near, far = (np.exp(-0.5), np.exp(-1)) if kernel == "rbf" else (4 / 5, 4 / 6)
    found = objectives.mmd(*SQUARE, kernel=kernel, scale=1.0)
    assert float(found) == pytest.approx(near - far, rel=1e-14)
    # Samples in other units, with a scale in the same, are as far apart.
    others = (3 * sample for sample in SQUARE)
    assert float(objectives.mmd(*others, kernel=kernel, scale=9.0)) == pytest.approx(
        near - far, rel=1e-12
    )


def test_equal_samples():
    same = SQUARE[0], SQUARE[0]
    assert float(objectives.mmd(*same, unbiased=False)) == pytest.approx(0, abs=1e-15)
    # The other pair counts in full within, half across: near - (1 + near).
    expected = np.exp(-1 / 4) - 1
    assert float(objectives.mmd(*same)) == pytest.approx(expected, rel=1e-14)
    assert expected == pytest.approx(-0.221199, abs=5e-7)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
@pytest.mark.parametrize(("count", "others"), [(7, 7), (9, 4)])
def test_samples_of_any_sizes_equal_sums_over_all_pairs(kernel, count, others):
    codes, prior = normal(count, 3, 0) + 0.5, normal(others, 3, 1)

    def values(a, b):
        squared = cdist(a, b, "sqeuclidean")
        return np.exp(-squared / 6) if kernel == "rbf" else 12 / (12 + squared)

    across = 2 * values(codes, prior).mean()
    biased = values(codes, codes).mean() + values(prior, prior).mean() - across
    found = objectives.mmd(codes, prior, kernel=kernel, unbiased=False)
    assert float(found) == pytest.approx(biased, rel=1e-12)
    unbiased = -across
    for sample in (codes, prior):
        apart = ~np.eye(len(sample), dtype=bool)
        unbiased += values(sample, sample)[apart].mean()
    found = objectives.mmd(codes, prior, kernel=kernel)
    assert float(found) == pytest.approx(unbiased, rel=1e-12)


@pytest.mark.parametrize("unbiased", [True, False])
def test_mean_under_the_null(unbiased):
    compiled = tf.function(functools.partial(objectives.mmd, unbiased=unbiased))
    found = [
        float(compiled(*tf.split(normal(128, 10, seed), 2))) for seed in range(300)
    ]
    # Of N = 64 the unbiased one scatters by 0.006, the biased one around its floor.
    expected = 0.0 if unbiased else 2 * (1 - mean_kernel(10)) / 64
    assert np.std(found) == pytest.approx(0.006, rel=0.3)
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / 300**0.5)
    assert expected == pytest.approx(0 if unbiased else 0.019, abs=5e-4)


def test_population_value_of_a_shift():
    width, shift = 10, np.eye(10)[0]
    expected = (
        2 * (width / (width + 2)) ** (width / 2) * (1 - np.exp(-1 / (2 * (width + 2))))
    )
    assert expected == pytest.approx(0.032802, abs=5e-7)
    found = [
        float(objectives.mmd(codes + shift, prior))
        for codes, prior in (
            np.split(normal(1000, width, seed), 2) for seed in range(40)
        )
    ]
    error = np.std(found) / 40**0.5
    assert error < expected / 30
    assert np.mean(found) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(
    ("width", "printed"), [(10, 0.160035), (30, 0.156821), (128, 0.155314)]
)
def test_collapsed_codes(width, printed):
    expected = 1 + mean_kernel(width) - 2 * (1 + 1 / width) ** (-width / 2)
    assert expected == pytest.approx(printed, abs=5e-7)
    found = [
        float(objectives.mmd(np.zeros((500, width)), normal(500, width, seed)))
        for seed in range(20)
    ]
    error = np.std(found) / 20**0.5
    assert error < expected / 50
    assert np.mean(found) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_samples_at_infinity(kernel):
    # No kernel reaches from one to the other, nor between distant rows.
    far = 1e9 * np.arange(1, 6)[:, np.newaxis]
    near = np.zeros((4, 1))
    found = objectives.mmd(near, far, kernel=kernel, unbiased=False)
    assert float(found) == pytest.approx(1 + 1 / 5, rel=1e-12)
    found = objectives.mmd(near, far, kernel=kernel)
    assert float(found) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3, -1e5])
def test_codes_far_from_the_origin_keep_their_distances(offset):
    # On a grid of 1 / 64, which float32 has up to 2**18.
    codes = np.round(normal(32, 8, 0) * 64) / 64
    prior = np.round(normal(32, 8, 1) * 64) / 64
    expected = objectives.mmd(codes + offset, prior)
    found = objectives.mmd((codes + offset).astype(np.float32), prior)
    assert float(found) == pytest.approx(float(expected), abs=1e-6)
    moved = objectives.mmd((codes + offset).astype(np.float32), prior + offset)
    assert float(moved) == pytest.approx(float(objectives.mmd(codes, prior)), abs=1e-6)


def test_its_gradient_attracts_codes_to_the_prior():
    prior = normal(200, 2, 0)
    codes = tf.Variable(0.2 * normal(200, 2, 1) + [2.0, 0.0])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = objectives.mmd(codes, prior)
        codes.assign_sub(50 * tape.gradient(loss, codes))
        return loss

    losses = [float(step()) for _ in range(200)]
    assert losses[0] > 0.3
    assert losses[-1] < 0.01
    # What differs less is hidden in the scatter of 200 samples.
    np.testing.assert_allclose(np.mean(codes, axis=0), np.mean(prior, axis=0), atol=0.2)
    np.testing.assert_allclose(np.std(codes, axis=0), np.std(prior, axis=0), atol=0.2)


def test_bad_input_is_refused():
    codes, prior = SQUARE
    with pytest.raises(
        ValueError, match=r"one of rbf, imq\. Received: kernel='linear'"
    ):
        objectives.mmd(codes, prior, kernel="linear")
    with pytest.raises(ValueError, match=r"equally many features. Received: 2 and 1"):
        objectives.mmd(codes, prior[:, :1])
    with pytest.raises(ValueError, match=r"`prior_samples` must have at least 2 rows"):
        objectives.mmd(codes, prior[:1])
    with pytest.raises(ValueError, match="`prior_samples` must be floating"):
        objectives.mmd(codes, prior.astype(int))
