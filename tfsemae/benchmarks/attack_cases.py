"""What the attack benchmark compares. Free of TensorFlow."""

import dataclasses
import json
import pathlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tfsemae.benchmarks.compare import Case, Program, against, module, script
from tfsemae.benchmarks.table1_cases import KEPT, environment

#: Group on the command line -> what its cases are called.
GROUPS = {
    "pgd": "latent PGD",
    "pgd_tensorflow": "latent PGD, libraries on TensorFlow",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "mmd": "maximum mean discrepancy and gradient",
}
_UNITS = {"ssim": "pairs/s", "lpips": "pairs/s", "mmd": "values/s"}

_ART, _FOOLBOX = "adversarial-robustness-toolbox", "foolbox"
#: Packages of --peer_python that a group needs.
WITH_PYTORCH = {
    "pgd": ("torch", _FOOLBOX, _ART),
    "ssim": ("torch", "torchmetrics", "piq"),
    "lpips": ("torch", "torchvision", "torchmetrics", "lpips"),
}
#: Foolbox and ART, and what they attack.
LIBRARIES = ("tensorflow", _FOOLBOX, _ART)
#: Packages of --tensorflow_peer_python that a group needs.
WITH_TENSORFLOW = {"pgd_tensorflow": LIBRARIES}

_CHANNELS_LAST = "--channels_last"


class Torch(NamedTuple):
    """A way to run a peer in PyTorch.

    Attributes:
        name: for a reader.
        flags: of the program.
        variables: of its environment.
    """

    name: str
    flags: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}


