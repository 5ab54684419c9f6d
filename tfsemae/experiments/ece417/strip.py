"""A Moebius strip beside PCA: a deep autoencoder bends its surface, and tears it.

Two numbers, an angle and a place across the strip, say where a point of it is. A strip
that is twisted and closed has no two coordinates that are continuous everywhere, so an
autoencoder of two numbers has a large error somewhere.
"""

import pathlib
from collections.abc import Iterator

import numpy as np

from tfsemae import data
from tfsemae.data import moebius
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row
from tfsemae.experiments.ece417 import bounds, measures, principal_components, runs
from tfsemae.models import Autoencoder
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Below

_KINDS = {"pca": "PCA", "deep": "deep autoencoder"}
_SECTORS = 36  # of the angle


class Strip:
    """Errors of PCA and of a deep autoencoder of two numbers, on test points."""

    def __init__(self, work: Workspace):
        """Measures them."""
        train, test = (data.pixels(data.load("moebius", s)) for s in ("train", "test"))
        network = Autoencoder.load(work.folder(runs.strip(work.scale)))
        mean, components = principal_components.find(train, runs.STRIP_LATENT)
        reconstruct = {
            "pca": principal_components.projection(mean, components),
            "deep": measures.reconstruction(network),
        }
        points = moebius.points(test)
        self._errors = {
            kind: np.sum((points - moebius.points(function(test))) ** 2, axis=1)
            for kind, function in reconstruct.items()
        }
        angle, _ = moebius.parameters("test")
        self._sector = (angle / (2 * np.pi) * _SECTORS).astype(int)

    def rows(self, work: Workspace) -> Iterator[Row]:
        """Errors, and how much larger that of the worst sector is."""
        note = f"mean over {len(self._sector):,} test points"
        for kind, errors in self._errors.items():
            yield row(
                f"strip_{kind}",
                f"E of a Moebius strip, {_KINDS[kind]} of {runs.STRIP_LATENT} numbers",
                [errors.mean()],
                tag=work.tag(None),
                note=note,
            )
        yield row(
            "strip_tear",
            "E of the deep autoencoder where it is largest, beside its median, of "
            f"{_SECTORS} sectors of the strip",
            [self._tear()],
            tag=work.tag(None),
        )

    def claims(self) -> Iterator[Claim]:
        """The surface bends along the strip, and is torn."""
        yield claim(
            "7",
            "A deep autoencoder has a smaller error than PCA: a Moebius strip",
            f"error on test points, beside that of PCA; {measures.OVER_IMAGES}",
            measures.relative(self._errors["deep"], self._errors["pca"]),
            Below(bounds.DEEP_GAIN),
            unit="%",
        )
        yield claim(
            "8",
            "It tears the strip: in one place the error stays large",
            f"E of the worst of {_SECTORS} sectors, beside the median; of one network, "
            "not sampled",
            measures.exactly(self._tear()),
            Above(bounds.TORN),
            signed=False,
        )

    def draw(self, path: pathlib.Path) -> Picture:
        """The error along the strip."""
        degrees = 360 / _SECTORS * (np.arange(_SECTORS) + 0.5)
        curves = [
            figures.Curve(label=label, x=degrees, y=np.log10(self._by_sector(kind)))
            for kind, label in _KINDS.items()
        ]
        panel = figures.Panel(
            x_label="angle along the strip (degrees)", y_label="log10 E", curves=curves
        )
        figures.curves([panel], path)
        return Picture(
            file=path.name,
            caption="Mean error of test points of a Moebius strip along it, by PCA and "
            "by a deep autoencoder, both of two numbers. Where the latter tears the "
            "strip, its error is large.",
        )

    def _by_sector(self, kind: str) -> np.ndarray:
        counts = np.bincount(self._sector, minlength=_SECTORS)
        sums = np.bincount(self._sector, self._errors[kind], minlength=_SECTORS)
        return sums / counts

    def _tear(self) -> float:
        errors = self._by_sector("deep")
        return float(errors.max() / np.median(errors))
