"""Networks as a SavedModel, to be used where tfsemae is not installed."""

import json

import keras
import tensorflow as tf

from tfsemae import files, keras_state
from tfsemae.models import verification
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier
from tfsemae.models.gan import Gan
from tfsemae.models.recogniser import Recogniser


@keras_state.standard()
def export(
    networks: Autoencoder | Classifier | Gan | Recogniser, path: files.PathLike
) -> None:
    """Writes a SavedModel; an earlier one at `path` is replaced.

    Endpoints, each for any batch size, of a classifier: `classify` image -> logits,
    which is also `serving_default`, and `features` image -> features. Of a
    recogniser: `spell` image -> symbols, which is also `serving_default`, and
    `features`. Of a
    GAN: `generate` latent -> image, which is also `serving_default`, and `discriminate`
    image -> logit. Of an autoencoder: `encode` image -> latent, `decode` latent ->
    image, `reconstruct` image -> image, which is also `serving_default`; where there
    is a classifier, `classify` image -> logits; of a variational autoencoder
    `posterior` image -> `mean` and `log_variance`, and `sample` (number int32 [],
    seed int32 [2]) -> images of latents that are drawn from the prior; of a decoder
    with variances `likelihood` latent -> `mean` and `log_variance` of the pixels. Load
    it with `tf.saved_model.load(path).encode(images)`. The digests of its files are in
    `sha256.json`, see `verify`.

    Args:
        networks: what is exported.
        path: the folder to write.

    Raises:
        OSError: if it cannot be written; an earlier one stays.
    """
    archive = keras.export.ExportArchive()
    if isinstance(networks, Classifier):
        _add_classifier(archive, networks)
    elif isinstance(networks, Gan):
        _add_gan(archive, networks)
    elif isinstance(networks, Recogniser):
        _add_recogniser(archive, networks)
    else:
        _add_autoencoder(archive, networks)
    with files.replacing_folder(path, errors=(tf.errors.OpError,)) as folder:
        archive.write_out(folder, verbose=False)
        digests = json.dumps(files.sha256_of_folder(folder), indent=2)
        (folder / verification.MANIFEST).write_text(digests + "\n")


def verify(path: files.PathLike) -> None:
    """Checks the files of a SavedModel by their digests, without loading it.

    `verification.verify_saved_model` does the same without importing TensorFlow.

    Args:
        path: the folder that `export` wrote.

    Raises:
        ValueError: if a file is missing or has other content; the message names
            it.
    """
    verification.verify_saved_model(path)


def _add_classifier(
    archive: keras.export.ExportArchive, classifier: Classifier
) -> None:
    images = tf.TensorSpec((None, *classifier.image_shape), tf.float32, name="image")
    joint = classifier.joint()
    archive.track(joint)
    archive.add_endpoint(  # the first becomes serving_default
        "classify", lambda x: joint(x, training=False)["logits"], [images]
    )
    archive.add_endpoint(
        "features", lambda x: joint(x, training=False)["features"], [images]
    )


def _add_gan(archive: keras.export.ExportArchive, gan: Gan) -> None:
    given = gan.latent + gan.classes
    latents = tf.TensorSpec((None, given), tf.float32, name="latent")
    images = tf.TensorSpec((None, *gan.image_shape), tf.float32, name="image")
    generator, discriminator = gan.generator, gan.discriminator
    archive.track(generator)
    archive.track(discriminator)
    archive.add_endpoint(  # the first becomes serving_default
        "generate", lambda z: generator(z, training=False), [latents]
    )
    archive.add_endpoint(
        "discriminate", lambda x: discriminator(x, training=False), [images]
    )


def _add_recogniser(
    archive: keras.export.ExportArchive, recogniser: Recogniser
) -> None:
    images = tf.TensorSpec((None, *recogniser.image_shape), tf.float32, name="image")
    listener = recogniser.listener
    archive.track(listener)
    archive.track(recogniser.speller)
    archive.add_endpoint("spell", recogniser.symbols, [images])  # serving_default
    archive.add_endpoint(
        "features", lambda x: listener(x, training=False)["features"], [images]
    )


def _add_autoencoder(
    archive: keras.export.ExportArchive, autoencoder: Autoencoder
) -> None:
    images = tf.TensorSpec((None, *autoencoder.image_shape), tf.float32, name="image")
    latents = tf.TensorSpec(
        (None, *autoencoder.encoder.output_shape[1:]), tf.float32, name="latent"
    )
    encoder, decoder = autoencoder.encoder, autoencoder.decoder
    archive.track(encoder)
    archive.track(decoder)
    archive.add_endpoint(  # the first becomes serving_default
        "reconstruct",
        lambda x: decoder(encoder(x, training=False), training=False),
        [images],
    )
    archive.add_endpoint("encode", lambda x: encoder(x, training=False), [images])
    archive.add_endpoint("decode", lambda z: decoder(z, training=False), [latents])
    classifier = autoencoder.classifier
    if classifier is not None:
        archive.track(classifier)
        archive.add_endpoint(
            "classify",
            lambda x: classifier(encoder(x, training=False), training=False),
            [images],
        )
    if autoencoder.pixel_log_variance is not None:
        likelihood = autoencoder.likelihood()
        archive.track(likelihood)
        archive.add_endpoint(
            "likelihood", lambda z: likelihood(z, training=False), [latents]
        )
    if autoencoder.log_variance is not None:
        posterior = autoencoder.posterior()
        archive.track(posterior)
        archive.add_endpoint(
            "posterior", lambda x: posterior(x, training=False), [images]
        )
        shape = encoder.output_shape[1:]
        archive.add_endpoint(
            "sample",
            lambda number, seed: decoder(
                tf.random.stateless_normal((number, *shape), seed), training=False
            ),
            [
                tf.TensorSpec((), tf.int32, name="number"),
                tf.TensorSpec((2,), tf.int32, name="seed"),
            ],
        )
