"""Plans, runs and lands artefacts; the work itself is Snakemake's."""

import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Sequence

from tfsemae import experiments, files
from tfsemae.reports import Ledger, ledger, page, readme

RESULTS = pathlib.Path("results")
_SNAKEFILE = pathlib.Path(__file__).with_name("Snakefile")


def reproduce(
    artefacts: Sequence[str],
    *,
    scale: str,
    cores: int,
    dry_run: bool,
    land: bool,
    output_dir: str,
    data_dir: str | None,
    manual_dir: str | None,
    snakemake: Sequence[str],
) -> None:
    """Prints the plan, makes the artefacts with Snakemake, and lands them.

    Args:
        artefacts: names; none means all.
        scale: `full` or `smoke`.
        cores: runs at a time.
        dry_run: whether to stop after the plan.
        land: whether to copy the ledgers and pictures into `results/`.
        output_dir: everything that is made; a second start continues.
        data_dir: see `data.load`.
        manual_dir: see `data.load`.
        snakemake: further arguments of Snakemake, such as an executor.

    Raises:
        ValueError: if this is no checkout, a name is unknown, or Snakemake is not
            installed or fails.
    """
    artefacts = _checked(artefacts)
    if land and scale == "smoke":
        raise ValueError("--land takes full artefacts only. Leave --scale=smoke out.")
    print(_plan(artefacts, scale), flush=True)
    if dry_run:
        return
    if importlib.util.find_spec("snakemake") is None:
        raise ValueError(
            "Reproductions need Snakemake, which is not installed. Start "
            "./reproduce.sh, or run: pip install --editable '.[reproduce]'"
        )
    config = {
        "artefacts": artefacts,
        "scale": scale,
        "output_dir": output_dir,
        **{
            name: str(pathlib.Path(value).absolute())
            for name, value in (("data_dir", data_dir), ("manual_dir", manual_dir))
            if value
        },
    }
    pathlib.Path(output_dir).mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(output_dir) / scale
    with files.locked(output_dir, "reproduction"):
        _run(config, cores, snakemake)
        write_page(folder)
    if land:
        _land(artefacts, folder)


def write_page(folder: pathlib.Path) -> None:
    """Writes `<folder>/index.html`: paper, landed and newly measured.

    Args:
        folder: holds `<artefact>/ledger.json` and the pictures of what was made
            so far; where that is nothing, there is no page.
    """
    fresh = _ledgers(folder)
    if not fresh:
        return
    page.write(
        folder / "index.html",
        landed(),
        pictures_from=RESULTS,
        fresh=fresh,
        fresh_pictures_from=folder,
    )


def landed() -> list[Ledger]:
    """The ledgers in `results/`, in the order of the sources."""
    return _ledgers(RESULTS)


def _ledgers(folder: pathlib.Path) -> list[Ledger]:
    folders = [folder / artefact for artefact in experiments.artefacts()]
    return [Ledger.read(each) for each in folders if (each / ledger.FILE_NAME).exists()]


def _checked(artefacts: Sequence[str]) -> list[str]:
    if not pathlib.Path("flags").is_dir():
        raise ValueError(
            "Reproductions want a checkout: there is no folder flags/ here. Start "
            "./reproduce.sh of the checkout."
        )
    known = experiments.artefacts()
    for artefact in artefacts:
        if artefact not in known:
            raise ValueError(
                f"Unknown artefact: expected some of {', '.join(known)}. "
                f"Received: {artefact}."
            )
    return list(artefacts or known)


def _plan(artefacts: Sequence[str], scale: str) -> str:
    """The training runs and, by what landed, how long they take."""
    lines = [f"{'artefact':<30}{'runs':>6}  training on one core", "-" * 58]
    took = {ledger.artefact: ledger.seconds for ledger in landed()}
    modules = experiments.artefacts()
    for artefact in artefacts:
        count = len(modules[artefact].runs(artefact, scale))
        time = "seconds a run" if scale == "smoke" else "not known yet"
        if scale == "full" and artefact in took:
            time = f"{took[artefact] / 60:.0f} min"
        lines.append(f"{artefact:<30}{count:>6}  {time}")
    return "\n".join(lines)


def _run(config: dict, cores: int, snakemake: Sequence[str]) -> None:
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(_SNAKEFILE)),
        *("--cores", str(cores), "--rerun-incomplete", "--rerun-triggers", "mtime"),
        # Our own lock goes with its process; Snakemake's outlives kill -9.
        *("--nolock", "--config"),
        *(f"{name}={json.dumps(value)}" for name, value in config.items()),
        *snakemake,
    ]
    code = subprocess.run(command, check=False).returncode
    if code:
        raise ValueError(
            f"Snakemake ended with status {code}; its messages stand above. The same "
            "command continues."
        )


def _land(artefacts: Sequence[str], folder: pathlib.Path) -> None:
    for artefact in artefacts:
        pictures = Ledger.read(folder / artefact).pictures
        with files.replacing_folder(RESULTS / artefact) as target:
            target.mkdir()
            for name in (ledger.FILE_NAME, *(picture.file for picture in pictures)):
                shutil.copy(folder / artefact / name, target)
    ledgers = landed()
    page.write(RESULTS / "index.html", ledgers, pictures_from=RESULTS)
    readme.update("README.md", ledgers)
