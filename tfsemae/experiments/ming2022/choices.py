"""What the paper does not print: loss and initialiser, weight of the classes."""

import pathlib
from collections.abc import Mapping

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.ming2022 import claims, plan
from tfsemae.reports import Choice, Claim, Picture, Row, figures
from tfsemae.statistics import Interval

_PLATEAU_DB = 18.0
_ANY_WEIGHT = "3_both"

_Found = Mapping[str, np.ndarray]  # quantity -> value of each seed
_Effects = Mapping[str, Interval]  # quantity -> semantic minus vanilla


def plateau(
    scale: str,
    runs_dir: pathlib.Path,
    output_dir: pathlib.Path,
    data_dir: str | None,
) -> dict:
    """Makes the parts of `ming2022_plateau`: what leaves the mean image."""
    del output_dir, data_dir  # there is no picture
    s = plan.SCALES[scale]
    psnr = {
        form: {
            network: claims.measured(
                runs_dir / plan.plateau_run(s, form, weight, seed)[0]
                for seed in range(s.seeds)
            )["psnr"]
            for network, weight in (("vanilla", None), ("semantic", 1))
        }
        for form in plan.FORMS
    }
    loss, initializer = choose_form(psnr)
    reason = (
        f"highest PSNR of those above {_PLATEAU_DB:g} dB from every seed with both "
        "networks; the paper prints neither"
    )
    return {
        "source": "Ming, Du and Lin 2022, section III: loss and initialiser",
        "rows": [
            Row(
                id="_".join((network, *form)),
                quantity=f"{network}, {form[0]}, {form[1]}: PSNR after "
                f"{s.plateau_steps} steps",
                unit="dB",
                printed=None,
                measured=values.mean(),
                sd=values.std(ddof=1),
                n=len(values),
                tag=plan.tag("ming2022_plateau", scale),
                note=f"{np.sum(values > _PLATEAU_DB)} of {len(values)} seeds above "
                f"{_PLATEAU_DB:g} dB, the lowest at {values.min():.2f} dB",
            )
            for form in psnr
            for network, values in psnr[form].items()
        ],
        "choices": [
            Choice(flag="loss", value=loss, reason=reason),
            Choice(flag="initializer", value=initializer, reason=reason),
        ],
    }


def choose_form(psnr: Mapping[tuple[str, str], _Found]) -> tuple[str, str]:
    """Chooses loss and initialiser.

    Args:
        psnr: (loss, initializer) -> network -> dB of each seed.

    Returns:
        The form of highest mean PSNR among those with every network and seed
        above 18 dB; among all, where there is none such.
    """
    values = {form: np.stack(list(found.values())) for form, found in psnr.items()}
    good = [form for form in values if values[form].min() > _PLATEAU_DB]
    return max(good or values, key=lambda form: values[form].mean())


def weight(
    scale: str,
    runs_dir: pathlib.Path,
    output_dir: pathlib.Path,
    data_dir: str | None,
) -> dict:
    """Makes the parts of `ming2022_weight`: quality against class structure."""
    del data_dir  # the runs have measured all
    s = plan.SCALES[scale]

    def measured(weight: float | None) -> _Found:
        names = (plan.weight_run(s, weight, seed)[0] for seed in range(s.weight_seeds))
        return claims.measured(runs_dir / name for name in names)

    vanilla = measured(None)
    found = {weight: measured(weight) for weight in s.weights}
    effects = {w: claims.effects(values, vanilla) for w, values in found.items()}
    named = {"vanilla": vanilla} | {f"semantic{w:g}": found[w] for w in found}
    tag = plan.tag("ming2022_weight", scale)
    return {
        "source": "Ming, Du and Lin 2022, section III: weight of the classification",
        "rows": [row for name in named for row in claims.rows(name, named[name], tag)],
        "claims": [_any_weight(effects), *_claims_by_weight(effects)],
        "pictures": _draw(found, vanilla, output_dir),
        "choices": [
            Choice(
                flag="semantic_weight",
                value=choose_weight(effects),
                reason="the smallest at which claims 1 and 2 hold; where there is "
                "none, the one that breaks claim 1 least among those at which claim 2 "
                "holds",
            )
        ],
    }


