"""Table 2 and Fig. 11: variational autoencoders beside their deterministic twins."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.intervals import hull, independent_difference, interval
from tfsemae.experiments.lu2023 import pictures, printed, runs, tables, trainings
from tfsemae.experiments.lu2023.areas import (
    GRIDS,
    SCORES,
    Comparison,
)
from tfsemae.experiments.lu2023.comparisons import on_grids, share, shares, together
from tfsemae.experiments.lu2023.runs import BLACK, MMD, PAIRS, Model
from tfsemae.experiments.lu2023.table1 import diversity_rows
from tfsemae.experiments.lu2023.table1_claims import area_comparison, main_scores
from tfsemae.experiments.lu2023.tables import Attacks, name
from tfsemae.reports.ledger import Claim, Row
from tfsemae.statistics import Above, Interval

_TWINS = tuple(itertools.chain.from_iterable(PAIRS.items()))


class OfLatent(NamedTuple):
    """A network of the sweep."""

    model: Model
    latent: int

    @property
    def id(self) -> str:
        """As in the ids of rows."""
        return f"{self.model.id}_latent{self.latent}"

    def __str__(self) -> str:
        """For a reader."""
        return f"{self.model}, latent {self.latent}"


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `lu2023_table2`."""
    datasets = runs.SCALES[work.scale].datasets
    attacks = Attacks(work)
    by_dataset = {d: attacks.compared(_TWINS, BLACK, d) for d in datasets}
    swept = Comparison(
        {
            OfLatent(model, latent): [attacks.of(run)]
            for latent, of_latent in runs.sweep(work.scale).items()
            for model, run in of_latent.items()
        }
    )
    first = datasets[0]
    where = name(first)
    return {
        "rows": [*_rows(work, by_dataset), *_sweep_rows(work, first, swept)],
        "claims": [*_more_robust(by_dataset), *_shrinking(by_dataset), *_sweep(swept)],
        "pictures": [
            pictures.curves(
                by_dataset[first],
                work.output_dir / "figure11.png",
                f"Fig. 11: {where}, towards black.",
                scores=main_scores(by_dataset[first]),
                conditions=("pgd", "noise"),
            )
        ],
        "choices": tables.choices(
            work,
            runs.training(MMD, first, 0, work.scale),
            runs.attacks(MMD, BLACK, first, work.scale)[0],
        ),
        "warnings": [
            *tables.warnings(
                attacks, runs.table_2(work.scale), ("lpips_squeeze", "lpips_alex")
            ),
            *trainings.warnings(work, runs.table_2(work.scale)),
        ],
    }


def _rows(work: Workspace, by_dataset: Mapping[str, Comparison]) -> Iterator[Row]:
    for dataset, compared in by_dataset.items():
        table = _printed(dataset)
        numbers = {model: table[model.id] for model in _TWINS}
        scores = main_scores(compared)
        yield from tables.area_rows(work, compared, dataset, "black", numbers, scores)
        yield from tables.spectrum_rows(work, compared, dataset)
        count = len(runs.seeds(work.scale))
        yield from trainings.rows(work, dataset, _TWINS, count)
        for score, grid in itertools.product(scores, GRIDS):
            yield from diversity_rows(work, compared, dataset, score, grid)


def _printed(dataset: str) -> Mapping[str, Mapping[str, float]]:
    return printed.TABLE_2[runs.STANDS_FOR.get(dataset, dataset)]


def _sweep_rows(work: Workspace, dataset: str, swept: Comparison) -> Iterator[Row]:
    for group, measured in swept.groups.items():
        yield row(
            f"{dataset}_sweep_{group.id}_spread",
            f"{name(dataset)}, {group}: root of the total variance of the codes",
            [run.found["spread"] for run in measured],
            tag=tables.tag(work, dataset, None),
            note="the radius in units of which the relative grid is",
        )


