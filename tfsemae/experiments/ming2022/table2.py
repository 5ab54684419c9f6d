"""Table II, Figs. 3 and 4, and the claims at the default weight."""

from collections.abc import Mapping
from typing import Any

from tfsemae import data, models, statistics
from tfsemae.experiments.artefact import Made
from tfsemae.experiments.claims import OverSeeds, claim
from tfsemae.experiments.ming2022 import runs as ming_runs
from tfsemae.experiments.ming2022 import section3
from tfsemae.experiments.ming2022.runs import WEIGHT
from tfsemae.experiments.ming2022.section3 import QUANTITIES, RULES, STATEMENTS
from tfsemae.reports import embeddings, figures
from tfsemae.reports.ledger import Claim, Picture

_FIGURE_3_IMAGES, _FIGURE_4_IMAGES = 10, 2000


def build(made: Made) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ming2022_mnist`."""
    runs = ming_runs.table_2(made.scale)
    found = section3.estimates(made, runs)
    semantic = runs[WEIGHT][0]
    return {
        "rows": [
            row
            for weight, name in ((None, "vanilla"), (WEIGHT, "semantic"))
            for row in section3.rows(made, found, weight, name)
        ],
        "claims": [*_tests(found), _both(found)],
        "pictures": _draw(made, {"vanilla": runs[None][0], "semantic": semantic}),
        "choices": [
            made.choice("loss", semantic, "see ming2022_plateau"),
            made.choice("initializer", semantic, "see ming2022_plateau"),
            made.choice("semantic_weight", semantic, "see ming2022_weight"),
        ],
    }


def _tests(found: OverSeeds) -> list[Claim]:
    return [
        claim(
            f"{number}_{key}",
            f"{STATEMENTS[number]}: {QUANTITIES[key].name}",
            f"{QUANTITIES[key]}, semantic minus vanilla, paired 95 % {found.over}",
            section3.effect(found, WEIGHT, key),
            rule,
            unit=QUANTITIES[key].unit,
        )
        for number, rules in RULES.items()
        for key, rule in rules.items()
    ]


def _both(found: OverSeeds) -> Claim:
    return Claim(
        id="3_both",
        statement=f"Both at once, at weight {WEIGHT:g}",
        measurement="all of the above; ming2022_weight asks it of other weights",
        effect=None,
        low=None,
        high=None,
        verdict=statistics.all_hold(
            section3.verdict(found, WEIGHT, number) for number in (1, 2)
        ),
    )


def _draw(made: Made, runs: Mapping) -> list[Picture]:
    dataset = ming_runs.TABLE_2[made.scale].dataset
    images = data.load(dataset, "test", data_dir=made.data_dir)
    shown, _ = next(iter(data.batches(images, _FIGURE_3_IMAGES, shuffle=False)))
    mapped, labels = next(iter(data.batches(images, _FIGURE_4_IMAGES, shuffle=False)))
    rows, panels = [("original", shown)], []
    for name, run in runs.items():
        network = models.Autoencoder.load(made.folder(run))
        rows.append((name, network.joint()(shown)["reconstruction"]))
        points = embeddings.tsne(network.encoder.predict(mapped, verbose=0), seed=0)
        panels.append((name, points, labels.numpy()))
    figures.image_grid(rows, made.output_dir / "figure3.png")
    figures.embedding(panels, images.class_names, made.output_dir / "figure4.png")
    return [
        Picture(
            file="figure3.png",
            caption="Fig. 3: test images and their reconstructions. Seed 0.",
        ),
        Picture(
            file="figure4.png",
            caption="Fig. 4: t-SNE maps of the codes of the first "
            f"{_FIGURE_4_IMAGES} test images. Seed 0, perplexity 30.",
        ),
    ]
