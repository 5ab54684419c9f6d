"""Table II, Figs. 3 and 4, and the claims at the default weight."""

from collections.abc import Mapping
from typing import Any

from tfsemae import data, models
from tfsemae.experiments import pictures
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, whole
from tfsemae.experiments.estimates import OverSeeds
from tfsemae.experiments.ming2022 import runs as ming_runs
from tfsemae.experiments.ming2022 import section3
from tfsemae.experiments.ming2022.runs import WEIGHT
from tfsemae.experiments.ming2022.section3 import QUANTITIES, RULES, STATEMENTS
from tfsemae.experiments.runs import Run
from tfsemae.reports.ledger import Claim, Picture


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ming2022_mnist`."""
    runs = ming_runs.table_2(work.scale)
    found = section3.estimates(work, runs)
    semantic = runs[WEIGHT][0]
    return {
        "rows": list(section3.rows(work, found, {None: "vanilla", WEIGHT: "semantic"})),
        "claims": [
            *_tests(found),
            whole(
                "3_both",
                f"Both at once, at weight {WEIGHT:g}",
                "all of the above; ming2022_weight asks it of other weights",
                section3.both(found, WEIGHT),
            ),
        ],
        "pictures": _draw(work, {"vanilla": runs[None][0], "semantic": semantic}),
        "choices": [
            work.choice("loss", semantic, "see ming2022_plateau"),
            work.choice("initializer", semantic, "see ming2022_plateau"),
            work.choice("semantic_weight", semantic, "see ming2022_weight"),
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


def _draw(work: Workspace, runs: Mapping[str, Run]) -> list[Picture]:
    dataset = ming_runs.TABLE_2[work.scale].dataset
    images = data.load(dataset, "test", data_dir=work.data_dir)
    networks = {n: models.Autoencoder.load(work.folder(r)) for n, r in runs.items()}
    figure3, figure4 = (work.output_dir / f"figure{n}.png" for n in (3, 4))
    reconstructed = "Fig. 3: test images and their reconstructions. Seed 0."
    mapped = "Fig. 4: t-SNE maps of the codes"
    return [
        pictures.reconstructions(images, networks, figure3, reconstructed),
        pictures.latent_maps(images, networks, figure4, mapped),
    ]
