import json
import zipfile

import keras
import numpy as np
import pytest

from tfsemae import models
from tfsemae.models.autoencoder import Autoencoder

PARTS = ("encoder", "decoder", "classifier")


def _build(class_names=("cat", "dog"), seed=0):
    return models.build(
        "table1", (12, 12, 1), class_names, initializer="he_normal", seed=seed
    )


@pytest.fixture(scope="module")
def semantic():
    return _build()


@pytest.fixture
def saved(semantic, tmp_path):
    semantic.save(tmp_path)
    return tmp_path


def _assert_equal(a, b):
    for part in PARTS:
        pair = zip(
            getattr(a, part).get_weights(), getattr(b, part).get_weights(), strict=True
        )
        for left, right in pair:
            np.testing.assert_array_equal(left, right, strict=True)


def test_what_is_saved_is_loaded(semantic, saved):
    found = Autoencoder.load(saved)
    _assert_equal(found, semantic)
    assert found.class_names == ("cat", "dog")
    assert found.image_shape == (12, 12, 1)


def test_folder_holds_a_file_per_part_and_a_description(saved):
    assert sorted(path.name for path in saved.iterdir()) == [
        "autoencoder.json",
        "classifier.keras",
        "decoder.keras",
        "encoder.keras",
    ]
    assert json.loads((saved / "autoencoder.json").read_text("utf-8")) == {
        "parts": ["encoder", "decoder", "classifier"],
        "image_shape": [12, 12, 1],
        "class_names": ["cat", "dog"],
    }


def test_vanilla_is_loaded_without_a_classifier(tmp_path):
    _build(()).save(tmp_path)
    found = Autoencoder.load(tmp_path)
    assert found.classifier is None
    assert found.class_names == ()
    assert not (tmp_path / "classifier.keras").exists()


def test_a_later_save_replaces_an_earlier_one(saved):
    other = _build(seed=1)
    other.save(saved)
    _assert_equal(Autoencoder.load(saved), other)


def test_joint_network_shares_the_weights(semantic):
    image = np.random.default_rng(0).random((3, 12, 12, 1), np.float32)
    outputs = semantic.joint()(image)
    latent = semantic.encoder(image)
    np.testing.assert_array_equal(outputs["reconstruction"], semantic.decoder(latent))
    np.testing.assert_array_equal(outputs["logits"], semantic.classifier(latent))
    assert {id(w) for w in semantic.joint().weights} == {
        id(w) for part in PARTS for w in getattr(semantic, part).weights
    }


def test_any_functional_models_will_do():
    image = keras.Input((4, 5, 3))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    latent = keras.Input((60,))
    decoder = keras.Model(latent, keras.layers.Reshape((4, 5, 3))(latent))
    found = Autoencoder(encoder, decoder)
    assert found.image_shape == (4, 5, 3)
    pixels = np.random.default_rng(0).random((2, 4, 5, 3), np.float32)
    np.testing.assert_array_equal(found.joint()(pixels)["reconstruction"], pixels)


def test_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"no finished model in {tmp_path}"):
        Autoencoder.load(tmp_path)


def _truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flipped(path):
    """Changes bytes of the weights inside the archive."""
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("model.weights.h5").header_offset
    content = bytearray(path.read_bytes())
    for place in range(start + 5000, start + 5064):
        content[place] ^= 0xFF
    path.write_bytes(content)


def _emptied(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_truncated, _flipped, _emptied])
@pytest.mark.parametrize("part", ["encoder", "classifier"])
def test_damaged_part_is_refused(saved, part, damage):
    damage(saved / f"{part}.keras")
    with pytest.raises(ValueError, match=f"in {saved} is damaged"):
        Autoencoder.load(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"parts": ["encoder"]}'])
def test_damaged_description_is_refused(saved, text):
    (saved / "autoencoder.json").write_text(text)
    with pytest.raises(ValueError, match=f"in {saved} is damaged"):
        Autoencoder.load(saved)


def test_missing_part_is_refused(saved):
    (saved / "decoder.keras").unlink()
    with pytest.raises(ValueError, match=r"decoder\.keras"):
        Autoencoder.load(saved)


def test_save_to_a_full_disk_keeps_the_earlier_one(semantic, saved, full_disk):
    with (
        full_disk(10_000),
        pytest.raises(OSError, match=r"encoder\.keras can not be written"),
    ):
        _build(seed=1).save(saved)
    _assert_equal(Autoencoder.load(saved), semantic)
    assert len(list(saved.iterdir())) == 4
