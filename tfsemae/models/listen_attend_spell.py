"""A small recogniser: a pyramid of recurrent layers listens, and letters attend."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import layers, ops

from tfsemae.models import spelling
from tfsemae.models.initializers import Kernels
from tfsemae.models.recogniser import Recogniser

_PAIRS = 2  # layers of the listener, of which each halves the number of frames
_STRIDE = 2**_PAIRS
_UNITS = 32  # of a recurrent layer of the listener, in each direction
_SPELLER = 64  # of the recurrent layer of the speller, and of keys and queries
_LETTER = 16  # numbers of an embedded letter
_LEAST_VARIANCE = 1e-4  # added before the root, whose slope at 0 has no bound


def build(
    image_shape: tuple[int, int, int], class_names: Sequence[str], *, seed: int
) -> Recogniser:
    """Builds a listener of two layers, and a speller that attends to its states.

    The listener puts frames together in pairs and gives them to a GRU of 32 units in
    each direction, twice, so that a state h_u stands for 4 frames. Of letter t

        s_t = GRU([letter t - 1, c_(t-1)], s_(t-1))
        c_t = sum_u a_tu h_u,  a_t = softmax_u(query(s_t) . key(h_u))
        y_t = softmax(dense([s_t, c_t]))

    with s_0 = c_0 = 0. A state all of whose frames are 0 is padding: it is neither
    listened to nor attended to. The features are mean and standard deviation of the
    states, entry by entry, normalised over the batch: an adversary of numbers that
    hardly vary would find nothing in them, and others would.

    89,838 trained weights for 36 bins and 13 letters.

    Args:
        image_shape: (H, W, C), the time along H, a multiple of 4.
        class_names: of which each is spelled.
        seed: of the initial weights, Glorot-uniform; biases start at zero.

    Returns:
        The `Recogniser`; its features are `[B, 128]`.

    Raises:
        ValueError: if there are no class names, or the number of frames is another.

    Source: ECE 417, lecture 22; Chan et al. 2016, "Listen, attend and spell", with
    LSTM of 256 units; sizes and GRU are our choice.
    """
    if not class_names:
        raise ValueError(
            "listen_attend_spell needs the names of the classes; name a data set with "
            "labels. Received: class_names=()."
        )
    if image_shape[0] % _STRIDE:
        raise ValueError(
            f"listen_attend_spell takes a number of frames that is a multiple of "
            f"{_STRIDE}. Received: image_shape={image_shape}."
        )
    kernels = Kernels("glorot_uniform", seed)
    listener = _listener(image_shape, kernels)
    letters, length = spelling.alphabet(class_names), max(map(len, class_names)) + 1
    parts = _Speller.make(len(letters) + 1, kernels)
    speller = parts.model(tuple(listener.output["states"].shape[1:]), length)
    return Recogniser(listener, speller, tuple(class_names))


def _listener(image_shape: tuple[int, int, int], kernels: Kernels) -> keras.Model:
    image = keras.Input(image_shape, name="image")
    x = image
    for number in range(1, _PAIRS + 1):
        count = image_shape[0] // 2**number
        x = layers.Reshape((count, -1), name=f"pairs{number}")(x)
        there, back = (
            _recurrent(kernels, f"{name}{number}", go_backwards=name == "back")
            for name in ("there", "back")
        )
        both = layers.Bidirectional(there, backward_layer=back, name=f"listen{number}")
        present = _present(image, count)
        x = both(x, mask=present) * ops.expand_dims(ops.cast(present, "float32"), 2)
    # A momentum for trainings of a few hundred steps.
    normalised = layers.BatchNormalization(
        momentum=0.9, center=False, scale=False, name="features"
    )
    features = normalised(_moments(x, present))
    outputs = {"states": x, "present": present, "features": features}
    return keras.Model(image, outputs, name="listener")


def _recurrent(kernels: Kernels, name: str, *, go_backwards: bool) -> layers.GRU:
    # Glorot's initialiser finds the inputs by itself.
    return layers.GRU(
        _UNITS,
        return_sequences=True,
        go_backwards=go_backwards,
        kernel_initializer=kernels(1),
        recurrent_initializer=kernels(1),
        name=name,
    )


def _present(image: Any, count: int) -> Any:
    """Whether each of `count` parts has a pixel above 0: bool `[B, count]`."""
    return ops.max(layers.Reshape((count, -1))(image), axis=2) > 0


def _moments(states: Any, present: Any) -> Any:
    """Mean and standard deviation over the states that are present, side by side."""
    weights = ops.expand_dims(ops.cast(present, "float32"), 2)
    weights = weights / ops.maximum(ops.sum(weights, axis=1, keepdims=True), 1.0)
    mean = ops.sum(weights * states, axis=1, keepdims=True)
    variance = ops.sum(weights * ops.square(states - mean), axis=1)
    deviation = ops.sqrt(variance + _LEAST_VARIANCE)
    return ops.concatenate([ops.squeeze(mean, 1), deviation], axis=1)


class _Speller(NamedTuple):
    """The layers that all letters share."""

    letter: layers.Embedding
    cell: layers.GRUCell
    query: layers.Dense
    key: layers.Dense
    attention: layers.Softmax
    logits: layers.Dense

    @classmethod
    def make(cls, count: int, kernels: Kernels) -> "_Speller":
        """Args: count: of symbols. kernels: the initial ones."""

        def dense(units: int, name: str) -> layers.Dense:
            return layers.Dense(units, kernel_initializer=kernels(1), name=name)

        return cls(
            layers.Embedding(
                count, _LETTER, embeddings_initializer=kernels(1), name="letter"
            ),
            layers.GRUCell(
                _SPELLER,
                kernel_initializer=kernels(1),
                recurrent_initializer=kernels(1),
                name="spell",
            ),
            dense(_SPELLER, "query"),
            dense(_SPELLER, "key"),
            layers.Softmax(name="attention"),
            dense(count, "logits"),
        )

    def model(self, states_shape: tuple[int, int], length: int) -> keras.Model:
        """Args: states_shape: of the listener. length: of a spelling."""
        states = keras.Input(states_shape, name="states")
        present = keras.Input(states_shape[:1], dtype="bool", name="present")
        previous = keras.Input((length,), dtype="int32", name="previous")
        keys = self.key(states)
        across, heeded = ops.transpose(keys, (0, 2, 1)), ops.expand_dims(present, 1)
        context = ops.zeros_like(ops.max(states, axis=1))
        memory = ops.zeros_like(ops.max(keys, axis=1))
        logits, weights = [], []
        for letter in ops.split(self.letter(previous), length, axis=1):
            x = layers.Concatenate()([ops.squeeze(letter, 1), context])
            memory, _ = self.cell(x, [memory])
            query = ops.expand_dims(self.query(memory), 1)
            # The masks of keras.layers.Attention are broken in functional models of
            # Keras 3.11.
            weight = self.attention(ops.matmul(query, across), mask=heeded)
            context = ops.squeeze(ops.matmul(weight, states), 1)
            logits.append(self.logits(layers.Concatenate()([memory, context])))
            weights.append(weight)
        inputs = {"states": states, "present": present, "previous": previous}
        outputs = {
            "logits": ops.stack(logits, axis=1),
            "attention": ops.concatenate(weights, axis=1),
        }
        return keras.Model(inputs, outputs, name="speller")
