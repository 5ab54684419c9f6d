"""Singular vectors against NumPy's decomposition; PGD that begins along them."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks


def _matrices(rows, columns, count=4, seed=0):
    return np.random.default_rng(seed).normal(size=(count, rows, columns))


def _family(matrices):
    """A network that is linear around each of several points, with another J at each.

    The first number of a point tells which one; it takes no part.
    """
    table = tf.constant(matrices, tf.float32)

    def network(points):
        which = tf.cast(tf.round(tf.stop_gradient(points[:, 0])), tf.int32)
        return tf.einsum("bij,bj->bi", tf.gather(table, which), points[:, 1:])

    return network


def _points(count, columns):
    points = np.random.default_rng(1).normal(size=(count, 1 + columns))
    points[:, 0] = np.arange(count)
    return points


@pytest.mark.parametrize(
    ("rows", "columns", "count"), [(8, 5, 1), (8, 5, 3), (5, 8, 2), (6, 4, 4)]
)
def test_linear_networks_have_the_decomposition_of_numpy(rows, columns, count):
    matrices = _matrices(rows, columns)
    top = attacks.SingularVectors(_family(matrices), count=count, iterations=300)
    found = top(_points(4, columns))
    left, values, right = np.linalg.svd(matrices)
    np.testing.assert_allclose(found.values, values[:, :count], rtol=1e-5)
    # Of 300 iterations nothing is left but rounding, also where values are near.
    assert np.all(np.asarray(found.residuals) < 2e-5)
    # Vectors are equal up to their sign, that of both together.
    lefts = np.swapaxes(left, 1, 2)[:, :count]
    signs = np.sign(np.sum(found.left * lefts, axis=-1, keepdims=True))
    np.testing.assert_allclose(found.left, signs * lefts, atol=2e-4)
    rights = np.pad(right[:, :count], [(0, 0), (0, 0), (1, 0)])
    np.testing.assert_allclose(found.right, signs * rights, atol=2e-4)


def test_all_columns_are_exact_after_one_iteration():
    matrices = _matrices(7, 3)
    top = attacks.SingularVectors(_family(matrices), count=4, iterations=1)
    found = top(_points(4, 3))
    values = np.linalg.svd(matrices, compute_uv=False)
    np.testing.assert_allclose(np.asarray(found.values)[:, :3], values, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(found.values)[:, 3], 0, atol=1e-5)


def test_error_shrinks_at_the_rate_that_is_promised():
    # s = (1, 0.9, 0.5): vectors by 0.81 an iteration, or with two of them by 0.25.
    scales = tf.constant([1.0, 0.9, 0.5])
    for count, rate in [(1, 0.81), (2, 0.25)]:
        angles = []
        for iterations in (4, 8):
            top = attacks.SingularVectors(
                lambda x: scales * x, count=count, iterations=iterations
            )
            right = np.asarray(top(np.zeros((1, 3))).right, np.float64)[0, 0]
            angles.append(np.linalg.norm(right[1:]) / abs(right[0]))
        assert angles[1] / angles[0] == pytest.approx(rate**4, rel=0.05)


def test_residual_bounds_the_distance_to_a_singular_value():
    matrices = _matrices(12, 10, seed=2)
    values = np.linalg.svd(matrices, compute_uv=False)
    for iterations in (1, 3, 10):
        top = attacks.SingularVectors(_family(matrices), count=2, iterations=iterations)
        found = top(_points(4, 10))
        estimates = np.asarray(found.values, np.float64)
        bound = np.asarray(found.residuals) * estimates[:, :1]
        nearest = np.min(
            np.abs(estimates[:, :, np.newaxis] - values[:, np.newaxis]), axis=2
        )
        assert np.all(nearest <= bound + 1e-5)
        # An estimate of J V is never above the value of J.
        assert np.all(estimates <= values[:, :2] * (1 + 1e-5))


def test_images_have_vectors_of_their_shape():
    # An encoder [B, 2, 2, 1] -> [B, 3], and a decoder back.
    matrix = _matrices(4, 3, 1)[0].astype(np.float32)
    values = np.linalg.svd(matrix, compute_uv=False)
    images = np.random.default_rng(0).random((5, 2, 2, 1))

    def encoder(images):
        return tf.reshape(images, (-1, 4)) @ matrix

    def decoder(latents):
        return tf.reshape(latents @ matrix.T, (-1, 2, 2, 1))

    encoded = attacks.SingularVectors(encoder, count=2)(images)
    decoded = attacks.SingularVectors(decoder, count=2)(np.zeros((5, 3)))
    for found in (encoded, decoded):
        np.testing.assert_allclose(found.values, [values[:2]] * 5, rtol=1e-3)
    assert encoded.right.shape == decoded.left.shape == (5, 2, 2, 2, 1)
    assert encoded.left.shape == decoded.right.shape == (5, 2, 3)
    # J^T has the same triplets, the other way round.
    flat = np.reshape(encoded.right[:, 0], (5, 4))
    other = np.reshape(decoded.left[:, 0], (5, 4))
    np.testing.assert_allclose(np.abs(np.sum(flat * other, axis=1)), 1, rtol=1e-4)


def _decoder():
    keras.utils.set_random_seed(0)
    latent = keras.Input((4,))
    x = keras.layers.Reshape((2, 2, 4))(keras.layers.Dense(16)(latent))
    x = keras.layers.Conv2DTranspose(4, 3, 2, padding="same")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.LeakyReLU(negative_slope=0.01)(x)
    x = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    return keras.Model(latent, x)


LATENTS = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)


def _jacobians(network, points):
    with tf.GradientTape() as tape:
        points = tf.constant(points)
        tape.watch(points)
        outputs = tf.reshape(network(points), [len(points), -1])
    return tape.batch_jacobian(outputs, points).numpy()


def test_jacobian_of_a_decoder_at_each_latent(tmp_path):
    decoder = _decoder()
    archive = keras.export.ExportArchive()
    archive.track(decoder)
    signature = [tf.TensorSpec((None, 4), tf.float32)]
    archive.add_endpoint("decode", decoder.call, input_signature=signature)
    archive.write_out(tmp_path, verbose=False)
    loaded = tf.saved_model.load(tmp_path)
    values = np.linalg.svd(_jacobians(decoder, LATENTS), compute_uv=False)
    for network in (decoder, loaded.decode):
        found = attacks.SingularVectors(network, count=2, iterations=60)(LATENTS)
        np.testing.assert_allclose(found.values, values[:, :2], rtol=1e-3)
    assert np.ptp(values[:, 0]) > 0.01 * np.mean(values[:, 0])  # others elsewhere


def test_a_small_step_along_the_top_vector_does_what_its_value_says():
    decoder = _decoder()
    found = attacks.SingularVectors(decoder, iterations=100)(LATENTS)
    step = 1e-2 * found.right[:, 0]
    moved = np.asarray(decoder(LATENTS + step) - decoder(LATENTS - step)) / 2e-2
    lengths = np.linalg.norm(moved.reshape(5, -1), axis=1)
    np.testing.assert_allclose(lengths, found.values[:, 0], rtol=1e-2)


def test_estimates_do_not_depend_on_the_batch():
    matrices = _matrices(6, 5)
    top = attacks.SingularVectors(_family(matrices), count=2, iterations=3)
    points = _points(4, 5)
    together = top(points)
    for row in range(4):
        alone = top(points[row : row + 1])
        for field, whole in zip(alone, together, strict=True):
            np.testing.assert_allclose(field, whole[row : row + 1], atol=1e-5)


def test_jacobians_that_are_zero_or_not_finite_are_told_alone():
    matrices = _matrices(6, 5)
    matrices[1] = 0
    matrices[2] = np.nan
    matrices[3] *= 1e-30
    found = attacks.SingularVectors(_family(matrices), count=2, iterations=100)(
        _points(4, 5)
    )
    values = np.linalg.svd(matrices[[0, 3]], compute_uv=False)[:, :2]
    np.testing.assert_allclose(np.asarray(found.values)[[0, 3]], values, rtol=1e-3)
    np.testing.assert_array_equal(found.values[1], [0, 0])
    np.testing.assert_array_equal(found.residuals[1], [0, 0])
    assert np.all(np.isnan(found.values[2]))
    right = np.asarray(found.right, np.float64)
    gram = right @ np.swapaxes(right, 1, 2)
    np.testing.assert_allclose(gram, [np.eye(2)] * 4, atol=1e-5)


def test_one_trace_for_all_batches_and_iterations():
    traced = []

    def network(points):
        traced.append(points.shape)
        return points * [3.0, 2.0]

    iterations = tf.Variable(1)
    top = attacks.SingularVectors(network, iterations=iterations)
    top(np.zeros((4, 2)))
    first = len(traced)
    for number in (2, 30):
        iterations.assign(number)
        top(np.full((4, 2), 1.0))
    assert len(traced) == first
    for rows in (1, 2, 3):
        found = top(np.zeros((rows, 2), np.float16))
        assert found.values.dtype == tf.float32
        np.testing.assert_allclose(found.values, np.full((rows, 1), 3.0), rtol=1e-6)
    assert len(traced) == 2 * first


# The strong attack.

WEIGHTS = tf.constant([0.5, 3.0, 1.0])


def _damage(latent, clean):
    return tf.reduce_sum((WEIGHTS * latent - clean) ** 2, axis=1)


def test_strong_attack_on_a_linear_decoder_is_exact_at_once():
    latents = LATENTS[:, :3]
    attack = attacks.StrongPGD(
        _damage, lambda z: WEIGHTS * z, epsilon=0.5, steps=1, restarts=0
    )
    result = attack(latents, WEIGHTS * latents)
    # The top vector is the second axis. One step from a random point is not enough.
    np.testing.assert_allclose(result.objective, [1.5**2] * 5, rtol=1e-4)
    plain = attacks.PGD(_damage, epsilon=0.5, steps=1)(latents, WEIGHTS * latents)
    assert np.min(plain.objective) < 0.9 * 1.5**2
    # The start, two runs of a step.
    np.testing.assert_array_equal(result.evaluations, [1 + 2 * 2] * 5)


def test_both_signs_are_tried():
    # On one side of the first axis damage is larger, and on the other at other points.
    def damage(points, side):
        return tf.reduce_sum(points**2, axis=1) + side * points[:, 0]

    attack = attacks.StrongPGD(
        damage, lambda z: z * [3.0, 1.0], epsilon=1.0, steps=1, restarts=0
    )
    result = attack(np.zeros((2, 2)), [0.5, -0.5])
    np.testing.assert_allclose(result.adversarial, [[1, 0], [-1, 0]], atol=1e-3)
    np.testing.assert_allclose(result.objective, [1.5, 1.5], rtol=1e-5)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("targeted", [False, True])
def test_strong_attack_is_never_weaker_than_the_plain_one(norm, targeted):
    decoder = _decoder()

    def objective(latent, other):
        return tf.reduce_mean((decoder(latent) - other) ** 2, axis=[1, 2, 3])

    other = np.zeros((5, 4, 4, 1)) if targeted else decoder(LATENTS)
    options = {"epsilon": 0.5, "norm": norm, "targeted": targeted, "steps": 3}
    plain = attacks.PGD(objective, **options)
    strong = attacks.StrongPGD(objective, decoder, restarts=1, **options)
    sign = -1 if targeted else 1
    for epsilon in (0.5, 3.0):
        gained = sign * np.asarray(
            strong(LATENTS, other, epsilon=epsilon, seed=(1, 2)).objective
            - plain(LATENTS, other, epsilon=epsilon, seed=(1, 2)).objective
        )
        assert np.all(gained >= 0)
    assert np.any(gained > 0)


def test_directions_that_are_known_are_taken():
    seen = []

    def network(points):
        seen.append(points.shape)
        return points * [1.0, 2.0]

    def damage(points):
        return points[:, 0] ** 2

    attack = attacks.StrongPGD(
        damage, network, epsilon=2.0, step_size=0.0, restarts=0, random_start=False
    )
    result = attack(np.zeros((1, 2)), direction=[[3.0, 4.0]])
    assert not seen
    np.testing.assert_allclose(result.objective, [1.2**2], rtol=1e-6)
    # Points of the user's own come along.
    result = attack(np.zeros((1, 2)), direction=[[3.0, 4.0]], initial=[[-1.5, 0.0]])
    np.testing.assert_allclose(result.adversarial, [[-1.5, 0.0]], rtol=1e-6)
    assert attack(np.zeros((1, 2))).objective[0] < 0.01  # (0, 2), from the network
    assert seen


def test_in_a_linf_ball_it_begins_in_a_corner():
    attack = attacks.StrongPGD(
        lambda x: tf.reduce_sum(tf.abs(x), axis=1),
        lambda x: x @ [[3.0], [-1.0]],
        epsilon=0.5,
        norm="linf",
        step_size=0.0,
        restarts=0,
    )
    result = attack(np.zeros((1, 2)))
    np.testing.assert_array_equal(np.abs(result.adversarial), [[0.5, 0.5]])
    assert result.adversarial[0, 0] == -result.adversarial[0, 1]


@pytest.mark.parametrize("strong", [False, True])
def test_networks_are_freed_with_their_owner(strong):
    seen = []
    for _ in range(2):
        decoder = _decoder()
        if strong:
            owner = attacks.StrongPGD(
                lambda z, decoder=decoder: decoder(z)[:, 0, 0, 0], decoder, epsilon=1.0
            )
        else:
            owner = attacks.SingularVectors(decoder)
        owner(LATENTS)
        seen += [weakref.ref(decoder), weakref.ref(owner)]
        seen += [weakref.ref(weight) for weight in decoder.weights]
        del decoder, owner
    for _ in range(3):  # what a function of TensorFlow holds goes after it
        gc.collect()
    assert [reference() for reference in seen] == [None] * len(seen)


# Bad input.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "`count` must be finite and at least 1.*count=0"),
        ({"count": 1.5}, "`count` must be an integer"),
        ({"iterations": 0}, "`iterations` must be .*at least 1.*iterations=0"),
        ({"seed": 1}, "`seed` must be two integers.*seed=1"),
    ],
)
def test_configuration_that_does_not_fit_is_one_line(options, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.SingularVectors(tf.identity, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("network", "count", "points", "message"),
    [
        (tf.identity, 4, np.zeros((2, 3)), r"`count` .*count=4, points .*\(2, 3\)"),
        (lambda x: x[:, :2], 3, np.zeros((1, 3)), r"`count` .*count=3, outputs of"),
        (tf.identity, 1, np.zeros((2, 3), int), "`points` must be floating.*int64"),
        (lambda x: [x, x], 1, np.zeros((2, 3)), "`network` must return one floating"),
        (lambda x: tf.argmax(x, 1), 1, np.zeros((2, 3)), "`network` must return one"),
        (lambda x: tf.ones([2, 1]), 1, np.zeros((2, 3)), "`network` must be differ"),
    ],
)
def test_what_does_not_fit_is_one_line(network, count, points, message):
    with pytest.raises(ValueError, match=message) as error:
        attacks.SingularVectors(network, count=count)(points)
    assert "\n" not in str(error.value)


def test_direction_of_another_shape_is_refused():
    attack = attacks.StrongPGD(lambda x: x[:, 0], tf.identity, epsilon=1.0)
    message = r"`direction` must have the shape of `start`.*\(2, 2\).*\(2, 3\)"
    with pytest.raises(ValueError, match=message):
        attack(np.zeros((2, 3)), direction=np.zeros((2, 2)))
