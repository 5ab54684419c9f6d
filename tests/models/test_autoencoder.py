import hashlib
import json
import shutil
import zipfile

import keras
import numpy as np
import pytest

from tfsemae import models
from tfsemae.models import verification
from tfsemae.models.autoencoder import Autoencoder

PARTS = ("encoder", "decoder", "classifier")


def _build(class_names=("cat", "dog"), seed=0):
    return models.build(
        "table1", (12, 12, 1), class_names, initializer="he_normal", seed=seed
    )


@pytest.fixture(scope="module")
def semantic():
    return _build()


@pytest.fixture
def saved(semantic, tmp_path):
    semantic.save(tmp_path)
    return tmp_path


def _assert_equal(a, b):
    for part in PARTS:
        pair = zip(
            getattr(a, part).get_weights(), getattr(b, part).get_weights(), strict=True
        )
        for left, right in pair:
            np.testing.assert_array_equal(left, right, strict=True)


def test_what_is_saved_is_loaded(semantic, saved):
    found = Autoencoder.load(saved)
    _assert_equal(found, semantic)
    assert found.class_names == ("cat", "dog")
    assert found.image_shape == (12, 12, 1)


def test_folder_holds_a_file_per_part_and_a_description(saved):
    assert sorted(path.name for path in saved.iterdir()) == [
        "autoencoder.json",
        "classifier.keras",
        "decoder.keras",
        "encoder.keras",
    ]
    assert json.loads((saved / "autoencoder.json").read_text("utf-8")) == {
        "parts": ["encoder", "decoder", "classifier"],
        "image_shape": [12, 12, 1],
        "class_names": ["cat", "dog"],
        "sha256": {
            f"{part}.keras": hashlib.sha256(
                (saved / f"{part}.keras").read_bytes()
            ).hexdigest()
            for part in PARTS
        },
        "weights": Autoencoder.load(saved).digest(),
    }


def test_networks_of_the_same_weights_have_one_digest(semantic, tmp_path):
    folders = {name: tmp_path / name for name in "ab"}
    for folder in folders.values():
        semantic.save(folder)
    found = verification.recorded_weights(folders)
    assert found["a"] == found["b"] == semantic.digest()
    kernel, *others = semantic.encoder.get_weights()
    semantic.encoder.set_weights([np.nextafter(kernel, 1), *others])
    semantic.save(folders["b"])
    assert (
        verification.recorded_weights(folders)["b"] == semantic.digest() != found["a"]
    )
    semantic.encoder.set_weights([kernel, *others])


def test_vanilla_is_loaded_without_a_classifier(tmp_path):
    _build(()).save(tmp_path)
    found = Autoencoder.load(tmp_path)
    assert found.classifier is None
    assert found.class_names == ()
    assert not (tmp_path / "classifier.keras").exists()


def test_a_later_save_replaces_an_earlier_one(saved):
    other = _build(seed=1)
    other.save(saved)
    _assert_equal(Autoencoder.load(saved), other)


def test_joint_network_shares_the_weights(semantic):
    image = np.random.default_rng(0).random((3, 12, 12, 1), np.float32)
    outputs = semantic.joint()(image)
    latent = semantic.encoder(image)
    np.testing.assert_array_equal(outputs["reconstruction"], semantic.decoder(latent))
    np.testing.assert_array_equal(outputs["logits"], semantic.classifier(latent))
    assert {id(w) for w in semantic.joint().weights} == {
        id(w) for part in PARTS for w in getattr(semantic, part).weights
    }


def test_any_functional_models_will_do():
    image = keras.Input((4, 5, 3))
    encoder = keras.Model(image, keras.layers.Flatten()(image))
    latent = keras.Input((60,))
    decoder = keras.Model(latent, keras.layers.Reshape((4, 5, 3))(latent))
    found = Autoencoder(encoder, decoder)
    assert found.image_shape == (4, 5, 3)
    pixels = np.random.default_rng(0).random((2, 4, 5, 3), np.float32)
    np.testing.assert_array_equal(found.joint()(pixels)["reconstruction"], pixels)


