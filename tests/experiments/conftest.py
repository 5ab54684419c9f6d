import json
import pathlib
import re

import numpy as np
import pytest

from tfsemae import run_folder, settings
from tfsemae.evaluation.attacking import CONDITIONS
from tfsemae.experiments import pictures
from tfsemae.experiments.pictures import Attacked
from tfsemae.reports import Ledger, sentences

_ROOT = pathlib.Path(__file__).parents[2]

_OF_CODES = (
    *("silhouette", "knn_accuracy_anew"),
    *("linear_probe_accuracy", "linear_probe_accuracy_anew"),
)
_WAY = ("projection", "cosine", "remaining_distance")
_SCALED = ("linear_probe_accuracy", "log_variance_ratio", *_WAY)


@pytest.fixture(scope="session")
def attack_metrics():
    """What `metrics.json` of an attack holds."""
    return _attack_metrics


def _attack_metrics(seed=0, psnr=30.0):
    of_codes = dict.fromkeys(_OF_CODES, 0.25 + 0.01 * seed)
    found = {condition: dict(of_codes) for condition in CONDITIONS}
    for condition in CONDITIONS[1:]:
        found[condition] |= {"log_variance_ratio": 0.5, "two_sample_accuracy": 0.75}
    found["adversarial"] |= {"psnr": psnr + seed, "ssim": 0.5}
    found["adversarial"] |= dict.fromkeys(_WAY, 0.7) | {"norm_factor": 1.5}
    found["clean"]["inverse_error"] = found["target"] = 0.2
    found["target"] = {"inverse_error": 0.9}
    for condition in ("adversarial", "noise"):
        for scale in (0.01, 0.1, 0.5, 2, 4):
            found[f"{condition}_scale{scale}"] = dict.fromkeys(_SCALED, 0.5)
    found["noise"] |= dict.fromkeys(_WAY, 0.0)
    found["gradient"] = dict.fromkeys(_SCALED, 0.9)
    return found | {"clipped": {"psnr": 0.5, "ssim": 0.5}}


@pytest.fixture(scope="module", autouse=True)
def _in_the_checkout():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(_ROOT)  # flagfiles are named from there
        yield


@pytest.fixture
def parsed():
    """The settings that a run's command line gives."""

    def parse(run):
        _, *words = run.words(pathlib.Path("runs"), {})
        return settings.parse(run.group, words)

    return parse


@pytest.fixture
def finish(tmp_path, finish_in):
    """Makes the folder of a finished run, without running it."""

    def make(run, metrics, *, seconds=1.0, runs_dir=tmp_path):
        return finish_in(runs_dir, run, metrics, seconds=seconds)

    return make


@pytest.fixture(scope="session")
def finish_in():
    """As `finish`, in a folder of runs."""

    def make(runs_dir, run, metrics, *, seconds=1.0):
        folder = runs_dir / run.name
        folder.mkdir(parents=True)
        _, *words = run.words(runs_dir, {})
        flags = settings.serialized(settings.parse(run.group, words))
        (folder / run_folder.FLAGS_FILE).write_text("\n".join(flags.values()))
        (folder / run_folder.SECONDS_FILE).write_text(json.dumps({"seconds": seconds}))
        (folder / run_folder.METRICS_FILE).write_text(json.dumps(metrics))
        return folder

    return make


@pytest.fixture
def written():
    """Writes a ledger: id -> row, id -> claim, and the names of its pictures."""

    def write(work):
        work.artefact.write_ledger(work)
        found = Ledger.read(work.output_dir)
        for picture in found.pictures:
            assert (work.output_dir / picture.file).stat().st_size < 300_000
        return (
            {row.id: row for row in found.rows},
            {each.id: each for each in found.claims},
            {picture.file for picture in found.pictures},
        )

    return write


@pytest.fixture
def check_text():
    """Checks that a text names only what a ledger has, before it has landed."""

    def check(work):
        found = Ledger.read(work.output_dir)
        text = (sentences.TEXTS / f"{found.source_key}.md").read_text("utf-8")
        named = set(re.findall(rf"\{{{found.artefact}:([\w.-]+)", text))
        assert named
        assert named <= {entry.id for entry in (*found.rows, *found.claims)}
        chosen = sentences.chosen(found.source_key)[found.artefact]
        whole = {each.id for each in found.claims if each.part_of is None}
        assert set(chosen) <= whole

    return check


@pytest.fixture(scope="module")
def attacked():
    """Stands in for the images and latents, which no run has written here."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform(size=(40, 12, 12, 1)).astype(np.float32)
    latents = dict.fromkeys(("clean", "adversarial"), rng.normal(size=(40, 3)))
    found = Attacked(pixels, 0.9 * pixels, latents, np.arange(40) % 2, ("0", "1"))
    maps = {"clean": 0.5, "adversarial": 0.25}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "read_attacked", lambda *arguments: found)
        patch.setattr(
            pictures, "map_silhouette", lambda folder, condition: maps[condition]
        )
        for name in ("image_grid", "embedding", "curves"):
            patch.setattr(pictures.figures, name, lambda *a, **k: None)
        yield found


@pytest.fixture
def latent_attack():
    """Writes what an attack of `--attack=pgd` measured, without running it."""
    return _latent_attack


def _latent_attack(
    folder, slope, *, spread=1.0, examples=12, radii=(0, 1, 3), quantities=(), **found
):
    """SSIM falls by `slope` times the radius, by noise half as fast."""
    rng = np.random.default_rng(0)  # the same images for all
    scales = rng.uniform(0.9, 1.1, examples)
    points = rng.normal(size=(examples, 2))
    points *= spread / np.sqrt(points.var(axis=0).sum())
    metrics = {
        "spread": spread,
        "deviation": points.std(axis=0).tolist(),
        "warnings": [],
        "clean": {"output_diversity": 2.0},
        "classifier_features": {"layer": "hidden", "accuracy": 0.75, "samples": 12},
    } | found
    arrays = {
        "indices": np.arange(examples),
        "clean/point": points,
        "clean/brightness": np.full(examples, 0.5),
        "clean/mse": 0.01 * slope * scales,
        "clean/ssim": 1 - 0.1 * slope * scales,
        "clean/singular_value": np.full(examples, 3.0),
    }
    grids = {f"epsilon{radius:g}": float(radius) for radius in radii}
    grids |= {f"relative_epsilon{share}": share * spread for share in (0.5, 1)}
    for condition, factor in (("pgd", 1.0), ("strong", 1.1), ("noise", 0.5)):
        for name, radius in grids.items():
            damage = factor * slope * radius * scales
            values = {
                "ssim": 1 - damage,
                "ssim_to_input": 0.9 - damage,
                "mse": damage**2,
                "brightness": 0.5 * np.exp(-damage),
                "point": points * (1 - 0.1 * factor * radius / spread),
            } | {quantity: damage for quantity in quantities}
            arrays |= {f"{condition}_{name}/{key}": v for key, v in values.items()}
            metrics[f"{condition}_{name}"] = {
                "output_diversity": 2.0 / (1 + 10 * damage.mean()),
                "output_frechet_distance": 2 * factor * slope * radius,
                "output_frechet_distance_of_logits": factor * slope * radius,
            }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / run_folder.METRICS_FILE).write_text(json.dumps(metrics))
    np.savez(folder / "measurements.npz", **arrays)
    return folder
