"""What a reproduction runs: commands, and which folders they take from each other."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Literal

from tfsemae.run_folder import METRICS_FILE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """A run of a command, into a folder of its own.

    Attributes:
        flags: of the command; none that names a folder of runs.
        command: the door.
        folders: flag -> name of the earlier run whose folder it takes.
    """

    flags: Sequence[str]
    command: Literal["train", "attack"] = "train"
    folders: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def needs(self, runs_dir: pathlib.Path) -> list[pathlib.Path]:
        """The files that must be there before it starts."""
        return [runs_dir / name / METRICS_FILE for name in self.folders.values()]

    def words(self, runs_dir: pathlib.Path) -> list[str]:
        """The command line behind `python -m`, but for `--output_dir`."""
        folders = [f"--{flag}={runs_dir / name}" for flag, name in self.folders.items()]
        return [f"tfsemae.{self.command}", *self.flags, *folders]
