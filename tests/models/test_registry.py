"""What every network in the registry must do; a new one joins by its entry there."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import models
from tfsemae.models import registry, saved_model, verification
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.models.classifier import Classifier
from tfsemae.models.recogniser import Recogniser

#: Name, image shape, number of classes and options that suit it.
CASES = {
    "table1-1": ("table1", (16, 12, 1), 3, {"initializer": "he_normal"}),
    "table1-3": ("table1", (16, 12, 3), 2, {"initializer": "he_normal"}),
    "conv": ("conv", (17, 12, 1), 0, {"latent": 3}),
    "conv-variational": ("conv", (12, 12, 3), 0, {"latent": 4, "variational": True}),
    "conv_elu": ("conv_elu", (32, 32, 1), 0, {"latent": 3}),
    "conv_elu-variational": (
        "conv_elu",
        (32, 32, 3),
        0,
        {"latent": 4, "variational": True, "pixel_mean": 0.5, "pixel_deviation": 0.25},
    ),
    "conv_elu28": ("conv_elu28", (28, 28, 1), 0, {"latent": 3, "variational": True}),
    "draw": (
        "draw",
        (6, 7, 1),
        0,
        {"draw_steps": 2, "draw_units": 4, "draw_latent": 3},
    ),
    "draw-attention": (
        "draw",
        (6, 5, 3),
        0,
        {
            "attention": True,
            "draw_steps": 3,
            "draw_units": 4,
            "draw_latent": 2,
            "draw_window": 3,
        },
    ),
    "dense": ("dense", (5, 7, 1), 0, {"latent": 3, "hidden": (16, 8)}),
    "dense-variational": ("dense", (6, 5, 3), 0, {"latent": 4, "variational": True}),
    "dense_classifier": ("dense_classifier", (4, 3, 1), 3, {}),
    "conv_classifier": ("conv_classifier", (12, 10, 3), 4, {}),
    "small_conv_classifier": ("small_conv_classifier", (7, 6, 3), 4, {}),
    "preact_resnet8": ("preact_resnet8", (12, 9, 3), 4, {}),
    "listen_attend_spell": ("listen_attend_spell", (8, 5, 2), 12, {}),
}

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
    exported = tf.saved_model.load(f"{folder}/saved_model")
    if hasattr(exported, "spell"):
        heard = load("listener")(images)
        previous = tf.constant(np.load(f"{folder}/previous.npy"))
        given = {name: heard[name] for name in ("states", "present")}
        found = {
            "spelled": exported.spell(images), "features": exported.features(images),
            "keras_features": heard["features"],
            "keras_logits": load("speller")({**given, "previous": previous})["logits"],
        }
        np.savez(f"{folder}/found.npz", **found)
        continue
    if hasattr(exported, "features"):
        found = {
            "logits": exported.classify(images), "features": exported.features(images),
            "keras_logits": load("classifier")(images),
        }
        np.savez(f"{folder}/found.npz", **found)
        continue
    latent = load("encoder")(images)
    found = {
        "keras_latent": latent, "keras_image": load("decoder")(latent),
        "latent": exported.encode(images), "image": exported.decode(latent),
    }
    if hasattr(exported, "classify"):
        found["keras_logits"] = load("classifier")(latent)
        found["logits"] = exported.classify(images)
    if hasattr(exported, "posterior"):
        found["keras_log_variance"] = load("log_variance")(images)
        found["log_variance"] = exported.posterior(images)["log_variance"]
    if hasattr(exported, "likelihood"):
        found["keras_pixel_log_variance"] = load("pixel_log_variance")(latent)
        likelihood = exported.likelihood(latent)
        found["pixel_log_variance"] = likelihood["log_variance"]
        assert np.array_equal(likelihood["mean"], found["image"])
    np.savez(f"{folder}/found.npz", **found)
assert not any(name.startswith("tfsemae.") for name in sys.modules)
"""


@pytest.fixture(scope="module")
def networks():
    """Of each of the cases."""

    def build(name, shape, classes, options):
        names = tuple(str(k) for k in range(classes))
        return models.build(name, shape, names, seed=0, **options)

    return {case: build(*arguments) for case, arguments in CASES.items()}


