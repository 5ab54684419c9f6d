"""The attack by Adam that weighs an objective against the distortion."""

from tfsemae.attacks import adam, penalized


class Adam(penalized.PenalizedAttack):
    """Minimises an objective and a penalty on the distortion, within a box, by Adam.

    The problems are those of `LBFGSB`, which converges with fewer evaluations where
    the objective is smooth. Here each takes `steps + 1` of them, and `converged` is
    False: the number of steps is fixed. Options are `steps`, `learning_rate`,
    `global_norm`, `clip` and `batch_size` of `BatchedAdam`.

    Source: Gondim-Ribeiro 2018, the released code.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> def away(points, target):
        ...     return tf.reduce_sum((points - target) ** 2, axis=1)
        >>> attack = attacks.Adam(away, steps=500, learning_rate=0.01)
        >>> start, target = tf.zeros([3, 2]), tf.constant([[0.8, -0.5]] * 3)
        >>> result = attack(start, target, penalty=[0.0, 1.0, 3.0])
        >>> print([f"{point[0]:.2f}" for point in result.adversarial])  # 0.8 / (1 + C)
        ['0.80', '0.40', '0.20']
    """

    _new_solver = adam.BatchedAdam
