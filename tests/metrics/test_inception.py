"""The Inception network of FID against that of Keras, of random weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import metrics
from tfsemae.metrics import inception

#: Channels of the last block before its pooled branch.
_ALIKE = 320 + 2 * 384 + 2 * 384
#: Modules of torch in the order of their making, which is also that of Keras.
_STEM = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
]
_A = "1x1 5x5_1 5x5_2 3x3dbl_1 3x3dbl_2 3x3dbl_3 _pool"
_B = "3x3 3x3dbl_1 3x3dbl_2 3x3dbl_3"
_C = "1x1 7x7_1 7x7_2 7x7_3 7x7dbl_1 7x7dbl_2 7x7dbl_3 7x7dbl_4 7x7dbl_5 _pool"
_D = "3x3_1 3x3_2 7x7x3_1 7x7x3_2 7x7x3_3 7x7x3_4"
_E = "1x1 3x3_1 3x3_2a 3x3_2b 3x3dbl_1 3x3dbl_2 3x3dbl_3a 3x3dbl_3b _pool"
_BLOCKS = {
    **{"5b": _A, "5c": _A, "5d": _A, "6a": _B, "6b": _C, "6c": _C, "6d": _C, "6e": _C},
    **{"7a": _D, "7b": _E, "7c": _E},
}
_MODULES = _STEM + [
    f"Mixed_{block}.branch{branch}"
    for block, branches in _BLOCKS.items()
    for branch in branches.split()
]


@pytest.fixture(scope="module")
def network():
    return inception.inception_network()


@pytest.fixture(scope="module")
def state(network):
    """Random weights in the layouts of torch, which keep activations near 1."""
    rng = np.random.default_rng(0)
    arrays = {"fc.weight": np.zeros((1008, 2048)), "fc.bias": np.zeros(1008)}
    for layer in network.layers:
        if layer.name.endswith(".conv"):
            height, width, inputs, outputs = layer.kernel.shape
            scale = np.sqrt(2 / (height * width * inputs))
            arrays[f"{layer.name}.weight"] = scale * rng.standard_normal(
                (outputs, inputs, height, width), np.float32
            )
        if layer.name.endswith(".bn"):
            size = layer.gamma.shape
            arrays[f"{layer.name}.weight"] = rng.uniform(0.5, 1.5, size)
            arrays[f"{layer.name}.bias"] = rng.uniform(-0.2, 0.4, size)
            arrays[f"{layer.name}.running_mean"] = rng.uniform(-0.2, 0.2, size)
            arrays[f"{layer.name}.running_var"] = rng.uniform(0.5, 1.5, size)
            arrays[f"{layer.name}.num_batches_tracked"] = np.array(7)
    return arrays


@pytest.fixture(scope="module")
def path(state, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.npz"
    np.savez(path, **state)
    return path


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).integers(0, 256, (2, 40, 50, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def of_keras(state, images):
    """Outputs of the same weights in Keras' own network, by the name of the layer."""
    theirs = keras.applications.InceptionV3(include_top=False, weights=None)

    def made(kind):
        """Layers of a kind in the order in which they were made."""
        found = [layer for layer in theirs.layers if type(layer) is kind]
        # Keras numbers layers of a kind over the whole process: conv2d, conv2d_1, ...
        return sorted(found, key=lambda layer: (len(layer.name), layer.name))

    convs, norms = (
        made(kind) for kind in (keras.layers.Conv2D, keras.layers.BatchNormalization)
    )
    for name, conv, norm in zip(_MODULES, convs, norms, strict=True):
        conv.set_weights([state[f"{name}.conv.weight"].transpose(2, 3, 1, 0)])
        gamma, beta, mean, variance = (
            state[f"{name}.bn.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        # Theirs has no scale: it is moved into the variance, beside epsilon.
        norm.set_weights([beta, mean, (variance + 1e-3) / gamma**2 - 1e-3])
    pools = made(keras.layers.MaxPooling2D)
    outputs = {
        64: pools[0].output,
        192: pools[1].output,
        768: theirs.get_layer("mixed7").output,
        "mixed9": theirs.get_layer("mixed9").output,
        2048: theirs.get_layer("mixed10").output,
    }
    return keras.Model(theirs.input, outputs)(
        inception.preprocess(images), training=False
    )


def test_parameters_are_those_of_the_published_architecture(network):
    # Keras' InceptionV3 without its top has 21,802,784, and no scales: 17,216 more.
    assert network.count_params() == 21_802_784 + 17_216
    assert not network.trainable_variables
    assert network.output_shape == (None, 8, 8, 2048)


@pytest.mark.parametrize("features", [64, 192, 768])
def test_earlier_features_are_those_of_keras(path, images, of_keras, features):
    found = metrics.InceptionFeatures(path, features=features)(images)
    assert found.shape == (2, features)
    expected = tf.reduce_mean(of_keras[features], axis=[1, 2])
    # Random signs: rounding grows with depth, here to 1e-5 of the largest feature.
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.max(expected))
    assert np.std(expected) > 0.1


def test_last_block_has_a_maximum_where_keras_has_a_mean(path, state, images, of_keras):
    found = metrics.InceptionFeatures(path)(images).numpy()
    assert found.shape == (2, 2048)
    assert found.dtype == np.float32
    theirs = tf.reduce_mean(of_keras[2048], axis=[1, 2]).numpy()
    tolerance = 1e-4 * theirs.max()
    np.testing.assert_allclose(found[:, :_ALIKE], theirs[:, :_ALIKE], atol=tolerance)

    def weights(part):
        return state[f"Mixed_7c.branch_pool.{part}"]

    pooled = tf.nn.max_pool2d(of_keras["mixed9"], 3, 1, "SAME").numpy()
    x = pooled @ weights("conv.weight")[:, :, 0, 0].T
    x = (x - weights("bn.running_mean")) / np.sqrt(weights("bn.running_var") + 1e-3)
    x = np.maximum(x * weights("bn.weight") + weights("bn.bias"), 0).mean(axis=(1, 2))
    np.testing.assert_allclose(found[:, _ALIKE:], x, atol=tolerance)
    assert np.abs(found[:, _ALIKE:] - theirs[:, _ALIKE:]).max() > 100 * tolerance


def test_images_of_all_types_have_the_same_features(path, images):
    features = metrics.InceptionFeatures(path, features=64)
    expected = features(images)
    np.testing.assert_array_equal(features(images / 255.0), expected)
    np.testing.assert_array_equal(features((images / 255).astype("float32")), expected)
    grey = images[..., :1]
    np.testing.assert_array_equal(features(grey), features(np.repeat(grey, 3, -1)))
    for wrong, message in (
        (images * 1.0, r"within \[0, 1\].*divide.*maximum 255"),
        (images / 255.0 - 0.5, r"within \[0, 1\].*minimum -0\.5"),
        (np.where(images > 9, images / 255.0, np.nan), r"must be finite"),
        (images[..., :2], r"3 channels, or 1\. Received: images\.shape=\(2, 40, 50, 2"),
        (images[0], r"shape \[B, H, W, C\]"),
        (images.astype(np.int64), "must be floating"),
    ):
        with pytest.raises(ValueError, match=message):
            features(wrong)


def test_fid_of_images(path):
    rng = np.random.default_rng(0)
    images, others = rng.random((2, 3, 20, 20, 1)).astype(np.float32)
    features = metrics.InceptionFeatures(path, features=64)
    found = metrics.fid(images, others, features, batch_size=2)
    expected = metrics.frechet_distance_of(features(images), features(others))
    # A batch of another size may be summed in another order.
    assert found == pytest.approx(expected, rel=1e-4)
    assert found > 0


def test_every_grey_level_survives_the_way_through_floats():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    expected = inception.preprocess(levels)
    for dtype in (np.float32, np.float64):
        found = inception.preprocess((levels / 255).astype(dtype))
        np.testing.assert_array_equal(found, expected)
    # Truncated, not rounded.
    almost = np.full((1, 1, 1, 1), 200.9 / 255, np.float32)
    np.testing.assert_array_equal(inception.preprocess(almost), 72 / 128)


@pytest.mark.parametrize("shape", [(28, 28), (299, 299), (40, 350), (600, 7)])
def test_resize_is_that_of_tensorflow_1(shape):
    images = np.random.default_rng(0).integers(0, 256, (2, *shape, 3)).astype(np.uint8)

    def resized(x, axis):
        """Linear between the pixels on both sides of i * size / 299."""
        size = x.shape[axis]
        place = np.arange(299) * (size / 299)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, size - 1)
        share = np.expand_dims(place - low, tuple({0, 1, 2, 3} - {axis}))
        return x.take(low, axis) * (1 - share) + x.take(high, axis) * share

    expected = (resized(resized(images.astype(float), 1), 2) - 128) / 128
    # Places are float32 there: 600 * 6e-8 pixels off, at steps of up to 2.
    np.testing.assert_allclose(inception.preprocess(images), expected, atol=2e-4)