#: A loop as one writes it, and in faster layouts.
LOOPS = (
    Torch("PyTorch loop"),
    Torch("PyTorch loop, channels last", (_CHANNELS_LAST,)),
    Torch("PyTorch loop, channels last, freed memory kept", (_CHANNELS_LAST,), KEPT),
)
_LPIPS = (
    Torch("TorchMetrics", ("--library=torchmetrics",)),
    Torch("TorchMetrics, channels last", ("--library=torchmetrics", _CHANNELS_LAST)),
    Torch("TorchMetrics, freed memory kept", ("--library=torchmetrics",), KEPT),
    Torch("lpips", ("--library=lpips",)),
)
_SSIM = (
    Torch("TorchMetrics", ("--library=torchmetrics",)),
    Torch("piq", ("--library=piq",)),
    Torch("piq, freed memory kept", ("--library=piq",), KEPT),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
    """The work that is measured, as programs that do it.

    Attributes:
        folder: of the workload.
        examples: codes that are attacked, and pairs of images.
        batch_size: examples at a time.
        steps: of the attack.
        peer_python: interpreter that has PyTorch and what is built on it.
        tensorflow_peer_python: interpreter that has TensorFlow, Foolbox and ART.
        lpips_weights: folder, see `metrics.LPIPSDistance`.
        lpips_net: the same.
    """

    folder: pathlib.Path
    examples: int
    batch_size: int
    steps: int
    peer_python: str
    tensorflow_peer_python: str
    lpips_weights: pathlib.Path | None
    lpips_net: str

    def write(self) -> None:
        """Writes the workload, which all programs read.

        Raises:
            ChildProcessError: if that fails.
        """
        command = module("attack_workload", self.folder)
        command.append(f"--examples={self.examples}")
        with Program(command, environment()) as program:
            program.wait()

    def ours(self, group: str, threads: int) -> Program:
        """Our program of a group."""
        if group.startswith("pgd"):
            return self.pgd("graph", threads)
        return self.metric(group, threads)

    def peers(self, group: str, threads: int) -> Iterator[tuple[str, Program]]:
        """The peers of a group and their names."""
        if group == "pgd":
            yield "our own without tf.function", self.pgd("eager", threads)
            yield "our own with XLA", self.pgd("xla", threads)
            for way in LOOPS:
                yield way.name, self.peer_pgd("loop", threads, way=way)
            for name, attack in (("Foolbox", "foolbox"), ("ART", "art")):
                yield f"{name} on PyTorch", self.peer_pgd(attack, threads)
        elif group == "pgd_tensorflow":
            for name, attack in (("Foolbox", "foolbox"), ("ART", "art")):
                program = self.peer_pgd(attack, threads, framework="tensorflow")
                yield f"{name} on TensorFlow", program
        elif group == "mmd":
            name = "all differences in memory, N x N x d"
            yield name, self.metric("mmd_of_differences", threads)
        else:
            for way in _SSIM if group == "ssim" else _LPIPS:
                yield way.name, self.torch_metric(group, threads, way)

    def pgd(self, mode: str, threads: int) -> Program:
        """Our attack in one of `keras_pgd.MODES`."""
        command = module("keras_pgd", self.folder)
        command += [*self._flags(threads), f"--steps={self.steps}", f"--mode={mode}"]
        return Program(command, environment())

    def peer_pgd(
        self,
        attack: str,
        threads: int,
        *,
        framework: str = "torch",
        way: Torch = LOOPS[0],
    ) -> Program:
        """An attack of `peer_pgd.ATTACKS`, which needs nothing of tfsemae."""
        on_torch = framework == "torch"
        command = [
            self.peer_python if on_torch else self.tensorflow_peer_python,
            script("peer_pgd"),
            f"--folder={self.folder}",
            *self._flags(threads),
            f"--steps={self.steps}",
            f"--attack={attack}",
            f"--framework={framework}",
            *way.flags,
        ]
        return Program(command, way.variables if on_torch else environment())

    def metric(self, metric: str, threads: int) -> Program:
        """One of `keras_metrics.METRICS`."""
        command = module("keras_metrics", self.folder)
        command += [*self._flags(threads), *self._lpips(metric), f"--metric={metric}"]
        return Program(command, environment())

    def torch_metric(self, metric: str, threads: int, way: Torch) -> Program:
        """SSIM or LPIPS of a library on PyTorch."""
        command = [
            self.peer_python,
            script("torch_metrics"),
            f"--folder={self.folder}",
            *self._flags(threads),
            *self._lpips(metric),
            f"--metric={metric}",
            *way.flags,
        ]
        return Program(command, way.variables)

    def _flags(self, threads: int) -> list[str]:
        return [f"--threads={threads}", f"--batch_size={self.batch_size}"]

    def _lpips(self, metric: str) -> list[str]:
        if metric != "lpips":
            return []
        return [
            f"--lpips_weights={self.lpips_weights}",
            f"--lpips_net={self.lpips_net}",
        ]


def measure(work: Work, group: str, *, threads: int, repeats: int) -> list[Case]:
    """Measures all programs of a group in turn.

    Args:
        work: what to measure; `Work.write` comes first.
        group: of `GROUPS`.
        threads: of each program.
        repeats: turns of each program.

    Returns:
        The cases; outcomes are means over the examples: the damage of an attack, the
        value of a metric.

    Raises:
        ChildProcessError: if a program fails.
    """
    return against(
        work.ours(group, threads),
        work.peers(group, threads),
        case=GROUPS[group],
        threads=threads,
        repeats=repeats,
        unit=_UNITS.get(group, "codes/s"),
    )


def peer_versions(
    cases: Sequence[str],
    peers: Mapping[str, tuple[str, Mapping[str, Sequence[str]]]],
) -> dict[str, str]:
    """The versions of all packages that the peers of cases need.

    Args:
        cases: as on the command line.
        peers: flag that names an interpreter -> the interpreter, and the packages that
            a case needs of it.

    Raises:
        ValueError: see `versions`.
    """
    found: dict[str, str] = {}
    for flag, (python, needed) in peers.items():
        packages = dict.fromkeys(
            name for case in cases for name in needed.get(case, ())
        )
        if packages:
            found |= versions(flag, python, list(packages))
    return found


def versions(flag: str, python: str, packages: Sequence[str]) -> dict[str, str]:
    """The versions of the packages of a peer.

    Args:
        flag: that names the interpreter.
        python: the interpreter.
        packages: that it must have.

    Raises:
        ValueError: if it does not start, or has not all of them.
    """
    code = (
        "import importlib.metadata as m, json, sys;"
        "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    )
    try:
        found = subprocess.check_output(
            [python, "-c", code, *packages], stderr=subprocess.DEVNULL, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise ValueError(
            f"--{flag}={python} does not have all of {', '.join(packages)}. Install "
            "tfsemae[bench], or name an interpreter that has them."
        ) from error
    return json.loads(found)
