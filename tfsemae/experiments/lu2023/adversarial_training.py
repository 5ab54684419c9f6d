"""Algorithm 1 and Fig. 10: the KLD-VAE of MNIST, fine-tuned on attacked latents."""

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import row
from tfsemae.experiments.lu2023 import pictures, printed, runs, tables, trainings
from tfsemae.experiments.lu2023.areas import (
    CONDITIONS,
    GRIDS,
    SCORES,
    Comparison,
)
from tfsemae.experiments.lu2023.comparisons import attacked, together
from tfsemae.experiments.lu2023.runs import (
    ADVERSARIAL,
    CONTINUED,
    KLD,
    NOISE,
    REGULAR,
    Training,
)
from tfsemae.experiments.lu2023.table1_claims import damage_comparison
from tfsemae.experiments.lu2023.tables import Attacks, name
from tfsemae.reports.ledger import Claim, Row
from tfsemae.statistics import Above, Below, Interval

_COMPARED = (REGULAR, CONTINUED, NOISE, ADVERSARIAL)
_ATTACKS = ("pgd", "strong")
_SSIM = "ssim"


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `lu2023_adversarial_training`."""
    dataset = runs.SCALES[work.scale].datasets[0]
    attacks = Attacks(work)
    planned = runs.fine_tuned(work.scale)
    compared = Comparison(
        {how: [attacks.of(run) for run in planned[how]] for how in planned}
    )
    scores = compared.main_scores
    fine_tuned = planned[ADVERSARIAL][0].inputs["model_dir"]
    return {
        "rows": [
            *tables.area_rows(work, compared, dataset, "untargeted", {}, scores),
            *tables.spectrum_rows(work, compared, dataset),
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
        "warnings": [
            *tables.warnings(
                attacks, runs.adversarial_training(work.scale), ("lpips_squeeze",)
            ),
            *trainings.warnings(work, runs.adversarial_training(work.scale)),
        ],
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
        # The curves compare with the network's own reconstruction, which smoother
        # networks change less and blur more.
        for attack in _ATTACKS:
            attacked_by = f"{attack}_epsilon{runs.RADIUS:g}"
            yield row(
                f"{dataset}_{how.id}_{attack}_ssim_to_input",
                f"{name(dataset)}, {how}: SSIM of reconstructions with the image "
                f"itself, {CONDITIONS[attack]} of radius {runs.RADIUS:g}",
                [run.array(attacked_by, "ssim_to_input").mean() for run in measured],
                tag=tables.tag(work, dataset, None),
            )


def _crossing_rows(
    work: Workspace, dataset: str, compared: Comparison
) -> Iterator[Row]:
    """Where adversarial training stops to help SSIM."""
    for reference, condition in itertools.product((REGULAR, CONTINUED), _ATTACKS):
        found = []
        for seed in compared.seeds(ADVERSARIAL, reference):
            radii, ours = _mean_curve(compared, ADVERSARIAL, seed, condition)
            _, theirs = _mean_curve(compared, reference, seed, condition)
            found.append(sign_change(radii, ours - theirs))
        values = [each for each in found if each is not None]
        if not values:
            continue
        yield row(
            f"{dataset}_crossing_{reference.id}_{condition}",
            f"{name(dataset)}, {CONDITIONS[condition]}: radius from which on SSIM "
            f"after adversarial training is below that after {reference}",
            values,
            tag=tables.tag(work, dataset, None),
            note=f"found for {len(values)} of {len(found)} seeds; interpolated; the "
            f"radius of training is {runs.RADIUS:g}",
        )


def _mean_curve(
    compared: Comparison, how: Training, seed: int, condition: str
) -> tuple[np.ndarray, np.ndarray]:
    radii, values = compared.groups[how][seed].curve(_SSIM, condition, "absolute")
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
        for score, grid, condition in itertools.product(
            compared.main_scores, GRIDS, _ATTACKS
        ):
            ends = (ADVERSARIAL, condition), (REGULAR, condition)
            found = compared.less_damage(*ends, score, grid)
            yield Row(
                id=f"{dataset}_{model.id}_adversarial_{score}_{grid}_{condition}",
                quantity=f"{name(dataset)}, {model}: by how many % damage by "
                f"{SCORES[score].name}, mean over radii, is less after adversarial "
                f"training than before, {CONDITIONS[condition]}, {grid} grid",
                unit="%",
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
    least = (
        "by how many % damage by {} is less after adversarial training than after as "
        "many further steps without; the smallest value over radii{}"
    )
    yield from together(
        "7",
        helps,
        [
            attacked(
                f"7_{score}",
                f"{helps}: {SCORES[score].name}{inside}",
                least.format(SCORES[score].name, inside),
                functools.partial(_least, compared, score),
                Above(printed.LEAST_DAMAGE),
                unit="%",
            )
            for score in compared.main_scores
            for inside in [" up to that of training" if score == _SSIM else ""]
        ],
    )
    costs = "At large radii adversarial training lowers SSIM"
    beyond = attacked(
        "7_beyond_ssim",
        f"{costs}: at the greatest radius",
        "by how many % damage by SSIM is less after adversarial training than after as "
        "many further steps without",
        functools.partial(_at_the_greatest, compared, _SSIM),
        Below(-printed.LEAST_DAMAGE),
        unit="%",
    )
    yield from together("7_beyond", costs, [beyond])
    beats = "The attack in training does more than noise of the same norm"
    yield from together(
        "7_noise",
        beats,
        [
            damage_comparison(
                compared,
                (ADVERSARIAL, NOISE),
                score,
                f"7_noise_{score}",
                f"{beats}: {SCORES[score].name}",
            )
            for score in compared.main_scores
        ],
    )


def _least(compared: Comparison, score: str, grid: str, condition: str) -> Interval:
    """The least advantage over radii, and the least ends of its intervals.

    Of SSIM up to the radius of training, or the first one if that is larger.
    """
    advantages = _by_radius(compared, score, grid, condition)
    if score == _SSIM:
        unit = 1.0
        if grid == "relative":
            unit = compared.groups[CONTINUED][0].found["spread"]
        inside = sum(radius * unit <= runs.RADIUS for radius in advantages)
        advantages = dict(itertools.islice(advantages.items(), max(1, inside)))
    return Interval(*(min(ends) for ends in zip(*advantages.values(), strict=True)))


def _by_radius(
    compared: Comparison, score: str, grid: str, condition: str
) -> dict[float, Interval]:
    """Radius, but for 0 -> by how many % damage is less there."""
    ends = (ADVERSARIAL, condition), (CONTINUED, condition)
    radii = compared.groups[CONTINUED][0].radii(condition, grid)
    return {
        radius: compared.less_damage(*ends, score, grid, radius=radius)
        for radius in radii
        if radius > 0
    }


def _at_the_greatest(
    compared: Comparison, score: str, grid: str, condition: str
) -> Interval:
    by_radius = _by_radius(compared, score, grid, condition)
    return by_radius[max(by_radius)]
