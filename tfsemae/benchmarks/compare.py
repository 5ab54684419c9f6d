"""Programs that are measured in turn, and what came of it. Free of TensorFlow."""

import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tfsemae import files

Key = TypeVar("Key")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One comparison; a row of `results/benchmarks/<name>.json`.

    Attributes:
        case: what is compared.
        threads: in use on either side.
        repeats: turns of which the rates are the medians.
        unit: of the rates, of which more is better.
        ours: our rate.
        peer: the rate of the peer.
        peer_name: what the peer is.
        outcome_ours: what our work led to, such as a loss; None if nothing.
        outcome_peer: the same of the peer.
    """

    case: str
    threads: int
    repeats: int
    unit: str
    ours: float
    peer: float
    peer_name: str
    outcome_ours: float | None = None
    outcome_peer: float | None = None

    @property
    def ratio(self) -> float:
        """Our rate by that of the peer: above 1, ours is faster."""
        return self.ours / self.peer


class Program(contextlib.AbstractContextManager):
    """A program that does the same work once per turn, in a process of its own.

    It writes a line of JSON when it has warmed up, then for each line that it
    reads does its work and writes its rate; where its input ends, so does it.
    A program that waits for its turn does not compute.

    Attributes:
        said: the object of its first line, empty until `wait`.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ):
        """Starts the program; leaving the context kills it.

        Args:
            command: the program and its arguments.
            environment: variables on top of those of this process.
        """
        self.said: dict[str, Any] = {}
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | (environment or {}),
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout
        self._command = " ".join(command)

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self._output.close()
        self._errors.close()
        with contextlib.suppress(BrokenPipeError):
            self._input.close()

    def wait(self) -> None:
        """Waits until it has warmed up.

        Raises:
            ChildProcessError: if the program ended instead.
        """
        self.said = self._answer()

    def turn(self) -> float:
        """Does its work once.

        Returns:
            The rate.

        Raises:
            ChildProcessError: if the program ended instead.
        """
        return at_once([self])[0]

    def _begin(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # `_answer` tells why
            self._input.write("\n")
            self._input.flush()

    def _answer(self) -> Any:
        line = self._output.readline()
        if line:
            return json.loads(line)
        status = self._process.wait()
        self._errors.seek(0)
        last = self._errors.read().strip().rpartition("\n")[2]
        raise ChildProcessError(f"{self._command} ended with status {status}: {last}")


def at_once(programs: Sequence[Program]) -> list[float]:
    """Lets programs do their work at the same time.

    Args:
        programs: all of them warmed up.

    Returns:
        The rate of each.

    Raises:
        ChildProcessError: if one of them ended instead.
    """
    for program in programs:
        program._begin()
    return [program._answer() for program in programs]


def module(name: str, folder: pathlib.Path) -> list[str]:
    """The command of one of our programs, with the folder of its workload."""
    return [sys.executable, "-m", f"tfsemae.benchmarks.{name}", f"--folder={folder}"]


def script(name: str) -> str:
    """The path of a program for another interpreter."""
    return str(pathlib.Path(__file__).with_name(f"{name}.py"))


def in_turn(
    measures: Mapping[Key, Callable[[], float]], repeats: int
) -> dict[Key, float]:
    """Measures A, B, ..., A, B, ..., so that a drift of the machine meets all.

    Args:
        measures: name -> what gives a rate.
        repeats: how often each is called.

    Returns:
        Name -> the median of its rates.
    """
    rates: dict[Key, list[float]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            rates[name].append(measure())
    return {name: statistics.median(found) for name, found in rates.items()}


def against(
    ours: Program,
    peers: Iterable[tuple[str, Program]],
    *,
    case: str,
    threads: int,
    repeats: int,
    unit: str,
) -> list[Case]:
    """Measures a program and its peers in turn, and ends them.

    The first line of each has the key `outcomes`, a list of numbers, whose mean is the
    outcome of the case.

    Args:
        ours: our program.
        peers: names of the others, and these.
        case: what is compared.
        threads: of each program.
        repeats: turns of each program.
        unit: of the rates.

    Returns:
        A case for each peer.

    Raises:
        ChildProcessError: if a program fails.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(ours)
        others = {name: stack.enter_context(program) for name, program in peers}
        for program in (ours, *others.values()):
            program.wait()
        turns = {name: program.turn for name, program in others.items()}
        rates = in_turn({"": ours.turn} | turns, repeats)
    return [
        Case(
            case=case,
            threads=threads,
            repeats=repeats,
            unit=unit,
            ours=rates[""],
            peer=rates[name],
            peer_name=name,
            outcome_ours=statistics.fmean(ours.said["outcomes"]),
            outcome_peer=statistics.fmean(program.said["outcomes"]),
        )
        for name, program in others.items()
    ]


def write(
    path: files.PathLike,
    *,
    name: str,
    command: str,
    machine: Mapping[str, Any],
    versions: Mapping[str, str | int],
    cases: Sequence[Case],
) -> None:
    """Writes a benchmark as JSON.

    Args:
        path: the file.
        name: of the benchmark.
        command: that measures the same again.
        machine: it ran on.
        versions: of the packages, those of the peers among them.
        cases: what was found.
    """
    rows = [dataclasses.asdict(case) | {"ratio": case.ratio} for case in cases]
    files.write_json(
        path,
        {
            "name": name,
            "command": command,
            "machine": machine,
            "versions": versions,
            "cases": rows,
        },
    )


def table(cases: Sequence[Case]) -> str:
    """Cases as lines of text with aligned columns, above them their names."""
    rows = [
        ("case", "threads", "unit", "ours", "peer", "ratio", "outcomes", "peer is"),
        *map(_row, cases),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _row(case):
    outcomes = [case.outcome_ours, case.outcome_peer]
    return (
        case.case,
        str(case.threads),
        case.unit,
        f"{case.ours:,.1f}",
        f"{case.peer:,.1f}",
        f"{case.ratio:.3f}",
        " / ".join(f"{value:.5f}" for value in outcomes if value is not None),
        case.peer_name,
    )
