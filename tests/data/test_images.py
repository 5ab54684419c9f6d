import hashlib

import numpy as np
import pytest

from tfsemae.data import Images, binarize, pixels, split_off

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


# --- digest


def test_digest_is_that_of_the_bytes_by_hand():
    images = Images(
        np.array([[[[1], [2]]], [[[3], [255]]]], np.uint8), np.array([1, 0]), NAMES
    )
    content = (
        b'{"images": ["uint8", [2, 1, 2, 1]], "labels": true, '
        b'"class_names": ["zero", "one"]}\n'
        b"\x01\x02\x03\xff"
        b"\x01\0\0\0\0\0\0\0" + b"\0" * 8
    )
    assert images.digest() == hashlib.sha256(content).hexdigest()


def test_digest_of_fractions_without_labels_by_hand():
    images = Images(np.array([[[[0.5]]]], np.float32), None, ())
    content = (
        b'{"images": ["float32", [1, 1, 1, 1]], "labels": false, "class_names": []}\n'
        b"\0\0\0\x3f"  # 2**-1: sign 0, exponent 126, fraction 0
    )
    assert images.digest() == hashlib.sha256(content).hexdigest()


def _numbered():
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 2, 3, 1)
    return _images(images=pixels, labels=np.array([0, 1, 1, 0]))


def test_each_single_change_gives_another_digest():
    digests = [_numbered().digest()]
    for place in np.ndindex(4, 2, 3, 1):
        images = _numbered()
        images.images[place] ^= 1
        digests.append(images.digest())
    for place in range(4):
        images = _numbered()
        images.labels[place] ^= 1
        digests.append(images.digest())
    whole = _numbered()
    for names in [("zero", "One"), ("one", "zero"), (*NAMES, "two"), ("zero,one", "")]:
        digests.append(Images(whole.images, whole.labels, names).digest())
    digests.append(Images(whole.images, None, NAMES).digest())
    # The same bytes in another shape and in another dtype.
    swapped = whole.images.reshape(4, 3, 2, 1)
    digests.append(Images(swapped, whole.labels, NAMES).digest())
    floats = np.zeros((4, 2, 3, 1), np.float32)
    zeros = np.zeros((4, 2, 3, 4), np.uint8)
    digests += [_images(images=some).digest() for some in (floats, zeros)]
    assert len(set(digests)) == len(digests) == 1 + 24 + 4 + 4 + 1 + 1 + 2


def test_digest_does_not_depend_on_the_layout_in_memory():
    whole = _numbered()
    fortran = np.asfortranarray(whole.images)
    every_second = np.repeat(whole.images, 2, axis=0)[::2]
    for images in (fortran, every_second):
        assert Images(images, whole.labels, NAMES).digest() == whole.digest()


def test_digest_is_not_kept_from_before_a_change():
    images = _numbered()
    before = images.digest()
    images.images[0] = 9
    assert images.digest() != before


def test_pixels_are_a_share_of_255():
    images = _images(3, images=np.uint8([0, 51, 255]).reshape(3, 1, 1, 1))
    found = pixels(images, 2)
    assert found.dtype == np.float32
    # 51 = 255 / 5; the division is exact to the last digit of float32.
    np.testing.assert_array_equal(found.ravel(), np.float32([0, 0.2]))
    assert len(pixels(images)) == len(pixels(images, 9)) == 3


def test_pixels_that_are_floats_stay_as_they_are():
    images = np.full((2, 2, 3, 1), 0.3, np.float32)
    np.testing.assert_array_equal(pixels(_images(2, images=images)), images)


# --- binarize


@pytest.mark.parametrize(
    ("grey", "expected"),
    [
        (np.uint8([0, 1, 127, 128, 255]), np.uint8([0, 0, 0, 255, 255])),
        (np.float32([0, 0.25, 0.5, 0.50001, 1]), np.float32([0, 0, 0, 1, 1])),
    ],
)
def test_pixels_above_a_half_are_white(grey, expected):
    images = _images(5, images=np.tile(grey[:, None, None, None], (1, 2, 3, 1)))
    found = binarize(images)
    for row, value in zip(found.images, expected, strict=True):
        np.testing.assert_array_equal(row, np.full((2, 3, 1), value), strict=True)
    assert found.labels is images.labels
    assert found.class_names == images.class_names
    assert images.images[3, 0, 0, 0] == grey[3]  # as it was
    assert found.digest() != images.digest()
    assert binarize(found).digest() == found.digest()
