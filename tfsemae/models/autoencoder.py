"""An autoencoder as a set of functional Keras models."""

import dataclasses
import json
import pathlib

import keras

from tfsemae import files

_PARTS = ("encoder", "decoder", "classifier")
_DESCRIPTION = "autoencoder.json"


@dataclasses.dataclass(frozen=True)
class Autoencoder:
    """Encoder, decoder and, in a semantic autoencoder, a classifier of the latent.

    Attributes:
        encoder: float32 `[B, H, W, C]` in [0, 1] -> latent, `[B, Z]` or,
            where each channel has its own, `[B, C, Z]`.
        decoder: latent -> float32 `[B, H, W, C]` in [0, 1].
        classifier: latent -> logits `[B, K]`; None in a vanilla one.
        class_names: the K classes in the order of the logits; empty without.
    """

    encoder: keras.Model
    decoder: keras.Model
    classifier: keras.Model | None = None
    class_names: tuple[str, ...] = ()

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the images it takes and gives."""
        return tuple(self.encoder.input_shape[1:])

    def joint(self) -> keras.Model:
        """The network that is trained: one input, a dictionary of outputs.

        Returns:
            A functional model image -> {"reconstruction": `[B, H, W, C]`} and,
            with a classifier, "logits": `[B, K]`. It shares the weights.
        """
        image = keras.Input(self.image_shape, name="image")
        latent = self.encoder(image)
        outputs = {"reconstruction": self.decoder(latent)}
        if self.classifier is not None:
            outputs["logits"] = self.classifier(latent)
        return keras.Model(image, outputs, name="autoencoder")

    def save(self, model_dir: files.PathLike) -> None:
        """Writes each part as a `.keras` file, then `autoencoder.json`.

        Args:
            model_dir: made if it is missing; parts of an earlier save are
                replaced one by one, the description last.
        """
        folder = pathlib.Path(model_dir)
        parts = [name for name in _PARTS if getattr(self, name) is not None]
        for name in parts:
            with files.replacing(folder / f"{name}.keras") as path:
                getattr(self, name).save(path)
        files.write_json(
            folder / _DESCRIPTION,
            {
                "parts": parts,
                "image_shape": list(self.image_shape),
                "class_names": list(self.class_names),
            },
        )

    @classmethod
    def load(cls, model_dir: files.PathLike) -> "Autoencoder":
        """Reads what `save` wrote.

        Args:
            model_dir: the folder.

        Returns:
            The autoencoder, with equal weights; it is not compiled.

        Raises:
            ValueError: if the folder holds no finished model or a damaged one.
        """
        folder = pathlib.Path(model_dir)
        try:
            description = json.loads((folder / _DESCRIPTION).read_text("utf-8"))
            parts = {
                name: keras.saving.load_model(folder / f"{name}.keras", compile=False)
                for name in description["parts"]
            }
            return cls(**parts, class_names=tuple(description["class_names"]))
        except FileNotFoundError as error:
            raise ValueError(
                f"There is no finished model in {folder}: {error.filename or error} "
                "is missing. Name the --output_dir of a finished training run."
            ) from error
        except Exception as error:  # zipfile, h5py and Keras raise many of their own
            raise ValueError(
                f"The model in {folder} is damaged ({error}). Train it again, or "
                "run the training command again to finish it."
            ) from error
