"""What the benchmarks share: flags, and the file of results. Free of TensorFlow."""

import dataclasses
import pathlib
import shlex
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tfsemae import files, run_folder
from tfsemae.benchmarks import compare
from tfsemae.settings import Checked, setting

_FOLDER = "results/benchmarks"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured(Checked):
    """On how many threads and how often something is measured, and where to."""

    threads: tuple[str, ...] = setting(
        ("1", "2"), "Numbers of threads, separated by commas."
    )
    repeats: int = setting(
        7, "Turns of each program; a rate is their median.", lower_bound=1
    )
    output: str | None = setting(
        None,
        f"File of the results. Default: {_FOLDER}/<name of the benchmark>.json.",
        identity=False,
    )

    def __post_init__(self) -> None:
        """Raises ValueError if a number of threads is none."""
        super().__post_init__()
        check_counts("threads", self.threads)


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithPeer(Measured):
    """Where the peers are installed."""

    peer_python: str | None = setting(
        None,
        "Interpreter that has PyTorch and what else the peers of the cases need. "
        "Default: the one in use.",
        identity=False,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class WithPeers(WithPeer):
    """Where the peers are installed, those on TensorFlow apart."""

    tensorflow_peer_python: str | None = setting(
        None,
        "Interpreter that has TensorFlow, Foolbox and ART, for the cases that they "
        "take part in. Default: the one in use.",
        identity=False,
    )


def check_counts(flag: str, counts: Sequence[str]) -> None:
    """Raises ValueError if an entry of a flag is no whole number from 1 on."""
    if not all(count.isdecimal() and int(count) for count in counts):
        raise ValueError(
            f"--{flag}={','.join(counts)} must be whole numbers from 1 on."
        )


def check_cases(cases: Sequence[str], known: Collection[str]) -> None:
    """Raises ValueError if one of --cases is unknown."""
    if not set(cases) <= set(known):
        raise ValueError(f"--cases={','.join(cases)} must be among {', '.join(known)}.")


def interpreter(path: str | None) -> str:
    """The interpreter of a flag, `~` expanded; None is the one in use."""
    return sys.executable if path is None else str(files.path(path))


def measured(
    settings: Measured,
    cases: Sequence[str],
    measure: Callable[[str, int], Sequence[compare.Case]],
) -> list[compare.Case]:
    """Measures cases on each number of threads, and says which.

    Args:
        settings: of the benchmark.
        cases: as on the command line.
        measure: case and number of threads -> what was found.
    """
    found: list[compare.Case] = []
    for threads in map(int, settings.threads):
        for case in cases:
            print(f"Measuring {case}: {threads} thread(s).", file=sys.stderr)
            found += measure(case, threads)
    return found


def writable(settings: Measured, name: str) -> pathlib.Path:
    """The path of --output, its folder made.

    It is asked before the minutes of measuring, and by writing, as root may anywhere.

    Args:
        settings: of the benchmark.
        name: of the benchmark.

    Raises:
        ValueError: if it cannot be written.
    """
    path = files.path(settings.output or f"{_FOLDER}/{name}.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ValueError(
            f"--output={path} cannot be written ({error.strerror}). Name another file."
        ) from error
    if path.is_dir():
        raise ValueError(f"--output={path} is a folder. Name a file.")
    return path


def finish(
    settings: Measured,
    name: str,
    cases: Sequence[compare.Case],
    *,
    machine: Mapping[str, Any],
    versions: Mapping[str, str | int],
) -> None:
    """Prints a table and writes the file.

    Args:
        settings: of the benchmark.
        name: of the benchmark.
        cases: what was found.
        machine: it ran on.
        versions: of the packages, those of the peers among them.
    """
    print(compare.table(cases))
    words = ["python", "-m", f"tfsemae.benchmarks.{name}"]
    compare.write(
        writable(settings, name),
        name=name,
        command=shlex.join([*words, *run_folder.identity(settings)]),
        machine=machine,
        versions=versions,
        cases=cases,
    )
