"""Keeping some of the classes: `data.select`, and `classes` of `data.load`."""

import numpy as np
import pytest

from tfsemae import data
from tfsemae.data import Images, select

NAMES = ("cat", "dog", "owl", "eel")
LABELS = np.array([3, 0, 1, 2, 0, 3, 1, 0])


@pytest.fixture
def images():
    """Eight images; the pixel of an image is its place."""
    pixels = np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1)
    return Images(pixels, LABELS, NAMES)


def _places(images):
    return images.images.ravel().tolist()


def test_order_is_kept_and_labels_are_renumbered_by_the_request(images):
    found = select(images, ["owl", "cat"])
    assert _places(found) == [1, 3, 4, 7]
    assert found.labels.tolist() == [1, 0, 1, 1]
    assert found.labels.dtype == np.int64
    assert found.class_names == ("owl", "cat")


@pytest.mark.parametrize("classes", [["2", "0"], ["owl", "0"], ["2", "cat"]])
def test_numbers_serve_as_well_and_the_names_are_kept(images, classes):
    found = select(images, classes)
    expected = select(images, ["owl", "cat"])
    assert _places(found) == _places(expected)
    assert found.labels.tolist() == expected.labels.tolist()
    assert found.class_names == ("owl", "cat")


@pytest.mark.parametrize("classes", [[2, 0], np.array([2, 0]), ("owl", 0)])
def test_numbers_need_not_be_text(images, classes):
    found = select(images, classes)
    assert _places(found) == [1, 3, 4, 7]
    assert found.class_names == ("owl", "cat")


@pytest.mark.parametrize("classes", ["01", "cat", ""])
def test_one_string_is_not_taken_letter_by_letter(images, classes):
    message = rf"a list such as \['0', '1'\].*Received: classes='{classes}'"
    with pytest.raises(ValueError, match=message):
        select(images, classes)
    with pytest.raises(ValueError, match=message):
        data.load("digits", "test", classes=classes)


def test_all_classes_in_their_order_change_nothing(images):
    found = select(images, NAMES)
    np.testing.assert_array_equal(found.images, images.images, strict=True)
    np.testing.assert_array_equal(found.labels, images.labels, strict=True)
    assert found.class_names == NAMES


def test_a_name_goes_before_a_number():
    # Class 0 is called "1": "1" is its name and not the second class.
    images = Images(np.zeros((3, 1, 1, 1), np.uint8), np.array([0, 1, 2]), tuple("102"))
    found = select(images, ["1", "2"])
    assert found.class_names == ("1", "2")
    assert found.labels.tolist() == [0, 1]


def test_a_selection_can_be_selected_from_again(images):
    found = select(select(images, ["owl", "cat", "dog"]), ["dog", "owl"])
    assert _places(found) == [2, 3, 6]
    assert found.labels.tolist() == [0, 1, 0]
    assert found.class_names == ("dog", "owl")


def test_float_pixels_stay_float():
    pixels = np.linspace(0, 1, 4, dtype=np.float32).reshape(4, 1, 1, 1)
    found = select(Images(pixels, np.array([0, 1, 2, 1]), tuple("abc")), ["b", "c"])
    np.testing.assert_array_equal(found.images, pixels[1:], strict=True)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["cat", "cow"], "Unknown class: .*cat, dog, owl, eel, .*0 to 3.*'cow'"),
        (["cat", "4"], "Unknown class: .*Received: '4'"),
        (["cat", "-1"], "Unknown class: .*Received: '-1'"),
        (["cat", "1.0"], "Unknown class: .*Received: '1.0'"),
        (["cat", ""], "Unknown class: .*Received: ''"),
        (["Cat", "dog"], "Unknown class: .*Received: 'Cat'"),
        (["cat"], "at least 2 classes, each once. Received: classes=cat"),
        ([], "at least 2 classes, each once. Received: classes="),
        (["cat", "cat"], "each once. Received: classes=cat,cat"),
        (["cat", "0"], "each once. Received: classes=cat,0"),
    ],
)
def test_classes_that_cannot_be_selected_are_refused(images, classes, message):
    with pytest.raises(ValueError, match=message):
        select(images, classes)


def test_a_class_without_images_is_named(images):
    without = Images(images.images, LABELS % 2, NAMES)
    with pytest.raises(ValueError, match="classes without images: owl, eel"):
        select(without, ["cat", "owl", "eel"])


def test_labels_are_needed(images):
    with pytest.raises(ValueError, match=r"needs a data set with labels.*classes=a,b"):
        select(Images(images.images, None, ()), ["a", "b"])


def test_load_selects():
    whole = data.load("digits", "test")
    found = data.load("digits", "test", classes=["7", 3])
    assert found.class_names == ("7", "3")
    kept = np.isin(whole.labels, [3, 7])
    np.testing.assert_array_equal(found.images, whole.images[kept])
    np.testing.assert_array_equal(found.labels, np.where(whole.labels[kept] == 7, 0, 1))


def test_load_keeps_all_by_default():
    for classes in ([], None, np.array([], np.int64)):
        assert len(data.load("digits", "test", classes=classes)) == 360


def test_load_refuses_an_unknown_class_of_an_own_file(images_file):
    with pytest.raises(ValueError, match=r"expected some of 0, 1, 2, 3, .*'airplane'"):
        data.load(str(images_file), "train", classes=["airplane", "0"])
