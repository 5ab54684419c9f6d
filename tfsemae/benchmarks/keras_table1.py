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
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import flags
from keras import ops

from tfsemae import command_line, data, devices, files, models
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training import Settings, callbacks
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure
from tfsemae.training.procedures.procedure import StepCounter

_WORKLOAD = flags.DEFINE_string(
    "workload", None, "Write initial weights, batches and rates here, as npz; no more."
)
_CONSTANT_BATCH = flags.DEFINE_boolean(
    "constant_batch", False, "Take one batch again and again behind the first turn."
)
_CHANNEL_BY_CHANNEL = flags.DEFINE_boolean(
    "channel_by_channel", False, "Take a pass per channel, not one pass for all."
)


def main() -> None:
    """Trains turn by turn, or writes the workload."""
    settings = command_line.read(Settings)
    devices.set_threads(settings.run.threads)
    images = data.load(
        settings.data.dataset,
        "train",
        data_dir=settings.data.data_dir,
        manual_dir=settings.data.manual_dir,
        classes=settings.data.classes or (),
    )
    autoencoder = models.build(
        settings.network.model,
        images.images.shape[1:],
        images.class_names,
        seed=settings.run.seed,
        **settings.network.options,
    )
    if _CHANNEL_BY_CHANNEL.value:
        autoencoder = channel_by_channel(autoencoder)
    if _WORKLOAD.value:
        batches = data.batches(
            images, settings.optimizer.batch_size, seed=settings.run.seed
        )
        content = workload(autoencoder, batches, settings)
        with files.replacing(_WORKLOAD.value) as path:
            np.savez(path, **content)
        print("{}")
        return
    _train(autoencoder, images, settings)


def channel_by_channel(autoencoder: Autoencoder) -> Autoencoder:
    """The same function with a pass of the network for each channel.

    Args:
        autoencoder: of images with several channels, which shares its weights.

    Returns:
        The one-channel encoder and decoder applied to one channel after the
        other, their results stacked; the classifier as it was.
    """
    channels = autoencoder.image_shape[-1]
    image = keras.Input(autoencoder.image_shape, name="image")
    encoder = autoencoder.encoder.get_layer("encoder")
    codes = [encoder(plane) for plane in ops.split(image, channels, axis=-1)]
    code = keras.Input((channels, *encoder.output_shape[1:]), name="code")
    decoder = autoencoder.decoder.get_layer("decoder")
    planes = [decoder(of_plane) for of_plane in ops.unstack(code, channels, axis=1)]
    return dataclasses.replace(
        autoencoder,
        encoder=keras.Model(image, ops.stack(codes, axis=1), name="encoder"),
        decoder=keras.Model(code, ops.concatenate(planes, axis=-1), name="decoder"),
    )


def workload(
    autoencoder: Autoencoder, batches: tf.data.Dataset, settings: Settings
) -> dict[str, Any]:
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
    parts = autoencoder.encoder, autoencoder.decoder, autoencoder.classifier
    content = {
        f"{part.name}/{weight.path}": weight.numpy()
        for part in parts
        if part is not None
        for weight in part.weights
    }
    taken = batches.take(settings.run.checkpoint_every + 1).as_numpy_iterator()
    content["images"], content["labels"] = map(np.stack, zip(*taken, strict=True))
    content["semantic_weight"] = np.asarray(settings.procedure.semantic_weight)
    for name in ("learning_rate", "decay_rate", "decay_steps"):
        content[name] = np.asarray(getattr(settings.optimizer, name))
    content["epsilon"] = np.asarray(keras.optimizers.Adam().epsilon)
    return content


def flop(autoencoder: Autoencoder) -> int:
    """Floating-point operations of a training step, per image.

    A layer with a kernel does, at each place where it puts the kernel, one
    multiplication and one addition per weight. Backward it does as many for
    the gradient of its weights and as many for that of its input, which the
    first layer does not need:

        2 * (3 * sum_i M_i - M_1),  M_i = places of layer i * size of its kernel.

    The encoder and the decoder do so for each channel of the image. Taps beyond
    its edge are counted; activations, pooling, losses and the optimizer are not.
    """
    channels = autoencoder.image_shape[-1]
    per_channel = _multiplications(autoencoder.encoder)
    per_channel += _multiplications(autoencoder.decoder)
    total = channels * sum(per_channel) + sum(_multiplications(autoencoder.classifier))
    return 2 * (3 * total - channels * per_channel[0])


def _multiplications(part: keras.Model) -> list[int]:
    """Of each layer that has a kernel; where networks are nested, those within."""
    counts = []
    for layer in part.layers:
        if isinstance(layer, keras.Model):
            counts += _multiplications(layer)
        elif hasattr(layer, "kernel"):
            # A transposed convolution puts its kernel on each pixel of its input.
            sides = layer.input.shape[1:-1], layer.output.shape[1:-1]
            places = min(map(math.prod, sides))
            counts.append(places * math.prod(layer.kernel.shape))
    return counts


def _train(autoencoder: Autoencoder, images: data.Images, settings: Settings) -> None:
    procedure = AutoencoderProcedure(autoencoder, settings)
    network = procedure.model
    batches = procedure.batches(
        images,
        batch_size=settings.optimizer.batch_size,
        seed=settings.run.seed,
        start_step=0,
    )
    turn = settings.run.checkpoint_every
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
        batches,
        epochs=sys.maxsize,
        steps_per_epoch=turn,
        callbacks=[
            callbacks.StopOnNaN(),
            callbacks.ShowProgress(0, settings.optimizer.steps),
            Turns(turn * settings.optimizer.batch_size, report),
        ],
        shuffle=False,
        verbose=0,
    )


class Turns(keras.callbacks.Callback):
    """Makes each epoch a turn; the first one is the warm-up."""

    def __init__(self, images: int, report: Callable[[], dict]):
        """Takes the images of a turn, and what gives the first line."""
        super().__init__()
        self._images = images
        self._report = report

    def on_epoch_begin(
        self, epoch: int, logs: Mapping[str, float] | None = None
    ) -> None:
        """See `keras.callbacks.Callback`."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """See `keras.callbacks.Callback`."""
        rate = self._images / (time.perf_counter() - self._began)
        print(json.dumps(rate if epoch else self._report()), flush=True)
        self.model.stop_training = not sys.stdin.readline()


def _loss(network: StepCounter, batch: tuple) -> float:
    pixels, targets = batch
    return float(network.compute_loss(pixels, targets, network(pixels)))


if __name__ == "__main__":
    command_line.define(Settings)
    command_line.run(main)
