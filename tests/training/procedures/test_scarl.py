"""SCARL: known values of its loss, its memory, its heads, and bad words."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import data, files, settings, startup, training
from tfsemae.models import word_heads
from tfsemae.models.classifier import Classifier
from tfsemae.training import loading
from tfsemae.training.procedures.scarl import ScarlProcedure

_CLASSES = 10
_RAMP = math.exp(-5)  # of the first step


@pytest.fixture(scope="module")
def words_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "words.txt"
    vectors = np.random.default_rng(0).normal(size=(_CLASSES, 5))
    lines = [f"{k} " + " ".join(map(str, row)) for k, row in enumerate(vectors)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def given(words_file):
    """Makes settings of a run on images of ten classes."""
    defaults = {
        "dataset": "digits",
        "model": "preact_resnet8",
        "procedure": "scarl",
        "words_file": str(words_file),
        "ramp_up_steps": 4,
        "output_dir": "unused",
    }
    return lambda **changes: settings.make(training.Settings, defaults | changes)


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).random((20, 8, 8, 3), np.float32)
    return data.Images(pixels, np.arange(20) % _CLASSES, tuple("0123456789"))


def _small(**changes):
    """A classifier of few weights."""
    image = keras.Input((8, 8, 3))
    x = keras.layers.Dense(6, name="features")(keras.layers.Flatten()(image))
    network = keras.Model(image, keras.layers.Dense(_CLASSES)(x))
    return Classifier(network, tuple("0123456789"), "features")


def _simplex():
    """Ten unit vectors whose cosines are all -1/9, padded to the width of codes."""
    centred = np.eye(_CLASSES) - 1 / _CLASSES
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return np.pad(unit, ((0, 0), (0, word_heads.WIDTH - _CLASSES))).astype(np.float32)


def _loss(given, **changes):
    """The loss of the first step, of codes on their words and logits of 0."""
    model = ScarlProcedure(_small(), given(**changes)).model
    model.step.assign(1)
    logits = np.zeros((_CLASSES, _CLASSES), np.float32)
    outputs = {
        "logits": logits,
        "adversarial_logits": logits,
        "codes": 3 * _simplex(),
        "words": 2 * _simplex(),
    }
    outputs = {name: tf.constant(value) for name, value in outputs.items()}
    return model, model.compute_loss(y=tf.range(_CLASSES), y_pred=outputs)


@pytest.mark.parametrize(
    ("changes", "information"),
    [
        ({"mi_temperature": 0.5}, 0.680726),
        ({}, 1.345e-4),
        # One of 90 pairs each: a matched cosine of 1, unmatched ones of -1/9.
        ({"mi": "nce"}, 0.0013524 + 4.39536),
        ({"mi_weight": 0.0}, 0.0),
    ],
)
def test_loss_of_codes_that_lie_on_their_words(given, changes, information):
    _, loss = _loss(given, **changes)
    # No divergence; the structures are equal but for their scale.
    np.testing.assert_allclose(loss, math.log(10) + information, atol=2e-5)


def test_structure_of_the_words_themselves(given):
    model, loss = _loss(given, struct="gram", mi_weight=0.0)
    vectors = model._vectors
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[~np.eye(_CLASSES, dtype=bool)]
    expected = math.log(10) + _RAMP * np.mean((-1 / 9 - cosines) ** 2)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_memory_keeps_little_at_first_and_nothing_of_absent_classes(given):
    model, _ = _loss(given)
    np.testing.assert_allclose(model.memory, (1 - _RAMP) * _simplex(), atol=1e-6)
    before = model.memory.numpy()
    model.step.assign(5)  # the ramp has ended: the memory stays
    labels = tf.constant([0, 1, 1])
    codes, words = tf.constant(_simplex()[:3]), tf.constant(-_simplex())
    assert np.isfinite(model._structure(codes, words, labels, model._ramp()))
    np.testing.assert_array_equal(model.memory, before)
    model._structure(codes, words, labels, tf.constant(0.25))
    expected = before.copy()
    expected[:2] = 0.25 * before[:2] - 0.75 * _simplex()[:2]
    np.testing.assert_allclose(model.memory, expected, atol=1e-6)


def test_heads_are_trained_and_no_part_of_the_classifier(given, images):
    procedure = ScarlProcedure.build(given(), images)
    trained = procedure.networks.network.trainable_weights
    assert sum(int(np.prod(w.shape)) for w in trained) == 77_850
    # Dense d -> 64, batch normalisation, dense 64 -> 64, of 64 features and 5 entries.
    heads = sum(d * 64 + 64 + 2 * 64 + 64 * 64 + 64 for d in (64, 5))
    together = procedure.model.trainable_weights
    assert sum(int(np.prod(w.shape)) for w in together) == 77_850 + heads
    assert procedure.model.optimizer.built


def test_a_batch_may_lack_classes(given, images):
    procedure = ScarlProcedure(_small(), given(adversarial_steps=1))
    few = data.take(images, np.array([0, 1, 10]))
    batches = procedure.batches(few, batch_size=4, seed=0, start_step=0)
    history = procedure.model.fit(batches, steps_per_epoch=2, verbose=0, shuffle=False)
    assert {"kl", "loss", "mi", "struct"} <= set(history.history)
    assert np.isfinite(list(history.history.values())).all()


def test_heads_that_are_kept_give_the_cosines(tmp_path, given, images):
    procedure = ScarlProcedure(_small(), given())
    found = procedure.evaluate(images, images, output_dir=tmp_path, seed=0)
    assert found["word_information"] <= math.log(10)
    features = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    codes = procedure._image_head(features, training=False).numpy()
    words = procedure._word_head(procedure._vectors, training=False).numpy()
    codes, words = (
        each / np.linalg.norm(each, axis=1, keepdims=True) for each in (codes, words)
    )
    kept = word_heads.load(tmp_path)(features)
    np.testing.assert_allclose(kept, codes @ words.T, atol=1e-5)


def test_a_model_without_heads_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no projection heads .*--procedure=scarl"):
        word_heads.load(tmp_path)
    (tmp_path / "heads.keras").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="sha256"):
        word_heads.load(tmp_path)


def test_controls_of_the_words(given, words_file):
    names = tuple("0123456789")
    vectors = data.class_vectors(words_file, names)
    found = {
        kind: loading.words(given(words=kind), names)
        for kind in ("glove", "perm", "random", "onehot")
    }
    np.testing.assert_array_equal(found["glove"], vectors)
    assert not np.any(np.all(found["perm"] == vectors, axis=1))
    np.testing.assert_allclose(
        np.linalg.norm(found["random"], axis=1), np.linalg.norm(vectors, axis=1)
    )
    np.testing.assert_array_equal(found["onehot"], np.eye(10))
    other = loading.words(given(word1="7"), names)
    np.testing.assert_array_equal(other[1], vectors[7])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "no line for 9"),
        (lambda lines: [*lines[:-1], "9 1 2"], "must have 5 numbers.*Received: 2"),
        (lambda lines: [*lines[:-1], "9 1 2 nan 4 5"], "finite numbers.*'nan'"),
        (lambda lines: [*lines, lines[0]], "only once"),
    ],
)
def test_bad_words_are_refused_before_the_first_step(
    tmp_path, given, words_file, change, message
):
    path = tmp_path / "words.txt"
    path.write_text("\n".join(change(words_file.read_text().splitlines())))
    with pytest.raises(ValueError, match=message):
        training.train(given(words_file=str(path), output_dir=str(tmp_path / "run")))
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_other_words_are_refused_by_a_run_that_has_begun(tmp_path, given, words_file):
    names = tuple("0123456789")
    digest = loading.words_digest(given(), names)
    assert digest != loading.words_digest(given(words="perm"), names)
    assert loading.words_digest(given(), names) == digest


def test_a_finished_run_is_not_read_where_the_words_are_others_now(
    tmp_path, given, words_file
):
    words, folder = tmp_path / "words.txt", tmp_path / "run"
    words.write_text(words_file.read_text())
    run = given(words_file=str(words), output_dir=str(folder))
    _small().save(folder)
    files.write_text(folder / "flags.txt", "\n".join(settings.serialized(run).values()))
    digest = loading.words_digest(run, tuple("0123456789"))
    files.write_json(folder / "inputs.json", digest)
    files.write_json(folder / "metrics.json", {})
    lines = words_file.read_text().splitlines()
    words.write_text("\n".join(["0 1 2 3 4 5", *lines[1:]]))
    with pytest.raises(ValueError, match=r"other data or networks \(words\)"):
        training.train(run)


def test_words_that_are_no_file_are_refused_before_tensorflow_is_imported(
    tmp_path, given, monkeypatch
):
    monkeypatch.setattr(startup, "load_tensorflow", None)
    run = given(words_file=str(tmp_path / "none.txt"), output_dir=str(tmp_path / "run"))
    with pytest.raises(ValueError, match=r"--words_file=.*none\.txt: there is no such"):
        training.train(run)


def test_networks_with_dropout_are_refused(given):
    with pytest.raises(ValueError, match=r"without dropout.*--model=dense_classifier"):
        given(model="dense_classifier")
