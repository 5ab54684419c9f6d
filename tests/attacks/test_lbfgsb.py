"""Batched L-BFGS-B problem by problem against SciPy, and closed forms."""

import gc

import greenlet
import numpy as np
import pytest
import scipy.optimize
import threadpoolctl

from tfsemae import attacks
from tfsemae.attacks import lbfgsb


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def _boxes(count, size, seed=0):
    """Bounds of which about a third is narrow."""
    draws = np.random.default_rng(seed).uniform(size=(2, count, size))
    return np.where(draws[0] < 0.3, -0.5, -2), np.where(draws[1] < 0.3, 0.7, 2)


def _plain(function, start, low, high, *, data=(), **options):
    """SciPy, one problem at a time; SciPy's bits depend on the threads of BLAS."""
    options = {"maxcor": 25, "maxiter": 15000, "maxfun": 15000} | options
    factr = options.pop("factr", 10)
    options["ftol"] = factr * np.finfo(np.float64).eps
    options["gtol"] = options.pop("pgtol", 1e-5)
    low, high = (np.broadcast_to(bound, start.shape) for bound in (low, high))

    def solve(k):
        def alone(point):
            values, gradients = function(
                point[np.newaxis], *(each[k : k + 1] for each in data)
            )
            return float(values[0]), gradients[0]

        return scipy.optimize.minimize(
            alone,
            start[k],
            method="L-BFGS-B",
            jac=True,
            bounds=scipy.optimize.Bounds(low[k], high[k]),
            options=options,
        )

    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        return [solve(k) for k in range(len(start))]


def _assert_bits(found, expected):
    for k, alone in enumerate(expected):
        np.testing.assert_array_equal(found.points[k], alone.x)
        np.testing.assert_array_equal(found.gradients[k], alone.jac)
        assert found.values[k] == alone.fun
        counted = found.status[k], found.iterations[k], found.evaluations[k]
        assert counted == (alone.status, alone.nit, alone.nfev)
        assert found.messages[k] == alone.message


# Row by row, since NumPy sums a matrix in another order than its rows.


def _rosenbrock(points):
    values = [scipy.optimize.rosen(point) for point in points]
    return np.array(values), np.array(list(map(scipy.optimize.rosen_der, points)))


def _quadratic(points, matrices, centers):
    gradients = np.array(
        [m @ (p - c) for m, p, c in zip(matrices, points, centers, strict=True)]
    )
    values = [
        0.5 * (p - c) @ g for p, c, g in zip(points, centers, gradients, strict=True)
    ]
    return np.array(values), gradients


def _flat(points):
    """Zero around the origin, and a slow slope outside."""
    away = np.maximum(np.abs(points) - 0.5, 0)
    gradients = 4e-3 * np.sign(points) * away**3
    return np.array([1e-3 * np.sum(row**4) for row in away]), gradients


def _noisy(points):
    """In float32: a step of less than 1e-7 of the value is rounding."""
    points = points.astype(np.float32)
    values = [1 + np.sum(np.cosh(row)) for row in points]
    return np.array(values), np.sinh(points)


@pytest.mark.parametrize("size", [2, 3, 10, 50])
def test_rosenbrock_has_the_bits_of_scipy(size):
    low, high = _boxes(25, size)
    start = np.clip(_random(25, size), low, high)
    found = attacks.BatchedLBFGSB(batch_size=8)(_rosenbrock, start, bounds=(low, high))
    _assert_bits(found, _plain(_rosenbrock, start, low, high))
    # Some minima are inside of the box, where all entries are 1.
    free = (high > 1).all(axis=1)
    if size < 10:
        assert free.any()
    np.testing.assert_allclose(found.values[free & (found.values < 1)], 0, atol=1e-8)


