r"""Two networks against each other
===============================

A generative adversarial network (GAN) has a *generator*, which makes :math:`g(z)` of
random numbers :math:`z`, and a *discriminator* :math:`D`, which says how probable it is
that what it sees is real. They are trained against each other. With :math:`y = 1` for a
real point and 0 for a generated one, the discriminator minimises the cross-entropy

.. math::

    H = -y \ln D - (1 - y) \ln(1 - D)

and the generator wants it to be large. This page trains GANs of points in the plane,
where one sees what they learn and what they forget.
"""

# %%
# The data
# --------
# Eight groups of points on a circle. The data set holds them as images of one pixel;
# ``ring.points`` gives their coordinates.

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tfsemae import data, objectives
from tfsemae.data import ring

real = ring.points(data.pixels(data.load("ring", "train"))).astype(np.float32)
print(f"{len(real)} points in {ring.CLASSES} groups")

# %%
# Two losses of the generator
# ---------------------------
# To make :math:`H` large, the generator minimises :math:`\ln(1 - D)`, which is called
# the *minimax* loss. In its place one can minimise :math:`-\ln D`: it wants the same,
# but has another gradient. Let the discriminator give a logit :math:`l`, with :math:`D
# = 1 / (1 + e^{-l})`. Then
#
# .. math::
#
#     \frac{d}{dl} \ln(1 - D) = -D, \qquad \frac{d}{dl} \left( -\ln D \right) = -(1 - D)
#
# At first the discriminator recognises generated points easily, and D is small. There
# the first gradient is small as well: the generator learns nothing when it is at its
# worst.

print("    D   minimax  nonsat")
for probability in (0.01, 0.5, 0.99):
    slopes = []
    for kind in ("minimax", "nonsat"):
        logit = tf.constant([np.log(probability / (1 - probability))])
        with tf.GradientTape() as tape:
            tape.watch(logit)
            loss = objectives.gan_generator_loss(logit, kind=kind)
        slopes.append(float(tape.gradient(loss, logit)[0]))
    np.testing.assert_allclose(slopes, [-probability, probability - 1], atol=1e-6)
    print(f"{probability:5.2f} {slopes[0]:9.2f} {slopes[1]:7.2f}")

# %%
# Training
# --------
# Each step draws real points and random numbers, updates the discriminator, then the
# generator on the same random numbers. Each network has an optimizer of its own, and
# the gradient of one loss changes one network only.


def network(inputs, outputs):
    """Two hidden layers of 64 units."""
    layers = [keras.Input((inputs,))]
    layers += [keras.layers.Dense(64, "relu") for _ in range(2)]
    return keras.Sequential([*layers, keras.layers.Dense(outputs)])


def train(kind, steps=2_500, batch=128):
    """Trains a GAN; gives 1,000 points of its generator, and H while it trains."""
    keras.utils.set_random_seed(0)
    generator, discriminator = network(4, 2), network(2, 1)
    optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)]

    @tf.function
    def step(points):
        z = tf.random.normal([batch, 4])
        with tf.GradientTape() as tape:
            fakes = generator(z)
            logits = discriminator(points), discriminator(fakes)
            h = tf.reduce_mean(objectives.gan_discriminator_loss(*logits))
        weights = discriminator.trainable_weights
        optimizers[0].apply(tape.gradient(h, weights), weights)
        with tf.GradientTape() as tape:
            logits = discriminator(generator(z))
            loss = objectives.gan_generator_loss(logits, kind=kind)
        weights = generator.trainable_weights
        optimizers[1].apply(tape.gradient(loss, weights), weights)
        return h

    rng = np.random.default_rng(0)
    curve = [
        float(step(tf.constant(real[rng.integers(len(real), size=batch)])))
        for _ in range(steps)
    ]
    return generator(tf.random.stateless_normal([1_000, 4], [0, 0])).numpy(), curve


found = {kind: train(kind) for kind in ("minimax", "nonsat")}

# %%
# Look at the points, not at the loss
# -----------------------------------
# A discriminator that cannot tell has :math:`D = 1/2`, and :math:`H = 2 \ln 2 = 1.386`
# for a real and a generated point together. The converse is not true: a weak
# discriminator has that loss as well, and so may a generator that makes a few of the
# groups only (*mode collapse*). Count the groups.

figure, axes = plt.subplots(1, 3, figsize=(9, 3))
axes[0].plot(*real[:1_000].T, ".", markersize=2)
axes[0].set_title("real")
print("loss     groups  near a group  last H")
for axis, (kind, (points, curve)) in zip(axes[1:], found.items(), strict=True):
    apart = np.linalg.norm(points[:, np.newaxis] - ring.modes(), axis=-1)
    near = apart < 0.3  # 6 standard deviations of a group
    groups = int(np.sum(near.mean(axis=0) > 0.01))
    share = 100 * near.any(axis=1).mean()
    print(f"{kind:8} {groups:6} {share:11.0f} % {np.mean(curve[-100:]):7.3f}")
    axis.plot(*points.T, ".", markersize=2)
    axis.set_title(f"{kind}: {groups} groups")
for axis in axes:
    axis.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
figure.tight_layout()

figure, axis = plt.subplots(figsize=(6, 3))
for (kind, (_, curve)), line in zip(found.items(), ("-", "--"), strict=True):
    smooth = np.convolve(curve, np.full(50, 1 / 50), "valid")
    axis.plot(smooth, line, label=kind)
axis.axhline(2 * np.log(2), color="gray", linewidth=1)
axis.set(xlabel="step", ylabel="H of the discriminator, mean of 50 steps")
axis.legend()
figure.tight_layout()

# %%
# Next: ``python -m tfsemae.train --dataset=mnist --model=dense --gan_loss=nonsat
# --learning_rate=0.0002 --decay_rate=1 --adam_beta_1=0.5`` trains a GAN of images, with
# ``--decoder_from`` from the decoder of an earlier autoencoder. The artefact
# ``ece417_gan`` compares both losses and both starts: ``./reproduce.sh ece417_gan``.