def choose_weight(effects: Mapping[float, _Effects]) -> float:
    """Chooses the weight of the classification.

    Args:
        effects: weight -> quantity -> semantic minus vanilla.

    Returns:
        The smallest weight at which claims 1 and 2 hold. Where there is none, the
        one that breaks claim 1 least, in units of its margins, among those at
        which claim 2 holds; among all, where there is none such either.
    """
    tighter = [w for w in effects if claims.verdict(effects[w], 2) == "holds"]
    both = [w for w in tighter if claims.verdict(effects[w], 1) == "holds"]
    return (
        min(both) if both else min(tighter or effects, key=lambda w: _cost(effects[w]))
    )


def _cost(effects: _Effects) -> float:
    return max(
        abs(effects["psnr"].effect) / claims.PSNR_MARGIN,
        abs(effects["ssim"].effect) / claims.SSIM_MARGIN,
    )


def _claims_by_weight(effects: Mapping[float, _Effects]) -> list[Claim]:
    return [
        Claim(
            id=f"{number}_weight{w:g}",
            statement=f"{claims.STATEMENTS[number]}: weight {w:g}",
            measurement=f"{claims.QUANTITIES[key]}, semantic minus vanilla; holds "
            f"{claims.TESTS[key].rule} and {claims.QUANTITIES[beside].name} "
            f"{claims.TESTS[beside].rule}",
            **effects[w][key]._asdict(),
            verdict=claims.verdict(effects[w], number),
            note=_described(beside, effects[w][beside]),
            part_of=_ANY_WEIGHT,
        )
        for w in effects
        for number, key, beside in (
            (1, "psnr", "ssim"),
            (2, "silhouette", "knn_accuracy"),
        )
    ]


def _described(key: str, effect: Interval) -> str:
    quantity = claims.QUANTITIES[key]
    return (
        f"{quantity}: {effect.effect:+.2f}, interval {effect.low:+.2f} to "
        f"{effect.high:+.2f}"
    )


def _any_weight(effects: Mapping[float, _Effects]) -> Claim:
    verdicts = {
        w: statistics.all_hold(claims.verdict(effects[w], claim) for claim in (1, 2))
        for w in effects
    }
    held = [f"{w:g}" for w in verdicts if verdicts[w] == "holds"]
    undecided = [f"{w:g}" for w in verdicts if verdicts[w] == "undecided"]
    return Claim(
        id=_ANY_WEIGHT,
        statement="A weight exists at which claims 1 and 2 hold together",
        measurement=f"claims 1 and 2 at {len(effects)} weights",
        effect=None,
        low=None,
        high=None,
        verdict="holds" if held else "undecided" if undecided else "does not hold",
        note=f"together at: {', '.join(held) or 'none'}; undecided at: "
        f"{', '.join(undecided) or 'none'}",
    )


def _draw(
    found: Mapping[float, _Found], vanilla: _Found, output_dir: pathlib.Path
) -> list[Picture]:
    pictures = []
    for key in ("silhouette", "knn_accuracy"):
        panels = [_panel(found, vanilla, key, quality) for quality in ("psnr", "ssim")]
        figures.curves(panels, output_dir / f"frontier_{key}.png")
        pictures.append(
            Picture(
                file=f"frontier_{key}.png",
                caption=f"Reconstruction against the {claims.QUANTITIES[key].name}. "
                f"One point per weight, along the curve {_list(found)}: mean and "
                f"standard deviation over {len(vanilla[key])} seeds.",
            )
        )
    return pictures


def _list(weights) -> str:
    return ", ".join(f"{w:g}" for w in weights)


def _panel(found, vanilla, x: str, y: str) -> figures.Panel:
    names = [f"{w:g}" for w in found]
    return figures.Panel(
        x_label=str(claims.QUANTITIES[x]),
        y_label=str(claims.QUANTITIES[y]),
        curves=[
            _curve("semantic, by weight", list(found.values()), x, y, names),
            _curve("vanilla", [vanilla], x, y),
        ],
        levels=[
            (f"{network}, printed", claims.PRINTED[f"{network}_{y}"])
            for network in ("vanilla", "semantic")
        ],
    )


def _curve(label, points: list[_Found], x: str, y: str, names=()) -> figures.Curve:
    return figures.Curve(
        label=label,
        x=[point[x].mean() for point in points],
        y=[point[y].mean() for point in points],
        x_error=[point[x].std(ddof=1) for point in points],
        y_error=[point[y].std(ddof=1) for point in points],
        names=names,
    )
