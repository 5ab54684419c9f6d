"""Curves of attacked networks and their areas, on two grids of radii.

All networks of a comparison are attacked on the same images, which are resampled
together, and share one base line for each score and grid. A score of networks of other
seeds gives an interval a seed; `hull` joins them.
"""

import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from tfsemae import metrics, run_folder, statistics
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE
from tfsemae.experiments.intervals import hull, interval
from tfsemae.statistics import Interval, Statistic

#: Network, and condition of an attack on it.
End = tuple[Any, str]
_MAIN = ("lpips_squeeze", "ssim")  # scores of the paper's section 4.1
_LEAST_ERROR = 1e-10  # squared, of float32 images; a smaller one is rounding


class Score(NamedTuple):
    """A distance of what the decoder gives of an attacked code and of the clean one.

    Attributes:
        name: for a reader.
        quantity: of each example, in what an attack run wrote.
        higher_is_better: whether it is.
        pooled: whether it is a PSNR, of the mean squared error over all images.
    """

    name: str
    quantity: str
    higher_is_better: bool
    pooled: bool = False


class Grid(NamedTuple):
    """Radii of the attack.

    Attributes:
        flag: of the attack run.
        axis: the radius, for a reader.
    """

    flag: str
    axis: str


SCORES = {
    "lpips_squeeze": Score("LPIPS (SqueezeNet)", "lpips_squeeze", False),
    "lpips_alex": Score("LPIPS (AlexNet)", "lpips_alex", False),
    "ssim": Score("SSIM", "ssim", True),
    "psnr": Score("PSNR", "mse", True, pooled=True),
}
#: Distance of the attacked outputs from the clean ones as a set, in a classifier's
#: features.
FRECHET = "output_frechet_distance"
#: The same in its logits, which are fewer than the images.
FRECHET_OF_LOGITS = "output_frechet_distance_of_logits"
GRIDS = {
    "absolute": Grid("epsilon", "epsilon"),
    "relative": Grid("relative_epsilon", "epsilon / (sd sqrt(d))"),
}
CONDITIONS = {
    "pgd": "PGD-10",
    "strong": "strong attack",
    "noise": "noise of equal norm",
}


