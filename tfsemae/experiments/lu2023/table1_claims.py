"""The claims of section 4.1 on three variational autoencoders.

Their rules and bounds were chosen before the networks were trained; `printed` has the
bounds, the least sizes that matter, with their reasons.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.claims import claim, whole
from tfsemae.experiments.intervals import hull, independent_difference, interval
from tfsemae.experiments.lu2023 import printed
from tfsemae.experiments.lu2023.areas import (
    GRIDS,
    SCORES,
    Comparison,
    Measurements,
    spearman_statistic,
)
from tfsemae.experiments.lu2023.comparisons import (
    Compared,
    attacked,
    shares,
    together,
)
from tfsemae.experiments.lu2023.runs import KLD, MMD, STANDS_FOR, SWT, Model
from tfsemae.experiments.lu2023.tables import name
from tfsemae.reports.ledger import Claim
from tfsemae.statistics import Above, Below, Interval, Statistic

_ACTIVE = 0.01  # variance of an entry of the code that is used, as in `evaluation`
_ABSOLUTE = ("absolute",)  # where the unit of the radius does not matter
_NOT_FOUND = Interval(math.nan, math.nan, math.nan)  # decides nothing


class Attacked(NamedTuple):
    """The variational autoencoders of each data set, in the order of their latents.

    Attributes:
        black: data set -> networks, attacked towards black.
        untargeted: the same away from what they give.
        far: the KLD-VAE of the first data set, towards black, by large radii.
        variants: KLD-VAE and SWT-VAEs of the first data set, towards black.
    """

    black: Mapping[str, Comparison]
    untargeted: Mapping[str, Comparison]
    far: Sequence[Measurements]
    variants: Comparison


def claims(found: Attacked) -> Iterator[Claim]:
    """Claims 1 to 6, in the order of the paper."""
    yield from _vulnerable(found.untargeted)
    if len(found.untargeted) > 1:
        yield from _spread(found.untargeted)
    yield from _darkens(found)
    yield from _order(found.black)
    yield from _inflation(found)
    yield from _small_change(found.untargeted)
    yield from _alike(found)


def over_seeds(
    measured: Sequence[Measurements], statistic: Callable[[Measurements], Statistic]
) -> Interval:
    """The joined intervals over images of a statistic of each seed."""
    return hull(interval(statistic(run), len(run.indices())) for run in measured)


def _each(by_dataset: Mapping[str, Comparison]) -> Iterator[tuple[str, Model, str]]:
    for dataset, compared in by_dataset.items():
        for model in compared.groups:
            yield dataset, model, f"{model} on {name(dataset)}"


def _vulnerable(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 1."""
    statement = "An attack on the latent damages what every model decodes"
    comparisons = []
    for dataset, model, subject in _each(by_dataset):
        compared = by_dataset[dataset]
        for score in compared.main_scores:
            of, id_ = SCORES[score], f"1_{dataset}_{model.id}_{score}"
            comparisons += [
                attacked(
                    f"{id_}_rank",
                    f"{statement}: {subject}, {of.name}",
                    f"rank correlation of the radius and the damage by {of.name}",
                    functools.partial(
                        rank_over_radii,
                        compared.groups[model],
                        of.quantity,
                        -1 if of.higher_is_better else 1,
                    ),
                    Above(printed.SPEARMAN),
                    grids=_ABSOLUTE,
                    signed=False,
                ),
                attacked(
                    f"{id_}_noise",
                    f"{statement}: more than noise does, {subject}, {of.name}",
                    f"damage by {of.name}, mean over radii: by how many % noise of "
                    "equal norm does less than the attack",
                    functools.partial(_less_by_noise, compared, model, score),
                    Above(printed.LEAST_DAMAGE),
                    unit="%",
                ),
            ]
    return together("1", statement, comparisons)


def _less_by_noise(
    compared: Comparison, model: Model, score: str, grid: str, condition: str
) -> Interval:
    ends = (model, "noise"), (model, condition)
    return compared.less_damage(*ends, score, grid)


def rank_over_radii(
    measured: Sequence[Measurements],
    quantity: str,
    sign: int,
    grid: str,
    condition: str,
) -> Interval:
    """The rank correlation of the radius and the mean of a quantity times a sign."""

    def statistic(run: Measurements) -> Statistic:
        radii, values = run.curve(quantity, condition, grid)
        means = [statistics.mean_statistic(sign * each) for each in values]
        return spearman_statistic(radii.tolist(), means)

    return over_seeds(measured, statistic)


