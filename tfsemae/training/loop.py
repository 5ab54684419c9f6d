"""The training loop: load, build, fit, save, evaluate. It knows no source."""

import contextlib
import pathlib

from tfsemae import data, devices, keras_state, run_folder
from tfsemae.models import saved_model, verification
from tfsemae.progress import note
from tfsemae.training import callbacks, loading, logs
from tfsemae.training.checkpoints import Checkpoints
from tfsemae.training.procedures.adversarial import AdversarialProcedure
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure
from tfsemae.training.procedures.classifier import ClassifierProcedure
from tfsemae.training.procedures.domain_adversarial import DomainAdversarialProcedure
from tfsemae.training.procedures.gan import GanProcedure
from tfsemae.training.procedures.latent_adversarial import LatentAdversarialProcedure
from tfsemae.training.procedures.procedure import Procedure
from tfsemae.training.procedures.recogniser import RecogniserProcedure
from tfsemae.training.procedures.scarl import ScarlProcedure
from tfsemae.training.settings import Settings

_SHOWN = 8  # images in TensorBoard
_HELD_OUT_BATCH = 500
_CLASSIFIERS = {
    "nat": ClassifierProcedure,
    "fgsm": AdversarialProcedure,
    "pgd": AdversarialProcedure,
    "trades": AdversarialProcedure,
    "scarl": ScarlProcedure,
    "domain_adversarial": DomainAdversarialProcedure,
}


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> run_folder.Metrics:
    """Trains in a folder that is locked; see `training.train`."""
    devices.set_threads(settings.run.threads)
    images, test = (loading.load(settings, split) for split in ("train", "test"))
    networks = verification.recorded_weights(loading.networks(settings))
    digests = {"train": images.digest(), "test": test.digest(), **networks}
    digests |= loading.words_digest(settings, images.class_names)
    run_folder.check_inputs(folder, digests)
    training, validation = _split_off(images, settings.data.validation)
    strategy = devices.strategy(settings.run.strategy)
    _check_replicas(settings, strategy.num_replicas_in_sync)
    with strategy.scope():
        procedure: Procedure = _procedure(settings).build(settings, images)
    procedure.check(test, training)
    _fit(procedure, training, validation, settings, folder)
    note("Saving the networks.")
    procedure.networks.save(folder)
    saved_model.export(procedure.networks, folder / "saved_model")
    return procedure.evaluate(test, training, output_dir=folder, seed=settings.run.seed)


def _procedure(
    settings: Settings,
) -> (
    type[AutoencoderProcedure]
    | type[ClassifierProcedure]
    | type[GanProcedure]
    | type[RecogniserProcedure]
):
    if settings.network.spells:
        return RecogniserProcedure
    if settings.network.classifies:
        return _CLASSIFIERS[settings.classifier.procedure or "nat"]
    if settings.procedure.gan.gan_loss is not None:
        return GanProcedure
    if settings.procedure.latent_adversarial.latent_adversarial_steps:
        return LatentAdversarialProcedure
    return AutoencoderProcedure


def _split_off(
    images: data.Images, validation: int
) -> tuple[data.Images, data.Images | None]:
    if not validation:
        return images, None
    if validation >= len(images):
        raise ValueError(
            f"--validation={validation} leaves none of the {len(images)} training "
            "images to train on. Hold fewer out."
        )
    return data.split_off(images, validation)


def _check_replicas(settings: Settings, replicas: int) -> None:
    # The loss is the mean of the devices' means: unequal shares would weigh the
    # images unequally, and Keras stops at some.
    counts = {
        "batch_size": settings.optimizer.batch_size,
        "validation": settings.data.validation,
    }
    for name, count in counts.items():
        if count % replicas:
            raise ValueError(
                f"--strategy=mirrored splits batches equally among {replicas} devices, "
                f"so --{name} must be a multiple of {replicas}. "
                f"Received: --{name}={count}."
            )


def _fit(
    procedure: Procedure,
    training: data.Images,
    validation: data.Images | None,
    settings: Settings,
    folder: pathlib.Path,
) -> None:
    model = procedure.model
    steps, every = settings.optimizer.steps, settings.run.checkpoint_every
    checkpoints = Checkpoints(folder / "checkpoints", run_folder.identity(settings))
    start = _resume(procedure, checkpoints, settings, folder)
    held_out = None
    if validation is not None:
        replicas = model.distribute_strategy.num_replicas_in_sync
        size = _HELD_OUT_BATCH - _HELD_OUT_BATCH % replicas  # equal shares
        held_out = procedure.held_out(validation, size)
    # An epoch of Keras is an interval between checkpoints; what is left behind
    # the last whole interval makes a shorter one.
    whole = steps - steps % every
    intervals = ((start, whole, every), (max(start, whole), steps, steps - whole))
    with contextlib.closing(callbacks.ShowProgress(start, steps)) as progress:
        between_steps = [
            callbacks.StopOnNaN(),
            callbacks.CheckSteps(steps, every),
            # The log first: what it holds behind the checkpoint is cut off, but
            # what it lacked would stay away.
            logs.Log(folder, procedure, data.pixels(training, _SHOWN)),
            callbacks.SaveCheckpoint(checkpoints),
            progress,
        ]
        for begin, end, interval in intervals:
            if begin >= end:
                continue
            model.fit(
                procedure.batches(
                    training,
                    batch_size=settings.optimizer.batch_size,
                    seed=settings.run.seed,
                    start_step=begin,
                ),
                initial_epoch=begin // interval,
                epochs=end // interval,
                steps_per_epoch=interval,
                validation_data=held_out,
                callbacks=between_steps,
                shuffle=False,
                verbose=0,
            )
    if model.steps_done() != steps:
        raise callbacks.ended_early(model.steps_done(), steps)


def _resume(
    procedure: Procedure,
    checkpoints: Checkpoints,
    settings: Settings,
    folder: pathlib.Path,
) -> int:
    """Loads the newest checkpoint, cuts the logs back to it, gives its step."""
    steps, every = settings.optimizer.steps, settings.run.checkpoint_every
    done = max(checkpoints.steps(), default=0)
    if done > steps:
        raise ValueError(
            f"The run in --output_dir={folder} has done {done} steps. "
            f"Received: --steps={steps}. Name another folder for a shorter run."
        )
    # A run that is extended goes on from its last whole interval, as one that is
    # that long from the start.
    start = checkpoints.restore(
        procedure.model, usable=lambda step: step == steps or step % every == 0
    )
    # One entry without a checkpoint is of a run that was killed between the two.
    if not start and logs.entries(folder) > 1:
        raise ValueError(
            f"The log of {folder} reaches step {logs.last_step(folder)}, but there are "
            "no checkpoints. Put them back, or start the run again in another "
            "--output_dir."
        )
    logs.cut(folder, start)
    return start
