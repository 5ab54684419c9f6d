"""Section IV: what the attack does, Figs. 5 and 6, and whether the labels do it."""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from tfsemae import data
from tfsemae.evaluation import attacking
from tfsemae.experiments import disturbance, estimates, pictures
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import estimated_difference, estimated_row, row
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.experiments.ming2022 import attack_claims, printed
from tfsemae.experiments.ming2022.attack_claims import QUANTITIES
from tfsemae.experiments.ming2022.attack_runs import (
    PLANS,
    SCALES,
    Attack,
    Attacker,
    Plan,
)
from tfsemae.experiments.pictures import Attacked
from tfsemae.reports.ledger import Choice, Claim, Picture, Row

_SCALES = sorted((*SCALES, "1"), key=float)
#: Of each scale, what a figure shows by scale.
_BY_SCALE = {
    "projection": Quantity("projection on the way to L_s / scale"),
    "linear_probe_accuracy": Quantity("accuracy of a linear classifier", "%", 100),
    "log_variance_ratio": Quantity("log ratio of variances, over clean codes"),
}
_NORM_FACTOR = {
    "adversarial/norm_factor": Quantity("factor that gives its change that norm")
}


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of an attack."""
    p = PLANS[work.artefact.name][work.scale]
    folders = {attack: work.folders(runs) for attack, runs in p.attacks().items()}
    found = Estimates(folders, QUANTITIES | _NORM_FACTOR, unit="victims")
    images = data.load(p.dataset, "test", data_dir=work.data_dir, classes=p.classes)
    attacked = {
        attacker: pictures.read_attacked(images, folders[Attack(attacker)][0])
        for attacker in p.attackers
    }
    drawn = [
        picture
        for attacker, each in attacked.items()
        for picture in _draw(attacker, each, work)
    ]
    rows = [
        *_rows(p, found, work),
        *_differences_of_two_trainings(p, found, work),
        *_map_rows(p, folders, work),
        *_classifier_rows(p, work),
        *(_row_at_printed_ssim(*each, work) for each in attacked.items()),
        *(r for each in attacked.items() for r in _rows_at_printed_psnr(*each, work)),
    ]
    claims: list[Claim] = []
    if len(p.seeds) > 1:  # of one victim there are numbers and pictures, no verdicts
        claims = [
            claim
            for attacker in p.attackers
            for claim in attack_claims.claims(
                found, attacker, p.controls(attacker), p.steps
            )
        ]
        drawn.append(_draw_scales(p, folders, work))
    return {
        "rows": rows,
        "claims": claims,
        "pictures": drawn,
        "choices": _choices(p, work),
    }


def _choices(p: Plan, work: Workspace) -> list[Choice]:
    attacker = p.attacker(next(iter(p.attackers)), p.seeds[0])
    reasons = {
        "semantic_weight": "the paper prints none; 0.016 is that of ming2022_mnist, at "
        "weight 1 the labels count as much as all pixels of an image",
        "train_decoder": 'the attacker "shares the trained weights" of the decoder',
        "encoder_from": "a fresh encoder of another seed; the paper does not say, and "
        "ming2022_cifar10 has the victim's beside it",
        "shuffle_labels": "permuted over the training set, anew for each pass, so that "
        "they say nothing about the images; the paper says shuffled",
        "loss": "see ming2022_plateau",
        "initializer": "see ming2022_plateau",
    }
    return [work.choice(flag, attacker, reason) for flag, reason in reasons.items()]


def _rows(p: Plan, found: Estimates, work: Workspace) -> Iterator[Row]:
    first = Attack(next(iter(p.attackers)))
    for attack in p.all_attacks():
        quantities = QUANTITIES if attack.norm_of is None else _of_control()
        for key, quantity in quantities.items():
            # What is measured of clean codes is the victim's, whoever attacks.
            of_victim = key.startswith("clean/")
            if of_victim and attack != first:
                continue
            # Weight and start are open in the paper: its numbers stand by each, and
            # the further ones are our choice.
            number = printed.ATTACK.get(key) if attack.norm_of is None else None
            yield estimated_row(
                found,
                attack,
                key,
                f"{attack.id}_{_row_id(key)}",
                quantity.name if of_victim else f"{attack}: {quantity.name}",
                printed=number,
                tag=work.tag(number if attack == first else None),
            )


def _of_control() -> dict[str, Quantity]:
    """What is reported of a change that was scaled: no way to a target is its own."""
    return _NORM_FACTOR | attack_claims.of_codes("adversarial")


def _differences_of_two_trainings(
    p: Plan, found: Estimates, work: Workspace
) -> Iterator[Row]:
    """By how much two attackers of one kind differ; what counts is the deviation."""
    for attacker in p.repeated:
        for again in p.again(attacker):
            for key in ("probe_error", "log_variance_ratio", "two_sample_accuracy"):
                name = f"adversarial/{key}"
                yield estimated_difference(
                    found,
                    (Attack(attacker), name),
                    (again, name),
                    f"{attacker.id}_minus_again_{key}",
                    f"{attacker}, minus that trained again: {QUANTITIES[name].name}",
                    unit="points" if QUANTITIES[name].unit else "",
                    tag=work.tag(None),
                )


def _map_rows(
    p: Plan, folders: Mapping[Attack, list[pathlib.Path]], work: Workspace
) -> Iterator[Row]:
    """What Fig. 6 shows, in numbers: how far apart the classes are in each map."""

    def silhouettes(attacker: Attacker, condition: str) -> list[float]:
        runs = folders[Attack(attacker)]
        return [pictures.map_silhouette(folder, condition) for folder in runs]

    # Clean codes are the victims', whoever attacks; a map of 2,000 takes 13 s.
    clean = silhouettes(next(iter(p.attackers)), "clean")
    for attacker in p.attackers:
        found = {"clean": clean, "adversarial": silhouettes(attacker, "adversarial")}
        for condition, values in found.items():
            yield row(
                f"{attacker.id}_map_silhouette_{condition}",
                f"{attacker}: silhouette of the t-SNE map of the {condition} codes",
                values,
                tag=work.tag(None),
            )


def _classifier_rows(p: Plan, work: Workspace) -> Iterator[Row]:
    """Whether wrong labels leave the attacker's own classifier ignorant."""
    attackers = dict.fromkeys(attack.attacker for attack in p.all_attacks())
    for attacker in attackers:
        if attacker.weight is None:
            continue
        runs = [p.attacker(attacker, seed) for seed in p.seeds]
        yield row(
            f"{attacker.id}_label_accuracy",
            f"{attacker}: accuracy of the attacker's own classifier",
            [100 * estimates.measured(f, "label_accuracy") for f in work.folders(runs)],
            unit="%",
            tag=work.tag(None),
            note="true labels of the test images",
        )


