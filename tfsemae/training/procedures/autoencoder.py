"""Autoencoders: a loss of the pixels, and of labels and latents where asked for."""

import math
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tfsemae import data, evaluation, models, objectives
from tfsemae.evaluation import perceptual
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.run_folder import Metrics
from tfsemae.training import draws, optimizers, warm_start
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.procedures.regularizers import REGULARIZERS, RegularizerLayer
from tfsemae.training.settings import Settings


class AutoencoderProcedure:
    """Minimises a weighted sum of losses.

    That of the reconstruction is always there, that of the classification where there
    is a classifier, and that of the latents where there is a regulariser. The latent of
    a variational autoencoder is `mean + exp(log_variance / 2) * noise`. See
    `procedure.Procedure` for what the methods do.

    Source: Ming 2022, section III, and section IV for shared decoders; Lu 2023,
    section 3.
    """

    @classmethod
    def build(cls, settings: Settings, images: data.Images) -> "AutoencoderProcedure":
        """Builds the networks for images and compiles them.

        Args:
            settings: of the run.
            images: of which size and number, and of which classes if there is a
                classifier.

        Raises:
            ValueError: see `models.build` and the constructor.
        """
        networks = models.build(
            settings.network.model,
            images.images.shape[1:],
            images.class_names if settings.procedure.semantic else (),
            seed=settings.run.seed,
            **settings.network.options,
        )
        return cls(networks, settings, len(images))

    def __init__(self, networks: Autoencoder, settings: Settings, count: int = 1):
        """Compiles the networks.

        Args:
            networks: trained in place.
            settings: of losses, weights, rates, and where weights come from.
            count: number of training images, of which the total correlation gets a
                constant.

        Raises:
            ValueError: if weights are to come from networks of other shapes.
        """
        chosen = settings.procedure
        warm_start.copy_weights(networks, "decoder", chosen.decoder_from)
        if networks.pixel_log_variance is not None:
            warm_start.copy_weights(networks, "pixel_log_variance", chosen.decoder_from)
        warm_start.copy_weights(networks, "encoder", chosen.encoder_from)
        if networks.log_variance is not None:  # of the encoder, with its own last layer
            warm_start.copy_weights(networks, "log_variance", chosen.encoder_from)
        if chosen.decoder_from and not chosen.train_decoder:
            loss_decoder(networks, chosen.loss).trainable = False
        self.networks = networks
        self._draws = _draws(networks, settings)
        self.model = self._functional(
            *_ends(networks, settings, self._draws, count), settings
        )
        _compile(self.model, settings)
        self.optimizers = [self.model.optimizer]
        self._joint = networks.joint()
        self._settings = settings

    def _functional(self, inputs: Any, outputs: Any, settings: Settings) -> StepCounter:
        """The model that is trained."""
        return StepCounter(inputs, outputs, name="autoencoder")

    def check(self, images: data.Images, reference: data.Images) -> None:
        """See `Procedure`."""
        # Without class names there is no classifier to tell by.
        labelled = images.labels is not None and reference.labels is not None
        if self._settings.procedure.semantic and not labelled:
            raise ValueError(
                f"--dataset={self._settings.data.dataset} has no labels, which "
                "--semantic needs. Leave --semantic out or name a labelled data set."
            )
        classes = self._settings.procedure.measure_classes is not False
        evaluation.check(self.networks, images, reference, classes=classes)
        if self._weights_dir is not None:  # not only when all steps are done
            perceptual.check_size(self._weights_dir, self.networks.image_shape)
            perceptual.digest(self._weights_dir)

    def batches(
        self, images: data.Images, *, batch_size: int, seed: int, start_step: int
    ) -> tf.data.Dataset:
        """See `Procedure`."""
        batches = data.batches(
            images,
            batch_size,
            seed=seed,
            start_step=start_step,
            shuffle_labels=self._settings.procedure.shuffle_labels,
        )
        return draws.add(
            batches.map(self._with_targets),
            self._draws,
            seed=seed,
            start_step=start_step,
        )

    def held_out(self, images: data.Images, batch_size: int) -> tf.data.Dataset:
        """See `Procedure`.

        Raises:
            ValueError: if the last batch is too small for the regulariser.
        """
        name = self._settings.procedure.regularizer.regularizer
        rows = len(images) % batch_size
        if name is not None and 0 < rows < REGULARIZERS[name].least:
            raise ValueError(
                f"--validation={len(images)} leaves {rows} in the last batch, and "
                f"--regularizer={name} needs {REGULARIZERS[name].least} images. Hold "
                "another number out."
            )
        batches = data.batches(images, batch_size, shuffle=False)
        return draws.add(
            batches.map(self._with_targets),
            self._draws,
            seed=self._settings.run.seed,
            held_out=True,
        )

    def preview(self, images: tf.Tensor) -> tf.Tensor:
        """The reconstructions."""
        return self._joint(images, training=False)["reconstruction"]

    def evaluate(
        self, images: data.Images, reference: data.Images, *, output_dir: Any, seed: int
    ) -> Metrics:
        """See `Procedure`; with a prior and weights of LPIPS also `*_lpips`."""
        settings = self._settings
        return evaluation.evaluate(
            self.networks,
            images,
            reference,
            output_dir=output_dir,
            seed=seed,
            prior=settings.has_prior,
            weights_dir=self._weights_dir,
            classes=settings.procedure.measure_classes is not False,
        )

    @property
    def _weights_dir(self) -> str | None:
        """Weights of LPIPS, by which samples of a prior are measured."""
        run = self._settings.run
        return run.weights_dir if self._settings.has_prior else None

    def _with_targets(
        self, images: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        targets = {"reconstruction": images}
        if self.networks.classifier is not None:
            targets["logits"] = labels
        if self._settings.procedure.regularizer.regularizer is not None:
            # Its output is the loss itself; the target has no effect.
            targets["regularizer"] = tf.zeros(tf.shape(images)[:1])
        return images, targets


def _draws(networks: Autoencoder, settings: Settings) -> dict[str, draws.Draw]:
    """The random numbers that a step takes."""
    size = math.prod(networks.encoder.output_shape[1:])
    found = {}
    if networks.log_variance is not None:
        found["noise"] = draws.normal(size)
    name = settings.procedure.regularizer.regularizer
    if name is not None:
        found |= {k: draw(size) for k, draw in REGULARIZERS[name].takes.items()}
    return found


def _ends(
    networks: Autoencoder,
    settings: Settings,
    drawn: dict[str, draws.Draw],
    count: int,
) -> tuple[Any, dict[str, keras.KerasTensor]]:
    """Inputs of what is trained, and its outputs, one for each loss."""
    image = keras.Input(networks.image_shape, name="image")
    given = {
        name: keras.Input(draw.shape, dtype=draw.dtype, name=name)
        for name, draw in drawn.items()
    }
    tensors = dict(given)
    if networks.log_variance is None:
        tensors["latent"] = networks.encoder(image)
    else:
        tensors |= _posterior(networks, image, given["noise"])
        deviation = keras.ops.exp(tensors["log_variance"] / 2)
        tensors["latent"] = tensors["mean"] + deviation * given["noise"]
    decoder = loss_decoder(networks, settings.procedure.loss)
    outputs = {"reconstruction": decoder(tensors["latent"])}
    if networks.classifier is not None:
        outputs["logits"] = networks.classifier(tensors["latent"])
    chosen = settings.procedure.regularizer
    if chosen.regularizer is not None:
        value = REGULARIZERS[chosen.regularizer].value
        options = getattr(chosen, chosen.regularizer, None)
        layer = RegularizerLayer(lambda tensors: value(tensors, options, count))
        outputs["regularizer"] = layer(tensors)
    return {"image": image, **given} if given else image, outputs


def _posterior(
    networks: Autoencoder, image: keras.KerasTensor, noise: keras.KerasTensor
) -> dict[str, keras.KerasTensor]:
    if networks.sampled_posterior is None:
        return networks.posterior()(image)
    return networks.sampled_posterior({"image": image, "noise": noise})


def _compile(model: StepCounter, settings: Settings) -> None:
    chosen = settings.procedure
    losses: dict[str, tuple[Any, float]] = {
        "reconstruction": (
            reconstruction_loss(chosen.loss),
            reconstruction_weight(settings),
        ),
        "logits": (
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            chosen.semantic_weight,
        ),
        "regularizer": (_output, chosen.regularizer.regularizer_weight),
    }
    losses = {name: losses[name] for name in model.output}
    model.compile(
        optimizers.make(settings.optimizer),
        loss={name: loss for name, (loss, _) in losses.items()},
        loss_weights={name: weight for name, (_, weight) in losses.items()},
        jit_compile=settings.run.jit_compile,
        steps_per_execution=settings.steps_per_execution,
    )
    # Before a checkpoint is read: Keras restores only variables that exist.
    model.optimizer.build(model.trainable_variables)


def loss_decoder(networks: Autoencoder, name: str) -> keras.Model:
    """What gives a reconstruction loss its second argument.

    Args:
        networks: whose weights it shares.
        name: of the loss, `--loss`.

    Returns:
        Latent -> images, `[B, H, W, C]`; of `normal_nll` mean and log variance of the
        pixels, `[B, H, W, 2 C]`.
    """
    if name != "normal_nll":
        return networks.decoder
    likelihood = networks.likelihood()
    heads = [likelihood.output[key] for key in ("mean", "log_variance")]
    both = keras.layers.Concatenate(name="mean_and_log_variance")(heads)
    return keras.Model(likelihood.input, both, name="likelihood")


def reconstruction_weight(settings: Settings) -> float:
    """The weight of the reconstruction loss."""
    weight = settings.procedure.reconstruction_weight
    return 1.0 if weight is None else weight


def reconstruction_loss(name: str) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """What `--loss` names: of images and what `loss_decoder` gives, numbers.

    Their mean is the loss.
    """
    return _LOSSES.get(name) or keras.losses.get(name)


def _summed_squared_error(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(target - predicted), axis=[1, 2, 3])


def _normal_nll(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    mean, log_variance = tf.split(predicted, 2, axis=-1)
    return objectives.normal_nll(target, mean, log_variance)


def _output(target: tf.Tensor, predicted: tf.Tensor) -> tf.Tensor:
    return predicted


_LOSSES: dict[str, Callable[..., tf.Tensor]] = {
    "normal_nll": _normal_nll,
    "summed_binary_crossentropy": objectives.bernoulli_nll,
    "summed_squared_error": _summed_squared_error,
}
