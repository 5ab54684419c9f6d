"""Recognisers that are trained against the speaker: a step by hand, data, resume."""

import math

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tfsemae import data, run_folder, settings, training
from tfsemae.data import speech
from tfsemae.models import spelling
from tfsemae.models.recogniser import Recogniser
from tfsemae.training.procedures.recogniser import RecogniserProcedure

NAMES = ("ab", "b", "aab")
IMAGES = data.Images(
    np.random.default_rng(0).integers(1, 256, (60, 8, 6, 1), dtype=np.uint8),
    np.arange(60) % 3,
    NAMES,
)
RATE, FACTOR = 0.5, 0.3


def _made(**changes):
    defaults = {
        "dataset": "speech",
        "model": "listen_attend_spell",
        "procedure": "domain_adversarial",
        "nuisance": "speaker",
        "optimizer": "sgd",
        "sgd_momentum": 0.0,
        "learning_rate": RATE,
        "decay_rate": 1.0,
        "output_dir": "unused",
    }
    return settings.make(training.Settings, defaults | changes)


@pytest.fixture(scope="module")
def procedure():
    return RecogniserProcedure.build(_made(reversal_factor=FACTOR), IMAGES)


@pytest.fixture(scope="module")
def batch(procedure):
    batches = procedure.batches(IMAGES, batch_size=12, seed=0, start_step=0)
    return next(iter(batches))


def test_a_step_minimises_the_letters_and_maximises_the_speaker(procedure, batch):
    inputs, targets = batch
    networks, adversary = procedure.networks, procedure._adversary
    forced = networks.forced()
    parts = {
        "listener": networks.listener.trainable_variables,
        "speller": networks.speller.trainable_variables,
        "adversary": adversary.trainable_variables,
    }
    with tf.GradientTape() as letters, tf.GradientTape() as speaker:
        found = forced(inputs, training=True)  # features of this batch
        logits, states = found["logits"], adversary(found["features"])
        logs = tf.nn.log_softmax(logits)
        of_letter = tf.gather(logs, tf.maximum(targets["letters"], 0), batch_dims=2)
        counted = tf.cast(targets["letters"] >= 0, tf.float32)
        primary = -tf.reduce_mean(tf.reduce_sum(of_letter * counted, axis=1))
        of_speaker = tf.gather(
            tf.nn.log_softmax(states), targets["speaker"], batch_dims=1
        )
        told = -tf.reduce_mean(of_speaker)
    # E = E_primary - factor * E_adversary below the features.
    sources = parts["listener"] + parts["speller"]
    of_letters = letters.gradient(primary, sources)
    count = len(parts["listener"])
    of_listener = speaker.gradient(told, parts["listener"] + parts["adversary"])
    slopes = [
        *(
            a - FACTOR * b
            for a, b in zip(of_letters[:count], of_listener, strict=False)
        ),
        *map(tf.convert_to_tensor, of_letters[count:]),
        *of_listener[count:],
    ]
    weights = [*sources, *parts["adversary"]]
    before = [weight.numpy() for weight in weights]
    logged = procedure.model.train_on_batch(inputs, targets, return_dict=True)
    for weight, was, slope in zip(weights, before, slopes, strict=True):
        # Sums over frames in float32.
        np.testing.assert_allclose(weight, was - RATE * slope, atol=2e-6)
    assert any(np.any(np.abs(each) > 1e-3) for each in of_listener[:count])
    np.testing.assert_allclose(logged["letters_loss"], primary, rtol=1e-5)
    np.testing.assert_allclose(logged["speaker_loss"], told, rtol=1e-5)
    # The sum over letters, and no mean: by NumPy.
    shares = np.log(special.softmax(logits.numpy().astype(np.float64), axis=2))
    by_hand = [
        -sum(share[t, symbol] for t, symbol in enumerate(word) if symbol >= 0)
        for share, word in zip(shares, targets["letters"].numpy(), strict=True)
    ]
    np.testing.assert_allclose(logged["letters_loss"], np.mean(by_hand), rtol=1e-5)


