"""Recognisers: greedy spelling, attention, padding, and what is refused."""

import keras
import numpy as np
import pytest
from keras import ops

from tfsemae import models
from tfsemae.models import spelling, verification
from tfsemae.models.recogniser import Recogniser

NAMES = ("ab", "abba")
LENGTH = 5


@pytest.fixture(scope="module")
def recogniser():
    return models.build("listen_attend_spell", (16, 5, 1), NAMES, seed=0)


def _images(count=4, frames=16, heard=(16, 12, 8, 3)):
    """Of which only the first frames are above 0."""
    images = np.random.default_rng(0).uniform(0.1, 1, (count, frames, 5, 1))
    for image, length in zip(images, heard, strict=True):
        image[length:] = 0
    return images.astype(np.float32)


def _by_hand(following):
    """A recogniser that writes `following[symbol]` behind each symbol."""
    image = keras.Input((4, 3, 1), name="image")
    states = keras.layers.Reshape((4, 3))(image)
    heard = {
        "states": states,
        "present": ops.max(states, axis=2) > 0,
        "features": ops.max(states, axis=1),
    }
    inputs = {
        "states": keras.Input((4, 3), name="states"),
        "present": keras.Input((4,), dtype="bool", name="present"),
        "previous": keras.Input((LENGTH,), dtype="int32", name="previous"),
    }
    table = np.eye(3, dtype=np.float32)[following]
    letters = keras.layers.Embedding(3, 3)
    logits = letters(inputs["previous"])
    letters.set_weights([table])
    # Keras 3.11 refuses inputs that no output comes from.
    shown = inputs["states"][..., 0] * ops.cast(inputs["present"], "float32")
    weights = ops.zeros_like(logits[:, :, :1]) * shown[:, None, :]
    outputs = {"logits": logits, "attention": weights}
    return Recogniser(keras.Model(image, heard), keras.Model(inputs, outputs), NAMES)


@pytest.mark.parametrize(
    ("following", "spelled"),
    # Behind the end symbol, which begins a word as well, behind a, and behind b.
    [([1, 2, 0], "ab"), ([2, 0, 1], "ba"), ([0, 1, 1], ""), ([1, 2, 1], "ababa")],
)
def test_greedy_spelling_follows_a_speller_made_by_hand(following, spelled):
    images = np.ones((3, 4, 3, 1), np.float32)
    made = _by_hand(following)
    assert made.spell(images) == [spelled] * 3
    # Nothing but 0 behind the first end.
    symbols = ["ab".index(letter) + 1 for letter in spelled]
    expected = symbols + [0] * (LENGTH - len(symbols))
    np.testing.assert_array_equal(made.symbols(images), [expected] * 3)


def test_images_to_be_spelled_are_floating(recogniser):
    images = _images()
    assert recogniser.spell(images.astype(np.float64)) == recogniser.spell(images)
    with pytest.raises(ValueError, match="`images` must be floating"):
        recogniser.spell(np.uint8(255 * images))


def test_greedy_spelling_takes_the_likeliest_letter_behind_its_own(recogniser):
    images = _images()
    symbols = recogniser.symbols(images).numpy()
    # Given what was spelled, each letter is the likeliest one up to the end.
    given = {"image": images, "previous": spelling.previous(symbols)}
    likeliest = np.argmax(recogniser.forced()(given)["logits"], axis=2)
    for found, best in zip(symbols, likeliest, strict=True):
        ends = np.flatnonzero(found == spelling.END)
        length = ends[0] + 1 if len(ends) else LENGTH
        np.testing.assert_array_equal(found[:length], best[:length])
        assert not found[length:].any()


def test_weights_of_the_attention_sum_to_1_and_leave_padding_out(recogniser):
    previous = np.ones((4, LENGTH), np.int32)
    found = recogniser.forced()({"image": _images(), "previous": previous})
    weights = found["attention"].numpy()
    np.testing.assert_allclose(weights.sum(axis=2), 1, rtol=1e-5)
    for row, states in zip(weights, (4, 3, 2, 1), strict=True):  # of 4 frames each
        assert np.all(row[:, :states] > 0)
        assert not row[:, states:].any()


