"""Trains an autoencoder: from flags to a finished folder."""

import contextlib
import dataclasses
import math
import pathlib

import keras
import tensorflow as tf

from tfsemae import data, devices, models, run_folder
from tfsemae.models import saved_model
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training import callbacks, evaluation
from tfsemae.training.checkpoints import Checkpoints

_SHOWN = 8  # images in TensorBoard
_HELD_OUT_BATCH = 500
_STEPS_PER_EXECUTION = 10  # measured: results/benchmarks/training.json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All of one run; each field is the flag of `tfsemae.train` of that name."""

    dataset: str
    classes: list[str] | None
    output_dir: str
    model: str
    semantic: bool
    semantic_weight: float
    shuffle_labels: bool
    decoder_from: str | None
    train_decoder: bool | None
    encoder_from: str | None
    loss: str
    initializer: str
    steps: int
    batch_size: int
    learning_rate: float
    decay_rate: float
    decay_steps: int
    seed: int
    validation: int
    checkpoint_every: int
    steps_per_execution: int | None  # None becomes what suits the rest
    jit_compile: bool
    threads: int
    strategy: str
    resume: bool
    data_dir: str | None
    manual_dir: str | None

    def __post_init__(self):
        if self.steps_per_execution is None:
            counts = (self.steps, self.checkpoint_every)
            together = all(count % _STEPS_PER_EXECUTION == 0 for count in counts)
            fitting = together and self.strategy == "default"
            value = _STEPS_PER_EXECUTION if fitting else 1
            object.__setattr__(self, "steps_per_execution", value)


def train(settings: Settings) -> dict:
    """Trains, saves and evaluates an autoencoder, or continues to do so.

    A second call with equal settings continues where the first was stopped and
    ends with the same weights, optimizer state and step, bit for bit.

    Args:
        settings: of the run.

    Returns:
        What `evaluation.evaluate` measured on the test set, also written to
        `<output_dir>/metrics.json`.

    Raises:
        ValueError: before the first step, if the settings, the data and the
            folder do not suit each other.
        FloatingPointError: if the loss or a weight is no longer finite.
        OSError: if a file can not be written; what is finished stays.

    Source: Ming 2022, sections II and III.
    """
    _check(settings)
    folder = run_folder.check(settings.output_dir)
    run_folder.check_flags(folder, settings, resume=settings.resume)
    if run_folder.is_finished(folder):
        return run_folder.read_metrics(folder)
    devices.set_threads(settings.threads)
    source = {
        "data_dir": settings.data_dir,
        "manual_dir": settings.manual_dir,
        "classes": settings.classes or (),
    }
    images = data.load(settings.dataset, "train", **source)
    test = data.load(settings.dataset, "test", **source)
    if settings.semantic and images.labels is None:
        raise ValueError(
            f"--dataset={settings.dataset} has no labels, which --semantic needs. "
            "Leave --semantic out or name a labelled data set."
        )
    training, validation = images, None
    if settings.validation:
        training, validation = _split_off(images, settings.validation)
    strategy = devices.strategy(settings.strategy)
    _check_replicas(settings, strategy.num_replicas_in_sync)
    with strategy.scope():
        autoencoder = models.build(
            settings.model,
            images.images.shape[1:],
            images.class_names if settings.semantic else (),
            initializer=settings.initializer,
            seed=settings.seed,
        )
        _begin_with(autoencoder.decoder, settings.decoder_from, "decoder")
        _begin_with(autoencoder.encoder, settings.encoder_from, "encoder")
        if settings.decoder_from and not settings.train_decoder:
            autoencoder.decoder.trainable = False
        network = compiled(autoencoder, settings)
    evaluation.check(autoencoder, test, training)
    with run_folder.locked(folder, settings):
        _fit(network, training, validation, settings, folder)
        autoencoder.save(folder)
        saved_model.export(autoencoder, folder / "saved_model")
        return evaluation.evaluate(
            autoencoder,
            test,
            training,
            output_dir=folder,
            seed=settings.seed,
        )


def _check(settings: Settings) -> None:
    for name in ("steps", "checkpoint_every"):
        if getattr(settings, name) % settings.steps_per_execution:
            raise ValueError(
                f"--{name}={getattr(settings, name)} is not a multiple of "
                f"--steps_per_execution={settings.steps_per_execution}. "
                "Change one of them."
            )
    for name in ("semantic_weight", "learning_rate", "decay_rate"):
        if not math.isfinite(getattr(settings, name)):
            raise ValueError(
                f"--{name}={getattr(settings, name)} is not a finite number."
            )
    if settings.shuffle_labels and not settings.semantic:
        raise ValueError(
            "--shuffle_labels permutes the labels of the classifier, which only "
            "--semantic has. Add --semantic or leave --shuffle_labels out."
        )
    if settings.train_decoder is not None and settings.decoder_from is None:
        raise ValueError(
            "--train_decoder and --notrain_decoder go with --decoder_from; without it "
            "the decoder is always trained. Name the run whose decoder is meant."
        )
    if settings.strategy == "mirrored" and (settings.steps_per_execution or 1) > 1:
        raise ValueError(
            "--strategy=mirrored runs one step per execution. "
            f"Received: --steps_per_execution={settings.steps_per_execution}."
        )


