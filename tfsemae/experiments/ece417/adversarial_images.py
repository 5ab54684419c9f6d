"""Images that one gradient step makes adversarial, with the change shown alone.

`single_steps` has the formulas. Steps are compared at equal |x' - x|_2, beside noise of
that length. Pixels stay in [0, 1], which shortens some changes.
"""

import functools
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from scipy import special

from tfsemae import attacks, data
from tfsemae.attacks.objectives import Network
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row, whole, with_parts
from tfsemae.experiments.ece417 import bounds, measures, runs
from tfsemae.experiments.ece417.single_steps import (
    STEPS,
    Attacked,
    alone,
    chosen,
    norms,
    step,
)
from tfsemae.models import Classifier
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Interval

COUNT = 1_000  # images that are attacked
_SIZES = (0.5, 1.0, 2.0, 4.0)  # |x' - x|_2
_SIZE = 2.0  # of pictures and claims
_SURE = 0.99  # probability of the label from which on a classifier is sure of an image
_SEED = (0, 0)  # of noise
_SHOWN = 8  # images of a picture
_BATCH = 500
_BOUNDS = (0.0, 1.0)
_OVER = "of one network; 95 % bootstrap interval over images"
_POINTS = "percentage points"


class _Victims:
    """The networks that answer; the first one is attacked."""

    def __init__(self, work: Workspace):
        """Args: work: where they were trained."""
        planned = runs.victims(work.scale)
        found = {key: Classifier.load(work.folder(run)) for key, run in planned.items()}
        self.names = tuple(found)
        self._networks = {key: each.network for key, each in found.items()}

    @property
    def attacked(self) -> Network:
        """Images -> logits of the first."""
        return functools.partial(self._networks[self.names[0]], training=False)

    def answers(self, images: np.ndarray, name: str = "") -> np.ndarray:
        """Probabilities of the classes, float64 `[N, K]`; by default of the first."""
        network = self._networks[name or self.names[0]]
        logits = network.predict(images, batch_size=_BATCH, verbose=0)
        return special.softmax(logits.astype(np.float64), axis=1)

    def misled(self, images: np.ndarray, labels: np.ndarray, name: str) -> np.ndarray:
        """100 where a network does not answer the label, else 0: `[N]`."""
        return 100.0 * (self.answers(images, name).argmax(axis=1) != labels)


