"""The semantic autoencoder of Ming 2022, Table I, trained as `tfsemae.train` does.

A program of the training benchmark with the flags of `tfsemae.train`, of which
--checkpoint_every is the length of a turn in steps. What it writes and reads is
what `compare.Program` says.
"""

import dataclasses
import json
import math
import sys
import time
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from tfsemae import command_line, data, files, models
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training import callbacks, devices, loop

_WORKLOAD = flags.DEFINE_string(
    "workload", None, "Write initial weights, batches and rates here, as npz; no more."
)
_CONSTANT_BATCH = flags.DEFINE_boolean(
    "constant_batch", False, "Take one batch again and again behind the first turn."
)


def main() -> None:
    """Trains turn by turn, or writes the workload."""
    names = [field.name for field in dataclasses.fields(loop.Settings)]
    settings = loop.Settings(**{name: flags.FLAGS[name].value for name in names})
    devices.set_threads(settings.threads)
    images = data.load(
        settings.dataset,
        "train",
        data_dir=settings.data_dir,
        manual_dir=settings.manual_dir,
    )
    autoencoder = models.build(
        settings.model,
        images.images.shape[1:],
        images.class_names,
        initializer=settings.initializer,
        seed=settings.seed,
    )
    batches = data.batches(images, settings.batch_size, seed=settings.seed)
    if _WORKLOAD.value:
        content = workload(autoencoder, batches, settings)
        with files.replacing(_WORKLOAD.value) as path:
            np.savez(path, **content)
        print("{}")
        return
    _train(autoencoder, batches, settings)


def workload(
    autoencoder: Autoencoder, batches: tf.data.Dataset, settings: loop.Settings
) -> dict[str, np.ndarray]:
    """All that another program needs to do the same training.

    Args:
        autoencoder: with its initial weights.
        batches: of `(pixels, labels)`.
        settings: of the training.

    Returns:
        `images` float32 `[T + 1, B, H, W, C]` and `labels` int64 `[T + 1, B]`, the
        batches of a turn and one more; `<part>/<layer>/<kernel or bias>`, the
        weights as Keras has them; `semantic_weight`, `learning_rate`,
        `decay_rate`, `decay_steps` and Adam's `epsilon`.
    """
    content = {
        f"{part.name}/{weight.path}": weight.numpy()
        for part in (autoencoder.encoder, autoencoder.decoder, autoencoder.classifier)
        for weight in part.weights
    }
    taken = batches.take(settings.checkpoint_every + 1).as_numpy_iterator()
    content["images"], content["labels"] = map(np.stack, zip(*taken, strict=True))
    for name in ("semantic_weight", "learning_rate", "decay_rate", "decay_steps"):
        content[name] = np.asarray(getattr(settings, name))
    content["epsilon"] = np.asarray(keras.optimizers.Adam().epsilon)
    return content


def flop(autoencoder: Autoencoder) -> int:
    """Floating-point operations of a training step, per image.

    A layer with a kernel does, at each place where it puts the kernel, one
    multiplication and one addition per weight. Backward it does as many for
    the gradient of its weights and as many for that of its input, which the
    first layer does not need:

        2 * (3 * sum_i M_i - M_1),  M_i = places of layer i * size of its kernel.

    Taps beyond the edge of an image are counted; activations, pooling, losses
    and the optimizer are not.
    """
    counts = [
        # A transposed convolution puts its kernel on each pixel of its input.
        min(math.prod(layer.input.shape[1:-1]), math.prod(layer.output.shape[1:-1]))
        * math.prod(layer.kernel.shape)
        for part in (autoencoder.encoder, autoencoder.decoder, autoencoder.classifier)
        for layer in part.layers
        if hasattr(layer, "kernel")
    ]
    return 2 * (3 * sum(counts) - counts[0])


def _train(
    autoencoder: Autoencoder, batches: tf.data.Dataset, settings: loop.Settings
) -> None:
    network = loop.compiled(autoencoder, settings)
    turn = settings.checkpoint_every
    after_turn = batches.skip(turn).take(1).get_single_element()
    first = _loss(network, batches.take(1).get_single_element())

    def report() -> dict:
        return {
            "losses": [first, _loss(network, after_turn)],
            "flop": flop(autoencoder),
        }

    if _CONSTANT_BATCH.value:
        one = batches.take(1).cache().repeat()
        batches = batches.take(turn).concatenate(one)
    network.fit(
        loop.with_targets(batches, settings.semantic),
        epochs=sys.maxsize,
        steps_per_epoch=turn,
        callbacks=[
            callbacks.StopOnNaN(),
            callbacks.Progress(0, settings.steps),
            _Turns(turn * settings.batch_size, report),
        ],
        shuffle=False,
        verbose=0,
    )


class _Turns(keras.callbacks.Callback):
    """Makes each epoch a turn; the first one is the warm-up."""

    def __init__(self, images, report):
        super().__init__()
        self._images = images
        self._report = report

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None):
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None):
        rate = self._images / (time.perf_counter() - self._began)
        print(json.dumps(rate if epoch else self._report()), flush=True)
        self.model.stop_training = not sys.stdin.readline()


def _loss(network, batch) -> float:
    pixels, labels = batch
    targets = {"reconstruction": pixels, "logits": labels}
    return float(network.compute_loss(pixels, targets, network(pixels)))


if __name__ == "__main__":
    from tfsemae import train  # noqa: F401, for its flags

    command_line.run(main)
