import math

import keras
import numpy as np
import pytest

from tfsemae import evaluation
from tfsemae.data import Images
from tfsemae.models.autoencoder import Autoencoder

SHAPE = (12, 12, 1)
CLASSES = ("left", "right")


def _autoencoder(shape=SHAPE, classes=()):
    """The identity, with a classifier where there are classes."""
    image, latent = keras.Input(shape), keras.Input((math.prod(shape),))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    decoder = keras.Model(latent, keras.layers.Reshape(shape)(latent))
    if not classes:
        return Autoencoder(encoder, decoder)
    classifier = keras.Model(latent, keras.layers.Dense(len(classes))(latent))
    return Autoencoder(encoder, decoder, classifier, classes)


def _images(count, labels="both", shape=SHAPE, class_names=CLASSES):
    images = np.zeros((count, *shape), np.uint8)
    if labels is None:
        return Images(images, None, ())
    labels = np.arange(count) % 2 if labels == "both" else np.asarray(labels)
    return Images(images, labels, class_names)


@pytest.mark.parametrize("shape", [(12, 12, 3), (16, 12, 1), (12, 16, 1)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"takes images of shape \(12, 12, 1\), but"):
        evaluation.check(_autoencoder(), _images(40, shape=shape), _images(40))


def test_other_classes_are_refused():
    many = _images(40, class_names=("a", "b", "c"))
    with pytest.raises(ValueError, match="knows 2 classes, but the data set has 3"):
        evaluation.check(_autoencoder(classes=CLASSES), many, many)
    # Without a classifier their number is of no matter.
    evaluation.check(_autoencoder(), many, many)


def test_the_same_classes_in_another_order_are_refused():
    # Their logits would be taken for each other's.
    swapped = _images(40, class_names=CLASSES[::-1])
    network = _autoencoder(classes=CLASSES)
    with pytest.raises(
        ValueError, match=r"in the order left,right.*Received: classes=right,left"
    ):
        evaluation.check(network, swapped, swapped)
    evaluation.check(_autoencoder(), swapped, swapped)
    renamed = _images(40, class_names=("a", "b"))
    evaluation.check(network, renamed, renamed)


def test_images_that_cannot_be_drawn_are_refused():
    shape = (12, 12, 2)
    images = _images(40, shape=shape)
    with pytest.raises(ValueError, match=r"of 1 channel or 3 can be drawn, .* has 2"):
        evaluation.check(_autoencoder(shape), images, images)


def test_images_smaller_than_the_window_of_ssim_are_refused_by_attacks_alone():
    shape = (8, 12, 1)
    images = _images(40, shape=shape)
    evaluation.check(_autoencoder(shape), images, images)
    with pytest.raises(ValueError, match=r"at least 11 x 11 pixels.*\(8, 12, 1\)"):
        evaluation.check_images(_autoencoder(shape), images)


def test_labels_of_one_split_only_are_refused():
    with pytest.raises(ValueError, match="labels in one split only"):
        evaluation.check(_autoencoder(), _images(40), _images(40, None))


@pytest.mark.parametrize(
    ("images", "reference", "received"),
    [
        (_images(30), _images(40), "30 images of 2 classes"),
        (_images(40), _images(9), "9 images of 2 classes"),
        (_images(40, [1] * 40), _images(40), "40 images of 1 class"),
        (_images(40), _images(40, [0] * 40), "40 images of 1 class"),
    ],
)
def test_too_few_for_the_measures_of_the_latent_are_refused(
    images, reference, received
):
    message = f"at least 31 .*Leave the labels out.*Received: {received}"
    with pytest.raises(ValueError, match=message):
        evaluation.check(_autoencoder(), images, reference)


def test_fewest_that_can_be_measured():
    evaluation.check(_autoencoder(), _images(31), _images(10))


def test_any_labels_will_do_where_classes_are_not_measured():
    evaluation.check(_autoencoder(), _images(3), _images(3, None), classes=False)


def test_without_labels_a_single_image_will_do():
    evaluation.check(_autoencoder(), _images(1, None), _images(1, None))


def test_nothing_is_written_before_the_check(tmp_path):
    with pytest.raises(ValueError, match="at least 31"):
        evaluation.evaluate(
            _autoencoder(), _images(30), _images(40), output_dir=tmp_path, seed=0
        )
    assert not list(tmp_path.iterdir())
