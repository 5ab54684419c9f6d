"""What happens between the steps of a run: checks, checkpoints, progress."""

import math
from collections.abc import Mapping

import keras
import tensorflow as tf

from tfsemae.progress import Progress
from tfsemae.training.checkpoints import Checkpoints


class StopOnNaN(keras.callbacks.Callback):
    """Stops a run whose loss is no longer a finite number."""

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, float] | None = None
    ) -> None:
        """Raises FloatingPointError with the step and the terms."""
        bad = [name for name, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            raise FloatingPointError(
                f"Training stopped at step {self.model.steps_done()}: "
                f"{', '.join(bad)} is not a finite number. Lower --learning_rate."
            )

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Raises FloatingPointError before weights are saved that would fail next."""
        bad = [
            weight.path
            for weight in self.model.weights
            if weight.dtype.startswith(("float", "bfloat"))
            and not tf.reduce_all(tf.math.is_finite(weight.value))
        ]
        if bad:
            raise FloatingPointError(
                f"Training stopped after step {self.model.steps_done()}: "
                f"{', '.join(bad)} is not finite. Lower --learning_rate."
            )


class CheckSteps(keras.callbacks.Callback):
    """Stops a run of which Keras does fewer steps than an interval has."""

    def __init__(self, steps: int, every: int):
        """Args: steps: of the whole run. every: steps of an interval."""
        super().__init__()
        self._steps, self._every = steps, every

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Raises ValueError where no interval should end."""
        done = self.model.steps_done()
        if done != self._steps and done % self._every:
            raise ended_early(done, self._steps)


def ended_early(done: int, steps: int) -> ValueError:
    """The error of a run that Keras ended before its time.

    Args:
        done: steps that were done.
        steps: steps that were asked for.
    """
    return ValueError(
        f"Training ended after {done} of --steps={steps} steps. Keras was told to do "
        "fewer: unset KERAS_MAX_EPOCHS, KERAS_MAX_STEPS_PER_EPOCH and their entries in "
        "keras.json, and start it again."
    )


class SaveCheckpoint(keras.callbacks.Callback):
    """Saves a checkpoint at the end of each interval."""

    def __init__(self, checkpoints: Checkpoints):
        """Args: checkpoints: where to."""
        super().__init__()
        self._checkpoints = checkpoints

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """An epoch of Keras is an interval of `--checkpoint_every` steps."""
        self._checkpoints.save(self.model, self.model.steps_done())


class ShowProgress(keras.callbacks.Callback):
    """Shows the steps done, the losses, and the time left."""

    def __init__(self, start_step: int, steps: int):
        """Args: start_step: steps done before. steps: steps of the whole run."""
        super().__init__()
        self._progress = Progress(steps, done=start_step, unit="step", lines=False)

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, float] | None = None
    ) -> None:
        """Moves the bar."""
        self._progress.update(self.model.steps_done())

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Shows the losses."""
        losses = (f"{name} {value:.4f}" for name, value in (logs or {}).items())
        self._progress.line("  ".join(losses))

    def close(self) -> None:
        """Ends the line of the bar."""
        self._progress.close()
