"""The statistic W against SciPy, printed values, its invariants and its gradient."""

import functools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfsemae import objectives

SIZES = [3, 4, 5, 6, 7, 8, 11, 12, 13, 20, 50, 64, 100, 1000, 5000]
SAMPLES = {
    "normal": lambda random, shape: random.normal(size=shape),
    "exponential": lambda random, shape: random.exponential(size=shape),
    "uniform": lambda random, shape: random.uniform(size=shape),
    "Cauchy": lambda random, shape: random.standard_cauchy(size=shape),
    "ties": lambda random, shape: np.ceil(random.normal(size=shape) * 2),
}
#: Sample, W and p-value, as `scipy.stats.shapiro` gives them.
PRINTED = {
    "eleven weights": (
        [148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236],
        0.788815,
        0.00670381,
    ),
    "1 to 8": (range(1, 9), 0.974858, 0.933165),
    "1 to 20": (range(1, 21), 0.960375, 0.551372),
    "1 to 64": (range(1, 65), 0.955129, 0.0206172),
}


def column(numbers):
    return np.array(numbers, np.float64)[:, np.newaxis]


def w(numbers):
    return float(objectives.shapiro_wilk(column(numbers))[0])


def gradient(function, codes):
    codes = tf.convert_to_tensor(codes)
    with tf.GradientTape() as tape:
        tape.watch(codes)
        value = function(codes)
    return tape.gradient(value, codes).numpy()


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("count", SIZES)
def test_statistic_and_p_value_equal_scipys(count, sample):
    # In the hundreds, 1e-12 in the sum of squares is nothing.
    codes = 100 * SAMPLES[sample](np.random.default_rng(count), (count, 4))
    found = objectives.shapiro_wilk(codes)
    p_values = objectives.shapiro_wilk_p_value(found, count)
    # SciPy's normal quantiles have 8 digits; an outlier makes W of one of them.
    tolerance = 1e-8 if sample == "Cauchy" else 1e-9
    for feature in range(4):
        expected = scipy.stats.shapiro(codes[:, feature])
        assert float(found[feature]) == pytest.approx(expected.statistic, abs=tolerance)
        assert float(p_values[feature]) == pytest.approx(expected.pvalue, abs=1e-6)


@pytest.mark.parametrize(
    ("numbers", "statistic", "p_value"), PRINTED.values(), ids=PRINTED
)
def test_printed_values(numbers, statistic, p_value):
    found = w(numbers)
    assert found == pytest.approx(statistic, abs=5e-7)
    p_found = objectives.shapiro_wilk_p_value(np.float64(found), len(numbers))
    assert float(p_found) == pytest.approx(p_value, rel=1e-5)


@pytest.mark.parametrize(
    ("count", "weights"),
    [(64, (0.321259, 0.248773)), (8, (0.605061, 0.316303, 0.175110, 0.056485))],
)
def test_weights(count, weights):
    # Of k ones behind zeros, W is (a_n + ... + a_(n-k+1))**2 over k (1 - k / n).
    totals = [0.0]
    for ones in range(1, len(weights) + 1):
        found = w([0.0] * (count - ones) + [1.0] * ones)
        totals.append(np.sqrt(found * ones * (1 - ones / count)))
    np.testing.assert_allclose(np.diff(totals), weights, atol=6e-7)


def test_normal_quantiles_are_nearly_perfect():
    quantiles = scipy.stats.norm.ppf((np.arange(1, 65) - 0.5) / 64)
    assert w(quantiles) == pytest.approx(0.999353, abs=5e-7)


@pytest.mark.parametrize("middle", [0.0, 0.25, 0.5, 1.0])
def test_three_numbers(middle):
    # (x_3 - x_1)**2 / 2 over the sum of squares, which is (3 + (2 m - 1)**2) / 6.
    expected = 3 / (3 + (2 * middle - 1) ** 2)
    assert w([0.0, middle, 1.0]) == pytest.approx(expected, rel=1e-10)
    p_value = objectives.shapiro_wilk_p_value(np.float64(expected), 3)
    # Uniform in the angle: 0 at the least W, 3 / 4, and 1 at 1.
    angle = np.arcsin(np.sqrt(expected)) - np.pi / 3
    assert float(p_value) == pytest.approx(6 * angle / np.pi, abs=1e-12)


