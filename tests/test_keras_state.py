"""Settings of Keras that another project left behind."""

import json
import threading

import keras
import numpy as np
import pytest

from tfsemae import keras_state

HOSTILE_FILE = {
    "floatx": "float16",
    "epsilon": 0.01,
    "backend": "tensorflow",
    "image_data_format": "channels_first",
}
HOSTILE_VARIABLES = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}


@pytest.fixture
def run_under(tmp_path, run_python, monkeypatch):
    """Runs Python with a keras.json and environment variables of its own."""

    def run(script, *arguments, settings=None, **variables):
        (tmp_path / "home").mkdir(exist_ok=True)
        if settings is not None:
            (tmp_path / "home" / "keras.json").write_text(json.dumps(settings))
        with monkeypatch.context() as patch:
            patch.delenv("KERAS_BACKEND", raising=False)
            patch.setenv("KERAS_HOME", str(tmp_path / "home"))
            for name, value in variables.items():
                patch.setenv(name, value)
            return run_python("-c", script, *arguments)

    return run


# --- the backend

REPORT = "try:\n    {}\nexcept ValueError as error:\n    print(error)\n"
ASKING = "from tfsemae import keras_state\n" + REPORT.format(
    "keras_state.require_tensorflow_backend()"
)
BUILDING = "from tfsemae import models\n" + REPORT.format(
    "models.build('table1', (12, 12, 1), seed=0)"
)
LOADING = "from tfsemae import models\n" + REPORT.format(
    "models.Autoencoder.load('nowhere')"
)


@pytest.mark.parametrize("script", [ASKING, BUILDING, LOADING])
@pytest.mark.parametrize("backend", ["jax", "torch", "numpy", "no_such"])
def test_variable_that_selects_another_backend_is_named(run_under, script, backend):
    ended = run_under(script, KERAS_BACKEND=backend)
    assert ended.status == 0, ended.messages
    assert ended.out.count("\n") == 1
    assert f"KERAS_BACKEND selects '{backend}'" in ended.out
    assert "KERAS_BACKEND=tensorflow" in ended.out


def test_keras_json_that_selects_another_backend_is_named(run_under, tmp_path):
    ended = run_under(BUILDING, settings=HOSTILE_FILE | {"backend": "jax"})
    assert ended.out.count("\n") == 1, ended.messages
    assert f"{tmp_path}/home/keras.json selects 'jax'" in ended.out


def test_backend_of_a_keras_that_is_imported_counts(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # too late: it is not read again
    keras_state.require_tensorflow_backend()
    monkeypatch.setattr(keras.config, "backend", lambda: "openvino")
    with pytest.raises(ValueError, match="Keras that is imported selects 'openvino'"):
        keras_state.require_tensorflow_backend()


def test_variable_goes_before_keras_json(run_under):
    settings = HOSTILE_FILE | {"backend": "jax"}
    ended = run_under(ASKING, settings=settings, KERAS_BACKEND="tensorflow")
    assert (ended.status, ended.out) == (0, "")


@pytest.mark.parametrize("settings", [None, {}, HOSTILE_FILE])
def test_tensorflow_passes(run_under, settings):
    ended = run_under(ASKING, settings=settings)
    assert (ended.status, ended.out) == (0, "")


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_keras_json_that_keras_cannot_read_is_as_none(run_under, tmp_path, text):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "keras.json").write_text(text)
    assert run_under(ASKING).out == ""


def test_asking_is_free_of_keras(run_under):
    script = ASKING + (
        "import sys\nsys.exit(any(m in sys.modules for m in ('keras', 'tensorflow')))"
    )
    assert run_under(script).status == 0


# --- standard settings


STANDARD = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "max_epochs": None,
    "max_steps_per_epoch": None,
    "dtype_policy": "float32",
}
HOSTILE = {
    "floatx": "float16",
    "epsilon": 0.01,
    "image_data_format": "channels_first",
    "max_epochs": 1,
    "max_steps_per_epoch": 2,
    "dtype_policy": "mixed_float16",
}
# Old versions of Keras have no limits.
NAMES = [name for name in STANDARD if hasattr(keras.config, name)]


