"""What every network in the registry must do; a new one joins by its entry there."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import models
from tfsemae.models import registry, saved_model
from tfsemae.models.autoencoder import Autoencoder

#: Name, image shape and number of classes that suit it.
CASES = [("table1", (16, 12, 1), 3), ("table1", (16, 12, 3), 2)]

#: Loads both forms of each folder where tfsemae cannot be imported, and applies them.
ELSEWHERE = """
import sys
import numpy as np
sys.modules["tfsemae"] = None
import keras
import tensorflow as tf
for folder in sys.argv[1:]:
    images = np.load(f"{folder}/images.npy")
    load = lambda name: keras.saving.load_model(f"{folder}/{name}.keras")
    latent = load("encoder")(images)
    exported = tf.saved_model.load(f"{folder}/saved_model")
    np.savez(
        f"{folder}/found.npz",
        keras_latent=latent, keras_image=load("decoder")(latent),
        keras_logits=load("classifier")(latent),
        latent=exported.encode(images), image=exported.decode(latent),
        logits=exported.classify(images),
    )
assert not any(name.startswith("tfsemae.") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def networks():
    """Of each of the cases."""

    def build(name, shape, classes):
        names = tuple(str(k) for k in range(classes))
        return models.build(name, shape, names, initializer="he_normal", seed=0)

    return {case: build(*case) for case in CASES}


@pytest.fixture(
    scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1][-1]}"
)
def network(request, networks):
    return networks[request.param]


def _images(network, count=5):
    shape = (count, *network.image_shape)
    return np.random.default_rng(0).random(shape, np.float32)


def _apply(network, images):
    latent = network.encoder(images)
    return latent, network.decoder(latent), network.classifier(latent)


def test_each_network_is_tried():
    assert {name for name, *_ in CASES} == set(registry.NETWORKS)


def test_parts_are_functional_keras_models(network):
    for part in (network.encoder, network.decoder, network.classifier):
        assert type(part).__name__ == "Functional"
        assert isinstance(part, keras.Model)


def test_float32_in_and_out(network):
    images = _images(network)
    latent, decoded, logits = _apply(network, images)
    assert {t.dtype for t in (latent, decoded, logits)} == {tf.float32}
    assert latent.shape == (5, *network.encoder.output_shape[1:])
    assert decoded.shape == images.shape
    assert logits.shape == (5, len(network.class_names))
    assert 0 <= decoded.numpy().min() <= decoded.numpy().max() <= 1


def test_images_of_a_batch_do_not_see_each_other(network):
    images = _images(network)
    for whole, alone in zip(
        _apply(network, images), _apply(network, images[:1]), strict=True
    ):
        # Another batch size may order the sums differently.
        np.testing.assert_allclose(whole[:1], alone, rtol=1e-5, atol=1e-6)


def test_gradient_reaches_every_weight(network):
    images, joint = _images(network), network.joint()
    with tf.GradientTape() as tape:
        outputs = joint(images, training=True)
        loss = tf.reduce_mean(tf.square(outputs["reconstruction"] - images))
        loss += tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(
                np.arange(5) % len(network.class_names),
                outputs["logits"],
                from_logits=True,
            )
        )
    weights = joint.trainable_weights
    gradients = tape.gradient(loss, weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path


def test_gradient_reaches_the_image(network):
    images = tf.constant(_images(network))
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(network.decoder(network.encoder(images)))
    assert np.any(tape.gradient(total, images))


def test_saved_and_loaded_it_gives_the_same(network, tmp_path):
    network.save(tmp_path)
    images = _images(network)
    pairs = zip(
        _apply(Autoencoder.load(tmp_path), images), _apply(network, images), strict=True
    )
    for loaded, original in pairs:
        np.testing.assert_array_equal(loaded, original)


@pytest.fixture(scope="module")
def found_elsewhere(networks, tmp_path_factory, run_python):
    """What both forms of each network give in a process without tfsemae."""
    folders = {}
    for network in networks.values():
        folder = folders[network] = tmp_path_factory.mktemp("elsewhere")
        network.save(folder)
        saved_model.export(network, folder / "saved_model")
        np.save(folder / "images.npy", _images(network))
    ended = run_python("-c", ELSEWHERE, *folders.values(), cwd="/")
    assert ended.status == 0, ended.messages
    return {
        network: np.load(folder / "found.npz") for network, folder in folders.items()
    }


def test_both_saved_forms_load_without_tfsemae(network, found_elsewhere):
    found = found_elsewhere[network]
    for name, expected in zip(
        ("latent", "image", "logits"), _apply(network, _images(network)), strict=True
    ):
        # Sums may be ordered differently in another process and in a graph.
        for kind in ("", "keras_"):
            np.testing.assert_allclose(
                found[kind + name], expected, rtol=1e-5, atol=1e-6
            )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "table2"}, r"known are table1.*name='table2'"),
        ({"width": 3}, r"table1 has the options initializer. Received: width"),
        (
            {"initializer": "zeros"},
            "--initializer=zeros is none of its choices, glorot",
        ),
        ({"class_names": ["7"]}, r"at least 2 classes.*class_names=\('7',\)"),
        ({"class_names": "01"}, r"not one string. Received: class_names='01'"),
        ({"image_shape": (12, 10, 1)}, r"multiples of 4. Received: image_shape="),
    ],
)
def test_what_cannot_be_built_is_refused(arguments, message):
    fitting = {"name": "table1", "image_shape": (12, 12, 1), "seed": 0}
    with pytest.raises(ValueError, match=message):
        registry.build(**fitting | arguments)


def _weights(network):
    return [
        w for part in (network.encoder, network.decoder) for w in part.get_weights()
    ]


def test_options_that_are_not_given_have_the_defaults_of_the_settings():
    found = registry.build("table1", (12, 12, 1), seed=0)
    expected = registry.build("table1", (12, 12, 1), initializer="wide_normal", seed=0)
    for a, b in zip(_weights(found), _weights(expected), strict=True):
        np.testing.assert_array_equal(a, b)


def test_package_has_what_it_names_and_no_more():
    assert models.Autoencoder is Autoencoder
    assert models.build is registry.build
    with pytest.raises(AttributeError, match=r"'tfsemae\.models' has no .* 'train'"):
        _ = models.train


# --- options


def test_each_option_has_a_help_and_a_default_that_passes():
    for _, options in registry.NETWORKS.values():
        for field in dataclasses.fields(options):
            assert field.metadata["help"].endswith(".")
        options()


def test_registry_and_settings_need_no_keras(run_python):
    script = (
        "import sys\nfrom tfsemae.models import registry\n"
        "sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow', 'numpy')))"
    )
    assert run_python("-c", script).status == 0
