"""One Keras model, image to reconstruction, as an encoder and a decoder."""

from typing import Any

import keras


def split(model: keras.Model, latent_layer: str) -> tuple[keras.Model, keras.Model]:
    """The networks up to the layer that gives the latent, and from there on.

    They share the weights of the model.

    Args:
        model: functional or Sequential, image -> reconstruction.
        latent_layer: name of a layer of `model`, which may be a model itself.

    Raises:
        ValueError: if the model has no such layer or cannot be taken apart there.
    """
    listed = layers(model)
    names = [layer.name for layer in model.layers]
    if latent_layer not in names[:-1]:
        raise ValueError(
            f"--latent_layer={latent_layer} is no inner layer of the model. There are: "
            f"{listed}."
        )
    if isinstance(model, keras.Sequential):
        place = names.index(latent_layer) + 1
        image = keras.Input(model.input_shape[1:])
        encoder = keras.Sequential([image, *model.layers[:place]])
        latent = keras.Input(encoder.output_shape[1:])
        return encoder, keras.Sequential([latent, *model.layers[place:]])
    image, latent, shown = _called(model, latent_layer)
    try:
        return keras.Model(image, latent), keras.Model(latent, shown)
    except ValueError as error:
        raise ValueError(
            f"--latent_layer={latent_layer} is no bottleneck: the output of the model "
            "depends on other layers as well, for example by skip connections. Name "
            "another layer."
        ) from error


def layers(model: keras.Model) -> str:
    """The layers at which a model may be split, each with the shape of its output.

    Raises:
        ValueError: if it is neither functional nor Sequential.
    """
    # A subclass has no such attributes, nor has a Sequential that is not built.
    if not (hasattr(model, "inputs") and hasattr(model, "outputs")):
        raise ValueError(
            "Only functional and Sequential models are split at a layer. Save encoder "
            "and decoder as models of their own, and name both. Received: "
            f"{type(model).__name__}."
        )
    found = []
    for layer in model.layers[:-1]:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        shapes = [tensor.shape[1:] for tensor in keras.tree.flatten(layer.output)]
        sizes = " and ".join(" x ".join(map(str, shape)) for shape in shapes)
        found.append(f"{layer.name} ({sizes})")
    return ", ".join(found)


def _called(model: keras.Model, name: str) -> tuple[Any, Any, Any]:
    """Input, output of a layer, and output of a functional model.

    `layer.output` would be that of the first call, or of the inside of a model.
    """
    found = []

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        output = layer(*arguments, **options)
        if layer.name == name:
            found.append(output)
        return output

    same = keras.models.clone_model(
        model, clone_function=lambda layer: layer, call_function=call
    )
    if len(found) != 1:
        raise ValueError(
            f"--latent_layer={name} is called {len(found)} times. Name a layer that "
            "is called once."
        )
    return same.input, found[0], same.output
