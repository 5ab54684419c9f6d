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
# Each attack at the length 2: the image after the step with the class that the
# classifier now sees, and below it the change alone, four times as strong, on grey.

figure, axes = plt.subplots(7, 8, figsize=(8, 7.6))
rows = [("original", images, None)]
for name, results in found.items():
    point = results[sizes.index(2.0)].adversarial
    rows += [(name, point, None), ("change", 0.5 + 4 * (point - images), "")]
for row, (name, shown, title) in zip(axes, rows, strict=True):
    classes = predict(shown).numpy()
    for axis, picture, number in zip(row, shown, classes, strict=False):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
        axis.set_title(str(number) if title is None else title, fontsize=8, pad=2)
    row[0].set_ylabel(name)
figure.tight_layout()

# %%
# Next: many small steps within a ball find more than one large step does, see
# :class:`tfsemae.attacks.PGD`. It takes the same objectives, for example
# ``attacks.PGD(objectives.cross_entropy(classifier), epsilon=2.0)`` with
# ``from tfsemae.attacks import objectives``.