def test_padding_is_not_listened_to(recogniser):
    longer = models.build("listen_attend_spell", (24, 5, 1), NAMES, seed=0)
    images = _images()
    padded = np.pad(images, ((0, 0), (0, 8), (0, 0), (0, 0)))
    previous = np.ones((4, LENGTH), np.int32)
    found, expected = (
        network.forced()({"image": shown, "previous": previous})
        for network, shown in ((longer, padded), (recogniser, images))
    )
    for name in ("logits", "features"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-6)


def test_features_are_moments_of_the_states_that_are_present(recogniser):
    heard = recogniser.listener(_images())
    for number, count in enumerate((4, 3, 2, 1)):
        states = heard["states"][number, :count].numpy().astype(np.float64)
        deviation = np.sqrt(states.var(axis=0) + 1e-4)
        expected = np.concatenate([states.mean(axis=0), deviation])
        expected /= np.sqrt(1 + 1e-3)  # by a batch normalisation before its first step
        np.testing.assert_allclose(heard["features"][number], expected, atol=1e-5)


def test_silence_gives_finite_numbers(recogniser):
    silence = np.zeros((2, 16, 5, 1), np.float32)
    previous = np.zeros((2, LENGTH), np.int32)
    found = recogniser.forced()({"image": silence, "previous": previous})
    assert all(np.isfinite(value).all() for value in found.values())


def test_weights_of_the_full_size():
    words = ("aefhil", "mnopstu")
    network = models.build("listen_attend_spell", (32, 36, 1), words, seed=0)
    # Of a GRU with n inputs and m units: 3 m (n + m + 2).
    first, second = 2 * 96 * (72 + 32 + 2), 2 * 96 * (128 + 32 + 2)
    moments = 2 * 128  # of the batch normalisation, not trained
    assert network.listener.count_params() == first + second + moments
    letters, cell = 14 * 16, 192 * (16 + 64 + 64 + 2)
    dense = 2 * (64 * 64 + 64) + (128 * 14 + 14)
    assert network.speller.count_params() == letters + cell + dense
    assert first + second + letters + cell + dense == 89_838


def test_directions_and_layers_start_differently(recogniser):
    cells = [
        each
        for number in (1, 2)
        for layer in [recogniser.listener.get_layer(f"listen{number}")]
        for each in (layer.forward_layer, layer.backward_layer)
    ]
    recurrent = [layer.get_weights()[1] for layer in cells]
    for k, first in enumerate(recurrent):
        assert not any(np.array_equal(first, other) for other in recurrent[k + 1 :])


def test_a_damaged_part_is_refused(recogniser, tmp_path):
    recogniser.save(tmp_path)
    verification.verify(tmp_path)
    assert verification.recorded_weights({"it": tmp_path}) == {
        "it": recogniser.digest()
    }
    with pytest.raises(ValueError, match="holds a recogniser, where an autoencoder"):
        models.Autoencoder.load(tmp_path)
    damaged = tmp_path / "speller.keras"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"speller\.keras"):
        models.load(tmp_path)


def test_parts_that_do_not_fit_are_refused(recogniser):
    with pytest.raises(ValueError, match=r"`speller` must fit .*'logits': \(5, 4\)"):
        Recogniser(recogniser.listener, recogniser.speller, ("ab", "abca"))
    with pytest.raises(ValueError, match="`listener` must have the named tensors"):
        Recogniser(recogniser.speller, recogniser.speller, NAMES)


@pytest.mark.parametrize(
    ("shape", "names", "message"),
    [
        ((16, 5, 1), (), r"needs the names .*class_names=\(\)"),
        ((18, 5, 1), NAMES, r"multiple of 4.*\(18, 5, 1\)"),
    ],
)
def test_what_cannot_be_built_is_refused(shape, names, message):
    with pytest.raises(ValueError, match=message):
        models.build("listen_attend_spell", shape, names, seed=0)
