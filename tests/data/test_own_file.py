import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfsemae import data

GREYS = np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8, 1)
LABELS = np.array([0, 2, 1, 0])


def _write(tmp_path, **arrays):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    return path


def test_whole_numbers_stay_as_they_are(tmp_path):
    path = _write(tmp_path, images=GREYS, labels=LABELS.astype(np.uint8))
    found = data.load(path, "train")
    np.testing.assert_array_equal(found.images, GREYS)
    assert found.images.dtype == np.uint8
    np.testing.assert_array_equal(found.labels, LABELS)
    assert found.labels.dtype == np.int64
    assert found.class_names == ("0", "1", "2")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_fractions_are_not_rounded_to_grey_levels(tmp_path, dtype):
    images = np.linspace(0, 1, GREYS.size, dtype=dtype).reshape(GREYS.shape)
    found = data.load(str(_write(tmp_path, images=images)), "train")
    assert found.images.dtype == np.float32
    np.testing.assert_array_equal(found.images, images.astype(np.float32))
    assert found.labels is None
    assert found.class_names == ()


def test_test_arrays_serve_the_test_split_with_the_same_classes(tmp_path):
    path = _write(
        tmp_path,
        images=GREYS,
        labels=LABELS,
        test_images=GREYS[:2] + 1,
        test_labels=LABELS[:1].repeat(2),
    )
    found = data.load(path, "test")
    np.testing.assert_array_equal(found.images, GREYS[:2] + 1)
    np.testing.assert_array_equal(found.labels, [0, 0])
    # Class 2 occurs in the training labels only.
    assert found.class_names == ("0", "1", "2")


@pytest.mark.parametrize("split", ["test", "validation", ""])
def test_a_missing_split_names_those_there_are(tmp_path, split):
    path = _write(tmp_path, images=GREYS)
    with pytest.raises(ValueError, match=rf"\['train'\].*Received: split='{split}'"):
        data.load(path, split)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"images": GREYS[..., 0]},
            r"images\[..., None\]. Received: shape=\(4, 8, 8\)",
        ),
        ({"images": GREYS.astype(np.int32)}, "Received: dtype=int32"),
        ({"images": GREYS / 255 + np.nan}, "maximum nan"),
        ({"images": GREYS.astype(np.float64)}, r"\[0, 1\]. Received: .*maximum 255"),
        ({"images": np.full(GREYS.shape, 1e300)}, "maximum inf"),
        ({"images": GREYS, "labels": LABELS[:3]}, r"Received: shape=\(3,\)"),
        ({"images": GREYS, "labels": LABELS / 2}, "whole numbers. .*dtype=float64"),
        ({"images": GREYS, "labels": LABELS - 1}, "Received: -1 to 1"),
        ({"images": GREYS, "labels": LABELS + 10**12}, "from 0, at most 65,536"),
        (
            {"images": GREYS[:0], "labels": LABELS[:0]},
            r"Received: shape=\(0, 8, 8, 1\)",
        ),
        ({"images": np.array([None])}, "not a readable .npz file of plain arrays"),
    ],
)
def test_what_is_not_described_is_refused_in_one_line(tmp_path, arrays, message):
    path = _write(tmp_path, **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        data.load(path, "train")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path):
    with pytest.raises(ValueError, match=r"no such file. Received: name=.*none\.npz"):
        data.load(tmp_path / "none.npz", "train")


def test_what_is_no_npz_file_is_refused(tmp_path):
    path = tmp_path / "mine.npz"
    for content in (b"", b"PK\x03\x04", b"neither zip nor array"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"not a readable \.npz"):
            data.load(path, "train")
    with path.open("wb") as stream:
        np.save(stream, GREYS)  # one array, not an archive of them
    with pytest.raises(ValueError, match=r"not a readable \.npz"):
        data.load(path, "train")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_file_never_gives_other_images(tmp_path_factory, draws):
    folder = tmp_path_factory.mktemp("damaged")
    whole = _write(folder, images=GREYS, labels=LABELS)
    content = bytearray(whole.read_bytes())
    if draws.draw(st.booleans()):
        content = content[: draws.draw(st.integers(0, len(content) - 1))]
    else:
        content[draws.draw(st.integers(0, len(content) - 1))] ^= draws.draw(
            st.integers(1, 255)
        )
    whole.write_bytes(content)
    try:
        found = data.load(whole, "train")
    except ValueError:
        return
    # A damaged time stamp, for one, does no harm; in a damaged table of contents
    # the labels may be missing.
    np.testing.assert_array_equal(found.images, GREYS)
    assert found.labels is None or np.array_equal(found.labels, LABELS)
