"""Named warnings: what speaks against the figures of an audit."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfsemae import metrics
from tfsemae.audit.report import Dimension, NamedWarning
from tfsemae.audit.stages import Arrays
from tfsemae.audit.steps import gradient_error
from tfsemae.audit.subject import Subject

_GAIN = 1.05  # of a stronger attack, from which the plain one is too weak
_MORE = round(100 * (_GAIN - 1))
_FEW = 0.01  # share of images
_WRONG = 0.25  # relative error of a gradient
_CLEAR, _GOOD = 3.0, 10.0  # dB: lead of a value range, and its PSNR
_BEYOND_MEAN = 1.0  # dB, of a reconstruction beyond that of the mean image
_OUTSIDE = 0.1  # beyond [0, 1]


class Cause(NamedTuple):
    """When a warning is given, and what it says."""

    condition: str
    meaning: str  # and what to do


#: Name -> cause.
CAUSES = {
    "value_range_suspicious": Cause(
        f"the recognised range leads by less than {_CLEAR:g} dB, or outputs reach more "
        f"than {_OUTSIDE:g} beyond [0, 1]",
        "The model may take pixels of another range than it was given, and then all "
        "figures are of images that it never saw. State --value_range.",
    ),
    "bad_reconstruction": Cause(
        f"a PSNR below {_GOOD:g} dB, or less than {_BEYOND_MEAN:g} dB beyond that of "
        "the mean image",
        "The model does not reconstruct these images, so that damage to a "
        "reconstruction means little. Check the data set and the model.",
    ),
    "constant_decoder": Cause(
        "all reconstructions are equal",
        "Reconstructions do not depend on the image or the latent: nothing can be "
        "damaged, which is no robustness. Check the model.",
    ),
    "collapsed_code": Cause(
        "all latents are equal",
        "Latents do not differ between images; distances are then in units of 1. Check "
        "the encoder.",
    ),
    "one_image": Cause(
        "one image only",
        "Standard deviations and intervals need several images; distances are in "
        "units of 1. Give more images.",
    ),
    "no_gradient": Cause(
        "TensorFlow gives no gradient of the model",
        "The model cannot be differentiated: it rounds, casts to integers or calls "
        "other code. The query-only attack took the place of the strong one, and the "
        "smallest perturbations may be smaller still. Anomalies are not attacked.",
    ),
    "zero_gradient": Cause(
        f"the gradient is zero for more than {100 * _FEW:g} % of the images",
        "Where the gradient is zero a gradient attack stands still, and figures look "
        "better than they are. Look for rounding, clipping or saturated activations, "
        "and audit without them.",
    ),
    "wrong_gradient": Cause(
        f"gradients differ by more than {100 * _WRONG:g} % from differences of values",
        "The gradient is not the slope of the outputs, so that attacks go astray. Look "
        "for custom gradients, straight-through estimators and stop_gradient.",
    ),
    "masked_gradient": Cause(
        f"queries alone do over {_MORE} % more damage than the strong attack",
        "An attack without gradients does more than the one with them: gradients are "
        "masked, or --steps are too few. The smallest perturbations are smaller than "
        "stated.",
    ),
    "weaker_than_noise": Cause(
        "random noise does more damage than the strong attack",
        "Random noise does as much as the attack, which hence has failed. Look for "
        "masked gradients.",
    ),
    "too_weak": Cause(
        "the strong attack, with restarts, singular starts and further steps, does "
        f"over {_MORE} % more damage than PGD with 10 steps from one start",
        "Plain PGD overstates robustness. Use the strong figures; more --restarts and "
        "--steps may gain further.",
    ),
    "randomness": Cause(
        "outputs differ between two evaluations, by draws that are repeated",
        "The model is random. Its outputs were averaged over 8 draws, the same ones in "
        "all evaluations.",
    ),
    "randomness_without_common_numbers": Cause(
        "outputs differ between two evaluations, and draws cannot be repeated",
        "The model is random, and its draws cannot be repeated. Outputs were averaged "
        "over 8 fresh draws: figures vary from run to run. Give a deterministic "
        "encoder, such as the mean of the posterior.",
    ),
    "not_finite": Cause(
        "outputs or gradients under attack are NaN or infinite",
        "Outputs or gradients were NaN or infinite under attack; such points are no "
        "counterexamples here, but a defect of the model.",
    ),
    "insensitive_dimensions": Cause(
        "a number of the latent changes the image by less than 0.1 % of what the "
        "strongest one does",
        "One standard deviation of these numbers of the latent changes nothing: they "
        "do not vary, or the decoder ignores them. They cost memory and power and "
        "carry nothing.",
    ),
}


def of_model(
    subject: Subject, shown: np.ndarray, psnr: float
) -> Iterator[NamedWarning]:
    """What the model itself gives cause for.

    Args:
        subject: what is audited.
        shown: reconstructions of the probe.
        psnr: mean of clean reconstructions, dB.
    """
    yield from _of_range(subject, shown, psnr)
    if len(subject.request.images) < 2:
        yield _warning("one_image", "1 image")
    elif not subject.varies["latent"]:
        yield _warning("collapsed_code", "all latents are equal")
    if len(shown) > 1 and np.ptp(shown, axis=0).max() == 0:
        yield _warning("constant_decoder", "all reconstructions are equal")
    names = ", ".join(subject.model.stochastic)
    if names and subject.model.common:
        yield _warning("randomness", names)
    elif names:
        yield _warning("randomness_without_common_numbers", names)
    points = {
        "latent": subject.latents[: len(subject.probe)],
        "input": subject.probe,
    }
    for space in subject.spaces:
        if not space.differentiable:
            yield _warning("no_gradient", space.name)
            continue
        error = gradient_error(
            space.network, points[space.name], space.deviation, subject.request.seed
        )
        if error > _WRONG:
            yield _warning(
                "wrong_gradient", f"{space.name}: gradients are off by {error:.0%}"
            )


def _of_range(
    subject: Subject, shown: np.ndarray, psnr: float
) -> Iterator[NamedWarning]:
    psnrs = sorted(
        (value for value in subject.psnrs.values() if np.isfinite(value)), reverse=True
    )
    if len(psnrs) > 1 and psnrs[0] - psnrs[1] < _CLEAR:
        yield _warning(
            "value_range_suspicious",
            f"recognised with a lead of {psnrs[0] - psnrs[1]:.1f} dB only",
        )
    low, high = float(shown.min()), float(shown.max())
    if low < -_OUTSIDE or high > 1 + _OUTSIDE:
        yield _warning(
            "value_range_suspicious",
            f"outputs reach from {low:.3g} to {high:.3g} in units of [0, 1]",
        )
    of_mean = _psnr_of_the_mean(subject.probe)
    if psnr < _GOOD or psnr < of_mean + _BEYOND_MEAN:
        yield _warning(
            "bad_reconstruction",
            f"PSNR of {psnr:.1f} dB, and {of_mean:.1f} dB of the mean of the images",
        )


def _psnr_of_the_mean(images: np.ndarray) -> float:
    """Of the mean of images in place of each, dB; of equal images there is none."""
    mean = np.broadcast_to(images.mean(axis=0), images.shape)
    if np.any(np.all(images == mean, axis=(1, 2, 3))):
        return -math.inf
    return float(np.mean(metrics.psnr(images, mean)))


def of_attacks(
    space: str, found: Mapping[str, np.ndarray], curves: Sequence[Arrays], metric: str
) -> Iterator[NamedWarning]:
    """What the results of the attacks on a space give cause for.

    Args:
        space: `latent` or `input`.
        found: quantities of `minimal.Smallest`.
        curves: values of each radius.
        metric: the one that is attacked.
    """
    flat, whole = float(found["flat"].mean()), float(found["finite"].mean())
    if flat > _FEW:
        yield _warning("zero_gradient", f"{space}: of {flat:.0%} of the images")
    if whole < 1:
        yield _warning("not_finite", f"{space}: of {1 - whole:.1%} of the images")
    worst: dict[str, float] = {}
    for values in curves:
        damages = {name: _damage(each[metric], metric) for name, each in values.items()}
        means = {name: _mean(each) for name, each in damages.items()}
        if "strong" not in means:
            continue
        strong, few = means["strong"], damages["query_only"]
        of_few = _mean(damages["strong"][: len(few)])
        for name, gain in {
            "weaker_than_noise": means["noise"] / max(strong, 1e-12),
            "too_weak": strong / max(means["pgd"], 1e-12) / _GAIN,
            "masked_gradient": _mean(few) / max(of_few, 1e-12) / _GAIN,
        }.items():
            if gain > 1 and max(strong, _mean(few)) > 1e-6:
                worst[name] = max(worst.get(name, 0.0), gain)
    for name, gain in worst.items():
        if name != "weaker_than_noise":
            gain *= _GAIN
        yield _warning(name, f"{space}: {gain:.2f} times at the worst radius")


def of_dimensions(
    dimensions: Sequence[Dimension], insensitive: Sequence[int]
) -> Iterator[NamedWarning]:
    """Numbers of the latent that do nothing."""
    if insensitive and dimensions and dimensions[0].effect > 0:
        listed = ", ".join(map(str, insensitive[:20]))
        more = " and more" if len(insensitive) > 20 else ""
        yield _warning(
            "insensitive_dimensions", f"{len(insensitive)} numbers: {listed}{more}"
        )


def lines(warnings: Sequence[NamedWarning]) -> list[str]:
    """One line for each name, for a terminal; causes are on the page."""
    found: dict[str, list[str]] = {}
    for warning in warnings:
        text = warning.text.removesuffix(f". {_cause(warning.name)}")
        found.setdefault(warning.name, []).append(text)
    return [f"Warning: {name}: {'; '.join(texts)}" for name, texts in found.items()]


def _damage(values: np.ndarray, metric: str) -> np.ndarray:
    """Of which more is more damage."""
    return 1 - values if metric == "ssim" else values


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else 0.0


def _warning(name: str, found: str) -> NamedWarning:
    return NamedWarning(name=name, text=f"{found}. {_cause(name)}")


def _cause(name: str) -> str:
    condition, meaning = CAUSES[name]
    return f"Condition: {condition}. {meaning}"
