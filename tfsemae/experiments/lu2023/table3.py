"""Table 3 and Fig. 12: whether a weight on the total correlation costs robustness."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tfsemae import metrics, statistics
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row, with_parts
from tfsemae.experiments.intervals import hull, interval
from tfsemae.experiments.lu2023 import (
    diversity,
    pictures,
    printed,
    runs,
    tables,
    trainings,
)
from tfsemae.experiments.lu2023.areas import (
    CONDITIONS,
    FRECHET,
    FRECHET_OF_LOGITS,
    GRIDS,
    SCORES,
    Comparison,
    spearman,
    spearman_statistic,
)
from tfsemae.experiments.lu2023.comparisons import (
    OVER_IMAGES,
    ranked,
    together,
)
from tfsemae.experiments.lu2023.runs import BLACK_AS_SETS, INPUT, Model
from tfsemae.experiments.lu2023.tables import Attacks, name
from tfsemae.reports.ledger import Claim, Picture, Row, Tag
from tfsemae.statistics import Above, Below, Statistic

#: Frechet distance of an attack -> how ids name it, and where it is measured.
_FRECHET = {
    FRECHET: ("frechet", "a classifier's features"),
    FRECHET_OF_LOGITS: ("frechet_of_logits", "its logits"),
}


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
            *_rank_rows(work, dataset, latent),
            *diversity.rows(work, latent, dataset),
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
    scores = image.main_scores
    yield from tables.area_rows(work, image, dataset, "black_input", {}, scores)
    yield from tables.spectrum_rows(work, latent, dataset)
    count = len(runs.seeds(work.scale))
    yield from trainings.rows(work, dataset, latent.groups, count)


def _frechet_rows(work: Workspace, dataset: str, compared: Comparison) -> Iterator[Row]:
    """The column FID, in the features of a classifier of our own, and in its logits."""
    for model, (key, (id_, where)), grid, condition in itertools.product(
        compared.groups, _FRECHET.items(), GRIDS, CONDITIONS
    ):
        features = compared.groups[model][0].found["classifier_features"]
        number = None
        if (key, grid, condition) == (FRECHET, "absolute", "pgd"):
            number = printed.TABLE_3[model.beta or 0]["frechet"]
        yield row(
            f"{dataset}_{model.id}_black_{id_}_{grid}_{condition}",
            f"{name(dataset)}, {model}, black: area of the Frechet distance in "
            f"{where}, {CONDITIONS[condition]}, {grid} grid",
            compared.frechet_areas(model, grid, condition, key),
            printed=number,
            tag="stand-in",
            note=f"of {features['samples']} outputs, of a classifier of our own "
            f"(features of layer {features['layer']}, accuracy "
            f"{100 * features['accuracy']:.1f} %) in place of that of FID, so that the "
            "numbers cannot be compared with the printed ones",
        )


def _rank_rows(work: Workspace, dataset: str, compared: Comparison) -> Iterator[Row]:
    """Rank correlations of the weight with what decides no claim, a value a seed."""
    weights = [model.beta or 0 for model in compared.groups]
    for column, grid in itertools.product(_UNDECIDING, GRIDS):
        by_network = [column.areas(compared, model, grid) for model in compared.groups]
        number = None
        if column.printed and grid == "absolute":
            areas = [printed.TABLE_3[weight][column.id] for weight in weights]
            number = spearman(weights, areas)
        yield row(
            f"{dataset}_rank_{column.id}_{grid}",
            f"{name(dataset)}, black: rank correlation of the weight and the area of "
            f"{column.what}, {CONDITIONS['pgd']}, {grid} grid",
            [spearman(weights, areas) for areas in zip(*by_network, strict=True)],
            printed=number,
            tag=column.tag or work.tag(number),
        )


class _Column(NamedTuple):
    """A number of each network that decides no claim."""

    id: str  # also that of Table 3
    what: str
    areas: Callable[[Comparison, Model, str], list[float]]  # grid -> by seed
    printed: bool = True
    tag: Tag | None = None  # in place of that of the artefact


def _psnr_areas(compared: Comparison, model: Model, grid: str) -> list[float]:
    return [each.effect for each in compared.areas(model, "psnr", grid)]


def _frechet_areas(compared: Comparison, model: Model, grid: str) -> list[float]:
    return compared.frechet_areas(model, grid, "pgd")


def _closeness_areas(compared: Comparison, model: Model, grid: str) -> list[float]:
    """Of SSIM with the image itself, above 0."""
    found = []
    for run in compared.groups[model]:
        radii, values = run.curve("ssim_to_input", "pgd", grid)
        curve = values.mean(axis=1)
        area = metrics.area_to_base_line(radii, curve, 0.0, higher_is_better=True)
        found.append(area.raw)
    return found


_UNDECIDING = (
    _Column("psnr", "PSNR", _psnr_areas),
    _Column(
        "frechet",
        "the Frechet distance in a classifier's features",
        _frechet_areas,
        tag="stand-in",
    ),
    _Column(
        "ssim_to_input", "SSIM with the image itself", _closeness_areas, printed=False
    ),
)


def _claims(
    latent: Comparison, image: Comparison, correlations: Mapping[Model, Sequence[float]]
) -> Iterator[Claim]:
    betas = {
        model: [float(model.beta or 0)] * len(measured)
        for model, measured in latent.groups.items()
    }
    costs = "A greater weight of the total correlation makes the latent less robust"
    yield from together(
        "10",
        costs,
        ranked(
            "10",
            costs,
            "the weight",
            latent,
            betas,
            Below(-printed.OF_WEIGHT),
            notes=lambda score: {"absolute": _printed_rank(latent, score)},
        ),
    )
    goes = "A greater measured total correlation goes with a more robust latent"
    what = "the total correlation of a Gaussian of the codes' covariance"
    above = Above(printed.OF_WEIGHT)
    yield from together(
        "10_measured",
        goes,
        ranked("10_measured", goes, what, latent, correlations, above),
    )
    helps = "At the input a greater weight makes the same networks more robust"
    yield from together(
        "10_input",
        helps,
        ranked("10_input", helps, "the weight", image, betas, above),
    )
    yield from _reconstruction(latent)


def _printed_rank(compared: Comparison, score: str) -> str:
    """What Table 3 has of these weights."""
    weights = [model.beta or 0 for model in compared.groups]
    areas = [printed.TABLE_3[weight][score] for weight in weights]
    return f"of the printed areas: {spearman(weights, areas):+.1f}"


def _reconstruction(compared: Comparison) -> list[Claim]:
    """Claim 11: nothing is attacked."""
    statement = "A greater weight of the total correlation costs reconstruction"
    weights = [float(model.beta or 0) for model in compared.groups]

    def of_seed(seed: int) -> Statistic:
        errors = [
            statistics.mean_statistic(measurements[seed].array("clean", "mse"))
            for measurements in compared.groups.values()
        ]
        return spearman_statistic(weights, errors)

    found = claim(
        "11_mse",
        f"{statement}: mean squared error",
        "rank correlation of the weight and the mean squared error of reconstructions; "
        f"{OVER_IMAGES}",
        hull(
            interval(of_seed(seed), compared.examples)
            for seed in compared.seeds(*compared.groups)
        ),
        Above(printed.OF_WEIGHT),
        signed=False,
    )
    return with_parts("11", statement, [found], "the following")


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
            for score in (*latent.main_scores, "psnr")
        ),
        *(
            pictures.frechet_curves(
                latent,
                work.output_dir / f"figure12_{id_}.png",
                f"Fig. 12: {subject}, towards black, Frechet distance in {where}.",
                key,
            )
            for key, (id_, where) in _FRECHET.items()
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
