"""Latent PGD on a decoder, as `tfsemae.attack` runs it.

A program of the attack benchmark. A turn attacks all codes of the workload, batch by
batch. What it writes and reads is what `compare.Program` says.
"""

import argparse
import json
import pathlib
import sys
import time

import keras
import numpy as np
import tensorflow as tf

from tfsemae import attacks, devices
from tfsemae.attacks import objectives

#: Graph: as everywhere in tfsemae. Eager: each operation by itself. XLA: compiled.
MODES = ("graph", "eager", "xla")


def main() -> None:
    """Attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--mode", required=True, choices=MODES)
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int)
    parser.add_argument("--steps", required=True, type=int, help="Of the attack.")
    given = parser.parse_args()
    devices.set_threads(given.threads)
    decoder = keras.saving.load_model(given.folder / "decoder.keras")
    with np.load(given.folder / "workload.npz") as workload:
        latents, initial = (
            tf.split(workload[name], _sizes(len(workload[name]), given.batch_size))
            for name in ("latents", "initial")
        )
        epsilon = float(workload["epsilon"])
    attack = attacks.PGD(
        objectives.mean_squared_error(decoder), epsilon=epsilon, steps=given.steps
    )
    # Functions would otherwise be traced: these few operations are not.
    clean = [decoder(batch) for batch in latents]
    tf.config.run_functions_eagerly(given.mode == "eager")
    if given.mode == "xla":
        attack = tf.function(attack, jit_compile=True, autograph=False)

    def run() -> list[float]:
        damage = [
            attack(start, target, initial=begin).objective.numpy()
            for start, target, begin in zip(latents, clean, initial, strict=True)
        ]
        return np.concatenate(damage).tolist()

    print(json.dumps({"outcomes": run()}), flush=True)
    codes = sum(map(len, latents))
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        print(codes / (time.perf_counter() - began), flush=True)


def _sizes(total: int, size: int) -> list[int]:
    return [min(size, total - begin) for begin in range(0, total, size)]


if __name__ == "__main__":
    main()
