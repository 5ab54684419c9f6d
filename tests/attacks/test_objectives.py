import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import attacks
from tfsemae.attacks import distances, objectives
from tfsemae.models import distributions


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_mean_squared_error_is_over_all_numbers_of_an_example():
    points, target = _random(3, 4, 5, 1), _random(3, 4, 5, 1, seed=1)
    found = objectives.mean_squared_error(lambda x: 2 * x)(points, target)
    expected = np.mean((2 * points - target) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_euclidean_distance():
    points, target = _random(3, 7), _random(3, 7, seed=1)
    found = objectives.euclidean_distance(lambda x: x)(points, target)
    np.testing.assert_allclose(
        found, np.linalg.norm(points - target, axis=1), rtol=1e-5
    )


def test_kl_is_that_of_tfp_with_the_posterior_of_the_point_first():
    found, target = (
        {"mean": _random(3, 4, seed=k), "log_variance": _random(3, 4, seed=k + 1)}
        for k in (0, 2)
    )
    ours = objectives.posterior_kl(lambda x: found)(tf.zeros([3, 1]), target)
    first, second = (distributions.posterior(**each) for each in (found, target))
    np.testing.assert_allclose(ours, first.kl_divergence(second), rtol=1e-4)


def test_squared_distance_is_the_square_of_the_euclidean_one():
    points, target = _random(3, 4, 2), _random(3, 4, 2, seed=1)
    found = objectives.squared_distance(lambda x: 3 * x)(points, target)
    expected = objectives.euclidean_distance(lambda x: 3 * x)(points, target) ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("distance", [distances.kl, distances.released])
def test_distance_of_posteriors_is_that_of_the_networks_output(distance):
    found, target = (
        {"mean": _random(3, 4, seed=k), "log_variance": _random(3, 4, seed=k + 1)}
        for k in (0, 2)
    )
    objective = objectives.posterior_distance(lambda x: found, distance)
    ours = objective(tf.zeros([3, 1]), target)
    np.testing.assert_array_equal(ours, distance(found, target))


def _posterior(points):
    return {"mean": 2 * points, "log_variance": points[:, ::-1] - 1}


def test_expected_distance_of_opposite_draws_by_hand():
    points, target = _random(4, 3), _random(4, 3, seed=1)
    # Over +1 and -1 the square of 5 (m + s e) - t has the mean (5 m - t)^2 + (5 s)^2.
    found = objectives.expected_squared_distance(
        _posterior, lambda z: 5 * z, [[1.0] * 3, [-1.0] * 3]
    )(points, target)
    variance = np.exp(points[:, ::-1] - 1)
    expected = np.sum((10 * points - target) ** 2 + 25 * variance, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_expected_distance_is_the_mean_over_draws_that_all_examples_share():
    points, target = tf.constant(_random(4, 3)), _random(4, 2, 3, 1, seed=1)
    draws = _random(6, 3, seed=2)

    def decoder(latents):  # one example after another, each of the shape [2, 3, 1]
        return tf.stack([latents, latents**2], axis=1)[..., tf.newaxis]

    make = objectives.expected_squared_distance
    found = make(_posterior, decoder, draws)(points, target)
    each = [
        make(_posterior, decoder, draws[k : k + 1])(points, target) for k in range(6)
    ]
    np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-5)
    latents = 2 * points[1] + tf.exp((points[1, ::-1] - 1) / 2) * draws[0]
    expected = np.sum((decoder(latents[np.newaxis])[0] - target[1]) ** 2)
    np.testing.assert_allclose(each[0][1], expected, rtol=1e-5)


def test_draws_of_another_shape_are_refused():
    objective = objectives.expected_squared_distance(
        _posterior, tf.identity, np.zeros((5, 2))
    )
    with pytest.raises(ValueError, match=r"`draws` must have .*\(5, 2\).*\(1, 3\)"):
        objective(tf.zeros([1, 3]), tf.zeros([1, 3]))


def test_attack_on_a_saved_model_of_plain_keras(tmp_path):
    """Gradients flow through the endpoints of a model that is not ours."""
    image = keras.Input((6, 6, 1))
    flat = keras.layers.Flatten()(image)
    encoder = keras.Model(image, keras.layers.Dense(4, activation="tanh")(flat))
    latent = keras.Input((4,))
    decoder = keras.Model(latent, keras.layers.Rescaling([3.0, 2.0, 1.0, 1.0])(latent))
    archive = keras.export.ExportArchive()
    archive.track(encoder)
    archive.track(decoder)
    specs = [tf.TensorSpec((None, *each.shape[1:])) for each in (image, latent)]
    archive.add_endpoint("encode", lambda x: encoder(x), specs[:1])
    archive.add_endpoint("decode", lambda z: decoder(z), specs[1:])
    archive.write_out(str(tmp_path / "theirs"), verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "theirs"))

    images = np.random.default_rng(0).random((5, 6, 6, 1), np.float32)
    codes = loaded.encode(images)
    attack = attacks.StrongPGD(
        objectives.mean_squared_error(loaded.decode), loaded.decode, epsilon=0.5
    )
    found = attack(codes, loaded.decode(codes))
    # All of the change along the first number, whose gain is 3.
    np.testing.assert_allclose(found.objective, (3 * 0.5) ** 2 / 4, rtol=1e-4)

    objective = objectives.euclidean_distance(loaded.encode)
    result = attacks.PGD(objective, epsilon=0.5, bounds=(0, 1))(images, codes)
    same = attacks.PGD(
        objectives.euclidean_distance(lambda x: encoder(x)), epsilon=0.5, bounds=(0, 1)
    )(images, codes)
    # Graph and eager operations may order float32 sums differently.
    np.testing.assert_allclose(result.objective, same.objective, rtol=1e-3)
    assert np.all(result.objective.numpy() > 0.01)


