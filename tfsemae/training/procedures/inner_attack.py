"""The attacks within a training step, as `--procedure` chooses them."""

from collections.abc import Callable
from typing import TypeAlias

import tensorflow as tf

from tfsemae import attacks, objectives
from tfsemae.attacks.objectives import Network, cross_entropy
from tfsemae.training.settings import Classifier

#: Images `[B, H, W, C]`, labels `[B]` and a seed int64 `[2]` -> adversarial images.
InnerAttack: TypeAlias = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]

_STEP, _FGSM_STEP = 2 / 255, 10 / 255
_SPREAD = 0.001  # standard deviation around the image where trades begins
_BOUNDS = (0.0, 1.0)


def make(network: Network, settings: Classifier) -> InnerAttack:
    """Makes the attack of a procedure.

    Args:
        network: images -> logits, as at inference: else batch statistics would tell of
            the other images, and moving averages would learn from the attack.
        settings: with a procedure that attacks.

    Returns:
        See `InnerAttack`. The images are in the L-inf ball of `adversarial_epsilon` and
        in [0, 1].

    Source: Madry et al. 2018 (`pgd`), Wong et al. 2020, "Fast is better than free"
    (`fgsm`), Zhang et al. 2019 (`trades`), whose attack `scarl` has.
    """
    if settings.procedure == "fgsm":
        return _fgsm(network, settings)
    maximises_kl = settings.procedure != "pgd"
    size = settings.adversarial_step_size
    attack = attacks.PGD(
        _kl(network) if maximises_kl else cross_entropy(network),
        epsilon=settings.adversarial_epsilon,
        norm="linf",
        steps=settings.adversarial_steps,
        step_size=_STEP if size is None else size,
        bounds=_BOUNDS,
    )
    if not maximises_kl:
        return lambda images, labels, seed: (
            attack(images, labels, seed=seed).adversarial
        )

    def around(images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        normal = tf.random.stateless_normal(tf.shape(images), seed, alg="philox")
        # At the image itself the divergence has no gradient.
        begun = images + _SPREAD * normal
        return attack(images, network(images), initial=begun).adversarial

    return around


def _kl(network: Network) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """KL(p(x) || p(x')) of logits of x that are given."""
    return lambda points, clean: objectives.kl_of_logits(clean, network(points))


def _fgsm(network: Network, settings: Classifier) -> InnerAttack:
    """One signed step from a uniform point of the ball, then back into it."""
    size, epsilon = settings.adversarial_step_size, settings.adversarial_epsilon
    step = attacks.step_sign(
        network, size=_FGSM_STEP if size is None else size, bounds=_BOUNDS
    )

    def attack(images: tf.Tensor, labels: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        uniform = tf.random.stateless_uniform(
            tf.shape(images), seed, -epsilon, epsilon, alg="philox"
        )
        moved = step(tf.clip_by_value(images + uniform, *_BOUNDS), labels).adversarial
        moved = tf.clip_by_value(moved, images - epsilon, images + epsilon)
        return tf.clip_by_value(moved, *_BOUNDS)

    return attack
