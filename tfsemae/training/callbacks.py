"""What happens beside the steps of a run: checkpoints, logs, progress."""

import csv
import datetime
import math
import pathlib
import sys
import time
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from tensorboard.compat.proto import event_pb2
from tqdm import tqdm

from tfsemae import files
from tfsemae.training.checkpoints import Checkpoints

_CSV = "log.csv"
_EVENTS = "tensorboard"
_EVENT_ERRORS = (tf.errors.OpError,)


class StopOnNaN(keras.callbacks.Callback):
    """Stops a run whose loss is no longer a finite number."""

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, float] | None = None
    ) -> None:
        """Raises FloatingPointError with the step and the terms."""
        bad = [name for name, value in (logs or {}).items() if not math.isfinite(value)]
        if bad:
            raise FloatingPointError(
                f"Training stopped at step {_step(self.model)}: "
                f"{', '.join(bad)} is not a finite number. Lower --learning_rate."
            )

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Raises FloatingPointError before weights are saved that would fail next."""
        bad = [
            weight.path
            for weight in self.model.weights
            if not tf.reduce_all(tf.math.is_finite(weight.value))
        ]
        if bad:
            raise FloatingPointError(
                f"Training stopped after step {_step(self.model)}: "
                f"{', '.join(bad)} is not finite. Lower --learning_rate."
            )


class SaveCheckpoint(keras.callbacks.Callback):
    """Saves a checkpoint at the end of each interval."""

    def __init__(self, checkpoints: Checkpoints):
        """Args: checkpoints: where to."""
        super().__init__()
        self._checkpoints = checkpoints

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """An epoch of Keras is an interval of `--checkpoint_every` steps."""
        self._checkpoints.save(self.model, _step(self.model))


class Log(keras.callbacks.Callback):
    """Writes losses, rate and time to `log.csv` and to TensorBoard, with pictures.

    One entry per interval, at its last step. `seconds` is the time of training
    so far; what was lost by a kill is not counted.
    """

    def __init__(self, folder: pathlib.Path, images: np.ndarray):
        """Opens the logs of a run; what they hold is kept.

        Args:
            folder: of the run.
            images: float32 `[B, H, W, C]`, shown above their reconstructions.
        """
        super().__init__()
        self._csv = folder / _CSV
        self._images = images
        self._started = time.monotonic() - seconds(folder)
        self._events = folder / _EVENTS
        with files.writing(self._events, errors=_EVENT_ERRORS):
            self._writer = tf.summary.create_file_writer(str(self._events))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Appends an entry; an epoch of Keras is an interval."""
        step = _step(self.model)
        values = {
            "seconds": round(time.monotonic() - self._started, 3),
            "learning_rate": float(self.model.optimizer.learning_rate),
            **(logs or {}),
        }
        self._append({"step": step, **values})
        shown = self.model(self._images, training=False)["reconstruction"]
        pairs = tf.concat([self._images, shown], axis=1)
        with (
            files.writing(self._events, errors=_EVENT_ERRORS),
            self._writer.as_default(step=step),
        ):
            for name, value in values.items():
                tf.summary.scalar(name, value)
            tf.summary.image("reconstructions", pairs, max_outputs=len(pairs))
            self._writer.flush()

    def _append(self, row: Mapping[str, float]) -> None:
        with (
            files.writing(self._csv),
            open(self._csv, "a", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.DictWriter(stream, list(row), lineterminator="\n")
            if not stream.tell():
                writer.writeheader()
            writer.writerow(row)


class Progress(keras.callbacks.Callback):
    """A bar with the time left on a terminal, one line per interval elsewhere."""

    def __init__(self, start_step: int, steps: int):
        """Args: start_step: steps done before. steps: steps of the whole run."""
        super().__init__()
        self._steps = steps
        self._bar = tqdm(
            total=steps,
            initial=start_step,
            unit="step",
            dynamic_ncols=True,
            disable=not sys.stderr.isatty(),
        )
        self._started = time.monotonic()
        self._start_step = start_step

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, float] | None = None
    ) -> None:
        """Moves the bar."""
        self._bar.update(_step(self.model) - self._bar.n)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Shows the losses."""
        losses = {name: f"{value:.4f}" for name, value in (logs or {}).items()}
        self._bar.set_postfix(losses)
        if not self._bar.disable:
            return
        step = _step(self.model)
        rate = (step - self._start_step) / (time.monotonic() - self._started)
        left = datetime.timedelta(seconds=round((self._steps - step) / rate))
        text = "  ".join(f"{name} {value}" for name, value in losses.items())
        print(
            f"step {step}/{self._steps}  {text}  {rate:.1f} steps/s  {left} left",
            file=sys.stderr,
            flush=True,
        )

    def close(self) -> None:
        """Ends the line of the bar, so that what is printed next has its own."""
        self._bar.close()


def seconds(folder: pathlib.Path) -> float:
    """Time that the training of a run took so far, by its log.

    Args:
        folder: of the run.

    Returns:
        Seconds; 0 before the end of the first interval.
    """
    return max((float(row["seconds"]) for row in _rows(folder)), default=0.0)


def last_step(folder: pathlib.Path) -> int:
    """Step of the last entry of the log of a run; 0 without."""
    return max((int(row["step"]) for row in _rows(folder)), default=0)


def cut_logs(folder: pathlib.Path, step: int) -> None:
    """Cuts off log entries behind a step, so that they are not written twice.

    Args:
        folder: of the run.
        step: of the checkpoint from which the run continues.
    """
    path = folder / _CSV
    if path.exists():
        # A line without its end was being written when the run was killed.
        lines = path.read_text("utf-8").splitlines(keepends=True)
        header, *rows = [line for line in lines if line.endswith("\n")] or [""]
        kept = [row for row in rows if int(row.partition(",")[0]) <= step]
        files.write_text(path, "".join([header, *kept]))
    for path in sorted((folder / _EVENTS).glob("events.out.tfevents.*")):
        _cut_events(path, step)


def _step(model: keras.Model) -> int:
    # By way of NumPy: int() does not take a mirrored variable.
    return int(model.optimizer.iterations.numpy())


def _cut_events(path: pathlib.Path, step: int) -> None:
    records = tf.data.TFRecordDataset(str(path)).ignore_errors()
    with (
        files.replacing(path, errors=_EVENT_ERRORS) as temporary,
        tf.io.TFRecordWriter(str(temporary)) as writer,
    ):
        # The last record may be torn, written when the run was killed.
        for record in records.as_numpy_iterator():
            if event_pb2.Event.FromString(record).step <= step:
                writer.write(record)


def _rows(folder: pathlib.Path) -> list[dict[str, str]]:
    if not (folder / _CSV).exists():
        return []
    with open(folder / _CSV, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
