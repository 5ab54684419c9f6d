"""Reading prepared data sets: small ones written here, and the real ones."""

import hashlib
import os
import pathlib
import shutil
import struct

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from tfsemae import data
from tfsemae.data import tfds_sets

COUNT = 12


def _write(folder, name, records):
    """Prepares a data set `name` that holds `records` in each of its splits."""
    builder = tfds.builder(name, data_dir=folder)
    signature = builder.info.features.get_tensor_spec()
    split = tf.data.Dataset.from_generator(
        lambda: iter(records), output_signature=signature
    )
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version=builder.version,
        features=builder.info.features,
        split_datasets={"train": split, "validation": split, "test": split},
        data_dir=folder,
    )


@pytest.fixture(scope="module")
def small_mnist(tmp_path_factory):
    """MNIST with 12 records: image `i` is of grey level `20 * i` and label `i % 10`."""
    folder = tmp_path_factory.mktemp("small")
    grey = [np.full((28, 28, 1), 20 * i, np.uint8) for i in range(COUNT)]
    _write(folder, "mnist", [{"image": g, "label": i % 10} for i, g in enumerate(grey)])
    return folder


@pytest.fixture
def damaged(small_mnist, tmp_path):
    """A copy of `small_mnist` and the file with its test records."""
    shutil.copytree(small_mnist / "mnist", tmp_path / "mnist")
    (records,) = tmp_path.glob("mnist/*/mnist-test.tfrecord*")
    return tmp_path, records


def test_records_come_with_their_labels(small_mnist):
    found = data.load("mnist", "train", data_dir=small_mnist)
    assert found.images.shape == (COUNT, 28, 28, 1)
    assert found.images.dtype == np.uint8
    assert found.class_names == tuple("0123456789")
    number = found.images[:, 0, 0, 0] // 20
    np.testing.assert_array_equal(np.sort(number), np.arange(COUNT))
    np.testing.assert_array_equal(found.labels, number % 10)


def _cut_short(records):
    return records[:-10]


def _without_the_last_record(records):
    # A record: its length (8 bytes), a checksum (4), itself, a checksum (4).
    start = 0
    while True:
        (length,) = struct.unpack_from("<Q", records, start)
        end = start + 12 + length + 4
        if end == len(records):
            return records[:start]
        start = end


def _with_one_record_twice(records):
    (length,) = struct.unpack_from("<Q", records)
    return records + records[: 12 + length + 4]


def _with_one_bit_flipped(records):
    middle = len(records) // 2
    return records[:middle] + bytes([records[middle] ^ 1]) + records[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        _cut_short,
        _without_the_last_record,
        _with_one_record_twice,
        _with_one_bit_flipped,
        lambda records: b"",
    ],
)
def test_damaged_records_are_refused_in_one_line(damaged, damage):
    folder, records = damaged
    records.write_bytes(damage(records.read_bytes()))
    with pytest.raises(ValueError, match="is damaged or not complete") as caught:
        data.load("mnist", "test", data_dir=folder)
    message = str(caught.value)
    assert str(records.parent) in message
    assert "\n" not in message
    assert "{{" not in message


def test_a_record_file_that_is_missing_is_refused(damaged):
    folder, records = damaged
    records.unlink()
    with pytest.raises(ValueError, match="is damaged or not complete"):
        data.load("mnist", "test", data_dir=folder)


def test_a_missing_description_is_refused(damaged):
    folder, records = damaged
    (records.parent / "dataset_info.json").unlink()
    with pytest.raises(ValueError, match="it has no split 'test'"):
        data.load("mnist", "test", data_dir=folder)


def test_a_damaged_description_is_refused(damaged):
    folder, records = damaged
    (records.parent / "dataset_info.json").write_text('{"name')
    with pytest.raises(ValueError, match="TFDS cannot open mnist"):
        data.load("mnist", "test", data_dir=folder)


def _zeros(spec):
    if isinstance(spec, dict):
        return {key: _zeros(part) for key, part in spec.items()}
    return np.zeros(spec.shape, spec.dtype.as_numpy_dtype)