def _more_robust(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 8."""
    statement = "A deterministic autoencoder is more robust than its variational twin"
    comparisons, effects = [], {}
    for dataset, compared in by_dataset.items():
        for (vae, dae), score in itertools.product(
            PAIRS.items(), main_scores(compared)
        ):
            subject = f"{dae} and {vae} on {name(dataset)}, {SCORES[score].name}"
            comparisons.append(
                area_comparison(
                    compared,
                    (dae, vae),
                    score,
                    f"8_{dataset}_{vae.regularizer}_{score}",
                    f"{statement}: {subject}",
                )
            )
            effects[subject] = (
                _gap(compared, vae, dae, score, "absolute").effect,
                _printed_gap(dataset, vae, score),
            )
    return together(
        "8", statement, comparisons, note=shares("on the absolute grid", effects)
    )


def _printed_gap(dataset: str, vae: Model, score: str) -> float:
    """By how many % the printed area of the deterministic twin is greater."""
    table = _printed(dataset)
    return 100 * (table[PAIRS[vae].id][score] / table[vae.id][score] - 1)


def _gap(compared: Comparison, vae: Any, dae: Any, score: str, grid: str) -> Interval:
    return hull(
        interval(compared.excess(dae, vae, seed, score, grid), compared.examples)
        for seed in compared.seeds(vae, dae)
    )


def _shrinking(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 9, over the data sets, whose latents differ in size."""
    statement = "The advantage of the deterministic twin shrinks with the latent"
    comparisons = []
    for first, second in itertools.pairwise(by_dataset):
        pair = by_dataset[first], by_dataset[second]
        for vae, score in itertools.product(PAIRS, main_scores(pair[0])):
            gaps = [_printed_gap(dataset, vae, score) for dataset in (first, second)]
            effects = {grid: _shrinks(pair, vae, score, grid) for grid in GRIDS}
            comparisons.append(
                on_grids(
                    f"9_{first}_{second}_{vae.regularizer}_{score}",
                    f"{statement}: from {name(first)} to {name(second)}, "
                    f"{vae.regularizer.upper()}, {SCORES[score].name}",
                    "advantage in % of the variational one's area, the first minus the "
                    "second data set",
                    effects,
                    Above(0),
                    unit="points",
                    notes={
                        grid: share(each.effect, gaps[0] - gaps[1], "points")
                        + _by_damage(_shrinks(pair, vae, score, grid, damage=True))
                        for grid, each in effects.items()
                    },
                )
            )
    return together("9", statement, comparisons) if comparisons else []


def _shrinks(
    pair: tuple[Comparison, Comparison],
    vae: Model,
    score: str,
    grid: str,
    *,
    damage: bool = False,
) -> Interval:
    """By how much the advantage is greater on the first data set, of area or damage."""

    def advantage(each: Comparison, seed: int) -> Interval:
        compare = each.less_damage if damage else each.excess
        found = compare(PAIRS[vae], vae, seed, score, grid)
        return interval(found, each.examples)

    return hull(
        independent_difference(*(advantage(each, seed) for each in pair))
        for seed in pair[0].seeds(vae, PAIRS[vae])
    )


def _by_damage(effect: Interval) -> str:
    """What the same comparison finds without a base line."""
    return (
        f"; in damage, which has no base line, {effect.effect:+.1f} points "
        f"[{effect.low:+.1f}, {effect.high:+.1f}]: {Above(0).verdict(effect)}"
    )


def _sweep(swept: Comparison) -> list[Claim]:
    """Claim 9 on one data set, where nothing but the latent differs."""
    statement = "On one data set the advantage shrinks with the latent"
    latents = sorted({group.latent for group in swept.groups})
    comparisons = []
    for (small, large), vae, score in itertools.product(
        itertools.pairwise(latents), PAIRS, main_scores(swept)
    ):
        comparisons.append(
            on_grids(
                f"9_sweep_{small}_{large}_{vae.regularizer}_{score}",
                f"{statement}: from {small} to {large}, {vae.regularizer.upper()}, "
                f"{SCORES[score].name}",
                f"advantage in % of the variational one's area, latent {small} minus "
                f"latent {large}",
                {
                    grid: _swept(swept, vae, (small, large), score, grid)
                    for grid in GRIDS
                },
                Above(0),
                unit="points",
            )
        )
    return together(
        "9_sweep", statement, comparisons, note="one network each: no other seeds"
    )


def _swept(
    swept: Comparison, vae: Model, latents: tuple[int, int], score: str, grid: str
) -> Interval:
    first, second = (
        swept.excess(OfLatent(PAIRS[vae], n), OfLatent(vae, n), 0, score, grid)
        for n in latents
    )
    return interval(lambda counts: first(counts) - second(counts), swept.examples)
