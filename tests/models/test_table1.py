import keras
import numpy as np
import pytest

from tfsemae.models import settings, table1

CLASSES = tuple("0123456789")

# Ming 2022, Table I, at 28 x 28: part, layer, kind, filters or units, size, stride,
# activation, output, parameters. The paper prints all but the last two, which follow.
TABLE = [
    ("encoder", "conv1", "Conv2D", 32, (5, 5), (1, 1), "relu", (28, 28, 32), 832),
    ("encoder", "pool1", "MaxPooling2D", None, (2, 2), (2, 2), None, (14, 14, 32), 0),
    ("encoder", "conv2", "Conv2D", 64, (5, 5), (1, 1), "relu", (14, 14, 64), 51_264),
    ("encoder", "pool2", "MaxPooling2D", None, (2, 2), (2, 2), None, (7, 7, 64), 0),
    ("encoder", "flatten", "Flatten", None, None, None, None, (3136,), 0),
    ("encoder", "latent", "Dense", 196, None, None, "sigmoid", (196,), 614_852),
    ("decoder", "reshape", "Reshape", None, None, None, None, (7, 7, 4), 0),
    ("decoder", "deconv1", "Conv2DTranspose", 64, (5, 5), (2, 2), "relu",
     (14, 14, 64), 6_464),
    ("decoder", "deconv2", "Conv2DTranspose", 32, (5, 5), (2, 2), "relu",
     (28, 28, 32), 51_232),
    ("decoder", "image", "Conv2D", 1, (1, 1), (1, 1), "sigmoid", (28, 28, 1), 33),
    ("classifier", "reshape", "Reshape", None, None, None, None, (7, 7, 4), 0),
    ("classifier", "conv1", "Conv2D", 32, (3, 3), (1, 1), "relu", (7, 7, 32), 1_184),
    ("classifier", "flatten", "Flatten", None, None, None, None, (1568,), 0),
    ("classifier", "hidden", "Dense", 256, None, None, "relu", (256,), 401_664),
    ("classifier", "logits", "Dense", 10, None, None, "linear", (10,), 2_570),
]  # fmt: skip


def _build(side=28, class_names=CLASSES, initializer="he_normal", seed=0):
    return table1.build(
        (side, side, 1), class_names, initializer=initializer, seed=seed
    )


@pytest.fixture(scope="module")
def mnist():
    return _build()


def test_layers_come_in_the_order_of_the_table(mnist):
    for part in ("encoder", "decoder", "classifier"):
        layers = getattr(mnist, part).layers[1:]  # behind the input
        assert [layer.name for layer in layers] == [r[1] for r in TABLE if r[0] == part]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_layer_is_as_printed(mnist, row):
    part, name, kind, width, size, stride, activation, output, parameters = row
    layer = getattr(mnist, part).get_layer(name)
    assert type(layer).__name__ == kind
    assert getattr(layer, "filters", getattr(layer, "units", None)) == width
    shape = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
    assert shape == size
    assert getattr(layer, "strides", None) == stride
    if hasattr(layer, "activation"):
        assert layer.activation.__name__ == activation
    if kind.startswith("Conv2D"):
        assert layer.padding == "same"
        assert layer.use_bias
    assert layer.output.shape == (None, *output)
    assert layer.count_params() == parameters


def test_totals_at_28(mnist):
    counts = [
        p.count_params() for p in (mnist.encoder, mnist.decoder, mnist.classifier)
    ]
    assert counts == [666_948, 57_729, 405_418]


def test_latent_and_totals_at_32():
    found = _build(32)
    assert found.encoder.output_shape == (None, 256)
    assert found.decoder.output_shape == (None, 32, 32, 1)
    assert found.encoder.count_params() == 1_100_928
    assert found.decoder.count_params() == 57_729
    # 3 * 3 * 4 * 32 + 32, (8 * 8 * 32) * 256 + 256, 256 * 10 + 10.
    assert found.classifier.count_params() == 1_184 + 524_544 + 2_570


def test_height_and_width_may_differ():
    found = table1.build((12, 20, 1), initializer="he_normal", seed=0)
    assert found.encoder.output_shape == (None, 3 * 5 * 4)
    assert found.decoder.output_shape == (None, 12, 20, 1)


@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 30, 1), (0, 28, 1), (28, 2, 1)])
def test_sides_that_do_not_halve_twice_are_refused(shape):
    with pytest.raises(
        ValueError, match=r"multiples of 4. Received: .*\(\d+, \d+, 1\)"
    ):
        table1.build(shape, initializer="he_normal", seed=0)


