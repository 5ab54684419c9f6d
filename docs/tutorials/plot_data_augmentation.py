r"""More images from few labels
===========================

Labels are expensive. *Data augmentation* makes new images of labelled ones, *fakes*,
and gives them the label of their original; a classifier is then trained on both. The
question is which changes leave the label alone. This page makes fakes in two ways, and
measures how many of them still show their label.
"""

# %%
# Few labels, many images
# -----------------------
# Of 1,437 images of digits, ten of each class have a label that we may use.

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tfsemae import data, objectives

train, test = data.load("digits", "train"), data.load("digits", "test")
pixels, labels = data.pixels(train), train.labels
test_pixels, test_labels = data.pixels(test), test.labels
rng = np.random.default_rng(0)
order = rng.permutation(len(labels))
known = np.concatenate([order[labels[order] == k][:10] for k in range(10)])
few, few_labels = pixels[known], labels[known]

# %%
# Fakes that we know to be harmless
# ---------------------------------
# A digit that is moved by a pixel or two is the same digit.


def moved(images, most=2):
    """Moves each image by up to `most` pixels to each side; what comes in is black."""
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    height, width = images.shape[1:3]
    moves = rng.integers(0, 2 * most, (len(images), 2), endpoint=True)
    return np.stack(
        [
            image[y : y + height, x : x + width]
            for image, (y, x) in zip(padded, moves, strict=True)
        ]
    )


# %%
# Fakes that a network has thought of
# -----------------------------------
# A variational autoencoder gives a code :math:`z \sim N(\mu, \Sigma)` of each image,
# and an image :math:`g(z)` of each code. It learns from all images, without labels. A
# fake is decoded near the code of its original,
#
# .. math::
#
#     x' = g(z), \qquad z \sim N(\mu, s^2 \, \Sigma)
#
# and the larger :math:`s`, the more it differs.

keras.utils.set_random_seed(0)
size, q = few[0].size, 8
encoder = keras.Sequential(
    [keras.Input((size,)), keras.layers.Dense(128, "relu"), keras.layers.Dense(2 * q)]
)
decoder = keras.Sequential(
    [
        keras.Input((q,)),
        keras.layers.Dense(128, "relu"),
        keras.layers.Dense(size, "sigmoid"),
    ]
)


class Variational(keras.Model):
    """Trained on E_f + E_g, see the page on the variational autoencoder."""

    def call(self, x):
        mean, log_variance = tf.split(encoder(x), 2, axis=-1)
        z = mean + tf.exp(log_variance / 2) * tf.random.normal(tf.shape(mean))
        loss = objectives.kl_to_standard_normal(mean, log_variance)
        loss += objectives.half_squared_error(x, decoder(z))
        self.add_loss(tf.reduce_mean(loss))
        return loss


model = Variational()
model.encoder, model.decoder = encoder, decoder  # whose weights are trained
model.compile("adam")
model.fit(pixels.reshape(-1, size), batch_size=32, epochs=40, verbose=0)


def decoded(images, s):
    """g(z) with z ~ N(mu, s^2 Sigma)."""
    flat = tf.constant(images.reshape(-1, size))
    mean, log_variance = tf.split(encoder(flat), 2, axis=-1)
    noise = tf.random.stateless_normal(mean.shape, [0, 0])
    z = mean + s * tf.exp(log_variance / 2) * noise
    return decoder(z).numpy().reshape(images.shape)


scales = (0, 1, 2, 4)
copies, copied_labels = few.repeat(10, axis=0), few_labels.repeat(10)
fakes = {"moved": moved(copies)} | {f"s = {s}": decoded(copies, s) for s in scales}
np.testing.assert_allclose(  # s = 0: the decoded mean
    fakes["s = 0"].reshape(-1, size),
    decoder(encoder(copies.reshape(-1, size))[:, :q]),
    atol=1e-5,
)

