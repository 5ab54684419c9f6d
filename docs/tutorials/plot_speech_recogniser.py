r"""Words spelled whoever speaks
============================

A speech recogniser should give the same words whoever speaks. The lecture that this
page follows trains it against a second network, the *adversary*, that tries to tell the
speaker. This page builds such a recogniser, small enough to train in seconds, and shows
what each part does. :doc:`plot_domain_adversarial_training` tries the same idea on the
colour of digits, and explains the reversal of gradients.
"""

# %%
# Speech as a picture
# -------------------
# Speech is a *spectrum* that changes: in each short piece of time, a frame, some
# frequencies are loud. Vowels have two peaks, an s has noise at high frequencies. The
# data set ``speech`` draws such pictures of 63 words. A speaker with a short vocal
# tract moves everything up: what was at the frequency :math:`f` is then at
# :math:`a f + b`. Four speakers are heard in training, and a fifth one in the test
# only. Twelve words are enough here.

import keras
import matplotlib.pyplot as plt
import numpy as np

from tfsemae import data, metrics, models, objectives
from tfsemae.models import spelling

WORDS = 12
UNSEEN = 4  # the speaker who is heard in the test only


def utterances(split):
    """Those of the first words; labels number the words."""
    found = data.load("speech", split)
    return data.take(found, np.flatnonzero(found.labels < WORDS))


def heard(images, speakers):
    """Their pixels, each said by its speaker."""
    return data.pixels(data.with_nuisance(images, speakers, "speaker"))


train, test = utterances("train"), utterances("test")
names = train.class_names[:WORDS]
speakers = data.nuisance_states(len(train), seed=0)
test_speakers = data.nuisance_states(len(test), seed=1)
pixels, test_pixels = heard(train, speakers), heard(test, test_speakers)

figure, axes = plt.subplots(1, 5, figsize=(9, 2.6), sharey=True, layout="constrained")
ship = data.take(test, np.repeat(np.flatnonzero(test.labels == 0)[:1], 5))
titles = [*(f"speaker {number}" for number in range(1, 5)), "not in training"]
spectra = heard(ship, np.arange(5))
for axis, picture, title in zip(axes, spectra, titles, strict=True):
    axis.imshow(picture[..., 0].T, origin="lower", cmap="gray")
    axis.set(title=title, xlabel="time (frames)")
axes[0].set_ylabel(f"{names[0]}, frequency")

# %%
# Listen, attend, spell
# ---------------------
# The recogniser has two parts. The *listener* is a recurrent network; it puts frames
# together in pairs, twice, so that each of its states :math:`h_u` stands for 4 frames.
# The *speller* writes one letter after the other. For each letter it compares a query
# with all states and takes their weighted mean, the context: it *attends* to some
# states. The letter is then found from the context and from the letters before,
#
# .. math::
#
#     c_t = \sum_u a_{tu} h_u, \qquad
#     y_t = \mathrm{softmax}(W\,[s_t, c_t])
#
# where :math:`s_t` is the memory of the speller. No one tells it which frames belong to
# which letter; the weights :math:`a_{tu}` are learnt with all others. In training the
# speller is given the right letters before each letter.

recogniser = models.build("listen_attend_spell", train.images.shape[1:], names, seed=0)
targets = spelling.symbols(names)
print("letters:", recogniser.alphabet, " 0 ends a word")
print(names[0], "is spelled", targets[0])

# %%
# Against the speaker
# -------------------
# With :math:`y_t` the probability of letter :math:`t` and :math:`s` that of the
# speaker, the recogniser minimises
#
# .. math::
#
#     E = \ln s - \sum_t \ln y_t
#
# and the adversary :math:`-\ln s`. The layer ``GradientReversal`` makes one step of
# descent on the sum of both losses do that. The adversary sees mean and deviation of
# the states over time.


