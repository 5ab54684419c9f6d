import hashlib
import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import models
from tfsemae.models import saved_model
from tfsemae.models.autoencoder import Autoencoder


def _build(class_names=tuple("abc"), seed=0):
    return models.build(
        "table1", (12, 12, 1), class_names, initializer="he_normal", seed=seed
    )


def _images(count):
    return np.random.default_rng(count).random((count, 12, 12, 1), np.float32)


@pytest.fixture(scope="module")
def semantic():
    return _build()


@pytest.fixture(scope="module")
def exported(semantic, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "saved_model"
    saved_model.export(semantic, path)
    return path


@pytest.fixture(scope="module")
def loaded(exported):
    return tf.saved_model.load(str(exported))


def test_endpoints(loaded):
    endpoints = ("encode", "decode", "reconstruct", "classify")
    assert all(callable(getattr(loaded, name)) for name in endpoints)
    assert set(loaded.signatures) == {*endpoints, "serving_default"}


@pytest.mark.parametrize("count", [1, 7])
def test_endpoints_equal_the_networks_for_any_batch_size(loaded, semantic, count):
    images = _images(count)
    latent = semantic.encoder(images)
    # The compiled graph may order the sums of a dot product differently: some units
    # in the last place of values around 1.
    close = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(loaded.encode(images), latent, **close)
    decoded = semantic.decoder(latent)
    np.testing.assert_allclose(loaded.decode(latent), decoded, **close)
    np.testing.assert_allclose(loaded.reconstruct(images), decoded, **close)
    logits = semantic.classifier(latent)
    np.testing.assert_allclose(loaded.classify(images), logits, **close)


def test_serving_default_reconstructs(loaded):
    images = _images(3)
    (found,) = loaded.signatures["serving_default"](tf.constant(images)).values()
    np.testing.assert_array_equal(found, loaded.reconstruct(images))


def test_repeated_calls_are_equal_bit_for_bit(loaded):
    images = _images(7)
    for name in ("encode", "reconstruct", "classify"):
        endpoint = getattr(loaded, name)
        np.testing.assert_array_equal(endpoint(images), endpoint(images))


def test_inputs_are_float32_of_the_image_shape(loaded):
    for name, shape in [("serving_default", (None, 12, 12, 1)), ("decode", (None, 36))]:
        (spec,) = loaded.signatures[name].structured_input_signature[1].values()
        assert (spec.dtype, spec.shape.as_list()) == (tf.float32, list(shape))


def test_vanilla_does_not_classify(tmp_path):
    saved_model.export(_build(()), tmp_path / "model")
    found = tf.saved_model.load(str(tmp_path / "model"))
    assert set(found.signatures) == {
        "encode",
        "decode",
        "reconstruct",
        "serving_default",
    }
    assert not hasattr(found, "classify")


def _with_dropout():
    image = keras.Input((2, 2, 1))
    latent = keras.layers.Dropout(0.9)(keras.layers.Flatten()(image))
    back = keras.Input((4,))
    decoder = keras.Model(back, keras.layers.Reshape((2, 2, 1))(back))
    return Autoencoder(keras.Model(image, latent), decoder)


def test_networks_are_exported_as_at_inference(tmp_path):
    path = tmp_path / "model"
    saved_model.export(_with_dropout(), path)
    images = np.ones((4, 2, 2, 1), np.float32)
    found = tf.saved_model.load(str(path))
    np.testing.assert_array_equal(found.reconstruct(images), images)


def test_an_earlier_export_is_replaced_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("of an earlier export")
    scratch = tmp_path / ".model.partial" / "new"
    scratch.mkdir(parents=True)
    (scratch / "torn").write_text("of a killed export")
    saved_model.export(_build((), seed=1), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
    assert not (path / "old").exists()
    found = tf.saved_model.load(str(path))
    assert found.encode(_images(1)).shape == (1, 36)


def test_a_full_disk_leaves_the_earlier_export(exported, semantic, full_disk):
    before = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    with (
        full_disk(50_000),
        pytest.raises(OSError, match=f"{exported} cannot be written") as caught,
    ):
        saved_model.export(semantic, exported)
    assert "\n" not in str(caught.value)
    assert "{{" not in str(caught.value)
    after = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    assert after == before
    assert [path.name for path in exported.parent.iterdir()] == [exported.name]


def test_digests_are_recorded_and_verified(exported):
    digests = json.loads((exported / "sha256.json").read_text("utf-8"))
    assert digests == {
        path.relative_to(exported).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in exported.rglob("*")
        if path.is_file() and path.name != "sha256.json"
    }
    assert "saved_model.pb" in digests
    saved_model.verify(exported)


def _change_one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_change_one_bit, lambda path: path.unlink()])
@pytest.mark.parametrize(
    "file", ["saved_model.pb", "variables/variables.data-00000-of-00001"]
)
def test_damage_is_noticed_and_named(exported, tmp_path, damage, file):
    path = tmp_path / "model"
    shutil.copytree(exported, path)
    damage(path / file)
    with pytest.raises(ValueError, match=f"in {path} is damaged .*{file}"):
        saved_model.verify(path)


@pytest.mark.parametrize("text", ["", "[]", '{"saved_model.pb": 1}'])
def test_damaged_digests_are_refused(exported, tmp_path, text):
    path = tmp_path / "model"
    shutil.copytree(exported, path)
    (path / "sha256.json").write_text(text)
    with pytest.raises(ValueError, match=f"in {path} is damaged"):
        saved_model.verify(path)


def test_export_without_digests_needs_its_graph(exported, tmp_path):
    path = tmp_path / "model"
    shutil.copytree(exported, path)
    (path / "sha256.json").unlink()
    saved_model.verify(path)
    (path / "saved_model.pb").unlink()
    with pytest.raises(ValueError, match=r"saved_model\.pb is missing"):
        saved_model.verify(path)
    with pytest.raises(ValueError, match=r"saved_model\.pb is missing"):
        saved_model.verify(tmp_path / "nowhere")


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    saved_model.export(_with_dropout(), "~/model")
    assert (tmp_path / "model" / "saved_model.pb").is_file()
    saved_model.verify("~/model")