def test_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ValueError, match=f"no finished model in {tmp_path}"):
        Autoencoder.load(tmp_path)


def test_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file is a file\. Name the folder"):
        Autoencoder.load(tmp_path / "file")


def test_home_is_expanded(semantic, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    semantic.save("~/run")
    assert (tmp_path / "run" / "autoencoder.json").is_file()
    Autoencoder.verify("~/run")
    _assert_equal(Autoencoder.load("~/run"), semantic)


# --- damage


def _truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flipped(path):
    """Changes bytes of the weights inside the archive."""
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("model.weights.h5").header_offset
    content = bytearray(path.read_bytes())
    for place in range(start + 5000, start + 5064):
        content[place] ^= 0xFF
    path.write_bytes(content)


def _emptied(path):
    path.write_bytes(b"")


def _without_digests(folder):
    """Makes the description that of a version that recorded no digests."""
    path = folder / "autoencoder.json"
    description = json.loads(path.read_text("utf-8"))
    del description["sha256"]
    path.write_text(json.dumps(description))


@pytest.mark.parametrize("check", [Autoencoder.load, Autoencoder.verify])
@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("damage", [_truncated, _flipped, _emptied])
@pytest.mark.parametrize("part", ["encoder", "classifier"])
def test_damaged_part_is_refused(saved, part, damage, earlier, check):
    if earlier:
        _without_digests(saved)
    damage(saved / f"{part}.keras")
    with pytest.raises(ValueError, match=rf"in {saved} is damaged.*{part}\.keras"):
        check(saved)


def test_part_of_another_save_is_refused(saved, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    _build(seed=1).save(other)
    shutil.copy(other / "decoder.keras", saved)
    with pytest.raises(ValueError, match=rf"in {saved} is damaged.*decoder\.keras"):
        Autoencoder.load(saved)


def test_description_without_digests_is_loaded(semantic, saved):
    _without_digests(saved)
    Autoencoder.verify(saved)
    _assert_equal(Autoencoder.load(saved), semantic)


def test_verifying_needs_no_keras(saved, run_python):
    script = (
        "import sys\nfrom tfsemae.models import verification\n"
        "verification.verify_autoencoder(sys.argv[1])\n"
        "sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow', 'numpy')))"
    )
    assert run_python("-c", script, saved).status == 0


@pytest.mark.parametrize("check", [Autoencoder.load, Autoencoder.verify])
@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"parts": ["encoder"]}'])
def test_damaged_description_is_refused(saved, text, check):
    (saved / "autoencoder.json").write_text(text)
    with pytest.raises(ValueError, match=f"in {saved} is damaged"):
        check(saved)


def test_damaged_description_of_a_network_that_was_taken_is_named(tmp_path):
    (tmp_path / "autoencoder.json").write_text('{"parts": [')
    with pytest.raises(ValueError, match=rf"in {tmp_path} is damaged \(autoencoder"):
        verification.recorded_weights({"victim": tmp_path})


@pytest.mark.parametrize("check", [Autoencoder.load, Autoencoder.verify])
def test_missing_part_is_refused(saved, check):
    (saved / "decoder.keras").unlink()
    with pytest.raises(ValueError, match=r"no finished model.*decoder\.keras"):
        check(saved)


# The classifier is the largest file, of 328 KB; the others have up to 320 KB.
@pytest.mark.parametrize(
    ("size", "part"), [(10_000, "encoder"), (324_000, "classifier")]
)
def test_save_to_a_full_disk_keeps_the_earlier_one(
    semantic, saved, full_disk, size, part
):
    with (
        full_disk(size),
        pytest.raises(OSError, match=rf"{part}\.keras cannot be written"),
    ):
        _build(seed=1).save(saved)
    _assert_equal(Autoencoder.load(saved), semantic)
    assert len(list(saved.iterdir())) == 4


# --- models that were built elsewhere


def _dense(takes, gives, **options):
    """One dense layer between any two shapes, as a functional model."""
    entry = keras.Input(takes, **options)
    units = keras.layers.Dense(int(np.prod(gives)))(keras.layers.Flatten()(entry))
    return keras.Model(entry, keras.layers.Reshape(gives)(units))


IMAGE, LATENT = (4, 5, 3), (6,)


@pytest.mark.parametrize("latent", [(6,), (3, 2)])
def test_fitting_models_make_an_autoencoder(latent):
    found = Autoencoder.of(
        _dense(IMAGE, latent), _dense(latent, IMAGE), _dense(latent, (3,))
    )
    assert found.class_names == ("0", "1", "2")
    outputs = found.joint()(np.zeros((2, *IMAGE), np.float32))
    assert outputs["reconstruction"].shape == (2, *IMAGE)
    assert outputs["logits"].shape == (2, 3)
    names = ["a", "b", "c"]
    named = Autoencoder.of(found.encoder, found.decoder, found.classifier, names)
    assert named.class_names == ("a", "b", "c")
    assert Autoencoder.of(found.encoder, found.decoder).classifier is None


def _scores():
    latent = keras.Input(LATENT)
    return keras.Model(latent, keras.ops.sum(latent, axis=-1))


def test_classifier_without_an_axis_of_classes_is_refused():
    parts = _dense(IMAGE, LATENT), _dense(LATENT, IMAGE), _scores()
    with pytest.raises(ValueError, match=r"must give logits .*output shape \[B\]"):
        Autoencoder.of(*parts)


def test_sequential_models_will_do():
    encoder = keras.Sequential([keras.Input(IMAGE), keras.layers.Flatten()])
    decoder = keras.Sequential([keras.Input((60,)), keras.layers.Reshape(IMAGE)])
    pixels = np.random.default_rng(0).random((2, *IMAGE), np.float32)
    found = Autoencoder.of(encoder, decoder).joint()(pixels)
    np.testing.assert_array_equal(found["reconstruction"], pixels)


class Subclassed(keras.Model):
    """The way of writing models that has no shapes before it is called."""

    def __init__(self, gives):
        super().__init__()
        self.inner = keras.layers.Dense(int(np.prod(gives)))
        self.flatten = keras.layers.Flatten()
        self.reshape = keras.layers.Reshape(gives)

    def call(self, x):
        return self.reshape(self.inner(self.flatten(x)))


def _called(model, shape):
    model(np.zeros((1, *shape), np.float32))
    return model


def _called_symbolically(model, shape):
    model(keras.Input(shape))
    return model


def _two_outputs():
    image = keras.Input(IMAGE)
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, [keras.layers.Dense(6)(flat), flat])