def _row_id(key: str) -> str:
    condition, _, measure = key.partition("/")
    # Of the attack itself unless the name says more.
    condition = condition.removeprefix("adversarial").removeprefix("_")
    return f"{measure}_{condition}" if condition else measure


def _row_at_printed_ssim(
    attacker: Attacker, attacked: Attacked, work: Workspace
) -> Row:
    """Whether the two printed numbers can be of one disturbance such as ours."""
    psnr, ssim = printed.ATTACK.values()
    return row(
        f"{attacker.id}_psnr_at_printed_ssim",
        f"{attacker}: PSNR, the change scaled until SSIM is as printed",
        [disturbance.psnr_at_ssim(attacked.original, attacked.adversarial, ssim / 100)],
        unit="dB",
        tag=work.tag(None),
        note=f"the paper prints the two numbers of one attack: {psnr} dB and {ssim} %",
    )


def _rows_at_printed_psnr(
    attacker: Attacker, attacked: Attacked, work: Workspace
) -> Iterator[Row]:
    """SSIM of changes that have the printed PSNR, in several directions."""
    psnr, ssim = printed.ATTACK.values()
    found = pictures.ssim_at_psnr(attacked, psnr)
    for direction, measured in found.items():
        yield row(
            f"{attacker.id}_ssim_at_printed_psnr_{direction.replace(' ', '_')}",
            f"{attacker}: SSIM of a change with the printed PSNR, {direction}",
            [100 * measured],
            unit="%",
            tag=work.tag(None),
            note=f"the paper prints {ssim} % with {psnr} dB; the first images of the "
            "first victim, as in the figure",
        )


def _draw(attacker: Attacker, attacked: Attacked, work: Workspace) -> Iterator[Picture]:
    def place(name: str) -> pathlib.Path:
        return work.output_dir / f"{name}_{attacker.id}.png"

    figure5, figure6 = (f"As Fig. {number} ({attacker})" for number in (5, 6))
    yield pictures.attacked_images(attacked, place("figure5"), figure5)
    yield pictures.joint_map(attacked, place("figure6_joint"), figure6)
    yield pictures.separate_maps(attacked, place("figure6_separate"), figure6)
    yield pictures.quality_by_scale(
        attacked,
        str(attacker),
        (printed.ATTACK["adversarial/psnr"], printed.ATTACK["adversarial/ssim"]),
        place("psnr_ssim"),
    )


def _draw_scales(
    p: Plan, folders: Mapping[Attack, list[pathlib.Path]], work: Workspace
) -> Picture:
    """What a change of the codes does, by its scale."""
    curves: dict[str, tuple[Attack, list[str]]] = {}
    quantities: dict[str, Quantity] = {}
    for condition, name in (("adversarial", ""), ("noise", ", noise of equal norm")):
        of_scales = [attacking.scaled(condition, scale) for scale in _SCALES]
        for attacker in p.attackers:
            curves[f"{attacker}{name}"] = Attack(attacker), of_scales
        quantities |= {
            f"{each}/{key}": quantity
            for each in of_scales
            for key, quantity in _BY_SCALE.items()
        }
    return pictures.by_scale(
        Estimates(folders, quantities, unit="victims"),
        curves,
        list(_BY_SCALE),
        [float(scale) for scale in _SCALES],
        work.output_dir / "scales.png",
        "What the attack does by the scale of its change; 1 is the attack itself. "
        "Noise has the norm of the scaled change. "
        f"Means and standard deviations over {len(p.seeds)} victims.",
    )
