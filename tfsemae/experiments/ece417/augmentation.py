"""Data augmentation: fakes of few labelled images, and whether they keep the label.

A fake has the label of its original: an image that is moved, `g(z)` of a variational
autoencoder with `z ~ N(mu, s^2 Sigma)` of the original's posterior, or `g(z, label)` of
a conditional GAN with `z ~ N(0, I)`, which sees of it the label alone. A classifier
that has learnt from all labels, the oracle, measures how many fakes show another class.
It never chooses any. It errs as well, above all about moved digits, of which it has
seen few. Moving changes no label, so that what it says of moved test images is its own
error.
"""

import dataclasses
import functools
import itertools
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import data, run_folder, training
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import (
    claim,
    estimated_difference,
    estimated_row,
    row,
    with_parts,
)
from tfsemae.experiments.ece417 import bounds, measures, samples
from tfsemae.experiments.ece417.augmentation_runs import (
    FILTERED,
    METHODS,
    SPREADS,
    augmented,
    seeds,
)
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Below, Interval
from tfsemae.training import fakes

_ACCURACY, _FLIPS, _MOVED = "accuracy", "flips", "oracle_moved"
_MOVES = "shift"  # the method whose fakes show what their originals do
_POINTS = "percentage points"
_SHOWN = 10  # images of a picture


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ece417_augmentation`."""
    judge = samples.Judge(work)
    train = measures.load(work, "train")
    folders = {
        method: work.folders(
            [augmented(method, seed, work.scale) for seed in seeds(work.scale)]
        )
        for method in METHODS
    }
    quantities = {
        _ACCURACY: Quantity("accuracy on test images", "%", 100),
        _FLIPS: Quantity(
            "fakes that show another class to the oracle",
            "%",
            100,
            functools.partial(_flipped, judge, train),
        ),
        _MOVED: Quantity(
            "test images, moved by up to 2 pixels, that the oracle gives another class "
            "than their label",
            "%",
            100,
            functools.partial(_mistaken, judge, measures.load(work, "test")),
        ),
    }
    found = Estimates(folders, quantities)
    first = augmented("filter", 0, work.scale)
    return {
        "rows": [
            *_rows(work, found),
            *_oracle_rows(work, found, judge),
            _kept(work, train, folders),
        ],
        "claims": [*_gains(found), _flips(found), *_judged(found), *_grows(found)],
        "pictures": [
            _draw_fakes(train, folders, work.output_dir / "fakes.png"),
            _draw_scales(found, work.output_dir / "scales.png"),
        ],
        "choices": [
            work.choice("labelled_per_class", first, "no number is printed"),
            work.choice(
                "fakes",
                first,
                "the VAE has learnt from all training images, without their labels: "
                "more than the classifiers of few labels know; conditional GANs from "
                "the labelled images alone",
            ),
            work.choice("fakes_per_image", first, "no number is printed"),
            work.choice("fakes_least", first, "no threshold is printed"),
            work.choice("steps", first, "as many with fakes as without"),
        ],
    }


def made(train: data.Images, folder: pathlib.Path) -> data.Images:
    """The fakes that a run was trained on, made again."""
    chosen = run_folder.read_settings(folder, training.Settings)
    options, seed = chosen.classifier.fakes, chosen.run.seed
    return fakes.make(
        fakes.labelled(train, options.labelled_per_class, seed), options, seed
    )


def _flipped(judge: samples.Judge, train: data.Images, folder: pathlib.Path) -> float:
    """Share of the fakes of a run that the oracle gives another class."""
    images = made(train, folder)
    classes = judge.probabilities(data.pixels(images)).argmax(axis=1)
    return float(np.mean(classes != images.labels))


def _mistaken(judge: samples.Judge, test: data.Images, folder: pathlib.Path) -> float:
    """The oracle's own error on test images that are moved as fakes of a run are."""
    chosen = run_folder.read_settings(folder, training.Settings)
    options = dataclasses.replace(chosen.classifier.fakes, fakes_per_image=1)
    images = fakes.make(test, options, chosen.run.seed)
    classes = judge.probabilities(data.pixels(images)).argmax(axis=1)
    return float(np.mean(classes != images.labels))


def _rows(work: Workspace, found: Estimates) -> Iterator[Row]:
    for method, name in METHODS.items():
        for key in (_ACCURACY,) if method == "none" else (_ACCURACY, _FLIPS):
            yield estimated_row(
                found,
                method,
                key,
                f"{method}_{key}",
                f"{name}: {found.quantities[key].name}",
                tag=work.tag(None),
            )
        if method != "none":
            yield estimated_difference(
                found,
                (method, _ACCURACY),
                ("none", _ACCURACY),
                f"{method}_gain",
                f"{name}: accuracy more than without fakes",
                tag=work.tag(None),
                unit=_POINTS,
            )


def _oracle_rows(
    work: Workspace, found: Estimates, judge: samples.Judge
) -> Iterator[Row]:
    """What the oracle itself gets wrong."""
    test = measures.load(work, "test")
    classes = judge.probabilities(data.pixels(test)).argmax(axis=1)
    yield row(
        "oracle",
        "test images that the oracle gives another class than their label",
        [100 * np.mean(classes != test.labels)],
        unit="%",
        tag=work.tag(None),
    )
    yield estimated_row(
        found, _MOVES, _MOVED, _MOVED, found.quantities[_MOVED].name, tag=work.tag(None)
    )
    yield estimated_difference(
        found,
        (_MOVES, _FLIPS),
        (_MOVES, _MOVED),
        f"{_MOVES}_excess",
        "moved labelled images that show another class to the oracle, minus its own "
        "error on moved test images",
        tag=work.tag(None),
        unit=_POINTS,
    )


def _kept(
    work: Workspace,
    train: data.Images,
    folders: Mapping[str, list[pathlib.Path]],
) -> Row:
    counts = [
        100 * len(made(train, a)) / len(made(train, b))
        for a, b in zip(folders["filter"], folders[f"vae{FILTERED:g}"], strict=True)
    ]
    return row(
        "kept",
        f"fakes of s = {FILTERED:g} that the judge keeps",
        counts,
        unit="%",
        tag=work.tag(None),
    )


def _difference(found: Estimates, key: str, first: str, second: str) -> Interval:
    return found.difference((first, key), (second, key))


def _over(found: Estimates) -> str:
    return found.interval_over(len(found.values("none", _ACCURACY)))


def _gains(found: Estimates) -> Iterator[Claim]:
    """No gain is assumed: the sign is what was measured."""
    statement = "Fakes of labelled images make a classifier better"
    methods = {key: name for key, name in METHODS.items() if key != "none"}
    yield from with_parts(
        "1",
        statement,
        [
            claim(
                f"1_{method}",
                f"{statement}: {name}",
                "accuracy on test images, with fakes minus without, paired; "
                f"{_over(found)}",
                _difference(found, _ACCURACY, method, "none"),
                Above(bounds.GAIN),
                unit=_POINTS,
            )
            for method, name in methods.items()
        ],
    )


def _flips(found: Estimates) -> Claim:
    low, high = (f"vae{scale:g}" for scale in (SPREADS[0], SPREADS[-1]))
    return claim(
        "2",
        "A VAE does not know which changes alter the label",
        f"fakes that show another class to the oracle, s = {SPREADS[-1]:g} minus "
        f"s = {SPREADS[0]:g}; {_over(found)}",
        _difference(found, _FLIPS, high, low),
        Above(bounds.FLIPPED),
        unit=_POINTS,
    )


def _grows(found: Estimates) -> list[Claim]:
    statement = "The share of fakes that show another class does not fall as s grows"
    return with_parts(
        "4",
        statement,
        [
            claim(
                f"4_{high:g}",
                f"{statement}: from {low:g} to {high:g}",
                "fakes that show another class to the oracle, of the larger s minus "
                f"of the smaller; {_over(found)}",
                _difference(found, _FLIPS, f"vae{high:g}", f"vae{low:g}"),
                Above(-bounds.FEWER_FLIPS),
                unit=_POINTS,
            )
            for low, high in itertools.pairwise(SPREADS)
        ],
    )


def _judged(found: Estimates) -> list[Claim]:
    measured: tuple[tuple[str, str, str, str, Any], ...] = (
        (
            "flips",
            "Fewer fakes that another network has judged show another class",
            _FLIPS,
            f"vae{FILTERED:g}",
            Below(-bounds.FILTERED),
        ),
        (
            # As many as there were would weigh the labelled images less.
            "gain",
            "They make a better classifier than about as many that nobody has judged",
            _ACCURACY,
            "fewer",
            Above(bounds.GAIN),
        ),
    )
    return with_parts(
        "3",
        "Another network that judges fakes is a remedy",
        [
            claim(
                f"3_{id_}",
                statement,
                f"{found.quantities[key].name}, {METHODS['filter']}, minus "
                f"{METHODS[other]}, not judged; {_over(found)}",
                _difference(found, key, "filter", other),
                rule,
                unit=_POINTS,
            )
            for id_, statement, key, other, rule in measured
        ],
    )


def _draw_fakes(
    train: data.Images,
    folders: Mapping[str, list[pathlib.Path]],
    path: pathlib.Path,
) -> Picture:
    """The first fake of one labelled image of each class, by method."""
    chosen = run_folder.read_settings(folders["none"][0], training.Settings)
    count = chosen.classifier.fakes.labelled_per_class
    known = fakes.labelled(train, count, chosen.run.seed)
    drawn = {"original": known}
    for method in ("shift", *(f"vae{scale:g}" for scale in SPREADS), "cgan"):
        drawn[METHODS[method]] = made(train, folders[method][0])
    rows = [(name, _firsts(images)) for name, images in drawn.items()]
    figures.image_grid(rows, path)
    return Picture(
        file=path.name,
        caption="The first fake of an image of each class, which all methods share. "
        "Fakes of the VAE differ in s alone: their random numbers are the same.",
    )


def _firsts(images: data.Images) -> np.ndarray:
    """The first image of each class."""
    assert images.labels is not None  # of digits
    places = [int(np.argmax(images.labels == label)) for label in range(_SHOWN)]
    return data.pixels(data.take(images, np.array(places)))


def _draw_scales(found: Estimates, path: pathlib.Path) -> Picture:
    by_scale = [f"vae{scale:g}" for scale in SPREADS]
    panels = []
    for key in (_FLIPS, _ACCURACY):
        each = [found.value(method, key) for method in by_scale]
        # In an order that gives each the same line in both panels.
        others = ("shift", "filter", "cgan", *(("none",) if key == _ACCURACY else ()))
        panels.append(
            figures.Panel(
                x_label="s of the fakes of a VAE",
                y_label=str(found.quantities[key]),
                curves=[
                    figures.Curve(
                        label="VAE",
                        x=SPREADS,
                        y=[interval.effect for interval in each],
                        y_error=[interval.high - interval.effect for interval in each],
                    )
                ],
                levels=[
                    (METHODS[name], found.value(name, key).effect) for name in others
                ],
            )
        )
    figures.curves(panels, path)
    return Picture(
        file=path.name,
        caption="Fakes that show another class to the oracle, and accuracy. Bars: 95 % "
        f"{_over(found)}. Horizontal lines: means of other methods. Moving changes no "
        "label, so that the line of moved images is the oracle's own error.",
    )
