"""Table 3 and Fig. 12: whether a weight on the total correlation costs robustness."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.intervals import hull, interval
from tfsemae.experiments.lu2023 import pictures, printed, runs, tables, trainings
from tfsemae.experiments.lu2023.areas import (
    CONDITIONS,
    GRIDS,
    SCORES,
    Comparison,
    spearman,
    spearman_statistic,
)
from tfsemae.experiments.lu2023.comparisons import (
    ByGrid,
    by_attacks,
    on_grids,
    together,
)
from tfsemae.experiments.lu2023.runs import BLACK_AS_SETS, INPUT, Model
from tfsemae.experiments.lu2023.table1 import diversity_rows, relative_diversity
from tfsemae.experiments.lu2023.table1_claims import main_scores
from tfsemae.experiments.lu2023.tables import Attacks, name
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Below, Rule


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `lu2023_table3`."""
    dataset = runs.SCALES[work.scale].datasets[0]
    models = runs.betas(work.scale)
    attacks = Attacks(work)
    latent, image = (
        attacks.compared(models, kind, dataset) for kind in (BLACK_AS_SETS, INPUT)
    )
    # Not by samples: where images tell themselves apart by their codes, that measures
    # the mutual information that is missing.
    count = len(runs.seeds(work.scale))
    correlations = {
        model: trainings.values(
            work, model, dataset, "gaussian_total_correlation", count
        )
        for model in models
    }
    return {
        "rows": [
            *_rows(work, dataset, latent, image),
            *_frechet_rows(work, dataset, latent),
            *(
                found
                for score, grid in itertools.product(main_scores(latent), GRIDS)
                for found in diversity_rows(work, latent, dataset, score, grid)
            ),
        ],
        "claims": list(_claims(latent, image, correlations)),
        "pictures": _draw(work, dataset, latent, image, correlations),
        "choices": [
            *tables.choices(
                work,
                runs.training(models[0], dataset, 0, work.scale),
                runs.attacks(models[0], BLACK_AS_SETS, dataset, work.scale)[0],
            ),
            work.choice(
                "latent",
                runs.training(models[0], dataset, 0, work.scale),
                "neither data nor network are printed; those of Table 1 on MNIST",
            ),
        ],
        "warnings": [
            *tables.warnings(
                attacks, runs.table_3(work.scale), ("lpips_squeeze", "lpips_alex")
            ),
            *trainings.warnings(work, runs.table_3(work.scale)),
        ],
    }


def _rows(
    work: Workspace, dataset: str, latent: Comparison, image: Comparison
) -> Iterator[Row]:
    numbers = {model: printed.TABLE_3[model.beta or 0] for model in latent.groups}
    yield from tables.area_rows(work, latent, dataset, "black", numbers)
    scores = main_scores(image)
    yield from tables.area_rows(work, image, dataset, "black_input", {}, scores)
    yield from tables.spectrum_rows(work, latent, dataset)
    count = len(runs.seeds(work.scale))
    yield from trainings.rows(work, dataset, latent.groups, count)
    for model in latent.groups:
        yield row(
            f"{dataset}_{model.id}_diversity",
            f"{name(dataset)}, {model}: mean distance of two samples, over that of two "
            "images",
            relative_diversity(work, model, dataset),
            tag=tables.tag(work, dataset, None),
        )


def _frechet_rows(work: Workspace, dataset: str, compared: Comparison) -> Iterator[Row]:
    """The column FID, in the features of a classifier of our own."""
    for model, measured_runs in compared.groups.items():
        features = measured_runs[0].found["classifier_features"]
        for grid, condition in itertools.product(GRIDS, CONDITIONS):
            number = None
            if (grid, condition) == ("absolute", "pgd"):
                number = printed.TABLE_3[model.beta or 0]["frechet"]
            yield row(
                f"{dataset}_{model.id}_black_frechet_{grid}_{condition}",
                f"{name(dataset)}, {model}, black: area of the Frechet distance, "
                f"{CONDITIONS[condition]}, {grid} grid",
                compared.frechet_areas(model, grid, condition),
                printed=number,
                tag="stand-in",
                note=f"of {features['samples']} outputs, in the features of a "
                f"classifier of our own (layer {features['layer']}, accuracy "
                f"{100 * features['accuracy']:.1f} %) in place of those of FID, so "
                "that the numbers cannot be compared with the printed ones",
            )


