import numpy as np
import pytest
import tensorflow_datasets as tfds

from tfsemae.data import Images, tfds_writing

NAMES = ("cat/kitten", "dog")


def _images(count=5, shape=(2, 3, 3), dtype=np.float32, labels=True):
    pixels = np.random.default_rng(0).random((count, *shape))
    pixels = (pixels * (255 if dtype == np.uint8 else 1)).astype(dtype)
    if not labels:
        return Images(pixels, None, ())
    return Images(pixels, np.arange(count) % 2, NAMES)


def _write(folder, images, indices):
    tfds_writing.write(images, indices, folder, name="mine", split="test")
    return tfds.builder_from_directory(folder / "mine" / "1.0.0")


def _read(builder):
    records = list(builder.as_dataset(split="test").as_numpy_iterator())
    return {key: np.stack([record[key] for record in records]) for key in records[0]}


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_what_is_written_is_read_bit_for_bit(tmp_path, dtype):
    images, indices = _images(dtype=dtype), np.array([3, 5, 8, 13, 21])
    builder = _write(tmp_path, images, indices)
    found = _read(builder)
    assert set(found) == {"image", "index", "label"}
    np.testing.assert_array_equal(found["image"], images.images, strict=True)
    np.testing.assert_array_equal(found["index"], indices, strict=True)
    np.testing.assert_array_equal(found["label"], images.labels, strict=True)
    assert builder.info.features["label"].names == list(NAMES)
    assert builder.info.splits["test"].num_examples == 5


def test_it_is_loaded_by_name_as_well(tmp_path):
    _write(tmp_path, _images(), np.arange(5))
    assert len(tfds.load("mine", split="test", data_dir=tmp_path)) == 5


def test_order_is_kept_where_there_are_many(tmp_path):
    # TFDS reads several files in turns of 16 records, so there must be one only.
    images = _images(1001, shape=(1, 1, 1))
    found = _read(_write(tmp_path, images, np.arange(1001)))
    np.testing.assert_array_equal(found["index"], np.arange(1001))
    np.testing.assert_array_equal(found["image"], images.images)


def test_without_labels_there_is_no_such_feature(tmp_path):
    found = _read(_write(tmp_path, _images(labels=False), np.arange(5)))
    assert set(found) == {"image", "index"}


def test_an_earlier_one_is_replaced_whole(tmp_path):
    _write(tmp_path, _images(7, shape=(1, 1, 1)), np.arange(7))
    found = _read(_write(tmp_path, _images(3), np.arange(3)))
    assert found["image"].shape == (3, 2, 3, 3)
    assert len(list((tmp_path / "mine" / "1.0.0").glob("*.tfrecord*"))) == 1


def test_nothing_else_is_written_or_said(tmp_path, capfd, caplog):
    _write(tmp_path, _images(), np.arange(5))
    assert capfd.readouterr().out == ""
    assert not caplog.records
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
