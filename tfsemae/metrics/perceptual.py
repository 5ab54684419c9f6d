"""LPIPS, the distance of images by the features of a classifier.

As in `image_quality` there are two forms: `LPIPSDistance` gives a value per pair, as
the functions there do, and is an object since it owns a network; `LPIPS` is the Keras
metric, the mean over all pairs seen.
"""

import functools
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from tfsemae import files, tensor_checks
from tfsemae.metrics import perceptual_networks, perceptual_weights
from tfsemae.tensor_checks import TensorLike

# Mean and standard deviation of the images that the trunks were trained on, [-1, 1].
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_FLAT = 1e-10  # added to the norm of the features of a pixel


class LPIPSDistance:
    """Learned perceptual image patch similarity of image pairs; lower is better.

    With f_l and g_l the feature maps l of `a` and `b`, divided in each pixel by
    `sqrt(sum_c{f**2}) + 1e-10`, and w_l the weights of the head:

        sum_l{ mean over pixels{ sum_c{ w_lc (f_lc - g_lc)**2 } } }

    It is 0 for equal images, and symmetric. It is a metric only: where all features of
    a pixel are 0, the gradient is NaN. Attacks take another objective.

    An object traces its network once for all batches of one shape, once more for all
    other batch sizes, and owns what it traced. AlexNet is the usual choice, also that
    of TorchMetrics; images below 31 pixels need `resize` for it, such as 64, or
    "squeeze".

    The folder of weights holds two `.npz` files per net, with arrays named and shaped
    as in PyTorch: the trunk (`alexnet_trunk.npz`, `squeezenet1_1_trunk.npz`,
    `vgg16_trunk.npz`) and the head (`lpips_v0.1_alex.npz`, `lpips_v0.1_squeeze.npz`,
    `lpips_v0.1_vgg.npz`). A trunk has the convolutions of torchvision's network with
    the weights IMAGENET1K_V1, a head the vectors `lin0`, `lin1`, ... of LPIPS version
    0.1. In PyTorch a trunk is written by:

        state = network.features.state_dict()
        arrays = {f"features.{name}": x.numpy() for name, x in state.items()}
        np.savez("vgg16_trunk.npz", **arrays)

    Each file is compared with its SHA-256, except `vgg16_trunk.npz`, of which that is
    not known: its names, shapes and the checksums of the archive are checked, not that
    the weights are torchvision's. If they are, the authors' example image `ex_ref.png`
    is at 0.568613 from `ex_p0.png` and at 0.421664 from `ex_p1.png`.

    Attributes:
        net: "alex", "squeeze" or "vgg".
        resize: side of the square that images are resized to, None for none.
        sha256: name of a file of weights -> its SHA-256, to be kept with results.

    Source: Zhang et al. 2018, "The unreasonable effectiveness of deep features as a
    perceptual metric", eq. (1), version 0.1 of their weights; Lu 2023, section 3.

    Example:
        >>> import tensorflow as tf
        >>> from tfsemae import metrics
        >>> images = tf.random.uniform([2, 64, 64, 3])
        >>> lpips = metrics.LPIPSDistance("weights", "alex")  # doctest: +SKIP
        >>> lpips(images, images).numpy()  # doctest: +SKIP
        array([0., 0.], dtype=float32)
    """

    def __init__(
        self,
        weights_dir: files.PathLike,
        net: str = "alex",
        *,
        resize: int | None = None,
    ):
        """Reads the weights and builds the network.

        Args:
            weights_dir: folder of the files above; `~` is expanded.
            net: "alex", "squeeze" or "vgg".
            resize: side in pixels of the square to which images are resized before,
                bilinearly and without antialiasing, also if they are larger; None
                leaves them. At least 31 for "alex", 17 for "squeeze", 16 for "vgg".

        Raises:
            ValueError: if an argument is not one of these, or a file of weights is
                missing, damaged or another one.
        """
        if net not in perceptual_weights.NETS:
            raise ValueError(
                f"`net` must be one of {', '.join(perceptual_weights.NETS)}. "
                f"Received: net={net!r}."
            )
        least = perceptual_networks.LEAST_SIDE[net]
        if resize is not None and (not isinstance(resize, int) or resize < least):
            raise ValueError(
                f"`resize` must be an integer, at least {least} for the net {net}. "
                f"Received: resize={resize}."
            )
        weights = perceptual_weights.load(weights_dir, net)
        self.net, self.resize, self.sha256 = net, resize, weights.sha256
        self._distance = tf.function(
            functools.partial(
                distance,
                perceptual_networks.build(net, weights.trunk),
                head_vectors(weights.head),
                resize,
            ),
            autograph=False,
            reduce_retracing=True,
        )

    def __call__(self, a: TensorLike, b: TensorLike) -> tf.Tensor:
        """Measures pairs.

        Args:
            a: floating `[B, H, W, C]`, nominal range [0, 1], C = 1 (grey, taken as
                three equal channels) or 3 (RGB), all but B statically known. Without
                `resize` the sides are at least 31 for "alex", 17 for "squeeze", 16
                for "vgg".
            b: as `a`, of the same shape.

        Returns:
            float32 `[B]`, at least 0; on a GPU only to 3 digits where TensorFloat-32
            is on.

        Raises:
            ValueError: if the images are not floating `[B, H, W, C]` of one shape, or
                too small.
            tf.errors.InvalidArgumentError: inside a `tf.function`, if sizes differ that
                are not known before it runs.
        """
        a, b = tensor_checks.image_pair(a, b)
        self._check_shape(a.shape)
        return self._distance(a, b)

    def _check_shape(self, shape: tf.TensorShape) -> None:
        _, height, width, channels = shape
        if channels not in (1, 3):
            raise ValueError(
                "LPIPS needs images of 1 (grey) or 3 channels (RGB). "
                f"Received: {channels} channels."
            )
        least = 1 if self.resize else perceptual_networks.LEAST_SIDE[self.net]
        for side in (height, width):
            if side is None or side < least:
                raise ValueError(
                    f"LPIPS with the net {self.net} needs images of a known size, at "
                    f"least {least} x {least} pixels; `resize=64` makes small ones "
                    f"larger. Received: a side of {side} pixels."
                )


