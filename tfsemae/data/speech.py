"""Spoken words as synthetic spectra, and speakers who shift their frequencies."""

import re
import zlib

import numpy as np

from tfsemae.data.images import Images

FRAMES, BINS = 32, 36
#: Each is spelled as it sounds: sh and ll are one phone.
WORDS = (
    *("ship", "shop", "shut", "shell", "fish", "mash", "mesh", "lash", "sat", "set"),
    *("sit", "sip", "sun", "man", "men", "mat", "met", "map", "mop", "mill", "net"),
    *("not", "nut", "nap", "tan", "ten", "tin", "tap", "tip", "top", "tell", "till"),
    *("fan", "fin", "fun", "fat", "fit", "fell", "fill", "full", "let", "lot", "lap"),
    *("lip", "pan", "pen", "pin", "pat", "pet", "pit", "pot", "pill", "push", "stop"),
    *("stem", "step", "snap", "snip", "spin", "spot", "list", "lost", "lamp"),
)
#: Peaks of each phone: centre (bin), standard deviation (bins), height.
PHONES = {
    "a": ((9, 1.2, 1.0), (16, 1.2, 0.8)),
    "e": ((7, 1.2, 1.0), (20, 1.2, 0.8)),
    "i": ((4, 1.2, 1.0), (23, 1.2, 0.8)),
    "o": ((7, 1.2, 1.0), (12, 1.2, 0.8)),
    "u": ((4, 1.2, 1.0), (10, 1.2, 0.8)),
    "s": ((27, 2.5, 0.8),),
    "sh": ((23, 2.5, 0.8),),
    "f": ((25, 4.0, 0.4),),
    "t": ((18, 4.0, 0.4),),
    "p": ((11, 4.0, 0.4),),
    "m": ((3, 1.0, 0.9), (13, 1.5, 0.3)),
    "n": ((3, 1.0, 0.9), (18, 1.5, 0.3)),
    "l": ((5, 1.0, 0.9), (25, 1.5, 0.3)),
}
#: Factor and shift (bins) of each speaker; the last one is heard in tests only.
SPEAKERS = ((0.88, 1.5), (0.94, -0.5), (1.02, 0.5), (1.08, -1.5), (1.14, 0.5))
UNSEEN = len(SPEAKERS) - 1
_UTTERANCES = {"train": 8_000, "test": 1_000}
_SEEDS = {"train": 0, "test": 1}
_LENGTHS = 4, 8  # frames of a phone, the least and the most
_MOST_PHONES = 4  # of a word
_FLOOR, _NOISE, _PEAK = 20.0, 12.0, 190.0  # of 255
_JITTER = 0.3  # bins
_SOUNDS = re.compile("sh|ll|.")


def load(split: str) -> Images:
    """Draws utterances of 63 words, as spectra of no speaker in particular.

    Utterance `i` is of word `i % 63`. Each of its phones lasts 4 to 8 frames. A frame
    is a sum of Gaussian peaks, see `PHONES`, whose centres differ by 0.3 bins
    (standard deviation) from phone to phone; times a loudness of 0.7 to 1 of the
    utterance; on a floor of 20. Frames behind the end are 0. There is no noise: that
    comes where they are spoken, see `spoken`.

    Args:
        split: `train` (8,000 utterances) or `test` (1,000).

    Returns:
        uint8 `[N, 32, 36, 1]`, time by frequency; a label's class name is the word.

    Source: ECE 417, lecture 22, whose speech recogniser is trained on speech (our
    choice).
    """
    random = np.random.default_rng(_SEEDS[split])
    labels = np.arange(_UTTERANCES[split]) % len(WORDS)
    ends = np.cumsum(_lengths(labels, random), axis=1)[..., np.newaxis]
    place = np.sum(np.arange(FRAMES) >= ends, axis=1)  # of the phone of a frame
    inside = (place < _MOST_PHONES)[..., np.newaxis]
    place = np.minimum(place, _MOST_PHONES - 1)[..., np.newaxis]
    spectra = np.take_along_axis(_envelopes(labels, random), place, axis=1)
    spectra *= _PEAK * random.uniform(0.7, 1, (len(labels), 1, 1))
    spectra += _FLOOR
    found = np.where(inside, np.rint(np.minimum(spectra, 255)), 0).astype(np.uint8)
    return Images(found[..., np.newaxis], labels, WORDS)