@pytest.mark.parametrize(
    ("count", "mean", "quantile"), [(64, 0.9807, 0.963), (8, 0.917, 0.823)]
)
def test_distribution_under_the_null(count, mean, quantile):
    codes = np.random.default_rng(0).normal(size=(count, 20000))
    found = objectives.shapiro_wilk(codes).numpy()
    # The expected ones are rounded, and of other samples.
    assert np.mean(found) == pytest.approx(mean, abs=2e-3)
    assert np.quantile(found, 0.05) == pytest.approx(quantile, abs=2e-3)
    p_values = objectives.shapiro_wilk_p_value(found, count)
    # Shares of 20,000 samples have a standard deviation of up to 0.0035; Royston's
    # p-values err by a little more than that.
    for level in (0.01, 0.05, 0.5, 0.95):
        assert np.mean(p_values < level) == pytest.approx(level, abs=0.015)


@pytest.mark.parametrize(("shift", "scale"), [(0, 1e3), (100, 1), (-5, 0.01), (2, -3)])
def test_shift_and_scale_do_not_matter(shift, scale):
    codes = np.random.default_rng(0).exponential(size=(30, 4))
    expected = objectives.shapiro_wilk(codes)
    found = objectives.shapiro_wilk(shift + scale * codes)
    # 1e-12 beside a sum of squares of 3e-4 at least; rounding of 100.
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("count", [3, 4, 6, 64])
def test_gradient_by_the_formula(count):
    codes = np.random.default_rng(count).normal(size=(count, 1))
    found = gradient(objectives.shapiro_wilk, codes)[:, 0]
    order = np.argsort(codes[:, 0])
    x = codes[order, 0] - codes.mean()
    squares = x @ x
    value = w(codes[:, 0])
    # 2 (a . x) a_i / S - 2 W x_i / S, hence a_i from it, of which the squares sum to 1.
    weights = (found[order] * squares / 2 + value * x) / np.sqrt(value * squares)
    assert weights @ weights == pytest.approx(1, rel=1e-9)
    np.testing.assert_allclose(weights, -weights[::-1], atol=1e-9)
    assert np.all(np.diff(weights) > 0)


@pytest.mark.parametrize("count", [3, 5, 12, 64])
def test_gradient_neither_moves_nor_scales(count):
    codes = np.random.default_rng(count).exponential(size=(count, 6))
    found = gradient(objectives.shapiro_wilk, codes)
    assert np.all(np.linalg.norm(found, axis=0) > 1e-3)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-12)
    # Along x itself W rises by the share of 1e-12 in the sum of squares only.
    np.testing.assert_allclose((found * codes).sum(axis=0), 0, atol=1e-10)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e6, 1e30])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_constant_features_are_0_and_so_is_their_gradient(value, dtype):
    codes = np.full((64, 2), value, dtype)
    np.testing.assert_array_equal(objectives.shapiro_wilk(codes), [0, 0])
    np.testing.assert_array_equal(gradient(objectives.shapiro_wilk, codes), 0)
    assert float(objectives.shapiro_wilk_regularizer(codes)) == 1


def test_the_gradient_of_nearly_constant_features_is_bounded():
    for scale in np.geomspace(1e-12, 1, 13):
        codes = scale * np.random.default_rng(0).normal(size=(64, 1))
        found = np.linalg.norm(gradient(objectives.shapiro_wilk, codes))
        # |2 (a . x) a - 2 W x| / (S + c), S = |x|**2 and c = 1e-12: at most
        # 2 sqrt(S) / (S + c), which is largest at S = c.
        assert 0 < found <= 1 / np.sqrt(1e-12)


def test_regularizer_is_the_mean_over_features():
    codes = column(range(1, 9)) * [1.0, 0.0] + [[3.0, 5.0]]
    found = objectives.shapiro_wilk_regularizer(codes)
    assert float(found) == pytest.approx(1 - 0.974858 / 2, abs=5e-7)


def test_descent_makes_uniform_codes_normal():
    codes = tf.Variable(np.random.default_rng(0).uniform(size=(64, 3)))
    before = objectives.shapiro_wilk_p_value(objectives.shapiro_wilk(codes), 64)
    assert np.all(before < 0.2)
    mean, deviation = np.mean(codes, axis=0), np.std(codes, axis=0)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = objectives.shapiro_wilk_regularizer(codes)
        codes.assign_sub(tape.gradient(loss, codes))

    for _ in range(200):
        step()
    after = objectives.shapiro_wilk_p_value(objectives.shapiro_wilk(codes), 64)
    assert np.all(after > 0.99)
    # It is orthogonal to both: the mean stays, the spread grows by squares of steps.
    np.testing.assert_allclose(np.mean(codes, axis=0), mean, rtol=1e-9)
    assert np.all(np.std(codes, axis=0) > deviation)


# Along random directions

PROJECTED = objectives.projected_shapiro_wilk_regularizer


def test_one_feature_has_one_direction():
    codes = column(range(1, 21))
    for reduction in ("min", "mean"):
        found = PROJECTED(codes, seed=(0, 1), reduction=reduction)
        assert float(found) == pytest.approx(1 - 0.960375, abs=5e-7)


