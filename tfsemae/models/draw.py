"""DRAW: a variational autoencoder that paints its image in steps."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops

from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.initializers import Kernels

_WINDOW_NUMBERS = 5  # of a window: two centres, variance, stride, intensity


def build(
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    attention: bool,
    draw_steps: int,
    draw_units: int,
    draw_latent: int,
    draw_window: int,
    seed: int,
) -> Autoencoder:
    """Builds encoder and decoder, each with one LSTM that runs for some steps.

    Step t reads the image and what the canvas lacks of it, gives mean and log variance
    of a part z_t of the latent, and adds to the canvas what the decoder makes of z_t:

        e = x - sigmoid(canvas),  h_enc = LSTM([read(x), read(e), h_dec])
        z_t = mean(h_enc) + exp(log_variance(h_enc) / 2) * noise_t
        h_dec = LSTM(z_t),  canvas += write(h_dec)

    The image is the sigmoid of the last canvas. Without attention `read` gives all
    pixels, and `write` is a dense layer. With it both see a window, see
    `window_filters`, of the step before and of this one. All states begin at zero.

    2,644,816 weights without attention and 1,172,186 with it, of 28 x 28 x 1 images and
    the sizes of the source.

    Args:
        image_shape: (H, W, C).
        class_names: empty; there is no classifier.
        attention: whether windows are read and written.
        draw_steps: T.
        draw_units: of each LSTM.
        draw_latent: entries of z_t; the latent has T times as many.
        draw_window: side of a window, with attention; at least 2.
        seed: of the initial weights, Glorot-uniform; biases start at zero, those of the
            forget gates at 1.

    Returns:
        The `Autoencoder`, latent float32 `[B, Z]`, z_1 to z_T side by side. Its encoder
        and `log_variance` take each z_t at its mean; `sampled_posterior` takes the
        noise.

    Raises:
        ValueError: if an image has no pixels, or there are class names.

    Source: Gregor et al. 2015, "DRAW: a recurrent neural network for image generation";
    sizes of Gondim-Ribeiro 2018, the released code.
    """
    if min(image_shape) < 1:
        raise ValueError(
            "draw takes images of at least 1 pixel and 1 channel. "
            f"Received: image_shape={image_shape}."
        )
    if class_names:
        raise ValueError(
            "draw has no classifier; leave --semantic out, or take --model=table1. "
            f"Received: class_names={tuple(class_names)}."
        )
    window = draw_window if attention else None
    kernels = Kernels("glorot_uniform", seed)
    parts = _Layers.make(image_shape, draw_units, draw_latent, window, kernels)
    image = keras.Input(image_shape, name="image")
    noise = keras.Input((draw_steps * draw_latent,), name="noise")
    mean, log_variance = parts.encode(image, [None] * draw_steps)
    sampled = parts.encode(image, ops.split(noise, draw_steps, axis=1))
    code = keras.Input((draw_steps * draw_latent,), name="latent")
    decoded = ops.sigmoid(parts.decode(ops.split(code, draw_steps, axis=1)))
    return Autoencoder(
        keras.Model(image, mean, name="encoder"),
        keras.Model(code, decoded, name="decoder"),
        log_variance=keras.Model(image, log_variance, name="log_variance"),
        sampled_posterior=keras.Model(
            {"image": image, "noise": noise},
            dict(zip(("mean", "log_variance"), sampled, strict=True)),
            name="sampled_posterior",
        ),
    )


class Filters(NamedTuple):
    """Where a window of N x N points lies on an image, and how bright it is."""

    rows: Any  # `[B, N, H]`, each row sums to 1
    columns: Any  # `[B, N, W]`, likewise
    intensity: Any  # `[B, 1, 1, 1]`, positive


def window_filters(parameters: Any, height: int, width: int, window: int) -> Filters:
    """Gaussian filters of a square grid of points.

    Point i of 1 to N of a row is at `g + (i - N / 2 - 1 / 2) * stride`, where pixels
    are at 1 to W: `g = (W + 1) / 2 * (g' + 1)`, `stride = (max(H, W) - 1) / (N - 1) *
    exp(s')`. It sees pixel a by the weight `exp(-(a - point)**2 / (2 * variance))`, of
    which the sum over all pixels is made 1.

    Args:
        parameters: `[B, 5]`: g' of columns and rows, logarithms of variance, s' and
            intensity. At zero the points are spread evenly over the longer side.
        height: H.
        width: W.
        window: N, at least 2.

    Source: Gregor et al. 2015, eqs. (19) to (26).
    """
    x, y, log_variance, log_stride, log_intensity = ops.split(
        parameters, _WINDOW_NUMBERS, axis=1
    )
    stride = ops.exp(log_stride) * ((max(height, width) - 1) / (window - 1))
    precision = ops.expand_dims(ops.exp(-log_variance) / 2, 2)
    offsets = np.arange(1, window + 1, dtype=np.float32) - (window + 1) / 2

    def along(center: Any, side: int) -> Any:
        points = (center + 1.0) * ((side + 1) / 2) + stride * offsets[np.newaxis]
        pixels = np.arange(1, side + 1, dtype=np.float32)
        away = ops.expand_dims(points, 2) - pixels[np.newaxis, np.newaxis]
        return ops.softmax(-ops.square(away) * precision, axis=-1)

    intensity = ops.reshape(ops.exp(log_intensity), (-1, 1, 1, 1))
    return Filters(along(y, height), along(x, width), intensity)


def read_window(image: Any, filters: Filters) -> Any:
    """What a window sees of `[B, H, W, C]` images: `[B, N, N, C]`."""
    rows = ops.einsum("bnh,bhwc->bnwc", filters.rows, image)
    return filters.intensity * ops.einsum("bmw,bnwc->bnmc", filters.columns, rows)


def write_window(patch: Any, filters: Filters) -> Any:
    """What `[B, N, N, C]` numbers of a window add to images: `[B, H, W, C]`."""
    rows = ops.einsum("bnh,bnmc->bhmc", filters.rows, patch)
    return ops.einsum("bmw,bhmc->bhwc", filters.columns, rows) / filters.intensity


class _Layers(NamedTuple):
    """The layers that all steps share."""

    image_shape: tuple[int, int, int]
    units: int
    window: int | None
    encoder: layers.LSTMCell
    mean: layers.Dense
    log_variance: layers.Dense
    decoder: layers.LSTMCell
    pixels: layers.Dense  # what is written
    to_read: layers.Dense | None
    to_write: layers.Dense | None

    @classmethod
    def make(
        cls,
        image_shape: tuple[int, int, int],
        units: int,
        latent: int,
        window: int | None,
        kernels: Kernels,
    ) -> "_Layers":
        height, width, channels = image_shape

        # Glorot's initialiser finds the inputs by itself.
        def cell(name: str) -> layers.LSTMCell:
            return layers.LSTMCell(
                units,
                kernel_initializer=kernels(1),
                recurrent_initializer=kernels(1),
                name=name,
            )

        def dense(outputs: int, name: str) -> layers.Dense:
            return layers.Dense(outputs, kernel_initializer=kernels(1), name=name)

        written = height * width if window is None else window**2
        attention = window is not None
        return cls(
            image_shape,
            units,
            window,
            cell("encoder_lstm"),
            dense(latent, "mean"),
            dense(latent, "log_variance"),
            cell("decoder_lstm"),
            dense(written * channels, "pixels"),
            dense(_WINDOW_NUMBERS, "to_read") if attention else None,
            dense(_WINDOW_NUMBERS, "to_write") if attention else None,
        )

    def encode(self, image: Any, noises: Sequence[Any]) -> tuple[Any, Any]:
        """Mean and log variance of all steps; None of noise stands for zero."""
        flat = layers.Flatten()(image)
        state = [self._zeros(flat), self._zeros(flat)]
        painted, painter, canvas = self._zeros(flat), list(state), None
        means, log_variances = [], []
        for step, noise in enumerate(noises, start=1):
            shown = 0.5 if canvas is None else ops.sigmoid(canvas)
            seen = [*self._read([image, image - shown], painted), painted]
            features, state = self.encoder(layers.Concatenate()(seen), state)
            means.append(self.mean(features))
            log_variances.append(self.log_variance(features))
            if step == len(noises):  # nothing depends on what is painted then
                break
            latent = means[-1]
            if noise is not None:
                latent = latent + ops.exp(log_variances[-1] / 2) * noise
            painted, painter = self.decoder(latent, painter)
            canvas = self._painted(canvas, painted)
        return tuple(ops.concatenate(each, axis=1) for each in (means, log_variances))

    def decode(self, latents: Sequence[Any]) -> Any:
        """The last canvas, logits of the pixels."""
        state = [self._zeros(latents[0]), self._zeros(latents[0])]
        canvas = None
        for latent in latents:
            painted, state = self.decoder(latent, state)
            canvas = self._painted(canvas, painted)
        return canvas

    def _zeros(self, rows: Any) -> Any:
        """`[B, units]`: as many rows as those given."""
        one = ops.sum(rows, axis=1, keepdims=True) * 0.0
        return ops.repeat(one, self.units, axis=1)

    def _read(self, images: Sequence[Any], painted: Any) -> list[Any]:
        if self.to_read is not None:
            filters = self._filters(self.to_read(painted))
            images = [read_window(image, filters) for image in images]
        return [layers.Flatten()(image) for image in images]

    def _painted(self, canvas: Any, painted: Any) -> Any:
        """The canvas after a step; None before the first."""
        pixels = self.pixels(painted)
        if self.to_write is None:
            added = layers.Reshape(self.image_shape)(pixels)
        else:
            patch = layers.Reshape((self.window, self.window, self.image_shape[-1]))(
                pixels
            )
            added = write_window(patch, self._filters(self.to_write(painted)))
        return added if canvas is None else canvas + added

    def _filters(self, parameters: Any) -> Filters:
        height, width, _ = self.image_shape
        assert self.window is not None  # with attention
        return window_filters(parameters, height, width, self.window)
