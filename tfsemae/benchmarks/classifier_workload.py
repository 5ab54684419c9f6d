"""Writes what all programs of the benchmark of classifiers take.

`classifier.keras` is the network of a training. `workload.npz` has the arrays of
`arrays`, the weights of the network as Keras has them, `classifier/<layer>/<weight>`,
and `stem_stride` `[]`, of the first convolution.
"""

import argparse
import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfsemae import data, files, run_folder
from tfsemae.evaluation import draws
from tfsemae.models.classifier import Classifier

#: Pixels in [0, 1], as the sources have them.
RADIUS, STEP = 8 / 255, 2 / 255
#: Of the training, and of the points that PGD begins at, as in the command.
SEED = 0
#: Of the training; at a rate suited to continuing a training.
OPTIMIZER = {
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "decay_rate": 1.0,
    "sgd_momentum": 0.9,
    "sgd_nesterov": False,
    "weight_decay": 0.0005,
}


def main() -> None:
    """Writes the two files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--model_dir", required=True, help="Of a training.")
    parser.add_argument("--data_dir")
    parser.add_argument("--manual_dir")
    parser.add_argument("--examples", required=True, type=int, help="Of an attack.")
    parser.add_argument("--batch_size", required=True, type=int, help="Of a step.")
    parser.add_argument("--steps", required=True, type=int, help="Of a training turn.")
    given = parser.parse_args()
    classifier = Classifier.load(given.model_dir)
    dataset, classes = run_folder.data_set(given.model_dir, None, None)
    train, test = (
        data.load(
            dataset,
            split,
            data_dir=given.data_dir,
            manual_dir=given.manual_dir,
            classes=classes,
        )
        for split in ("train", "test")
    )
    network = classifier.network
    test = _answered(network, test, given.examples)
    network.save(given.folder / "classifier.keras")
    content: dict[str, Any] = arrays(
        train,
        test,
        batch_size=given.batch_size,
        steps=given.steps,
    )
    content["stem_stride"] = np.asarray(network.get_layer("stem").strides[0])
    content |= {f"classifier/{each.path}": each.numpy() for each in network.weights}
    with files.replacing(given.folder / "workload.npz") as path:
        np.savez(path, **content)
    print("{}")


def arrays(
    train: data.Images, test: data.Images, *, batch_size: int, steps: int
) -> dict[str, np.ndarray]:
    """Images, and the random numbers of attacks.

    Args:
        train: labelled images to train on.
        test: N labelled images to attack.
        batch_size: B, of the training.
        steps: T, of a turn of the training.

    Returns:
        `images` float32 `[N, H, W, C]` in [0, 1], `labels` int64 `[N]`, and `starts`
        `[N, H, W, C]` in [-1, 1], points of the ball in units of its radius;
        `train_images` `[T + 1, B, H, W, C]` and `train_labels` `[T + 1, B]`, the
        batches of a turn and one more; `normal` `[T, B, H, W, C]`, what a step of the
        procedure trades draws.
    """
    batches = data.batches(train, batch_size, seed=SEED).take(steps + 1)
    pixels, labels = map(np.stack, zip(*batches.as_numpy_iterator(), strict=True))
    shape = test.images.shape[1:]
    assert test.labels is not None
    return {
        "images": data.pixels(test),
        "labels": test.labels,
        "starts": draws.in_unit_ball([SEED, 0, 0], shape, "linf")(len(test)),
        "train_images": pixels,
        "train_labels": labels,
        "normal": np.stack([_normal(pixels[0].shape, step) for step in range(steps)]),
    }


def _answered(network: keras.Model, images: data.Images, count: int) -> data.Images:
    """The first images with the right answer, which alone the commands attack."""
    answers = np.argmax(network.predict(data.pixels(images), verbose=0), axis=1)
    return data.take(images, np.flatnonzero(answers == images.labels)[:count])


def _normal(shape: tuple[int, ...], step: int) -> np.ndarray:
    # As `AdversarialModel.train_step` and `inner_attack` draw.
    seed = tf.random.fold_in(
        tf.constant([SEED, step], tf.int64), tf.constant(1, tf.int64)
    )
    return tf.random.stateless_normal(shape, seed, alg="philox").numpy()


if __name__ == "__main__":
    main()
