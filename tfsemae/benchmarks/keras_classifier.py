"""Adversarial training and attacks on a classifier, as the commands run them.

A program of the benchmark of classifiers. A turn is so many steps of TRADES, or an
attack on all images of the workload, batch by batch. What it writes and reads is what
`compare.Program` says.
"""

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from tfsemae import attacks, devices, settings, training
from tfsemae.attacks.objectives import cross_entropy
from tfsemae.benchmarks import classifier_workload
from tfsemae.benchmarks.keras_table1 import Turns
from tfsemae.data.pipelines import pipeline_options
from tfsemae.evaluation.attack_registry import RobustAccuracy
from tfsemae.evaluation.classifier_attacks import ClassifierAttacks
from tfsemae.models.classifier import Classifier
from tfsemae.training import callbacks
from tfsemae.training.procedures.adversarial import AdversarialProcedure

WORKS = ("training", "pgd20", "apgd")

#: Images, labels and displacements in units of the radius -> adversarial images.
_Attack = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def main() -> None:
    """Trains or attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, choices=WORKS)
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int, help="Of an attack.")
    parser.add_argument("--apgd_steps", required=True, type=int)
    given = parser.parse_args()
    devices.set_threads(given.threads)
    network = keras.saving.load_model(given.folder / "classifier.keras")
    with np.load(given.folder / "workload.npz") as file:
        workload = {name: file[name] for name in file if "/" not in name}
    if given.work == "training":
        _train(network, workload)
        return
    attack = _attack(network, given.work, given.apgd_steps)
    _turns(network, attack, workload, given.batch_size)


def _train(network: keras.Model, workload: Mapping[str, np.ndarray]) -> None:
    steps, size = workload["normal"].shape[:2]
    values = {
        "dataset": "synthetic",  # not read, the batches are those of the workload
        "model": "preact_resnet8",
        "procedure": "trades",
        "batch_size": size,
        "steps": steps,
        "checkpoint_every": steps,
        "seed": classifier_workload.SEED,
        **classifier_workload.OPTIMIZER,
        "output_dir": "",
    }
    made = settings.make(training.Settings, values)
    procedure = AdversarialProcedure(Classifier.of(network), made)
    *batches, last = zip(
        workload["train_images"], workload["train_labels"], strict=True
    )
    pixels, labels = map(np.stack, zip(*batches, strict=True))
    inputs = {"image": pixels, "adversarial": pixels}
    endless = tf.data.Dataset.from_tensor_slices((inputs, labels)).repeat()
    endless = endless.prefetch(2).with_options(pipeline_options())

    def loss() -> list[float]:
        logits = network(last[0], training=False)
        entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return [float(entropy(last[1], logits))]

    before = loss()

    def report() -> dict[str, list[float]]:
        return {"before": before, "outcomes": loss()}

    procedure.model.fit(
        endless,
        epochs=sys.maxsize,
        steps_per_epoch=steps,
        callbacks=[callbacks.StopOnNaN(), Turns(steps * size, report)],
        shuffle=False,
        verbose=0,
    )


def _attack(network: keras.Model, work: str, apgd_steps: int) -> _Attack:
    def logits(points: tf.Tensor) -> tf.Tensor:
        return network(points, training=False)

    if work == "apgd":
        apgd = attacks.APGD(
            cross_entropy(logits),
            epsilon=classifier_workload.RADIUS,
            steps=apgd_steps,
            bounds=(0.0, 1.0),
        )
        return lambda images, labels, _: apgd(images, labels).adversarial
    radius, step = classifier_workload.RADIUS, classifier_workload.STEP
    chosen = RobustAccuracy(linf_radius=radius, linf_step=step)
    pgd = ClassifierAttacks(logits, chosen).named(work)
    return lambda images, labels, starts: (
        pgd(images, labels, starts[tf.newaxis], (0, 0)).adversarial
    )


def _turns(
    network: keras.Model,
    attack: _Attack,
    workload: Mapping[str, np.ndarray],
    batch_size: int,
) -> None:
    names = ("images", "labels", "starts")
    arrays = tuple(workload[name] for name in names)
    batches = list(tf.data.Dataset.from_tensor_slices(arrays).batch(batch_size))

    def run() -> list[tf.Tensor]:
        return [attack(*each) for each in batches]

    def right(images: tf.Tensor, labels: tf.Tensor) -> np.ndarray:
        answers = tf.argmax(network(images, training=False), axis=1)
        return (answers == labels).numpy()

    robust = [
        100.0 * (right(images, labels) & right(moved, labels))
        for (images, labels, _), moved in zip(batches, run(), strict=True)
    ]
    print(json.dumps({"outcomes": np.concatenate(robust).tolist()}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        print(len(workload["images"]) / seconds, flush=True)


if __name__ == "__main__":
    main()
