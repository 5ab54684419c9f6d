"""Networks that begin with the weights of earlier ones."""

import keras

from tfsemae.models.autoencoder import Autoencoder


def copy_weights(networks: Autoencoder, part: str, model_dir: str | None) -> None:
    """Gives a part the weights of that of an earlier run.

    Args:
        networks: whose part is changed in place.
        part: `encoder`, `decoder`, `log_variance` or `pixel_log_variance`.
        model_dir: the folder of the earlier run; None changes nothing.

    Raises:
        ValueError: if the earlier part has other shapes, or there is none.
    """
    if model_dir is None:
        return
    model, earlier = (
        getattr(each, part) for each in (networks, Autoencoder.load(model_dir))
    )
    if earlier is None and part == "pixel_log_variance":
        raise ValueError(
            f"--decoder_from={model_dir} has a decoder without variances of pixels, "
            "and this one has them. Name a run with --loss=normal_nll."
        )
    if earlier is None:
        raise ValueError(
            f"--encoder_from={model_dir} has a deterministic encoder, and this one is "
            "variational. Name a run with --variational, or train with "
            "--novariational."
        )
    # A decoder's weights have the same shapes at each size of the image.
    if _shapes(earlier) != _shapes(model):
        raise ValueError(
            f"--{part}_from={model_dir} has another {part} than this network, "
            f"{_ends(earlier)} in place of {_ends(model)}. Name a run with the same "
            "--model, --latent and size of images."
        )
    model.set_weights(earlier.get_weights())


def _ends(model: keras.Model) -> str:
    return f"from {model.input_shape[1:]} to {model.output_shape[1:]}"


def _shapes(model: keras.Model) -> list[tuple[int | None, ...]]:
    weights = [weight.shape for weight in model.weights]
    return [model.input_shape, model.output_shape, *weights]
