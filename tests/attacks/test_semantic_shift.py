"""I_a = I + d(e_s(I)) - d(e_v(I)) on networks whose answers are known by hand."""

import ctypes
import gc
import pathlib
import resource
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks
from tfsemae.reports import provenance

SHAPE = (2, 2, 1)
#: Of determinant 1, with a whole-numbered inverse: exact in float32.
MIX = np.array([[1, 2, 0, 0], [0, 1, 0, 0], [0, 3, 1, 0], [1, 0, 0, 1]], np.float32)
IMAGES = np.arange(12, dtype=np.float32).reshape(3, *SHAPE) / 16


def _linear(matrix, inputs, outputs, offset=0.0):
    """A functional model x -> x @ matrix + offset on flattened tensors."""
    x = keras.Input(inputs)
    y = keras.layers.Flatten()(x)
    dense = keras.layers.Dense(matrix.shape[1])
    model = keras.Model(x, keras.layers.Reshape(outputs)(dense(y)))
    dense.set_weights([matrix, np.full(matrix.shape[1], offset, np.float32)])
    return model


def _encoder(matrix=MIX, offset=0.0):
    return _linear(matrix, SHAPE, (matrix.shape[1],), offset)


def _decoder(matrix=None):
    matrix = np.linalg.inv(MIX) if matrix is None else matrix
    return _linear(matrix.astype(np.float32), (len(matrix),), SHAPE)


@pytest.fixture(scope="module")
def networks():
    """A victim that is inverted exactly, and an attacker that shifts its latent."""
    return _encoder(), _encoder(offset=0.25), _decoder()


def test_linear_inverses_take_the_latent_to_that_of_the_attacker(networks):
    victim, attacker, decoder = networks
    found = attacks.semantic_shift(victim, attacker, decoder, IMAGES)
    # Eq. (7) exactly: sixteenths times small whole numbers have no rounding.
    np.testing.assert_array_equal(victim(found.adversarial), found.target_latent)
    np.testing.assert_array_equal(found.target_latent, attacker(IMAGES))
    assert not np.array_equal(found.latent, found.target_latent)


def test_each_part_by_hand(networks):
    found = attacks.semantic_shift(*networks, IMAGES)
    flat = IMAGES.reshape(3, 4)
    latent, target_latent = flat @ MIX, flat @ MIX + 0.25
    target = (target_latent @ np.linalg.inv(MIX)).reshape(IMAGES.shape)
    np.testing.assert_array_equal(found.latent, latent)
    np.testing.assert_array_equal(found.target_latent, target_latent)
    # NumPy's inverse is of float64, with rounding in its last place.
    np.testing.assert_allclose(found.reconstruction, IMAGES, atol=1e-6)
    np.testing.assert_allclose(found.target, target, atol=1e-6)
    np.testing.assert_allclose(found.adversarial, target, atol=1e-6)


def test_reconstructions_are_subtracted_and_not_the_images():
    # d gives half of each image back: I_a = I + I_s / 2 - I_v / 2, not I_s.
    eye = np.eye(4, dtype=np.float32)
    victim, attacker = _encoder(eye), _encoder(eye, offset=0.5)
    found = attacks.semantic_shift(victim, attacker, _decoder(eye / 2), IMAGES)
    np.testing.assert_array_equal(found.adversarial, IMAGES + 0.25)
    np.testing.assert_array_equal(found.reconstruction, IMAGES / 2)


@pytest.mark.parametrize(
    ("offset", "clipped"), [(3.0, 1.0), (-3.0, 0.0)], ids=["above", "below"]
)
def test_only_one_of_the_two_is_clipped(offset, clipped):
    eye = np.eye(4, dtype=np.float32)
    networks = _encoder(eye), _encoder(eye, offset=offset), _decoder(eye)
    found = attacks.semantic_shift(*networks, IMAGES)
    np.testing.assert_array_equal(found.adversarial, IMAGES + offset)
    np.testing.assert_array_equal(found.clipped, np.full_like(IMAGES, clipped))


def test_within_the_range_clipping_changes_nothing():
    eye = np.eye(4, dtype=np.float32)
    networks = _encoder(eye), _encoder(eye, offset=0.125), _decoder(eye)
    found = attacks.semantic_shift(*networks, IMAGES)
    np.testing.assert_array_equal(found.clipped, found.adversarial)


@pytest.mark.parametrize("seed", range(3))
def test_victim_as_its_own_attacker_gives_the_images_back_bit_for_bit(seed):
    # With numbers that do round: I + I_s - I_v from left to right would not.
    rng = np.random.default_rng(seed)
    encoder = _encoder(rng.normal(size=(4, 3)).astype(np.float32))
    decoder = _decoder(rng.normal(size=(3, 4)))
    images = rng.random((50, *SHAPE), np.float32)
    found = attacks.semantic_shift(encoder, encoder, decoder, images)
    np.testing.assert_array_equal(found.adversarial, images, strict=True)
    assert np.ptp(found.reconstruction) > 0


