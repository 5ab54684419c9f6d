"""A layer that turns gradients round, for features that must not tell something."""

import math
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="tfsemae")
class GradientReversal(keras.layers.Layer):
    """Passes its input on, and gradients back times -factor.

    Between features h and a classifier of a nuisance, such as a speaker or a colour:
    one step of descent on the sum of both losses trains that classifier as usual, and
    the features to minimise `E_primary - factor * E_adversary`.

    The factor is a weight that is not trained: it is saved with the model, and a
    schedule assigns to it between steps, without another trace. E_adversary has no
    upper bound, and features may also make that classifier wrong with confidence, in
    which case they still tell the nuisance: compare it with that of a guess, and train
    a new classifier on the features to see what they tell.

    Attributes:
        factor: Keras variable, float32 `[]`, once the layer is built.

    Raises:
        ValueError: if the factor is not finite or negative.

    Source: ECE 417, lecture 22, where it is 1; Ganin et al. 2016, "Domain-adversarial
    training of neural networks", section 4.2, where it grows from 0 to 1.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import models
        >>> reversal, x = models.GradientReversal(0.5), tf.constant([3.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = reversal(x) ** 2
        >>> float(y[0]), float(tape.gradient(y, x)[0])
        (9.0, -3.0)
    """

    def __init__(self, factor: float = 1.0, **options: Any):
        """Configures it.

        Args:
            factor: its value until another is assigned, at least 0.
            **options: of a Keras layer.
        """
        super().__init__(**options)
        if not (math.isfinite(factor) and factor >= 0):
            raise ValueError(
                f"`factor` must be finite and at least 0. Received: factor={factor}."
            )
        self._initial = float(factor)

    def build(self, input_shape: Any) -> None:
        """Makes the factor."""
        self.factor = self.add_weight(
            name="factor",
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(self._initial),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",  # all devices assign the same
        )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """The inputs, bit for bit."""
        factor = tf.convert_to_tensor(self.factor)

        @tf.custom_gradient
        def reverse(x: tf.Tensor) -> tuple:
            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                return -tf.cast(factor, upstream.dtype) * upstream

            return tf.identity(x), gradient

        return reverse(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {**super().get_config(), "factor": self._initial}
