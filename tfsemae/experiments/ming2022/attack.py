"""Section IV: what the attack does, Figs. 5 and 6, and whether the labels do it."""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from tfsemae import data
from tfsemae.experiments import estimates, pictures
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import estimated_row, row
from tfsemae.experiments.disturbance import psnr_at_ssim
from tfsemae.experiments.ming2022 import attack_claims, printed
from tfsemae.experiments.ming2022.attack_claims import QUANTITIES
from tfsemae.experiments.ming2022.attack_runs import PLANS, Attacker, Plan
from tfsemae.experiments.pictures import Attacked
from tfsemae.reports.ledger import Choice, Picture, Row


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of an attack."""
    p = PLANS[work.artefact.name][work.scale]
    folders = {attacker: work.folders(runs) for attacker, runs in p.attacks().items()}
    found = estimates.over_seeds_or_examples(
        folders,
        QUANTITIES,
        unit="victims",
        note="one victim and one training of each attacker",
    )
    rows = [*_rows(p, found, work), *_classifier_rows(p, work)]
    drawn: list[Picture] = []
    if p.seeds == 1:
        images = data.load(p.dataset, "test", data_dir=work.data_dir, classes=p.classes)
        # Of other data one attacker will do: the page embeds all pictures.
        for attacker in p.attackers if p.of_the_paper else p.attackers[:1]:
            attacked = pictures.read_attacked(images, folders[attacker][0])
            separate = p.of_the_paper and attacker == p.attackers[0]
            drawn += _draw(attacker, attacked, work, separate=separate)
            if p.of_the_paper:
                rows.append(_row_at_printed_ssim(attacker, attacked, work))
    return {
        "rows": rows,
        "claims": [
            claim
            for attacker in p.attackers
            for claim in attack_claims.claims(found, attacker, attacker.controls())
        ],
        "pictures": drawn,
        "choices": _choices(p, work),
    }


def _choices(p: Plan, work: Workspace) -> list[Choice]:
    attacker = p.attacker(p.attackers[0], 0)
    reasons = {
        "semantic_weight": "as on MNIST, see ming2022_weight; the paper prints none",
        "train_decoder": 'the attacker "shares the trained weights" of the decoder',
        "encoder_from": "a fresh encoder of another seed; the paper does not say, and "
        "ming2022_cifar10 has the victim's beside it",
        "shuffle_labels": "permuted within each mini-batch; the paper says shuffled",
        "loss": "see ming2022_plateau",
        "initializer": "see ming2022_plateau",
    }
    return [work.choice(flag, attacker, reason) for flag, reason in reasons.items()]


def _rows(p: Plan, found: estimates.Estimates, work: Workspace) -> Iterator[Row]:
    for attacker in p.all_attackers():
        for key, quantity in QUANTITIES.items():
            # What is measured of clean codes is the victim's, whoever attacks.
            clean = key.startswith("clean/") and key != "clean/inverse_error"
            if clean and attacker != p.attackers[0]:
                continue
            # Weight and start are open in the paper, so its numbers stand by each.
            beside = p.of_the_paper and attacker in p.attackers
            number = printed.ATTACK.get(key) if beside else None
            yield estimated_row(
                found,
                attacker,
                key,
                f"{attacker.id}_{_row_id(key)}",
                quantity.name if clean else f"{attacker}: {quantity.name}",
                printed=number,
                tag=work.tag(number),
            )


def _classifier_rows(p: Plan, work: Workspace) -> Iterator[Row]:
    """Whether wrong labels leave the attacker's own classifier ignorant."""
    for attacker in p.all_attackers():
        if attacker.weight is None:
            continue
        runs = [p.attacker(attacker, seed) for seed in range(p.seeds)]
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
    unique = measure in ("remaining_distance", "inverse_error")
    of_images = key in ("adversarial/psnr", "adversarial/ssim")
    return measure if unique or of_images else f"{measure}_{condition}"


def _row_at_printed_ssim(
    attacker: Attacker, attacked: Attacked, work: Workspace
) -> Row:
    """Whether the two printed numbers can be of one disturbance such as ours."""
    psnr, ssim = printed.ATTACK.values()
    return row(
        f"{attacker.id}_psnr_at_printed_ssim",
        f"{attacker}: PSNR, the change scaled until SSIM is as printed",
        [psnr_at_ssim(attacked.original, attacked.adversarial, ssim / 100)],
        unit="dB",
        tag=work.tag(None),
        note=f"the paper prints the two numbers of one attack: {psnr} dB and {ssim} %",
    )


def _draw(
    attacker: Attacker, attacked: Attacked, work: Workspace, *, separate: bool
) -> Iterator[Picture]:
    def place(name: str) -> pathlib.Path:
        return work.output_dir / f"{name}_{attacker.id}.png"

    figure5, figure6 = (f"As Fig. {number} ({attacker})" for number in (5, 6))
    yield pictures.attacked_images(attacked, place("figure5"), figure5)
    yield pictures.joint_map(attacked, place("figure6_joint"), figure6)
    if separate:
        yield pictures.separate_maps(attacked, place("figure6_separate"), figure6)
