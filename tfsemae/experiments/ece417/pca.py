"""Autoencoders beside PCA, and one that learns its training images by heart.

A linear autoencoder of q numbers minimises `E = mean |x - x^|**2`. PCA gives the
minimum in closed form, the sum of the eigenvalues of the covariance that are left out;
the autoencoder finds the same subspace, in any basis of it.
"""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from tfsemae import data, metrics
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row, with_parts
from tfsemae.experiments.ece417 import bounds, measures, principal_components, runs
from tfsemae.experiments.ece417.measures import OVER_IMAGES, Reconstruct
from tfsemae.experiments.ece417.strip import Strip
from tfsemae.models import Autoencoder
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Below, Rule, Within

_KINDS = {
    "pca": "PCA",
    "linear": "linear autoencoder",
    "deep": "deep autoencoder",
}
_SPLITS = {"train": "training images", "test": "test images"}
_SHOWN = 10
_E = "E, mean squared error summed over pixels"
_ONE_NETWORK = "of one network, not sampled"


class Found(NamedTuple):
    """What is measured of one size of the latent.

    Attributes:
        reconstruct: kind -> image -> image.
        errors: (kind, split) -> `[N]`, that of each image.
        angle: largest principal angle of the linear decoder and PCA, radians.
        correlation: largest absolute one of two entries of the linear code.
    """

    reconstruct: Mapping[str, Reconstruct]
    errors: Mapping[tuple[str, str], np.ndarray]
    angle: float
    correlation: float


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ece417_pca`."""
    pixels = {split: data.pixels(measures.load(work, split)) for split in _SPLITS}
    mean, components = principal_components.find(pixels["train"], max(runs.SIZES))
    found = {
        latent: _measure(work, latent, pixels, mean, components[:latent])
        for latent in runs.SIZES
    }
    few, strip = _Few(work, pixels), Strip(work)
    first = runs.autoencoder(runs.SIZES[0], work.scale)
    return {
        "rows": [*_rows(work, found), *few.rows(work), *strip.rows(work)],
        "claims": [*_claims(found), *few.claims(), *strip.claims()],
        "pictures": [
            _draw_errors(found, work.output_dir / "errors.png"),
            _draw_reconstructions(
                found, pixels["test"], work.output_dir / "reconstructions.png"
            ),
            few.draw_curve(work.output_dir / "few_images_errors.png"),
            few.draw_images(pixels, work.output_dir / "few_images.png"),
            strip.draw(work.output_dir / "strip.png"),
        ],
        "choices": [
            work.choice(
                "hidden", first, "no layers are printed; the decoder mirrors these"
            ),
            work.choice(
                "learning_rate",
                first,
                "no rate is printed; Adam; 0.005 of linear ones, chosen after a run at "
                "0.001 whose largest angle was 0.39 rad",
            ),
            work.choice("seed", first, "one network of each size"),
        ],
    }


def _measure(
    work: Workspace,
    latent: int,
    pixels: Mapping[str, np.ndarray],
    mean: np.ndarray,
    components: np.ndarray,
) -> Found:
    networks = {
        kind: Autoencoder.load(
            work.folder(runs.autoencoder(latent, work.scale, linear=kind == "linear"))
        )
        for kind in ("linear", "deep")
    }
    reconstruct = {"pca": principal_components.projection(mean, components)}
    for kind, network in networks.items():
        reconstruct[kind] = measures.reconstruction(network)
    errors = {
        (kind, split): measures.squared_errors(images, function)
        for kind, function in reconstruct.items()
        for split, images in pixels.items()
    }
    kernel = networks["linear"].decoder.get_layer("pixels").get_weights()[0]
    codes = networks["linear"].encoder.predict(pixels["test"], verbose=0)
    between = np.abs(np.corrcoef(codes, rowvar=False)) - np.eye(latent)
    return Found(
        reconstruct,
        errors,
        float(metrics.principal_angles(kernel, components)[0]),
        float(between.max()),
    )


def _rows(work: Workspace, found: Mapping[int, Found]) -> Iterator[Row]:
    tag = work.tag(None)
    for latent, of in found.items():
        for (kind, split), errors in of.errors.items():
            yield row(
                f"{kind}{latent}_{split}",
                f"{_E}: {_KINDS[kind]} of {latent} numbers, {_SPLITS[split]}",
                [errors.mean()],
                tag=tag,
                note=f"mean over {len(errors):,} images",
            )
        yield row(
            f"angle{latent}",
            f"largest principal angle of the linear decoder of {latent} numbers and "
            "PCA",
            [of.angle],
            unit="rad",
            tag=tag,
        )
        yield row(
            f"correlation{latent}",
            f"largest absolute correlation of two of {latent} numbers of the linear "
            "code",
            [of.correlation],
            tag=tag,
            note="on test images; 0 for the code of PCA on training images",
        )


def _claims(found: Mapping[int, Found]) -> Iterator[Claim]:
    same = "A linear autoencoder reaches the error of PCA"
    yield from with_parts(
        "1",
        same,
        [
            claim(
                f"1_{latent}",
                f"{same}: {latent} numbers",
                f"error on test images, beside that of PCA; {OVER_IMAGES}",
                measures.relative(
                    of.errors["linear", "test"], of.errors["pca", "test"]
                ),
                Within(bounds.LINEAR_EXCESS),
                unit="%",
            )
            for latent, of in found.items()
        ],
    )
    span = "A linear autoencoder finds the subspace of PCA"
    yield from with_parts(
        "2",
        span,
        [
            _of_network(
                f"2_{latent}",
                f"{span}: {latent} numbers",
                "largest principal angle",
                of.angle,
                Below(bounds.ANGLE),
                "rad",
            )
            for latent, of in found.items()
        ],
    )
    rotated = "Its code is another basis of that subspace, not the principal components"
    yield from with_parts(
        "3",
        rotated,
        [
            _of_network(
                f"3_{latent}",
                f"{rotated}: {latent} numbers",
                "largest absolute correlation of two entries of the code",
                of.correlation,
                Above(bounds.ROTATED),
            )
            for latent, of in found.items()
        ],
    )
    deep = "A deep autoencoder has a smaller error than PCA"
    for latent, of in found.items():
        yield from with_parts(
            f"4_{latent}",
            f"{deep}: {latent} numbers",
            [
                claim(
                    f"4_{latent}_{split}",
                    f"{deep}: {latent} numbers, {name}",
                    f"error, beside that of PCA; {OVER_IMAGES}",
                    measures.relative(
                        of.errors["deep", split], of.errors["pca", split]
                    ),
                    Below(bounds.DEEP_GAIN),
                    unit="%",
                )
                for split, name in _SPLITS.items()
            ],
        )


def _of_network(
    id_: str, statement: str, what: str, value: float, rule: Rule, unit: str = ""
) -> Claim:
    """A claim on a number of one network."""
    effect = measures.exactly(value)
    return claim(
        id_, statement, f"{what}; {_ONE_NETWORK}", effect, rule, unit=unit, signed=False
    )


class _Few:
    """The autoencoder of few images."""

    def __init__(self, work: Workspace, pixels: Mapping[str, np.ndarray]):
        run = runs.few_images(work.scale)
        self._log = measures.log(work.folder(run))
        network = Autoencoder.load(work.folder(run))
        self.reconstruct = measures.reconstruction(network)
        learnt = pixels["train"][: runs.FEW]
        errors = measures.squared_errors(learnt, self.reconstruct)
        variance = np.mean(np.sum((learnt - learnt.mean(axis=0)) ** 2, axis=(1, 2, 3)))
        self._left = 100 * errors / variance
        self._held_out = pixels["train"].shape[0] - runs.FEW

    def rows(self, work: Workspace) -> Iterator[Row]:
        """Errors at the end, and the least of the images held out."""
        held_out = self._log["val_loss"]
        for id_, quantity, value, unit in (
            ("few_left", "training error of 50 images", self._left.mean(), "%"),
            ("few_held_out_least", f"{_E}: images held out, least", held_out.min(), ""),
            (
                "few_held_out_last",
                f"{_E}: images held out, at the end",
                held_out[-1],
                "",
            ),
        ):
            note = (
                "share of their variance"
                if unit
                else f"mean over {self._held_out:,} images"
            )
            yield row(id_, quantity, [value], unit=unit, tag=work.tag(None), note=note)

    def claims(self) -> Iterator[Claim]:
        """The error on the training images vanishes, that on others rises."""
        yield claim(
            "5",
            "Every training token is reconstructed with zero error, given weights "
            "enough",
            f"training error of {runs.FEW} images, of their variance; {OVER_IMAGES}",
            measures.over_images(self._left),
            Below(bounds.LEARNT),
            unit="%",
            signed=False,
        )
        held_out = self._log["val_loss"]
        rise = 100 * (held_out[-1] / held_out.min() - 1)
        yield _of_network(
            "6",
            "Meanwhile the error on other images rises",
            "error of images held out at the end, beside its least while training",
            rise,
            Above(bounds.WORSE),
            "%",
        )

    def draw_curve(self, path: pathlib.Path) -> Picture:
        """Errors while it trains."""
        step = self._log["step"]
        names = {"loss": f"{runs.FEW} training images", "val_loss": "images held out"}
        curves = [
            figures.Curve(label=label, x=step, y=np.log10(self._log[name]))
            for name, label in names.items()
        ]
        panel = figures.Panel(x_label="training step", y_label="log10 E", curves=curves)
        figures.curves([panel], path)
        return Picture(
            file=path.name,
            caption=f"An autoencoder of {runs.FEW} images: its error on these and on "
            f"{self._held_out:,} others while it trains.",
        )

    def draw_images(
        self, pixels: Mapping[str, np.ndarray], path: pathlib.Path
    ) -> Picture:
        """Reconstructions of learnt images and of others."""
        rows = []
        for split, name in (("train", "learnt"), ("test", "other")):
            shown = pixels[split][:_SHOWN]
            rows.append((name, shown))
            rows.append(("reconstruction", np.clip(self.reconstruct(shown), 0, 1)))
        figures.image_grid(rows, path)
        return Picture(
            file=path.name,
            caption=f"An autoencoder of {runs.FEW} images: some of these and their "
            "reconstructions, and test images and theirs.",
        )


def _draw_errors(found: Mapping[int, Found], path: pathlib.Path) -> Picture:
    panels = []
    for split, name in _SPLITS.items():
        curves = [
            figures.Curve(
                label=label,
                x=list(found),
                y=[of.errors[kind, split].mean() for of in found.values()],
                # It coincides with that of PCA, which is drawn first.
                line="--" if kind == "linear" else "-",
            )
            for kind, label in _KINDS.items()
        ]
        panels.append(
            figures.Panel(
                x_label="numbers of the code",
                y_label="E",
                title=name,
                curves=curves,
            )
        )
    figures.curves(panels, path)
    return Picture(
        file=path.name,
        caption="Mean squared error, summed over pixels, of PCA and of autoencoders.",
    )


def _draw_reconstructions(
    found: Mapping[int, Found], images: np.ndarray, path: pathlib.Path
) -> Picture:
    shown = images[:_SHOWN]
    rows = [("original", shown)]
    for latent, of in found.items():
        rows += [
            (f"{kind} {latent}", np.clip(function(shown), 0, 1))
            for kind, function in of.reconstruct.items()
        ]
    figures.image_grid(rows, path)
    return Picture(
        file=path.name,
        caption="Test images and their reconstructions by PCA, by a linear and by a "
        "deep autoencoder from as many numbers.",
    )
