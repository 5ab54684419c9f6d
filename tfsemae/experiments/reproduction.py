"""Plans, runs and lands artefacts; the work itself is Snakemake's."""

import importlib.util
import logging
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tfsemae import data, experiments, files
from tfsemae.experiments.artefact import Workspace
from tfsemae.reports import Ledger, ledger, page, readme
from tfsemae.reports.numerals import duration

RESULTS = pathlib.Path("results")
_SNAKEFILE = pathlib.Path(__file__).with_name("Snakefile")
#: Of one run at the scale `smoke`, on a core, with its share of the ledger.
_SMOKE_SECONDS = 6.0
_CLIP_CLASSES = 10  # of CIFAR-10


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
    weights_dir: str | None,
    snakemake: Sequence[str],
    words_file: str | None = None,
    clip_embeddings: str | None = None,
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
        weights_dir: folder of the weights of LPIPS; without it LPIPS is not measured.
        snakemake: further arguments of Snakemake, such as an executor.
        words_file: vectors of the words of classes, see `data.class_vectors`.
        clip_embeddings: of the classes of CIFAR-10, see `data.class_embeddings`.

    Raises:
        ValueError: if this is no checkout, a name is unknown, the embeddings cannot be
            used, or Snakemake fails.
    """
    artefacts = _checked(artefacts)
    if land and scale == "smoke":
        raise ValueError("--land takes full artefacts only. Leave --scale=smoke out.")
    _check_embeddings(clip_embeddings)
    print(_plan(artefacts, scale, cores), flush=True)
    if dry_run:
        return
    _check_snakemake()
    root = files.path(output_dir)
    places = {
        "data_dir": data_dir,
        "manual_dir": manual_dir,
        "weights_dir": weights_dir,
        "words_file": words_file,
        "clip_embeddings": clip_embeddings,
    }
    config = {
        "artefacts": artefacts,
        "scale": scale,
        "output_dir": str(root),
        **{name: str(files.path(p).absolute()) for name, p in places.items() if p},
    }
    root.mkdir(parents=True, exist_ok=True)
    with files.locked(root, "reproduction"):
        files.write_json(root / "config.json", config)
        _run(root / "config.json", cores, snakemake)
        fresh = _ledgers(root / scale)
        if not fresh:  # a dry run of Snakemake, say
            return
        print(_verdicts(fresh, artefacts))
        if land:  # first: the texts may be about what is new in these ledgers
            _land(artefacts, root / scale)
        print(f"Page: {write_page(root / scale)}")


def make(
    artefact: str,
    runs_dir: pathlib.Path,
    root: pathlib.Path,
    scale: str,
    places: Mapping[str, str],
) -> None:
    """Does all runs of an artefact in this process, then writes its ledger."""
    # Each run traces its own networks, of which TensorFlow would warn.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    for run in experiments.artefacts()[artefact].all_runs(scale):
        run.perform(runs_dir, places)
    write_ledger(artefact, runs_dir, root, scale, places)


def write_ledger(
    artefact: str,
    runs_dir: pathlib.Path,
    root: pathlib.Path,
    scale: str,
    places: Mapping[str, str],
) -> None:
    """Makes ledger and pictures of an artefact from its finished runs.

    Args:
        artefact: its name.
        runs_dir: holds the folder of each run, by its name.
        root: of the folder of the artefact.
        scale: `full` or `smoke`.
        places: where data lie, flag -> folder.
    """
    known = experiments.artefacts()[artefact]
    work = Workspace(
        known,
        scale,
        runs_dir,
        root / artefact,
        places.get("data_dir"),
        places.get("words_file"),
        places.get("clip_embeddings"),
    )
    known.write_ledger(work)


def write_page(folder: pathlib.Path) -> pathlib.Path | None:
    """Writes `<folder>/index.html` and a page per source: landed and newly measured.

    Args:
        folder: holds `<artefact>/ledger.json` and the pictures of what was made
            so far; where that is nothing, there is no page.

    Returns:
        The path of the page, or None.
    """
    fresh = _ledgers(folder)
    if not fresh:
        return None
    page.write(
        folder,
        landed(),
        pictures_from=RESULTS,
        fresh=fresh,
        fresh_pictures_from=folder,
    )
    return folder / "index.html"


def landed() -> list[Ledger]:
    """The ledgers in `results/`, in the order of the sources."""
    return _ledgers(RESULTS)


def _ledgers(folder: pathlib.Path) -> list[Ledger]:
    folders = [folder / artefact for artefact in experiments.artefacts()]
    return [Ledger.read(each) for each in folders if (each / ledger.FILE_NAME).exists()]


def _checked(artefacts: Sequence[str]) -> list[str]:
    if not pathlib.Path("flags").is_dir():
        raise ValueError(
            "Reproductions need a checkout: there is no folder flags/ here. Start "
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


def _check_embeddings(path: str | None) -> None:
    """Reads what only a ledger reads, after all runs."""
    if path is None:
        return
    try:
        data.class_embeddings(path, _CLIP_CLASSES)
    except ValueError as error:
        raise ValueError(f"--clip_embeddings: {error}") from error


def _check_snakemake() -> None:
    if importlib.util.find_spec("snakemake") is None:
        raise ValueError(
            "Reproductions need Snakemake, which is not installed. Start "
            "./reproduce.sh, or run: pip install --editable '.[reproduce]'"
        )


def _plan(artefacts: Sequence[str], scale: str, cores: int) -> str:
    """The runs and, by what landed or is expected, how long they take."""
    lines = [f"{'artefact':<32}{'runs':>6}  on one core", "-" * 54]
    took = {each.artefact: each.seconds for each in landed()}
    known, total, complete = experiments.artefacts(), 0.0, True
    for artefact in artefacts:
        count = len(known[artefact].all_runs(scale))
        expected = known[artefact].minutes
        seconds = took.get(artefact, expected and 60 * expected)
        if scale == "smoke":
            seconds = count * _SMOKE_SECONDS
        complete = complete and seconds is not None
        total += seconds or 0.0
        time = "not known yet" if seconds is None else duration(seconds)
        lines.append(f"{artefact:<32}{count:>6}  {time}")
    at_least = "" if complete else "at least "
    lines.append(f"With --cores={cores}: {at_least}{duration(total / cores)}.")
    return "\n".join(lines)


def _run(config: pathlib.Path, cores: int, snakemake: Sequence[str]) -> None:
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(_SNAKEFILE)),
        *("--cores", str(cores), "--rerun-incomplete", "--rerun-triggers", "mtime"),
        # Our own lock goes with its process; Snakemake's outlives kill -9.
        *("--nolock", "--configfile", str(config)),
        *snakemake,
    ]
    code = subprocess.run(command, check=False).returncode
    if code:
        raise ValueError(
            f"Snakemake ended with status {code}; its messages stand above. The same "
            "command continues."
        )


def _verdicts(ledgers: Sequence[Ledger], artefacts: Sequence[str]) -> str:
    """A line for each claim that is no part of another."""
    return "\n".join(
        f"{ledger.artefact}: {claim.statement}: {claim.verdict}"
        for ledger in ledgers
        if ledger.artefact in artefacts
        for claim in ledger.claims
        if claim.part_of is None
    )


def _land(artefacts: Sequence[str], folder: pathlib.Path) -> None:
    for artefact in artefacts:
        pictures = Ledger.read(folder / artefact).pictures
        with files.replacing_folder(RESULTS / artefact) as target:
            target.mkdir()
            for name in (ledger.FILE_NAME, *(picture.file for picture in pictures)):
                shutil.copy(folder / artefact / name, target)
    ledgers = landed()
    page.write(RESULTS, ledgers, pictures_from=RESULTS)
    readme.update("README.md", ledgers)
