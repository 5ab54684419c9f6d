r"""Fool a classifier with one gradient step
========================================

A classifier maps an image :math:`x` to one score per class, the *logits*
:math:`z_j`. The softmax makes probabilities of them,

.. math::

    y_k = \frac{e^{z_k}}{\sum_j e^{z_j}}

Training changes the weights so that the probability of the right class rises. An
attack keeps the weights and changes the *image*, so that it falls. A single step along
a gradient is often enough, and too small to matter to a human reader.

This page compares three such steps. It needs no other knowledge than what a gradient
is.
"""

# %%
# A classifier of your own
# ------------------------
# Any Keras model that gives logits will do. This one is trained in seconds, on images
# of digits with pixels in [0, 1].

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tfsemae import attacks, data

keras.utils.set_random_seed(0)
train, test = data.load("digits", "train"), data.load("digits", "test")
classifier = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10),
    ]
)
classifier.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
images, labels = next(iter(data.batches(train, len(train), shuffle=False)))
classifier.fit(images, labels, batch_size=32, epochs=10, verbose=0)


def predict(x):
    """The most probable class of each image."""
    return tf.argmax(classifier(x), axis=1)


images, labels = next(iter(data.batches(test, len(test), shuffle=False)))
right = predict(images) == labels
print(f"{100 * np.mean(right):.1f} % of {len(images)} test images are classified right")
images, labels = images[right], labels[right]  # there is no point in attacking others

# %%
# Three steps
# -----------
# The loss of training is the cross-entropy of the label,
# :math:`E = -\ln y_\mathrm{label}`. To raise it, go along its gradient. Here the
# gradient is taken with respect to the image:
#
# .. math::
#
#     x' = x + \eta \, \frac{\partial E}{\partial x} \qquad \text{(plain)}

plain = attacks.step_plain(classifier, size=1.0)  # size is eta

# %%
# The *fast gradient sign method* changes each pixel by the same amount
# :math:`\epsilon`, up or down:
#
# .. math::
#
#     x' = x + \epsilon \, \mathrm{sign}\!\left(\frac{\partial E}{\partial x}\right)
#     \qquad \text{(sign)}

sign = attacks.step_sign(classifier, size=0.1)  # size is epsilon

# %%
# The third step chooses the mistake: some class that the image does not show, the
# *fake* class, is to become more probable than the label.
#
# .. math::
#
#     x' = x + \eta \, \frac{\partial}{\partial x}
#     \left(\ln y_\mathrm{fake} - \ln y_\mathrm{label}\right) \qquad \text{(fake)}

fake = attacks.step_fake(classifier, size=1.0)
fakes = (labels + 1) % 10  # of a 3 a 4, of a 9 a 0

# %%
# An attack is called with a batch. The formula of the first, written out:

with tf.GradientTape() as tape:
    tape.watch(images)
    losses = keras.losses.sparse_categorical_crossentropy(
        labels, classifier(images), from_logits=True
    )
gradient = tape.gradient(losses, images)
np.testing.assert_allclose(
    plain(images, labels).adversarial, images + 1.0 * gradient, atol=1e-5
)

# %%
# A fair comparison
# -----------------
# How long are these steps? Their length is the Euclidean norm of the change,
# :math:`\|\delta\|_2` with :math:`\delta = x' - x`.


def norm(change):
    """The Euclidean norm of each image."""
    return tf.norm(tf.reshape(change, [len(change), -1]), axis=1)


changes = {
    "plain": plain(images, labels).adversarial - images,
    "sign": sign(images, labels).adversarial - images,
    "fake": fake(images, labels, fakes).adversarial - images,
}
for name, change in changes.items():
    low, middle, high = np.percentile(norm(change), [5, 50, 95])
    print(f"{name}: 5 % below {low:.2g}, half below {middle:.2g}, 5 % above {high:.2g}")

# %%
# The plain step is next to nothing for most images. Its gradient is proportional to
# :math:`1 - y_\mathrm{label}`, and the classifier is sure of what it was trained on.
# The gradient of the difference of two logits has no such factor.
#
# So the three are compared at equal length: ``norm="l2"`` divides each step by its norm
# and makes ``size`` the length. With ``bounds`` the pixels stay in [0, 1], which
# shortens some changes a little. Noise of the same length is the control: an attack
# that does not beat it has shown nothing.

