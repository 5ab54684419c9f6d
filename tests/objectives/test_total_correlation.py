"""Parts of the KL term: values by hand, SciPy, limits, Gaussians of known parts."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from tfsemae import objectives

IMAGES = 60000


def batch(count, width, seed=0):
    random = np.random.default_rng(seed)
    means, log_variances, noise = random.normal(size=(3, count, width))
    return means + np.exp(log_variances / 2) * noise, means, log_variances


def divergence(codes, means, log_variances):
    """`mean{ log q(z|x) - log p(z) }` by SciPy."""
    posterior = scipy.stats.norm(means, np.exp(log_variances / 2)).logpdf(codes)
    return np.mean(np.sum(posterior - scipy.stats.norm.logpdf(codes), axis=1))


def test_two_codes_by_hand():
    codes = np.array([[0.0, 0.0], [1.0, 1.0]])
    found = objectives.kl_decomposition(codes, codes, np.zeros((2, 2)), IMAGES)
    # Of the other code, q is exp(-1 / 2) of its own in each feature.
    offset = np.log(2 * IMAGES)
    joint, single = np.log(1 + np.exp(-1)), np.log(1 + np.exp(-1 / 2))
    expected = [
        offset - joint,
        offset + joint - 2 * single,
        0.5 - 2 * offset + 2 * single,
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    np.testing.assert_allclose(found, [11.381985, 11.060355, -21.942340], atol=5e-7)
    # disentanglement_lib leaves the constant out.
    assert float(found[1]) - offset == pytest.approx(-0.634892, abs=5e-7)
    assert [*found] == [
        found.mutual_information,
        found.total_correlation,
        found.dimension_wise_kl,
    ]


@pytest.mark.parametrize("block_size", [None, 1, 3, 7, 100])
@pytest.mark.parametrize(("count", "width"), [(1, 1), (7, 3), (12, 1)])
def test_it_equals_sums_by_scipy(count, width, block_size):
    codes, means, log_variances = batch(count, width)
    density = scipy.stats.norm(means, np.exp(log_variances / 2))
    of_pairs = density.logpdf(codes[:, np.newaxis])
    offset = np.log(count * IMAGES)
    joint = scipy.special.logsumexp(of_pairs.sum(axis=2), axis=1) - offset
    single = scipy.special.logsumexp(of_pairs, axis=1) - offset
    expected = [
        np.mean(density.logpdf(codes).sum(axis=1) - joint),
        np.mean(joint - single.sum(axis=1)),
        np.mean(single.sum(axis=1) - scipy.stats.norm.logpdf(codes).sum(axis=1)),
    ]
    found = objectives.kl_decomposition(
        codes, means, log_variances, IMAGES, block_size=block_size
    )
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("dataset_size", [1, 64, IMAGES])
def test_the_sum_is_the_estimate_of_the_divergence(dataset_size):
    arguments = batch(64, 10)
    found = objectives.kl_decomposition(*arguments, dataset_size)
    # float64; the parts are sums of 10 logarithms of up to 4e6.
    assert float(sum(found)) == pytest.approx(divergence(*arguments), abs=1e-11)


def test_encoder_that_ignores_its_input():
    # All q(z|x_j) are equal: log q(z_i) = log q(z_i|x_i) - log(dataset_size).
    codes, means, log_variances = batch(20, 4)
    means, log_variances = (np.tile(x[:1], (20, 1)) for x in (means, log_variances))
    found = objectives.kl_decomposition(codes, means, log_variances, IMAGES)
    assert float(found.mutual_information) == pytest.approx(np.log(IMAGES), rel=1e-12)
    assert float(found.total_correlation) == pytest.approx(
        3 * np.log(IMAGES), rel=1e-12
    )


def test_encoder_whose_codes_do_not_overlap():
    # Only its own image gives a code any density, in every feature.
    codes = np.arange(20)[:, np.newaxis] * [100.0, -100.0, 1000.0]
    found = objectives.kl_decomposition(codes, codes, np.zeros((20, 3)), IMAGES)
    offset = np.log(20 * IMAGES)
    assert float(found.mutual_information) == pytest.approx(offset, rel=1e-12)
    assert float(found.total_correlation) == pytest.approx(2 * offset, rel=1e-12)


def test_one_feature_has_no_total_correlation():
    found = objectives.kl_decomposition(*batch(20, 1), IMAGES)
    assert float(found.total_correlation) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_gaussian_of_known_parts(correlation):
    # Means of the covariance S - v I, variance v: q(z) is normal of covariance S.
    variance, count = 0.15, 3000
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    random = np.random.default_rng(0)
    root = np.linalg.cholesky(covariance - variance * np.eye(2))
    means = random.normal(size=(count, 2)) @ root.T
    codes = means + np.sqrt(variance) * random.normal(size=(count, 2))
    log_variances = np.full((count, 2), np.log(variance))
    found = objectives.kl_decomposition(codes, means, log_variances, 1, block_size=500)
    determinant = 1 - correlation**2
    # Sums of 3,000 logarithms of a standard deviation of about 1: 0.02. A code lies
    # near the mean that it was made from, which lowers the first part by about 0.01.
    expected = [np.log(determinant / variance**2) / 2, -np.log(determinant) / 2, 0]
    np.testing.assert_allclose(found, expected, atol=0.07)


def test_the_dataset_size_moves_values_and_no_gradient():
    codes, means, log_variances = (tf.constant(x) for x in batch(16, 3))

    def parts_and_gradients(dataset_size):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(codes)
            found = objectives.kl_decomposition(
                codes, means, log_variances, dataset_size
            )
        return np.array(found), [tape.gradient(part, codes) for part in found]

    (small, small_gradients), (large, large_gradients) = map(
        parts_and_gradients, (100, 1000)
    )
    expected = np.log(10) * np.array([1, 2, -3])
    np.testing.assert_allclose(large - small, expected, rtol=1e-12)
    np.testing.assert_array_equal(small_gradients, large_gradients)


def test_narrow_posteriors_stay_finite():
    # exp(100) is beyond float32, exp(50) is not.
    codes = np.zeros((4, 2), np.float32)
    found = objectives.kl_decomposition(codes, codes, codes - 100, IMAGES)
    assert np.all(np.isfinite(found))


@pytest.mark.parametrize("name", ["dataset_size", "block_size"])
def test_sizes_below_one_are_refused(name):
    sizes = {"dataset_size": 10, name: 0}
    with pytest.raises(ValueError, match=rf"`{name}` must be.*Received: {name}=0"):
        objectives.kl_decomposition(*batch(4, 2), **sizes)


def test_shapes_that_differ_are_refused():
    codes, means, log_variances = batch(4, 2)
    with pytest.raises(ValueError, match=r"`codes` and `means` .*\(4, 2\).*\(1, 2\)"):
        objectives.kl_decomposition(codes, means[:1], log_variances, IMAGES)
    with pytest.raises(ValueError, match=r"`means` and `log_variances` .*\(1, 2\)"):
        objectives.kl_decomposition(codes, means, log_variances[:1], IMAGES)
    compiled = tf.function(
        lambda *x: objectives.kl_decomposition(*x, IMAGES),
        input_signature=[tf.TensorSpec([None, 2], tf.float64)] * 3,
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="must_have_the_same"):
        compiled(codes, means[:1], log_variances)
