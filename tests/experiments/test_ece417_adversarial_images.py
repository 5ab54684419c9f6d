"""Adversarial images of linear classifiers, and the ledger that is made of them."""

import keras
import numpy as np
import pytest

from tfsemae import data, experiments
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ece417 import adversarial_images, runs, single_steps
from tfsemae.models import Classifier

#: Rows of W of a softmax z = W x, and a point of class 1 (spec of the lecture).
KERNEL = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], np.float32)
POINT = single_steps.Attacked(
    np.array([0.5, 0.0], np.float32).reshape(1, 1, 2, 1), np.array([0]), np.array([1])
)


def _linear(weights, bias=0.0):
    """A classifier with the logits `W x + b`, W `[K, D]`."""
    kernel = np.asarray(weights, np.float32).T
    shape = (28, 28, 1) if len(kernel) == 784 else (1, 2, 1)
    image = keras.Input(shape)
    flat = keras.layers.Flatten(name="flat")(image)
    network = keras.Model(image, keras.layers.Dense(kernel.shape[1])(flat))
    network.layers[-1].set_weights([kernel, np.zeros(kernel.shape[1]) + bias])
    return Classifier.of(network)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("plain", [0.16008, 0.06044]), ("sign", [0.0, 0.5]), ("fake", [0.0, 0.5])],
)
def test_steps_of_a_linear_softmax(name, expected):
    found = single_steps.step(_linear(KERNEL).network, name, POINT)(0.5)
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-5)


def test_change_alone_is_grey_where_nothing_changes():
    change = np.array([[0.0, 0.25, -0.5], [0.0, 0.0, 0.0]], np.float32)
    found = single_steps.alone(change.reshape(2, 1, 3, 1))
    expected = [[0.5, 0.75, 0.0], [0.5, 0.5, 0.5]]
    np.testing.assert_array_equal(found.reshape(2, 3), np.float32(expected))


def test_fake_classes_are_all_others_in_turn():
    images = data.Images(
        np.zeros((9, 1, 1, 1), np.float32), np.arange(9) % 3, tuple("abc")
    )
    right = np.arange(9) != 1
    found = single_steps.chosen(images, right, 7)
    np.testing.assert_array_equal(found.labels, [0, 2, 0, 1, 2, 0, 1])
    assert np.all(found.fakes != found.labels)
    pairs = {*zip(found.labels.tolist(), found.fakes.tolist(), strict=True)}
    assert pairs == {(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)}


@pytest.fixture(scope="module")
def nearest_mean():
    """The linear classifier of the nearest class mean."""
    train = data.load("digits", "train")
    pixels = data.pixels(train).reshape(len(train), -1)
    means = np.stack([pixels[train.labels == k].mean(axis=0) for k in range(10)])
    return means, -0.5 * np.sum(means**2, axis=1)


def _ledger(tmp_path, finish, written, weights):
    artefact = experiments.artefacts()["ece417_adversarial_images"]
    for run, each in zip(artefact.all_runs("smoke"), weights, strict=True):
        folder = finish(run, {})
        _linear(*each).save(folder)
    work = Workspace(artefact, "smoke", tmp_path, tmp_path / "made")
    rows, claims, pictures = written(work)
    assert {row.tag for row in rows.values()} == {"stand-in"}
    assert len(pictures) == 5
    return rows, claims


def test_equal_networks_are_misled_by_the_same_images(
    tmp_path, finish, written, nearest_mean, monkeypatch
):
    monkeypatch.setattr(adversarial_images, "COUNT", 60)
    means, bias = nearest_mean
    sharp = (4 * means, 4 * bias)  # the same classes, with more certainty
    rows, claims = _ledger(
        tmp_path, finish, written, [(means, bias), (means, bias), sharp]
    )
    assert rows["accuracy_first"].measured == rows["accuracy_dense"].measured > 80
    for name in ("plain", "sign", "fake", "noise"):
        measured = [rows[f"first_{name}_{size:g}"].measured for size in (0.5, 1, 2, 4)]
        assert measured == sorted(measured)
        for other in ("same", "dense"):
            assert rows[f"{other}_{name}_2"].measured == measured[2]
    assert rows["first_plain_4"].measured > rows["first_noise_4"].measured
    # Equal kernels: `W_fake - W_label` is as long at each image of a pair.
    assert rows["length_fake"].measured > rows["length_plain"].measured
    assert (
        claims["3_same"].effect == claims["3_dense"].effect == claims["1_sign"].effect
    )
    assert rows["success_least"].measured >= 0
    for name in ("plain", "sign", "fake", "noise"):
        assert 0 < rows[f"clipped_{name}"].measured < 2


def test_plan(parsed):
    planned = experiments.artefacts()["ece417_adversarial_images"].all_runs("full")
    chosen = [parsed(run) for run in planned]
    assert [each.network.model for each in chosen] == [
        *("small_conv_classifier", "small_conv_classifier", "dense_classifier")
    ]
    assert [each.run.seed for each in chosen] == [0, 1, 0]
    assert {each.data.dataset for each in chosen} == {"mnist"}
    assert {each.optimizer.steps for each in chosen} == {2_000}
    # The attacked network is the first of those that answer.
    assert next(iter(runs.victims("full"))) == runs.ATTACKED
