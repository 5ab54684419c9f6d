"""Models as their makers save them: Keras files, SavedModels, custom layers."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfsemae import audit
from tfsemae.audit import endpoints, loading, steps

SHAPE = (12, 12, 1)
IMAGES = np.float32(np.random.default_rng(0).uniform(size=(3, *SHAPE)))
_LAYERS = """
import keras

class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs
"""


def _settings(**given):
    return audit.Settings(**{"dataset": "digits", "output_dir": "unused"} | given)


@pytest.fixture(scope="module")
def custom(tmp_path_factory):
    """A Keras file with a custom layer that is not registered, and its Python file."""
    folder = tmp_path_factory.mktemp("custom")
    (folder / "layers_of_others.py").write_text(_LAYERS, "utf-8")
    spec = importlib.util.spec_from_file_location(
        "layers_of_others", folder / "layers_of_others.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    image = keras.Input(SHAPE)
    code = module.Doubled(name="code")(image)
    keras.Model(image, keras.layers.Rescaling(0.5)(code)).save(folder / "whole.keras")
    return folder


def test_custom_layers_come_from_a_file(custom):
    flags = {"model": str(custom / "whole.keras"), "latent_layer": "code"}
    with pytest.raises(ValueError, match=r"'Doubled'\. Name .* by --custom_objects"):
        loading.functions(_settings(**flags))
    flags["custom_objects"] = str(custom / "layers_of_others.py")
    encode, decode, name = loading.functions(_settings(**flags))
    assert name == f"{flags['model']}: {flags['latent_layer']}"
    np.testing.assert_array_equal(encode(IMAGES), 2 * IMAGES)
    np.testing.assert_array_equal(decode(encode(IMAGES)), IMAGES)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "is no Python file"), ("1 / 0", "cannot be run: ZeroDivisionError")],
)
def test_file_of_custom_layers_that_fails_is_named(text, message, tmp_path):
    path = tmp_path / "layers.py"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=f"--custom_objects={path} {message}"):
        loading.functions(_settings(model="a", custom_objects=str(path)))


def test_layers_of_one_keras_file_are_listed(tmp_path):
    path = tmp_path / "whole.keras"
    keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Dense(2, name="code"), keras.layers.Dense(1)]
    ).save(path)
    with pytest.raises(ValueError, match=r"by --latent_layer.* code \(12 x 12 x 2\)"):
        loading.functions(_settings(model=str(path)))


class _Part(tf.Module):
    """As other programs export it: a module with the signature `serving_default`."""

    def __init__(self, factor):
        super().__init__()
        self.factor = tf.Variable(factor)

    @tf.function(input_signature=[tf.TensorSpec([None, *SHAPE], tf.float32)])
    def __call__(self, inputs):
        return {"scaled": self.factor * inputs}


class _Both(tf.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = _Part(4.0), _Part(0.25)

    @tf.function(input_signature=2 * [tf.TensorSpec([None, *SHAPE], tf.float32)])
    def both(self, first, second):
        return {"sum": first + second}


def test_saved_models_of_other_programs_are_taken(tmp_path):
    for name, factor in (("encoder", 4.0), ("decoder", 0.25)):
        part = _Part(factor)
        tf.saved_model.save(part, tmp_path / name, signatures=part.__call__)
    flags = {name: str(tmp_path / name) for name in ("encoder", "decoder")}
    encode, decode, _ = loading.functions(_settings(**flags))
    np.testing.assert_array_equal(encode(IMAGES)["scaled"], 4 * IMAGES)
    np.testing.assert_array_equal(decode(4 * IMAGES)["scaled"], IMAGES)


def test_layers_of_saved_models_are_functions(tmp_path):
    layers = []
    for name, factor in (("encoder", 4.0), ("decoder", 0.25)):
        part = _Part(factor)
        tf.saved_model.save(part, tmp_path / name, signatures=part.__call__)
        endpoint = {"call_endpoint": "serving_default"}
        layers.append(keras.layers.TFSMLayer(str(tmp_path / name), **endpoint))
    model = endpoints.Endpoints(*layers)
    model.examine(IMAGES)
    np.testing.assert_array_equal(model.encode(IMAGES), 4 * IMAGES)
    np.testing.assert_array_equal(model.reconstruct(IMAGES), IMAGES)
    assert steps.gradient_kind(model.decode, IMAGES) == "exact"


def test_models_inside_a_saved_model_are_endpoints(tmp_path):
    both = _Both()
    tf.saved_model.save(both, tmp_path, signatures={"two": both.both})
    given = {"model": str(tmp_path), "encode_endpoint": "encoder"}
    with pytest.raises(ValueError, match=r"no endpoint 'decode'.*: both, decoder, enc"):
        loading.functions(_settings(**given))
    encode, decode, _ = loading.functions(_settings(**given, decode_endpoint="decoder"))
    np.testing.assert_array_equal(decode(encode(IMAGES)["scaled"])["scaled"], IMAGES)
    with pytest.raises(ValueError, match=r"'two' .* one tensor\. .*: first, second"):
        loading.functions(_settings(**given, decode_endpoint="two"))
