"""Trunks of LPIPS against SciPy's correlation, and printed sizes."""

import keras
import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from tfsemae.metrics import perceptual, perceptual_networks, perceptual_weights

NETS = tuple(perceptual_weights.NETS)


def narrow(net, seed=0):
    """Random weights of a sixteenth of the channels, and biases of both signs."""
    random = np.random.default_rng(seed)
    arrays = {}
    for name, (outputs, inputs, *size) in perceptual_weights.NETS[net].kernels.items():
        shape = (outputs // 16, 3 if inputs == 3 else inputs // 16, *size)
        spread = np.sqrt(2 / np.prod(shape[1:]))
        arrays[f"{name}.weight"] = random.normal(0, spread, shape).astype(np.float32)
        arrays[f"{name}.bias"] = random.normal(0, 0.1, shape[:1]).astype(np.float32)
    return arrays


def convolved(x, arrays, name, stride=1, pad=0):
    """ReLU of a correlation of `[c, h, w]`, float64."""
    x = np.pad(x, [(0, 0), (pad, pad), (pad, pad)])
    kernels = arrays[f"{name}.weight"].astype(float)
    maps = [scipy.signal.correlate(x, kernel, "valid")[0] for kernel in kernels]
    maps = np.stack(maps)[:, ::stride, ::stride]
    return np.maximum(maps + arrays[f"{name}.bias"][:, None, None], 0)


def pooled(x, size, up=False):
    """Maxima of windows at stride 2; `up` keeps a last one that is cut off."""
    counts = []
    for side in x.shape[1:]:
        steps = (side - size) / 2
        counts.append(int(np.ceil(steps) if up else np.floor(steps)) + 1)
    return np.stack(
        [
            [x[:, 2 * i : 2 * i + size, 2 * j : 2 * j + size].max(axis=(1, 2))
             for j in range(counts[1])]
            for i in range(counts[0])
        ]
    ).transpose(2, 0, 1)  # fmt: skip


def alex(x, arrays):
    first = convolved(x, arrays, "features.0", stride=4, pad=2)
    second = convolved(pooled(first, 3), arrays, "features.3", pad=2)
    maps = [first, second, convolved(pooled(second, 3), arrays, "features.6", pad=1)]
    for layer in (8, 10):
        maps.append(convolved(maps[-1], arrays, f"features.{layer}", pad=1))
    return maps


def squeeze(x, arrays):
    x = convolved(x, arrays, "features.0", stride=2)
    maps = [x]
    for layer in (3, 4, 6, 7, 9, 10, 11, 12):
        if layer in (3, 6, 9):
            x = pooled(x, 3, up=True)
        x = convolved(x, arrays, f"features.{layer}.squeeze")
        one = convolved(x, arrays, f"features.{layer}.expand1x1")
        three = convolved(x, arrays, f"features.{layer}.expand3x3", pad=1)
        x = np.concatenate([one, three])
        if layer not in (3, 6):
            maps.append(x)
    return maps


def vgg(x, arrays):
    maps = []
    for layers in ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)):
        if maps:
            x = pooled(x, 2)
        for layer in layers:
            x = convolved(x, arrays, f"features.{layer}", pad=1)
        maps.append(x)
    return maps


REFERENCE = {"alex": alex, "squeeze": squeeze, "vgg": vgg}


