"""SSIM and LPIPS of image pairs and the maximum mean discrepancy, as tfsemae has them.

A program of the attack benchmark. A turn measures all pairs of the workload, batch by
batch, or a discrepancy and its gradient some times. What it writes and reads is what
`compare.Program` says.
"""

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfsemae import devices, metrics, objectives

METRICS = ("ssim", "lpips", "mmd", "mmd_of_differences")
_DISCREPANCIES = 5  # per turn


def main() -> None:
    """Measures turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--metric", required=True, choices=METRICS)
    parser.add_argument("--lpips_weights", help="See `metrics.LPIPSDistance`.")
    parser.add_argument("--lpips_net", default="alex")
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int)
    given = parser.parse_args()
    devices.set_threads(given.threads)
    with np.load(given.folder / "workload.npz") as file:
        workload = {name: file[name] for name in file if "/" not in name}
    if given.metric.startswith("mmd"):
        value = objectives.mmd if given.metric == "mmd" else mmd_of_differences
        count, run = _DISCREPANCIES, _gradients(value, workload)
    else:
        count = len(workload["images"])
        if given.metric == "lpips":
            of_pairs = metrics.LPIPSDistance(given.lpips_weights, given.lpips_net)
        else:
            of_pairs = tf.function(metrics.ssim, autograph=False)
        run = _values(of_pairs, workload, given.batch_size)
    print(json.dumps({"outcomes": run()}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        print(count / (time.perf_counter() - began), flush=True)


def mmd_of_differences(codes: tf.Tensor, prior_samples: tf.Tensor) -> tf.Tensor:
    """`objectives.mmd` with all differences of two rows in memory: `[N, M, D]`."""

    def kernel(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        differences = a[:, tf.newaxis] - b[tf.newaxis]
        squares = tf.reduce_sum(tf.square(differences), axis=2)
        return tf.exp(squares / (-2 * a.shape[1]))

    def within(sample: tf.Tensor) -> tf.Tensor:
        values, count = kernel(sample, sample), sample.shape[0]
        others = tf.reduce_sum(values) - tf.linalg.trace(values)
        return others / (count * (count - 1))

    across = tf.reduce_mean(kernel(codes, prior_samples))
    return within(codes) + within(prior_samples) - 2 * across


def _gradients(
    value: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], workload: dict[str, np.ndarray]
) -> Callable[[], list[float]]:
    codes, prior_samples = map(
        tf.constant, (workload["codes"], workload["prior_samples"])
    )

    @tf.function(autograph=False)
    def value_and_gradient(codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(codes)
            found = value(codes, prior_samples)
        return found, tape.gradient(found, codes)

    def run() -> list[float]:
        for _ in range(_DISCREPANCIES):
            found, _ = value_and_gradient(codes)
        return [float(found)]

    return run


def _values(
    of_pairs: Callable[[tf.Tensor, tf.Tensor], tf.Tensor],
    workload: dict[str, np.ndarray],
    batch_size: int,
) -> Callable[[], list[float]]:
    starts = range(0, len(workload["images"]), batch_size)
    batches = [
        [
            tf.constant(workload[name][begin : begin + batch_size])
            for name in ("images", "others")
        ]
        for begin in starts
    ]
    return lambda: np.concatenate([of_pairs(*batch) for batch in batches]).tolist()


if __name__ == "__main__":
    main()
