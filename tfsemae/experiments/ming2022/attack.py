"""Section IV: what the attack does, Figs. 5 and 6, and whether the labels do it."""

import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize

from tfsemae import data, metrics
from tfsemae.evaluation import attack as evaluation
from tfsemae.experiments.artefact import Made
from tfsemae.experiments.claims import Estimates, OverExamples, OverSeeds, measured
from tfsemae.experiments.ming2022 import attack_claims, printed
from tfsemae.experiments.ming2022.attack_claims import QUANTITIES
from tfsemae.experiments.ming2022.attack_runs import PLANS, Attacker, Plan
from tfsemae.reports import embeddings, figures
from tfsemae.reports.ledger import Picture, Row

_SHOWN = 10
_SCALES = (1e-3, 1e2)  # of a change


def build(made: Made) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of an attack."""
    p = PLANS[made.artefact.name][made.scale]
    folders = {attacker: made.folders(runs) for attacker, runs in p.attacks().items()}
    first = {attacker: each[0] for attacker, each in folders.items()}
    found: Estimates
    if p.seeds > 1:
        found = OverSeeds(folders, QUANTITIES, unit="victims")
    else:
        note = "one victim and one training of each attacker"
        found = OverExamples(first, QUANTITIES, note=note)
    rows = [*_rows(p, found, made), *_classifier_rows(p, made)]
    pictures = []
    if p.seeds == 1:
        images = data.load(p.dataset, "test", data_dir=made.data_dir, classes=p.classes)
        # Of other data one attacker will do: the page embeds all pictures.
        for attacker in p.attackers if p.of_the_paper else p.attackers[:1]:
            attacked = _read(images, first[attacker])
            separate = p.of_the_paper and attacker == p.attackers[0]
            pictures += _draw(attacker, attacked, made.output_dir, separate=separate)
            if p.of_the_paper:
                rows.append(_row_at_printed_ssim(attacker, attacked, made))
    return {
        "rows": rows,
        "claims": [
            claim
            for attacker in p.attackers
            for claim in attack_claims.claims(found, attacker, attacker.controls())
        ],
        "pictures": pictures,
        "choices": _choices(p, made),
    }


def _choices(p: Plan, made: Made):
    attacker = p.attacker(p.attackers[0], 0)
    reasons = {
        "semantic_weight": "as on MNIST, see ming2022_weight; the paper does not print "
        "it",
        "train_decoder": 'the attacker "shares the trained weights" of the decoder',
        "encoder_from": "a fresh encoder of another seed; the paper does not say, and "
        "ming2022_cifar10 has the victim's beside it",
        "shuffle_labels": "permuted within each mini-batch; the paper says shuffled",
        "loss": "see ming2022_plateau",
        "initializer": "see ming2022_plateau",
    }
    return [made.choice(flag, attacker, reason) for flag, reason in reasons.items()]


def _rows(p: Plan, found: Estimates, made: Made) -> list[Row]:
    rows = []
    for attacker in p.all_attackers():
        for key, quantity in QUANTITIES.items():
            # What is measured of clean codes is the victim's, whoever attacks.
            clean = key.startswith("clean/") and key != "clean/inverse_error"
            if clean and attacker != p.attackers[0]:
                continue
            number = _printed(p, attacker, key)
            interval, values = found.value(attacker, key), found.values(attacker, key)
            rows.append(
                Row(
                    id=f"{attacker.id}_{_row_id(key)}",
                    quantity=f"{'' if clean else f'{attacker}: '}{quantity.name}",
                    unit=quantity.unit,
                    printed=number,
                    measured=interval.effect,
                    sd=None if values is None else float(values.std(ddof=1)),
                    n=p.seeds,
                    values=() if values is None else tuple(values.tolist()),
                    low=interval.low,
                    high=interval.high,
                    tag=made.tag(number),
                    note=f"95 % {found.over}: {interval.low:#.4g} to "
                    f"{interval.high:#.4g}",
                )
            )
    return rows


def _classifier_rows(p: Plan, made: Made) -> list[Row]:
    """Whether wrong labels leave the attacker's own classifier ignorant."""
    rows = []
    for attacker in p.all_attackers():
        if attacker.weight is None:
            continue
        runs = [p.attacker(attacker, seed) for seed in range(p.seeds)]
        folders = made.folders(runs)
        accuracy = [100 * measured(folder, "label_accuracy") for folder in folders]
        rows.append(
            Row(
                id=f"{attacker.id}_label_accuracy",
                quantity=f"{attacker}: accuracy of the attacker's own classifier",
                unit="%",
                printed=None,
                measured=float(np.mean(accuracy)),
                sd=float(np.std(accuracy, ddof=1)) if p.seeds > 1 else None,
                n=p.seeds,
                values=tuple(accuracy),
                tag=made.tag(None),
                note="true labels of the test images",
            )
        )
    return rows


def _row_id(key: str) -> str:
    condition, _, measure = key.partition("/")
    unique = measure in ("remaining_distance", "inverse_error")
    of_images = key in ("adversarial/psnr", "adversarial/ssim")
    return measure if unique or of_images else f"{measure}_{condition}"


