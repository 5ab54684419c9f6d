"""The logs of a run: `log.csv` and TensorBoard, cut back when it continues."""

import csv
import pathlib
import time
import warnings
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from tensorboard.compat.proto import event_pb2

from tfsemae import files
from tfsemae.training.procedures.procedure import Procedure

_CSV = "log.csv"
_EVENTS = "tensorboard"
_EVENT_ERRORS = (tf.errors.OpError,)
_REMEDY = "Remove the lines that are damaged, or the file, and start again."


class Log(keras.callbacks.Callback):
    """Writes losses, rate and time to `log.csv` and to TensorBoard, with pictures.

    One entry per interval, at its last step. `seconds` is the time of training
    so far; what was lost by a kill is not counted.
    """

    def __init__(self, folder: pathlib.Path, procedure: Procedure, images: np.ndarray):
        """Opens the logs of a run; what they hold is kept.

        Args:
            folder: of the run.
            procedure: gives the pictures.
            images: float32 `[B, H, W, C]`, shown above what becomes of them.
        """
        super().__init__()
        self._csv = folder / _CSV
        self._procedure, self._images = procedure, images
        self._started = time.monotonic() - seconds(folder)
        self._events = folder / _EVENTS
        with files.writing(self._events, errors=_EVENT_ERRORS):
            self._writer = tf.summary.create_file_writer(str(self._events))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Appends an entry; an epoch of Keras is an interval."""
        step = self.model.steps_done()
        values = {
            "seconds": round(time.monotonic() - self._started, 3),
            "learning_rate": float(self.model.optimizer.learning_rate),
            **(logs or {}),
        }
        self._append({"step": step, **values})
        made = self._procedure.preview(self._images)
        with (
            files.writing(self._events, errors=_EVENT_ERRORS),
            self._writer.as_default(step=step),
        ):
            for name, value in values.items():
                tf.summary.scalar(name, value)
            if made is not None:
                pairs = tf.concat([self._images, made], axis=1)
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


def seconds(folder: pathlib.Path) -> float:
    """Time that the training of a run took so far, by its log.

    Args:
        folder: of the run.

    Returns:
        Seconds; 0 before the end of the first interval.

    Raises:
        ValueError: if the log is damaged.
    """
    return max((_number(folder, row, "seconds") for row in _rows(folder)), default=0.0)


def last_step(folder: pathlib.Path) -> int:
    """Step of the last entry of the log of a run; 0 without."""
    return int(max((_number(folder, row, "step") for row in _rows(folder)), default=0))


def entries(folder: pathlib.Path) -> int:
    """Number of entries of the log of a run; 0 without."""
    return len(_rows(folder))


def cut(folder: pathlib.Path, step: int) -> None:
    """Cuts off log entries behind a step, so that they are not written twice.

    Args:
        folder: of the run.
        step: of the checkpoint from which the run continues.

    Raises:
        ValueError: if the log is damaged.
    """
    path = folder / _CSV
    rows = _rows(folder)
    kept = [row for row in rows if _number(folder, row, "step") <= step]
    if kept:
        # Lines, not rows, are copied, so that what stays is what was written.
        files.write_text(path, "".join(_lines(folder)[: len(kept) + 1]))
    else:
        # Without its header: a run that begins again may have other columns.
        path.unlink(missing_ok=True)
    if last_step(folder) < step:
        warnings.warn(
            f"{path} has no entry of step {step}, from which the run continues. Its "
            "earlier entries are lost; the networks are not affected.",
            stacklevel=2,
        )
    for events in sorted((folder / _EVENTS).glob("events.out.tfevents.*")):
        _cut_events(events, step)


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


def _lines(folder: pathlib.Path) -> list[str]:
    path = folder / _CSV
    try:
        lines = path.read_text("utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is damaged ({error}). {_REMEDY}") from error
    # A line without its end was being written when the run was killed.
    return [line for line in lines if line.endswith("\n") and line.strip()]


def _rows(folder: pathlib.Path) -> list[dict[str, str]]:
    return list(csv.DictReader(_lines(folder)))


def _number(folder: pathlib.Path, row: Mapping[str, str], name: str) -> float:
    try:
        return float(row[name])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder / _CSV} is damaged: an entry has no number `{name}` "
            f"({', '.join(map(str, row.values()))}). {_REMEDY}"
        ) from error
