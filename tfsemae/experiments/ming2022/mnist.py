"""Table II, Figs. 3 and 4, and the claims at the default weight."""

import pathlib
from collections.abc import Mapping

from tfsemae import data, models, statistics
from tfsemae.experiments.ming2022 import claims, plan
from tfsemae.reports import Choice, Claim, Picture, embeddings, figures
from tfsemae.statistics import Interval

_FIGURE_3_IMAGES, _FIGURE_4_IMAGES = 10, 2000


def mnist(
    scale: str,
    runs_dir: pathlib.Path,
    output_dir: pathlib.Path,
    data_dir: str | None,
) -> dict:
    """Makes the parts of the ledger of `ming2022_mnist` and draws its pictures."""
    s = plan.SCALES[scale]
    folders = {
        network: [runs_dir / plan.run(s, weight, seed)[0] for seed in range(s.seeds)]
        for network, weight in (("vanilla", None), ("semantic", plan.WEIGHT))
    }
    found = {network: claims.measured(each) for network, each in folders.items()}
    effects = claims.effects(found["semantic"], found["vanilla"])
    images = data.load(s.dataset, "test", data_dir=data_dir)
    _draw(images, {name: each[0] for name, each in folders.items()}, output_dir)
    tag = plan.tag("ming2022_mnist", scale)
    return {
        "source": "Ming, Du and Lin 2022, Table II, Figs. 3 and 4",
        "rows": [row for name in found for row in claims.rows(name, found[name], tag)],
        "claims": [*_tests(effects, s.seeds), _both(effects)],
        "pictures": [
            Picture(
                file="figure3.png",
                caption="Fig. 3: test images and their reconstructions. Seed 0.",
            ),
            Picture(
                file="figure4.png",
                caption="Fig. 4: t-SNE maps of the codes of the first "
                f"{_FIGURE_4_IMAGES} test images. Seed 0, perplexity 30.",
            ),
        ],
        "choices": [
            Choice(flag="loss", value=plan.LOSS, reason="see ming2022_plateau"),
            Choice(
                flag="initializer",
                value=plan.INITIALIZER,
                reason="see ming2022_plateau",
            ),
            Choice(
                flag="semantic_weight",
                value=plan.WEIGHT,
                reason="see ming2022_weight",
            ),
        ],
    }


def _tests(effects: Mapping[str, Interval], seeds: int) -> list[Claim]:
    return [
        Claim(
            id=f"{test.claim}_{key}",
            statement=f"{claims.STATEMENTS[test.claim]}: {claims.QUANTITIES[key].name}",
            measurement=f"{claims.QUANTITIES[key]}, semantic minus vanilla, paired "
            f"95 % t-interval over {seeds} seeds; holds {test.rule}",
            **effects[key]._asdict(),
            verdict=test.verdict(effects[key]),
        )
        for key, test in claims.TESTS.items()
    ]


def _both(effects: Mapping[str, Interval]) -> Claim:
    return Claim(
        id="3_both",
        statement=f"Both at once, at weight {plan.WEIGHT:g}",
        measurement="all of the above; ming2022_weight asks it of other weights",
        effect=None,
        low=None,
        high=None,
        verdict=statistics.all_hold(claims.verdict(effects, claim) for claim in (1, 2)),
    )


def _draw(images: data.Images, folders: Mapping, output_dir: pathlib.Path) -> None:
    shown, _ = next(iter(data.batches(images, _FIGURE_3_IMAGES, shuffle=False)))
    mapped, labels = next(iter(data.batches(images, _FIGURE_4_IMAGES, shuffle=False)))
    rows, panels = [("original", shown)], []
    for name, folder in folders.items():
        network = models.Autoencoder.load(folder)
        rows.append((name, network.joint()(shown)["reconstruction"]))
        points = embeddings.tsne(network.encoder.predict(mapped, verbose=0), seed=0)
        panels.append((name, points, labels.numpy()))
    figures.image_grid(rows, output_dir / "figure3.png")
    figures.embedding(panels, images.class_names, output_dir / "figure4.png")
