"""What an audit found, as data: the schema of `audit.json`.

All numbers are finite; what was not reached or cannot be measured is None.
"""

import dataclasses
import json
import pathlib
from typing import Any

import pydantic

from tfsemae import files
from tfsemae.reports import fields
from tfsemae.reports.ledger import NamedWarning

FILE_NAME = "audit.json"
VERSION = 1

__all__ = ["NamedWarning"]


@fields.record
class Estimate:
    """A figure over images, and its 95 % bootstrap interval.

    Attributes:
        value: the figure; None where it is beyond what was searched.
        low: lower end; None with one image, or where it is beyond.
        high: upper end; None with one image, or where it is beyond.
    """

    value: fields.Number | None
    low: fields.Number | None = None
    high: fields.Number | None = None


@fields.record
class Audited:
    """What was audited.

    Attributes:
        model: how it was named.
        image_shape: (H, W, C).
        latent_shape: of one latent.
        value_range: (low, high) of the pixels that the model takes.
        range_source: `given`, or how it was recognised.
        stochastic: functions that give something else each time.
        latent_spread: root of the total variance of the latents, the "standard
            deviation of the code" in which distances are given.
        latent_deviations: standard deviation of each number of a latent, the first
            1,000 of them.
        collapsed: numbers of a latent whose standard deviation is at most 1 % of the
            root mean square of all.
        input_spread: root of the total variance of the images, in units of [0, 1].
        weights_sha256: of the weights of Keras models, of the files of SavedModels;
            None of other functions.
        data_sha256: of all images and labels that there were.
        dataset: its name.
        images: number of images that were audited.
        available: number of images that there were.
        seed: of the choice of images and of all random numbers.
        restarts: random points of the strong attack.
        steps: of the strong attack from its best point.
        rounds: of the bisection.
        cut: what the budget of time cut, a sentence each.
        seconds: of the start that finished it.
        versions: of the packages.
        machine: on which it ran.
    """

    model: fields.Text
    image_shape: tuple[int, ...]
    latent_shape: tuple[int, ...]
    value_range: tuple[fields.Number, fields.Number]
    range_source: fields.Text
    stochastic: tuple[fields.Text, ...]
    latent_spread: fields.Number
    latent_deviations: tuple[fields.Number, ...]
    collapsed: tuple[int, ...]
    input_spread: fields.Number
    weights_sha256: fields.Text | None
    data_sha256: fields.Text
    dataset: fields.Text
    images: fields.Count
    available: fields.Count
    seed: int
    restarts: int
    steps: int
    rounds: int
    cut: tuple[fields.Text, ...]
    seconds: fields.NotNegative
    versions: dict[fields.Text, fields.Entry]
    machine: dict[fields.Text, fields.Entry]


@fields.record
class Distance:
    """A size of a perturbation in three units.

    Attributes:
        absolute: L2 norm; of images in units of [0, 1].
        deviations: over the spread of latents or images.
        decibel: power relative to the mean power of latents or images, dB.
    """

    absolute: Estimate
    deviations: Estimate
    decibel: Estimate


@fields.record
class Smallest:
    """The smallest perturbation that does the damage.

    Attributes:
        space: `latent` or `input`.
        damage: in words.
        reached: share of the images with such a perturbation.
        median: over images.
        low_quantile: 5 % of the images need no more than this.
        noise_ratio: median over images of the norm of random noise that does the
            damage over that of the smallest perturbation: how far random tests
            underestimate an adversary. None where noise does it to no half of them.
    """

    space: fields.Text
    damage: fields.Text
    reached: fields.Number
    median: Distance
    low_quantile: Distance
    noise_ratio: Estimate


@fields.record
class Point:
    """The mean damage of an attack of one radius.

    Attributes:
        space: `latent` or `input`.
        attack: `noise`, `singular_step`, `pgd`, `strong` or `query_only`.
        radius: L2 norm.
        deviations: the same over the spread.
        images: number of images.
        measures: metric of clean against attacked reconstruction -> mean.
    """

    space: fields.Text
    attack: fields.Text
    radius: fields.NotNegative
    deviations: fields.NotNegative
    images: fields.Count
    measures: dict[fields.Text, Estimate]


@fields.record
class Spectrum:
    """Singular values of a Jacobian, with its input in standard deviations.

    Attributes:
        network: `decoder` or `encoder`.
        images: number of images.
        values: medians over images of the largest singular values, descending: change
            of the output (L2) per standard deviation of each number of the input.
        first: the largest one, median over images.
        linear_range: median over images of the step along the top singular vector, in
            units of the spread, up to which the change is within 20 % of the
            linear prediction; None where it is so everywhere.
    """

    network: fields.Text
    images: fields.Count
    values: tuple[fields.Number, ...]
    first: Estimate
    linear_range: Estimate