@keras.saving.register_keras_serializable(package="tfsemae")
class LPIPS(keras.metrics.MeanMetricWrapper):
    """Mean of `LPIPSDistance` over all image pairs, at least 0; lower is better.

    A model that was compiled with it is loaded only where the weights are, or by
    `keras.saving.load_model(path, compile=False)`.
    """

    def __init__(
        self,
        weights_dir: files.PathLike,
        net: str = "alex",
        resize: int | None = None,
        name: str = "lpips",
        dtype: str | None = None,
    ):
        """Reads the weights, builds the network and starts an empty mean.

        Args:
            weights_dir: see `LPIPSDistance`.
            net: see `LPIPSDistance`.
            resize: see `LPIPSDistance`.
            name: as in every Keras metric.
            dtype: of the running sums; float32 by default, whatever Keras' policy.

        Raises:
            ValueError: see `LPIPSDistance`.
        """
        self.distance = LPIPSDistance(weights_dir, net, resize=resize)
        self.weights_dir = str(weights_dir)
        super().__init__(self.distance, name=name, dtype=dtype or "float32")
        self._direction = "down"

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {
            "weights_dir": self.weights_dir,
            "net": self.distance.net,
            "resize": self.distance.resize,
            "name": self.name,
            "dtype": self.dtype,
        }


def head_vectors(head: Mapping[str, np.ndarray]) -> list[tf.Tensor]:
    """The weights of the feature maps in their order: float32 `[c]` each."""
    return [tf.constant(head[f"lin{k}"]) for k in range(len(head))]


def distance(
    trunk: keras.Model,
    head: list[tf.Tensor],
    resize: int | None,
    a: tf.Tensor,
    b: tf.Tensor,
) -> tf.Tensor:
    """See `LPIPSDistance`, for a trunk and a head that are given."""
    parts = [
        tf.reduce_sum(
            weight * tf.reduce_mean(tf.math.squared_difference(f, g), axis=[1, 2]),
            axis=1,
        )
        for f, g, weight in zip(
            _unit_features(trunk, _standardised(a, resize)),
            _unit_features(trunk, _standardised(b, resize)),
            head,
            strict=True,
        )
    ]
    return tf.add_n(parts)


def _standardised(images: tf.Tensor, resize: int | None) -> tf.Tensor:
    """Images in [0, 1] as a trunk takes them: `[B, H, W, 3]`."""
    if resize is not None:
        images = tf.image.resize(images, (resize, resize))
    return (2.0 * images - 1.0 - _SHIFT) / _SCALE  # grey becomes three channels


def _unit_features(trunk: keras.Model, images: tf.Tensor) -> list[tf.Tensor]:
    features = trunk(images, training=False)
    return [f / (tf.norm(f, axis=-1, keepdims=True) + _FLAT) for f in features]
