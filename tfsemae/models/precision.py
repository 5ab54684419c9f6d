"""Copies of networks that compute in float64."""

import textwrap
from typing import Any

import keras

from tfsemae import keras_state

_FLOATS = ("float32", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


@keras_state.standard()
def float64_copy(model: keras.Model) -> keras.Model:
    """Copies a network with weights, inputs and computation in float64.

    For solvers that stop at differences which float32 does not resolve, such as those
    of SciPy, or for differences of a function. Gradients with respect to the input are
    float64 as well.

    Args:
        model: functional or `Sequential`, of any inputs and outputs; models may be
            nested and layers shared. It is not changed, and later changes of its
            weights do not reach the copy.

    Returns:
        A functional model of the same function up to rounding: float64 where the
        original is floating, other types as they are. It is not compiled.

    Raises:
        ValueError: if it is no such model, or a layer cannot be copied: it cannot be
            made again from its `get_config`, as a `Lambda` of a lambda expression, or
            it gives float32 whatever its dtype is. What a custom layer computes in
            float32 inside, and then casts, is not noticed.

    Example:
        >>> import keras
        >>> from tfsemae import models
        >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> copy = models.float64_copy(network)
        >>> copy.outputs[0].dtype, network.outputs[0].dtype
        ('float64', 'float32')
    """
    if not _has_graph(model):
        raise ValueError(
            "`model` must be a functional Keras model. Wrap it: image = "
            "keras.Input(shape); model = keras.Model(image, model(image)). "
            f"Received: {type(model).__name__}."
        )
    # Layers that a custom layer makes without a dtype of their own.
    keras.config.set_dtype_policy("float64")
    copier = _Copier()
    copy = copier.model(model)
    copier.copy_weights()
    return copy


def _has_graph(layer: Any) -> bool:
    # A subclass has no such attributes, nor has a Sequential that is not built.
    return isinstance(layer, keras.Model) and all(
        hasattr(layer, name) for name in ("inputs", "outputs")
    )


class _Copier:
    """Copies each layer once, so that those that are shared stay so."""

    def __init__(self) -> None:
        self._copies: dict[int, Any] = {}  # by `id` of the original
        self._pairs: list[tuple[Any, Any]] = []  # originals, which live as long

    def model(self, model: keras.Model) -> keras.Model:
        """A model, with initial weights."""
        if isinstance(model, keras.Sequential):
            x = given = _input(model.inputs[0])
            for layer in model.layers:
                x = _called(self._copy(layer), x)
            return keras.Model(given, x, name=model.name)
        # Without what it is compiled with, which would be copied as well.
        graph = keras.Model(model.input, model.output, name=model.name)
        return keras.models.clone_model(
            graph,
            input_tensors=keras.tree.map_structure(_input, model.input),
            clone_function=self._copy,
            call_function=_called,
        )

    def copy_weights(self) -> None:
        """Gives the copies the weights of the originals."""
        for layer, copy in self._pairs:
            try:
                copy.set_weights(layer.get_weights())
            except ValueError as error:
                raise _refusal(layer, error) from error
            if isinstance(copy, keras.layers.Normalization):
                copy.finalize_state()  # computes mean and variance of its weights

    def _copy(self, layer: Any) -> Any:
        """A layer, a nested model, or an operation such as a sum."""
        if id(layer) not in self._copies:
            copy = self.model(layer) if _has_graph(layer) else _made_again(layer)
            self._copies[id(layer)] = copy
            if isinstance(layer, keras.Layer) and not _has_graph(layer):
                self._pairs.append((layer, copy))
        return self._copies[id(layer)]


def _input(tensor: keras.KerasTensor) -> keras.KerasTensor:
    dtype = "float64" if tensor.dtype in _FLOATS else tensor.dtype
    return keras.Input(batch_shape=tensor.shape, dtype=dtype, name=tensor.name)


def _made_again(layer: Any) -> Any:
    try:
        return type(layer).from_config(_in_float64(layer.get_config()))
    except Exception as error:  # constructors of others raise what they like
        raise _refusal(layer, error) from error


def _in_float64(config: Any) -> Any:
    """A configuration whose floating dtypes are float64, also of layers within."""
    if isinstance(config, list | tuple):
        return type(config)(_in_float64(value) for value in config)
    if not isinstance(config, dict):
        return config
    found = {}
    for name, value in config.items():
        dtype = value
        if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
            dtype = value["config"]["name"]
        is_float = name == "dtype" and isinstance(dtype, str) and dtype in _FLOATS
        found[name] = "float64" if is_float else _in_float64(value)
    return found


def _called(copy: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        outputs = copy(*args, **kwargs)
    except Exception as error:  # of layers of others
        raise _refusal(copy, error) from error
    for tensor in keras.tree.flatten(outputs):
        if getattr(tensor, "dtype", None) in _FLOATS:
            raise _refusal(copy, f"it gives {tensor.dtype} whatever its dtype is.")
    return outputs


def _refusal(layer: Any, reason: object) -> ValueError:
    text = textwrap.shorten(str(reason), 300, placeholder=" ...")
    return ValueError(
        f"`model` has the layer {layer.name!r} ({type(layer).__name__}), which cannot "
        f"be copied in float64: {text}"
    )