def test_average_is_over_pixels_inside_alone():
    x = np.random.default_rng(0).random((1, 4, 5, 2)).astype(np.float32)
    image = keras.Input((4, 5, 2))
    found = keras.Model(image, inception._average(image))(x)
    expected = np.empty_like(x)
    for i in range(4):
        for j in range(5):
            window = x[:, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
            expected[:, i, j] = window.mean(axis=(1, 2))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Mixed_5b.branch1x1.bn.bias", None, "'Mixed_5b.branch1x1.bn.bias', and 0 oth"),
        ("AuxLogits.fc.bias", np.zeros(9), "unknown name 'AuxLogits.fc.bias', and 0"),
        (
            "Mixed_6b.branch7x7_2.conv.weight",
            np.zeros((128, 128, 7, 1)),
            r"`Mixed_6b.branch7x7_2.conv.weight` must have .* \(1, 7, 128, 128\)",
        ),
        (
            "Conv2d_1a_3x3.bn.bias",
            np.full(32, np.nan),
            "3x3.bn.bias` must be finite",
        ),
    ],
)
def test_weights_of_another_network_are_refused(network, state, name, value, message):
    changed = {**state, name: value}
    if value is None:
        del changed[name]
    with pytest.raises(ValueError, match=message):
        inception.assign(network, changed)


def test_files_that_are_no_weights_are_refused(tmp_path):
    path = tmp_path / "weights.npz"
    with pytest.raises(ValueError, match=r"weights=None.*says how the file is made"):
        metrics.InceptionFeatures(None)
    with pytest.raises(ValueError, match=r"no such file.*weights\.npz.*how the file"):
        metrics.InceptionFeatures(path)
    with pytest.raises(ValueError, match=r"\[64, 192, 768, 2048\].*features=100"):
        metrics.InceptionFeatures(path, features=100)
    np.savez(path, weights=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match=r"not a readable \.npz file of plain arrays"):
        metrics.InceptionFeatures(path)
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match=r"not a readable \.npz file of plain arrays"):
        metrics.InceptionFeatures(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"one\.npy is not a readable"):
        metrics.InceptionFeatures(tmp_path / "one.npy")
    np.savez(path, **{"Conv2d_1a_3x3.conv.weight": np.zeros(3)})
    with pytest.raises(ValueError, match=r"all 470 arrays.*and 468 others"):
        metrics.InceptionFeatures(path)
