"""Section IV: what the attack does, Figs. 5 and 6, and whether the labels do it."""

import pathlib
from typing import NamedTuple

import numpy as np
from scipy import optimize

from tfsemae import data, metrics, run_folder
from tfsemae.experiments.ming2022 import attack_claims, attack_plan, plan
from tfsemae.experiments.ming2022.attack_claims import Measured, OverImages, OverSeeds
from tfsemae.experiments.ming2022.attack_plan import Attacker, Plan
from tfsemae.reports import Choice, Picture, Row, embeddings, figures
from tfsemae.training import attacking

_SHOWN = 10
_SCALES = (1e-3, 1e2)  # of a change


def semantic_attack(
    artefact: str,
    scale: str,
    runs_dir: pathlib.Path,
    output_dir: pathlib.Path,
    data_dir: str | None,
) -> dict:
    """Makes the parts of the ledger of an attack and draws its pictures.

    Args:
        artefact: one of `attack_plan.PLANS`.
        scale: `full` or `smoke`.
        runs_dir: holds the folder of each run, by its name.
        output_dir: of the pictures.
        data_dir: see `data.load`.

    Returns:
        Fields of `Ledger`.
    """
    p = attack_plan.PLANS[scale][artefact]
    folders = {
        attacker: [
            runs_dir / attack_plan.attack(p, attacker, seed) for seed in range(p.seeds)
        ]
        for attacker in attack_plan.attackers(p)
    }
    first = {attacker: each[0] for attacker, each in folders.items()}
    measured = OverSeeds(folders) if p.seeds > 1 else OverImages(first)
    rows = [*_rows(p, measured), *_classifier_rows(p, runs_dir)]
    pictures = []
    if p.seeds == 1:
        images = data.load(p.dataset, "test", data_dir=data_dir, classes=p.classes)
        # Of other data one attacker will do: the page embeds all pictures.
        for attacker in p.attackers if p.of_the_paper else p.attackers[:1]:
            attacked = _read(images, first[attacker])
            separate = p.of_the_paper and attacker == p.attackers[0]
            pictures += _draw(attacker, attacked, output_dir, separate=separate)
            if p.of_the_paper:
                rows.append(_row_at_printed_ssim(p, attacker, attacked))
    return {
        "source": "Ming, Du and Lin 2022, section IV, Figs. 5 and 6",
        "rows": rows,
        "claims": [
            claim
            for attacker in p.attackers
            for claim in attack_claims.claims(measured, attacker, attacker.controls())
        ],
        "pictures": pictures,
        "choices": _choices(p),
    }


def _choices(p: Plan) -> list[Choice]:
    return [
        Choice(
            flag="semantic_weight",
            value=p.attackers[0].weight,
            reason="as on MNIST, see ming2022_weight; the paper does not print it",
        ),
        Choice(
            flag="train_decoder",
            value=False,
            reason='the attacker "shares the trained weights" of the decoder',
        ),
        Choice(
            flag="encoder_from",
            value=None,
            reason="a fresh encoder of another seed; the paper does not say, and "
            "ming2022_cifar10 has the victim's beside it",
        ),
        Choice(
            flag="shuffle_labels",
            value=True,
            reason="permuted within each mini-batch; the paper says shuffled",
        ),
        Choice(flag="loss", value=plan.LOSS, reason="see ming2022_plateau"),
        Choice(
            flag="initializer",
            value=plan.INITIALIZER,
            reason="see ming2022_plateau",
        ),
    ]


def _rows(p: Plan, measured: Measured) -> list[Row]:
    first, *others = attack_plan.attackers(p)
    # The clean codes are the victim's, whoever attacks.
    attacked = [key for key in attack_claims.QUANTITIES if not key.endswith("_clean")]
    return [
        *(_row(p, measured, first, key) for key in attack_claims.QUANTITIES),
        *(_row(p, measured, other, key) for other in others for key in attacked),
    ]


