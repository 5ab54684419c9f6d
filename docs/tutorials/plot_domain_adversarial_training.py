r"""Features that do not tell the colour
=====================================

A network that recognises digits may also learn what colour they have, or who wrote
them: a *nuisance*. *Domain-adversarial training* wants features that tell the digit and
not the nuisance. A second classifier, the *adversary*, tries to find the nuisance in
the features, and the features are trained against it. In the lecture that this page
follows, the nuisance is the speaker, and the network recognises speech.
"""

# %%
# Digits with a nuisance
# ----------------------
# Each image gets one of four tints at random, so that the tint says nothing about the
# digit. A network has no need to know it.

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from tfsemae import data, metrics, models


def tinted(split, seed):
    """Pixels, digits and tints."""
    images = data.load("digits", split)
    tints = data.nuisance_states(len(images), seed=seed)
    images = data.with_nuisance(images, tints, "colour")
    return data.pixels(images), images.labels, tints


pixels, digits, tints = tinted("train", seed=0)
test_pixels, test_digits, test_tints = tinted("test", seed=1)
figure, axes = plt.subplots(1, 10, figsize=(9, 1.2))
for axis, picture in zip(axes, pixels, strict=False):
    axis.imshow(picture)
    axis.axis("off")
figure.tight_layout()

# %%
# Two losses, and a gradient turned round
# ---------------------------------------
# Let :math:`h` be the features, :math:`y` the probabilities of the digits and :math:`s`
# those of the tints, both computed from :math:`h`. The losses are
#
# .. math::
#
#     E_\mathrm{primary} = -\ln y_\mathrm{digit}, \qquad
#     E_\mathrm{adversary} = -\ln s_\mathrm{tint}
#
# The adversary minimises :math:`E_\mathrm{adversary}`. The layers below :math:`h`
# minimise
#
# .. math::
#
#     E_\mathrm{primary} - \lambda E_\mathrm{adversary}
#
# with :math:`\lambda = 1` on the slide. Two wishes, one network: the layer
# ``GradientReversal`` lies between :math:`h` and the adversary. It passes :math:`h` on
# as it is, and multiplies the gradient that comes back by :math:`-\lambda`. Then one
# step of descent on the *sum* of both losses does both.


def network():
    """Features, a head for the digits, and an adversary behind the reversal."""
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 3))
    x = keras.layers.Flatten()(image)
    features = keras.layers.Dense(32, activation="tanh", name="features")(x)
    hidden = keras.layers.Dense(64, activation="relu")(features)
    digit = keras.layers.Dense(10, name="digit")(hidden)
    reversal = models.GradientReversal(name="reversal")
    hidden = keras.layers.Dense(64, activation="relu")(reversal(features))
    tint = keras.layers.Dense(4, name="tint")(hidden)
    return keras.Model(image, {"digit": digit, "tint": tint})


# %%
# Is it so? Here is the gradient of the features' weights, with the layer, and put
# together from the gradients of the two losses, without it.

cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model, factor = network(), 0.5
kernel = model.get_layer("features").kernel


def gradient(factor, *names):
    """That of a sum of losses, for some images."""
    model.get_layer("reversal").factor.assign(factor)
    truth = {"digit": digits[:64], "tint": tints[:64]}
    with tf.GradientTape() as tape:
        found = model(pixels[:64])
        loss = tf.add_n([cross_entropy(truth[name], found[name]) for name in names])
    return tape.gradient(loss, kernel).numpy()


# A factor of 1 gives the gradient of E_adversary with the opposite sign.
primary, adversary = gradient(1.0, "digit"), -gradient(1.0, "tint")
np.testing.assert_allclose(
    gradient(factor, "digit", "tint"), primary - factor * adversary, atol=1e-6
)

# %%
# Training
# --------
# A factor that is large from the first step disturbs the features before there are any.
# It grows to its end over the first half of the training. Adam works without momentum
# here: momentum follows where the adversary *was*, and the two swing (try
# ``beta_1=0.9`` and look at the loss). The features are bounded by a tanh: else they
# grow, since a loss that is maximised has no end.


