"""Options of each `tf.data` pipeline."""

import tensorflow as tf


def pipeline_options() -> tf.data.Options:
    """Makes options with which elements keep their order and nothing is tuned.

    Where `tf.data` tunes a pipeline, its thread at times misses that the iterator is
    being freed. It sleeps on, up to a minute behind a training, and the program waits
    for it (seen with TensorFlow 2.21 in two of eight iterators, and in none without).
    """
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.enabled = False
    return options
