"""From values of each image to a report."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae.audit import estimates, labelled
from tfsemae.audit.attacking import Space
from tfsemae.audit.damage import Damage
from tfsemae.audit.plan import Plan
from tfsemae.audit.report import (
    Audited,
    Detection,
    Estimate,
    Everyday,
    OfClass,
    Point,
    Smallest,
)
from tfsemae.audit.stages import Arrays
from tfsemae.audit.subject import Subject
from tfsemae.metrics import two_samples
from tfsemae.reports import provenance

_COLLAPSED = 0.01  # of the root mean square of the standard deviations
_LISTED = 1000  # standard deviations


def audited(subject: Subject, plan: Plan, data_digest: str, seconds: float) -> Audited:
    """What was audited, and how."""
    request = subject.request
    deviations = two_samples.deviations(subject.latents).ravel()
    # A median would itself be collapsed where most numbers are.
    typical = float(np.sqrt(np.mean(np.square(deviations))))
    collapsed = np.flatnonzero(deviations <= _COLLAPSED * typical)
    latent, image = subject.spaces
    versions, machine = provenance.environment()
    return Audited(
        model=request.name,
        image_shape=tuple(image.shape),
        latent_shape=tuple(latent.shape),
        value_range=subject.model.value_range,
        range_source=subject.range_source,
        stochastic=subject.model.stochastic,
        latent_spread=latent.spread,
        latent_deviations=tuple(deviations[:_LISTED].tolist()),
        collapsed=tuple(collapsed.tolist()) if len(subject.latents) > 1 else (),
        input_spread=image.spread,
        weights_sha256=subject.weights,
        data_sha256=data_digest,
        dataset=request.dataset,
        images=plan.examples,
        available=len(request.images),
        seed=request.seed,
        restarts=plan.restarts,
        steps=plan.steps,
        rounds=plan.rounds,
        cut=plan.cut,
        seconds=seconds,
        versions=versions,
        machine=machine,
    )


def clean(values: Mapping[str, np.ndarray]) -> dict[str, Estimate]:
    """Metric -> mean of clean reconstructions."""
    return {name: estimates.mean(value) for name, value in values.items()}


def smallest(
    space: Space, damage: Damage, power: float, found: Mapping[str, np.ndarray]
) -> Smallest:
    """The headline of a space."""
    norms, noise = found["epsilon"].astype(float), found["noise"].astype(float)
    reached = np.isfinite(norms)

    def of_share(share: float) -> Any:
        return estimates.distance(norms, share, space.spread, power)

    ratio = np.where(reached, noise / np.where(reached, norms, 1.0), np.inf)
    return Smallest(
        space=space.name,
        damage=damage.sentence,
        reached=float(reached.mean()),
        median=of_share(0.5),
        low_quantile=of_share(estimates.LOW_SHARE),
        noise_ratio=estimates.quantile(ratio),
    )


def curve(space: Space, radius: float, values: Arrays) -> list[Point]:
    """The attacks of one radius."""
    return [
        Point(
            space=space.name,
            attack=name,
            radius=float(radius),
            deviations=float(radius / space.spread),
            images=len(next(iter(quantities.values()))),
            measures={key: estimates.mean(value) for key, value in quantities.items()},
        )
        for name, quantities in values.items()
    ]


def disturbed(values: Arrays) -> list[Everyday]:
    """The everyday disturbances."""
    return [
        Everyday(
            name=name,
            measures={key: estimates.mean(value) for key, value in quantities.items()},
        )
        for name, quantities in values.items()
    ]


def figures(
    headlines: Sequence[Smallest], curves: Mapping[str, Sequence[Point]]
) -> dict[str, float | None]:
    """The figures that a bound is compared with; see `Report`."""
    found: dict[str, float | None] = {}
    for headline in headlines:
        space = headline.space
        at_radius = [
            point for point in curves[space] if point.radius == _first(curves[space])
        ]
        strongest = next(
            (each for each in at_radius if each.attack == "strong"),
            at_radius[-1],
        )
        for name, estimate in strongest.measures.items():
            value = estimate.value
            if name == "ssim" and value is not None:
                value = 1 - value
            found[f"{space}_{name}"] = value
        found[f"{space}_perturbation"] = headline.median.deviations.value
    return found


def _first(points: Sequence[Point]) -> float:
    return points[0].radius


def by_class(
    subject: Subject,
    found: Mapping[str, Mapping[str, np.ndarray]],
    labels: np.ndarray | None,
) -> list[OfClass]:
    """The headline of each class; empty without labels of several classes."""
    if labels is None or len(np.unique(labels)) < 2:
        return []
    return labelled.by_class(
        {name: each["epsilon"].astype(float) for name, each in found.items()},
        {space.name: space.spread for space in subject.spaces},
        labels,
        subject.request.images.class_names,
    )


def detection(values: Arrays, labels: np.ndarray, anomaly: int) -> list[Detection]:
    """How well anomalies are detected."""
    return list(labelled.detection(values, labels == anomaly))