def direction(rank_one):
    """u of a gradient `g u.T`, up to its sign."""
    _, sizes, rows = np.linalg.svd(rank_one)
    assert sizes[1] < 1e-12 * sizes[0]
    return rows[0]


@pytest.mark.parametrize("width", [2, 5])
def test_directions_are_orthogonal(width):
    codes = np.random.default_rng(0).normal(size=(50, width))
    for step in range(5):
        options = {"seed": (1, step), "projections": 2}
        least, mean = (
            gradient(functools.partial(PROJECTED, reduction=each, **options), codes)
            for each in ("min", "mean")
        )
        # W along either direction: the mean is half the sum of both.
        first, second = direction(least), direction(2 * mean - least)
        assert first @ second == pytest.approx(0, abs=1e-9)


def test_directions_are_distributed_evenly():
    codes = tf.constant(np.random.default_rng(0).normal(size=(10, 2)))

    @tf.function
    def along_one(step):
        with tf.GradientTape() as tape:
            tape.watch(codes)
            value = PROJECTED(codes, seed=tf.stack([1, step]), projections=1)
        return tape.gradient(value, codes)

    found = [direction(along_one(step)) for step in tf.range(200)]
    angles = [np.arctan2(y, x) % np.pi for x, y in found]
    assert scipy.stats.kstest(angles, "uniform", (0, np.pi)).pvalue > 0.01


def test_minimum_is_at_least_the_mean():
    codes = np.random.default_rng(0).exponential(size=(40, 3))
    for seed in range(5):
        worst, mean = (
            float(PROJECTED(codes, seed=(7, seed), reduction=each))
            for each in ("min", "mean")
        )
        assert worst > mean > 0


@pytest.mark.parametrize("jit_compile", [False, True])
def test_equal_seeds_give_equal_directions(jit_compile):
    codes = tf.constant(np.random.default_rng(0).exponential(size=(40, 3)))

    @tf.function(jit_compile=jit_compile)
    def compiled(step):
        return PROJECTED(codes, seed=tf.stack([7, step]), projections=1)

    first, again = (
        [float(compiled(tf.constant(step))) for step in range(4)] for _ in range(2)
    )
    assert compiled.experimental_get_tracing_count() == 1
    assert first == again
    assert len(set(first)) == 4
    if not jit_compile:  # XLA has other random numbers
        eager = [
            float(PROJECTED(codes, seed=(7, step), projections=1)) for step in range(4)
        ]
        np.testing.assert_allclose(first, eager, rtol=1e-12)


def test_it_sees_what_features_one_by_one_do_not():
    # Both are normal, and one is the other with a random sign: their sum is often 0.
    random = np.random.default_rng(0)
    first = random.normal(size=(400, 1))
    codes = np.hstack([first, first * random.choice([-1, 1], size=(400, 1))])
    for feature in range(2):
        assert scipy.stats.shapiro(codes[:, feature]).pvalue > 0.05
    worst = min(1 - float(PROJECTED(codes, seed=(0, step))) for step in range(20))
    assert float(objectives.shapiro_wilk_p_value(np.float64(worst), 400)) < 1e-9


def test_bad_input_is_refused():
    codes = np.random.default_rng(0).normal(size=(8, 3))
    for projections in (0, 4):
        with pytest.raises(ValueError, match=f"3. Received: projections={projections}"):
            PROJECTED(codes, seed=(0, 0), projections=projections)
    with pytest.raises(ValueError, match=r"min, mean\. Received: reduction='max'"):
        PROJECTED(codes, seed=(0, 0), reduction="max")
    for seed in (0, (1, 2, 3), (0.5, 1.0)):
        with pytest.raises(ValueError, match="`seed` must be two integers"):
            PROJECTED(codes, seed=seed)
    for count in (2, 5001):
        with pytest.raises(ValueError, match=f"3 and 5000.*Received: count={count}"):
            objectives.shapiro_wilk_p_value(0.9, count)
    with pytest.raises(ValueError, match="`statistic` must be floating"):
        objectives.shapiro_wilk_p_value(1, 8)


def test_p_values_rise_with_the_statistic():
    for count in (3, 4, 5, 11, 12, 64, 5000):
        found = objectives.shapiro_wilk_p_value(np.linspace(0, 1, 1001), count)
        assert np.all(np.diff(found) >= 0)
        # No normal sample is as bad as a constant feature, of which W is 0.
        assert 0 <= float(found[0]) < 1e-6
        # At the upper end, beyond rounding, all of the distribution is below.
        assert float(found[-1]) == pytest.approx(1, abs=1e-12)
        assert [
            float(p) for p in objectives.shapiro_wilk_p_value([1.0, 1.0001], count)
        ] == [1, 1]