def _dropped(inputs, outputs):
    x = keras.Input(inputs)
    return keras.Model(x, keras.layers.Reshape(outputs)(keras.layers.Dropout(0.9)(x)))


@pytest.mark.parametrize("place", range(3))
def test_networks_run_as_at_inference(place):
    eye = np.eye(4, dtype=np.float32)
    networks = [_encoder(eye), _encoder(eye), _decoder(eye)]
    networks[place] = _dropped((4,), SHAPE) if place == 2 else _dropped(SHAPE, (4,))
    found = attacks.semantic_shift(*networks, IMAGES)
    for images in (found.adversarial, found.reconstruction, found.target):
        np.testing.assert_array_equal(images, IMAGES)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float64, tf.float16, tf.bfloat16])
@pytest.mark.parametrize("tensor", [True, False], ids=["tensor", "array"])
def test_images_of_every_floating_type_give_the_same_float32(networks, dtype, tensor):
    # Sixteenths below 1 are exact in all of them.
    images = tf.constant(IMAGES, dtype)
    found = attacks.semantic_shift(*networks, images if tensor else images.numpy())
    expected = attacks.semantic_shift(*networks, IMAGES)
    for part, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, same)
        assert part.dtype == tf.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_images_that_are_not_floating_are_refused(networks, dtype):
    with pytest.raises(ValueError, match="divide 8-bit pixels by 255") as error:
        attacks.semantic_shift(*networks, (255 * IMAGES).astype(dtype))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_networks_of_another_precision_give_float32(policy):
    eye = np.eye(4, dtype=np.float32)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        networks = _encoder(eye), _encoder(eye, offset=0.25), _decoder(eye)
    finally:
        keras.config.set_dtype_policy(before)
    found = attacks.semantic_shift(*networks, IMAGES)
    # Sixteenths below 2 are exact in all of them.
    np.testing.assert_array_equal(found.adversarial, IMAGES + 0.25)
    assert {tensor.dtype for tensor in found} == {tf.float32}


