"""Attacks of Foolbox and ART on the classifier of a workload, in TensorFlow.

A program for an interpreter that has TensorFlow and the libraries. It needs nothing of
tfsemae but the workload. What it writes and reads is what `compare.Program` says.
"""

import argparse
import itertools
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf

RADIUS, STEP = 8 / 255, 2 / 255

#: Of arrays: images, labels and displacements in units of the radius. Gives
#: adversarial images.
Attack = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def foolbox_pgd(network: keras.Model, batch_size: int, apgd_steps: int) -> Attack:
    """PGD-20 of Foolbox, from given points."""
    del apgd_steps
    import eagerpy
    import foolbox

    model = foolbox.TensorFlowModel(network, bounds=(0, 1), device="/cpu:0")

    class From(foolbox.attacks.LinfProjectedGradientDescentAttack):
        """Of one batch, from the given points."""

        def __init__(self, initial: np.ndarray):
            super().__init__(abs_stepsize=STEP, steps=20, random_start=True)
            self._initial = eagerpy.astensor(tf.convert_to_tensor(initial))

        def get_random_start(self, x0: Any, epsilon: float) -> Any:
            return self._initial

    def attack(
        images: np.ndarray, labels: np.ndarray, starts: np.ndarray
    ) -> np.ndarray:
        found = []
        for begin in range(0, len(images), batch_size):
            rows = slice(begin, begin + batch_size)
            initial = np.clip(images[rows] + RADIUS * starts[rows], 0, 1)
            moved = From(initial).run(
                model,
                tf.convert_to_tensor(images[rows]),
                tf.convert_to_tensor(labels[rows]),
                epsilon=RADIUS,
            )
            found.append(moved.numpy())
        return np.concatenate(found)

    return attack


def art_pgd(network: keras.Model, batch_size: int, apgd_steps: int) -> Attack:
    """PGD-20 of ART, from given points."""
    del apgd_steps
    from art.attacks.evasion import projected_gradient_descent as pgd

    module = pgd.projected_gradient_descent_tensorflow_v2
    method = module.ProjectedGradientDescentTensorFlowV2(
        _art(network),
        norm=np.inf,
        eps=RADIUS,
        eps_step=STEP,
        max_iter=20,
        num_random_init=1,
        batch_size=batch_size,
        verbose=False,
    )

    def attack(
        images: np.ndarray, labels: np.ndarray, starts: np.ndarray
    ) -> np.ndarray:
        displacement = RADIUS * starts.reshape(len(starts), -1)
        begins = itertools.count(0, batch_size)

        def given_points(rows: int, *_: Any) -> np.ndarray:
            begin = next(begins)
            return displacement[begin : begin + rows]

        # It draws by this function, once per batch.
        module.random_sphere = given_points
        return method.generate(images, labels)

    return attack


def art_apgd(network: keras.Model, batch_size: int, apgd_steps: int) -> Attack:
    """APGD of ART on the cross-entropy; it draws the points that it begins at."""
    from art.attacks.evasion import AutoProjectedGradientDescent

    method = AutoProjectedGradientDescent(
        _art(network),
        norm=np.inf,
        eps=RADIUS,
        eps_step=2 * RADIUS,
        max_iter=apgd_steps,
        nb_random_init=1,
        batch_size=batch_size,
        loss_type="cross_entropy",
        verbose=False,
    )
    return lambda images, labels, starts: method.generate(images, labels)


def _art(network: keras.Model) -> Any:
    from art.estimators.classification import TensorFlowV2Classifier

    return TensorFlowV2Classifier(
        network,
        nb_classes=network.output_shape[-1],
        input_shape=network.input_shape[1:],
        loss_object=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        clip_values=(0.0, 1.0),
    )


ATTACKS = {"foolbox_pgd20": foolbox_pgd, "art_pgd20": art_pgd, "art_apgd": art_apgd}


def main() -> None:
    """Attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--attack", required=True, choices=ATTACKS)
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int)
    parser.add_argument("--apgd_steps", required=True, type=int)
    given = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    tf.config.threading.set_inter_op_parallelism_threads(given.threads)
    network = keras.saving.load_model(given.folder / "classifier.keras")
    with np.load(given.folder / "workload.npz") as workload:
        arrays = [workload[name] for name in ("images", "labels", "starts")]
    images, labels, _ = arrays
    attack = ATTACKS[given.attack](network, given.batch_size, given.apgd_steps)
    right = [
        np.argmax(network.predict(each, verbose=0), axis=1) == labels
        for each in (images, attack(*arrays))
    ]
    outcomes = (100.0 * (right[0] & right[1])).tolist()
    print(json.dumps({"outcomes": outcomes}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        attack(*arrays)
        print(len(images) / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    main()