figure, axes = plt.subplots(len(fakes) + 1, 10, figsize=(8, 5))
for row, (name, images) in zip(
    axes, {"original": copies, **fakes}.items(), strict=True
):
    for axis, image in zip(row, images[::100], strict=True):  # one of each class
        axis.imshow(image, cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
figure.tight_layout()

# %%
# Does it help, and who says so?
# ------------------------------
# A classifier of the few images, with and without fakes, each twice. Beside it, how
# many fakes show another class than their label: that is measured by an *oracle*, a
# classifier that has learnt from all labels. It only measures. To let it choose fakes
# would give the small classifier labels that it must not have. And it errs as well,
# above all about moved digits, of which it has seen few.


def trained(images, classes, seed=0, steps=300):
    """A classifier after so many steps of 32 images."""
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten()]
    layers += [keras.layers.Dense(64, "relu"), keras.layers.Dense(10)]
    network = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss, steps_per_execution=20)
    endless = tf.data.Dataset.from_tensor_slices((images, classes))
    endless = endless.shuffle(len(images), seed=seed).repeat().batch(32)
    network.fit(endless, steps_per_epoch=steps, shuffle=False, verbose=0)
    return network


def answers(network, images):
    """The most probable class of each image."""
    return network.predict(images, verbose=0).argmax(axis=1)


oracle = trained(pixels, labels, steps=1_200)
found = {}
print("fakes      another class  accuracy, two trainings")
for name, images in {"none": None, **fakes}.items():
    learnt, classes, flipped = few, few_labels, float("nan")
    if images is not None:
        learnt = np.concatenate([few, images])
        classes = np.concatenate([few_labels, copied_labels])
        flipped = 100 * np.mean(answers(oracle, images) != copied_labels)
    accuracies = [
        100
        * np.mean(answers(trained(learnt, classes, seed), test_pixels) == test_labels)
        for seed in range(2)
    ]
    found[name] = flipped, accuracies
    print(
        f"{name:10} {flipped:11.0f} %  " + " ".join(f"{a:5.1f} %" for a in accuracies)
    )

figure, axes = plt.subplots(1, 2, figsize=(8, 3))
for axis, index, label in zip(axes, (0, 1), ("another class", "accuracy"), strict=True):
    of_scales = [np.mean(found[f"s = {s}"][index]) for s in scales]
    axis.plot(scales, of_scales, "o-", label="autoencoder")
    axis.axhline(np.mean(found["moved"][index]), color="C1", ls="--", label="moved")
    axis.set(xlabel="s", ylabel=f"{label} (%)")
axes[1].axhline(np.mean(found["none"][1]), color="gray", ls=":", label="no fakes")
axes[1].legend()
figure.tight_layout()

# %%
# The autoencoder does not know which changes alter the label: the more its fakes
# differ, the more of them lie about it. We knew that a digit may be moved; nobody told
# the network. A remedy is a judge, a classifier of the same few labels, which throws
# fakes away to which it does not give their label.

judge = trained(few, few_labels)
probabilities = tf.nn.softmax(judge.predict(fakes["s = 4"], verbose=0)).numpy()
kept = probabilities[np.arange(len(copies)), copied_labels] >= 0.5
flipped = answers(oracle, fakes["s = 4"]) != copied_labels
print(f"s = 4: {100 * flipped.mean():.0f} % of all fakes show another class.")
share, flipped_share = 100 * kept.mean(), 100 * flipped[kept].mean()
print(f"{share:.0f} % are kept; of these, {flipped_share:.0f} % do.")

# %%
# Next: ``python -m tfsemae.train --labelled_per_class=20 --fakes=shift`` trains a
# classifier of few labels, ``--fakes=vae --fakes_from`` with the fakes of a variational
# autoencoder, ``--fakes_judge`` with a judge. The artefact ``ece417_augmentation``
# compares them on MNIST, with five seeds each: ``./reproduce.sh ece417_augmentation``.
