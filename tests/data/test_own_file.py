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


def test_upper_case_suffix_is_read(tmp_path):
    path = _write(tmp_path, images=GREYS).rename(tmp_path / "MINE.NPZ")
    np.testing.assert_array_equal(data.load(path, "train").images, GREYS)
    assert list(data.splits(path)) == ["train"]


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    _write(tmp_path, images=GREYS)
    np.testing.assert_array_equal(data.load("~/mine.npz", "train").images, GREYS)
    assert list(data.splits("~/mine.npz")) == ["train"]


# --- the classes are the labels that occur


def test_years_are_ten_classes_over_both_splits(tmp_path):
    years = np.arange(1990, 2000)
    path = _write(
        tmp_path,
        images=GREYS.repeat(3, axis=0)[:9],
        labels=years[8::-1],
        test_images=GREYS[:1],
        test_labels=years[9:],
    )
    train, test = data.load(path, "train"), data.load(path, "test")
    assert train.class_names == test.class_names == tuple(map(str, years))
    np.testing.assert_array_equal(train.labels, np.arange(8, -1, -1))
    np.testing.assert_array_equal(test.labels, [9])
    assert train.labels.dtype == test.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        (LABELS + 1, ("1", "2", "3"), LABELS),
        (LABELS - 2, ("-2", "-1", "0"), LABELS),
        (LABELS + 10**12, tuple(str(10**12 + k) for k in range(3)), LABELS),
        (LABELS * 5, ("0", "5", "10"), LABELS),
        (np.array([7, 7, 7, 7]), ("7",), [0, 0, 0, 0]),
        (
            np.array([2**64 - 1, 0, 2**64 - 2, 0], np.uint64),
            ("0", "18446744073709551614", "18446744073709551615"),
            [2, 0, 1, 0],
        ),
    ],
)
def test_classes_are_numbered_in_order(tmp_path, labels, names, expected):
    found = data.load(_write(tmp_path, images=GREYS, labels=labels), "train")
    assert found.class_names == names
    np.testing.assert_array_equal(found.labels, expected)


def test_labels_of_two_kinds_of_integers_are_not_rounded(tmp_path):
    path = _write(
        tmp_path,
        images=GREYS,
        labels=np.array([2**60, 2**60 + 1, -1, 0]),
        test_images=GREYS[:1],
        test_labels=np.array([2**60 + 1], np.uint64),
    )
    found = data.load(path, "test")
    assert found.class_names == ("-1", "0", str(2**60), str(2**60 + 1))
    assert found.labels.tolist() == [3]


def test_classes_are_selected_by_the_numbers_of_the_file(tmp_path):
    path = _write(tmp_path, images=GREYS, labels=LABELS + 1990)
    found = data.load(path, "train", classes=[1992, 1990])
    assert found.class_names == ("1992", "1990")
    assert found.labels.tolist() == [1, 0, 1]


def test_another_split_need_not_be_whole(tmp_path):
    path = _write(tmp_path, images=GREYS, labels=LABELS, test_images=GREYS[..., 0])
    np.testing.assert_array_equal(data.load(path, "train").labels, LABELS)


# --- what is refused


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
            r"`images` must .*by images\[..., None\]. Received: shape=\(4, 8, 8\)",
        ),
        ({"images": GREYS[0, 0]}, r"`images` must .* 0\. Received: shape=\(8, 1\)"),
        (
            {"images": GREYS[:0], "labels": LABELS[:0]},
            r"`images` must .* 0\. Received: shape=\(0, 8, 8, 1\)",
        ),
        (
            {"images": GREYS.astype(np.int32)},
            r"`images` must .*by images.astype\(np.uint8\). Received: dtype=int32",
        ),
        (
            {"images": GREYS.astype(np.int32) - 1},
            r"`images` must .*by images.astype\(np.float32\). Received: dtype=int32",
        ),
        ({"images": GREYS > 5}, r"`images` must .*np.float32.*Received: dtype=bool"),
        ({"images": GREYS.astype(str)}, r"`images` must be uint8 .*dtype=<U3"),
        ({"images": GREYS / 255 + np.nan}, r"finite and within \[0, 1\]\. .*m nan"),
        ({"images": np.full(GREYS.shape, 1e300)}, r"within \[0, 1\]\. .*m 1e\+300"),
        ({"images": GREYS - 1.0}, r"within \[0, 1\]\. Received: minimum -1.0"),
        (
            {"images": GREYS.astype(np.float64)},
            r"`images` must .*; divide them by 255. Received: .*maximum 255",
        ),
        ({"images": GREYS, "labels": LABELS[:3]}, r"`labels` must hold .*=\(3,\)"),
        (
            {"images": GREYS, "labels": LABELS / 2},
            r"`labels` must be integers; .*np.unique\(.*Received: dtype=float64",
        ),
        (
            {"images": GREYS, "labels": LABELS / 1},
            r"`labels` must .*labels.astype\(np.int64\). Received: dtype=float64",
        ),
        ({"images": GREYS, "labels": LABELS > 0}, r"np.int64\). Received: dtype=bool"),
        (
            {"images": GREYS, "labels": np.array(["cat", "dog", "cat", "eel"])},
            r"`labels` must be integers; .*return_inverse=True\)\[1\].*dtype=<U3",
        ),
        (
            {"images": GREYS, "labels": np.eye(4)},
            r"`labels` must have .*by labels.argmax\(axis=1\).*shape=\(4, 4\)",
        ),
        (
            {"images": GREYS, "labels": LABELS[:, None]},
            r"`labels` must have .*by labels.ravel\(\). Received: shape=\(4, 1\)",
        ),
        (
            {
                "images": GREYS,
                "labels": LABELS,
                "test_images": GREYS,
                "test_labels": np.eye(4),
            },
            r"`test_labels` must have .*by labels.argmax",
        ),
        ({"images": GREYS, "labels": np.array(3)}, r"`labels` .* image\. .*=\(\)"),
        ({"images": np.array([None])}, "not a readable .npz file of plain arrays"),
        ({"x_train": GREYS, "y": LABELS}, "must hold .*Received: x_train, y"),
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


def test_more_classes_than_there_can_be_are_refused(tmp_path):
    images = np.zeros((65_537, 1, 1, 1), np.uint8)
    most = _write(tmp_path, images=images, labels=np.arange(65_537) // 2 * 2)
    assert len(data.load(most, "train").class_names) == 32_769
    path = _write(tmp_path, images=images, labels=np.arange(65_537))
    with pytest.raises(ValueError, match=r"at most 65,536 .*65,537 different"):
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