def _spread(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 2."""
    statement = "The models differ less on a larger data set"
    comparisons = []
    for first, second in itertools.pairwise(by_dataset):
        pair = by_dataset[first], by_dataset[second]
        comparisons += [
            attacked(
                f"2_{first}_{second}_{score}",
                f"{statement}: {name(first)} and {name(second)}, {SCORES[score].name}",
                f"{SCORES[score].name}, greatest minus least curve of the models, mean "
                "over radii: by how many % it is less on the second data set",
                functools.partial(_narrower, *pair, score),
                Above(printed.LEAST_NARROWING),
                unit="%",
            )
            for score in pair[0].main_scores
        ]
    return together("2", statement, comparisons)


def _narrower(
    first: Comparison, second: Comparison, score: str, grid: str, condition: str
) -> Interval:
    """By how many % the models of the second data set differ less."""

    def of_seed(seed: int) -> Interval:
        # A ratio of independent effects is a difference of their logarithms.
        logs = (
            _log_spread(each, seed, score, grid, condition) for each in (second, first)
        )
        ratio = independent_difference(*logs)
        effect, high, low = (100 * (1 - math.exp(end)) for end in ratio)
        return Interval(effect, low, high)

    return hull(of_seed(seed) for seed in first.seeds(*first.groups))


def _log_spread(
    compared: Comparison, seed: int, score: str, grid: str, condition: str
) -> Interval:
    """The logarithm of how far the curves of the models of a seed are apart."""
    curves = np.stack(
        [
            measured[seed].curve(SCORES[score].quantity, condition, grid)[1]
            for measured in compared.groups.values()
        ]
    )  # [models, E, N]

    def statistic(counts: np.ndarray) -> np.ndarray:
        means = curves @ counts.T / counts.sum(axis=1)  # [models, E, R]
        return np.log(np.ptp(means, axis=0).mean(axis=0))

    return interval(statistic, compared.examples)


def _darkens(found: Attacked) -> list[Claim]:
    """Claim 3."""
    statement = "With the target black the image darkens until it is black"
    comparisons = [
        attacked(
            f"3_{dataset}_{model.id}",
            f"{statement}: {subject}",
            "rank correlation of the radius and the darkness, minus the mean pixel",
            functools.partial(
                rank_over_radii, found.black[dataset].groups[model], "brightness", -1
            ),
            Above(printed.SPEARMAN),
            grids=_ABSOLUTE,
            signed=False,
        )
        for dataset, model, subject in _each(found.black)
    ]
    greatest = max(found.far[0].radii("pgd", "absolute"))
    first = name(next(iter(found.black)))
    comparisons.append(
        attacked(
            "3_black",
            f"{statement}: {KLD} on {first}, radius {greatest:g}",
            "mean pixel in % of that of the clean reconstructions",
            lambda grid, condition: over_seeds(
                found.far, lambda run: _brightness(run, _greatest(run, grid, condition))
            ),
            Below(printed.BRIGHTNESS),
            grids=_ABSOLUTE,
            unit="%",
            signed=False,
        )
    )
    return together("3", statement, comparisons)


def _brightness(run: Measurements, condition: str) -> Statistic:
    moved, clean = (
        statistics.mean_statistic(run.array(each, "brightness"))
        for each in (condition, "clean")
    )
    return lambda counts: 100 * moved(counts) / clean(counts)


def _order(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 4, of the first data set: the paper has no order elsewhere."""
    dataset, compared = next(iter(by_dataset.items()))
    statement = "The SWT-VAE is the most robust one, the MMD-VAE the least"
    table = printed.TABLE_1[STANDS_FOR.get(dataset, dataset)]
    comparisons, effects = [], {}
    for (first, second), score in itertools.product(
        ((SWT, KLD), (KLD, MMD)), compared.main_scores
    ):
        comparisons.append(
            damage_comparison(
                compared,
                (first, second),
                score,
                f"4_{first.id}_{second.id}_{score}",
                f"{statement}: {first} above {second}, {SCORES[score].name}",
            )
        )
        numbers = [table[model.id][score] for model in (first, second)]
        areas = [
            hull(compared.areas(model, score, "absolute")).effect
            for model in (first, second)
        ]
        effects[f"{first} {score}"] = (
            100 * (areas[0] / areas[1] - 1),
            100 * (numbers[0] / numbers[1] - 1),
        )
    return together(
        "4",
        f"{statement} ({name(dataset)})",
        comparisons,
        note=shares("areas relative to each other on the absolute grid", effects),
    )


def damage_comparison(
    compared: Comparison,
    pair: tuple[Any, Any],
    score: str,
    id_: str,
    statement: str,
) -> Compared:
    """Whether the first network is damaged less than the second, on both grids."""
    first, second = pair

    def effect(grid: str, condition: str) -> Interval:
        ends = (first, condition), (second, condition)
        return compared.less_damage(*ends, score, grid)

    return attacked(
        id_,
        statement,
        f"damage by {SCORES[score].name}, mean over radii: by how many % that of "
        f"{first} is less than that of {second}",
        effect,
        Above(printed.LEAST_DAMAGE),
        unit="%",
    )


def _inflation(found: Attacked) -> Iterator[Claim]:
    compared = found.variants
    spread, of_reference = (
        np.array([run.found["spread"] for run in compared.groups[model]])
        for model in (SWT, KLD)
    )
    if len(spread) > 1:
        yield claim(
            "4_inflation",
            "The codes of the SWT-VAE spread more, so that a radius moves them less",
            "spread of the codes, SWT-VAE in % above the KLD-VAE; 95 % t-interval over "
            f"{len(spread)} seeds",
            statistics.t_interval(100 * (spread / of_reference - 1)),
            Above(printed.SPREAD_RISE),
            unit="%",
            note="the statistic sees neither mean nor scale; claim 4 on the relative "
            "grid is free of it",
        )
    moments = next(
        model for model in compared.groups if model.regularizer == "swt_moments"
    )
    statement = "With mean and deviation held the SWT-VAE is more robust"
    yield from together(
        "4_moments",
        statement,
        [
            damage_comparison(
                compared,
                (moments, KLD),
                score,
                f"4_moments_{score}",
                f"{statement}: above {KLD}, {SCORES[score].name}",
            )
            for score in compared.main_scores
        ],
    )


def _small_change(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 5."""
    statement = "A small change of the code suffices"
    return together(
        "5",
        statement,
        [
            _of_small_change(
                by_dataset[dataset].groups[model],
                f"5_{dataset}_{model.id}",
                f"{statement}: {subject}",
            )
            for dataset, model, subject in _each(by_dataset)
        ],
    )


def _of_small_change(
    measured: Sequence[Measurements], id_: str, statement: str
) -> Compared:
    def effect(grid: str, condition: str) -> Interval:
        del grid  # the change is in units of the spread of the codes
        halved = [(run, _halves(run, condition)) for run in measured]
        found = [(run, at) for run, at in halved if at]
        if len(found) < len(measured):
            return _NOT_FOUND
        return hull(
            interval(_greatest_change(run, at), len(run.indices())) for run, at in found
        )

    if math.isnan(effect("absolute", "pgd").effect):
        count = sum(_halves(run, "pgd") is not None for run in measured)
        measurement = f"SSIM halves within the grids for {count} of {len(measured)} "
        measurement += "seeds"
        undecided = whole(f"{id_}_absolute", statement, measurement, "undecided")
        return Compared({"absolute": undecided})
    return attacked(
        id_,
        statement,
        "where SSIM has halved, the greatest mean change of an entry of the code with "
        f"a variance above {_ACTIVE}, in units of its standard deviation",
        effect,
        Below(printed.SMALL_CHANGE),
        grids=_ABSOLUTE,
        signed=False,
    )


def _halves(run: Measurements, condition: str) -> str | None:
    """Where the mean SSIM is first at most a half, on either grid.

    On the absolute one codes that spread much may not get there.
    """
    reached = (
        at
        for grid in GRIDS
        for at in run.radii(condition, grid).values()
        if run.array(at, "ssim").mean() <= 0.5
    )
    return next(reached, None)


def _greatest_change(run: Measurements, condition: str) -> Statistic:
    # Of the entries that are used: chance moves the others by many times their spread,
    # and nothing depends on them.
    deviation = np.array(run.found["deviation"])
    used = deviation**2 > _ACTIVE
    moved = np.abs(run.array(condition, "point") - run.array("clean", "point"))
    scaled = moved.reshape(len(moved), -1)[:, used] / deviation[used]
    return lambda counts: np.max(
        counts @ scaled / counts.sum(axis=1, keepdims=True), axis=1
    )


def _alike(found: Attacked) -> Iterator[Claim]:
    """Claim 6, of all data sets but the first, and beside it the images, of all."""
    scatter = "Attacked codes scatter less than clean ones"
    codes = []
    for kind in ("untargeted", "black"):
        by_dataset = dict(itertools.islice(getattr(found, kind).items(), 1, None))
        codes += [
            attacked(
                f"6_{dataset}_{model.id}_{kind}",
                f"{scatter}: {subject}, {kind}",
                "by how many % the total variance of attacked codes exceeds that of "
                "clean ones, at the greatest radius",
                functools.partial(_excess_scatter, by_dataset[dataset].groups[model]),
                Below(-printed.LEAST_SCATTER),
                unit="%",
            )
            for dataset, model, subject in _each(by_dataset)
        ]
    if codes:
        yield from together("6", scatter, codes)
    # Towards black all outputs become alike by their definition.
    diverse = "Untargeted attacks make reconstructions alike, more than noise does"
    images = [
        comparison
        for dataset, model, subject in _each(found.untargeted)
        for comparison in _less_diverse(
            found.untargeted[dataset].groups[model],
            f"{dataset}_{model.id}",
            f"{diverse}: {subject}",
        )
    ]
    if images:
        yield from together("6_images", diverse, images)


def _less_diverse(
    measured: Sequence[Measurements], end: str, statement: str
) -> Iterator[Compared]:
    if len(measured) < 2:  # its intervals are over seeds
        return
    for quantity, distance in (
        ("output_diversity", "pixels"),
        ("output_diversity_lpips", "LPIPS"),
    ):
        if not all(quantity in run.found["clean"] for run in measured):
            continue
        for than in ("clean", "noise"):
            yield attacked(
                f"6_{quantity}_{than}_{end}",
                f"{statement}, in {distance}, {than}",
                f"by how many % the mean distance of two images in {distance} exceeds "
                f"that of {_THAN[than]}, at the greatest radius",
                functools.partial(_excess_diversity, measured, quantity, than),
                Below(-printed.LEAST_SCATTER),
                unit="%",
                over=f"95 % t-interval over {len(measured)} seeds",
            )


_THAN = {"clean": "clean reconstructions", "noise": "those after noise of equal norm"}


def _greatest(run: Measurements, grid: str, condition: str) -> str:
    radii = run.radii(condition, grid)
    return radii[max(radii)]


def _excess_scatter(
    measured: Sequence[Measurements], grid: str, condition: str
) -> Interval:
    def statistic(run: Measurements) -> Statistic:
        at = _greatest(run, grid, condition)
        ours, clean = (
            total_variance(run.array(each, "point")) for each in (at, "clean")
        )
        return lambda counts: 100 * (ours(counts) / clean(counts) - 1)

    return over_seeds(measured, statistic)


def total_variance(points: np.ndarray) -> Statistic:
    """The trace of the covariance of points `[N, D]`, as a statistic."""
    points = points.reshape(len(points), -1).astype(np.float64)
    points = points - points.mean(axis=0)  # for the digits

    def statistic(counts: np.ndarray) -> np.ndarray:
        shares = counts / counts.sum(axis=1, keepdims=True)
        squares = shares @ np.sum(points**2, axis=1)
        return squares - np.sum((shares @ points) ** 2, axis=1)

    return statistic


def _excess_diversity(
    measured: Sequence[Measurements],
    quantity: str,
    than: str,
    grid: str,
    condition: str,
) -> Interval:
    excesses = []
    for run in measured:
        other = "clean" if than == "clean" else _greatest(run, grid, than)
        ours, theirs = (
            run.found[at][quantity] for at in (_greatest(run, grid, condition), other)
        )
        excesses.append(100 * (ours / theirs - 1))
    return statistics.t_interval(excesses)
