"""Generative adversarial networks: a generator against a discriminator."""

from typing import Any

import keras
import tensorflow as tf

from tfsemae import data, models, objectives
from tfsemae.evaluation import gan as evaluation
from tfsemae.models.gan import Gan
from tfsemae.run_folder import Metrics
from tfsemae.training import draws, fakes, optimizers, warm_start
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import Settings


class GanProcedure:
    """Each step updates the discriminator, then the generator, on the same latents.

    With D = sigmoid(logit), images x and generated images g(z), z ~ N(0, I), the
    discriminator minimises `-ln D(x) - ln(1 - D(g(z)))`, and the generator
    `ln(1 - D(g(z)))` (minimax) or `-ln D(g(z))` (nonsat). Each has an optimizer of its
    own. The generator is the decoder of a network of autoencoders, and may begin with
    that of an earlier one; the discriminator is another encoder, of one number. Both
    are called as in training, real and generated images in batches of their own.

    With `--gan_labelled_per_class` both are given labels: the generator beside the
    latent, and the discriminator has a logit for each class, of which that of the label
    counts. Generated images have the labels of the real ones of their batch. See
    `procedure.Procedure` for what the methods do.

    Source: ECE 417, lecture 22; Goodfellow et al. 2014, "Generative adversarial nets";
    Mirza and Osindero 2014, "Conditional generative adversarial nets", whose
    discriminator takes the label as an input (the logits are our choice).
    """

    @classmethod
    def build(cls, settings: Settings, images: data.Images) -> "GanProcedure":
        """Builds the networks for images and compiles them.

        Args:
            settings: of the run.
            images: of which size.

        Raises:
            ValueError: if there are no labels where they are needed; see `models.build`
                and `warm_start.copy_weights`.
        """
        shape, network = images.images.shape[1:], settings.network
        classes = _classes(settings, images)

        def built(**changes: Any) -> Any:
            options = network.options | changes
            seed = settings.run.seed
            return models.build(network.model, shape, seed=seed, **options)

        autoencoder = built(latent=network.options["latent"] + classes)
        discriminator = built(latent=classes or 1).encoder
        earlier = settings.procedure.decoder_from
        warm_start.copy_weights(autoencoder, "decoder", earlier)
        return cls(Gan(autoencoder.decoder, discriminator), settings)

    def __init__(self, networks: Gan, settings: Settings):
        """Compiles the networks.

        Args:
            networks: trained in place.
            settings: of loss, rates and seed.
        """
        self.networks = networks
        self._settings = settings
        self._draws = {"noise": draws.normal(networks.latent)}
        self.model = _Adversaries(networks, settings)
        self.optimizers = [self.model.optimizer, self.model.discriminator_optimizer]

    def check(self, images: data.Images, reference: data.Images) -> None:
        """See `Procedure`; nothing is learned from the reference."""
        evaluation.check(self.networks, images)

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """See `Procedure`."""
        count = self._settings.procedure.gan.gan_labelled_per_class
        if count is not None:
            images = fakes.labelled(images, count, self._settings.run.seed)
        batches = data.batches(images, batch_size, seed=seed, start_step=start_step)
        pairs = batches if self.networks.classes else batches.map(_without_labels)
        return draws.add(pairs, self._draws, seed=seed, start_step=start_step)

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """A GAN has no loss of images held out; the settings refuse them."""
        raise NotImplementedError

    def preview(self, images: tf.Tensor) -> tf.Tensor:
        """As many generated images, of the same latents each time."""
        z = evaluation.latents(self.networks, len(images), self._settings.run.seed)
        return self.networks.generator(z, training=False)

    def evaluate(
        self, images: data.Images, reference: data.Images, *, output_dir: Any, seed: int
    ) -> Metrics:
        """See `Procedure`; nothing is learned."""
        return evaluation.evaluate(
            self.networks, images, output_dir=output_dir, seed=seed
        )


def _classes(settings: Settings, images: data.Images) -> int:
    """How many classes the networks are given; 0 if none."""
    count = settings.procedure.gan.gan_labelled_per_class
    if count is None:
        return 0
    if images.labels is None:
        raise ValueError(
            f"--dataset={settings.data.dataset} has no labels, which "
            f"--gan_labelled_per_class={count} needs. Name a labelled data set."
        )
    return len(images.class_names)


def _without_labels(images: tf.Tensor, labels: tf.Tensor | None = None) -> tuple:
    return images, tf.zeros(tf.shape(images)[:1])


class _Adversaries(StepCounter):
    """A functional model with a step of its own."""

    def __init__(self, networks: Gan, settings: Settings):
        image = keras.Input(networks.image_shape, name="image")
        noise = keras.Input((networks.latent + networks.classes,), name="noise")
        outputs = {
            "real": networks.discriminator(image),
            "fake": networks.discriminator(networks.generator(noise)),
        }
        super().__init__({"image": image, "noise": noise}, outputs, name="gan")
        # A function: Keras would write parts that are attributes to checkpoints twice.
        self._networks = lambda: networks
        chosen = settings.procedure.gan
        self._kind = str(chosen.gan_loss)
        self._alone = chosen.gan_discriminator_steps
        self._losses = {
            name: keras.metrics.Mean(f"{name}_loss")
            for name in ("discriminator", "generator")
        }
        # An attribute, so that checkpoints hold it.
        self.discriminator_optimizer = optimizers.make(settings.optimizer)
        self.compile(
            optimizers.make(settings.optimizer),
            jit_compile=settings.run.jit_compile,
            steps_per_execution=settings.steps_per_execution,
        )
        # Before a checkpoint is read: Keras restores only variables that exist.
        self.optimizer.build(networks.generator.trainable_variables)
        self.discriminator_optimizer.build(networks.discriminator.trainable_variables)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Updates the discriminator, then the generator."""
        inputs, labels = data
        self.step.assign_add(1)
        noise = self._networks().given(inputs["noise"], labels)
        self._update_discriminator(inputs["image"], noise, labels)
        if not self._alone:
            self._update_generator(noise, labels)
        else:
            tf.cond(
                self.step.value > self._alone,
                lambda: self._update_generator(noise, labels),
                lambda: tf.constant(0.0),
            )
        # Without the loss of Keras, which this step does not have.
        return {each.name: each.result() for each in self._losses.values()}

    def _logits(self, images: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        networks = self._networks()
        return networks.of_label(networks.discriminator(images, training=True), labels)

    def _update_discriminator(
        self, images: tf.Tensor, noise: tf.Tensor, labels: tf.Tensor | None = None
    ) -> None:
        networks = self._networks()
        fakes = tf.stop_gradient(networks.generator(noise, training=True))
        with tf.GradientTape() as tape:
            # Two calls: batch normalisation must not mix real and generated images.
            real, fake = self._logits(images, labels), self._logits(fakes, labels)
            loss = tf.reduce_mean(objectives.gan_discriminator_loss(real, fake))
        weights = networks.discriminator.trainable_weights
        self.discriminator_optimizer.apply(tape.gradient(loss, weights), weights)
        self._losses["discriminator"].update_state(loss)

    def _update_generator(
        self, noise: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        networks = self._networks()
        weights = networks.generator.trainable_weights
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([weight.value for weight in weights])
            fakes = networks.generator(noise, training=True)
            logits = self._logits(fakes, labels)
            losses = objectives.gan_generator_loss(logits, kind=self._kind)
            loss = tf.reduce_mean(losses)
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self._losses["generator"].update_state(loss)
        return loss