@fields.record
class Dimension:
    """What one number of the latent does.

    Attributes:
        number: its place in the flat latent.
        effect: root mean square over images of the change of the image (L2) by one
            standard deviation.
    """

    number: int
    effect: fields.NotNegative


@fields.record
class Everyday:
    """The damage of a disturbance that nobody designed.

    Attributes:
        name: of the disturbance.
        measures: metric of clean against disturbed reconstruction -> mean.
    """

    name: fields.Text
    measures: dict[fields.Text, Estimate]


@fields.record
class OfClass:
    """The smallest perturbation in one class.

    Attributes:
        space: `latent` or `input`.
        name: of the class.
        images: of the class.
        median: in units of the spread.
        difference: of the median from that of the other classes, in units of the
            spread; None where one of them is not reached.
        p_value: of no difference from the other classes (Mann-Whitney), corrected by
            Holm over classes and spaces; None of fewer than 5 images.
    """

    space: fields.Text
    name: fields.Text
    images: fields.Count
    median: Estimate
    difference: fields.Number | None
    p_value: fields.Number | None


@fields.record
class Detection:
    """How well the reconstruction error tells anomalies.

    Attributes:
        condition: `clean`; `hidden`, the anomalies attacked; `raised`, the normal
            images attacked; `both`.
        decibel: power of the perturbation relative to the images; None of `clean`.
        auc: area under the ROC curve: 1 perfect, 0.5 chance.
    """

    condition: fields.Text
    decibel: fields.Number | None
    auc: Estimate


@fields.record
class Report:
    """All that an audit found.

    Attributes:
        version: of this schema.
        audited: what, and how.
        clean: metric of image against reconstruction -> mean.
        smallest: the headline, of each space.
        curves: damage against radius.
        spectra: of decoder and encoder.
        dimensions: of the latent, the most sensitive ones first.
        insensitive: numbers of the latent that change the image by less than 1e-3 of
            what the strongest one does.
        everyday: disturbances.
        nearest: space -> places in the data set of the ten nearest counterexamples.
        classes: by class; empty without labels.
        detection: of anomalies; empty without `anomaly_label`.
        warnings: name, and what was found, what it means and what to do.
        figures: name -> figure that `--fail_above` and `--fail_below` compare:
            `<space>_<metric>`, the mean under the strong attack of 0.1 spreads, of
            SSIM its loss (1 - SSIM); `<space>_perturbation`, the median smallest
            perturbation in spreads.
        pictures: files beside the report.
    """

    version: int = VERSION
    audited: Audited
    clean: dict[fields.Text, Estimate]
    smallest: tuple[Smallest, ...]
    curves: tuple[Point, ...]
    spectra: tuple[Spectrum, ...]
    dimensions: tuple[Dimension, ...]
    insensitive: tuple[int, ...]
    everyday: tuple[Everyday, ...]
    nearest: dict[fields.Text, tuple[int, ...]]
    classes: tuple[OfClass, ...] = ()
    detection: tuple[Detection, ...] = ()
    warnings: tuple[NamedWarning, ...] = ()
    figures: dict[fields.Text, fields.Number | None]
    pictures: tuple[fields.Text, ...] = ()

    def write(self, folder: files.PathLike) -> pathlib.Path:
        """Writes `<folder>/audit.json`, whole or not at all."""
        path = files.path(folder) / FILE_NAME
        files.write_json(path, dataclasses.asdict(self))
        return path

    @classmethod
    def read(cls, folder: files.PathLike) -> "Report":
        """Reads `<folder>/audit.json`.

        Raises:
            ValueError: if there is none, or it is damaged.
        """
        path = files.path(folder) / FILE_NAME
        try:
            return _ADAPTER.validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise ValueError(
                f"{folder} holds no finished audit ({FILE_NAME} is missing). Name the "
                "--output_dir of `python -m tfsemae.audit`."
            ) from error
        except ValueError as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(
                f"{path} is damaged or of another kind: {reason}"
            ) from error


_ADAPTER: pydantic.TypeAdapter[Report] = pydantic.TypeAdapter(Report)


def schema() -> dict[str, Any]:
    """The JSON schema of `audit.json`."""
    return json.loads(json.dumps(_ADAPTER.json_schema(mode="serialization")))
