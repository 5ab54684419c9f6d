"""Attacks on the answer of a classifier in an L-inf ball, by their names."""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from tfsemae import attacks, objectives
from tfsemae.attacks.gradients import Objective
from tfsemae.attacks.objectives import Network, cross_entropy
from tfsemae.attacks.projections import per_example
from tfsemae.evaluation.attack_registry import RobustAccuracy

_BOUNDS = (0.0, 1.0)
_REACHED = -1e-9  # margin from which on Square asks no further
LEAST_CLASSES = 4  # of the targeted DLR loss


class Broken(NamedTuple):
    """What came of an attack on a batch."""

    adversarial: tf.Tensor  # float32 `[B, H, W, C]`, that which breaks, else the last
    correct: tf.Tensor  # bool `[B]`, whether the answer is still the label
    finite: tf.Tensor  # bool `[B]`
    flat: tf.Tensor  # bool `[B]`
    further: dict[str, tf.Tensor]  # name -> bool `[B]`, of the parts of an attack


#: Images, labels, displacements in the unit ball `[S, B, H, W, C]` and a seed.
Attack = Callable[[tf.Tensor, tf.Tensor, tf.Tensor, tuple[int, int]], Broken]


class ClassifierAttacks:
    """Attacks on one classifier; those of one loss share their trace."""

    def __init__(
        self,
        network: Network,
        settings: RobustAccuracy,
        *,
        source: Network | None = None,
        penalty: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    ):
        """Configures them.

        Args:
            network: images -> logits of the victim, as at inference.
            settings: of radius, steps and runs.
            source: the network that is attacked, if it is another one: the victim only
                answers.
            penalty: (images, labels) -> `[B]`, added to the cross-entropy of pgd.
        """
        self._network, self._settings = network, settings
        self._source = network if source is None else source
        self._penalty = penalty
        self._made: dict[str, attacks.PGD] = {}

    def named(self, name: str, *, epsilon: float | None = None) -> Attack:
        """Makes an attack.

        Args:
            name: one that `--attacks` may have.
            epsilon: of pgd and cw, in place of the radius of the settings.
        """
        settings, network = self._settings, self._network
        if name == "aa_lite":
            return _aa_lite(network, settings)
        if name == "fgsm":
            step = attacks.step_sign(
                self._source, size=settings.linf_radius, bounds=_BOUNDS
            )
            return lambda images, labels, starts, seed: _answered(
                network, labels, step(images, labels)
            )
        kind = "cw" if name.startswith("cw") else "pgd"
        steps, pgd = int(name.removeprefix(kind)), self._pgd(kind)
        radius = settings.linf_radius if epsilon is None else epsilon

        def run(
            images: tf.Tensor,
            labels: tf.Tensor,
            starts: tf.Tensor,
            seed: tuple[int, int],
        ) -> Broken:
            found = None
            for start in tf.unstack(starts):
                result = pgd(
                    images,
                    labels,
                    epsilon=radius,
                    steps=tf.constant(steps),
                    initial=images + radius * start,
                )
                again = _answered(network, labels, result)
                found = again if found is None else _either(found, again)
            assert found is not None  # there is a run at least
            return found

        return run

    def _pgd(self, kind: str) -> attacks.PGD:
        if kind not in self._made:
            self._made[kind] = attacks.PGD(
                self._objective(kind),
                epsilon=0.0,  # in the call, as the steps
                norm="linf",
                step_size=self._settings.linf_step,
                bounds=_BOUNDS,
            )
        return self._made[kind]

    def _objective(self, kind: str) -> Objective:
        if kind == "cw":
            return _of_logits(self._source, objectives.cw_margin)
        plain, penalty = cross_entropy(self._source), self._penalty
        if penalty is None:
            return plain
        return lambda points, labels: plain(points, labels) + penalty(points, labels)


def _aa_lite(network: Network, settings: RobustAccuracy) -> Attack:
    """APGD on the cross-entropy, on the targeted DLR loss, and Square, in this order.

    Each attacks what withstood the ones before it. It lacks FAB of AutoAttack, has
    fewer targets and queries, and is not called so.

    Source: Croce and Hein 2020; Andriushchenko et al. 2020.
    """
    options: dict[str, Any] = {"epsilon": settings.linf_radius, "bounds": _BOUNDS}
    steps = {"steps": settings.aa_steps, **options}
    by_entropy = attacks.APGD(cross_entropy(network), **steps)
    by_ratio = attacks.APGD(_of_logits(network, objectives.targeted_dlr), **steps)
    square = attacks.Square(
        _of_logits(network, objectives.cw_margin, kappa=0.0),
        steps=settings.aa_queries,
        stop_above=_REACHED,
        **options,
    )

    def run(
        images: tf.Tensor, labels: tf.Tensor, starts: tf.Tensor, seed: tuple[int, int]
    ) -> Broken:
        logits = network(images)
        own = tf.one_hot(labels, logits.shape[1], on_value=True, off_value=False)
        others = tf.where(own, logits.dtype.min, logits)
        count = min(settings.aa_targets, logits.shape[1] - 1)
        targets = tf.math.top_k(others, k=count).indices
        found = _answered(network, labels, by_entropy(images, labels, seed=seed))
        parts = {"apgd_ce": found.correct}
        for k in range(count):

            def towards(rows: tf.Tensor, k: int = k) -> Broken:
                of_rows = [
                    tf.gather(each, rows) for each in (images, labels, targets[:, k])
                ]
                found = by_ratio(*of_rows, seed=(seed[0], seed[1] + 1 + k))
                return _answered(network, of_rows[1], found)

            found = _survivors(found, towards)
        parts["apgd_dlr"] = found.correct
        found = _survivors(
            found,
            lambda rows: _answered(
                network,
                tf.gather(labels, rows),
                square(tf.gather(images, rows), tf.gather(labels, rows), seed=seed),
            )._replace(flat=tf.zeros_like(rows, tf.bool)),  # it has no gradients
        )
        return found._replace(further=parts)

    return run


def _survivors(found: Broken, attack: Callable[[tf.Tensor], Broken]) -> Broken:
    """Attacks again what is still correct, and only that."""
    rows = tf.where(found.correct)[:, 0]
    if not len(rows):
        return found
    again = attack(rows)
    places = rows[:, tf.newaxis]
    return Broken(
        tf.tensor_scatter_nd_update(found.adversarial, places, again.adversarial),
        tf.tensor_scatter_nd_update(found.correct, places, again.correct),
        found.finite & tf.tensor_scatter_nd_update(found.finite, places, again.finite),
        found.flat & tf.tensor_scatter_nd_update(found.flat, places, again.flat),
        {},
    )


def _either(a: Broken, b: Broken) -> Broken:
    """The first of two attacks that breaks an image, else the second."""
    first = per_example(~a.correct, a.adversarial)
    return Broken(
        tf.where(first, a.adversarial, b.adversarial),
        a.correct & b.correct,
        a.finite & b.finite,
        a.flat & b.flat,
        {},
    )


def _answered(
    network: Network, labels: tf.Tensor, result: attacks.AttackResult
) -> Broken:
    answers = tf.argmax(network(result.adversarial), axis=1, output_type=labels.dtype)
    return Broken(result.adversarial, answers == labels, result.finite, result.flat, {})


def _of_logits(network: Network, loss: Callable[..., tf.Tensor], **options: Any) -> Any:
    return lambda points, *classes: loss(network(points), *classes, **options)