def train(end, epochs=40):
    """Trains a network; gives it, and E_adversary after each pass."""
    model = network()
    losses = {"digit": cross_entropy, "tint": cross_entropy}
    model.compile(keras.optimizers.Adam(1e-3, beta_1=0), loss=losses)
    reversal = model.get_layer("reversal")

    def grow(epoch, logs=None):
        reversal.factor.assign(end * min(1.0, epoch / (epochs / 2)))

    history = model.fit(
        pixels,
        {"digit": digits, "tint": tints},
        batch_size=32,
        epochs=epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=grow)],
        verbose=0,
    )
    return model, history.history["tint_loss"]


found = {factor: train(factor) for factor in (0.0, 1.0)}

figure, axis = plt.subplots(figsize=(6, 3))
for (factor, (_, curve)), line in zip(found.items(), ("-", "--"), strict=True):
    axis.plot(curve, line, label=f"factor {factor:g}")
axis.axhline(np.log(4), color="gray", linewidth=1)
axis.text(39, np.log(4) - 0.02, "ln 4: a guess", ha="right", va="top", fontsize=8)
axis.set(xlabel="pass over the images", ylabel="loss of the adversary")
axis.legend()
figure.tight_layout()

# %%
# Who is the judge?
# -----------------
# Not the adversary. Features that make it guess, or make it wrong with certainty, may
# still tell the tint to somebody else: :math:`E_\mathrm{adversary}` has no upper bound,
# and a classifier that is always wrong knows the answer. The judge is a *new*
# classifier that is trained on the features as they are.

print("factor  digit  tint: adversary  new classifier")
codes = {}
for factor, (model, _) in found.items():
    encoder = keras.Model(model.input, model.get_layer("features").output)
    codes[factor] = [encoder.predict(each, verbose=0) for each in (pixels, test_pixels)]
    answers = model.predict(test_pixels, verbose=0)
    digit = np.mean(answers["digit"].argmax(axis=1) == test_digits)
    by_adversary = np.mean(answers["tint"].argmax(axis=1) == test_tints)
    learnt, shown = codes[factor]
    probe = metrics.mlp_probe_accuracy(
        learnt, tints, shown, test_tints, seed=0, passes=100
    )
    shares = f"{100 * digit:4.0f} % {100 * by_adversary:13.0f} % {100 * probe:13.0f} %"
    print(f"{factor:6g} {shares}")

# %%
# Read the last row from left to right. The digits are told as well as before, and the
# adversary finds few more tints than the 25 % of a guess: by its loss, the tint is
# gone. It is not. A new classifier finds about as many as without reversal: the
# features hide the tint from the one that they were trained against, and from nobody
# else. What features tell is what a new classifier finds in them.
#
# The features of the test images, in the plane that separates the tints of the training
# images best:

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6))
colours = ("tab:red", "tab:green", "tab:blue", "gold")
for axis, (factor, (learnt, shown)) in zip(axes, codes.items(), strict=True):
    plane = LinearDiscriminantAnalysis(n_components=2).fit(learnt, tints)
    plane = plane.transform(shown)
    for state, (colour, marker) in enumerate(zip(colours, "os^D", strict=True)):
        points = plane[test_tints == state].T
        axis.plot(*points, marker, color=colour, markersize=3, label=f"tint {state}")
    axis.set(title=f"factor {factor:g}", xticks=[], yticks=[])
axes[1].legend(fontsize=8)
figure.tight_layout()

# %%
# Next: ``python -m tfsemae.train --flagfile=flags/ece417_domain_adversarial.flags
# --output_dir=runs/tints`` does the same on MNIST with a convolutional network,
# ``--nuisance=rot`` with turned digits, and ``--nuisance_bias=0.9`` with tints that go
# with the digit in training only. The artefact ``ece417_domain_adversarial`` compares
# factors: ``./reproduce.sh ece417_domain_adversarial``.
