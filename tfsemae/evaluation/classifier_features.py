"""Distances of sets of images in the features of a classifier of this repository.

They stand in for FID and the Inception Score where the weights of the Inception network
are missing, under names of their own: numbers of other classifiers, or those of papers,
cannot be compared with them.
"""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from tfsemae import data, files, metrics, run_folder, tensor_checks
from tfsemae.evaluation import image_sets
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier
from tfsemae.progress import note
from tfsemae.tensor_checks import TensorLike

_SPLITS = 10  # of the score, as the Inception Score has


class ClassifierFeatures:
    """What a classifier says of images: features `[B, D]` and probabilities `[B, K]`.

    One trace serves all batches. Called with images it gives their features, so that it
    is an argument of `metrics.fid`.

    Attributes:
        classifier: the network.
        accuracy: of the classifier on its test set, in [0, 1]; None if unknown.
    """

    def __init__(self, classifier: Classifier, accuracy: float | None = None):
        """Takes a trained classifier; see the class for the arguments."""
        self.classifier, self.accuracy = classifier, accuracy
        joint = classifier.joint()
        images = tf.TensorSpec((None, *classifier.image_shape), tf.float32)
        self._outputs = tf.function(
            lambda pixels: joint(pixels, training=False),
            input_signature=[images],
            autograph=False,
        )

    @classmethod
    def load(cls, classifier_dir: files.PathLike) -> "ClassifierFeatures":
        """Reads the classifier of a training run and its accuracy.

        Args:
            classifier_dir: the `--output_dir` of the training.

        Raises:
            ValueError: if there is no finished run of a classifier.
        """
        classifier = Classifier.load(classifier_dir)
        accuracy = run_folder.read_metrics(classifier_dir).get("accuracy")
        return cls(classifier, accuracy)

    def __call__(self, images: TensorLike) -> tf.Tensor:
        """Features float32 `[B, D]` of images floating `[B, H, W, C]` in [0, 1].

        Raises:
            ValueError: if the type or the rank is another.
        """
        return self._of(images)["features"]

    def _of(self, images: TensorLike) -> dict[str, tf.Tensor]:
        return self._outputs(tensor_checks.images("images", images))

    def moments_of(
        self, batches: Iterable[TensorLike], *, output: str = "features"
    ) -> metrics.Moments:
        """Mean and covariance of the features of images.

        Args:
            batches: floating `[B, H, W, C]` in [0, 1] each.
            output: `features`, or `logits`, of which there are fewer: a covariance of
                N examples has a rank below N.
        """
        moments = metrics.Moments()
        for images in batches:
            moments.update(self._of(images)[output])
        return moments

    def moments_and_score_of(
        self, batches: Iterable[TensorLike]
    ) -> tuple[metrics.Moments, metrics.Score]:
        """Those of `moments_of`, and the score over 10 splits, in one pass.

        Args:
            batches: as in `moments_of`; at least 10 images.
        """
        moments, score = metrics.Moments(), metrics.ClassifierScore(_SPLITS)
        for images in batches:
            outputs = self._of(images)
            moments.update(outputs["features"])
            logits = tf.cast(outputs["logits"], tf.float64)
            score.update(tf.nn.softmax(logits))
        return moments, score.result()

    def described(self) -> dict[str, Any]:
        """What is to be said beside its numbers: layer, width, accuracy, weights."""
        layer = self.classifier.features_layer
        return {
            "layer": layer,
            "features": self.classifier.network.get_layer(layer).output.shape[-1],
            "accuracy": self.accuracy,
            "weights": self.classifier.digest(),
        }

    def check(self, images: data.Images) -> None:
        """Raises ValueError if `measure` could not measure images."""
        expected, shape = self.classifier.image_shape, images.images.shape[1:]
        if shape != expected:
            raise ValueError(
                f"The classifier of --classifier_dir takes images of shape {expected}, "
                f"but the data set has {shape}. Name one that was trained on it."
            )
        if len(images) < _SPLITS:
            raise ValueError(
                f"--classifier_dir takes at least {_SPLITS} images to measure. "
                f"Received: {len(images)}."
            )


def measure(
    autoencoder: Autoencoder,
    features: ClassifierFeatures,
    images: data.Images,
    *,
    seed: int,
    prior: bool,
) -> dict[str, Any]:
    """Compares reconstructions and samples of an autoencoder with images.

    Args:
        autoencoder: to measure.
        features: in which it is measured.
        images: N of them, at least 10.
        seed: of the samples.
        prior: whether its latents were trained to be standard normal.

    Returns:
        `reconstruction_frechet_distance`, between the images and their reconstructions;
        `image_classifier_score`, of the images; with a prior
        `sample_frechet_distance`, between the images and N samples of the prior, and
        `sample_classifier_score` with `sample_classifier_score_deviation` over 10
        splits; `classifier_features`, what `ClassifierFeatures.described` gives, and
        N as `samples`. Distances are squared and biased upwards, the more the fewer
        images there are; see `metrics.frechet_distance_of`.

    Raises:
        ValueError: see `ClassifierFeatures.check`.

    Source: Heusel et al. 2017 and Salimans et al. 2016, in another network.
    """
    features.check(images)
    note("Comparing the images in the features of the classifier.")
    of_data = image_sets.of_data(images)
    of_images, image_score = features.moments_and_score_of(of_data)
    decoded = features.moments_of(image_sets.reconstructed(autoencoder, images))
    found = {
        "classifier_features": {**features.described(), "samples": len(images)},
        "reconstruction_frechet_distance": decoded.frechet_distance(of_images),
        "image_classifier_score": image_score.mean,
    }
    if prior:
        samples = image_sets.sampled(autoencoder, len(images), seed=seed)
        of_samples, score = features.moments_and_score_of(samples)
        found |= {
            "sample_frechet_distance": of_samples.frechet_distance(of_images),
            "sample_classifier_score": score.mean,
            "sample_classifier_score_deviation": score.deviation,
        }
    return found