# Sides that the strides and the pools divide, and others.
@pytest.mark.parametrize("size", [(31, 34), (40, 37)])
@pytest.mark.parametrize("net", NETS)
def test_feature_maps_equal_correlations_of_scipy(net, size):
    arrays = narrow(net)
    images = np.random.default_rng(1).normal(size=(2, *size, 3)).astype(np.float32)
    found = perceptual_networks.build(net, arrays)(images)
    for index, image in enumerate(images.astype(float)):
        expected = REFERENCE[net](image.transpose(2, 0, 1), arrays)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert np.max(other) > 0.1
            # Float32 through 13 layers at most, beside features of about 1.
            np.testing.assert_allclose(
                np.transpose(one[index], (2, 0, 1)), other, atol=2e-5
            )


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("channels", [1, 3])
def test_distance_equals_the_formula_in_float64(net, channels):
    arrays, random = narrow(net), np.random.default_rng(2)
    a, b = random.random((2, 33, 36, channels)).astype(np.float32)
    shift, scale = [-0.030, -0.088, -0.188], [0.458, 0.448, 0.450]

    def unit(image):
        image = np.repeat(image.astype(float), 3 // channels, axis=-1)
        image = ((2 * image - 1) - shift) / scale
        for maps in REFERENCE[net](image.transpose(2, 0, 1), arrays):
            norm = np.sqrt(np.sum(maps**2, axis=0))
            yield maps / (norm + 1e-10)

    pairs = list(zip(unit(a), unit(b), strict=True))
    head = {f"lin{k}": random.random(len(f)) for k, (f, _) in enumerate(pairs)}
    head = {name: weight.astype(np.float32) for name, weight in head.items()}
    expected = sum(
        np.mean(np.tensordot(head[f"lin{k}"], (f - g) ** 2, axes=1))
        for k, (f, g) in enumerate(pairs)
    )
    found = perceptual.distance(
        perceptual_networks.build(net, arrays),
        perceptual.head_vectors(head),
        None,
        a[np.newaxis],
        b[np.newaxis],
    )
    assert expected > 0.1
    np.testing.assert_allclose(found, [expected], rtol=1e-5)


def test_features_that_are_all_zero_are_at_no_distance():
    arrays = narrow("squeeze")
    arrays = {k: v * 0 - (1 if k.endswith("bias") else 0) for k, v in arrays.items()}
    model = perceptual_networks.build("squeeze", arrays)
    head = [np.ones(f.shape[-1], np.float32) for f in model.outputs]
    a, b = np.random.default_rng(0).random((2, 3, 17, 17, 3)).astype(np.float32)
    found = perceptual.distance(model, head, None, a, b)
    np.testing.assert_array_equal(found, [0, 0, 0])


def test_a_fire_module_has_the_small_kernels_first():
    arrays = {name: np.zeros_like(value) for name, value in narrow("squeeze").items()}
    arrays["features.4.expand1x1.bias"][:] = 1
    arrays["features.4.expand3x3.bias"][:] = 2
    model = perceptual_networks.build("squeeze", arrays)
    found = model(np.zeros((1, 17, 17, 3), np.float32))[1]
    np.testing.assert_array_equal(found[0, 0, 0], 4 * [1] + 4 * [2])


#: Sides of the feature maps, by the rules of PyTorch for strides and pools.
SIDES = [
    ("alex", 64, [15, 7, 3, 3, 3]),
    ("alex", 224, [55, 27, 13, 13, 13]),
    ("squeeze", 64, [31, 15, 7, 3, 3, 3, 3]),
    ("squeeze", 28, [13, 6, 3, 1, 1, 1, 1]),
    ("squeeze", 224, [111, 55, 27, 13, 13, 13, 13]),
    ("vgg", 64, [64, 32, 16, 8, 4]),
    ("vgg", 28, [28, 14, 7, 3, 1]),
]


@pytest.mark.parametrize(("net", "side", "expected"), SIDES)
def test_sides_of_feature_maps(net, side, expected):
    model = perceptual_networks.build(net, narrow(net))
    shapes = model.compute_output_shape((1, side, side, 3))
    assert [shape[1] for shape in shapes] == expected
    assert [shape[2] for shape in shapes] == expected
    channels = [width // 16 for width in perceptual_weights.NETS[net].channels]
    assert [shape[3] for shape in shapes] == channels


@pytest.mark.parametrize("net", NETS)
def test_least_side_leaves_a_pixel_to_each_feature_map(net):
    model = perceptual_networks.build(net, narrow(net))
    least = perceptual_networks.LEAST_SIDE[net]
    assert {"alex": 31, "squeeze": 17, "vgg": 16}[net] == least
    found = model(np.zeros((1, least, least + 1, 3), np.float32))
    assert found[-1].shape[1:3] == (1, 1)
    # The layer at which nothing is left raises, each kernel in its way, or in Keras
    # 3.11 gives an empty map.
    try:
        shapes = [each.shape for each in model(np.zeros((1, least - 1, least, 3)))]
    except (ValueError, tf.errors.OpError):
        shapes = [(0,)]
    assert any(0 in shape for shape in shapes)


def test_built_under_any_settings_of_keras():
    before = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy("mixed_float16")
    keras.config.set_image_data_format("channels_first")
    try:
        model = perceptual_networks.build("squeeze", narrow("squeeze"))
    finally:
        keras.config.set_dtype_policy(before[0])
        keras.config.set_image_data_format(before[1])
    assert {w.dtype for w in model.weights} == {"float32"}
    assert not model.trainable_weights
    found = model(np.zeros((1, 17, 20, 3), np.float32))
    assert {f.dtype.name for f in found} == {"float32"}
