"""Table 2 and Fig. 11: variational autoencoders beside their deterministic twins."""

import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.intervals import hull, independent_difference, interval
from tfsemae.experiments.lu2023 import (
    diversity,
    pictures,
    printed,
    runs,
    tables,
    trainings,
)
from tfsemae.experiments.lu2023.areas import (
    SCORES,
    Comparison,
)
from tfsemae.experiments.lu2023.comparisons import (
    attacked,
    of_one_network,
    share,
    shares,
    together,
)
from tfsemae.experiments.lu2023.runs import BLACK, KLD, MMD, PAIRS, Model
from tfsemae.experiments.lu2023.table1_claims import damage_comparison
from tfsemae.experiments.lu2023.tables import Attacks, name
from tfsemae.reports.ledger import Claim, Row
from tfsemae.statistics import Above, Interval, Statistic

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
    # With the network that has no twin, and base lines of their own.
    everything = {d: attacks.compared((KLD, *_TWINS), BLACK, d) for d in datasets}
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
        "rows": [
            *_rows(work, by_dataset, everything),
            *_sweep_rows(work, first, swept),
        ],
        "claims": [
            *_more_robust(by_dataset),
            *_shrinking(by_dataset),
            *_sweep(swept),
            *_diverse(work, everything),
        ],
        "pictures": [
            pictures.curves(
                by_dataset[first],
                work.output_dir / "figure11.png",
                f"Fig. 11: {where}, towards black.",
                scores=by_dataset[first].main_scores,
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


def _rows(
    work: Workspace,
    by_dataset: Mapping[str, Comparison],
    everything: Mapping[str, Comparison],
) -> Iterator[Row]:
    for dataset, compared in by_dataset.items():
        table = _printed(dataset)
        numbers = {model: table[model.id] for model in _TWINS}
        scores = compared.perceived
        yield from tables.area_rows(work, compared, dataset, "black", numbers, scores)
        yield from tables.spectrum_rows(work, compared, dataset)
        count = len(runs.seeds(work.scale))
        yield from trainings.rows(work, dataset, _TWINS, count)
        yield from diversity.rows(work, everything[dataset], dataset)


def _printed(dataset: str) -> Mapping[str, Mapping[str, float]]:
    return printed.TABLE_2[runs.STANDS_FOR.get(dataset, dataset)]


def _sweep_rows(work: Workspace, dataset: str, swept: Comparison) -> Iterator[Row]:
    for group, measured in swept.groups.items():
        yield row(
            f"{dataset}_sweep_{group.id}_spread",
            f"{name(dataset)}, {group}: root of the total variance of the codes",
            [run.found["spread"] for run in measured],
            tag=tables.tag(work, dataset, None),
            note="the radius in units of which the relative grid is; one network",
        )
    scores = swept.main_scores
    yield from tables.area_rows(work, swept, dataset, "black_sweep", {}, scores)


def _more_robust(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 8."""
    statement = "A deterministic autoencoder is more robust than its variational twin"
    comparisons, effects = [], {}
    for dataset, compared in by_dataset.items():
        for (vae, dae), score in itertools.product(PAIRS.items(), compared.main_scores):
            subject = f"{dae} and {vae} on {name(dataset)}, {SCORES[score].name}"
            comparisons.append(
                damage_comparison(
                    compared,
                    (dae, vae),
                    score,
                    f"8_{dataset}_{vae.regularizer}_{score}",
                    f"{statement}: {subject}",
                )
            )
            effects[subject] = (
                _gap(compared, vae, score),
                _printed_gap(dataset, vae, score),
            )
    reached = sum(gap > printed.LEAST_DAMAGE for _, gap in effects.values())
    note = (
        f"{shares('areas on the absolute grid', effects)}; of the printed ones, in "
        f"areas, {reached} of {len(effects)} are above {printed.LEAST_DAMAGE:g} %"
    )
    return together("8", statement, comparisons, note=note)


def _printed_gap(dataset: str, vae: Model, score: str) -> float:
    """By how many % the printed area of the deterministic twin is greater."""
    table = _printed(dataset)
    return 100 * (table[PAIRS[vae].id][score] / table[vae.id][score] - 1)


def _gap(compared: Comparison, vae: Model, score: str) -> float:
    """The same of ours, the mean over seeds on the absolute grid."""
    ends = PAIRS[vae], vae
    return hull(
        interval(compared.excess(*ends, seed, score, "absolute"), compared.examples)
        for seed in compared.seeds(*ends)
    ).effect


def _shrinking(by_dataset: Mapping[str, Comparison]) -> list[Claim]:
    """Claim 9, over the data sets, whose latents differ in size."""
    statement = "The advantage of the deterministic twin shrinks with the latent"
    comparisons = []
    for datasets in itertools.pairwise(by_dataset):
        first, second = datasets
        pair = by_dataset[first], by_dataset[second]
        for vae, score in itertools.product(PAIRS, pair[0].main_scores):
            ours, theirs = (
                before - after
                for before, after in (
                    [_gap(each, vae, score) for each in pair],
                    [_printed_gap(dataset, vae, score) for dataset in datasets],
                )
            )
            comparisons.append(
                attacked(
                    f"9_{first}_{second}_{vae.regularizer}_{score}",
                    f"{statement}: from {name(first)} to {name(second)}, "
                    f"{vae.regularizer.upper()}, {SCORES[score].name}",
                    "by how many % the deterministic twin is damaged less, the first "
                    "minus the second data set",
                    functools.partial(_shrinks, pair, vae, score),
                    Above(printed.LEAST_SHRINKAGE),
                    unit="points",
                    notes={"absolute": f"in areas {share(ours, theirs, 'points')}"},
                )
            )
    return together("9", statement, comparisons) if comparisons else []


def _shrinks(
    pair: tuple[Comparison, Comparison],
    vae: Model,
    score: str,
    grid: str,
    condition: str,
) -> Interval:
    """By how much the advantage is greater on the first data set."""
    ends = (PAIRS[vae], condition), (vae, condition)

    def advantage(each: Comparison, seed: int) -> Interval:
        found = each.damage_reduction(*ends, seed, score, grid)
        return interval(found, each.examples)

    return hull(
        independent_difference(*(advantage(each, seed) for each in pair))
        for seed in pair[0].seeds(vae, PAIRS[vae])
    )


def _sweep(swept: Comparison) -> list[Claim]:
    """Claim 9 on one data set, where nothing but the latent differs."""
    statement = "On one data set the advantage shrinks with the latent"
    latents = sorted({group.latent for group in swept.groups})
    comparisons = [
        attacked(
            f"9_sweep_{small}_{large}_{vae.regularizer}_{score}",
            f"{statement}: from {small} to {large}, {vae.regularizer.upper()}, "
            f"{SCORES[score].name}",
            "by how many % the deterministic twin is damaged less, latent "
            f"{small} minus latent {large}",
            functools.partial(_swept, swept, vae, (small, large), score),
            Above(printed.LEAST_SHRINKAGE),
            unit="points",
        )
        for (small, large), vae, score in itertools.product(
            itertools.pairwise(latents), PAIRS, swept.main_scores
        )
    ]
    if min(map(len, swept.groups.values())) == 1:
        comparisons = [of_one_network(each) for each in comparisons]
    return together("9_sweep", statement, comparisons)


def _swept(
    swept: Comparison,
    vae: Model,
    latents: tuple[int, int],
    score: str,
    grid: str,
    condition: str,
) -> Interval:
    """By how much the advantage is greater for the first latent, on the same images."""
    pairs = [(OfLatent(PAIRS[vae], n), OfLatent(vae, n)) for n in latents]

    def of_seed(seed: int) -> Statistic:
        first, second = (
            swept.damage_reduction(
                (dae, condition), (twin, condition), seed, score, grid
            )
            for dae, twin in pairs
        )
        return lambda counts: first(counts) - second(counts)

    seeds = swept.seeds(*itertools.chain(*pairs))
    return hull(interval(of_seed(seed), swept.examples) for seed in seeds)


def _diverse(work: Workspace, everything: Mapping[str, Comparison]) -> list[Claim]:
    """Robustness against diversity, over the networks of both tables."""
    statement = "Networks of more diverse samples are less robust"
    return together(
        "diversity",
        statement,
        itertools.chain.from_iterable(
            diversity.comparisons(work, compared, dataset, statement)
            for dataset, compared in everything.items()
        ),
        note="the paper has no such claim; fewer images leave less to change",
    )
