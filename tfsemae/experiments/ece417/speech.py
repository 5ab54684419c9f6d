"""Speech: words spelled by features that do not tell the speaker.

With y_t the probability of letter t and s that of the speaker, the lecture minimises

    E = ln s - sum_t{ ln y_t }

and the adversary -ln s. A new classifier on the frozen features of the listener is the
judge, and a speaker who was not heard in training the test.
"""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import data
from tfsemae.data import speech
from tfsemae.data.nuisance import STATES
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, estimated_row, with_parts
from tfsemae.experiments.ece417 import bounds, measures, speech_runs
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.models import Recogniser, spelling
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Below

_POINTS = "percentage points"
_CHANCE = 100 / STATES
_KNOWN, _UNSEEN = "known/character_error", "unseen/character_error"
_PROBE, _ADVERSARY = "nuisance/probe_accuracy", "nuisance/adversary_accuracy"
_QUANTITIES = {
    _KNOWN: Quantity("wrong letters of known speakers", "%", 100),
    _UNSEEN: Quantity("wrong letters of a speaker not heard before", "%", 100),
    "known/word_error": Quantity("wrong words of known speakers", "%", 100),
    "unseen/word_error": Quantity(
        "wrong words of a speaker not heard before", "%", 100
    ),
    _PROBE: Quantity("speakers found by a new classifier", "%", 100),
    "nuisance/linear_probe_accuracy": Quantity(
        "speakers found by a new linear classifier", "%", 100
    ),
    _ADVERSARY: Quantity("speakers found by the adversary", "%", 100),
    "nuisance/adversary_cross_entropy": Quantity(
        f"E_adversary on test utterances, ln {STATES} = {np.log(STATES):.3f} of a "
        "guess",
        "nats",
    ),
}
_BESIDE, _AGAINST = "beside", "against"
_WORDS = ("ship", "shell", "lamp", "stop")  # of the picture
_ATTENDED = "shell"


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `ece417_speech`."""
    folders = {
        group: work.folders(
            [
                speech_runs.speech(group, seed, work.scale)
                for seed in speech_runs.seeds(group, work.scale)
            ]
        )
        for group in speech_runs.GROUPS
    }
    found = Estimates(folders, _QUANTITIES)
    first = speech_runs.speech(_AGAINST, 0, work.scale)
    return {
        "rows": list(_rows(work, found)),
        "claims": [*_hidden(found), _understood(found), _judge(found)],
        "pictures": [
            _draw_spectra(work.output_dir / "spectra.png"),
            _draw_attention(work, work.output_dir / "attention.png"),
            _draw_training(work, work.output_dir / "training.png"),
        ],
        "choices": [
            work.choice("dataset", first, "the lecture names no corpus"),
            work.choice("model", first, "no sizes are printed"),
            work.choice("learning_rate", first, "no rate is printed"),
            work.choice("reversal_ramp_steps", first, "the first half of the training"),
        ],
    }


def _rows(work: Workspace, found: Estimates) -> Iterator[Row]:
    for group, name in speech_runs.GROUPS.items():
        for key, quantity in _QUANTITIES.items():
            yield estimated_row(
                found,
                group,
                key,
                f"{group}_{key.replace('/', '_').removeprefix('nuisance_')}",
                f"{name}: {quantity.name}",
                tag=work.tag(None),
            )


def _hidden(found: Estimates) -> list[Claim]:
    """The claim of the slide: the speaker goes, and the letters stay."""
    over = found.interval_over(len(found.values(_AGAINST, _PROBE)))
    statement = (
        "Features that are trained against an adversary tell less of the speaker"
    )
    return with_parts(
        "1",
        f"{statement}, and known speakers are understood as well as before",
        [
            claim(
                "1_speaker",
                statement,
                "speakers found by a new classifier on the frozen features, trained "
                f"against the adversary minus beside it; {over}",
                found.difference((_AGAINST, _PROBE), (_BESIDE, _PROBE)),
                Below(-bounds.SPEAKER_HIDDEN),
                unit=_POINTS,
                note=f"{_CHANCE:g} % is a guess",
            ),
            claim(
                "1_known",
                "Known speakers are understood as well as before",
                "wrong letters, trained against the adversary minus beside it; " + over,
                found.difference((_AGAINST, _KNOWN), (_BESIDE, _KNOWN)),
                Below(bounds.LETTERS_LOST),
                unit=_POINTS,
            ),
        ],
    )


def _understood(found: Estimates) -> Claim:
    over = found.interval_over(len(found.values(_AGAINST, _UNSEEN)))
    return claim(
        "2",
        "A speaker who was not heard in training is understood better",
        f"wrong letters, trained against the adversary minus beside it; {over}",
        found.difference((_AGAINST, _UNSEEN), (_BESIDE, _UNSEEN)),
        Below(-bounds.UNSEEN_SPEAKER),
        unit=_POINTS,
    )


def _judge(found: Estimates) -> Claim:
    over = found.interval_over(len(found.values(_AGAINST, _PROBE)))
    return claim(
        "3",
        "The adversary of the training finds less than a new classifier does",
        f"speakers found, new classifier minus adversary; {over}",
        found.difference((_AGAINST, _PROBE), (_AGAINST, _ADVERSARY)),
        Above(bounds.UNDERRATED),
        unit=_POINTS,
    )


def _utterances(words: tuple[str, ...]) -> data.Images:
    """One of each word, of the test set."""
    test = data.load("speech", "test")
    assert test.labels is not None  # of words
    firsts = [int(np.argmax(test.labels == speech.WORDS.index(each))) for each in words]
    return data.take(test, np.array(firsts))


def _draw_spectra(path: pathlib.Path) -> Picture:
    """One utterance of some words, by all speakers."""
    images = _utterances(_WORDS)
    rows = []
    for speaker, (factor, shift) in enumerate(speech.SPEAKERS):
        heard = data.with_nuisance(images, np.full(len(images), speaker), "speaker")
        spectra = np.swapaxes(data.pixels(heard), 1, 2)[:, ::-1]  # time to the right
        name = "not heard" if speaker == speech.UNSEEN else f"speaker {speaker + 1}"
        rows.append((f"{name}: {factor:g} f {shift:+g}", spectra))
    figures.image_grid(rows, path, captions=[_WORDS] * len(rows))
    return Picture(
        file=path.name,
        caption="Utterances of the test set by the four speakers of the training and "
        "by the one who is not heard there: time to the right, frequency f upwards in "
        "bins, which each speaker scales and shifts.",
    )


def _draw_attention(work: Workspace, path: pathlib.Path) -> Picture:
    """What each letter of a word attends to."""
    folder = work.folder(speech_runs.speech(_AGAINST, 0, work.scale))
    network = Recogniser.load(folder)
    images = data.with_nuisance(_utterances((_ATTENDED,)), np.zeros(1, int), "speaker")
    pixels = data.pixels(images)
    targets = spelling.symbols(network.class_names)[images.labels]
    given = {"image": pixels, "previous": spelling.previous(targets)}
    count = len(_ATTENDED) + 1
    present = np.asarray(network.listener(pixels)["present"])[0]
    attention = np.asarray(network.forced()(given)["attention"])[0]
    weights = attention[:count, present]
    stride = pixels.shape[1] // len(present)
    columns = [f"{stride * k + 1}-{stride * (k + 1)}" for k in range(weights.shape[1])]
    figures.matrix(
        100 * weights, ([*_ATTENDED, "end"], columns), ("letter", "frames"), path
    )
    return Picture(
        file=path.name,
        caption=f"Attention (%) of each letter of {_ATTENDED} to the frames that the "
        "listener has heard, of a network that was trained against the adversary, seed "
        "0.",
    )


def _draw_training(work: Workspace, path: pathlib.Path) -> Picture:
    logs = {
        group: measures.log(work.folder(speech_runs.speech(group, 0, work.scale)))
        for group in (_BESIDE, _AGAINST)
    }
    panels = [
        figures.Panel(
            x_label="training step",
            y_label=label,
            curves=[
                figures.Curve(
                    label=speech_runs.GROUPS[group], x=log["step"], y=log[column]
                )
                for group, log in logs.items()
            ],
            levels=levels,
        )
        for column, label, levels in (
            ("letters_loss", "E_primary, all letters of a word (nats)", []),
            (
                "speaker_loss",
                "E_adversary (nats)",
                [(f"ln {STATES}, a guess", float(np.log(STATES)))],
            ),
        )
    ]
    figures.curves(panels, path)
    return Picture(
        file=path.name,
        caption="Both losses while networks train, seed 0. Above ln 4 the adversary is "
        "wrong more often than one that guesses.",
    )