def test_spectra_have_the_warp_of_their_speaker_and_keep_their_word(batch):
    inputs, targets = batch
    symbols = spelling.symbols(NAMES)
    for image, letters, before, speaker in zip(
        inputs["image"].numpy(),
        targets["letters"].numpy(),
        inputs["previous"].numpy(),
        targets["speaker"].numpy(),
        strict=True,
    ):
        warped = speech.spoken(IMAGES.images, np.full(len(IMAGES), speaker))
        apart = np.abs(warped / 255 - image).max(axis=(1, 2, 3))
        assert apart.min() < 1e-6
        expected = symbols[IMAGES.labels[np.argmin(apart)]]
        np.testing.assert_array_equal(letters, expected)
        np.testing.assert_array_equal(before, [0, *np.maximum(expected[:-1], 0)])


def test_four_speakers_are_trained_on_and_the_fifth_is_not(procedure):
    for role in ("train", "held_out", "test"):
        _, speakers = procedure._seen(IMAGES, role)
        assert set(speakers) == set(range(4))


# --- whole runs


@pytest.fixture(scope="module")
def make(images_file):
    def make_settings(output_dir, **changes):
        defaults = {
            "dataset": str(images_file),
            "optimizer": None,
            "sgd_momentum": 0.9,
            "learning_rate": 0.01,
            "reversal_ramp_steps": 4,
            "batch_size": 4,
            "steps": 5,
            "checkpoint_every": 2,
            "validation": 5,
            "output_dir": str(output_dir),
        }
        return _made(**(defaults | changes))

    return make_settings


def test_folder_holds_everything_of_the_run(run, images_file, log_rows):
    assert sorted(path.name for path in run.iterdir()) == [
        *(".lock", "checkpoints", "flags.txt", "inputs.json", "listener.keras"),
        *("log.csv", "measurements.npz", "metrics.json", "recogniser.json"),
        *("saved_model", "seconds.json", "speller.keras", "tensorboard"),
    ]
    found = run_folder.read_metrics(run)
    images = data.load(images_file, "test")
    assert found["examples"] == 2 * len(images)
    # Words of one letter: each is right or wrong, or has letters too many.
    with np.load(run / "measurements.npz") as arrays:
        for name in ("known", "unseen"):
            edits, letters = arrays[f"{name}/edits"], arrays[f"{name}/letters"]
            assert found[name]["character_error"] == edits.sum() / letters.sum()
            assert found[name]["word_error"] == np.mean(edits > 0)
    assert 0 <= found["nuisance"]["probe_accuracy"] <= 1
    assert {"letters_loss", "speaker_loss", "val_letters_loss"} <= set(log_rows(run)[0])


def test_measured_words_are_those_of_the_unseen_speaker(run, images_file):
    images = data.load(images_file, "test")
    nobody = np.full(len(images), speech.UNSEEN)
    pixels = data.pixels(data.with_nuisance(images, nobody, "speaker"))
    right = [images.class_names[label] for label in images.labels]
    words = Recogniser.load(run).spell(pixels)
    wrong = np.mean([a != b for a, b in zip(words, right, strict=True)])
    assert run_folder.read_metrics(run)["unseen"]["word_error"] == wrong


def test_exported_network_spells_as_the_saved_one(run, images_file):
    images = data.pixels(data.load(images_file, "test"), 7)
    exported = tf.saved_model.load(str(run / "saved_model"))
    network = Recogniser.load(run)
    np.testing.assert_array_equal(exported.spell(images), network.symbols(images))
    np.testing.assert_allclose(
        exported.features(images),
        network.listener(images)["features"],
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_stopped_run_ends_as_if_it_had_not_been(
    run, make, images_file, assert_continues
):
    def build():
        images = data.load(images_file, "train")
        return RecogniserProcedure.build(make("unused"), images).model

    assert_continues(run, make, Recogniser, build)


def test_an_adversary_that_guesses_costs_ln_4(procedure):
    adversary = procedure._adversary
    kept = adversary.get_weights()
    adversary.set_weights([np.zeros_like(each) for each in kept])
    batches = procedure.held_out(IMAGES, 60)
    found = procedure.model.evaluate(batches, return_dict=True, verbose=0)
    adversary.set_weights(kept)
    assert found["speaker_loss"] == pytest.approx(math.log(4), rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"procedure": "nat", "nuisance": "colour"},
            "is trained by --procedure=domain",
        ),
        ({"nuisance": "rot"}, "--nuisance=speaker, without --augment"),
        ({"augment": "crop_flip"}, "--augment=crop_flip"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        _made(**changes)


def test_images_without_labels_are_refused():
    images = data.Images(IMAGES.images, None, ())
    with pytest.raises(ValueError, match="has no labels, which --model=listen"):
        RecogniserProcedure.build(_made(), images)
