r"""Autoencoders and principal components
=====================================

An autoencoder writes an image :math:`x` of :math:`p` pixels as a code :math:`z` of
:math:`q` numbers, and an image :math:`\hat x` from the code. It is trained so that the
mean squared error over :math:`n` images is small:

.. math::

    E = \frac{1}{n} \sum_{i=1}^{n} \| x_i - \hat x_i \|^2

This page trains a linear autoencoder and finds that it is principal component analysis
(PCA); then one with hidden layers, which does better; and one with so many weights that
it learns its training images by heart.
"""

# %%
# Images as vectors
# -----------------
# Small images of digits, every second pixel of each, as rows of a matrix. The mean
# image is subtracted first: the formulas below are those of centred data.

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tfsemae import data, metrics
from tfsemae.models import linear

keras.utils.set_random_seed(0)


def vectors(split):
    """Images of 14 x 14 pixels in [0, 1], one in each row."""
    pixels = data.pixels(data.load("digits", split))
    return pixels[:, ::2, ::2].reshape(len(pixels), -1)


def covariance_of(rows):
    """The covariance matrix of rows, exactly symmetric."""
    found = np.cov(rows, rowvar=False, ddof=0)
    return (found + found.T) / 2


train, test = vectors("train"), vectors("test")
mean = train.mean(axis=0)
centred = train - mean
covariance = covariance_of(train)
print(f"{len(train)} images of {train.shape[1]} pixels")

# %%
# The linear autoencoder
# ----------------------
# Let the code be :math:`z = U (x - m)` with a matrix :math:`U` of :math:`q` rows and
# the mean image :math:`m`, and the image :math:`\hat x = m + U^\top z`. With the
# covariance :math:`\Sigma` of the images the error is
#
# .. math::
#
#     E(U) = \mathrm{tr}\!\left( \Sigma - U^\top U \Sigma - \Sigma U^\top U
#            + U^\top U \Sigma \, U^\top U \right)
#
# :func:`tfsemae.models.linear.error` is this formula, and ``descend`` follows its
# gradient from small random numbers.

q = 5
encoders, decoders = linear.descend(covariance, q, steps=2_000)
by_descent = encoders[0].numpy()
print(f"E after training: {linear.error(by_descent, covariance):.6f}")

# %%
# PCA needs no training. Its rows are the eigenvectors of :math:`\Sigma` with the
# largest eigenvalues :math:`\lambda_k`, and its error is the sum of the others:
#
# .. math::
#
#     E_\mathrm{min} = \sum_{k > q} \lambda_k

best = linear.principal(covariance, q)
print(f"E of PCA: {best.error:.6f}")
np.testing.assert_allclose(best.error, best.eigenvalues[q:].sum())

# %%
# The same subspace, another basis
# --------------------------------
# Did it find the same? The *principal angles* between the spans of two sets of vectors
# say so: all are 0 where the spans are equal. Row by row the two matrices differ, since
# any rotation of the code has the same error. The code of PCA is uncorrelated; that of
# the autoencoder is not.
#
# An angle takes long to vanish where :math:`\lambda_q` is little above
# :math:`\lambda_{q+1}`: the error hardly depends on which of these two directions is
# kept.

angles = metrics.principal_angles(by_descent, best.encoder)
print("principal angles in radians:", " ".join(f"{angle:.1e}" for angle in angles))

figure, axes = plt.subplots(2, q, figsize=(8, 3.6))
for row, (name, matrix) in zip(
    axes, {"PCA": best.encoder, "autoencoder": by_descent}.items(), strict=True
):
    for axis, vector in zip(row, matrix, strict=True):
        axis.imshow(vector.reshape(14, 14), cmap="gray")
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.tight_layout()

for name, matrix in {"PCA": best.encoder, "autoencoder": by_descent}.items():
    correlation = np.corrcoef(centred @ matrix.T, rowvar=False) - np.eye(q)
    print(f"{name}: largest correlation of two numbers {np.abs(correlation).max():.2f}")

# %%
# Hidden layers
# -------------
# A deep autoencoder replaces the two matrices by networks: :math:`z = f(x)` and
# :math:`\hat x = g(z)`. Nothing else changes: the loss is the same.


