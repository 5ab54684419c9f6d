"""What a reproduction runs: commands, their flags, and the runs that they take."""

import dataclasses
import functools
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfsemae import evaluation, files, run_folder, settings, training

_SETTINGS = {"train": training.Settings, "attack": evaluation.AttackSettings}
#: Where things lie, which does not tell runs apart.
_PLACES = (
    *("output_dir", "data_dir", "manual_dir", "weights_dir", "words_file"),
    "resume",
)


@dataclasses.dataclass(frozen=True)
class Run:
    """A run of a command, into a folder of its own.

    Attributes:
        label: what a reader calls it; letters, digits, `_`, `.` and `-`.
        flags: of the command; none that names a folder of runs.
        command: `train` or `attack`.
        inputs: flag -> the earlier run whose folder it takes.
    """

    label: str
    flags: tuple[str, ...]
    command: str = "train"
    inputs: Mapping[str, "Run"] = dataclasses.field(default_factory=dict)

    @property
    def group(self) -> type:
        """The settings of the command."""
        return _SETTINGS[self.command]

    @functools.cached_property
    def name(self) -> str:
        """The name of its folder: the label, and a hash of all effective flags.

        A changed flagfile or input therefore makes a new run.
        """
        words = tuple(self._words(pathlib.Path(), self.label))
        return f"{self.label}-{_fingerprint(self.command, words, _texts(words))}"

    def words(self, runs_dir: pathlib.Path, places: Mapping[str, str]) -> list[str]:
        """The command line behind `python -m`.

        Args:
            runs_dir: holds the folder of each run.
            places: flag -> folder or file, such as `data_dir`; one that has no effect
                on the run is left out.
        """
        flags = self._words(runs_dir, self.name)
        used = settings.used(settings.parse(self.group, flags))
        words = [f"--{flag}={value}" for flag, value in places.items() if flag in used]
        return [f"tfsemae.{self.command}", *flags, *words]

    def perform(self, runs_dir: pathlib.Path, places: Mapping[str, str]) -> None:
        """Does the run in this process."""
        _, *words = self.words(runs_dir, places)
        chosen: Any = settings.parse(self.group, words)
        if self.command == "train":
            training.train(chosen)
        else:
            evaluation.attack_run(chosen)

    def _words(self, runs_dir: pathlib.Path, name: str) -> list[str]:
        folders = {"output_dir": runs_dir / name}
        folders |= {flag: runs_dir / run.name for flag, run in self.inputs.items()}
        return [*self.flags, *(f"--{flag}={path}" for flag, path in folders.items())]


def _texts(words: Iterable[str]) -> tuple[str, ...]:
    """What the flagfiles of a command line hold."""
    prefix = "--flagfile="
    paths = [word.removeprefix(prefix) for word in words if word.startswith(prefix)]
    return tuple(files.path(path).read_text("utf-8") for path in paths)


# Plans make the same runs again and again, and parsing the flags of all takes seconds.
@functools.cache
def _fingerprint(command: str, words: Sequence[str], texts: tuple[str, ...]) -> str:
    """The hash of all effective flags; `texts` only tells changed flagfiles apart."""
    chosen: Any = settings.parse(_SETTINGS[command], words)
    lines = [
        line
        for flag, line in settings.serialized(chosen).items()
        if flag not in _PLACES
    ]
    return run_folder.fingerprint([command, *sorted(lines)])


def with_inputs(runs: Iterable[Run]) -> list[Run]:
    """The runs and those that they take, each once, inputs first."""
    found: dict[str, Run] = {}
    for run in runs:
        for each in (*with_inputs(run.inputs.values()), run):
            found.setdefault(each.name, each)
    return list(found.values())
