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


def train(kind, generator=None, alone=0, steps=2_500, batch=128):
    """Trains a GAN; gives 1,000 points of its generator, and H while it trains.

    In the first steps, `alone`, only the discriminator learns.
    """
    keras.utils.set_random_seed(0)
    discriminator = network(2, 1)
    if generator is None:
        generator = network(4, 2)
    optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2)]
    for optimizer, of in zip(optimizers, (discriminator, generator), strict=True):
        optimizer.build(of.trainable_variables)

    @tf.function
    def step(points, together):
        z = tf.random.normal([batch, 4])
        with tf.GradientTape() as tape:
            fakes = generator(z)
            logits = discriminator(points), discriminator(fakes)
            h = tf.reduce_mean(objectives.gan_discriminator_loss(*logits))
        weights = discriminator.trainable_weights
        optimizers[0].apply(tape.gradient(h, weights), weights)
        if not together:
            return h
        with tf.GradientTape() as tape:
            logits = discriminator(generator(z))
            loss = objectives.gan_generator_loss(logits, kind=kind)
        weights = generator.trainable_weights
        optimizers[1].apply(tape.gradient(loss, weights), weights)
        return h

    rng = np.random.default_rng(0)
    curve = [
        float(step(tf.constant(real[rng.integers(len(real), size=batch)]), k >= alone))
        for k in range(alone + steps)
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
# Two starts
# ----------
# A generator that begins at random has to find the data through the gradients of the
# discriminator alone. The lecture advises to begin with a variational autoencoder
# (VAE): its decoder makes points of random numbers already. Then the discriminator
# learns to tell these from real ones, alone, and at last both are trained together. The
# VAE minimises the sum of a divergence :math:`E_f` and of half a squared error,
# :math:`E_g`; :doc:`plot_variational_autoencoder` explains it.

keras.utils.set_random_seed(0)
encoder, decoder = network(2, 8), network(4, 2)
vae = keras.optimizers.Adam(1e-3)


@tf.function
def step_of_vae(points):
    """One step of descent on E_f + E_g."""
    with tf.GradientTape() as tape:
        mean, log_variance = tf.split(encoder(points), 2, axis=1)
        z = mean + tf.exp(log_variance / 2) * tf.random.normal(tf.shape(mean))
        e_f = objectives.kl_to_standard_normal(mean, log_variance)
        e_g = tf.reduce_sum((points - decoder(z)) ** 2, axis=1) / 2
        loss = tf.reduce_mean(e_f + e_g)
    weights = encoder.trainable_weights + decoder.trainable_weights
    vae.apply(tape.gradient(loss, weights), weights)


rng = np.random.default_rng(0)
for _ in range(1_000):
    step_of_vae(tf.constant(real[rng.integers(len(real), size=128)]))

before = decoder(tf.random.stateless_normal([1_000, 4], [0, 0])).numpy()
after, _ = train("nonsat", generator=decoder, alone=300)
figure, axes = plt.subplots(1, 2, figsize=(6, 3))
for axis, name, points in zip(
    axes, ("decoder of the VAE", "then trained as a GAN"), (before, after), strict=True
):
    axis.plot(*points.T, ".", markersize=2)
    axis.set(title=name, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")
figure.tight_layout()

# %%
# The points of the VAE lie on the ring and inside it, but not in groups. That is where
# the GAN begins.
#
# Next: the command below trains a GAN of images; with ``--decoder_from`` and the folder
# of an earlier autoencoder it begins from that one's decoder, and with
# ``--gan_discriminator_steps`` the discriminator learns alone first.
#
# .. code-block:: bash
#
#    python -m tfsemae.train --dataset=mnist --model=conv --latent=16 --batch_size=64 \
#      --gan_loss=nonsat --learning_rate=0.0002 --decay_rate=1 --adam_beta_1=0.5 \
#      --output_dir=runs/gan
#
# The artefact ``ece417_gan`` compares both losses and both starts:
# ``./reproduce.sh ece417_gan``.