@pytest.mark.parametrize(
    "make", [objectives.mean_squared_error, objectives.euclidean_distance]
)
def test_they_need_one_value_per_example(make):
    found = make(lambda x: x)(tf.zeros([2, 3, 1]), tf.ones([2, 3, 1]))
    assert found.shape == (2,)


def _decoder(latent):
    return tf.tile(latent, [1, 1])


_DRAWS = np.zeros((2, 3), np.float32)
_POSTERIOR = {"mean": tf.zeros([3, 3]), "log_variance": tf.zeros([3, 3])}


@pytest.mark.parametrize(
    "objective",
    [
        objectives.mean_squared_error(_decoder),
        objectives.squared_distance(_decoder),
        objectives.euclidean_distance(_decoder),
        objectives.expected_squared_distance(lambda x: _POSTERIOR, _decoder, _DRAWS),
        objectives.expected_squared_error(lambda x, noise: x + noise, _DRAWS),
    ],
)
def test_target_is_broadcast_over_examples_only(objective):
    points = tf.ones([3, 3])
    for_all = objective(points, tf.ones([1, 3]))
    np.testing.assert_array_equal(for_all, objective(points, tf.ones([3, 3])))
    np.testing.assert_array_equal(for_all, objective(points, 1.0))
    # Three numbers would be taken for those of an image, whatever is meant.
    for wrong in (tf.ones([3]), tf.ones([3, 1]), tf.ones([3, 1, 3])):
        with pytest.raises(ValueError, match="`target` must have the shape of the out"):
            objective(points, wrong)


@pytest.mark.parametrize(
    "distance", [distances.kl, distances.released, distances.squared_l2_of_means]
)
def test_posterior_of_the_target_is_broadcast_over_examples_only(distance):
    found = {"mean": tf.ones([3, 3]), "log_variance": tf.zeros([3, 3])}
    target = {name: value[:1] for name, value in found.items()}
    np.testing.assert_array_equal(distance(found, target), distance(found, found))
    with pytest.raises(ValueError, match=r"target\.shape=\(3,\) for outputs"):
        distance(found, {name: value[0] for name, value in found.items()})
