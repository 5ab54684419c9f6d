"""The attack by L-BFGS-B that weighs an objective against the distortion."""

from tfsemae.attacks import lbfgsb, penalized


class LBFGSB(penalized.PenalizedAttack):
    """Minimises an objective and a penalty on the distortion, within a box.

    Of each example x it solves, by SciPy's L-BFGS-B:

        minimise over a   objective(a) + C * |a - x|_2^2   (or C * |a - x|_2)
        subject to        low <= a <= high

    A larger C gives a smaller distortion and a larger objective. To trace the curve,
    repeat an example with as many C: each is a problem of its own, and all of them are
    solved together, see `BatchedLBFGSB`. With the plain norm no distortion at all is a
    minimum where C is large.

    The objective is computed in `dtype`, what SciPy does and the penalty in float64.
    Float32 values are too coarse for the default `factr`: many problems end with
    status 2, an abnormal line search, at a good point. Do not discard them; with
    networks that take float64, `dtype="float64"` avoids it.

    Options are `maxcor`, `factr`, `pgtol`, `maxiter`, `maxfun` and `batch_size` of
    `BatchedLBFGSB`. An object traces its objective once for all numbers of examples of
    one shape; it owns what it traced. It does not run inside of a `tf.function`.

    Source: Tabacof 2016, section 2, and the released code.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import attacks
        >>> def away(points, target):
        ...     return tf.reduce_sum((points - target) ** 2, axis=1)
        >>> attack = attacks.LBFGSB(away, bounds=(0.0, 1.0))
        >>> start, target = tf.zeros([3, 2]), tf.constant([[0.8, -0.5]] * 3)
        >>> result = attack(start, target, penalty=[0.0, 1.0, 3.0])
        >>> print([f"{point[0]:.3f}" for point in result.adversarial])  # 0.8 / (1 + C)
        ['0.800', '0.400', '0.200']
    """

    _new_solver = lbfgsb.BatchedLBFGSB
