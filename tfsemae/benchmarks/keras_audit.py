"""The strong attack and the search of an audit, on latents of a decoder.

A program of the benchmark of audits. A turn takes all latents of the workload, batch by
batch. What it writes and reads is what `compare.Program` says.
"""

import argparse
import json
import math
import pathlib
import sys
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfsemae import attacks, devices
from tfsemae.audit import damage
from tfsemae.audit.attacking import Attacks, Space
from tfsemae.audit.minimal import ROUNDS
from tfsemae.audit.steps import ITERATIONS, Steps
from tfsemae.benchmarks import attack_workload

#: Mean squared error of the search.
LEVEL = 0.01
_DAMAGE = damage.make(f"mse:{LEVEL}", attack_workload.IMAGE_SHAPE)
#: Latents, random starts `[S, B, Z]` and a random direction -> outcome of each.
Batch = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    """Attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--case", required=True, choices=("strong", "search"))
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int)
    parser.add_argument("--restarts", required=True, type=int)
    parser.add_argument("--steps", required=True, type=int, help="Of the attack.")
    given = parser.parse_args()
    devices.set_threads(given.threads)
    decoder = keras.saving.load_model(given.folder / "decoder.keras")
    with np.load(given.folder / "workload.npz") as workload:
        latents, starts, epsilon = (
            workload[name] for name in ("latents", "starts", "epsilon")
        )
    starts = starts[: given.restarts]
    space = Space(
        name="latent",
        network=decoder,
        shape=latents.shape[1:],
        spread=math.sqrt(latents.var(axis=0).sum()),
        bounds=None,
    )
    if given.case == "strong":
        attack = strong(space, float(epsilon), given.steps)
    else:
        attack = search(space, given.steps)

    def run() -> list[float]:
        found = []
        for first in range(0, len(latents), given.batch_size):
            rows = slice(first, first + given.batch_size)
            found.append(attack(latents[rows], starts[:, rows], starts[0, rows]))
        return np.concatenate(found).tolist()

    print(json.dumps({"outcomes": run()}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        print(60 * len(latents) / (time.perf_counter() - began), flush=True)


def strong(space: Space, radius: float, steps: int) -> Batch:
    """The strong attack of one radius; gives the mean squared error."""
    attack = Attacks(space, _DAMAGE, steps=steps)
    singular = attacks.SingularVectors(space.network, iterations=ITERATIONS)
    point = tf.TensorSpec((None, *space.shape), tf.float32)
    several = tf.TensorSpec((None, None, *space.shape), tf.float32)

    @tf.function(input_signature=[point, several], autograph=False)
    def attacked(points: tf.Tensor, starts: tf.Tensor) -> tf.Tensor:
        clean = space.network(points)
        epsilon = tf.fill(tf.shape(points)[:1], radius)
        direction = singular(points).right[:, 0]
        return attack.strong(points, clean, epsilon, starts, direction).objective

    return lambda points, starts, _: attacked(points, starts).numpy()


def search(space: Space, steps: int) -> Batch:
    """The smallest perturbation that does `LEVEL`; gives its norm."""
    effort = {"steps": tf.Variable(steps), "rounds": tf.Variable(ROUNDS)}
    of_space = Steps(space, _DAMAGE, {}, effort=effort, seed=0)

    def searched(
        points: np.ndarray, starts: np.ndarray, normal: np.ndarray
    ) -> np.ndarray:
        found = of_space.smallest(points, starts, normal)
        return found["smallest"]["epsilon"].numpy()

    return searched


if __name__ == "__main__":
    main()
