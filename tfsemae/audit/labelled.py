"""What labels add: figures by class, and the detection of anomalies."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import stats

from tfsemae import attacks, statistics
from tfsemae.audit import estimates
from tfsemae.audit.damage import mean_squared_error
from tfsemae.audit.endpoints import Endpoints
from tfsemae.audit.report import Detection, Estimate, OfClass

DECIBELS = (-40.0, -30.0, -20.0)  # of perturbations of anomaly mode
_LEAST = 5  # images of a class that is compared
_STEPS = 20


def by_class(
    epsilons: dict[str, np.ndarray],
    spreads: dict[str, float],
    labels: np.ndarray,
    names: tuple[str, ...],
) -> list[OfClass]:
    """The smallest perturbation of each class, in units of the spread.

    Args:
        epsilons: space -> L2 norms `[N]`, infinite where there is none.
        spreads: space -> spread.
        labels: int `[N]`.
        names: of the classes.
    """
    found, p_values = [], []
    for space, norms in epsilons.items():
        relative = norms / spreads[space]
        for number in np.unique(labels):
            of_class = labels == number
            inside, outside = relative[of_class], relative[~of_class]
            difference = _medians_apart(inside, outside)
            compared = min(len(inside), len(outside)) >= _LEAST
            p_value = None
            if compared:
                # Ranks, so that infinite values may be among them.
                p_value = float(stats.mannwhitneyu(inside, outside).pvalue)
                p_values.append(p_value)
            found.append((space, names[number], inside, difference, p_value))
    adjusted = iter(statistics.holm(p_values)) if p_values else iter(())
    return [
        OfClass(
            space=space,
            name=name,
            images=len(inside),
            median=estimates.quantile(inside),
            difference=difference,
            p_value=None if p_value is None else float(next(adjusted)),
        )
        for space, name, inside, difference, p_value in found
    ]


def _medians_apart(inside: np.ndarray, outside: np.ndarray) -> float | None:
    """The lower median less that of others; None where one is not finite."""
    if not len(outside):
        return None
    medians = [float(estimates.lower_median(each)) for each in (inside, outside)]
    return medians[0] - medians[1] if np.isfinite(medians).all() else None


class AnomalyAttack:
    """Moves images to lower or raise their reconstruction error."""

    def __init__(self, model: Endpoints, *, differentiable: bool):
        """Configures the attacks.

        Args:
            model: to attack.
            differentiable: whether it has a gradient. Else images are only measured:
                the error would have a gradient all the same, of the image it is of.
        """

        def error(images: tf.Tensor) -> tf.Tensor:
            return mean_squared_error(images, model.reconstruct(images))

        self._error = error
        self._decibels = DECIBELS if differentiable else ()
        options: dict[str, Any] = {
            "epsilon": 0.0,
            "bounds": (0.0, 1.0),
            "steps": _STEPS,
        }
        self._lower = attacks.PGD(error, targeted=True, **options)
        self._raise = attacks.PGD(error, random_start=False, **options)
        self.step = tf.function(self._step, autograph=False, reduce_retracing=True)

    def _step(self, images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        found = {"clean": {"error": self._error(images)}}
        length = tf.norm(tf.reshape(images, [tf.shape(images)[0], -1]), axis=1)
        for decibel in self._decibels:
            epsilon = length * 10.0 ** (decibel / 20)
            found[f"{decibel:g}"] = {
                "lower": self._lower(images, epsilon=epsilon).objective,
                "raised": self._raise(images, epsilon=epsilon).objective,
            }
        return found


def detection(
    errors: dict[str, dict[str, np.ndarray]], anomalous: np.ndarray
) -> Iterator[Detection]:
    """How well errors tell anomalies, clean and attacked.

    Args:
        errors: what `AnomalyAttack.step` gives of all images.
        anomalous: bool `[N]`.

    Yields:
        The area under the ROC curve of each condition, with an interval over images.
    """
    clean = errors["clean"]["error"]
    yield Detection(condition="clean", decibel=None, auc=auc(clean, anomalous))
    for decibel in DECIBELS:
        attacked = errors.get(f"{decibel:g}")
        if attacked is None:  # of a model without gradients
            continue
        lower, raised = attacked["lower"], attacked["raised"]
        for condition, values in {
            "hidden": np.where(anomalous, lower, clean),
            "raised": np.where(anomalous, clean, raised),
            "both": np.where(anomalous, lower, raised),
        }.items():
            yield Detection(
                condition=condition, decibel=decibel, auc=auc(values, anomalous)
            )


def auc(values: np.ndarray, positive: np.ndarray) -> Estimate:
    """Area under the ROC curve with a bootstrap interval over images.

    Computes the chance that a positive example has the larger value, ties by half.

    Args:
        values: float `[N]`.
        positive: bool `[N]`, some true and some false.
    """
    first = np.flatnonzero(positive)
    second = np.flatnonzero(~positive)
    difference = values[first][:, np.newaxis] - values[second]
    wins = (difference > 0) + 0.5 * (difference == 0)

    def statistic(counts: np.ndarray) -> np.ndarray:
        a, b = counts[:, first], counts[:, second]
        total = a.sum(axis=1) * b.sum(axis=1)
        summed = np.einsum("ri,ij,rj->r", a, wins, b, optimize=True)
        return np.divide(summed, total, out=np.full(len(counts), 0.5), where=total > 0)

    return estimates.of(statistic, len(values))
