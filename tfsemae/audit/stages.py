"""The stages of an audit: values of each image, batch by batch, on disk."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfsemae import data
from tfsemae.audit import everyday, labelled
from tfsemae.audit.plan import Plan
from tfsemae.audit.steps import Steps
from tfsemae.audit.subject import Subject
from tfsemae.evaluation.arrays import Shards
from tfsemae.progress import Progress, note

RADIUS = 0.1  # in spreads: of the figures that a bound is compared with
_FACTORS = (0.125, 0.25, 0.5, 1.0, 2.0)  # radii, times the median perturbation
QUERIED = 32  # images of the query-only attack, all in one batch

#: Condition -> quantity -> `[N, ...]`.
Arrays = dict[str, dict[str, np.ndarray]]


class Stages:
    """Computes stage by stage; a second start goes on after the last batch."""

    def __init__(self, subject: Subject, plan: Plan):
        """Takes the first images of the order.

        Args:
            subject: what is audited.
            plan: with how much effort.
        """
        self._subject, self._plan = subject, plan
        self.places = subject.order[: plan.examples]
        self.images = data.take(subject.request.images, self.places)
        effort = f"{plan.examples} {plan.restarts} {plan.steps} {plan.rounds}"
        self._identity = [*subject.identity, effort]

    def clean(self) -> Arrays:
        """Latents, and metrics of image against reconstruction."""
        model, measures = self._subject.model, self._subject.measures

        def step(images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
            latent = model.encode(images)
            shown = model.decode(latent)
            values = {key: measure(images, shown) for key, measure in measures.items()}
            return {"clean": {"latent": latent, **values}}

        return self._computed(
            "clean", _compiled(step), _nothing, title="Reconstruction"
        )

    def smallest(self, steps: Steps, points: np.ndarray | None) -> Arrays:
        """The smallest perturbation of each image in a space.

        Args:
            steps: of the space.
            points: latents `[N, ...]`; None for the images themselves.
        """
        numbers = steps.numbers(self._subject.request.seed, self._plan.restarts)

        def step(images: np.ndarray, rows: slice, *drawn: np.ndarray) -> Any:
            given = images if points is None else points[rows]
            return steps.smallest(given, *drawn, self._seed(rows))

        # The query-only attack draws for a batch as a whole.
        size = None if steps.space.differentiable else QUERIED
        name = f"smallest_{steps.space.name}"
        title = f"Smallest perturbation in the {steps.space.name}"
        return self._computed(name, step, numbers, rows=True, title=title, size=size)

    def curves(
        self,
        steps: Steps,
        points: np.ndarray | None,
        direction: np.ndarray,
        radii: np.ndarray,
    ) -> list[Arrays]:
        """Damage of each attack of each radius, radius by radius."""
        found = []
        note(f"Attacking {len(self.images)} images at {len(radii)} radii.")
        for place, radius in enumerate(radii):
            name = f"{steps.space.name}_{place}"
            numbers = steps.numbers(self._subject.request.seed, self._plan.restarts)

            def step(
                images: np.ndarray,
                rows: slice,
                *drawn: np.ndarray,
                radius: float = radius,
            ) -> Any:
                given = images if points is None else points[rows]
                return steps.attacked(
                    given, *drawn, direction[rows], np.float32(radius)
                )

            attacked = self._computed(
                f"curve_{name}", step, numbers, rows=True, key=f"{radius:.6g}"
            )
            few = data.pixels(self.images, QUERIED)
            few = few if points is None else points[: len(few)]
            query = functools.partial(steps.queried, few, np.float32(radius))
            shards = self._shards(f"query_{name}", f"{radius:.6g}")
            if not shards.done():
                values = query(np.array([self._subject.request.seed, place], np.int32))
                shards.write(0, _arrays(values))
            found.append(attacked | _read(shards))
        return found

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
        return self._computed("everyday", found.step, numbers, title="Everyday noise")

    def detection(self) -> Arrays:
        """Reconstruction errors, clean and attacked."""
        attack = labelled.AnomalyAttack(self._subject.model)
        return self._computed("detection", attack.step, _nothing, title="Anomalies")

    def radii(self, space: str, epsilons: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The radii of the curves; the first is that of the figures."""
        spread = {each.name: each.spread for each in self._subject.spaces}[space]
        for values in (epsilons, noise):
            median = float(np.median(values))
            if np.isfinite(median) and median > 0:
                return np.array([RADIUS * spread, *(f * median for f in _FACTORS)])
        return np.array([RADIUS * spread, *(f * spread for f in _FACTORS)])

    def _computed(
        self,
        name: str,
        step: Callable[..., Mapping[str, Mapping[str, tf.Tensor]]],
        numbers: Callable[[int], tuple],
        *,
        rows: bool = False,
        title: str = "",
        key: str = "",
        size: int | None = None,
    ) -> Arrays:
        """Values of all images, from the disk as far as they are there.

        Args:
            name: of the stage.
            step: of images `[B, H, W, C]` and what `numbers` gives; with `rows`
                the rows of the batch come second.
            numbers: random numbers of consecutive images.
            rows: see above.
            title: what is said when it begins.
            key: a further text on which the values depend.
            size: of a batch; None for that of the request.
        """
        shards = self._shards(name, key)
        done, total = shards.done(), len(self.images)
        if done < total:
            if title:
                note(f"{title} of {total} images.")
            _skipped(numbers, done)
            self._fill(shards, step, numbers, rows, size)
        return _read(shards)

    def _fill(
        self,
        shards: Shards,
        step: Callable[..., Mapping[str, Mapping[str, tf.Tensor]]],
        numbers: Callable[[int], tuple],
        with_rows: bool,
        size: int | None,
    ) -> None:
        total, done = len(self.images), shards.done()
        size = size or self._subject.request.batch_size
        progress = Progress(total, done=done, unit="image")
        for first in range(done, total, size):
            rows = slice(first, min(total, first + size))
            pixels = data.pixels(data.take(self.images, rows))
            between = (rows,) if with_rows else ()
            values = step(pixels, *between, *numbers(len(pixels)))
            shards.write(first, _arrays(values))
            progress.update(rows.stop)
        progress.close()

    def _shards(self, name: str, key: str) -> Shards:
        folder = self._subject.request.folder / "arrays" / name
        return Shards(folder, [name, key, *self._identity])

    def _seed(self, rows: slice) -> np.ndarray:
        return np.array([self._subject.request.seed % 2**31, rows.start], np.int32)


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
    found: Arrays = {}
    for condition, quantity in shards.quantities():
        found.setdefault(condition, {})[quantity] = shards.read(condition, quantity)
    return found
