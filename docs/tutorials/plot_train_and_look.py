r"""Train a semantic autoencoder and look at its code
=================================================

An autoencoder maps an image :math:`x` to a short code :math:`z = e(x)` and back to
an image :math:`d(z)`. It is trained to reconstruct, so nothing makes images of one
class lie together in the space of codes. A *semantic* autoencoder adds a small
classifier :math:`c` that reads the code, and trains all three networks on

.. math::

    L = L_\mathrm{rec}(x, d(e(x))) + w \, L_\mathrm{class}(y, c(e(x)))

with :math:`L_\mathrm{rec}` the mean binary cross-entropy over pixels,
:math:`L_\mathrm{class}` the cross-entropy of the label :math:`y`, and :math:`w` the
weight of the second. Here you train one on small images of digits, look at what it
reconstructs, and see what the weight does to the code.
"""

# %%
# Train
# -----
# The command line trains a network and leaves everything about the run in one
# folder; the script below starts the same commands that you would type in a shell.
# ``--semantic_weight`` is :math:`w` of the formula. A weight of 0.1 is large: it makes
# the effect easy to see. ``--nomeasure_classes`` leaves out measures of the classes in
# the code, as you make some of them below.

import subprocess
import sys
import tempfile

runs = tempfile.mkdtemp()


def train(name, *flags):
    """Trains for 300 steps and returns the folder of the run."""
    folder = f"{runs}/{name}"
    common = ["--dataset=digits", "--steps=300", "--batch_size=16", "--threads=1"]
    common += ["--nomeasure_classes", f"--output_dir={folder}"]
    command = [sys.executable, "-m", "tfsemae.train", *common, *flags]
    subprocess.run(command, check=True, capture_output=True)
    return folder


folders = {
    "vanilla": train("vanilla"),
    "semantic": train("semantic", "--semantic", "--semantic_weight=0.1"),
}

# %%
# Load
# ----
# ``Autoencoder.load`` gives ordinary functional Keras models: ``encoder``, ``decoder``
# and, in the semantic one, ``classifier``.

import matplotlib.pyplot as plt
import tensorflow as tf

from tfsemae import data, metrics, models

networks = {name: models.Autoencoder.load(folder) for name, folder in folders.items()}
test = data.load("digits", "test")
images, labels = next(iter(data.batches(test, len(test), shuffle=False)))
print(networks["semantic"].encoder.output_shape, "numbers for each image of 28 x 28")

# %%
# Look at the reconstructions
# ---------------------------
# The peak signal-to-noise ratio compares two images with pixels in [0, 1]:
#
# .. math::
#
#     \mathrm{PSNR}(x, y) = -10 \log_{10} \frac{1}{n} \sum_{i=1}^{n} (x_i - y_i)^2
#
# It is given in decibels, and 10 dB more mean a tenth of the squared error.
# :func:`tfsemae.metrics.psnr` returns one value for each pair of images.

codes = {name: network.encoder(images) for name, network in networks.items()}
reconstructions = {
    name: network.decoder(codes[name]) for name, network in networks.items()
}

figure, axes = plt.subplots(3, 8, figsize=(8, 3.4))
rows = {"original": images, **reconstructions}
for row, (name, shown) in zip(axes, rows.items(), strict=True):
    for axis, image in zip(row, shown, strict=False):
        axis.imshow(image, cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.tight_layout()

for name, reconstruction in reconstructions.items():
    mean = tf.reduce_mean(metrics.psnr(images, reconstruction))
    print(f"{name}: {mean:.1f} dB")

# %%
# Look at the codes
# -----------------
# t-SNE draws the codes in the plane so that near codes stay near. It is a picture, not
# a measurement: distances between groups mean little.

from tfsemae.reports import embeddings

figure, axes = plt.subplots(1, 2, figsize=(8, 4))
for axis, (name, code) in zip(axes, codes.items(), strict=True):
    x, y = embeddings.tsne(code, seed=0).T
    axis.scatter(x, y, c=labels, cmap="tab10", s=0)
    for place in zip(x, y, labels.numpy(), strict=True):
        color = plt.cm.tab10(place[2])
        axis.text(*place[:2], place[2], color=color, ha="center", va="center")
    axis.set(title=name, xticks=[], yticks=[])
figure.tight_layout()

# %%
# Measure
# -------
# The silhouette of a code compares its mean distance :math:`a` to the codes of its own
# class with its mean distance :math:`b` to the nearest other class:
#
# .. math::
#
#     s = \frac{b - a}{\max(a, b)}
#
# The mean over all codes is 1 where classes are distant points and 0 where they
# coincide. Compare it with the PSNR above: the weight buys separation and pays with
# reconstruction.

for name, code in codes.items():
    print(f"{name}: silhouette {metrics.silhouette(code, labels):.2f}")

# %%
# Next: train with other weights and draw PSNR against silhouette. That is what the
# artefact ``ming2022_weight`` does on MNIST.