def test_celeb_a_is_cropped_and_reduced_and_has_no_labels(tmp_path):
    features = tfds.builder("celeb_a", data_dir=tmp_path).info.features
    record = _zeros(features.get_tensor_spec())
    record["image"][:] = 255
    # The centred square: 35 rows and 15 columns are cut off on each side.
    record["image"][35:183, 15:163] = 100
    _write(tmp_path, "celeb_a", [record] * 3)
    found = data.load("celeb_a", "validation", data_dir=tmp_path)
    assert found.images.shape == (3, 64, 64, 3)
    assert found.images.dtype == np.uint8
    assert found.labels is None
    assert found.class_names == ()
    # JPEG rings at the edge of the square, by some ten grey levels; one row or
    # column of what is cut off would raise the border by 255 / 148 * 64 / 2 = 55.
    assert np.abs(found.images[:, 4:-4, 4:-4].astype(int) - 100).max() <= 1
    assert np.abs(found.images.astype(int) - 100).max() < 30


def test_crop_is_centred():
    image = tf.constant(np.arange(7 * 5, dtype=np.uint8).reshape(7, 5, 1))
    found = tfds_sets.crop_and_resize(image, crop=3, resize=None)
    expected = [[11, 12, 13], [16, 17, 18], [21, 22, 23]]
    np.testing.assert_array_equal(found[..., 0], expected)


def test_resize_keeps_a_ramp():
    ramp = np.broadcast_to(np.arange(148, dtype=np.uint8), (148, 148))
    found = tfds_sets.crop_and_resize(tf.constant(ramp[..., None]), 148, 64)
    expected = (np.arange(64) + 0.5) * 148 / 64 - 0.5
    # Half a grey level is rounding; at the border the window is one-sided.
    np.testing.assert_allclose(
        found[0, 2:-2, 0].numpy().astype(float), expected[2:-2], atol=0.51
    )


# Counts and SHA-256 of the decoded arrays, in the order in which TFDS stores
# them: uint8 images and little-endian int64 labels.
REAL = {
    ("mnist", "train"): (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        "59edd5ea35c0062957306cacba8ae47e71e2c56261f4ca10230aacc14943dd3b",
        "0e44ecaf2547dac741c83ddf0bcf9e3ced796f00dcc8784057618b7001d89aff",
    ),
    ("mnist", "test"): (
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        "a85d8dffc6063fb89dcbc2122651701e7bbc18837f940fc9d76df48c224558ca",
        "d515834c278b04a6887dcb28e527fe6a2e43826cb9fbebc4c9eefb19c499bbe1",
    ),
    ("fashion_mnist", "test"): (
        [1000] * 10,
        "a84f70bc4eaa1b2c5e671e99525a60f9dbe89328fa62013e4aa30ba11800c4df",
        "b09bb91685fa2a6e62d623ff642c59123fd7ef2d9b0588860fc8914a51e66de8",
    ),
    ("cifar10", "test"): (
        [1000] * 10,
        "82afa4f4f8a69075def88a286829b9a6eaadcf501af77cb9bf832a7b041b9fd1",
        "b4616e4d20f82f6a609c447a58430b59166cbc365db2bcd32c43f8250c105d19",
    ),
}


@pytest.mark.parametrize(("name", "split"), list(REAL))
def test_the_real_data_are_what_they_are_known_to_be(name, split):
    default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    if not (pathlib.Path(default).expanduser() / name).is_dir():
        pytest.skip(f"{name} is not prepared in {default}; set TFDS_DATA_DIR")
    found = data.load(name, split)
    counts, images, labels = REAL[name, split]
    assert np.bincount(found.labels).tolist() == counts
    assert len(found.class_names) == 10
    assert hashlib.sha256(found.images).hexdigest() == images
    assert hashlib.sha256(found.labels.astype("<i8")).hexdigest() == labels


def test_cifar10_is_enlarged_from_the_same_folder(tmp_path):
    ramp = np.broadcast_to(8 * np.arange(32, dtype=np.uint8), (32, 32))
    record = {"id": "a", "image": np.stack([ramp] * 3, axis=-1), "label": 3}
    _write(tmp_path, "cifar10", [record] * 3)
    small, large = (
        data.load(name, "test", data_dir=tmp_path) for name in ("cifar10", "cifar10_64")
    )
    assert large.images.shape == (3, 64, 64, 3)
    assert large.class_names == small.class_names
    np.testing.assert_array_equal(large.labels, small.labels)
    # A quarter and three quarters of the way between two pixels; constant beyond.
    between = 8 * ((np.arange(64) + 0.5) / 2 - 0.5).clip(0, 31)
    np.testing.assert_array_equal(large.images[0, 5, :, 1], between)
