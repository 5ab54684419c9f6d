import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae.evaluation import attacking
from tfsemae.models.autoencoder import Autoencoder

IMAGES = np.random.default_rng(0).uniform(0.2, 0.8, (4, 12, 12, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def victim():
    """Its latent is the image."""
    image, latent = keras.Input((12, 12, 1)), keras.Input((144,))
    return Autoencoder(
        keras.Model(image, keras.layers.Flatten()(image)),
        keras.Model(latent, keras.layers.Reshape((12, 12, 1))(latent)),
    )


def _brighter(pixels, normal):
    """An attack whose target latent is twice as far as it goes."""
    return attacking.Attacked(
        pixels + 0.1, tf.reshape(pixels + 0.2, [tf.shape(pixels)[0], -1])
    )


def _compiled(victim, gradient):
    step = attacking.measure(victim, _brighter, controls=True, gradient=gradient)
    return tf.function(attacking.latents_only(step), autograph=False)


def test_latents_alone_are_those_of_the_whole(victim):
    normal = np.random.default_rng(1).normal(size=IMAGES.shape).astype(np.float32)
    whole = attacking.measure(victim, _brighter, controls=True)(IMAGES, normal, normal)
    alone = _compiled(victim, gradient=False)(IMAGES, normal, normal)
    assert alone.keys() == set(attacking.CONDITIONS)
    for condition, quantities in alone.items():
        np.testing.assert_allclose(
            quantities["latent"], whole[condition]["latent"], atol=1e-6
        )


def test_without_the_gradient_attack_no_loop_runs(victim):
    loops = {
        gradient: "While"
        in str(
            _compiled(victim, gradient)
            .get_concrete_function(IMAGES, IMAGES, IMAGES)
            .graph.as_graph_def()
        )
        for gradient in (False, True)
    }
    assert loops == {False: False, True: True}