def _begin_with(part: keras.Model, model_dir: str | None, name: str) -> None:
    """Gives a part the weights of that of an earlier run (Ming 2022, section IV)."""
    if model_dir is None:
        return
    earlier = getattr(Autoencoder.load(model_dir), name)
    # A decoder's weights have the same shapes at each size of the image.
    if _shapes(earlier) != _shapes(part):
        raise ValueError(
            f"--{name}_from={model_dir} has another {name} than this network, whose "
            f"input is {part.input_shape[1:]} and output {part.output_shape[1:]}. Name "
            "a run with images of the same size and channels."
        )
    part.set_weights(earlier.get_weights())


def _shapes(part: keras.Model) -> list[tuple[int | None, ...]]:
    weights = [weight.shape for weight in part.weights]
    return [part.input_shape, part.output_shape, *weights]


def _check_replicas(settings: Settings, replicas: int) -> None:
    # The loss is the mean of the devices' means: unequal shares would weigh the
    # images unequally, and Keras stops at some.
    for name in ("batch_size", "validation"):
        if getattr(settings, name) % replicas:
            raise ValueError(
                f"--strategy=mirrored splits batches equally among {replicas} devices, "
                f"so --{name} must be a multiple of {replicas}. "
                f"Received: --{name}={getattr(settings, name)}."
            )


def _split_off(images: data.Images, validation: int) -> tuple[data.Images, data.Images]:
    if validation >= len(images):
        raise ValueError(
            f"--validation={validation} leaves none of the {len(images)} training "
            "images to train on. Hold fewer out."
        )
    return data.split_off(images, validation)


def compiled(autoencoder: Autoencoder, settings: Settings) -> keras.Model:
    """The network with optimizer and losses as they are trained.

    Args:
        autoencoder: its parts are trained in place.
        settings: of which loss, weights, rates and execution count.

    Returns:
        `autoencoder.joint()`, compiled, its optimizer built.

    Source: Ming 2022, section III.
    """
    network = autoencoder.joint()
    rate = keras.optimizers.schedules.ExponentialDecay(
        settings.learning_rate,
        decay_steps=settings.decay_steps,
        decay_rate=settings.decay_rate,
        staircase=True,
    )
    loss = {"reconstruction": settings.loss}
    weights = {"reconstruction": 1.0}
    if autoencoder.classifier is not None:
        loss["logits"] = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        weights["logits"] = settings.semantic_weight
    network.compile(
        keras.optimizers.Adam(rate),
        loss=loss,
        loss_weights=weights,
        jit_compile=settings.jit_compile,
        steps_per_execution=settings.steps_per_execution,
    )
    # Before a checkpoint is read: Keras restores only variables that exist.
    network.optimizer.build(network.trainable_variables)
    return network


def _fit(
    network: keras.Model,
    training: data.Images,
    validation: data.Images | None,
    settings: Settings,
    folder: pathlib.Path,
) -> None:
    checkpoints = Checkpoints(
        folder / "checkpoints", run_folder.identity_flags(settings)
    )
    start = _resume(network, checkpoints, settings.checkpoint_every, folder)
    shown = next(iter(data.batches(training, _SHOWN, shuffle=False)))
    held_out = None
    if validation is not None:
        replicas = network.distribute_strategy.num_replicas_in_sync
        size = _HELD_OUT_BATCH - _HELD_OUT_BATCH % replicas  # equal shares
        batches = data.batches(validation, size, shuffle=False)
        held_out = with_targets(batches, settings.semantic)
    # An epoch of Keras is an interval between checkpoints; what is left behind
    # the last whole interval makes a shorter one.
    steps, every = settings.steps, settings.checkpoint_every
    whole = steps - steps % every
    intervals = ((start, whole, every), (max(start, whole), steps, steps - whole))
    with contextlib.closing(callbacks.Progress(start, steps)) as progress:
        beside = [
            callbacks.StopOnNaN(),
            # The log first: what it holds behind the checkpoint is cut off, but
            # what it lacked would stay away.
            callbacks.Log(folder, tf.nest.flatten(shown)[0]),
            callbacks.SaveCheckpoint(checkpoints),
            progress,
        ]
        for begin, end, interval in intervals:
            if begin >= end:
                continue
            batches = data.batches(
                training,
                settings.batch_size,
                seed=settings.seed,
                start_step=begin,
                shuffle_labels=settings.shuffle_labels,
            )
            network.fit(
                with_targets(batches, settings.semantic),
                initial_epoch=begin // interval,
                epochs=end // interval,
                steps_per_epoch=interval,
                validation_data=held_out,
                callbacks=beside,
                shuffle=False,
                verbose=0,
            )


def _resume(
    network: keras.Model, checkpoints: Checkpoints, every: int, folder: pathlib.Path
) -> int:
    """Loads the newest checkpoint, cuts the logs back to it, gives its step."""
    start, logged = checkpoints.restore(network), callbacks.last_step(folder)
    if not start and logged > every:
        raise ValueError(
            f"The log of {folder} reaches step {logged}, but there are no checkpoints. "
            "Put them back, or start the run again in another --output_dir."
        )
    callbacks.cut_logs(folder, start)
    return start


def with_targets(batches: tf.data.Dataset, semantic: bool) -> tf.data.Dataset:
    """Puts what each output is compared with beside the images.

    Args:
        batches: of `data.batches`.
        semantic: whether the network has logits; then the batches have labels.

    Returns:
        Batches of (images, {"reconstruction": images, "logits": labels}).
    """

    def split(images, labels=None):
        targets = {"reconstruction": images}
        return images, targets | {"logits": labels} if semantic else targets

    return batches.map(split)