def _printed(p: Plan, attacker: Attacker, key: str) -> float | None:
    # Weight and start are open in the paper, so its numbers stand beside each.
    if not p.of_the_paper or attacker not in p.attackers:
        return None
    return printed.ATTACK.get(key)


class _Attacked(NamedTuple):
    """What an attack made of images, which are float32 `[N, H, W, C]`."""

    original: np.ndarray
    adversarial: np.ndarray  # unclipped
    latents: dict[str, np.ndarray]  # clean and adversarial
    labels: np.ndarray
    class_names: tuple[str, ...]


def _read(images: data.Images, folder: pathlib.Path) -> _Attacked:
    with (
        np.load(folder / evaluation.ADVERSARIAL_FILE) as arrays,
        np.load(folder / evaluation.MEASUREMENTS_FILE) as found,
    ):
        adversarial, indices = arrays["unclipped"], arrays["indices"]
        latents = {name: found[f"{name}/latent"] for name in ("clean", "adversarial")}
    original = images.images[indices] / np.float32(255)
    labels = images.labels[indices]
    return _Attacked(original, adversarial, latents, labels, images.class_names)


def _row_at_printed_ssim(attacker: Attacker, attacked: _Attacked, made: Made) -> Row:
    """Whether the two printed numbers can be of one disturbance such as ours."""
    psnr, ssim = printed.ATTACK.values()
    return Row(
        id=f"{attacker.id}_psnr_at_printed_ssim",
        quantity=f"{attacker}: PSNR, the change scaled until SSIM is as printed",
        unit="dB",
        printed=None,
        measured=psnr_at_ssim(attacked.original, attacked.adversarial, ssim / 100),
        tag=made.tag(None),
        note=f"the paper prints the two numbers of one attack: {psnr} dB and {ssim} %",
    )


def psnr_at_ssim(original: np.ndarray, changed: np.ndarray, ssim: float) -> float:
    """The mean PSNR of a change that is scaled until its mean SSIM is given.

    Args:
        original: float `[N, H, W, C]` in [0, 1].
        changed: of the same shape, of lower SSIM than 1.
        ssim: in (0, 1).

    Returns:
        dB.
    """

    def scaled(scale: float) -> np.ndarray:
        return original + np.float32(scale) * (changed - original)

    def excess(scale: float) -> float:
        return float(np.mean(metrics.ssim(original, scaled(scale)))) - ssim

    scale = optimize.brentq(excess, *_SCALES, xtol=1e-6)
    return float(np.mean(metrics.psnr(original, scaled(scale))))


def _draw(
    attacker: Attacker,
    attacked: _Attacked,
    output_dir: pathlib.Path,
    *,
    separate: bool,
) -> list[Picture]:
    shown = _some_of_each(attacked.labels)
    both = attacked.original[shown], attacked.adversarial[shown]
    of = f"of the {len(attacked.labels):,} attacked images, seed 0"

    def picture(name: str, caption: str) -> Picture:
        return Picture(file=f"{name}_{attacker.id}.png", caption=f"{caption} {of}.")

    figure5 = picture(
        "figure5",
        f"As Fig. 5 ({attacker}): test images, adversarial images clipped to [0, 1], "
        f"and what changed, amplified on grey. {len(shown)}",
    )
    joint = picture(
        "figure6_joint",
        f"As Fig. 6 ({attacker}): one t-SNE map of the codes of clean and of "
        "adversarial images under the same encoder. Perplexity 30, all",
    )
    evaluation.draw(*both, output_dir / figure5.file)
    _figure_6_joint(attacked, output_dir / joint.file)
    if not separate:
        return [figure5, joint]
    apart = picture(
        "figure6_separate",
        f"As Fig. 6 ({attacker}): a t-SNE map for the codes of clean images and one "
        "for those of adversarial images. Perplexity 30, all",
    )
    _figure_6_separate(attacked, output_dir / apart.file)
    return [figure5, joint, apart]


def _some_of_each(labels: np.ndarray) -> np.ndarray:
    """Places of as many images of each class as there is room for, by class."""
    classes = np.unique(labels)
    each = max(1, _SHOWN // len(classes))
    return np.concatenate([np.flatnonzero(labels == c)[:each] for c in classes])


def _figure_6_joint(attacked: _Attacked, path: pathlib.Path) -> None:
    latents = attacked.latents
    points = embeddings.tsne(np.concatenate(list(latents.values())), seed=0)
    panels = [
        (name, part, attacked.labels)
        for name, part in zip(latents, np.split(points, len(latents)), strict=True)
    ]
    figures.embedding(panels, attacked.class_names, path, one_map=True)


def _figure_6_separate(attacked: _Attacked, path: pathlib.Path) -> None:
    panels = [
        (name, embeddings.tsne(latents, seed=0), attacked.labels)
        for name, latents in attacked.latents.items()
    ]
    figures.embedding(panels, attacked.class_names, path)