class _Found(NamedTuple):
    """What became of the images.

    Attributes:
        attacked: the images.
        moved: (step or `noise`, size) -> images.
        misled: (network, step or `noise`, size) -> 100 or 0 of each image.
    """

    attacked: Attacked
    moved: Mapping[tuple[str, float], np.ndarray]
    misled: Mapping[tuple[str, str, float], np.ndarray]


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ece417_adversarial_images`."""
    victims, test = _Victims(work), measures.load(work, "test")
    pixels = data.pixels(test)
    right = {
        name: victims.answers(pixels, name).argmax(axis=1) == test.labels
        for name in victims.names
    }
    found = _attack(victims, chosen(test, np.all(list(right.values()), axis=0), COUNT))
    printed = _as_printed(victims, found.attacked)
    success = _success(victims, found.attacked, len(test.class_names))
    first = runs.small_conv(0, work.scale)
    return {
        "rows": [
            *_accuracy_rows(work, right),
            *_misled_rows(work, found),
            *_length_rows(work, printed, found),
            *_alone_rows(work, victims, found),
            *_success_rows(work, success),
        ],
        "claims": [
            *_noise_claims(found),
            _stall_claim(victims, found.attacked, printed),
            *_transfer_claims(found),
            _sure_claim(victims, found),
        ],
        "pictures": [
            _draw_rates(found, work.output_dir / "rates.png"),
            *_draw_strips(work, victims, found),
            _draw_success(success, test.class_names, work.output_dir / "success.png"),
        ],
        "choices": [
            work.choice("model", first, "no network is printed"),
            work.choice("steps", first, "about four passes over the images"),
        ],
    }


def _attack(victims: _Victims, attacked: Attacked) -> _Found:
    options = {"norm": "l2", "bounds": _BOUNDS}
    moved: dict[tuple[str, float], np.ndarray] = {}
    for name in STEPS:
        by_size = step(victims.attacked, name, attacked, **options)
        moved |= {(name, size): by_size(size) for size in _SIZES}
    normal = tf.random.stateless_normal(attacked.images.shape, _SEED, alg="philox")
    for size in _SIZES:
        noisy = attacks.gaussian_noise(attacked.images, normal, size)
        moved["noise", size] = np.clip(noisy, *_BOUNDS)
    misled = {
        (network, *key): victims.misled(images, attacked.labels, network)
        for network in victims.names
        for key, images in moved.items()
    }
    return _Found(attacked, moved, misled)


def _as_printed(victims: _Victims, attacked: Attacked) -> dict[str, np.ndarray]:
    """Steps of the rate 1, neither scaled nor clipped."""
    return {
        name: step(victims.attacked, name, attacked)(1.0) for name in ("plain", "fake")
    }


def _success(victims: _Victims, attacked: Attacked, classes: int) -> np.ndarray:
    """Share of images of a label that become a fake class, %, `[K, K]`."""
    found = np.full((classes, classes), np.nan)
    for fake in range(classes):
        kept = attacked.labels != fake
        images, labels = attacked.images[kept], attacked.labels[kept]
        of_fake = Attacked(images, labels, np.full_like(labels, fake))
        attack = step(victims.attacked, "fake", of_fake, norm="l2", bounds=_BOUNDS)
        became = victims.answers(attack(_SIZE)).argmax(axis=1) == fake
        for label in np.unique(labels):
            found[label, fake] = 100 * became[labels == label].mean()
    return found


def _accuracy_rows(work: Workspace, right: Mapping[str, np.ndarray]) -> Iterator[Row]:
    for name, values in right.items():
        yield row(
            f"accuracy_{name}",
            f"accuracy on test images: {runs.VICTIMS[name]}",
            [100 * values.mean()],
            unit="%",
            tag=work.tag(None),
        )


def _misled_rows(work: Workspace, found: _Found) -> Iterator[Row]:
    for (network, name, size), values in found.misled.items():
        yield row(
            f"{network}_{name}_{size:g}",
            f"misclassified at |x' - x| = {size:g}, {STEPS.get(name, 'noise')}: "
            f"{runs.VICTIMS[network]}",
            [values.mean()],
            unit="%",
            tag=work.tag(None),
            note=f"of {len(values):,} test images that all networks classify right",
        )


def _length_rows(
    work: Workspace, printed: Mapping[str, np.ndarray], found: _Found
) -> Iterator[Row]:
    originals = found.attacked.images
    for name, images in printed.items():
        yield row(
            f"length_{name}",
            f"median of |x' - x| at eta = 1, {STEPS[name]}",
            [float(np.median(norms(images - originals)))],
            tag=work.tag(None),
            note=f"over all {len(images):,} images, not clipped",
        )
    for name in (*STEPS, "noise"):
        yield row(
            f"clipped_{name}",
            f"mean of |x' - x| that clipping leaves of {_SIZE:g}, "
            f"{STEPS.get(name, 'noise')}",
            [float(norms(found.moved[name, _SIZE] - originals).mean())],
            tag=work.tag(None),
        )


def _alone_rows(work: Workspace, victims: _Victims, found: _Found) -> Iterator[Row]:
    images, labels, _ = found.attacked
    for name, step_name in STEPS.items():
        moved = found.moved[name, _SIZE]
        by_change = victims.answers(alone(moved - images))
        together = victims.answers(moved).argmax(axis=1)
        misled = together != labels
        classes = by_change.argmax(axis=1)
        most = np.bincount(classes).max() / len(classes)
        for id_, quantity, values in (
            ("confidence", "mean probability of its class", by_change.max(axis=1)),
            ("label", "it has the label of the image", classes == labels),
            (
                "same",
                "it has the class of a misclassified sum",
                (classes == together)[misled],
            ),
            ("most", "share of its most frequent class", np.array([most])),
        ):
            if len(values):
                yield row(
                    f"alone_{name}_{id_}",
                    f"the change alone, {step_name}: {quantity}",
                    [100 * values.mean()],
                    unit="%",
                    tag=work.tag(None),
                    note=f"in full contrast on grey, |x' - x| = {_SIZE:g}",
                )
    of_grey = victims.answers(np.full_like(images[:1], 0.5))[0]
    yield row(
        "grey_confidence",
        "plain grey alone: probability of its class",
        [100 * of_grey.max()],
        unit="%",
        tag=work.tag(None),
        note=f"class {of_grey.argmax()}",
    )


def _success_rows(work: Workspace, success: np.ndarray) -> Iterator[Row]:
    for id_, quantity, value in (
        ("mean", "mean", np.nanmean(success)),
        ("least", "least", np.nanmin(success)),
        ("most", "greatest", np.nanmax(success)),
    ):
        yield row(
            f"success_{id_}",
            f"images that become the fake class at |x' - x| = {_SIZE:g}, {quantity} of "
            "pairs of a label and a fake class",
            [float(value)],
            unit="%",
            tag=work.tag(None),
        )


def _noise_claims(found: _Found) -> list[Claim]:
    statement = "One step misleads a classifier more often than noise of its length"
    return with_parts(
        "1",
        statement,
        [
            claim(
                f"1_{name}",
                f"{statement}: {step_name}",
                f"misclassified images at |x' - x| = {_SIZE:g}, step minus noise; "
                f"{_OVER}",
                _beyond_noise(found, runs.ATTACKED, name),
                Above(bounds.BEYOND_NOISE),
                unit=_POINTS,
            )
            for name, step_name in STEPS.items()
        ],
    )


def _transfer_claims(found: _Found) -> Iterator[Claim]:
    for network, name in runs.VICTIMS.items():
        if network == runs.ATTACKED:
            continue
        yield claim(
            f"3_{network}",
            "Images that a step on one network makes mislead another one, whose "
            f"parameters it does not know: {name}",
            f"misclassified images at |x' - x| = {_SIZE:g}, sign step on the first "
            f"network minus noise; {_OVER}",
            _beyond_noise(found, network, "sign"),
            Above(bounds.TRANSFERRED),
            unit=_POINTS,
        )


def _beyond_noise(found: _Found, network: str, name: str) -> Interval:
    by_step, by_noise = (found.misled[network, kind, _SIZE] for kind in (name, "noise"))
    return measures.over_images(by_step - by_noise)


def _stall_claim(
    victims: _Victims, attacked: Attacked, printed: Mapping[str, np.ndarray]
) -> Claim:
    statement = (
        "Where a classifier is sure, the plain step stalls, and that to a fake class "
        "does not"
    )
    answers = victims.answers(attacked.images)
    sure = answers[np.arange(len(answers)), attacked.labels] > _SURE
    if not sure.any():
        return whole("2", statement, "the classifier is sure of no image", "undecided")
    plain, fake = (
        victims.misled(printed[name][sure], attacked.labels[sure], runs.ATTACKED)
        for name in ("plain", "fake")
    )
    return claim(
        "2",
        statement,
        "misclassified images at eta = 1, step to a fake class minus plain step, of "
        f"{np.sum(sure):,} images whose label has a probability above {_SURE:g}; "
        f"{_OVER}",
        measures.over_images(fake - plain),
        Above(bounds.STALLED),
        unit=_POINTS,
    )


def _sure_claim(victims: _Victims, found: _Found) -> Claim:
    statement = "A classifier is surer of its mistake than it was of the image"
    images, labels, _ = found.attacked
    moved = found.moved["sign", _SIZE]
    after = victims.answers(moved)
    misled = after.argmax(axis=1) != labels
    if not misled.any():
        return whole(
            "4", statement, "the sign step makes it misclassify no image", "undecided"
        )
    before = victims.answers(images)[np.arange(len(labels)), labels]
    return claim(
        "4",
        statement,
        f"probability of the wrong class at |x' - x| = {_SIZE:g}, sign step, minus "
        f"that of the label before, {np.sum(misled):,} misclassified images; {_OVER}",
        measures.over_images(100 * (after.max(axis=1) - before)[misled]),
        Above(bounds.SURER),
        unit=_POINTS,
        note="of the slide's example 57.7 % and 99.3 %, on ImageNet",
    )


def _draw_rates(found: _Found, path: pathlib.Path) -> Picture:
    panels = [
        figures.Panel(
            x_label="|x' - x| before clipping",
            y_label="misclassified images (%)",
            title=name,
            curves=[
                figures.Curve(
                    label=label,
                    x=_SIZES,
                    y=[found.misled[network, kind, size].mean() for size in _SIZES],
                )
                for kind, label in (*STEPS.items(), ("noise", "noise"))
            ],
        )
        for network, name in runs.VICTIMS.items()
    ]
    figures.curves(panels, path)
    return Picture(
        file=path.name,
        caption="Misclassified images. All steps are taken on the first network; the "
        "others see the images only.",
    )


def _draw_strips(
    work: Workspace, victims: _Victims, found: _Found
) -> Iterator[Picture]:
    """As the slide: the image, the change alone, their sum; each with its class."""
    images = found.attacked.images[:_SHOWN]
    for name, step_name in STEPS.items():
        moved = found.moved[name, _SIZE][:_SHOWN]
        shown = {
            "image": (images, ""),
            "change alone": (alone(moved - images), ""),
            "sum": (moved, ""),
            **{
                f"sum: {label}": (moved, other)
                for other, label in runs.VICTIMS.items()
                if other != runs.ATTACKED
            },
        }
        captions = [
            [f"{each.argmax()}  {100 * each.max():.0f} %" for each in answers]
            for answers in (victims.answers(*each) for each in shown.values())
        ]
        rows = [(label, pixels) for label, (pixels, _) in shown.items()]
        path = work.output_dir / f"strip_{name}.png"
        figures.image_grid(rows, path, captions=captions)
        yield Picture(
            file=path.name,
            caption=f"Image, change alone in full contrast on grey, and sum, "
            f"{step_name}, |x' - x| = {_SIZE:g}. "
            "Above each its class and probability; in the last rows those that other "
            "networks give to the same images.",
        )


def _draw_success(
    success: np.ndarray, names: tuple[str, ...], path: pathlib.Path
) -> Picture:
    figures.matrix(success, (names, names), ("label", "fake class"), path)
    return Picture(
        file=path.name,
        caption="Images of a label that become a fake class, %, at |x' - x| = "
        f"{_SIZE:g}.",
    )