def phones(word: str) -> list[str]:
    """The phones of a word, such as `["sh", "e", "l"]` of shell."""
    return [found[:1] if found == "ll" else found for found in _SOUNDS.findall(word)]


def spoken(spectra: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Spectra as speakers give them, with noise.

    The noise, of a standard deviation of 12 of 255, is that of the recording. It
    depends on the utterance and not on the speaker: noise that was warped would tell
    the speaker beside the peaks, since a place between two bins has less of it.

    Args:
        spectra: `[N, H, W, C]`, the frequency along W: uint8, or float in [0, 1].
        speakers: int `[N]`, indices into `SPEAKERS`.

    Returns:
        As `warp`, each by the numbers of its speaker, and with noise, clipped to 1 to
        255 of 255. Frames of zeros, behind the end, stay as they are.
    """
    found = np.empty_like(spectra)
    for speaker, (factor, shift) in enumerate(SPEAKERS):
        of_speaker = speakers == speaker
        found[of_speaker] = warp(spectra[of_speaker], factor, shift)
    heard = found + _noise(spectra)
    if spectra.dtype == np.uint8:
        heard = np.clip(np.rint(heard), 1, 255)
    else:
        heard = np.clip(heard, 1 / 255, 1)
    silent = ~spectra.any(axis=(2, 3), keepdims=True)
    return np.where(silent, found, heard.astype(spectra.dtype))


def warp(spectra: np.ndarray, factor: float, shift: float) -> np.ndarray:
    """Moves what is at frequency f to `factor * f + shift`.

    A shorter vocal tract has a larger factor. Between bins it is linear; beyond the
    ends the last bin is repeated.

    Args:
        spectra: `[N, H, W, C]`, the frequency along W.
        factor: positive.
        shift: bins.

    Returns:
        Of the shape and type of `spectra`; integers are rounded.
    """
    width = spectra.shape[2]
    source = np.clip((np.arange(width) - shift) / factor, 0, width - 1)
    below = np.floor(source).astype(int)
    above = np.minimum(below + 1, width - 1)
    share = (source - below).astype(np.float32)[:, np.newaxis]
    found = (1 - share) * spectra[:, :, below] + share * spectra[:, :, above]
    if spectra.dtype == np.uint8:
        found = np.rint(found)
    return found.astype(spectra.dtype)


def _noise(spectra: np.ndarray) -> np.ndarray:
    """Noise of each utterance, a function of its spectrum: float32 `[N, H, W, C]`."""
    noise = np.empty(spectra.shape, np.float32)
    for place, utterance in enumerate(spectra):
        seed = zlib.crc32(utterance.tobytes())
        noise[place] = np.random.default_rng(seed).normal(size=utterance.shape)
    return noise * np.float32(_NOISE if spectra.dtype == np.uint8 else _NOISE / 255)


def _envelopes(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The phones of each utterance, 0 where there are fewer: float64 `[N, 4, BINS]`."""
    peaks = np.zeros((len(WORDS), _MOST_PHONES, 2, 3))
    peaks[..., 1] = 1.0  # a deviation that can be divided by
    for number, word in enumerate(WORDS):
        for place, phone in enumerate(phones(word)):
            peaks[number, place, : len(PHONES[phone])] = PHONES[phone]
    centre, deviation, height = np.moveaxis(peaks[labels], -1, 0)[..., np.newaxis]
    moved = _JITTER * random.normal(size=(len(labels), _MOST_PHONES, 1, 1))
    away = (np.arange(BINS) - centre - moved) / deviation
    return np.sum(height * np.exp(-(away**2) / 2), axis=2)


def _lengths(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Frames of the phones of each utterance, int `[N, 4]`."""
    counts = np.array([len(phones(word)) for word in WORDS])[labels]
    low, high = _LENGTHS
    lengths = random.integers(low, high + 1, (len(labels), _MOST_PHONES))
    return np.where(np.arange(_MOST_PHONES) < counts[:, np.newaxis], lengths, 0)
