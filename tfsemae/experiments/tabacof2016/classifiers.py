"""Section 4: attacks on classifiers, Figs. 4 and 5, and autoencoders beside them."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import statistics
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row, whole, with_parts
from tfsemae.experiments.intervals import hull, independent_difference, interval
from tfsemae.experiments.tabacof2016 import classifier_pictures, printed, runs
from tfsemae.experiments.tabacof2016.trade_offs import Measurements
from tfsemae.reports.ledger import Claim, Row
from tfsemae.statistics import Above, Interval

_LEAST_POINTS = 3  # of a correlation
_LEAST_IMAGES = 2  # of an interval
_TOO_FEW = "fewer than 2 images change their class within the penalties"
_HARDER = "Autoencoders are much harder to attack than classifiers"
_LINEAR = "The logit of the new class rises linearly with the distortion, not the "
_LINEAR += "probability"


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `tabacof2016_classifier`."""
    attacked = {
        dataset: Measurements(work.folder(runs.classifier_attack(dataset, work.scale)))
        for dataset in runs.NAMES
    }
    first = runs.classifier_attack("mnist", work.scale)
    return {
        "rows": list(_rows(work, attacked)),
        "claims": [*_harder(work, attacked), *_linear(attacked)],
        "pictures": classifier_pictures.draw(work, attacked),
        "choices": [
            work.choice(
                "bisections", first, "the code only sweeps; this finds the nearest"
            ),
            work.choice("seed", first, "images of our own"),
        ],
    }


def correlations(run: Measurements, quantity: str) -> np.ndarray:
    """Pearson's correlation with the distortion, of each image `[P]`.

    Of the penalties where the probability of the new class is inside of (1e-6,
    1 - 1e-6); NaN where there are fewer than 3 of them.

    Args:
        run: measurements of an attack on a classifier.
        quantity: `target_probability` or `target_log_odds`.
    """
    norms = run.array("adversarial/distortion").astype(np.float64)
    values = run.array(f"adversarial/{quantity}")
    probability = run.array("adversarial/target_probability")
    low = printed.PROBABILITY
    inside = (probability > low) & (probability < 1 - low)
    found = np.full(len(norms), np.nan)
    for image, kept in enumerate(inside):
        x, y = norms[image, kept], values[image, kept]
        if len(x) >= _LEAST_POINTS and np.ptp(x) > 0 and np.ptp(y) > 0:
            found[image] = np.corrcoef(x, y)[0, 1]
    return found


def _rows(work: Workspace, attacked: Mapping[str, Measurements]) -> Iterator[Row]:
    for dataset, run in attacked.items():
        name, stands_for = runs.NAMES[dataset], runs.STANDS_FOR.get(dataset)
        number = printed.CROSSING[stands_for or dataset]
        for id_, quantity, values, published in (
            (
                "crossing",
                "|d| where the class changes, between two penalties",
                run.array("crossing"),
                number,
            ),
            (
                "bisected",
                "least |d| that a bisection found",
                run.array("bisection/distortion"),
                None,
            ),
            (
                "correlation_logit",
                "correlation of |d| and the logit of the new class",
                correlations(run, "target_log_odds"),
                None,
            ),
            (
                "correlation_probability",
                "correlation of |d| and its probability",
                correlations(run, "target_probability"),
                None,
            ),
        ):
            kept = values[np.isfinite(values)]
            if len(kept):
                yield row(
                    f"{dataset}_{id_}",
                    f"{name}, classifier: {quantity}",
                    kept,
                    printed=published,
                    tag="stand-in" if stands_for else work.tag(published),
                    note="a value an image, of one network; beside it the authors' "
                    "published results"
                    if published
                    else "a value an image",
                )


def _harder(work: Workspace, attacked: Mapping[str, Measurements]) -> Iterator[Claim]:
    """Claim 5: norms are compared by their logarithms."""
    for dataset, run in attacked.items():
        subject = f"{_HARDER} ({runs.NAMES[dataset]})"
        if np.isfinite(run.array("crossing")).sum() < _LEAST_IMAGES:
            yield whole(f"5_{dataset}", subject, _TOO_FEW, "undecided")
            continue
        of_classifier = _log_norm(run.array("crossing"))
        parts = []
        for group in runs.BESIDE_CLASSIFIERS:
            each = [
                Measurements(work.folder(attack))
                for attack in runs.attacks(group, dataset, work.scale)
            ]
            of_autoencoder = hull(
                _log_norm(found.of_pairs("half_distortion")) for found in each
            )
            difference = independent_difference(of_autoencoder, of_classifier)
            ratio = Interval(*np.exp(difference).tolist())
            parts.append(
                claim(
                    f"5_{dataset}_{group.id}",
                    f"{_HARDER} ({runs.NAMES[dataset]}, {group})",
                    "geometric mean of the least |d| with half the way to the target, "
                    "over that where the classifier changes the class; 95 % bootstrap "
                    "interval over pairs and images, joined over networks",
                    ratio,
                    Above(printed.HARDER),
                    signed=False,
                )
            )
        yield from with_parts(f"5_{dataset}", subject, parts)


def _log_norm(norms: np.ndarray) -> Interval:
    logs = np.log(norms[np.isfinite(norms) & (norms > 0)])
    return interval(statistics.mean_statistic(logs), len(logs))


def _linear(attacked: Mapping[str, Measurements]) -> Iterator[Claim]:
    """Claim 7."""
    for dataset, run in attacked.items():
        logit, probability = (
            np.abs(correlations(run, f"target_{each}"))
            for each in ("log_odds", "probability")
        )
        subject = f"{_LINEAR} ({runs.NAMES[dataset]})"
        kept = np.isfinite(logit + probability)
        if kept.sum() < _LEAST_IMAGES:
            yield whole(f"7_{dataset}", subject, _TOO_FEW, "undecided")
            continue
        better = 100.0 * (logit > probability)[kept]
        straight = 100.0 * (logit >= printed.LOGIT_CORRELATION)[kept]
        parts = [
            claim(
                f"7_{id_}_{dataset}",
                subject,
                f"{what}; 95 % bootstrap interval over images",
                interval(statistics.mean_statistic(values), len(values)),
                Above(bound),
                unit="%",
                signed=False,
            )
            for id_, what, values, bound in (
                (
                    "better",
                    "images of which a line explains more of the logit than of the "
                    "probability",
                    better,
                    printed.MOST_IMAGES,
                ),
                (
                    "straight",
                    f"images with a correlation from {printed.LOGIT_CORRELATION} on",
                    straight,
                    printed.MOST_PAIRS,
                ),
            )
        ]
        yield from with_parts(f"7_{dataset}", subject, parts)
