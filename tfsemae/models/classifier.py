"""A classifier of images, with the layer whose output are its features."""

import dataclasses
from collections.abc import Sequence

import keras

from tfsemae import files, keras_state
from tfsemae.models import verification
from tfsemae.models.networks import (
    checked_names,
    digest_of,
    load_model,
    model_ends,
    save_models,
    with_batch,
)


@dataclasses.dataclass(frozen=True)
class Classifier:
    """A functional or Sequential Keras model that classifies images.

    `of` makes one from a model that was built elsewhere.

    Attributes:
        network: float32 `[B, H, W, C]` in [0, 1] -> logits float32 `[B, K]`. There is
            no softmax in it: losses take `from_logits=True`.
        class_names: the K classes in the order of the logits.
        features_layer: name of the layer of `network` whose output `[B, D]` are the
            features, by which sets of images are compared.

    Raises:
        ValueError: if the network is not such a model, or has no such layer.
    """

    network: keras.Model
    class_names: tuple[str, ...]
    features_layer: str

    def __post_init__(self) -> None:
        """Refuses what the class does not describe."""
        object.__setattr__(self, "class_names", checked_names(self.class_names))
        image, logits = model_ends(self.network, "network", "image", "logits")
        if len(image) != 3:
            raise ValueError(
                "`network` must take images [B, H, W, C]; one channel is added by "
                f"keras.layers.Reshape. Received: input shape {with_batch(image)}."
            )
        if logits != (len(self.class_names),) or len(self.class_names) < 2:
            raise ValueError(
                "`network` must give logits [B, K], one for each of `class_names`, and "
                f"K at least 2. Received: output shape {with_batch(logits)}, "
                f"{len(self.class_names)} class names."
            )
        names = [layer.name for layer in self.network.layers]
        if self.features_layer not in names:
            raise ValueError(
                f"`features_layer` must be a layer of `network`: {', '.join(names)}. "
                f"Received: features_layer={self.features_layer!r}."
            )
        features = self.network.get_layer(self.features_layer).output
        if not isinstance(features, keras.KerasTensor) or len(features.shape) != 2:
            raise ValueError(
                "`features_layer` must be a layer with the output [B, D]. Received: "
                f"features_layer={self.features_layer!r} with {features}."
            )

    @classmethod
    def of(
        cls,
        network: keras.Model,
        class_names: Sequence[str] = (),
        *,
        features_layer: str | None = None,
    ) -> "Classifier":
        """Makes one from a Keras model that was built and trained elsewhere.

        Args:
            network: see the class.
            class_names: in the order of the logits; by default their numbers.
            features_layer: see the class; by default the last layer but one.

        Raises:
            ValueError: if the network is not as the class describes it.
        """
        names = checked_names(class_names)
        _, logits = model_ends(network, "network", "image", "logits")
        if not names:
            names = tuple(str(number) for number in range(logits[-1]))
        if features_layer is None:
            features_layer = network.layers[-2:][0].name
        return cls(network, names, features_layer)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of the images it takes."""
        return tuple(self.network.inputs[0].shape[1:])

    def digest(self) -> str:
        """The SHA-256 of all weights: 64 hexadecimal digits."""
        return digest_of([self.network])

    @keras_state.standard()
    def joint(self) -> keras.Model:
        """Features and logits, computed at once.

        Returns:
            A functional model image -> {"features": `[B, D]`, "logits": `[B, K]`}. It
            shares the weights.
        """
        outputs = {
            "features": self.network.get_layer(self.features_layer).output,
            "logits": self.network.outputs[0],
        }
        return keras.Model(self.network.inputs[0], outputs, name="joint")

    def save(self, model_dir: files.PathLike) -> None:
        """Writes `classifier.keras` and `classifier.json`.

        Args:
            model_dir: made if it is missing. An earlier save is replaced when
                all is written, the description with the digests last.

        Raises:
            OSError: if it cannot be written; an earlier save stays.
        """
        save_models(
            files.path(model_dir),
            verification.CLASSIFIER_DESCRIPTION,
            {"classifier": self.network},
            lambda digests: verification.ClassifierDescription(
                ("classifier",),
                self.image_shape,
                self.class_names,
                digests,
                self.digest(),
                self.features_layer,
            ),
        )

    @staticmethod
    def verify(model_dir: files.PathLike) -> None:
        """Checks that a folder holds what `save` wrote, without loading it.

        Args:
            model_dir: the folder.

        Raises:
            ValueError: if there is no finished model or a damaged one; the
                message names the file.
        """
        verification.verify_classifier(model_dir)

    @classmethod
    @keras_state.standard()
    def load(cls, model_dir: files.PathLike) -> "Classifier":
        """Reads what `save` wrote, after checking its digests.

        Args:
            model_dir: the folder, such as the `--output_dir` of a training.

        Returns:
            The classifier, with equal weights; it is not compiled.

        Raises:
            ValueError: if the folder holds no finished classifier or a damaged one,
                or one with custom layers that are not registered.
        """
        folder = files.path(model_dir)
        described = verification.verify_classifier(folder)
        network = load_model(folder / "classifier.keras")
        try:
            return cls(network, described.class_names, described.features_layer)
        except ValueError as error:
            raise ValueError(f"The model in {folder} does not fit: {error}") from error
