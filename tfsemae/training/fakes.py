"""Fakes of labelled images: changed copies with the labels of the originals."""

import numpy as np
import tensorflow as tf
from scipy import special

from tfsemae import data
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier
from tfsemae.models.gan import Gan
from tfsemae.training.settings import Fakes

SHIFT = 2  # pixels, at most, to each side
_BATCH = 500


def labelled(images: data.Images, count: int | None, seed: int) -> data.Images:
    """The images whose labels a training may know: so many of each class.

    Args:
        images: with labels.
        count: of each class; None for all.
        seed: which ones.

    Raises:
        ValueError: if a class has fewer images.
    """
    if count is None:
        return images
    assert images.labels is not None  # of a classifier
    order = np.random.default_rng([seed, 0]).permutation(len(images))
    found = images.labels[order]
    places = [order[found == label][:count] for label in np.unique(found)]
    if min(map(len, places)) < count:
        raise ValueError(
            f"--labelled_per_class={count} or --gan_labelled_per_class={count} is more "
            f"than a class has: {min(map(len, places))} images. Lower it."
        )
    return data.take(images, np.sort(np.concatenate(places)))


def make(images: data.Images, chosen: Fakes, seed: int) -> data.Images:
    """Fakes of images, with their labels; those that the judge refuses are left out.

    Args:
        images: with labels.
        chosen: which fakes, how many of each image, and the judge.
        seed: of what is drawn.

    Returns:
        The fakes, of the type of the images: of the first image all that are kept,
        then those of the second.

    Raises:
        ValueError: if none is kept, or a network does not fit the images.
    """
    assert images.labels is not None  # of a classifier
    places = np.repeat(np.arange(len(images)), chosen.fakes_per_image)
    originals = data.take(images, places)
    makers = {"shift": _shifted, "vae": _decoded, "cgan": _generated}
    pixels = makers[str(chosen.fakes)](originals, chosen, seed)
    kept = _kept(pixels, originals.labels, chosen)
    if not kept.any():
        raise ValueError(
            f"--fakes_judge={chosen.fakes_judge} keeps none of {len(kept)} fakes. "
            f"Lower --fakes_least. Received: --fakes_least={chosen.fakes_least}."
        )
    if images.images.dtype == np.uint8:
        pixels = np.rint(255 * pixels).astype(np.uint8)
    return data.Images(pixels[kept], originals.labels[kept], images.class_names)


def learnt(images: data.Images, chosen: Fakes, seed: int) -> data.Images:
    """What a training sees: the labelled images, and their fakes.

    Args:
        images: the training split.
        chosen: which fakes; none by default.
        seed: of the run.

    Source: ECE 417, lecture 22, data augmentation: fakes have the label of their
    original, and a network is trained again on both.
    """
    known = labelled(images, chosen.labelled_per_class, seed)
    if chosen.fakes is None:
        return known
    fakes = make(known, chosen, seed)
    return data.Images(
        np.concatenate([known.images, fakes.images]),
        np.concatenate([known.labels, fakes.labels]),
        images.class_names,
    )


def _shifted(images: data.Images, chosen: Fakes, seed: int) -> np.ndarray:
    """Moves each image by up to 2 pixels; what comes in is black."""
    pixels = data.pixels(images)
    moves = np.random.default_rng([seed, 1]).integers(
        -SHIFT, SHIFT, size=(len(pixels), 2), endpoint=True
    )
    height, width = pixels.shape[1:3]
    padded = np.pad(pixels, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    return np.stack(
        [
            image[SHIFT - down :][:height, SHIFT - right :][:, :width]
            for image, (down, right) in zip(padded, moves, strict=True)
        ]
    )


def _decoded(images: data.Images, chosen: Fakes, seed: int) -> np.ndarray:
    """g(z) with z ~ N(mu, s^2 Sigma) of the posterior of each image."""
    assert chosen.fakes_from is not None  # checked
    network = Autoencoder.load(chosen.fakes_from)
    pixels = data.pixels(images)
    _check_shape(network, images, chosen)
    found = network.posterior().predict(pixels, batch_size=_BATCH, verbose=0)
    normal = _normal(*found["mean"].shape, seed=seed)
    deviation = np.exp(found["log_variance"] / 2)
    z = found["mean"] + np.float32(chosen.fakes_scale) * deviation * normal
    decoded = network.decoder.predict(z, batch_size=_BATCH, verbose=0)
    return np.clip(decoded, 0, 1)


def _generated(images: data.Images, chosen: Fakes, seed: int) -> np.ndarray:
    """g(z, label) with z ~ N(0, I): of each image only the label is used."""
    assert chosen.fakes_from is not None  # checked
    network = Gan.load(chosen.fakes_from)
    _check_shape(network, images, chosen)
    if network.classes != len(images.class_names):
        raise ValueError(
            f"--fakes_from={chosen.fakes_from} is given {network.classes} classes, and "
            f"the data set has {len(images.class_names)}. Name the --output_dir of a "
            "training with --gan_labelled_per_class on this data set."
        )
    z = _normal(len(images), network.latent, seed=seed)
    given = np.asarray(network.given(z, images.labels))
    return network.generator.predict(given, batch_size=_BATCH, verbose=0)


def _normal(count: int, size: int, *, seed: int) -> np.ndarray:
    key = tf.constant([seed, 2], tf.int64)
    return tf.random.stateless_normal([count, size], key, alg="philox").numpy()


def _check_shape(
    network: Autoencoder | Gan, images: data.Images, chosen: Fakes
) -> None:
    shape = images.images.shape[1:]
    if network.image_shape != shape:
        raise ValueError(
            f"--fakes_from={chosen.fakes_from} has images of the shape "
            f"{network.image_shape}, and the data set {shape}. Name a network of this "
            "data set."
        )


def _kept(pixels: np.ndarray, labels: np.ndarray | None, chosen: Fakes) -> np.ndarray:
    """Whether the judge gives a fake its label, with enough probability, `[N]`."""
    if chosen.fakes_judge is None:
        return np.ones(len(pixels), bool)
    judge = Classifier.load(chosen.fakes_judge).network
    logits = judge.predict(pixels, batch_size=_BATCH, verbose=0)
    answers = special.softmax(logits.astype(np.float64), axis=1)
    return answers[np.arange(len(answers)), labels] >= chosen.fakes_least
