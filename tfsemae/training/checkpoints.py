"""Checkpoints from which a run continues bit for bit."""

import hashlib
import json
import math
import pathlib
import warnings
from collections.abc import Callable, Iterable

import keras

from tfsemae import files

_KEPT = 2


class Checkpoints:
    """Weights, optimizer state and step of a run, the two newest kept.

    A checkpoint is `step_00000100.weights.h5` and, written after it,
    `step_00000100.json` with its sha256; without the second it does not count.
    Random numbers and the order of the data are functions of the step, so
    there is nothing else to keep.
    """

    def __init__(self, folder: pathlib.Path, flags: Iterable[str]):
        """Names a run's checkpoints.

        Args:
            folder: where they lie; it need not exist.
            flags: that determine the run; a checkpoint of others is foreign.
        """
        self._folder = folder
        self._run = hashlib.sha256("\n".join(flags).encode()).hexdigest()

    def save(self, model: keras.Model, step: int) -> None:
        """Writes a checkpoint and drops all but the two newest.

        Args:
            model: compiled, its optimizer built.
            step: number of steps done.

        Raises:
            OSError: if it cannot be written; earlier ones stay.
        """
        weights = self._weights(step)
        # h5py prints tracebacks of its own where a disk is full.
        with files.replacing(weights, size=_size(model)) as path:
            model.save_weights(path)
        files.write_json(
            self._record(step),
            {"step": step, "run": self._run, "sha256": files.sha256(weights)},
        )
        # Later ones are of another run, put here by hand; they count for nothing.
        done = [old for old in self.steps() if old <= step]
        for old in done[_KEPT:]:
            self._remove(old)

    def restore(
        self, model: keras.Model, *, usable: Callable[[int], bool] = lambda step: True
    ) -> int:
        """Loads the newest checkpoint that is whole.

        Args:
            model: as it was when saved: compiled, its optimizer built.
            usable: whether the run may go on from a step; checkpoints of other
                steps are removed once another one is loaded.

        Returns:
            The number of steps done; 0 if there are no checkpoints.

        Raises:
            ValueError: if there are checkpoints but none can be loaded.
        """
        steps = self.steps()
        for step in filter(usable, steps):
            try:
                self._load(model, step)
            except (OSError, ValueError, KeyError, TypeError) as error:
                warnings.warn(
                    f"The checkpoint of step {step} in {self._folder} is not "
                    f"good ({error}); trying the one before it.",
                    stacklevel=2,
                )
            else:
                for other in steps:
                    if not usable(other):
                        self._remove(other)
                return step
        if any(map(usable, steps)):
            raise ValueError(
                f"None of the checkpoints in {self._folder} can be loaded. Put a good "
                "one back, or start the run again in another --output_dir."
            )
        return 0

    def steps(self) -> list[int]:
        """Steps of the checkpoints, of foreign and damaged ones too, newest first."""
        found = self._folder.glob("step_*.json")
        return sorted(
            (int(path.stem.removeprefix("step_")) for path in found), reverse=True
        )

    def _load(self, model: keras.Model, step: int) -> None:
        record = json.loads(self._record(step).read_text("utf-8"))
        if record["run"] != self._run:
            raise ValueError("it belongs to a run with other flags")
        if record["sha256"] != files.sha256(self._weights(step)):
            raise ValueError("its sha256 is not the recorded one")
        model.load_weights(self._weights(step))

    def _remove(self, step: int) -> None:
        self._record(step).unlink(missing_ok=True)
        self._weights(step).unlink(missing_ok=True)

    def _record(self, step: int) -> pathlib.Path:
        return self._folder / f"step_{step:08d}.json"

    def _weights(self, step: int) -> pathlib.Path:
        return self._folder / f"step_{step:08d}.weights.h5"


def _size(model: keras.Model) -> int:
    """Bytes of a checkpoint, with a megabyte for the names in it."""
    variables = [*model.variables, *model.optimizer.variables]
    return 4 * sum(math.prod(variable.shape) for variable in variables) + 2**20