@pytest.mark.parametrize("scale", [1, 1e6], ids=["well scaled", "badly scaled"])
def test_quadratics_with_active_bounds_have_the_bits_of_scipy(scale):
    factors = _random(20, 12, 12) * np.geomspace(1, np.sqrt(scale), 12)
    matrices = np.swapaxes(factors, 1, 2) @ factors + np.eye(12)
    data = matrices, 2 * _random(20, 12, seed=1)
    start = np.full((20, 12), 0.5)
    found = attacks.BatchedLBFGSB(batch_size=6)(_quadratic, start, *data, bounds=(0, 1))
    _assert_bits(found, _plain(_quadratic, start, 0, 1, data=data))
    assert np.mean((found.points == 0) | (found.points == 1)) > 0.2
    # The conditions of Karush, Kuhn and Tucker; of pgtol, and where float64 ends.
    step = np.clip(found.points - found.gradients, 0, 1) - found.points
    assert np.abs(step).max() < 1e-5 * scale


def test_diagonal_quadratics_end_where_the_box_is_nearest():
    weights, centers = np.exp(_random(10, 40)), _random(10, 40, seed=1)

    def bowls(points, weights, centers):
        away = points - centers
        return (weights * away**2).sum(axis=1), 2 * weights * away

    found = attacks.BatchedLBFGSB(factr=0, pgtol=1e-9)(
        bowls, np.zeros((10, 40)), weights, centers, bounds=(-0.3, 0.8)
    )
    # Values of float64 tell points apart that are 1e-8 of their size away.
    np.testing.assert_allclose(found.points, np.clip(centers, -0.3, 0.8), atol=3e-7)


@pytest.mark.parametrize(
    ("function", "bounds"),
    [(_flat, (-3, 3)), (_noisy, (-3, 3)), (_rosenbrock, (-np.inf, np.inf))],
    ids=["flat", "float32", "unbounded"],
)
@pytest.mark.parametrize(
    "options", [{}, {"factr": 1e7, "pgtol": 1e-3}, {"maxcor": 3, "maxiter": 4}]
)
def test_others_have_the_bits_of_scipy(function, bounds, options):
    start = 0.9 * np.clip(_random(15, 6), -3, 3)
    start[0] = 0  # where the gradient of the first two vanishes
    found = attacks.BatchedLBFGSB(batch_size=4, **options)(
        function, start, bounds=bounds
    )
    _assert_bits(found, _plain(function, start, *bounds, **options))


def test_status_is_that_of_scipy():
    """The limits, and a line search that finds nothing: the sign is wrong."""
    start = np.clip(_random(5, 4), -1.5, 1.5)

    def uphill(points):
        values, gradients = _rosenbrock(points)
        return values, -gradients

    for function, options, status in [
        (_rosenbrock, {"maxiter": 2}, 1),
        (_rosenbrock, {"maxfun": 2}, 1),
        (uphill, {}, 2),
    ]:
        solve = attacks.BatchedLBFGSB(**options)
        found = solve(function, start, bounds=(-2, 2))
        np.testing.assert_array_equal(found.status, [status] * 5)
        _assert_bits(found, _plain(function, start, -2, 2, **options))


def test_fixed_entries_stay():
    low, high = np.full(3, -2.0), np.array([2.0, 0.3, 2.0])
    low[1] = 0.3
    start = np.array([[0.1, 0.3, 0.2], [-1.0, 0.3, 1.0]])
    solve = attacks.BatchedLBFGSB()
    found = solve(_rosenbrock, start, bounds=(low, high))
    _assert_bits(found, _plain(_rosenbrock, start, low, high))
    np.testing.assert_array_equal(found.points[:, 1], [0.3, 0.3])
    found = solve(_rosenbrock, start, bounds=(start, start))
    np.testing.assert_array_equal(found.points, start)
    np.testing.assert_array_equal(found.values, _rosenbrock(start)[0])
    np.testing.assert_array_equal(found.gradients, _rosenbrock(start)[1])
    np.testing.assert_array_equal(found.status, [0, 0])
    np.testing.assert_array_equal(found.evaluations, [1, 1])


# How batches are made.


def test_results_do_not_depend_on_the_size_of_a_batch():
    start = np.clip(_random(9, 5), -2, 2)
    many = attacks.BatchedLBFGSB(batch_size=64)(_rosenbrock, start, bounds=(-2, 2))
    for size in (1, 4, 9):
        few = attacks.BatchedLBFGSB(batch_size=size)(_rosenbrock, start, bounds=(-2, 2))
        for one, other in zip(many, few, strict=True):
            np.testing.assert_array_equal(one, other)


