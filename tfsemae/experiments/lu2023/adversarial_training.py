"""Algorithm 1 and Fig. 10: the KLD-VAE of MNIST, fine-tuned on attacked latents."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.intervals import hull, interval
from tfsemae.experiments.lu2023 import pictures, runs, tables
from tfsemae.experiments.lu2023.areas import (
    GRIDS,
    SCORES,
    Comparison,
)
from tfsemae.experiments.lu2023.comparisons import (
    ByGrid,
    by_attacks,
    on_grids,
    together,
)
from tfsemae.experiments.lu2023.runs import (
    ADVERSARIAL,
    CONTINUED,
    KLD,
    NOISE,
    REGULAR,
    Training,
)
from tfsemae.experiments.lu2023.table1_claims import main_scores
from tfsemae.experiments.lu2023.tables import Attacks, name
from tfsemae.reports.ledger import Claim, Row
from tfsemae.statistics import Above, Below, Interval, Rule

_COMPARED = (REGULAR, CONTINUED, NOISE, ADVERSARIAL)
_SSIM = "ssim"


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `lu2023_adversarial_training`."""
    dataset = runs.SCALES[work.scale].datasets[0]
    attacks = Attacks(work)
    planned = runs.fine_tuned(work.scale)
    compared = Comparison(
        {how: [attacks.of(run) for run in planned[how]] for how in planned}
    )
    scores = main_scores(compared)
    fine_tuned = planned[ADVERSARIAL][0].inputs["model_dir"]
    return {
        "rows": [
            *tables.area_rows(work, compared, dataset, "untargeted", {}, scores),
            *_clean_rows(work, dataset, compared),
            *_crossing_rows(work, dataset, compared),
            *_other_rows(work, dataset, attacks),
        ],
        "claims": list(_claims(compared)),
        "pictures": [
            pictures.curves(
                compared,
                work.output_dir / f"figure10_{score}.png",
                f"Fig. 10: {KLD} on {name(dataset)}, untargeted, {SCORES[score].name}.",
                scores=[score],
                groups=_COMPARED,
                conditions=("pgd", "strong", "noise"),
                radius=runs.RADIUS,
            )
            for score in scores
        ],
        "choices": [
            *tables.choices(
                work,
                runs.training(KLD, dataset, 0, work.scale),
                planned[ADVERSARIAL][0],
            ),
            *(
                work.choice(flag, fine_tuned, why)
                for flag, why in {
                    "latent_adversarial_steps": "not printed",
                    "latent_adversarial_epsilon": "lost in print",
                    "train_decoder": "fine-tuned from the trained encoder and decoder; "
                    "the paper trains from the start",
                }.items()
            ),
        ],
        "warnings": tables.warnings(
            attacks, runs.adversarial_training(work.scale), ("lpips_squeeze",)
        ),
    }


def _clean_rows(work: Workspace, dataset: str, compared: Comparison) -> Iterator[Row]:
    for how, measured in compared.groups.items():
        for key, quantity in (
            ("mse", "mean squared error of reconstructions"),
            (_SSIM, "SSIM of reconstructions"),
        ):
            yield row(
                f"{dataset}_{how.id}_clean_{key}",
                f"{name(dataset)}, {how}: {quantity}, nothing attacked",
                [run.array("clean", key).mean() for run in measured],
                tag=tables.tag(work, dataset, None),
            )


def _crossing_rows(
    work: Workspace, dataset: str, compared: Comparison
) -> Iterator[Row]:
    """Where adversarial training stops to help SSIM."""
    for reference in (REGULAR, CONTINUED):
        found = []
        for seed in compared.seeds(ADVERSARIAL, reference):
            radii, ours = _mean_curve(compared, ADVERSARIAL, seed)
            _, theirs = _mean_curve(compared, reference, seed)
            found.append(sign_change(radii, ours - theirs))
        values = [each for each in found if each is not None]
        if not values:
            continue
        yield row(
            f"{dataset}_crossing_{reference.id}",
            f"{name(dataset)}: radius from which on SSIM after adversarial training is "
            f"below that after {reference}",
            values,
            tag=tables.tag(work, dataset, None),
            note=f"found for {len(values)} of {len(found)} seeds; interpolated; the "
            f"radius of training is {runs.RADIUS:g}",
        )


