"""What is audited, once it was looked at: model, images, spaces and damage."""

import dataclasses
import math
import pathlib
from collections.abc import Iterator

import numpy as np

from tfsemae import data
from tfsemae.audit import damage, endpoints, steps
from tfsemae.audit.attacking import Space
from tfsemae.audit.damage import Compare, Damage
from tfsemae.audit.endpoints import Endpoints, Function, Range
from tfsemae.metrics import two_samples
from tfsemae.progress import note

PROBED = 16  # images that a model is tried on
_SAMPLE = 1000  # images whose latents give the spread


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller asks for; see `core.audit`.

    Attributes:
        images: all of them, in [0, 1].
        folder: of arrays and pictures.
        dataset: name of the images.
        weights: digest of the files of the model, where they are known.
    """

    encode: Function
    decode: Function
    images: data.Images
    folder: pathlib.Path
    value_range: Range | None = None
    damage: str | tuple[Compare, float] = "ssim:0.5"
    examples: int | None = None
    restarts: int | None = None
    steps: int | None = None
    budget_minutes: float = 5.0
    batch_size: int = 100
    seed: int = 0
    lpips: Compare | None = None
    anomaly_label: str | None = None
    latent_output: int | str | None = None
    name: str = "two functions"
    dataset: str = "arrays"
    weights: str | None = None

    def __post_init__(self) -> None:
        """Checks the numbers.

        Raises:
            ValueError: if one is too small.
        """
        for name in ("examples", "restarts", "steps", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(
                    f"`{name}` must be at least 1. Received: {name}={value}."
                )
        if not self.budget_minutes > 0:
            raise ValueError(
                "`budget_minutes` must be above 0. Received: "
                f"budget_minutes={self.budget_minutes}."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """What all stages need.

    Attributes:
        request: what was asked for.
        model: on images in [0, 1].
        range_source: `given`, or how the value range was recognised.
        psnrs: of the ranges that were tried, dB; empty where it was given.
        order: of the images, drawn at random: fewer images are the first of more.
        probe: the first images, float32 `[B, H, W, C]`.
        latents: of a sample of images.
        damage: that is to be done.
        measures: name -> metric.
        spaces: latent and input.
        powers: space -> mean squared norm.
        varies: space -> whether its points differ.
        identity: texts on which all figures depend.
        weights: digest of Keras models and of the files of others; None of functions.
    """

    request: Request
    model: Endpoints
    range_source: str
    psnrs: dict[str, float]
    order: np.ndarray
    probe: np.ndarray
    latents: np.ndarray
    damage: Damage
    measures: dict[str, Compare]
    spaces: tuple[Space, Space]
    powers: dict[str, float]
    varies: dict[str, bool]
    identity: tuple[str, ...]
    weights: str | None

    @property
    def deviations(self) -> dict[str, np.ndarray]:
        """Space -> standard deviation of each number of a point; 1 if none varies."""
        pixels = data.pixels(data.take(self.request.images, self.order[:_SAMPLE]))
        found = {
            "latent": two_samples.deviations(self.latents),
            "input": two_samples.deviations(pixels),
        }
        return {
            name: each if each.any() else np.ones_like(each)
            for name, each in found.items()
        }


def prepare(request: Request) -> Subject:
    """Looks at model and images.

    Raises:
        ValueError: if they do not fit each other, or cannot be audited.
    """
    images, seed = request.images, request.seed
    order = np.random.default_rng(seed).permutation(len(images))
    probe = data.pixels(data.take(images, order[:PROBED]))
    value_range, source, psnrs = _range(request, probe)
    model = Endpoints(
        request.encode,
        request.decode,
        value_range=value_range,
        output=request.latent_output,
    )
    model.examine(probe)
    shown = model.reconstruct(probe).numpy()
    if not np.isfinite(shown).all():
        whole = np.isfinite(shown).reshape(len(shown), -1).all(axis=1)
        raise ValueError(
            f"The model gives NaN or infinity for {np.sum(~whole)} of the first "
            f"{len(shown)} images: its weights may be damaged, or it diverged in "
            "training."
        )
    shape = images.images.shape[1:]
    stated = damage.make(request.damage, shape, request.lpips)
    sample = data.take(images, order[:_SAMPLE])
    latents = np.concatenate(
        [model.encode(part).numpy() for part in batches(sample, request.batch_size)]
    )
    spreads = {"latent": _spread(latents), "input": _spread(data.pixels(sample))}
    points = {"latent": latents[: len(probe)], "input": probe}
    networks = {"latent": model.decode, "input": model.reconstruct}
    spaces = [
        Space(
            name=name,
            network=networks[name],
            shape=points[name].shape[1:],
            spread=spread or 1.0,
            bounds=(0.0, 1.0) if name == "input" else None,
            differentiable=steps.gradient_kind(networks[name], points[name]) == "exact",
        )
        for name, spread in spreads.items()
    ]
    weights = endpoints.digest([request.encode, request.decode])
    return Subject(
        request=request,
        model=model,
        range_source=source,
        psnrs=psnrs,
        order=order,
        probe=probe,
        latents=latents,
        damage=stated,
        measures=damage.measures(shape, stated, request.lpips),
        spaces=(spaces[0], spaces[1]),
        powers={"latent": _power(latents), "input": _power(data.pixels(sample))},
        varies={name: spread > 0 for name, spread in spreads.items()},
        identity=(
            images.digest(),
            # Weights of other functions show in what they give.
            weights or repr(shown.astype(np.float64).sum(axis=(1, 2, 3)).round(3)),
            f"{stated.name}:{stated.threshold} {value_range} {seed}",
            f"{request.latent_output} {request.anomaly_label}",
        ),
        weights=weights or request.weights,
    )


def batches(images: data.Images, batch_size: int) -> Iterator[np.ndarray]:
    """float32 pixels, a batch at a time in memory."""
    for first in range(0, len(images), batch_size):
        yield data.pixels(data.take(images, slice(first, first + batch_size)))


def _range(request: Request, probe: np.ndarray) -> tuple[Range, str, dict[str, float]]:
    """The value range, where it comes from, and what was tried."""
    if request.value_range is not None:
        return request.value_range, "given", {}
    found, psnrs = endpoints.recognised_range(
        request.encode, request.decode, probe, request.latent_output
    )
    tried = ", ".join(f"[{name}] {psnr:.1f} dB" for name, psnr in psnrs.items())
    source = f"recognised by the PSNR of reconstructions: {tried}"
    note(f"Value range [{found[0]:g}, {found[1]:g}], {source}.")
    return found, source, psnrs


def _spread(points: np.ndarray) -> float:
    """Root of the total variance; 0 of one example."""
    return math.sqrt(two_samples.total_variance(points.reshape(len(points), -1)))


def _power(points: np.ndarray) -> float:
    rows = points.reshape(len(points), -1).astype(np.float64)
    return float(np.mean(np.sum(rows**2, axis=1))) or 1.0