def test_batches_have_few_sizes_and_rows_of_their_own_problems():
    seen = []

    def bowls(points, centers, numbers):
        seen.append(len(points))
        np.testing.assert_array_equal(centers[:, 0], numbers)
        away = points - centers
        return (away**4).sum(axis=1), 4 * away**3

    numbers = np.arange(30)
    centers = np.stack([numbers, _random(30)], axis=1)
    found = attacks.BatchedLBFGSB(batch_size=12, factr=0, pgtol=1e-9)(
        bowls, np.zeros((30, 2)), centers, numbers
    )
    np.testing.assert_allclose(found.points, centers, atol=1e-2)
    assert set(seen) <= {12, 8, 4, 2, 1}
    # As many as fit are in work: no batch but the last ones is smaller.
    assert seen == sorted(seen, reverse=True)
    assert seen[0] == 12


def test_no_problems_are_no_work():
    found = attacks.BatchedLBFGSB()(_rosenbrock, np.zeros((0, 3)))
    assert found.points.shape == found.gradients.shape == (0, 3)
    assert len(found.status) == len(found.messages) == 0


def test_blas_has_one_thread_while_problems_are_solved():
    def threads():
        found = threadpoolctl.threadpool_info()
        return [each["num_threads"] for each in found if each["user_api"] == "blas"]

    seen = []

    def bowl(points):
        seen.append(threads())
        return (points**2).sum(axis=1), 2 * points

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads()
        attacks.BatchedLBFGSB()(bowl, np.ones((1, 2)))
        assert threads() == before
    assert seen
    assert all(set(each) == {1} for each in seen)


def test_the_callers_handling_of_errors_is_kept():
    seen = []

    def bowl(points):
        seen.append(np.geterr()["divide"])
        return (points**2).sum(axis=1), 2 * points

    with np.errstate(divide="raise"):
        attacks.BatchedLBFGSB()(bowl, np.ones((1, 2)))
    assert set(seen) == {"raise"}


# What is not finite, and errors.


def _suspended():
    """Greenlets that are not at their end, but for the main one."""
    gc.collect()
    alive = [each for each in gc.get_objects() if isinstance(each, greenlet.greenlet)]
    return [each for each in alive if each and each.parent is not None]


@pytest.mark.parametrize("where", ["value", "gradient"])
@pytest.mark.parametrize("what", [np.nan, np.inf, -np.inf])
def test_a_problem_that_is_not_finite_ends_alone(where, what):
    start = np.clip(_random(7, 4), -2, 2)
    asked = np.zeros(7, int)

    def function(points, numbers):
        values, gradients = _rosenbrock(points)
        for k, number in enumerate(numbers):
            asked[number] += k == list(numbers).index(number)
            if (number, asked[number]) in [(2, 5), (5, 1)]:
                if where == "value":
                    values[k] = what
                else:
                    gradients[k, 1] = what
        return values, gradients

    found = attacks.BatchedLBFGSB()(function, start, np.arange(7), bounds=(-2, 2))
    expected = _plain(_rosenbrock, start, -2, 2)
    broken = [2, 5]
    _assert_bits(
        attacks.Minima(*(np.delete(each, broken, axis=0) for each in found)),
        [alone for k, alone in enumerate(expected) if k not in broken],
    )
    np.testing.assert_array_equal(found.status[broken], [lbfgsb.NON_FINITE] * 2)
    np.testing.assert_array_equal(found.evaluations[broken], [5, 1])
    np.testing.assert_array_equal(asked[broken], [5, 1])
    assert 0 < found.iterations[2] < 5
    assert found.iterations[5] == 0
    # The lowest of four, and the start, of which no value is known.
    assert found.values[2] == _rosenbrock(found.points[2:3])[0]
    assert found.values[2] < _rosenbrock(start[2:3])[0]
    np.testing.assert_array_equal(found.points[5], start[5])
    assert np.isnan(found.values[5])
    assert np.isnan(found.gradients[broken]).all()
    assert not _suspended()


