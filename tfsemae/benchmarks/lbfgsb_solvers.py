"""The latent attack of Tabacof 2016 by L-BFGS-B, on a dense encoder of random weights.

A program of the benchmark: a turn attacks all pairs with all penalties, its rate is in
problems/s. What it writes and reads is what `compare.Program` says; its first line has
the mean of the final objectives and the number of evaluations.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf
from threadpoolctl import threadpool_limits

from tfsemae import attacks, devices
from tfsemae.attacks import distances, objectives

_LATENT = 20
_TILES = 100  # rows of the released code, all equal but for noise that we have not
_OPTIONS = {
    "maxcor": 25,
    "ftol": 10 * float(np.finfo(np.float64).eps),
    "gtol": 1e-5,
    "maxfun": 15000,
}


Precision: TypeAlias = Literal["float32", "float64"]


class Workload(NamedTuple):
    """P attacks, one of each pair with each penalty."""

    encoder: keras.Model
    start: np.ndarray  # `[P, N]` in [0, 1]
    target: dict[str, tf.Tensor]  # `[P, Z]` each
    penalty: np.ndarray  # float32 `[P]`
    maxiter: int
    dtype: Precision  # of encoder and images


class Found(NamedTuple):
    """What a method found."""

    minima: np.ndarray  # `[P]`
    evaluations: int  # of all problems


def main() -> None:
    """Attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument("--dtype", required=True, choices=("float32", "float64"))
    for name in ("threads", "size", "pairs", "penalties", "width", "maxiter", "batch"):
        parser.add_argument(f"--{name}", required=True, type=int)
    given = parser.parse_args()
    devices.set_threads(given.threads)
    work = workload(
        size=given.size,
        pairs=given.pairs,
        penalties=given.penalties,
        width=given.width,
        maxiter=given.maxiter,
        dtype=given.dtype,
    )
    solve = METHODS[given.method](work, given.batch)
    found = solve()
    minimum = float(np.mean(found.minima))
    line = {"minimum": minimum, "evaluations": found.evaluations}
    print(json.dumps(line), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        solve()
        print(len(work.start) / (time.perf_counter() - began), flush=True)


def workload(
    *, size: int, pairs: int, penalties: int, width: int, maxiter: int, dtype: Precision
) -> Workload:
    """Makes random images, and the encoder N - width - width - 20 of the source.

    Args:
        size: N, of an image.
        pairs: of an image and a target.
        penalties: of each pair, from 2^-20 to 2^20 in equal steps of the logarithm.
        width: of the hidden layers.
        maxiter: iterations of a problem.
        dtype: of the encoder.
    """
    image = keras.Input((size,), dtype=dtype)
    hidden = image
    for seed in (0, 1):
        hidden = _dense(width, seed, dtype, "relu")(hidden)
    outputs = {
        "mean": _dense(_LATENT, 2, dtype)(hidden),
        "log_variance": _dense(_LATENT, 3, dtype)(hidden),
    }
    encoder = keras.Model(image, outputs)
    images = np.random.default_rng(0).uniform(size=(2, pairs, size)).astype(dtype)
    start, other = np.repeat(images, penalties, axis=1)
    grid = 2.0 ** np.linspace(-20, 20, penalties)
    penalty = np.tile(grid, pairs).astype(np.float32)
    return Workload(
        encoder, start, encoder(tf.constant(other)), penalty, maxiter, dtype
    )


def _dense(
    units: int, seed: int, dtype: str, activation: str | None = None
) -> keras.layers.Layer:
    kernel = keras.initializers.GlorotUniform(seed)
    return keras.layers.Dense(units, activation, kernel_initializer=kernel, dtype=dtype)


def batched(work: Workload, batch_size: int) -> Callable[[], Found]:
    """Ours: all problems in one batch."""
    attack = attacks.LBFGSB(
        objectives.posterior_kl(work.encoder),
        start_radius=0.0,
        dtype=work.dtype,
        maxiter=work.maxiter,
        batch_size=batch_size,
    )

    def solve() -> Found:
        result = attack(work.start, work.target, penalty=work.penalty)
        evaluations = int(tf.reduce_sum(result.evaluations))
        return Found(result.minimum.numpy(), evaluations)

    return solve


def single(work: Workload, _: int) -> Callable[[], Found]:
    """SciPy on one problem after the other, with a compiled gradient of one row."""
    return _one_by_one(work, 1)


def tiled(work: Workload, _: int) -> Callable[[], Found]:
    """As `single` with the rows of the released code, of which it takes the mean."""
    return _one_by_one(work, _TILES)


METHODS = {"batched": batched, "single": single, "tiled": tiled}


def _one_by_one(work: Workload, rows: int) -> Callable[[], Found]:
    encoder, dtype = work.encoder, tf.as_dtype(work.dtype)
    bounds = scipy.optimize.Bounds(
        *np.stack([0 * work.start[0], 1 + 0 * work.start[0]])
    )

    @tf.function(autograph=False)
    def compiled(
        point: tf.Tensor, start: tf.Tensor, target: dict, penalty: tf.Tensor
    ) -> tuple:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(point)
            images = tf.tile(tf.cast(point, dtype)[tf.newaxis], [rows, 1])
            distance = tf.reduce_mean(distances.kl(encoder(images), target))
            value = tf.cast(distance, tf.float64)
            value += penalty * tf.reduce_sum(tf.square(point - start))
        return value, tape.gradient(value, point)

    def minimum(k: int) -> Any:
        start = tf.constant(work.start[k], tf.float64)
        target = {name: value[k : k + 1] for name, value in work.target.items()}
        penalty = tf.constant(work.penalty[k], tf.float64)

        def function(point: np.ndarray) -> tuple:
            value, gradient = compiled(tf.constant(point), start, target, penalty)
            return float(value), gradient.numpy()

        return scipy.optimize.minimize(
            function,
            start.numpy(),
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            options=_OPTIONS | {"maxiter": work.maxiter},
        )

    def solve() -> Found:
        with threadpool_limits(1, user_api="blas"):
            found = [minimum(k) for k in range(len(work.start))]
        minima = np.array([one.fun for one in found])
        return Found(minima, sum(one.nfev for one in found))

    return solve


if __name__ == "__main__":
    main()