@pytest.fixture(scope="module", params=CASES)
def network(request, networks):
    return networks[request.param]


def test_the_registry_knows_which_networks_have_dropout(networks):
    for case, network in networks.items():
        parts = (getattr(network, each.name) for each in dataclasses.fields(network))
        layers = [
            layer
            for part in parts
            if isinstance(part, keras.Model)
            for layer in part.layers
        ]
        found = any(isinstance(layer, keras.layers.Dropout) for layer in layers)
        assert found == registry.NETWORKS[CASES[case][0]].drops, case


def _images(network, count=5):
    shape = (count, *network.image_shape)
    return np.random.default_rng(0).random(shape, np.float32)


def _previous(network, count):
    """Letters that a recogniser is given."""
    length = network.speller.input["previous"].shape[1]
    symbols = np.arange(count * length) % (len(network.alphabet) + 1)
    return symbols.reshape(count, length).astype(np.int32)


def _apply(network, images):
    """Name -> output of each part."""
    if isinstance(network, Classifier):
        return dict(network.joint()(images))
    if isinstance(network, Recogniser):
        previous = tf.constant(_previous(network, len(images)))
        given = {"image": tf.convert_to_tensor(images), "previous": previous}
        forced = network.forced()(given)
        return {name: forced[name] for name in ("features", "logits")}
    latent = network.encoder(images)
    found = {"latent": latent, "image": network.decoder(latent)}
    if network.classifier is not None:
        found["logits"] = network.classifier(latent)
    if network.log_variance is not None:
        found["log_variance"] = network.log_variance(images)
    if network.pixel_log_variance is not None:
        found["pixel_log_variance"] = network.pixel_log_variance(latent)
    return found


def _parts(network):
    if isinstance(network, Classifier):
        return [network.network]
    if isinstance(network, Recogniser):
        return [network.listener, network.speller]
    parts = (getattr(network, name) for name in verification.PARTS)
    return [part for part in parts if part is not None]


def test_each_network_is_tried():
    # Of the function that builds preact_resnet8, and too large to be tried.
    large = {"preact_resnet18", "wide_resnet34_10"}
    assert {name for name, *_ in CASES.values()} == set(registry.NETWORKS) - large


def test_parts_are_functional_keras_models(network):
    for part in _parts(network):
        assert type(part).__name__ == "Functional"
        assert isinstance(part, keras.Model)


def test_float32_in_and_out(network):
    images = _images(network)
    found = _apply(network, images)
    assert {tensor.dtype for tensor in found.values()} == {tf.float32}
    shapes = {"image": images.shape[1:], "logits": (len(network.class_names),)}
    shapes["pixel_log_variance"] = shapes["image"]
    if isinstance(network, Classifier):
        layer = network.network.get_layer(network.features_layer)
        shapes["features"] = layer.output.shape[1:]
    elif isinstance(network, Recogniser):
        shapes["features"] = (128,)
        shapes["logits"] = (3, 11)  # of names such as 11, and of 10 digits
    else:
        shapes["latent"] = shapes["log_variance"] = network.encoder.output_shape[1:]
    for name, tensor in found.items():
        assert tensor.shape == (5, *shapes[name])
    if "image" in found:
        decoded = found["image"].numpy()
        assert 0 <= decoded.min() <= decoded.max() <= 1


def test_images_of_a_batch_do_not_see_each_other(network):
    images = _images(network)
    whole, alone = _apply(network, images), _apply(network, images[:1])
    for name in whole:
        # Another batch size may order the sums differently.
        np.testing.assert_allclose(whole[name][:1], alone[name], rtol=1e-5, atol=1e-6)


