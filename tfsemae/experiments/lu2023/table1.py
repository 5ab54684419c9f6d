"""Table 1 and Figs. 3 to 9: three variational autoencoders, attacked in the latent."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from tfsemae import data
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.lu2023 import (
    diversity,
    pictures,
    printed,
    runs,
    tables,
    trainings,
)
from tfsemae.experiments.lu2023.areas import (
    GRIDS,
    Measurements,
)
from tfsemae.experiments.lu2023.runs import BLACK, FAR, KLD, QUERIES, UNTARGETED
from tfsemae.experiments.lu2023.table1_claims import Attacked, claims
from tfsemae.experiments.lu2023.tables import Attacks
from tfsemae.reports.ledger import Picture, Row

_FIGURE_7, _FIGURE_8 = 1.0, 20.0  # radii of small and large changes


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `lu2023_table1`."""
    datasets = runs.SCALES[work.scale].datasets
    attacks = Attacks(work)
    found = _read(work, attacks)
    return {
        "rows": [
            *_area_rows(work, found),
            *itertools.chain.from_iterable(
                tables.spectrum_rows(work, found.black[dataset], dataset)
                for dataset in datasets
            ),
            *itertools.chain.from_iterable(
                trainings.rows(work, dataset, runs.VAES, len(runs.seeds(work.scale)))
                for dataset in datasets
            ),
            *itertools.chain.from_iterable(
                diversity.rows(work, compared, dataset)
                for dataset, compared in found.untargeted.items()
            ),
            *_query_rows(work, attacks),
        ],
        "claims": list(claims(found)),
        "pictures": list(filter(None, _draw(work, found))),
        "choices": tables.choices(
            work,
            runs.training(KLD, datasets[0], 0, work.scale),
            runs.attacks(KLD, BLACK, datasets[0], work.scale)[0],
        ),
        "warnings": [
            *tables.warnings(
                attacks,
                runs.table_1(work.scale),
                ("lpips_squeeze", "lpips_alex"),
            ),
            *trainings.warnings(work, runs.table_1(work.scale)),
        ],
    }


def _read(work: Workspace, attacks: Attacks) -> Attacked:
    datasets = runs.SCALES[work.scale].datasets
    first = datasets[0]
    far = runs.attacks(KLD, FAR, first, work.scale)
    return Attacked(
        black={d: attacks.compared(runs.VAES, BLACK, d) for d in datasets},
        untargeted={d: attacks.compared(runs.VAES, UNTARGETED, d) for d in datasets},
        far=[attacks.of(run) for run in far],
        variants=attacks.compared((KLD, runs.SWT, *runs.SWT_VARIANTS), BLACK, first),
    )


def _area_rows(work: Workspace, found: Attacked) -> Iterator[Row]:
    for dataset, compared in found.black.items():
        table = printed.TABLE_1[runs.STANDS_FOR.get(dataset, dataset)]
        numbers = {model: table[model.id] for model in runs.VAES}
        scores = compared.perceived
        yield from tables.area_rows(work, compared, dataset, "black", numbers, scores)
    for dataset, compared in found.untargeted.items():
        scores = compared.main_scores
        yield from tables.area_rows(work, compared, dataset, "untargeted", {}, scores)
    first = next(iter(found.black))
    yield from tables.area_rows(
        work, found.variants, first, "black_variants", {}, found.variants.perceived
    )


def _query_rows(work: Workspace, attacks: Attacks) -> Iterator[Row]:
    """Whether an attack that can only query the decoder does as much."""
    dataset = runs.SCALES[work.scale].datasets[0]
    pairs = [
        [attacks.of(run) for run in pair]
        for pair in zip(
            runs.attacks(KLD, QUERIES, dataset, work.scale),
            runs.attacks(KLD, UNTARGETED, dataset, work.scale),
            strict=True,
        )
    ]
    radii = [set(run.radii("pgd", "absolute")) for run in pairs[0]]
    for radius in sorted(set.intersection(*radii) - {0.0}):
        shares = [100 * _damage(a, radius) / _damage(b, radius) for a, b in pairs]
        yield row(
            f"{dataset}_{KLD.id}_queries_radius{radius:g}",
            f"{tables.name(dataset)}, {KLD}: mean squared error by queries alone "
            f"(finite differences), in % of that by gradients, radius {radius:g}",
            shares,
            unit="%",
            tag=tables.tag(work, dataset, None),
        )


def _damage(run: Measurements, radius: float) -> float:
    return float(run.array(run.radii("pgd", "absolute")[radius], "mse").mean())


def _draw(work: Workspace, found: Attacked) -> Iterator[Picture | None]:
    def place(name: str):
        return work.output_dir / f"{name}.png"

    kinds = (("3", "untargeted", found.untargeted), ("5", "towards black", found.black))
    for figure, kind, by_dataset in kinds:
        for dataset, compared in by_dataset.items():
            where = tables.name(dataset)
            yield pictures.curves(
                compared,
                place(f"figure{figure}_{dataset}"),
                f"Fig. {figure}: {where}, {kind}.",
                scores=compared.main_scores,
            )
            yield pictures.images_by_model(
                {group: each[0] for group, each in compared.groups.items()},
                place(f"figure{figure}_{dataset}_images"),
                f"Fig. {figure}: {where}, {kind}",
            )
    first = next(iter(found.black))
    black = found.black[first]
    subject = f"{KLD} on {tables.name(first)}"
    yield pictures.images_by_radius(
        found.far[0], place("figure4_images"), f"Fig. 4: {subject}, towards black"
    )
    yield pictures.curves(
        black,
        place("figure6"),
        f"Figs. 4 and 6: {subject}, towards black; areas lie between curve and base "
        "line.",
        scores=black.main_scores,
        groups=[KLD],
        base_lines=True,
    )
    for figure, radius in (("7", _FIGURE_7), ("8", _FIGURE_8)):
        yield pictures.entries(
            found.far[0],
            [radius],
            place(f"figure{figure}"),
            f"Fig. {figure}: {subject}, towards black",
        )
    for dataset in list(found.black)[1:]:
        yield _map(work, found, dataset)
    yield _diversity_picture(work, found)


def _map(work: Workspace, found: Attacked, dataset: str) -> Picture:
    loaded = "digits" if work.scale == "smoke" else dataset
    images = data.load(loaded, "test", data_dir=work.data_dir)
    attacked = {
        "untargeted": found.untargeted[dataset].groups[KLD][0],
        "black": found.black[dataset].groups[KLD][0],
    }
    chosen = data.take(images, attacked["black"].indices())
    return pictures.code_map(
        attacked,
        chosen.labels,
        images.class_names,
        work.output_dir / f"figure9_{dataset}.png",
        f"Fig. 9: {KLD} on {tables.name(dataset)}",
    )


def _diversity_picture(work: Workspace, found: Attacked) -> Picture:
    samples: dict[str, list[float]] = {}
    areas: dict[tuple[str, str], dict[str, list[float]]] = {
        ("ssim", grid): {} for grid in GRIDS
    }
    for dataset, compared in found.untargeted.items():
        of_dataset = diversity.of_samples(work, compared, dataset)
        for group, values in of_dataset.items():
            label = f"{group}, {tables.name(dataset)}"
            samples[label] = values
            for (score, grid), found_areas in areas.items():
                each = compared.areas(group, score, grid)
                found_areas[label] = [area.effect for area in each]
    return pictures.scatter(
        "mean distance of two samples, over that of two images",
        samples,
        areas,
        work.output_dir / "diversity.png",
        "Robustness against diversity, untargeted: a point for each seed. Base lines "
        "are those of each data set.",
    )
