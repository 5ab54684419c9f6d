"""Synthetic speech: its words, its frames, and its speakers."""

import numpy as np
import pytest

from tfsemae import data
from tfsemae.data import speech


@pytest.fixture(scope="module")
def splits():
    return {split: data.load("speech", split) for split in ("train", "test")}


def _tone(place, width=40, dtype=np.uint8):
    """A spectrum of one frame with one narrow peak."""
    spectrum = np.zeros((1, 1, width, 1), dtype)
    spectrum[0, 0, place] = 200
    return spectrum


def test_a_speaker_of_factor_1_and_shift_0_changes_nothing(splits):
    images = splits["test"].images[:5]
    np.testing.assert_array_equal(speech.warp(images, 1.0, 0.0), images, strict=True)


@pytest.mark.parametrize("shift", [-4, 3])
def test_a_shift_moves_a_peak_by_as_many_bins(shift):
    expected = _tone(15 + shift)
    np.testing.assert_array_equal(speech.warp(_tone(15), 1.0, shift), expected)


def test_a_factor_moves_a_peak_in_proportion():
    spectrum = speech.warp(_tone(14, dtype=np.float32), 1.5, 2.0)[0, 0, :, 0]
    assert np.argmax(spectrum) == 1.5 * 14 + 2
    # Linear between bins: of the place f, (f - 2) / 1.5 is 2 / 3 of a bin away.
    np.testing.assert_allclose(spectrum[[22, 24]], 200 / 3, rtol=1e-5)


def test_what_comes_from_beyond_the_ends_is_the_last_bin():
    ramp = np.arange(10, 20, dtype=np.uint8).reshape(1, 1, 10, 1)
    assert speech.warp(ramp, 1.0, 3.0).ravel().tolist() == [10] * 3 + [*range(10, 17)]


def test_each_speaker_has_numbers_of_their_own():
    spectra = np.repeat(_tone(20, dtype=np.float32), len(speech.SPEAKERS), axis=0)
    found = data.with_nuisance(
        data.Images(spectra / 255, None, ()),
        np.arange(len(speech.SPEAKERS)),
        "speaker",
    ).images
    for heard, (factor, shift) in zip(found, speech.SPEAKERS, strict=True):
        assert abs(np.argmax(heard[0, :, 0]) - (20 * factor + shift)) <= 0.5
    # Four of them are drawn, and one is not.
    assert set(data.nuisance_states(200, seed=0)) | {speech.UNSEEN} == set(range(5))


def test_noise_does_not_tell_the_speaker():
    # Without peaks there is nothing to warp, and nothing may tell the speaker.
    flat = (
        np.full((12, 32, 36, 1), 80, np.uint8)
        + np.arange(12, dtype=np.uint8)[:, np.newaxis, np.newaxis, np.newaxis]
    )
    flat[:, 20:] = 0  # behind the end
    first, *others = (
        speech.spoken(flat, np.full(12, speaker))
        for speaker in range(len(speech.SPEAKERS))
    )
    for other in others:
        np.testing.assert_array_equal(other, first, strict=True)
    np.testing.assert_array_equal(first[:, 20:], 0)
    noise = first[:, :20] - np.float64(flat[:, :20])
    count = noise.size
    assert abs(noise.mean()) < 5 * 12 / np.sqrt(count)
    assert noise.std() == pytest.approx(12, abs=5 * 12 / np.sqrt(2 * count))
    # Each utterance has its own, and keeps it in another order.
    assert not np.array_equal(noise[0], noise[1])
    turned = speech.spoken(flat[::-1], np.zeros(12, int))
    np.testing.assert_array_equal(turned[::-1], first)


def test_floats_have_the_noise_of_their_units():
    flat = np.full((1, 32, 36, 1), 0.5, np.float32)
    noise = speech.spoken(flat, np.array([2])) - flat
    assert noise.dtype == np.float32
    expected = pytest.approx(12 / 255, abs=5 * 12 / 255 / np.sqrt(2 * noise.size))
    assert noise.std() == expected


def test_phones_of_words():
    assert speech.phones("shell") == ["sh", "e", "l"]
    assert speech.phones("lamp") == ["l", "a", "m", "p"]
    sounds = [tuple(speech.phones(word)) for word in speech.WORDS]
    assert len(set(sounds)) == len(speech.WORDS) == 63
    assert {phone for sound in sounds for phone in sound} == set(speech.PHONES)


@pytest.mark.parametrize(("split", "count"), [("train", 8_000), ("test", 1_000)])
def test_utterances_are_as_long_as_their_phones(splits, split, count):
    images = splits[split]
    assert images.images.shape == (count, 32, 36, 1)
    heard = images.images[..., 0].max(axis=2) > 0
    lengths = heard.sum(axis=1)
    # Nothing but padding behind the end.
    np.testing.assert_array_equal(heard, np.arange(32) < lengths[:, np.newaxis])
    phones = np.array([len(speech.phones(word)) for word in images.class_names])
    each = lengths / phones[images.labels]
    assert each.min() >= 4
    assert each.max() <= 8
    # Uniform from 4 to 8: variance 2 of each of 3 or 4 phones.
    assert each.mean() == pytest.approx(6, abs=5 * np.sqrt(2 / 3 / count))


def test_frames_show_the_peaks_of_their_phone(splits):
    images = splits["train"]
    of_word = images.images[images.labels == images.class_names.index("ship")]
    first = of_word[:, 0, :, 0].mean(axis=0)
    # Loudness is 0.85 on average, the jitter widens the peak by 1 %.
    centre, deviation, height = speech.PHONES["sh"][0]
    bins = np.arange(speech.BINS)
    expected = 20 + 190 * 0.85 * height * np.exp(
        -((bins - centre) ** 2) / (2 * deviation**2)
    )
    np.testing.assert_allclose(first, expected, atol=8)


def test_splits_differ(splits):
    train, test = (splits[split].images for split in ("train", "test"))
    assert not np.array_equal(train[:100], test[:100])
