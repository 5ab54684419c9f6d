r"""A variational autoencoder, term by term
=======================================

An autoencoder decodes the codes of images that it has seen. What does its decoder make
of other codes? Nothing sensible, as a rule: nothing was said about them. A
*variational* autoencoder (VAE) says which codes there are: they shall be distributed as
normal random numbers. Then one draws such a code, decodes it, and has a new image.

Its encoder gives two numbers for each entry of the code, a mean :math:`\mu_k` and a
standard deviation :math:`\sigma_k`, and the code is drawn from that distribution. The
loss has two terms:

.. math::

    E_f = \frac{1}{2} \sum_k \left( \mu_k^2 + \sigma_k^2 - \ln \sigma_k^2 - 1 \right),
    \qquad
    E_g = \frac{1}{2} \sum_j \left( x_j - \hat x_j \right)^2

:math:`E_f` is smallest, 0, where all :math:`\mu_k = 0` and :math:`\sigma_k = 1`;
:math:`E_g` asks for the opposite, since a code without noise tells the image apart.
"""

# %%
# The first term
# --------------
# It is the Kullback-Leibler divergence of the code's distribution from the standard
# normal one. The table has the formula, and the function of this package.

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from tfsemae import data, objectives
from tfsemae.models import distributions, linear

keras.utils.set_random_seed(0)

print("   mu  sigma      E_f")
for mu, sigma in ((0.0, 1.0), (1.0, 1.0), (0.0, 2.0), (0.0, 0.1)):
    by_hand = 0.5 * (mu**2 + sigma**2 - np.log(sigma**2) - 1)
    found = objectives.kl_to_standard_normal([[mu]], [[np.log(sigma**2)]])[0]
    np.testing.assert_allclose(found, by_hand, atol=1e-6)
    print(f"{mu:5.1f} {sigma:6.1f} {found:8.4f}")

# %%
# The networks
# ------------
# The encoder gives :math:`\mu` and :math:`\ln \sigma^2`, so that :math:`\sigma` is
# positive whatever it says. The code is :math:`z = \mu + \sigma \varepsilon` with
# normal :math:`\varepsilon`: in this form, gradients reach :math:`\mu` and
# :math:`\sigma`.

pixels = data.pixels(data.load("digits", "train"))
images = pixels.reshape(len(pixels), -1)
size, q = images.shape[1], 4

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


def terms(x):
    """E_f and E_g of each image, sums over code and pixels."""
    mean, log_variance = tf.split(encoder(x), 2, axis=-1)
    noise = tf.random.normal(tf.shape(mean))
    reconstruction = decoder(mean + tf.exp(log_variance / 2) * noise)
    e_f = objectives.kl_to_standard_normal(mean, log_variance)
    return e_f, objectives.half_squared_error(x, reconstruction)


class Variational(keras.Model):
    """Trained on E_f + E_g, mean over the batch."""

    def call(self, x):
        e_f, e_g = terms(x)
        self.add_loss(tf.reduce_mean(e_f + e_g))
        return e_f + e_g


model = Variational()
model.encoder, model.decoder = encoder, decoder  # whose weights are trained
model.compile("adam")


class Record(keras.callbacks.Callback):
    """E_f and E_g of all images after each epoch."""

    def __init__(self):
        super().__init__()
        self.values = []

    def on_epoch_end(self, epoch, logs=None):
        self.values.append([float(tf.reduce_mean(term)) for term in terms(images)])


record = Record()
model.fit(images, batch_size=32, epochs=40, verbose=0, callbacks=[record])

figure, axis = plt.subplots(figsize=(6, 3))
for name, curve, line in zip(
    ("E_f", "E_g"), np.transpose(record.values), ("-", "--"), strict=True
):
    axis.plot(curve, line, label=name)
    print(f"{name}: {curve[-1]:.2f}")
axis.set(xlabel="epoch", ylabel="mean over the images")
axis.legend()
figure.tight_layout()

# %%
# Sum over the pixels, do not average: a mean would divide :math:`E_g` by the number of
# pixels, and :math:`E_f` would win.

# %%
# Two ways to draw a code
# -----------------------
# The lecture of which this is a part has two: :math:`z` from the standard normal
# distribution; or first a mean and a standard deviation from the prior :math:`\prod_k
# \sigma_k \exp(-(\mu_k^2 + \sigma_k^2 - 1) / 2)`, then :math:`z`. They are not the
# same. The second has the variance 3, three times that of the codes with which the
# decoder was trained.

figure, axes = plt.subplots(4, 8, figsize=(8, 4.2))
for rows, generator in zip((axes[:2], axes[2:]), distributions.GENERATORS, strict=True):
    z = distributions.sample_prior(20_000, q, seed=(0, 0), generator=generator)
    print(f"{generator}: variance of z {np.var(z):.2f}")
    for axis, image in zip(rows.flat, decoder(z[:16]).numpy(), strict=True):
        axis.imshow(image.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
        axis.set(xticks=[], yticks=[])
    rows[0, 0].set_ylabel(generator)
figure.tight_layout()

# %%
# Entries that are not used
# -------------------------
# How many numbers does a VAE use? Of a linear one there is an answer: along an
# eigenvector of the covariance with the eigenvalue :math:`\lambda`, the entry costs
# :math:`E_f = \frac{1}{2} \ln \lambda` and is used where :math:`\lambda > 1`, the
# variance that :math:`E_g` takes for noise. All others collapse to the prior.

covariance = np.cov(images.astype(np.float64), rowvar=False)
best = linear.variational((covariance + covariance.T) / 2, 12)
used = int(np.sum(best.divergences > 0))
print(f"{used} of 12 entries of a linear VAE are used")

mean, log_variance = tf.split(encoder(images), 2, axis=-1)
each = 0.5 * (mean**2 + tf.exp(log_variance) - log_variance - 1)
of_entries = np.sort(np.mean(each, axis=0))[::-1]
print("E_f of each entry, deep:", " ".join(f"{value:.2f}" for value in of_entries))

figure, axis = plt.subplots(figsize=(6, 3))
axis.plot(range(1, 13), best.divergences, "o-", label="linear VAE, in closed form")
axis.plot(range(1, q + 1), of_entries, "s--", label="this VAE")
axis.set(xlabel="entry of the code, in descending order", ylabel="E_f (nats)")
axis.legend()
figure.tight_layout()

# %%
# Next: the artefact ``ece417_vae`` trains on MNIST and lets a classifier judge the
# samples: ``./reproduce.sh ece417_vae``. ``python -m tfsemae.train --variational
# --regularizer=kl`` trains a VAE in one command.