def test_gradient_reaches_every_weight(network):
    images = _images(network)
    with tf.GradientTape() as tape:
        found = _apply(network, images)
        loss = tf.constant(0.0)
        if "image" in found:
            loss += tf.reduce_mean(tf.square(found["image"] - images))
        if "logits" in found:
            logits = found["logits"]
            labels = np.arange(5) % len(network.class_names)
            if isinstance(network, Recogniser):  # a label for each letter
                labels = np.tile(labels[:, np.newaxis], (1, logits.shape[1]))
            loss += tf.reduce_mean(
                keras.losses.sparse_categorical_crossentropy(
                    labels, logits, from_logits=True
                )
            )
        for name in ("log_variance", "pixel_log_variance"):
            if name in found:
                loss += tf.reduce_mean(found[name] ** 2)
    weights = {
        id(weight): weight
        for part in _parts(network)
        for weight in part.trainable_weights
    }.values()
    gradients = tape.gradient(loss, list(weights))
    for weight, gradient in zip(weights, gradients, strict=True):
        assert gradient is not None, weight.path
        gradient = tf.convert_to_tensor(gradient)  # that of letters is sparse
        assert np.isfinite(gradient).all(), weight.path
        assert np.any(gradient), weight.path


def test_gradient_reaches_the_image(network):
    images = tf.constant(_images(network))
    with tf.GradientTape() as tape:
        tape.watch(images)
        found = _apply(network, images)
        total = tf.reduce_sum(found["image" if "image" in found else "logits"])
    assert np.any(tape.gradient(total, images))


def test_saved_and_loaded_it_gives_the_same(network, tmp_path):
    network.save(tmp_path)
    images = _images(network)
    loaded = _apply(models.load(tmp_path), images)
    for name, original in _apply(network, images).items():
        np.testing.assert_array_equal(loaded[name], original)


@pytest.fixture(scope="module")
def found_elsewhere(networks, tmp_path_factory, run_python):
    """What both forms of each network give in a process without tfsemae."""
    folders = {}
    for network in networks.values():
        folder = folders[network] = tmp_path_factory.mktemp("elsewhere")
        network.save(folder)
        saved_model.export(network, folder / "saved_model")
        images = _images(network)
        np.save(folder / "images.npy", images)
        if isinstance(network, Recogniser):
            np.save(folder / "previous.npy", _previous(network, len(images)))
    ended = run_python("-c", ELSEWHERE, *folders.values(), cwd="/")
    assert ended.status == 0, ended.messages
    return {
        network: np.load(folder / "found.npz") for network, folder in folders.items()
    }


def test_both_saved_forms_load_without_tfsemae(network, found_elsewhere):
    found = found_elsewhere[network]
    images = _images(network)
    if isinstance(network, Recogniser):
        np.testing.assert_array_equal(found["spelled"], network.symbols(images))
    for name, expected in _apply(network, images).items():
        # Sums may be ordered differently in another process and in a graph.
        for kind in ("", "keras_"):
            if kind + name not in found:  # of a layer, or of letters that are given
                continue
            np.testing.assert_allclose(
                found[kind + name], expected, rtol=1e-5, atol=1e-6
            )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "table2"},
            r"known are table1, conv, conv_elu, conv_elu28, dense.*name='table2'",
        ),
        ({"width": 3}, r"table1 has the options initializer. Received: width"),
        (
            {"initializer": "zeros"},
            "--initializer=zeros is none of its choices, glorot",
        ),
        (
            {"name": "dense", "hidden": (16, 0)},
            "--hidden=16,0 must be whole numbers of at least 1, such as 256,64",
        ),
        (
            {"name": "conv_elu", "pixel_deviation": 0.0},
            "--pixel_deviation=0.0 divides the pixels. Give the standard deviation",
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
    assert models.Classifier is Classifier
    assert models.build is registry.build
    with pytest.raises(AttributeError, match=r"'tfsemae\.models' has no .* 'train'"):
        _ = models.train


# --- options


def test_each_option_has_a_help_and_a_default_that_passes():
    for network in registry.NETWORKS.values():
        for field in dataclasses.fields(network.options):
            assert field.metadata["help"].endswith(".")
        network.options()


def test_options_of_one_name_are_one_flag():
    fields = {}
    for network in registry.NETWORKS.values():
        for field in dataclasses.fields(network.options):
            shared = fields.setdefault(field.name, field)
            assert shared.default == field.default
            assert shared.metadata == field.metadata
            assert shared.type == field.type


def test_registry_and_settings_need_no_keras(run_python):
    script = (
        "import sys\nfrom tfsemae.models import registry\n"
        "sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow', 'numpy')))"
    )
    assert run_python("-c", script).status == 0
