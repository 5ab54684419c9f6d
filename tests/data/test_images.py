import numpy as np
import pytest

from tfsemae.data import Images, split_off

NAMES = ("zero", "one")


def _images(count=4, **changes):
    fields = {
        "images": np.zeros((count, 2, 3, 1), np.uint8),
        "labels": np.arange(count) % 2,
        "class_names": NAMES,
    }
    return Images(**{**fields, **changes})


def test_length_is_the_number_of_images():
    assert len(_images(4)) == 4


@pytest.mark.parametrize("shape", [(4, 2, 3), (2, 3), (4, 2, 3, 1, 1), (0, 2, 3, 1)])
def test_another_rank_or_nothing_at_all_is_refused(shape):
    with pytest.raises(ValueError, match=r"\[N, H, W, C\].*Received: shape="):
        _images(images=np.zeros(shape, np.uint8), labels=None)


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.bool_, np.complex64])
def test_another_dtype_is_refused(dtype):
    with pytest.raises(ValueError, match=r"uint8 .* or float32 .*Received: dtype="):
        _images(images=np.zeros((4, 2, 3, 1), dtype))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e-6, 1.0001, 255])
def test_one_bad_pixel_is_refused(value):
    images = np.full((4, 2, 3, 1), 0.5, np.float32)
    images[2, 1, 1, 0] = value
    with pytest.raises(ValueError, match=r"finite and within \[0, 1\]"):
        _images(images=images)


def test_both_ends_of_the_range_are_allowed():
    images = np.zeros((4, 2, 3, 1), np.float32)
    images[0] = 1
    assert _images(images=images).images is images


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(4, np.int32), "int64. Received: dtype=int32"),
        (np.zeros(4, np.float64), "int64. Received: dtype=float64"),
        (np.zeros(3, np.int64), r"each of the 4 images. Received: shape=\(3,\)"),
        (np.zeros((4, 1), np.int64), r"Received: shape=\(4, 1\)"),
        (np.array([0, 1, 2, 0]), "within 0 and 1, .* Received: 0 to 2"),
        (np.array([0, 1, -1, 0]), "within 0 and 1, .* Received: -1 to 1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        _images(labels=labels)


@pytest.mark.parametrize("count", [1, 3, 9])
def test_the_last_images_are_split_off(count):
    pixels = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    whole = Images(pixels, np.arange(10) % 2, NAMES)
    first, last = split_off(whole, count)
    np.testing.assert_array_equal(first.images, pixels[: 10 - count])
    np.testing.assert_array_equal(last.images, pixels[10 - count :])
    np.testing.assert_array_equal(first.labels, whole.labels[: 10 - count])
    np.testing.assert_array_equal(last.labels, whole.labels[10 - count :])
    assert first.class_names == last.class_names == NAMES


def test_splitting_needs_no_labels():
    first, last = split_off(_images(labels=None, class_names=()), 1)
    assert first.labels is None
    assert last.labels is None


@pytest.mark.parametrize("count", [-1, 0, 4, 5])
def test_a_split_that_leaves_nothing_is_refused(count):
    with pytest.raises(ValueError, match=f"of the 4 images. Received: count={count}"):
        split_off(_images(4), count)