def _dictionary():
    image = keras.Input(IMAGE)
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, {"latent": keras.layers.Dense(6)(flat)})


def _two_inputs():
    one, two = keras.Input(LATENT), keras.Input(LATENT)
    units = keras.layers.Dense(60)(keras.layers.Add()([one, two]))
    return keras.Model([one, two], keras.layers.Reshape(IMAGE)(units))


def _half():
    image = keras.Input(IMAGE)
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, keras.layers.Dense(6, dtype="mixed_float16")(flat))


def _any_size():
    image = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    return keras.Model(image, keras.layers.Dense(6)(pooled))


def _batch_of_two():
    image = keras.Input(batch_shape=(2, *IMAGE))
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, keras.layers.Dense(6)(flat))


WRAP = r"must be a functional Keras model\. Wrap it: {} = keras\.Input.*Subclassed"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"decoder": lambda: _dense((7,), IMAGE)},
            r"`decoder` must take .*latent of shape \[B, 6\], decoder for \[B, 7\]",
        ),
        (
            {"decoder": lambda: _dense(LATENT, (4, 5, 1))},
            r"`decoder` must give .*\[B, 4, 5, 1\] and \[B, 4, 5, 3\]",
        ),
        (
            {
                "encoder": lambda: _dense((60,), LATENT),
                "decoder": lambda: _dense(LATENT, (60,)),
            },
            r"`encoder` must take images \[B, H, W, C\].*input shape \[B, 60\]",
        ),
        (
            {"classifier": lambda: _dense((7,), (2,))},
            r"`classifier` must take .*shape \[B, 6\], classifier for \[B, 7\]",
        ),
        (
            {"classifier": lambda: _dense(LATENT, (3,))},
            r"`classifier` must give logits .*output shape \[B, 3\], 2 class names",
        ),
        (
            {"classifier": lambda: _dense(LATENT, (2, 1))},
            r"`classifier` must give logits .*output shape \[B, 2, 1\]",
        ),
        (
            {"log_variance": lambda: _dense(IMAGE, (7,))},
            r"`log_variance` must take and give what `encoder` does.*\[B, 7\], encoder",
        ),
        (
            {"pixel_log_variance": lambda: _dense(LATENT, (4, 5, 1))},
            r"`pixel_log_variance` must take and give what `decoder` does.*, decoder",
        ),
        ({"classifier": lambda: None}, r"class_names=\('a', 'b'\) without `classif"),
        ({"encoder": lambda: Subclassed(LATENT)}, WRAP.format("image")),
        (
            {"encoder": lambda: _called(Subclassed(LATENT), IMAGE)},
            WRAP.format("image"),
        ),
        (
            {"encoder": lambda: _called_symbolically(Subclassed(LATENT), IMAGE)},
            WRAP.format("image"),
        ),
        ({"decoder": lambda: Subclassed(IMAGE)}, WRAP.format("latent")),
        (
            {"encoder": lambda: keras.Sequential([keras.layers.Dense(6)])},
            r"`encoder` must be a functional .*Received: Sequential",
        ),
        ({"encoder": _two_outputs}, r"`encoder` must have one .*Received: list of 2"),
        ({"encoder": _dictionary}, r"`encoder` must have one .*Received: dict of 1"),
        ({"decoder": _two_inputs}, r"`decoder` must have one .*Received: list of 2"),
        ({"encoder": _half}, r"`encoder` must take and give float32.*float16"),
        (
            {"encoder": lambda: _dense(IMAGE, LATENT, dtype="uint8")},
            r"`encoder` must take and give float32.*image of dtype uint8",
        ),
        ({"encoder": _any_size}, r"`encoder` must leave .*\(None, None, None, 3\)"),
        ({"encoder": _batch_of_two}, r"`encoder` must leave .*\(2, 4, 5, 3\)"),
        (
            {"encoder": lambda: abs},
            "`encoder` must be a Keras model. Received: buil",
        ),
    ],
)
def test_models_that_do_not_fit_are_refused_in_one_line(parts, message):
    fitting = {
        "encoder": lambda: _dense(IMAGE, LATENT),
        "decoder": lambda: _dense(LATENT, IMAGE),
        "classifier": lambda: _dense(LATENT, (2,)),
    }
    made = {name: make() for name, make in (fitting | parts).items()}
    with pytest.raises(ValueError, match=message) as caught:
        Autoencoder(**made, class_names=("a", "b"))
    assert "\n" not in str(caught.value)