class Measurements:
    """What an attack run measured, read when it is asked for.

    Attributes:
        folder: of the run.
        found: its `metrics.json`.
    """

    def __init__(self, folder: pathlib.Path):
        """Args: folder: of a finished run of `--attack=pgd`."""
        self.folder, self.found = folder, run_folder.read_metrics(folder)
        with np.load(folder / MEASUREMENTS_FILE) as arrays:
            self._names = set(arrays.files)
        self.array = functools.cache(self._array)

    def _array(self, condition: str, quantity: str) -> np.ndarray:
        """A quantity of each example, `[N, ...]`, of `pgd_epsilon1`, say."""
        with np.load(self.folder / MEASUREMENTS_FILE) as arrays:
            return arrays[f"{condition}/{quantity}"]

    def has(self, condition: str, quantity: str) -> bool:
        """Whether there is such an array."""
        return f"{condition}/{quantity}" in self._names

    def indices(self) -> np.ndarray:
        """The places of the images in their split, `[N]`."""
        with np.load(self.folder / MEASUREMENTS_FILE) as arrays:
            return arrays["indices"]

    def radii(self, condition: str, grid: str) -> dict[float, str]:
        """Radius as the grid counts it, ascending -> name of the condition there."""
        prefix = f"{condition}_{GRIDS[grid].flag}"
        found = {
            float(name.removeprefix(prefix)): name
            for name in self.found
            if name.startswith(prefix)
        }
        nothing = f"{condition}_epsilon0"
        if nothing in self.found:  # on any grid
            found.setdefault(0.0, nothing)
        return dict(sorted(found.items()))

    def curve(
        self, quantity: str, condition: str, grid: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Radii `[E]` and a quantity of each example, `[E, N]`."""
        radii = self.radii(condition, grid)
        values = [self.array(name, quantity) for name in radii.values()]
        return np.array(list(radii)), np.stack(values).astype(np.float64)

    def frechet_curve(
        self, condition: str, grid: str, key: str = FRECHET
    ) -> tuple[np.ndarray, np.ndarray]:
        """Radii `[E]` and the Frechet distance of the outputs, `[E]`."""
        radii = self.radii(condition, grid)
        distances = [self.found[name][key] for name in radii.values()]
        return np.array(list(radii)), np.array(distances)


def psnr(epsilons: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """PSNR of images in [0, 1] over the radius, dB; infinite where nothing is attacked.

    Args:
        epsilons: `[E]`, ascending.
        errors: mean squared errors `[E, ...]`; those below rounding give 100 dB.
    """
    found = -10 * np.log10(np.maximum(errors, _LEAST_ERROR))
    if epsilons[0] == 0:
        found[0] = np.inf
    return found


def area_statistic(
    epsilons: np.ndarray, values: np.ndarray, base: float, score: Score
) -> Statistic:
    """The area of a curve to a base line, as a statistic of the examples.

    Args:
        epsilons: `[E]`, ascending.
        values: `[E, N]`, the quantity of each example.
        base: see `metrics.area_to_base_line`.
        score: that the quantity gives.
    """

    def area(means: np.ndarray) -> float:
        of_score = psnr(epsilons, means) if score.pooled else means
        found = metrics.area_to_base_line(
            epsilons, of_score, base, higher_is_better=score.higher_is_better
        )
        return found.raw

    if not score.pooled:  # linear: the area of the mean is the mean of the areas
        return statistics.mean_statistic([area(each) for each in values.T])
    return lambda counts: np.array(
        [area(values @ row / row.sum()) for row in np.atleast_2d(counts)]
    )


def spearman_statistic(x: Sequence[float], of: Sequence[Statistic]) -> Statistic:
    """Spearman's coefficient of numbers and as many statistics; 0 of equal ones."""
    ranks = stats.rankdata(x)

    def statistic(counts: np.ndarray) -> np.ndarray:
        values = np.stack([each(counts) for each in of], axis=-1)  # [R, K]
        return np.array([_correlation(ranks, stats.rankdata(row)) for row in values])

    return statistic


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation; 0 where all numbers of a side are equal."""
    return _correlation(stats.rankdata(x), stats.rankdata(y))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


class Comparison:
    """Networks of several seeds, attacked on the same images in the same way.

    Attributes:
        groups: network -> what the attack on that of each seed measured.
        examples: number of the images.
        scores: keys of `SCORES` that all runs have measured.
    """

    def __init__(self, groups: Mapping[Any, Sequence[Measurements]]):
        """Checks that the images are the same.

        Args:
            groups: network -> measurements, by seed.

        Raises:
            ValueError: if two runs attacked other images.
        """
        self.groups = groups
        runs = [run for each in groups.values() for run in each]
        images = runs[0].indices()
        for run in runs:
            if not np.array_equal(run.indices(), images):
                raise ValueError(
                    "Networks are compared on the same images. Received other ones in "
                    f"{runs[0].folder} and {run.folder}; make the runs again."
                )
        self.examples = len(images)
        self.scores = [
            key
            for key, score in SCORES.items()
            if all(_is_measured(run, score.quantity) for run in runs)
        ]
        self.base = functools.cache(self._base)
        self.frechet_base = functools.cache(self._frechet_base_line)
        self.statistic = functools.cache(self._statistic)
        self._areas = functools.cache(self._area_intervals)

    @property
    def main_scores(self) -> list[str]:
        """The scores of the paper's section 4.1 that were measured."""
        return [score for score in _MAIN if score in self.scores]

    @property
    def perceived(self) -> list[str]:
        """All that were measured but PSNR, which is in Table 3 alone."""
        return [score for score in self.scores if not SCORES[score].pooled]

    def seeds(self, *groups: Any) -> range:
        """Those that all groups have."""
        return range(min(len(self.groups[group]) for group in groups))

    def _base(self, score: str, grid: str) -> float:
        """The base line of all networks, conditions and seeds."""
        curves = []
        for runs in self.groups.values():
            for run in runs:
                for condition in CONDITIONS:
                    radii, values = run.curve(SCORES[score].quantity, condition, grid)
                    pooled = SCORES[score].pooled
                    means = psnr(radii, values.mean(axis=1)) if pooled else values
                    curves.append(means)
        higher = SCORES[score].higher_is_better
        return metrics.base_line(*curves, higher_is_better=higher)

    def _statistic(
        self, group: Any, seed: int, score: str, grid: str, condition: str = "pgd"
    ) -> Statistic:
        """The area of a network."""
        run, of = self.groups[group][seed], SCORES[score]
        curve = run.curve(of.quantity, condition, grid)
        return area_statistic(*curve, self.base(score, grid), of)

    def _area_intervals(
        self, group: Any, score: str, grid: str, condition: str
    ) -> tuple[Interval, ...]:
        return tuple(
            interval(self.statistic(group, seed, score, grid, condition), self.examples)
            for seed in self.seeds(group)
        )

    def areas(
        self, group: Any, score: str, grid: str, condition: str = "pgd"
    ) -> tuple[Interval, ...]:
        """The area of the network of each seed, and its interval over images."""
        return self._areas(group, score, grid, condition)

    def frechet_areas(
        self, group: Any, grid: str, condition: str, key: str = FRECHET
    ) -> list[float]:
        """The area of the Frechet distance of the network of each seed.

        It is that of a set of images, so that there is no interval over images.

        Args:
            group: network.
            grid: key of `GRIDS`.
            condition: key of `CONDITIONS`.
            key: `FRECHET` or `FRECHET_OF_LOGITS`.
        """
        base = self.frechet_base(grid, key)
        return [
            metrics.area_to_base_line(
                *run.frechet_curve(condition, grid, key), base, higher_is_better=False
            ).raw
            for run in self.groups[group]
        ]

    def _frechet_base_line(self, grid: str, key: str) -> float:
        """The base line of all networks, conditions and seeds."""
        curves = [
            run.frechet_curve(condition, grid, key)[1]
            for runs in self.groups.values()
            for run in runs
            for condition in CONDITIONS
        ]
        return metrics.base_line(*curves, higher_is_better=False)

    def excess(
        self, first: Any, second: Any, seed: int, score: str, grid: str
    ) -> Statistic:
        """The statistic: by how many % an area exceeds that of another network."""
        a, b = (self.statistic(group, seed, score, grid) for group in (first, second))
        return lambda counts: 100 * (a(counts) / b(counts) - 1)

    def less_damage(
        self,
        first: End,
        second: End,
        score: str,
        grid: str,
        *,
        radius: float | None = None,
    ) -> Interval:
        """By how many % one is damaged less than another, joined over seeds.

        Args:
            first: network and condition, such as `pgd`.
            second: as the first, on the same images.
            score: key of `SCORES`, LPIPS or SSIM.
            grid: key of `GRIDS`.
            radius: at which one; by default in the mean over all radii.
        """
        return hull(
            interval(
                self.damage_reduction(first, second, seed, score, grid, radius=radius),
                self.examples,
            )
            for seed in self.seeds(first[0], second[0])
        )

    def damage_reduction(
        self,
        first: End,
        second: End,
        seed: int,
        score: str,
        grid: str,
        *,
        radius: float | None = None,
    ) -> Statistic:
        """The statistic of one seed that `less_damage` joins.

        Damage is the area between the score of a clean code and the curve. On a grid
        the difference of two areas to a base line is that of the damages with the
        other sign, but a quotient of damages does not depend on a base line.
        """
        ours, theirs = (
            self._damage(end, seed, score, grid, radius) for end in (first, second)
        )
        return lambda counts: 100 * (1 - ours(counts) / theirs(counts))

    def _damage(
        self, end: End, seed: int, score: str, grid: str, radius: float | None
    ) -> Statistic:
        group, condition = end
        of = SCORES[score]
        radii, values = self.groups[group][seed].curve(of.quantity, condition, grid)
        damages = 1 - values if of.higher_is_better else values  # SSIM, LPIPS
        if radius is None:
            return statistics.mean_statistic(np.trapezoid(damages, radii, axis=0))
        (at,) = np.flatnonzero(radii == radius)
        return statistics.mean_statistic(damages[at])

    def spearman(
        self,
        groups: Mapping[Any, Sequence[float]],
        score: str,
        grid: str,
        condition: str = "pgd",
    ) -> Interval:
        """The rank correlation of a number of each network with its area.

        Args:
            groups: network -> its number, by seed.
            score: key of `SCORES`.
            grid: key of `GRIDS`.
            condition: key of `CONDITIONS`.
        """
        found = []
        for seed in self.seeds(*groups):
            areas = [
                self.statistic(group, seed, score, grid, condition) for group in groups
            ]
            x = [numbers[seed] for numbers in groups.values()]
            found.append(interval(spearman_statistic(x, areas), self.examples))
        return hull(found)


def _is_measured(run: Measurements, quantity: str) -> bool:
    return all(
        run.has(name, quantity)
        for condition in CONDITIONS
        for grid in GRIDS
        for name in run.radii(condition, grid).values()
    )
