"""The audit of an autoencoder, from two functions and images to a report."""

import dataclasses
import pathlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from tfsemae import data, files, keras_state
from tfsemae.audit import (
    checks,
    given,
    jacobian,
    nearest,
    page,
    plan,
    subject,
    summary,
    timing,
)
from tfsemae.audit.damage import Compare
from tfsemae.audit.endpoints import Function, Range
from tfsemae.audit.plan import EFFORTS, Plan
from tfsemae.audit.report import Report
from tfsemae.audit.schedule import Schedule
from tfsemae.audit.stages import COSTS, DETECTION, JACOBIANS, Arrays, Stages
from tfsemae.audit.steps import Steps
from tfsemae.audit.subject import Request, Subject
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE, whole, write_npz
from tfsemae.progress import note

PLAN_FILE = "plan.json"


@keras_state.standard()
def audit(
    encode: Function,
    decode: Function,
    images: npt.ArrayLike,
    labels: npt.ArrayLike | None = None,
    *,
    value_range: Range | None = None,
    damage: str | tuple[Compare, float] = "ssim:0.5",
    examples: int | None = None,
    restarts: int | None = None,
    steps: int | None = None,
    budget_minutes: float = 5.0,
    batch_size: int = 100,
    seed: int = 0,
    lpips: Compare | None = None,
    anomaly_label: int | None = None,
    latent_output: int | str | None = None,
    output_dir: files.PathLike | None = None,
    name: str = "two functions",
) -> Report:
    """Measures how robust an autoencoder is.

    Args:
        encode: images `[B, H, W, C]` -> latent `[B, ...]`, a Keras model or another
            function of a tensor, for any B.
        decode: latent -> images `[B, H, W, C]`.
        images: `[N, H, W, C]`, uint8 or floating. Floating ones lie in [0, 1] or in
            the range of the model.
        labels: int `[N]`, or None.
        value_range: (low, high) of the pixels that the model takes and gives; None to
            take that of [0, 1], [-1, 1] and [0, 255] in which it reconstructs best.
        damage: what a perturbation has to do: `ssim:0.5`, `psnr:20`, `mse:0.02`,
            `lpips:0.5`, between the clean reconstruction and the attacked one; or a
            differentiable function of both (`[B, H, W, C]` in [0, 1]) that grows with
            the damage, `[B]`, and the value from which on it is done.
        examples: number of images; None for as many as the budget allows.
        restarts: random points of the strong attack; None for the plan's.
        steps: of the strong attack; None for the plan's.
        budget_minutes: time for all; only without `examples`.
        batch_size: images at a time; no figure depends on it.
        seed: of the choice of images and of all random numbers.
        lpips: perceptual distance, such as `metrics.LPIPSDistance(weights_dir)`.
        anomaly_label: of the class whose images are anomalies.
        latent_output: number or name of the latent among several outputs.
        output_dir: where report, page, pictures and arrays go, and where a later call
            continues; None to keep nothing.
        name: of the model, for the page.

    Returns:
        See `Report`.

    Raises:
        ValueError: if model and images do not fit each other, or an argument is out
            of its range.
    """
    with tempfile.TemporaryDirectory() as temporary:
        return run(
            Request(
                encode=encode,
                decode=decode,
                images=given.images(images, labels, value_range),
                folder=files.path(temporary if output_dir is None else output_dir),
                value_range=value_range,
                damage=damage,
                examples=examples,
                restarts=restarts,
                steps=steps,
                budget_minutes=budget_minutes,
                batch_size=batch_size,
                seed=seed,
                lpips=lpips,
                anomaly_label=None if anomaly_label is None else str(anomaly_label),
                latent_output=latent_output,
                name=name,
            )
        )


def run(request: Request) -> Report:
    """Audits what is asked for, and writes all files into the folder.

    Raises:
        ValueError: see `audit`.
    """
    started = time.monotonic()
    anomaly = _anomaly(request)
    audited = subject.prepare(request)
    effort = {
        "steps": tf.Variable(EFFORTS[-1].steps, trainable=False),
        "rounds": tf.Variable(EFFORTS[-1].rounds, trainable=False),
    }
    of_spaces = [
        Steps(
            space,
            audited.damage,
            audited.measures,
            effort=effort,
            seed=request.seed,
        )
        for space in audited.spaces
    ]
    planned = _plan(audited, of_spaces, started)
    effort["steps"].assign(planned.steps)
    effort["rounds"].assign(planned.rounds)
    schedule = _schedule(request, planned)
    stages = Stages(audited, planned, schedule)
    clean, latents = stages.clean()
    warnings = list(
        checks.of_model(
            audited,
            audited.model.reconstruct(audited.probe).numpy(),
            float(clean["psnr"].mean()),
        )
    )
    found, moved, curves, points, headlines = {}, {}, {}, [], []
    for steps in of_spaces:
        space = steps.space
        given_points = latents if space.name == "latent" else None
        each, moved[space.name], direction = stages.smallest(steps, given_points)
        found[space.name] = each
        radii = stages.radii(space.name, each["epsilon"], each["noise"])
        values = stages.curves(steps, given_points, direction, radii)
        curves[space.name] = [
            point
            for radius, attacked in zip(radii, values, strict=True)
            for point in summary.curve(space, radius, attacked)
        ]
        points += curves[space.name]
        headlines.append(
            summary.smallest(space, audited.damage, audited.powers[space.name], each)
        )
        warnings += checks.of_attacks(space.name, each, values, audited.damage.attacked)
    schedule.begin(JACOBIANS)
    spectra, dimensions, insensitive = _jacobians(
        audited, stages, latents[: jacobian.EXAMPLES]
    )
    warnings += checks.of_dimensions(dimensions, insensitive)
    everyday = summary.disturbed(stages.everyday())
    labels = stages.images.labels
    detection = []
    if anomaly is not None and labels is not None:
        detection = summary.detection(stages.detection(), labels, anomaly)
    _write_arrays(request.folder, stages.places, clean, found)
    pictures = nearest.draw(
        audited, stages.images, latents, found, moved, request.folder
    )
    report = Report(
        audited=summary.audited(
            audited, planned, request.images.digest(), time.monotonic() - started
        ),
        clean=summary.clean(clean),
        smallest=tuple(headlines),
        curves=tuple(points),
        spectra=tuple(spectra),
        dimensions=tuple(dimensions[:10]),
        insensitive=tuple(insensitive),
        everyday=tuple(everyday),
        nearest={
            name: tuple(stages.places[nearest.places(each["epsilon"])].tolist())
            for name, each in found.items()
        },
        classes=tuple(summary.by_class(audited, found, labels)),
        detection=tuple(detection),
        warnings=tuple(warnings),
        figures=summary.figures(headlines, curves),
        pictures=(*pictures, *page.draw_curves(points, audited.damage, request.folder)),
    )
    for line in checks.lines(report.warnings):
        note(line)
    report.write(request.folder)
    page.write(report, request.folder)
    shutil.rmtree(request.folder / "arrays")
    return report


