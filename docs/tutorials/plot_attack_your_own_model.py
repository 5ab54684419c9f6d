r"""Attack your own Keras model
===========================

The semantic attack adds a small change to an image, so that it looks the same while the
encoder reads another code from it. It needs three networks, and none of them has to
come from this package:

* the encoder :math:`e_v` and the decoder :math:`d` of the autoencoder under attack, the
  *victim*;
* a second encoder :math:`e_s`, the *attacker*, trained against the same decoder but
  with wrong labels.

With :math:`I` the image, the adversarial image is

.. math::

    I_a = I + d(e_s(I)) - d(e_v(I))

It differs from :math:`I` only by the difference of two reconstructions of :math:`I`, so
it is as close to :math:`I` as these are good.
"""

# %%
# A model of your own
# -------------------
# Any Keras model that maps ``[B, H, W, C]`` to a code will do, with pixels in [0, 1].

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import layers

from tfsemae import attacks, data, metrics

keras.utils.set_random_seed(0)
train, test = data.load("digits", "train"), data.load("digits", "test")
images, labels = next(iter(data.batches(train, len(train), shuffle=False)))


def new_encoder():
    """An image of 28 x 28 x 1 -> a code of 32 numbers."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(32),
        ]
    )


victim = new_encoder()
decoder = keras.Sequential(
    [
        keras.Input((32,)),
        layers.Dense(128, activation="relu"),
        layers.Dense(28 * 28, activation="sigmoid"),
        layers.Reshape((28, 28, 1)),
    ]
)
autoencoder = keras.Sequential([victim, decoder])
autoencoder.compile("adam", "binary_crossentropy")
autoencoder.fit(images, images, batch_size=32, epochs=15, verbose=0)

# %%
# The attacker
# ------------
# The attacker's encoder is new; the decoder keeps the victim's weights. A classifier
# reads its code, but its labels are permuted over the training images, so that they
# say nothing about these. With :math:`\pi` the permutation the loss is
#
# .. math::
#
#     L = L_\mathrm{rec}(I, d(e_s(I))) + w \, L_\mathrm{class}(y_{\pi}, c(e_s(I)))
#
# ``data.batches(..., shuffle_labels=True)`` permutes the labels.

attacker = new_encoder()
decoder.trainable = False
classifier = keras.Sequential([keras.Input((32,)), layers.Dense(10)])

image = keras.Input((28, 28, 1))
code = attacker(image)
semantic = keras.Model(image, [decoder(code), classifier(code)])
semantic.compile(
    "adam",
    loss=[
        "binary_crossentropy",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ],
    loss_weights=[1.0, 0.01],
)
batches = data.batches(train, 32, seed=0, shuffle_labels=True)
targets = batches.map(lambda x, y: (x, (x, y)))  # reconstruction and label
semantic.fit(targets, shuffle=False, steps_per_epoch=45, epochs=15, verbose=0)

# %%
# The attack
# ----------
# One call evaluates the formula for a batch. The result holds the adversarial images as
# the formula gives them (``adversarial``) and clipped to [0, 1] (``clipped``), and the
# codes and reconstructions they are made of.

originals, _ = next(iter(data.batches(test, 200, shuffle=False)))
result = attacks.semantic_shift(victim, attacker, decoder, originals)

# The formula, written out:
by_hand = originals + decoder(attacker(originals)) - decoder(victim(originals))
np.testing.assert_allclose(result.adversarial, by_hand, atol=1e-5)

# %%
# Look at it
# ----------
# The third row is what changed, on grey.

figure, axes = plt.subplots(3, 8, figsize=(8, 3.4))
rows = {
    "original": originals,
    "adversarial": result.clipped,
    "change": 0.5 + result.clipped - originals,
}
for row, (name, shown) in zip(axes, rows.items(), strict=True):
    for axis, picture in zip(row, shown, strict=False):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    row[0].set_ylabel(name)
figure.tight_layout()

# %%
# Measure it
# ----------
# PSNR and SSIM say how much the image changed; both are higher for images that are more
# alike. How far the code moved towards the attacker's is
#
# .. math::
#
#     p = \frac{\langle e_v(I_a) - e_v(I), \; e_s(I) - e_v(I) \rangle}
#              {\| e_s(I) - e_v(I) \|^2}
#
# which is 0 for a code that stayed and 1 for one that arrived.

print(f"PSNR {tf.reduce_mean(metrics.psnr(originals, result.clipped)):.1f} dB")
print(f"SSIM {100 * tf.reduce_mean(metrics.ssim(originals, result.clipped)):.1f} %")

way = result.target_latent - result.latent
moved = victim(result.adversarial) - result.latent
progress = tf.reduce_sum(moved * way, axis=1) / tf.reduce_sum(way**2, axis=1)
print(f"mean progress {tf.reduce_mean(progress):.2f}")

figure, axis = plt.subplots(figsize=(6, 3))
axis.hist(progress.numpy(), bins=30)
axis.set(xlabel="progress towards the attacker's code", ylabel="images")
figure.tight_layout()

# %%
# A control
# ---------
# Is that more than noise does? Add Gaussian noise of the same norm to each image and
# compare how far the code moves. An attack that does not beat its control has shown
# nothing. On other models and data sets it may not: see the page of results of
# Ming, Du and Lin 2022 on this site, which has more controls and several victims.

change = result.adversarial - originals
noise = tf.random.stateless_normal(change.shape, seed=[0, 0])


def norm(x):
    """The Euclidean norm of each image, ``[B, 1, 1, 1]``."""
    return tf.sqrt(tf.reduce_sum(x**2, axis=[1, 2, 3], keepdims=True))


noise *= norm(change) / norm(noise)
by_noise = victim(originals + noise) - result.latent
for name, shift in {"attack": moved, "noise": by_noise}.items():
    print(f"{name}: the code moves by {tf.reduce_mean(tf.norm(shift, axis=1)):.2f}")