def _mean_curve(
    compared: Comparison, how: Training, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    radii, values = compared.groups[how][seed].curve(_SSIM, "pgd", "absolute")
    return radii, values.mean(axis=1)


def sign_change(x: Sequence[float] | np.ndarray, y: np.ndarray) -> float | None:
    """Where a line through points last goes from positive to negative, or None.

    Args:
        x: `[N]`, ascending.
        y: `[N]`.
    """
    places = np.flatnonzero((y[:-1] > 0) & (y[1:] < 0))
    if not places.size:
        return None
    at = places[-1]
    share = y[at] / (y[at] - y[at + 1])
    return float(x[at] + share * (x[at + 1] - x[at]))


def _other_rows(work: Workspace, dataset: str, attacks: Attacks) -> Iterator[Row]:
    """What it does to the other variational autoencoders, of one seed."""
    for model, pair in runs.other_fine_tuned(work.scale).items():
        before, after = (attacks.of(run) for run in pair)
        compared = Comparison({REGULAR: [before], ADVERSARIAL: [after]})
        for score, grid in itertools.product(main_scores(compared), GRIDS):
            found = compared.difference(
                (ADVERSARIAL, "pgd"), (REGULAR, "pgd"), score, grid
            )
            yield Row(
                id=f"{dataset}_{model.id}_adversarial_{score}_{grid}",
                quantity=f"{name(dataset)}, {model}: area of {SCORES[score].name}, "
                f"after minus before adversarial training, {grid} grid",
                unit="",
                printed=None,
                measured=found.effect,
                low=found.low,
                high=found.high,
                tag=tables.tag(work, dataset, None),
                note="one network; interval over images",
            )


def _claims(compared: Comparison) -> Iterator[Claim]:
    """Claim 7, against the same network with as many further steps."""
    helps = "Adversarial training raises the robustness of the latent"
    comparisons: list[ByGrid] = []
    for score in main_scores(compared):
        inside = score == _SSIM
        where = "up to the radius of training" if inside else "at all radii"
        comparisons.append(
            _beside_strong(
                f"7_{score}",
                f"{helps}: {SCORES[score].name}, {where}",
                f"{SCORES[score].name} after adversarial training against as many "
                f"further steps without, better above 0; the least difference {where}",
                functools.partial(_least, compared, score, inside=inside),
                Above(0),
            )
        )
    yield from together("7", helps, comparisons)
    costs = "By large radii adversarial training lowers SSIM"
    beyond = _beside_strong(
        "7_beyond_ssim",
        f"{costs}: at the greatest radius",
        "SSIM after adversarial training minus that after as many further steps "
        "without",
        lambda grid, condition: _difference_at(compared, _SSIM, grid, condition)[-1],
        Below(0),
    )
    yield from together("7_beyond", costs, [beyond])
    attacked = "The attack in training does more than noise of its length"
    yield from together(
        "7_noise",
        attacked,
        [
            _beside_strong(
                f"7_noise_{score}",
                f"{attacked}: area of {SCORES[score].name}",
                f"area of {SCORES[score].name}, {ADVERSARIAL} minus {NOISE}",
                functools.partial(_beyond_noise, compared, score),
                Above(0),
            )
            for score in main_scores(compared)
        ],
    )


def _beside_strong(
    id_: str,
    statement: str,
    measurement: str,
    effect: Callable[[str, str], Interval],
    rule: Rule,
) -> ByGrid:
    found = by_attacks(effect, rule)
    return on_grids(id_, statement, measurement, found.effects, rule, notes=found.notes)


def _beyond_noise(
    compared: Comparison, score: str, grid: str, condition: str
) -> Interval:
    ends = (ADVERSARIAL, condition), (NOISE, condition)
    return compared.difference(*ends, score, grid)


def _least(
    compared: Comparison, score: str, grid: str, condition: str, *, inside: bool
) -> Interval:
    """The least advantage over radii, and the least ends of its intervals.

    Args:
        compared: the networks.
        score: key of `SCORES`.
        grid: key of `GRIDS`.
        condition: key of `CONDITIONS`.
        inside: whether to stop at the radius of training.
    """
    run = compared.groups[CONTINUED][0]
    unit = run.found["spread"] if grid == "relative" else 1.0
    radii = np.array(list(run.radii(condition, grid))) * unit
    limit = max(runs.RADIUS, radii[1]) if inside else np.inf
    kept = [
        each
        for radius, each in zip(
            radii, _difference_at(compared, score, grid, condition), strict=True
        )
        if 0 < radius <= limit
    ]
    return Interval(*(min(ends) for ends in zip(*kept, strict=True)))


def _difference_at(
    compared: Comparison, score: str, grid: str, condition: str
) -> list[Interval]:
    """By how much adversarial training is better at each radius."""
    quantity = SCORES[score].quantity
    sign = 1 if SCORES[score].higher_is_better else -1
    differences = []
    for seed in compared.seeds(ADVERSARIAL, CONTINUED):
        ours, theirs = (
            compared.groups[how][seed].curve(quantity, condition, grid)[1]
            for how in (ADVERSARIAL, CONTINUED)
        )
        differences.append(sign * (ours - theirs))
    return [
        hull(
            interval(statistics.mean_statistic(of_seed[radius]), compared.examples)
            for of_seed in differences
        )
        for radius in range(len(differences[0]))
    ]