def test_both_distributions_of_parts_that_share_nothing():
    def sequential(takes, gives):
        layers = [keras.Input(takes), keras.layers.Flatten()]
        units = int(np.prod(gives))
        return keras.Sequential(
            [*layers, keras.layers.Dense(units), keras.layers.Reshape(gives)]
        )

    found = Autoencoder.of(
        sequential(IMAGE, LATENT),
        sequential(LATENT, IMAGE),
        log_variance=sequential(IMAGE, LATENT),
        pixel_log_variance=sequential(LATENT, IMAGE),
    )
    image, latent = np.ones((2, *IMAGE), np.float32), np.ones((2, *LATENT), np.float32)
    pairs = [
        (found.posterior(), image, found.encoder, found.log_variance),
        (found.likelihood(), latent, found.decoder, found.pixel_log_variance),
    ]
    for model, given, mean, log_variance in pairs:
        both = model(given)
        np.testing.assert_array_equal(both["mean"], mean(given))
        np.testing.assert_array_equal(both["log_variance"], log_variance(given))


def test_a_wrapped_model_will_do():
    image = keras.Input(IMAGE)
    wrapped = keras.Model(image, Subclassed(LATENT)(image))
    assert Autoencoder.of(wrapped, _dense(LATENT, IMAGE)).image_shape == IMAGE


