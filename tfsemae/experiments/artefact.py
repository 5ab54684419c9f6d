"""An artefact: a table or figure of a source, from its plan to its ledger."""

import dataclasses
import importlib
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

from tfsemae import run_folder, settings
from tfsemae.experiments.runs import Run, with_inputs
from tfsemae.reports.ledger import Choice, Ledger, Scale, Tag
from tfsemae.reports.provenance import environment, revision


@dataclasses.dataclass(frozen=True)
class Artefact:
    """A table or figure of a source.

    Attributes:
        name: `<source>_<artefact>`, also that of its folder in `results/`.
        source: the paper and the tables and figures in it.
        runs: scale -> the runs that `build` reads; those that they take in turn
            need not be named.
        module: of the source's package; its `build(work)` makes pictures, and the
            rest of the ledger's fields.
        reduced: whether it is shorter, or has fewer seeds, than what is printed.
        minutes: what a plan expects at the scale `full`, on one core, until a landed
            ledger tells; None if it is not known.
    """

    name: str
    source: str
    runs: Callable[[str], Sequence[Run]]
    module: str
    reduced: bool = False
    minutes: float | None = None

    def all_runs(self, scale: str) -> list[Run]:
        """All runs, inputs first."""
        return with_inputs(self.runs(scale))

    def write_ledger(self, work: "Workspace") -> pathlib.Path:
        """Makes ledger and pictures of the finished runs.

        Args:
            work: where the runs are, and where to write.

        Returns:
            The path of the ledger.
        """
        # Only here are figures drawn and networks loaded.
        source = self.name.partition("_")[0]
        module = importlib.import_module(f"{__package__}.{source}.{self.module}")
        versions, machine = environment()
        folders = work.folders(self.all_runs(work.scale))
        return Ledger(
            artefact=self.name,
            source=self.source,
            scale=self.ledger_scale(work.scale),
            command=f"./reproduce.sh {self.name} --scale={work.scale}",
            revision=revision(),
            versions=dict(versions),
            machine=dict(machine),
            seconds=sum(map(run_folder.seconds, folders)),
            **module.build(work),
        ).write(work.output_dir)

    def ledger_scale(self, scale: str) -> Scale:
        """What the ledger says of its scale."""
        if scale == "smoke":
            return "smoke"
        return "reduced" if self.reduced else "full"


@dataclasses.dataclass(frozen=True)
class Workspace:
    """What `build` of an artefact takes: finished runs, and where to write.

    Attributes:
        artefact: what is built.
        scale: `full` or `smoke`.
        runs_dir: holds the folder of each run.
        output_dir: of ledger and pictures.
        data_dir: see `data.load`.
        words_file: see `data.class_vectors`.
        clip_embeddings: see `data.class_embeddings`.
    """

    artefact: Artefact
    scale: str
    runs_dir: pathlib.Path
    output_dir: pathlib.Path
    data_dir: str | None = None
    words_file: str | None = None
    clip_embeddings: str | None = None

    def folder(self, run: Run) -> pathlib.Path:
        """The folder of a run."""
        return self.runs_dir / run.name

    def folders(self, runs: Sequence[Run]) -> list[pathlib.Path]:
        """The folders of runs."""
        return [self.folder(run) for run in runs]

    def choice(self, flag: str, run: Run, reason: str) -> Choice:
        """A setting that the source does not print, as a run had it."""
        found: Any = run_folder.read_settings(self.folder(run), run.group)
        value = settings.flat(found)[flag]
        if isinstance(value, tuple):  # as on the command line
            value = ",".join(value)
        return Choice(flag=flag, value=value, reason=reason)

    def tag(self, printed: float | None) -> Tag:
        """How a row relates to the source's.

        Args:
            printed: the source's number, or None.
        """
        if self.scale == "smoke":  # of other data
            return "stand-in"
        if self.artefact.reduced:
            return "reduced"
        return "our choice" if printed is None else "as printed"