def _claims(
    latent: Comparison, image: Comparison, correlations: Mapping[Model, Sequence[float]]
) -> Iterator[Claim]:
    betas = {
        model: [float(model.beta or 0)] * len(runs_)
        for model, runs_ in latent.groups.items()
    }
    yield from _ranked(
        "10",
        "A greater weight of the total correlation makes the latent less robust",
        "the weight",
        latent,
        betas,
        Below(-printed.OF_WEIGHT),
        printed_too=True,
    )
    yield from _ranked(
        "10_measured",
        "A greater measured total correlation goes with a more robust latent",
        "the total correlation of a Gaussian of the codes' covariance",
        latent,
        correlations,
        Above(printed.OF_WEIGHT),
    )
    yield from _ranked(
        "10_input",
        "At the input a greater weight makes the same networks more robust",
        "the weight",
        image,
        betas,
        Above(printed.OF_WEIGHT),
    )
    yield from _reconstruction(latent)


def _ranked(
    id_: str,
    statement: str,
    what: str,
    compared: Comparison,
    numbers: Mapping[Model, Sequence[float]],
    rule: Rule,
    *,
    printed_too: bool = False,
) -> list[Claim]:
    def comparison(score: str) -> ByGrid:
        found = by_attacks(
            lambda grid, condition: compared.spearman(numbers, score, grid, condition),
            rule,
        )
        if printed_too:
            found.notes["absolute"] += f"; {_printed_rank(compared, score)}"
        return on_grids(
            f"{id_}_{score}",
            f"{statement}: {SCORES[score].name}",
            f"rank correlation of {what} and the area of {SCORES[score].name} over "
            f"{len(numbers)} networks",
            found.effects,
            rule,
            signed=False,
            notes=found.notes,
        )

    return together(id_, statement, map(comparison, main_scores(compared)))


def _printed_rank(compared: Comparison, score: str) -> str:
    """What Table 3 has of these weights."""
    weights = [model.beta or 0 for model in compared.groups]
    areas = [printed.TABLE_3[weight][score] for weight in weights]
    return f"of the printed areas: {spearman(weights, areas):+.1f}"


def _reconstruction(compared: Comparison) -> list[Claim]:
    """Claim 11."""
    statement = "A greater weight of the total correlation costs reconstruction"
    weights = [float(model.beta or 0) for model in compared.groups]

    def of_seed(seed: int) -> Callable[[np.ndarray], np.ndarray]:
        errors = [
            statistics.mean_statistic(measurements[seed].array("clean", "mse"))
            for measurements in compared.groups.values()
        ]
        return spearman_statistic(weights, errors)

    found = on_grids(
        "11_mse",
        f"{statement}: mean squared error",
        "rank correlation of the weight and the mean squared error of reconstructions",
        {
            "absolute": hull(
                interval(of_seed(seed), compared.examples)
                for seed in compared.seeds(*compared.groups)
            )
        },
        Above(printed.OF_WEIGHT),
        signed=False,
    )
    return together("11", statement, [found])


def _draw(
    work: Workspace,
    dataset: str,
    latent: Comparison,
    image: Comparison,
    correlations: Mapping[Model, Sequence[float]],
) -> list[Picture]:
    subject = name(dataset)
    areas = {
        ("ssim", grid): {
            str(model): [each.effect for each in latent.areas(model, "ssim", grid)]
            for model in latent.groups
        }
        for grid in GRIDS
    }
    return [
        *(
            pictures.curves(
                latent,
                work.output_dir / f"figure12_{score}.png",
                f"Fig. 12: {subject}, towards black, {SCORES[score].name}.",
                scores=[score],
            )
            for score in (*main_scores(latent), "psnr")
        ),
        pictures.curves(
            image,
            work.output_dir / "input.png",
            f"The same networks, attacked at their input: {subject}, towards black.",
            scores=["ssim"],
        ),
        pictures.scatter(
            "total correlation of a Gaussian (nats)",
            {str(model): values for model, values in correlations.items()},
            areas,
            work.output_dir / "total_correlation.png",
            "Areas against the total correlation of a Gaussian of the covariance of "
            "the test images' codes: a point for each seed.",
        ),
    ]