def test_a_start_that_is_not_a_number_ends_alone():
    start = np.array([[0.5, 0.5], [np.nan, 0.5]])
    found = attacks.BatchedLBFGSB()(_rosenbrock, start, bounds=(0, 2))
    np.testing.assert_array_equal(found.status, [0, lbfgsb.NON_FINITE])
    np.testing.assert_allclose(found.points[0], [1, 1], atol=1e-4)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, StopIteration])
def test_nothing_stays_suspended_after_an_error(error):
    calls = []

    def function(points):
        calls.append(len(points))
        if len(calls) == 4:
            raise error
        return _rosenbrock(points)

    with pytest.raises(error) as caught:
        attacks.BatchedLBFGSB(batch_size=5)(function, _random(9, 4))
    assert caught.value.__traceback__  # whose frames keep their variables
    assert calls == [5, 5, 5, 5]
    assert not _suspended()


def test_an_error_within_scipy_ends_all(monkeypatch):
    count = []

    def answer(self, *arguments):
        count.append(self)
        if len(count) == 7:
            self._greenlet.throw(KeyboardInterrupt)
        return plain(self, *arguments)

    plain = lbfgsb._Problem.answer
    monkeypatch.setattr(lbfgsb._Problem, "answer", answer)
    with pytest.raises(KeyboardInterrupt):
        attacks.BatchedLBFGSB()(_rosenbrock, _random(4, 3))
    assert not _suspended()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"maxcor": 0}, "`maxcor` must be finite and at least 1.*maxcor=0"),
        ({"factr": -1.0}, "`factr` must be finite and at least 0.*factr=-1"),
        ({"pgtol": np.nan}, "`pgtol` must be finite.*pgtol=nan"),
        ({"maxiter": 0}, "`maxiter` must be .*maxiter=0"),
        ({"maxfun": 1.5}, "`maxfun` must be an integer"),
        ({"batch_size": 0}, "`batch_size` must be .*batch_size=0"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(options, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.BatchedLBFGSB(**options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("start", "data", "bounds", "message"),
    [
        ([1.0, 2.0], (), (0, 3), r"`start` must have the shape \[P, N\].*\(2,\)"),
        (np.ones((2, 0)), (), (0, 3), r"`start` must have .*\(2, 0\)"),
        (np.ones((2, 3)), (np.ones(3),), (0, 3), r"`data` .* 2 of them.*\(3,\)"),
        (np.ones((2, 3)), (1.0,), (0, 3), r"`data` must have a row.*\(\)"),
        (np.ones((2, 3)), (), (0, [1, 1]), r"`bounds` must be .*\(2,\).*\(2, 3\)"),
        (np.ones((2, 3)), (), (2, 0), "`bounds` must be .low, high., low at most"),
        (np.ones((2, 3)), (), (np.nan, 3), "`bounds` must be .low, high., low at"),
        (
            [[0.0, 1.0], [0.5, 1.5]],
            (),
            (0, [1, 1.25]),
            r"start\[1, 1\]=1.5 outside of \[0.0, 1.25\] in problem 1",
        ),
    ],
)
def test_problems_that_do_not_fit_are_one_line(start, data, bounds, message):
    def never(points, *data):
        raise AssertionError

    with pytest.raises(ValueError, match=message) as error:
        attacks.BatchedLBFGSB()(never, start, *data, bounds=bounds)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "function",
    [
        lambda points: (points[:, :1], points),
        lambda points: (points[0], points),
        lambda points: (points[:, 0], points[:, 0]),
    ],
)
def test_answers_of_another_shape_are_refused(function):
    message = r"`value_and_gradients` must return values \[B\] and gradients \[B, N\]"
    with pytest.raises(ValueError, match=message):
        attacks.BatchedLBFGSB()(function, np.ones((3, 2)))
    assert not _suspended()


def test_greenlet_is_imported_with_its_use(run_python):
    code = "import sys, tfsemae.attacks; print('greenlet' in sys.modules)"
    ended = run_python("-c", code)
    assert (ended.status, ended.out) == (0, "False\n")