def test_no_channel_is_refused():
    with pytest.raises(ValueError, match=r"at least 1 channel.*\(28, 28, 0\)"):
        table1.build((28, 28, 0), initializer="he_normal", seed=0)


def test_vanilla_has_no_classifier():
    assert _build(12, ()).classifier is None


def test_semantic_network_is_an_ordinary_functional_model(mnist):
    network = mnist.joint()
    assert isinstance(network, keras.Model)
    assert type(network).__name__ == "Functional"
    shapes = {name: output.shape for name, output in network.output.items()}
    assert shapes == {"reconstruction": (None, 28, 28, 1), "logits": (None, 10)}
    assert network.count_params() == 666_948 + 57_729 + 405_418


def test_vanilla_network_has_one_output():
    output = _build(12, ()).joint().output
    assert list(output) == ["reconstruction"]


def test_classifier_changes_no_weight_of_encoder_and_decoder():
    with_classes, without = _build(12), _build(12, ())
    for part in ("encoder", "decoder"):
        pairs = zip(
            getattr(with_classes, part).get_weights(),
            getattr(without, part).get_weights(),
            strict=True,
        )
        for a, b in pairs:
            np.testing.assert_array_equal(a, b)


def test_equal_seeds_start_alike_and_others_do_not():
    first, again, other = (_build(12, seed=seed) for seed in (5, 5, 6))
    for a, b, c in zip(
        first.encoder.get_weights(),
        again.encoder.get_weights(),
        other.encoder.get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or not np.array_equal(a, c)


@pytest.mark.parametrize("initializer", settings.INITIALIZERS)
def test_layers_of_equal_shape_do_not_start_alike(initializer):
    found = _build(12, initializer=initializer)
    kernels = [w.numpy().ravel() for w in _kernels(found)]
    for index, kernel in enumerate(kernels):
        for other in kernels[:index]:
            size = min(kernel.size, other.size)
            assert not np.array_equal(kernel[:size], other[:size])


@pytest.mark.parametrize("initializer", settings.INITIALIZERS)
def test_biases_start_at_zero(initializer):
    found = _build(12, initializer=initializer)
    parts = (found.encoder, found.decoder, found.classifier)
    biases = [w for part in parts for w in part.weights if w.name == "bias"]
    assert len(biases) == 9
    assert all(not bias.numpy().any() for bias in biases)


# A truncated normal is cut at two standard deviations, which makes the deviation of
# what is left this share of the untruncated one.
CUT = 0.8796


@pytest.mark.parametrize("initializer", settings.INITIALIZERS)
@pytest.mark.parametrize(
    ("part", "layer", "fan_in", "keras_fans"),
    [
        # Inputs of one output; fan-in and fan-out as Keras counts them, which in a
        # transposed convolution are the other way round.
        ("encoder", "conv2", 25 * 32, (25 * 32, 25 * 64)),
        ("encoder", "latent", 3136, (3136, 196)),
        ("decoder", "deconv1", 25 * 4, (25 * 64, 25 * 4)),
        ("decoder", "deconv2", 25 * 64, (25 * 32, 25 * 64)),
        ("classifier", "hidden", 1568, (1568, 256)),
    ],
)
def test_spread_of_the_initial_kernel(initializer, part, layer, fan_in, keras_fans):
    kernel = getattr(_build(initializer=initializer), part).get_layer(layer).kernel
    values = kernel.numpy().ravel()
    spread, limit = {
        "glorot_uniform": (np.sqrt(2 / sum(keras_fans)), np.sqrt(6 / sum(keras_fans))),
        "he_normal": (np.sqrt(2 / keras_fans[0]), 2 / CUT * np.sqrt(2 / keras_fans[0])),
        "lecun_normal": (keras_fans[0] ** -0.5, 2 / CUT * keras_fans[0] ** -0.5),
        "wide_normal": (CUT * 2 * fan_in**-0.5, 2 * 2 * fan_in**-0.5),
    }[initializer]
    # A standard deviation of n values is known to 1 / sqrt(2 n), a mean to
    # 1 / sqrt(n) deviations: 5 of these.
    error = 5 / np.sqrt(values.size)
    assert values.std() == pytest.approx(spread, rel=error)
    assert abs(values.mean()) < error * spread
    assert np.abs(values).max() <= limit * 1.0001  # 0.8796 has four digits


# --- several channels, Ming 2022, section IV


@pytest.fixture(scope="module")
def cifar():
    classes = ("airplane", "automobile")
    return table1.build((32, 32, 3), classes, initializer="he_normal", seed=0)


@pytest.fixture(scope="module")
def colours():
    return np.random.default_rng(0).random((4, 32, 32, 3), np.float32)


def test_latent_and_totals_of_three_channels(cifar):
    assert cifar.encoder.output_shape == (None, 3, 256)
    assert cifar.decoder.output_shape == (None, 32, 32, 3)
    assert cifar.classifier.output_shape == (None, 2)
    # Encoder and decoder are those of one channel, shared.
    assert cifar.encoder.count_params() == 1_100_928
    assert cifar.decoder.count_params() == 57_729
    # 3 * 3 * 12 * 32 + 32, (8 * 8 * 32) * 256 + 256, 256 * 2 + 2.
    assert cifar.classifier.count_params() == 3_488 + 524_544 + 514 == 528_546


def test_channels_share_one_pass_through_one_network(cifar):
    for part in (cifar.encoder, cifar.decoder):
        inner = [layer for layer in part.layers if isinstance(layer, keras.Model)]
        assert len(inner) == 1
        assert len(inner[0]._inbound_nodes) <= 2  # as built, and where it is applied
        assert len(part.weights) == len(inner[0].weights) == 6


def test_classifier_reads_the_grids_stacked(cifar):
    stack = cifar.classifier.get_layer("stack")
    assert stack.output.shape == (None, 8, 8, 12)
    latent = np.random.default_rng(0).random((2, 3, 256), np.float32)
    found = keras.Model(cifar.classifier.input, stack.output)(latent)
    # Channel c has the features 4 c to 4 c + 3 of its own grid.
    grids = [latent[:, c].reshape(2, 8, 8, 4) for c in range(3)]
    np.testing.assert_array_equal(found, np.concatenate(grids, axis=-1))


@pytest.mark.parametrize("channel", range(3))
def test_latent_of_a_channel_depends_on_that_channel_alone(cifar, colours, channel):
    changed = colours.copy()
    changed[..., channel] = 1 - changed[..., channel]
    latent, other = (np.asarray(cifar.encoder(x)) for x in (colours, changed))
    others = [c for c in range(3) if c != channel]
    np.testing.assert_array_equal(other[:, others], latent[:, others])
    assert not np.any(np.all(other[:, channel] == latent[:, channel], axis=-1))


@pytest.mark.parametrize("channel", range(3))
def test_decoded_channel_depends_on_its_latent_alone(cifar, colours, channel):
    latent = np.asarray(cifar.encoder(colours))
    changed = latent.copy()
    changed[:, channel] = 1 - changed[:, channel]
    image, other = (np.asarray(cifar.decoder(z)) for z in (latent, changed))
    others = [c for c in range(3) if c != channel]
    np.testing.assert_array_equal(other[..., others], image[..., others])
    assert not np.allclose(other[..., channel], image[..., channel])


def test_each_channel_is_treated_as_by_the_network_of_one(cifar, colours):
    single = table1.build((32, 32, 1), initializer="he_normal", seed=0)
    latent, decoded = cifar.encoder(colours), cifar.joint()(colours)["reconstruction"]
    for channel in range(3):
        alone = single.encoder(colours[..., channel : channel + 1])
        # Batches of 12 and of 4 may order float32 sums differently.
        np.testing.assert_allclose(latent[:, channel], alone, rtol=1e-5, atol=1e-6)
        image = single.decoder(alone)[..., 0]
        np.testing.assert_allclose(decoded[..., channel], image, rtol=1e-5, atol=1e-6)


def test_grey_as_three_channels_has_three_equal_latents(cifar, colours):
    grey = np.repeat(colours[..., :1], 3, axis=-1)
    latent = np.asarray(cifar.encoder(grey))
    for channel in (1, 2):
        # The place in the batch may decide how float32 sums are ordered.
        np.testing.assert_allclose(
            latent[:, channel], latent[:, 0], rtol=1e-5, atol=1e-6
        )


def test_two_channels_and_unequal_sides():
    found = table1.build((12, 20, 2), ("a", "b"), initializer="he_normal", seed=0)
    assert found.encoder.output_shape == (None, 2, 3 * 5 * 4)
    assert found.classifier.get_layer("stack").output.shape == (None, 3, 5, 8)
    images = np.random.default_rng(0).random((3, 12, 20, 2), np.float32)
    assert found.joint()(images)["reconstruction"].shape == images.shape


def _kernels(found):
    parts = (found.encoder, found.decoder, found.classifier)
    return [w for part in parts for w in part.weights if w.name == "kernel"]