equal = {"size": 1.0, "norm": "l2", "bounds": (0, 1)}
steps = {
    "plain": (attacks.step_plain(classifier, **equal), [labels]),
    "sign": (attacks.step_sign(classifier, **equal), [labels]),
    "fake": (attacks.step_fake(classifier, **equal), [labels, fakes]),
}
sizes = [0.5, 1.0, 2.0, 4.0]
found = {
    name: [attack(images, *classes, size=size) for size in sizes]
    for name, (attack, classes) in steps.items()
}
fooled = {
    name: [np.mean(predict(result.adversarial) != labels) for result in results]
    for name, results in found.items()
}
normal = tf.random.stateless_normal(images.shape, seed=(0, 0))
fooled["noise"] = [
    np.mean(
        predict(tf.clip_by_value(attacks.gaussian_noise(images, normal, size), 0, 1))
        != labels
    )
    for size in sizes
]

figure, axis = plt.subplots(figsize=(6, 3.5))
for (name, rates), marker in zip(fooled.items(), "os^x", strict=True):
    axis.plot(sizes, np.multiply(100, rates), marker=marker, label=name)
    print(name, [f"{100 * rate:.0f} %" for rate in rates])
axis.set(xlabel=r"$\|\delta\|_2$", ylabel="misclassified images (%)", ylim=(-3, 103))
axis.legend()
figure.tight_layout()

# %%
# How often does the image become the class that was chosen? Only the third step aims at
# one.

for name, results in found.items():
    rates = [np.mean(predict(result.adversarial) == fakes) for result in results]
    print(name, [f"{100 * rate:.0f} %" for rate in rates])

# %%
# Look at it
# ----------
# Each attack at the length 2: the image after the step, and above it the change alone,
# as the lecture shows it. There grey is no change, and black and white are the largest
# one. A change alone is an image as well, and the classifier gives it a class, with a
# probability: noise to us, but not to the classifier.


def alone(change):
    """A change as an image in [0, 1]."""
    largest = tf.reduce_max(tf.abs(change), axis=[1, 2, 3], keepdims=True)
    return 0.5 + 0.5 * change / largest


figure, axes = plt.subplots(7, 8, figsize=(8, 8.2))
rows = [("image", images)]
for name, results in found.items():
    point = results[sizes.index(2.0)].adversarial
    rows += [("change", alone(point - images)), (name, point)]
for row, (name, shown) in zip(axes, rows, strict=True):
    probabilities = tf.nn.softmax(classifier(shown)).numpy()
    for axis, picture, each in zip(row, shown, probabilities, strict=False):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        title = f"{each.argmax()}  {100 * each.max():.0f} %"
        axis.set_title(title, fontsize=8, pad=2)
    row[0].set_ylabel(name)
figure.tight_layout()

# %%
# Without knowing the parameters
# ------------------------------
# An attacker who cannot see a network may train another one, and attack that. Here is a
# second network, of other layers and with other initial weights. It has no part in the
# steps: it is shown the images that were made with the gradients of the first one.

keras.utils.set_random_seed(1)
second = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(10),
    ]
)
second.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
learnt, answers = next(iter(data.batches(train, len(train), shuffle=False)))
second.fit(learnt, answers, batch_size=32, epochs=10, verbose=0)
kept = tf.argmax(second(images), axis=1) == labels  # right without a step as well


def fooled_second(x):
    """Share of the images that the second network no longer classifies right."""
    return np.mean((tf.argmax(second(x), axis=1) != labels)[kept])


print("length      " + "".join(f"{size:>7}" for size in sizes))
for name, results in found.items():
    rates = [fooled_second(result.adversarial) for result in results]
    print(f"{name:12}" + "".join(f"{100 * rate:5.0f} %" for rate in rates))
noisy = [attacks.gaussian_noise(images, normal, size) for size in sizes]
rates = [fooled_second(tf.clip_by_value(each, 0, 1)) for each in noisy]
print(f"{'noise':12}" + "".join(f"{100 * rate:5.0f} %" for rate in rates))

# %%
# Next: many small steps within a ball find more than one large step does, see
# :class:`tfsemae.attacks.PGD`. It takes the same objectives, for example
# ``attacks.PGD(objectives.cross_entropy(classifier), epsilon=2.0)`` with
# ``from tfsemae.attacks import objectives``. The artefact
# ``ece417_adversarial_images`` does this page's measurements on MNIST, for all pairs of
# a label and a fake class: ``./reproduce.sh ece417_adversarial_images``.