class Subclassed(keras.Model):
    """Another model, whose shapes Keras does not know."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x)


def test_subclassed_models_will_do(networks):
    found = attacks.semantic_shift(*map(Subclassed, networks), IMAGES)
    expected = attacks.semantic_shift(*networks, IMAGES)
    for part, same in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, same)


def _two_outputs():
    x = keras.Input(SHAPE)
    flat = keras.layers.Flatten()(x)
    return keras.Model(x, [flat, flat])


def _two_inputs():
    x, y = keras.Input((4,)), keras.Input((4,))
    return keras.Model([x, y], keras.layers.Reshape(SHAPE)(keras.layers.Add()([x, y])))


class Posterior(keras.Model):
    """Mean and logarithmic variance, as of a variational autoencoder."""

    def call(self, x):
        flat = tf.reshape(x, (-1, 4))
        return {"mean": flat, "log_var": flat}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": _two_outputs()}, "output of `encoder` .*: list of 2"),
        ({"attacker": Posterior()}, "output of `attacker` .*: dict of 2"),
        ({"decoder": _two_inputs()}, "input of `decoder` .*: list of 2"),
    ],
)
def test_models_of_several_tensors_are_refused(networks, changes, message):
    names = ("encoder", "attacker", "decoder", "images")
    arguments = dict(zip(names, (*networks, IMAGES), strict=True)) | changes
    with pytest.raises(ValueError, match=message) as error:
        attacks.semantic_shift(**arguments)
    assert "keras.Model(input, output)" in str(error.value)
    assert "\n" not in str(error.value)


def test_any_models_will_do_also_of_any_image_size():
    # Fully convolutional, latent of the same rank as the image.
    def halved(factor):
        x = keras.Input((None, None, 3))
        return keras.Model(x, keras.layers.Rescaling(factor)(x))

    images = np.full((2, 5, 7, 3), 0.5, np.float32)
    found = attacks.semantic_shift(halved(1.0), halved(1.5), halved(0.5), images)
    # I + d(1.5 I) - d(I) = 1.25 I.
    np.testing.assert_array_equal(found.adversarial, 1.25 * images)


def test_one_trace_for_all_batch_sizes(networks):
    traced = []

    @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE))])
    def attack(images):
        traced.append(images.shape)
        return attacks.semantic_shift(*networks, images)

    for count in (3, 1, 2, 7, 64):
        images = np.resize(IMAGES, (count, *SHAPE))
        found = attack(images)
        expected = attacks.semantic_shift(*networks, images).adversarial
        np.testing.assert_array_equal(found.adversarial, expected)
    assert traced == [(None, *SHAPE)]


def _triple(size):
    """Three networks of about `3 * size**2` weights."""
    image, latent = keras.Input((size, 1, 1)), keras.Input((size,))
    flat = keras.layers.Flatten()(image)
    grid = keras.layers.Reshape((size, 1, 1))
    return (
        keras.Model(image, keras.layers.Dense(size)(flat)),
        keras.Model(image, keras.layers.Dense(size)(flat)),
        keras.Model(latent, grid(keras.layers.Dense(size)(latent))),
    )


def _resident():
    """Bytes that this process has allocated in memory; None where that is not known.

    Without pages of files, such as libraries, which a system takes and reads again.
    """
    for _ in range(3):  # what a function of TensorFlow holds goes after it
        gc.collect()
    try:
        # glibc keeps what is freed for later, which is not meant here.
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        counts = pathlib.Path("/proc/self/statm").read_text().split()
        pages = int(counts[1]) - int(counts[2])  # resident, those of files
    except OSError:  # not Linux with glibc
        return None
    return pages * resource.getpagesize()


def _traced(networks):
    # On Python 3.13 AutoGraph was seen to keep the networks of a lambda in a test
    # module, though not in a program.
    attack = tf.function(
        lambda images: attacks.semantic_shift(*networks, images), autograph=False
    )
    return attack


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "function"])
def test_networks_are_freed_with_their_owner(traced):
    seen, size, before = [], 500, None
    images = np.zeros((1, size, 1, 1), np.float32)
    for number in range(17):
        if number == 1:  # the first fills pools
            before = _resident()
        networks = _triple(size)
        if traced:
            _traced(networks)(images)
        else:
            attacks.semantic_shift(*networks, images)
        seen.extend(weakref.ref(network) for network in networks)
        del networks
    after = _resident()
    assert [reference() for reference in seen] == [None] * len(seen)
    # Outside of functions oneDNN keeps a copy of the weights of each product (with
    # AVX-512, 16 triples of 3 MB), whoever calls it.
    _, machine = provenance.environment()
    kept_by_onednn = not traced and machine["oneDNN"] == "on"
    if before is not None and not kept_by_onednn:
        # Of 16 triples of 3 MB less than four: Keras and TensorFlow keep records of
        # their own, 3 to 5 MB here.
        assert after - before < 4 * 3 * 4 * size**2


def test_other_networks_are_not_taken_for_earlier_ones(networks):
    eye = np.eye(4, dtype=np.float32)
    for offset in (0.125, 0.5):
        shifted = _encoder(eye, offset=offset)
        found = attacks.semantic_shift(_encoder(eye), shifted, _decoder(eye), IMAGES)
        np.testing.assert_array_equal(found.adversarial, IMAGES + offset)


def test_weights_that_changed_since_are_used():
    eye = np.eye(4, dtype=np.float32)
    networks = _encoder(eye), _encoder(eye), _decoder(eye)
    attacks.semantic_shift(*networks, IMAGES)
    networks[1].set_weights([eye, np.full(4, 0.25, np.float32)])
    found = attacks.semantic_shift(*networks, IMAGES)
    np.testing.assert_array_equal(found.adversarial, IMAGES + 0.25)


def test_it_may_be_called_in_a_graph_and_differentiated(networks):
    @tf.function(input_signature=[tf.TensorSpec((None, *SHAPE))])
    def gradient(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            found = attacks.semantic_shift(*networks, images)
            total = tf.reduce_sum(found.adversarial)
        return tape.gradient(total, images)

    # Both reconstructions have the same derivative: that of I is left.
    np.testing.assert_allclose(gradient(IMAGES), np.ones_like(IMAGES), atol=1e-5)


WIDE = np.eye(4, 5, dtype=np.float32)
TALL = (2, 3, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"images": np.zeros((3, *TALL))},
            r"images of `encoder` must .*, 2, 2, 1\).*: \(3, 2, 3, 1\)",
        ),
        ({"images": np.zeros(SHAPE)}, r"`images` must .*images.shape=\(2, 2, 1\)"),
        (
            {"attacker": _linear(np.eye(6, 4, dtype=np.float32), TALL, (4,))},
            r"images of `attacker` must .*, 2, 3, 1\)",
        ),
        (
            {"attacker": _encoder(WIDE)},
            r"latent of the attacker must .*\(3, 4\).*: \(3, 5\)",
        ),
        (
            {"decoder": _decoder(WIDE.T)},
            r"latent of `decoder` must .*, 5\).*: \(3, 4\)",
        ),
        (
            {"decoder": _linear(np.eye(4, 6, dtype=np.float32), (4,), TALL)},
            r"`images` and `reconstruction` must .*\(3, 2, 2, 1\).*\(3, 2, 3, 1\)",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused(networks, changes, message):
    names = ("encoder", "attacker", "decoder", "images")
    arguments = dict(zip(names, (*networks, IMAGES), strict=True)) | changes
    with pytest.raises(ValueError, match=message) as error:
        attacks.semantic_shift(**arguments)
    assert "\n" not in str(error.value)