def autoencoder(size, hidden, code):
    """A network of an image, with ReLU between its layers."""
    layers = [keras.Input((size,))]
    layers += [keras.layers.Dense(units, "relu") for units in hidden]
    layers += [keras.layers.Dense(code)]
    layers += [keras.layers.Dense(units, "relu") for units in reversed(hidden)]
    return keras.Sequential([*layers, keras.layers.Dense(size)])


def squared_error(x, reconstruction):
    """|x - x^|^2 of each image."""
    return tf.reduce_sum(tf.square(x - reconstruction), axis=-1)


deep = autoencoder(train.shape[1], [128, 32], q)
deep.compile("adam", squared_error)
deep.fit(train, train, batch_size=32, epochs=25, verbose=0)


def pca(x):
    """The reconstruction of PCA."""
    return mean + (x - mean) @ best.encoder.T @ best.encoder


print("E          training   test")
for name, reconstruct in {"PCA": pca, "deep": deep}.items():
    errors = [float(np.mean(squared_error(x, reconstruct(x)))) for x in (train, test)]
    print(f"{name:10} {errors[0]:8.3f} {errors[1]:6.3f}")

figure, axes = plt.subplots(3, 8, figsize=(8, 3.4))
rows = {"original": test, "PCA": pca(test), "deep": deep(test)}
for row, (name, shown) in zip(axes, rows.items(), strict=True):
    for axis, image in zip(row, np.asarray(shown), strict=False):
        axis.imshow(image.reshape(14, 14), cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.tight_layout()

# %%
# A curved surface
# ----------------
# Why can hidden layers help? Points on a Moebius strip need two numbers, an angle and a
# place on its width, but the strip lies in no plane. The deep autoencoder bends its
# surface along the strip. It has to tear it somewhere, as a strip that is closed has
# no two coordinates without a jump: there the error stays large.

rng = np.random.default_rng(0)
angle, place = rng.uniform(0, 2 * np.pi, 4_000), rng.uniform(-0.4, 0.4, 4_000)
radius = 1 + place * np.cos(angle / 2)
strip = np.stack(
    [radius * np.cos(angle), radius * np.sin(angle), place * np.sin(angle / 2)], axis=1
).astype(np.float32)

bent = autoencoder(3, [64, 64], 2)
bent.compile(keras.optimizers.Adam(0.003), squared_error)
bent.fit(strip, strip, batch_size=100, epochs=40, verbose=0)
flat = linear.principal(covariance_of(strip), 2).encoder
middle = strip.mean(axis=0)
errors = {
    "PCA": squared_error(strip, middle + (strip - middle) @ flat.T @ flat).numpy(),
    "deep": squared_error(strip, bent(strip)).numpy(),
}

figure, axes = plt.subplots(1, 2, figsize=(8, 3), sharey=True)
for axis, (name, error) in zip(axes, errors.items(), strict=True):
    axis.scatter(angle, place, c=np.sqrt(error), s=2, vmin=0, vmax=0.3)
    axis.set(title=f"{name}: mean E {error.mean():.4f}", xlabel="angle")
    print(f"{name}: mean E {error.mean():.5f}, largest {error.max():.3f}")
axes[0].set_ylabel("place on the width")
figure.tight_layout()

# %%
# Zero error on the training images
# ---------------------------------
# With more weights than numbers in the training images, an autoencoder can reconstruct
# all of these exactly. That says nothing of other images: the error on the training
# images goes on to fall towards 0, while that on test images stops at a value many
# times as large. A small training error is no sign of a good autoencoder.

few = train[:50]
large = autoencoder(train.shape[1], [256], 64)
large.compile(keras.optimizers.Adam(0.002), squared_error)
history = large.fit(
    few, few, batch_size=50, epochs=300, verbose=0, validation_data=(test, test),
    validation_freq=20,
)  # fmt: skip
learnt, other = history.history["loss"], history.history["val_loss"]
print(f"training images: {learnt[-1]:.5f}")
print(f"test images: {other[-1]:.3f}, least {min(other):.3f} on the way")

figure, axis = plt.subplots(figsize=(6, 3))
axis.semilogy(learnt, label="50 training images")
axis.semilogy(range(19, 300, 20), other, "--", label="test images")
axis.set(xlabel="epoch", ylabel="E")
axis.legend()
figure.tight_layout()

# %%
# Next: the artefact ``ece417_pca`` does the same on MNIST, with codes of 2, 8 and 32
# numbers: ``./reproduce.sh ece417_pca``.