def train_recogniser(factor, epochs=8):
    """Trains against the adversary by a factor, 0 for beside it."""
    found = models.build("listen_attend_spell", train.images.shape[1:], names, seed=0)
    forced = found.forced()
    keras.utils.set_random_seed(0)
    reversal = models.GradientReversal(name="reversal")
    hidden = keras.layers.Dense(64, activation="relu")(
        reversal(forced.output["features"])
    )
    speaker = keras.layers.Dense(4, name="speaker")(hidden)
    outputs = {"letters": forced.output["logits"], "speaker": speaker}
    model = keras.Model(forced.input, outputs)
    losses = {
        "letters": objectives.spelling_nll,
        "speaker": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    }
    model.compile(keras.optimizers.Adam(2e-3), loss=losses)

    def grow(epoch, logs=None):
        reversal.factor.assign(factor * min(1.0, epoch / (epochs / 2)))

    right = targets[train.labels]
    history = model.fit(
        {"image": pixels, "previous": spelling.previous(right)},
        {"letters": right, "speaker": speakers},
        batch_size=64,
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=grow)],
        verbose=0,
    )
    return found, history.history


found = {factor: train_recogniser(factor) for factor in (0.0, 1.0)}

figure, axes = plt.subplots(1, 2, figsize=(9, 3))
for (factor, (_, history)), line in zip(found.items(), ("-", "--"), strict=True):
    axes[0].plot(history["letters_loss"], line, label=f"factor {factor:g}")
    axes[1].plot(history["speaker_loss"], line, label=f"factor {factor:g}")
axes[1].axhline(np.log(4), color="gray", linewidth=1, label="ln 4: a guess")
axes[0].set(xlabel="pass over the utterances", ylabel="loss of the letters")
axes[1].set(xlabel="pass over the utterances", ylabel="loss of the adversary")
for axis in axes:
    axis.legend()
figure.tight_layout()

# %%
# What it attends to
# ------------------
# Each row is a letter, each column 4 frames. Where the bright places go down from left
# to right, a letter is found where it is spoken. They need not: the listener hears in
# both directions, so that in a short word each state has heard all of it, and the
# speller may look at any.

shown = int(np.flatnonzero(test.labels == names.index("shell"))[0])
recogniser = found[1.0][0]
right = targets[test.labels[[shown]]]
attention = recogniser.forced().predict(
    {"image": test_pixels[[shown]], "previous": spelling.previous(right)}, verbose=0
)["attention"][0, :6]
figure, axis = plt.subplots(figsize=(5, 3))
axis.imshow(attention, aspect="auto", cmap="viridis")
axis.set(xlabel="state of the listener (4 frames each)", yticks=range(6))
axis.set_yticklabels([*"shell", "end"])
figure.tight_layout()

# %%
# Who is understood, and who is known
# -----------------------------------
# Of each recogniser: the share of letters that are wrong (the edit distance to the
# right word, by its length), of known speakers and of the fifth; and the share of
# speakers that a *new* classifier finds in the features. A guess finds 25 %.

unseen_pixels = heard(test, np.full(len(test), UNSEEN))
test_words = [names[label] for label in test.labels]

print("factor  wrong letters: known  fifth speaker   speakers found")
for factor, (recogniser, _) in found.items():
    errors = [
        metrics.character_error_rate(recogniser.spell(each), test_words)
        for each in (test_pixels, unseen_pixels)
    ]
    learnt, seen = (
        recogniser.listener.predict(each, verbose=0)["features"]
        for each in (pixels, test_pixels)
    )
    told = metrics.mlp_probe_accuracy(learnt, speakers, seen, test_speakers, seed=0)
    print(
        f"{factor:6g} {100 * errors[0]:19.1f} % {100 * errors[1]:12.1f} % "
        f"{100 * told:15.0f} %"
    )

# %%
# Read the table with the curves above. By the loss of the adversary the speaker is
# gone: it is no better than a guess. A new classifier still finds nearly all speakers.
# Whether the fifth one is understood better is not told by one training of each kind:
# another seed gives other numbers.
#
# Next: the artefact ``ece417_speech`` trains on all 63 words with several seeds, and
# gives intervals: ``./reproduce.sh ece417_speech``. One training of it is
# ``python -m tfsemae.train --flagfile=flags/ece417_speech.flags
# --output_dir=runs/speech``.
