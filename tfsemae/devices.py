"""Threads and devices of a run."""

import tensorflow as tf


def set_threads(threads: int) -> None:
    """Sets the threads of TensorFlow; call it before TensorFlow's first work.

    Args:
        threads: for the operations; 0 leaves the choice to TensorFlow.

    Raises:
        ValueError: if TensorFlow has begun with another number.
    """
    if not threads:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        # As many between operations: with fewer, waiting threads hold up the pool
        # and steps were seen to take twice as long.
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError as error:
        raise ValueError(
            "The number of threads cannot change once TensorFlow has begun. "
            f"Received: threads={threads}."
        ) from error


def strategy(name: str) -> tf.distribute.Strategy:
    """The distribution strategy of that name.

    Args:
        name: `default` (one device) or `mirrored` (all GPUs, else all logical
            CPU devices; the batch is split among them).

    Returns:
        The strategy.
    """
    if name == "default":
        return tf.distribute.get_strategy()
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    return tf.distribute.MirroredStrategy(
        [device.name for device in tf.config.list_logical_devices(kind)]
    )