@pytest.fixture
def hostile():
    """Settings of another project, in this process."""
    before = _settings()
    _set(HOSTILE)
    yield
    _set(before)


def _set(values):
    for name in NAMES:
        getattr(keras.config, f"set_{name}")(values[name])


def _settings():
    found = {name: getattr(keras.config, name)() for name in NAMES}
    return found | {"dtype_policy": found["dtype_policy"].name}


def _standard():
    return {name: STANDARD[name] for name in NAMES}


@pytest.mark.usefixtures("hostile")
def test_settings_are_the_standard_ones_and_come_back():
    before = _settings()
    with keras_state.standard():
        assert _settings() == _standard()
    assert _settings() == before
    assert keras_state.standard()(_settings)() == _standard()


@pytest.mark.usefixtures("hostile")
def test_settings_come_back_when_the_body_raises():
    before = _settings()
    with pytest.raises(KeyError), keras_state.standard():
        raise KeyError
    assert _settings() == before


@pytest.mark.usefixtures("hostile")
def test_uses_within_each_other_come_back_one_by_one():
    with keras_state.standard():
        keras.config.set_floatx("float64")
        with keras_state.standard():
            assert keras.config.floatx() == "float32"
        assert keras.config.floatx() == "float64"
    assert keras.config.floatx() == "float16"


@pytest.mark.usefixtures("hostile")
def test_training_is_not_cut_short():
    with keras_state.standard():
        network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        network.compile("sgd", "mse")
        network.fit(np.ones((12, 2)), np.ones(12), batch_size=3, epochs=5, verbose=0)
    assert network.optimizer.iterations == 5 * 4


def test_policy_that_nobody_set_still_follows_floatx():
    found = []

    def fresh_thread():  # the policy is of a thread, and not set in a new one
        with keras_state.standard():
            keras.layers.Dense(1)
        keras.config.set_floatx("float64")
        found.append(keras.config.dtype_policy().name)
        keras.config.set_floatx("float32")

    thread = threading.Thread(target=fresh_thread)
    thread.start()
    thread.join()
    assert found == ["float64"]


# --- networks

#: Builds, saves, loads and exports; the digits of the seeds are all that it knows.
NETWORKS = """
import sys
import numpy as np
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(1)
import keras
if sys.argv[2] == "hostile":
    keras.config.set_dtype_policy("mixed_float16")
from tfsemae import models
from tfsemae.models import saved_model
folder, found = sys.argv[1], {}
for channels in (1, 3):
    built = models.build("table1", (12, 12, channels), ("a", "b"), seed=3)
    if sys.argv[2] != "hostile":
        built.save(f"{folder}/{channels}")
    loaded = models.Autoencoder.load(f"{folder}/{channels}")
    saved_model.export(loaded, f"{folder}/saved_model")
    exported = tf.saved_model.load(f"{folder}/saved_model")
    images = np.random.default_rng(0).random((2, 12, 12, channels), np.float32)
    for name, network in [("built", built), ("loaded", loaded)]:
        joint = network.joint()
        outputs = joint(images)
        for key, value in outputs.items():
            found[f"{channels} {name} {key}"] = value
        for k, weight in enumerate(joint.get_weights()):
            found[f"{channels} {name} {k}"] = weight
        assert joint.get_config()["layers"][0]["config"]["dtype"] == "float32"
    found[f"{channels} exported"] = exported.reconstruct(images)
np.savez(f"{folder}/{sys.argv[2]}.npz", **found)
"""


def test_networks_are_the_same_bit_for_bit(run_under, tmp_path):
    ended = run_under(NETWORKS, tmp_path, "default", settings={})
    assert ended.status == 0, ended.messages
    ended = run_under(
        NETWORKS, tmp_path, "hostile", settings=HOSTILE_FILE, **HOSTILE_VARIABLES
    )
    assert ended.status == 0, ended.messages
    expected, found = (
        np.load(tmp_path / f"{name}.npz") for name in ("default", "hostile")
    )
    assert len(expected.files) == 2 * (2 * (2 + 18) + 1)
    assert found.files == expected.files
    for name in expected.files:
        assert expected[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], expected[name], strict=True)
