"""What a teacher of class structure remembers, and how its weight grows."""

import tensorflow as tf

from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


def update_class_memory(
    memory: TensorLike, means: TensorLike, present: TensorLike, momentum: TensorLike
) -> tf.Tensor:
    """Moves the memory of each class that a batch holds towards its mean.

    Computes `momentum * memory + (1 - momentum) * means`, for absent classes `memory`.
    No gradient flows through the result.

    Args:
        memory: floating `[C, D]`.
        means: floating `[C, D]`, see `class_means`.
        present: bool `[C]`.
        momentum: in [0, 1], such as `gaussian_ramp_up`.

    Returns:
        `[C, D]`; float64 where `memory` is, else float32.

    Raises:
        ValueError: if a type or a shape does not fit, or a momentum that is known is
            out of its range.

    Source: Kuang et al. 2023, released code.

    Example:
        >>> from tfsemae import objectives
        >>> memory = objectives.update_class_memory(
        ...     [[0.0], [0.0]], [[1.0], [1.0]], [True, False], 0.75
        ... )
        >>> memory.numpy().ravel().tolist()
        [0.25, 0.0]
    """
    memory = checks.matrix("memory", memory)
    means = checks.matrix("means", means, memory.dtype)
    if not memory.shape.is_compatible_with(means.shape):
        raise ValueError(
            "`memory` and `means` must have the same shape [C, D]. "
            f"Received: {memory.shape} and {means.shape}."
        )
    present = checks.present(present, memory)
    share = _share("momentum", momentum, memory.dtype)
    moved = share * memory + (1 - share) * means
    return tf.stop_gradient(tf.where(present[:, tf.newaxis], moved, memory))


def gaussian_ramp_up(progress: TensorLike) -> tf.Tensor:
    """A weight that grows from 0.0067 to 1 over the training.

    Computes `exp( -5 (1 - progress)**2 )`.

    Args:
        progress: the share of the training that is done, in [0, 1], any shape.

    Returns:
        Of its shape; float64 where `progress` is a float64 array, else float32.

    Raises:
        ValueError: if a number that is known is out of its range.

    Source: Kuang et al. 2023, released code, for the weight of the structure and the
    momentum of the memory; Laine and Aila 2017, "Temporal ensembling for
    semi-supervised learning".

    Example:
        >>> from tfsemae import objectives
        >>> [round(float(objectives.gaussian_ramp_up(p)), 4) for p in (0.0, 0.5, 1.0)]
        [0.0067, 0.2865, 1.0]
    """
    return tf.exp(-5.0 * tf.square(1.0 - _share("progress", progress)))


def _share(name: str, value: TensorLike, dtype: tf.DType | None = None) -> tf.Tensor:
    value = tf.convert_to_tensor(value)
    if value.dtype.is_integer:  # Python's 0 and 1
        value = tf.cast(value, tf.float32)
    share = checks.floating(name, value, dtype)
    known = tf.get_static_value(share)
    if known is not None and not ((known >= 0) & (known <= 1)).all():
        raise ValueError(f"`{name}` must be in [0, 1]. Received: {name}={known}.")
    return share
