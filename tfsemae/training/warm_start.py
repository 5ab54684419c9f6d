"""Networks that begin with the weights of earlier ones."""

import keras

from tfsemae.models.autoencoder import Autoencoder


def copy_weights(networks: Autoencoder, part: str, model_dir: str | None) -> None:
    """Gives a part the weights of that of an earlier run.

    Args:
        networks: whose part is changed in place.
        part: `encoder` or `decoder`.
        model_dir: the folder of the earlier run; None changes nothing.

    Raises:
        ValueError: if the earlier part has other shapes.
    """
    if model_dir is None:
        return
    model, earlier = (
        getattr(each, part) for each in (networks, Autoencoder.load(model_dir))
    )
    # A decoder's weights have the same shapes at each size of the image.
    if _shapes(earlier) != _shapes(model):
        raise ValueError(
            f"--{part}_from={model_dir} has another {part} than this network, whose "
            f"input is {model.input_shape[1:]} and output {model.output_shape[1:]}. "
            "Name a run with images of the same size and channels."
        )
    model.set_weights(earlier.get_weights())


def _shapes(model: keras.Model) -> list[tuple[int | None, ...]]:
    weights = [weight.shape for weight in model.weights]
    return [model.input_shape, model.output_shape, *weights]