class Scaled(keras.layers.Layer):
    """A custom layer."""

    def call(self, x):
        return 2 * x


def _with_custom_layer():
    image = keras.Input(IMAGE)
    flat = keras.layers.Flatten()(image)
    return Autoencoder(
        keras.Model(image, Scaled()(keras.layers.Dense(6)(flat))),
        _dense(LATENT, IMAGE),
    )


def test_custom_layer_is_named_with_the_remedy(tmp_path, run_python):
    _with_custom_layer().save(tmp_path)
    script = (
        "import sys\nfrom tfsemae.models import Autoencoder\n"
        "Autoencoder.verify(sys.argv[1])\n"
        "try:\n    Autoencoder.load(sys.argv[1])\n"
        "except ValueError as error:\n    print(error)\n"
    )
    ended = run_python("-c", script, tmp_path)
    assert ended.out.count("\n") == 1
    assert ended.out.startswith(f"{tmp_path}/encoder.keras has the custom layer")
    assert "'Scaled'" in ended.out
    assert "keras.saving.register_keras_serializable()" in ended.out
    assert "damaged" not in ended.out


def test_registered_custom_layer_is_loaded(tmp_path):
    with keras.saving.custom_object_scope({"Scaled": Scaled}):
        original = _with_custom_layer()
        original.save(tmp_path)
        found = Autoencoder.load(tmp_path)
    pixels = np.random.default_rng(0).random((2, *IMAGE), np.float32)
    np.testing.assert_array_equal(found.encoder(pixels), original.encoder(pixels))


def test_what_keras_refuses_is_not_called_damaged(tmp_path):
    image = keras.Input(IMAGE)
    flat = keras.layers.Flatten()(image)
    half = keras.layers.Lambda(lambda x: x / 2, output_shape=(60,))(flat)
    Autoencoder(keras.Model(image, half), _dense((60,), IMAGE)).save(tmp_path)
    with pytest.raises(
        ValueError, match=r"cannot load .*encoder.keras.*Lambda"
    ) as caught:
        Autoencoder.load(tmp_path)
    assert "is damaged" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_saved_parts_that_do_not_fit_are_refused(semantic, saved):
    path = saved / "autoencoder.json"
    description = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(description | {"class_names": ["cat"]}))
    with pytest.raises(ValueError, match=f"in {saved} does not fit: `classifier`"):
        Autoencoder.load(saved)


@pytest.mark.parametrize("name", ["dense", "conv_elu"])
def test_posterior_of_loaded_parts_computes_their_trunk_once(tmp_path, name):
    options = {"latent": 3, "variational": True, "seed": 0}
    network = models.build(name, (32, 32, 1), **options)
    network.save(tmp_path)
    loaded = Autoencoder.load(tmp_path).posterior()
    assert loaded.count_params() == network.posterior().count_params()
    images = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    expected = network.posterior()(images)
    for key, values in loaded(images).items():
        np.testing.assert_array_equal(values, expected[key])


def test_posterior_of_parts_that_differ_has_both(tmp_path):
    first, other = (
        models.build("dense", (4, 4, 1), latent=3, variational=True, seed=seed)
        for seed in (0, 1)
    )
    mixed = Autoencoder(first.encoder, first.decoder, log_variance=other.log_variance)
    images = np.random.default_rng(0).random((2, 4, 4, 1), np.float32)
    found = mixed.posterior()(images)
    np.testing.assert_allclose(found["mean"], first.encoder(images), rtol=1e-6)
    expected = other.log_variance(images)
    np.testing.assert_allclose(found["log_variance"], expected, rtol=1e-6)
