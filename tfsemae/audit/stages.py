"""The stages of an audit: values of each image, batch by batch, on disk."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfsemae import data
from tfsemae.audit import everyday, labelled
from tfsemae.audit.plan import FACTORS, Plan
from tfsemae.audit.schedule import Schedule, Stage
from tfsemae.audit.steps import Steps
from tfsemae.audit.stored import Stored
from tfsemae.audit.subject import Subject
from tfsemae.evaluation.arrays import Shards

RADIUS = 0.1  # in spreads: of the figures that a bound is compared with

RECONSTRUCTION, JACOBIANS = "Reconstruction", "Jacobians"
EVERYDAY, DETECTION = "Everyday noise", "Anomalies"
SMALLEST, CURVES = "Smallest perturbation of the {}", "Attacks on the {}"
#: Title -> cost of a stage per image, about; attacks are of all radii.
COSTS = {
    RECONSTRUCTION: 0.1,
    SMALLEST.format("latent"): 2.0,
    CURVES.format("latent"): 2.5,
    SMALLEST.format("input"): 3.0,
    CURVES.format("input"): 4.0,
    JACOBIANS: 1.0,
    EVERYDAY: 0.5,
    DETECTION: 0.5,
}

#: Quantities as large as images or latents, which stay on the disk.
_STORED = ("latent", "point", "direction")
#: Condition -> quantity -> `[N]`.
Arrays = dict[str, dict[str, np.ndarray]]


class Stages:
    """Computes stage by stage; a second start goes on after the last batch."""

    def __init__(self, subject: Subject, plan: Plan, schedule: Schedule):
        """Takes the first images of the order.

        Args:
            subject: what is audited.
            plan: with how much effort.
            schedule: of `COSTS`, which says what begins.
        """
        self._subject, self._plan, self._schedule = subject, plan, schedule
        self.places = subject.order[: plan.examples]
        self.images = data.take(subject.request.images, self.places)
        self._identity = [*subject.identity, plan.identity]

    def clean(self) -> tuple[dict[str, np.ndarray], Stored]:
        """Metrics of image against reconstruction, and latents."""
        model, measures = self._subject.model, self._subject.measures

        def step(images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
            latent = model.encode(images)
            shown = model.decode(latent)
            values = {key: measure(images, shown) for key, measure in measures.items()}
            return {"clean": {"latent": latent, **values}}

        with self._stage(RECONSTRUCTION) as stage:
            found = self._computed("clean", _compiled(step), _nothing, stage)
        return found["clean"], Stored(self._shards("clean"), "clean", "latent")

    def smallest(
        self, steps: Steps, points: Stored | None
    ) -> tuple[dict[str, np.ndarray], Stored, Stored]:
        """The smallest perturbation of each image in a space.

        Args:
            steps: of the space.
            points: latents `[N, ...]`; None for the images themselves.

        Returns:
            Quantities `[N]` of `minimal.Smallest`; the perturbed points; the top
            singular vectors.
        """
        numbers = steps.numbers(self._plan.restarts)

        def step(images: np.ndarray, rows: slice, *drawn: np.ndarray) -> Any:
            given = images if points is None else points[rows]
            return steps.smallest(given, *drawn)

        name = f"smallest_{steps.space.name}"
        with self._stage(SMALLEST.format(steps.space.name)) as stage:
            found = self._computed(name, step, numbers, stage, rows=True)
        shards = self._shards(name)
        point, direction = (
            Stored(shards, "smallest", key) for key in ("point", "direction")
        )
        return found["smallest"], point, direction

    def curves(
        self,
        steps: Steps,
        points: Stored | None,
        direction: Stored,
        radii: np.ndarray,
    ) -> list[Arrays]:
        """Damage of each attack of each radius, radius by radius."""
        title = CURVES.format(steps.space.name)
        with self._stage(title, passes=len(radii)) as stage:
            return [
                self._attacked(steps, points, direction, place, radius, stage)
                for place, radius in enumerate(radii)
            ]

    def _attacked(
        self,
        steps: Steps,
        points: Stored | None,
        direction: Stored,
        place: int,
        radius: float,
        stage: Stage,
    ) -> Arrays:
        """Damage of each attack of the radius of that place."""
        name, key = f"{steps.space.name}_{place}", f"{radius:.6g}"

        def step(images: np.ndarray, rows: slice, *drawn: np.ndarray) -> Any:
            given = images if points is None else points[rows]
            return steps.attacked(given, *drawn, direction[rows], np.float32(radius))

        attacked = self._computed(
            f"curve_{name}",
            step,
            steps.numbers(self._plan.restarts),
            stage,
            rows=True,
            key=key,
            before=place * len(self.images),
        )
        shards = self._shards(f"query_{name}", key)
        if not shards.done():
            few = data.pixels(self.images, self._plan.queried)
            few = few if points is None else points[: len(few)]
            starts, _ = steps.numbers(1)(len(few))
            values = steps.queried(few, starts, np.float32(radius))
            shards.write(0, _arrays(values))
        return attacked | _read(shards)

    def everyday(self) -> Arrays:
        """Metrics of each disturbance."""
        subject = self._subject
        found = everyday.Disturbances(
            subject.model,
            subject.measures,
            subject.latents,
            seed=subject.request.seed,
        )
        numbers = found.numbers(self.images.images.shape[1:])
        with self._stage(EVERYDAY) as stage:
            return self._computed("everyday", found.step, numbers, stage)

    def detection(self) -> Arrays:
        """Reconstruction errors, clean and attacked."""
        _, image = self._subject.spaces
        attack = labelled.AnomalyAttack(
            self._subject.model, differentiable=image.differentiable
        )
        with self._stage(DETECTION) as stage:
            return self._computed("detection", attack.step, _nothing, stage)

    def radii(self, space: str, epsilons: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The radii of the curves; the first is that of the figures."""
        spread = {each.name: each.spread for each in self._subject.spaces}[space]
        for values in (epsilons, noise):
            median = float(np.median(values))
            if np.isfinite(median) and median > 0:
                return np.array([RADIUS * spread, *(f * median for f in FACTORS)])
        return np.array([RADIUS * spread, *(f * spread for f in FACTORS)])

    def _computed(
        self,
        name: str,
        step: Callable[..., Mapping[str, Mapping[str, tf.Tensor]]],
        numbers: Callable[[int], tuple],
        stage: Stage,
        *,
        rows: bool = False,
        key: str = "",
        before: int = 0,
    ) -> Arrays:
        """Values `[N]` of all images, from the disk as far as they are there.

        Args:
            name: of the values.
            step: of images `[B, H, W, C]` and what `numbers` gives; with `rows`
                the rows of the batch come second.
            numbers: random numbers of consecutive images.
            stage: whose progress this is.
            rows: see above.
            key: a further text on which the values depend.
            before: units of the stage that came before.
        """
        shards = self._shards(name, key)
        done, total = shards.done(), len(self.images)
        size = self._subject.request.batch_size
        if done < total:
            _skipped(numbers, done)
            stage.begin(before + done)
        for first in range(done, total, size):
            batch = slice(first, min(total, first + size))
            pixels = data.pixels(data.take(self.images, batch))
            between = (batch,) if rows else ()
            values = step(pixels, *between, *numbers(len(pixels)))
            shards.write(first, _arrays(values))
            stage.update(before + batch.stop)
        return _read(shards)

    def _stage(
        self, title: str, passes: int = 1
    ) -> contextlib.AbstractContextManager[Stage]:
        units = passes * len(self.images)
        return contextlib.closing(self._schedule.stage(title, units))

    def _shards(self, name: str, key: str = "") -> Shards:
        folder = self._subject.request.folder / "arrays" / name
        return Shards(folder, [name, key, *self._identity])


def _nothing(count: int) -> tuple:
    """No random numbers."""
    del count
    return ()


def _compiled(step: Callable[..., Any]) -> Callable[..., Any]:
    return tf.function(step, autograph=False, reduce_retracing=True)


def _skipped(numbers: Callable[[int], tuple], count: int) -> None:
    """Draws what an earlier start has used."""
    while count > 0:
        numbers(min(count, 100))
        count -= 100


def _arrays(values: Mapping[str, Mapping[str, tf.Tensor]]) -> Arrays:
    return {
        condition: {key: np.asarray(value) for key, value in quantities.items()}
        for condition, quantities in values.items()
    }


def _read(shards: Shards) -> Arrays:
    """The quantities of one number for each image."""
    found: Arrays = {}
    for condition, quantity in shards.quantities():
        if quantity in _STORED:
            continue
        found.setdefault(condition, {})[quantity] = shards.read(condition, quantity)
    return found