def _anomaly(request: Request) -> int | None:
    """The number of the class of anomalies.

    Raises:
        ValueError: if there are no labels, or no images of it or of others.
    """
    name, images = request.anomaly_label, request.images
    if name is None:
        return None
    if images.labels is None:
        raise ValueError(
            f"--anomaly_label={name} needs labels, and these images have none. Give a "
            "data set with labels."
        )
    if name not in images.class_names:
        raise ValueError(
            f"--anomaly_label={name} is none of the classes "
            f"{', '.join(images.class_names)}."
        )
    number = images.class_names.index(name)
    if len(np.unique(images.labels)) < 2 or number not in images.labels:
        raise ValueError(
            f"--anomaly_label={name} needs images of that class and of others."
        )
    return number


def _plan(audited: Subject, of_spaces: list[Steps], started: float) -> Plan:
    """The effort; that of an earlier start, if there was one."""
    request = audited.request
    available = len(request.images)
    asked = {"restarts": request.restarts, "steps": request.steps}
    stated: dict[str, Any] = {
        name: value for name, value in asked.items() if value is not None
    }
    if request.examples is not None:
        if request.examples > available:
            raise ValueError(
                f"--examples={request.examples} is more than the {available} images "
                "that there are. Ask for fewer."
            )
        return Plan(examples=request.examples, **stated)
    path = request.folder / PLAN_FILE
    identity = [*audited.identity, f"{request.budget_minutes} {stated}"]
    earlier = _earlier_plan(path, identity)
    if earlier is not None:
        return earlier
    note("Timing the searches.")
    timed = [timing.pace(audited, steps) for steps in of_spaces]
    found = plan.within(
        available,
        [pace for pace, _ in timed],
        stated,
        # What is traced later takes about as long as what was timed.
        tracing=sum(seconds for _, seconds in timed),
        spent=time.monotonic() - started,
        budget=60 * request.budget_minutes,
    )
    if found.cut:
        limit = f"To end within {request.budget_minutes:g} minutes"
        note(f"{limit}: {' '.join(found.cut)}")
    files.write_json(path, {"identity": identity, "plan": dataclasses.asdict(found)})
    return found


def _schedule(request: Request, planned: Plan) -> Schedule:
    """The stages that the request has."""
    costs = dict(COSTS)
    if request.anomaly_label is None:
        del costs[DETECTION]
    return Schedule(costs, seconds=planned.seconds)


def _earlier_plan(path: pathlib.Path, identity: list[str]) -> Plan | None:
    record = files.json_or_none(path)
    if record is None or record["identity"] != identity:
        return None
    return Plan(**record["plan"] | {"cut": tuple(record["plan"]["cut"])})


def _jacobians(audited: Subject, stages: Stages, latents: np.ndarray) -> tuple:
    """Spectra of decoder and encoder, and the effect of each number."""
    deviations = audited.deviations
    pixels = data.pixels(stages.images, jacobian.EXAMPLES)
    latent, image = audited.spaces
    spectra = []
    for name, network, points, space in (
        ("decoder", audited.model.decode, latents, latent),
        ("encoder", audited.model.encode, pixels, image),
    ):
        if space.differentiable:  # of images, encoder and decoder are
            spectra.append(
                jacobian.spectrum(
                    name, network, points, deviations[space.name], space.spread
                )
            )
    dimensions, insensitive = jacobian.dimensions(
        audited.model.decode, latents, deviations["latent"], audited.request.seed
    )
    return spectra, dimensions, insensitive


def _write_arrays(
    folder: pathlib.Path,
    places: np.ndarray,
    clean: Mapping[str, np.ndarray],
    found: Arrays,
) -> None:
    """Values of each image: `clean/<metric>`, `<space>/epsilon` and more."""
    arrays = {"places": places}
    for name, values in {"clean": clean, **found}.items():
        arrays |= {f"{name}/{key}": value for key, value in values.items()}
    write_npz(folder / MEASUREMENTS_FILE, whole(arrays))