def _row(p: Plan, measured: Measured, attacker: Attacker, key: str) -> Row:
    quantity, printed = attack_claims.QUANTITIES[key], _printed(p, attacker, key)
    found = measured.value(attacker, key)
    of_attacker = "" if key.endswith("_clean") else f"{attacker}: "
    return Row(
        id=f"{attacker.id}_{key}",
        quantity=f"{of_attacker}{quantity.name}",
        unit=quantity.unit,
        printed=printed,
        measured=found.effect,
        sd=measured.sd(attacker, key),
        n=p.seeds,
        tag=_tag(p, printed),
        note=f"95 % {measured.over}: {found.low:#.4g} to {found.high:#.4g}",
    )


def _classifier_rows(p: Plan, runs_dir: pathlib.Path) -> list[Row]:
    """Whether wrong labels leave the attacker's own classifier ignorant."""
    rows = []
    for attacker in attack_plan.attackers(p):
        if attacker.weight is None:
            continue
        names = [attack_plan.training(p, attacker, seed) for seed in range(p.seeds)]
        found = [run_folder.read_metrics(runs_dir / name) for name in names]
        accuracy = 100 * np.array([each["label_accuracy"] for each in found])
        rows.append(
            Row(
                id=f"{attacker.id}_label_accuracy",
                quantity=f"{attacker}: accuracy of the attacker's own classifier",
                unit="%",
                printed=None,
                measured=float(accuracy.mean()),
                sd=float(accuracy.std(ddof=1)) if p.seeds > 1 else None,
                n=p.seeds,
                tag=_tag(p, None),
                note="true labels of the test images",
            )
        )
    return rows


def _printed(p: Plan, attacker: Attacker, key: str) -> float | None:
    # Weight and start are open in the paper, so its numbers stand beside each.
    if not p.of_the_paper or attacker not in p.attackers:
        return None
    return attack_claims.PRINTED.get(key)


def _tag(p: Plan, printed: float | None) -> str:
    if p.scale == "smoke":
        return "stand-in"
    if p.scale == "reduced":
        return "reduced"
    return "our choice" if printed is None else "as printed"


class _Attacked(NamedTuple):
    """What an attack made of images, which are float32 `[N, H, W, C]`."""

    original: np.ndarray
    adversarial: np.ndarray  # unclipped
    codes: dict[str, np.ndarray]  # clean and adversarial
    labels: np.ndarray
    class_names: tuple[str, ...]


def _read(images: data.Images, folder: pathlib.Path) -> _Attacked:
    with (
        np.load(folder / attacking.ADVERSARIAL_FILE) as arrays,
        np.load(folder / attacking.MEASUREMENTS_FILE) as measured,
    ):
        adversarial, indices = arrays["unclipped"], arrays["indices"]
        codes = {name: measured[f"latent_{name}"] for name in ("clean", "adversarial")}
    original = images.images[indices] / np.float32(255)
    labels = images.labels[indices]
    return _Attacked(original, adversarial, codes, labels, images.class_names)


def _row_at_printed_ssim(p: Plan, attacker: Attacker, attacked: _Attacked) -> Row:
    """Whether the two printed numbers can be of one disturbance such as ours."""
    return Row(
        id=f"{attacker.id}_psnr_at_printed_ssim",
        quantity=f"{attacker}: PSNR, the change scaled until SSIM is as printed",
        unit="dB",
        printed=None,
        measured=psnr_at_ssim(
            attacked.original, attacked.adversarial, attack_claims.PRINTED["ssim"] / 100
        ),
        tag=_tag(p, None),
        note="the paper prints the two numbers of one attack: "
        "{psnr} dB and {ssim} %".format(**attack_claims.PRINTED),
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
    attacking.draw(*both, output_dir / figure5.file)
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
    codes = attacked.codes
    points = embeddings.tsne(np.concatenate(list(codes.values())), seed=0)
    panels = [
        (name, part, attacked.labels)
        for name, part in zip(codes, np.split(points, len(codes)), strict=True)
    ]
    figures.embedding(panels, attacked.class_names, path, one_map=True)


def _figure_6_separate(attacked: _Attacked, path: pathlib.Path) -> None:
    panels = [
        (name, embeddings.tsne(codes, seed=0), attacked.labels)
        for name, codes in attacked.codes.items()
    ]
    figures.embedding(panels, attacked.class_names, path)
