"""LPIPS: reference values of its authors, files of weights, properties."""

import doctest
import gc
import inspect
import os
import pathlib
import weakref

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from tfsemae import files, metrics
from tfsemae.metrics import perceptual_weights

WEIGHTS = pathlib.Path(
    os.environ.get("TFSEMAE_WEIGHTS_DIR")
    or pathlib.Path(__file__).parents[3] / "shared" / "data" / "lpips"
)
#: Of the example images, version 0.1: ex_ref to ex_p0 and to ex_p1.
PUBLISHED = {
    "alex": (0.721881, 0.137566),
    "squeeze": (0.711048, 0.147902),
    "vgg": (0.568613, 0.421664),
}


def _needs(net):
    named = perceptual_weights.NETS[net]
    missing = [f for f in (named.trunk, named.head) if not (WEIGHTS / f).is_file()]
    return pytest.param(
        net,
        marks=pytest.mark.skipif(
            bool(missing), reason=f"{missing} not in {WEIGHTS} (TFSEMAE_WEIGHTS_DIR)"
        ),
    )


@pytest.fixture(scope="module")
def example_images():
    """The authors' images float32 `[3, 64, 64, 3]`: reference, far, near."""
    paths = [WEIGHTS / f"ex_{name}.png" for name in ("ref", "p0", "p1")]
    if not all(path.is_file() for path in paths):
        pytest.skip(f"the example images are not in {WEIGHTS} (TFSEMAE_WEIGHTS_DIR)")
    images = []
    for path in paths:
        with PIL.Image.open(path) as image:
            images.append(np.asarray(image.convert("RGB"), np.float32) / 255)
    return np.stack(images)


@pytest.mark.parametrize("net", [_needs(net) for net in PUBLISHED])
def test_published_distances(net, example_images):
    lpips = metrics.LPIPSDistance(WEIGHTS, net)
    reference = np.stack([example_images[0]] * 2)
    found = lpips(reference, example_images[1:])
    # They are given to six digits; float32 through 13 layers leaves five.
    np.testing.assert_allclose(found, PUBLISHED[net], atol=1e-5)
    np.testing.assert_array_equal(lpips(example_images, example_images), [0, 0, 0])
    assert lpips.sha256.keys() == set(perceptual_weights.NETS[net][:2])


@pytest.mark.parametrize("net", [_needs(net) for net in PUBLISHED])
def test_heads_are_not_negative(net):
    head = perceptual_weights.load(WEIGHTS, net).head
    assert all(np.all(weight >= 0) for weight in head.values())


# --- random weights, in files of their own digests


def _write_random(folder, net):
    """Writes a trunk and a head in the full size."""
    random = np.random.default_rng(0)
    named = perceptual_weights.NETS[net]
    arrays = {}
    for name, shape in named.kernels.items():
        spread = np.float32(np.sqrt(2 / np.prod(shape[1:])))
        kernel = spread * random.standard_normal(shape, np.float32)
        arrays |= {f"{name}.weight": kernel, f"{name}.bias": 0.1 * kernel[:, 0, 0, 0]}
    np.savez(folder / named.trunk, **arrays)
    heads = [random.random(width, np.float32) for width in named.channels]
    np.savez(folder / named.head, **{f"lin{k}": head for k, head in enumerate(heads)})


@pytest.fixture(scope="module")
def _written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    for net in PUBLISHED:
        _write_random(folder, net)
    return folder


@pytest.fixture
def random_weights(_written, tmp_path, monkeypatch):
    """A folder of random weights that are taken for the originals.

    Links, so that a test may replace a file.
    """
    for file in _written.iterdir():
        (tmp_path / file.name).symlink_to(file)
        if file.name in perceptual_weights.SHA256:
            monkeypatch.setitem(
                perceptual_weights.SHA256, file.name, files.sha256(file)
            )
    return tmp_path


def _pair(shape, batch=4, seed=0):
    random = np.random.default_rng(seed)
    a = random.random((batch, *shape))
    noise = np.geomspace(0.01, 1, batch)[:, None, None, None]
    b = np.clip(a + noise * random.normal(size=a.shape), 0, 1)
    return a.astype(np.float32), b.astype(np.float32)


@pytest.mark.parametrize(("net", "side"), [("alex", 31), ("squeeze", 17), ("vgg", 16)])
def test_equal_images_are_at_no_distance_and_noise_leads_away(
    random_weights, net, side
):
    lpips = metrics.LPIPSDistance(random_weights, net)
    a, b = _pair((side, side + 2, 3))
    found = np.asarray(lpips(a, b))
    assert np.all(found > 0)
    assert np.all(np.diff(found) > 0)
    np.testing.assert_array_equal(lpips(a, a), np.zeros(4))
    np.testing.assert_array_equal(lpips(b, a), found)
    for size in ((side - 1, side), (side, side - 1)):
        message = f"net {net}.*at least {side} x {side}.*a side of {side - 1} pixels"
        small = np.zeros((1, *size, 3), np.float32)
        with pytest.raises(ValueError, match=message):
            lpips(small, small)


@pytest.fixture
def lpips(random_weights):
    return metrics.LPIPSDistance(random_weights, "squeeze")


def test_grey_images_are_three_equal_channels(lpips):
    a, b = _pair((20, 18, 1))
    colours = lpips(np.repeat(a, 3, axis=-1), np.repeat(b, 3, axis=-1))
    np.testing.assert_array_equal(lpips(a, b), colours)


def test_images_of_a_batch_do_not_see_each_other(lpips):
    a, b = _pair((17, 17, 3))
    single = np.concatenate([lpips(a[i : i + 1], b[i : i + 1]) for i in range(4)])
    # Convolutions of other batches add in another order.
    before = lpips(a, b)
    np.testing.assert_allclose(before, single, rtol=1e-4)
    b[2, 5, 5, 0] = 1 - b[2, 5, 5, 0]
    changed = np.asarray(lpips(a, b)) != np.asarray(before)
    np.testing.assert_array_equal(changed, [False, False, True, False])


def test_resize_is_bilinear_and_comes_first(random_weights):
    resizing = metrics.LPIPSDistance(random_weights, "alex", resize=64)
    native = metrics.LPIPSDistance(random_weights, "alex")
    a, b = _pair((28, 28, 1))
    large = [tf.image.resize(x, (64, 64), method="bilinear") for x in (a, b)]
    np.testing.assert_allclose(resizing(a, b), native(*large), rtol=1e-4)
    # Constant images stay constant: at any size they are what they are at 64.
    black, grey = np.zeros((1, 64, 64, 3), np.float32), np.full((1, 64, 64, 3), 0.5)
    expected = native(black, grey)
    found = resizing(black[:, :5, :90], grey[:, :5, :90])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_one_graph_serves_all_batch_sizes(lpips, jit_compile):
    signature = [tf.TensorSpec([None, 17, 20, 1], tf.float32)] * 2
    compiled = tf.function(
        lambda a, b: lpips(a, b), input_signature=signature, jit_compile=jit_compile
    )
    a, b = _pair((17, 20, 1))
    for batch in (1, 4):
        measured = compiled(a[:batch], b[:batch])
        assert measured.shape == (batch,)
        # XLA fuses, and so rounds, differently.
        expected = lpips(a[:batch], b[:batch])
        np.testing.assert_allclose(measured, expected, rtol=1e-4)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must_have_the_same"):
        compiled(a, b[:1])


def test_one_trace_for_each_shape(lpips):
    a, b = _pair((17, 17, 3))
    for _ in range(3):
        lpips(a, b)
    assert lpips._distance.experimental_get_tracing_count() == 1
    for batch in (1, 2, 3):  # the first other size is traced for all others
        lpips(a[:batch], b[:batch])
    assert lpips._distance.experimental_get_tracing_count() == 2


def test_the_network_is_freed_with_the_object(random_weights):
    seen = []
    for _ in range(2):
        lpips = metrics.LPIPSDistance(random_weights, "squeeze")
        lpips(*_pair((17, 17, 3)))
        seen.append(weakref.ref(lpips))
        seen += [
            weakref.ref(found)
            for found in gc.get_objects()
            if isinstance(found, keras.Model) and found.name == "squeeze"
        ]
        del lpips
    assert len(seen) > 2
    for _ in range(3):  # what a function of TensorFlow holds goes after it
        gc.collect()
    assert [reference() for reference in seen] == [None] * len(seen)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_every_floating_type_is_computed_in_float32(lpips, dtype):
    a, b = (tf.cast(x, dtype) for x in _pair((17, 17, 3)))
    measured = lpips(a, b)
    assert measured.dtype == tf.float32
    expected = lpips(tf.cast(a, tf.float32), tf.cast(b, tf.float32))
    np.testing.assert_array_equal(measured, expected)


def test_bad_images_are_refused(lpips):
    good = np.full((2, 17, 17, 3), 0.5, np.float32)
    for a, b, message in [
        (good.astype(np.uint8), good, r"divide.* by 255.*Received: a.dtype=uint8"),
        (good, good[0], r"Received: b.shape=\(17, 17, 3\)"),
        (good, good[:1], "same shape"),
        (good[..., :2], good[..., :2], r"1 \(grey\) or 3.*Received: 2 channels"),
    ]:
        with pytest.raises(ValueError, match=message) as error:
            lpips(a, b)
        assert "\n" not in str(error.value)
    signature = [tf.TensorSpec([None, None, 17, 3], tf.float32)] * 2
    compiled = tf.function(lambda a, b: lpips(a, b), input_signature=signature)
    with pytest.raises(ValueError, match="a side of None pixels"):
        compiled.get_concrete_function()


def test_bad_arguments_are_refused(random_weights):
    message = r"one of alex, squeeze, vgg\. Received: net='vgg19'"
    with pytest.raises(ValueError, match=message):
        metrics.LPIPSDistance(random_weights, "vgg19")
    for resize in (30, 0, 64.5):
        with pytest.raises(ValueError, match=r"at least 31.*Received: resize="):
            metrics.LPIPSDistance(random_weights, "alex", resize=resize)


def test_example_of_the_docstring_runs_where_the_weights_are(
    random_weights, tmp_path, monkeypatch
):
    (tmp_path / "weights").symlink_to(random_weights)
    monkeypatch.chdir(tmp_path)
    text = inspect.getdoc(metrics.LPIPSDistance).replace("# doctest: +SKIP", "")
    example = doctest.DocTestParser().get_doctest(text, {}, "LPIPSDistance", None, 0)
    assert doctest.DocTestRunner().run(example) == (0, 5)


# --- files


def _all_files():
    for net, named in perceptual_weights.NETS.items():
        for name in (named.trunk, named.head):
            yield pytest.param(net, name, id=name)


each_file = pytest.mark.parametrize(("net", "name"), list(_all_files()))


def _replace(file, content):
    file.unlink()  # a link
    file.write_bytes(content)


@each_file
def test_a_missing_file_is_named_with_the_remedy(random_weights, net, name):
    (random_weights / name).unlink()
    message = rf"{random_weights / name} cannot be read \(No such file.*LPIPSDistance"
    with pytest.raises(ValueError, match=message) as error:
        metrics.LPIPSDistance(random_weights, net)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match=message):
        metrics.LPIPS(random_weights, net)


# In the middle are numbers, at the end is the directory of the archive.
@pytest.mark.parametrize("place", [0.5, -1])
@each_file
def test_a_flipped_byte_is_found(random_weights, net, name, place):
    content = bytearray((random_weights / name).read_bytes())
    position = int(place * len(content)) if place > 0 else len(content) - 20
    content[position] ^= 1
    _replace(random_weights / name, content)
    message = f"{random_weights / name} (are damaged|is not a readable).*LPIPSDistance"
    with pytest.raises(ValueError, match=message) as error:
        metrics.LPIPSDistance(random_weights, net)
    assert "\n" not in str(error.value)


@each_file
def test_a_truncated_file_is_refused(random_weights, net, name):
    content = (random_weights / name).read_bytes()
    _replace(random_weights / name, content[: len(content) // 2])
    with pytest.raises(ValueError, match=f"{name} (are damaged|is not a readable)"):
        metrics.LPIPSDistance(random_weights, net)


def test_the_trunk_of_alexnet_is_not_that_of_another(random_weights):
    _replace(
        random_weights / "alexnet_trunk.npz",
        (random_weights / "squeezenet1_1_trunk.npz").read_bytes(),
    )
    with pytest.raises(ValueError, match=r"alexnet_trunk\.npz are damaged or were rep"):
        metrics.LPIPSDistance(random_weights, "alex")


def _changed(arrays, change):
    name = "features.28.weight"
    if change == "missing":
        del arrays[name]
    elif change == "more":
        arrays["classifier.0.weight"] = np.zeros(1, np.float32)
    elif change == "layout":  # that of TensorFlow
        arrays[name] = arrays[name].transpose(2, 3, 1, 0)
    elif change == "type":
        arrays[name] = arrays[name].astype(np.float64)
    elif change == "number":
        arrays[name] = np.full_like(arrays[name], np.nan)
    else:
        arrays[name] = np.array([{"pickled": True}], object)
    return arrays


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("missing", r"Received: features\.28\.weight missing"),
        ("more", r"Received: classifier\.0\.weight missing or not among them"),
        ("layout", r"\(512, 512, 3, 3\).*Received: float32 \(3, 3, 512, 512\)"),
        ("type", r"`features\.28\.weight` as float32.*Received: float64"),
        ("number", r"NaN or infinity in `features\.28\.weight`"),
        ("object", r"readable .npz file of plain arrays: .*allow_pickle"),
    ],
)
def test_a_file_without_a_digest_is_checked(random_weights, change, message):
    file = random_weights / "vgg16_trunk.npz"
    with np.load(file) as archive:
        arrays = _changed(dict(archive), change)
    file.unlink()
    np.savez(file, **arrays)
    with pytest.raises(ValueError, match=message) as error:
        metrics.LPIPSDistance(random_weights, "vgg")
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_digests_of_the_files_are_kept(random_weights):
    found = metrics.LPIPSDistance(random_weights, "vgg").sha256
    assert found == {
        name: files.sha256(random_weights / name)
        for name in ("vgg16_trunk.npz", "lpips_v0.1_vgg.npz")
    }


def test_home_is_expanded(random_weights, monkeypatch):
    monkeypatch.setenv("HOME", str(random_weights.parent))
    metrics.LPIPSDistance(f"~/{random_weights.name}", "squeeze")


# --- the metric


def test_metric_is_the_mean_over_images_of_uneven_batches(random_weights, lpips):
    a, b = _pair((17, 17, 3), batch=7)
    metric = metrics.LPIPS(random_weights, "squeeze")
    for start, end in ((0, 3), (3, 6), (6, 7)):
        metric.update_state(a[start:end], b[start:end])
    # Convolutions of other batches add in another order.
    np.testing.assert_allclose(metric.result(), np.mean(lpips(a, b)), rtol=1e-4)
    metric.reset_state()
    metric.update_state(a, b, sample_weight=[0, 0, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(metric.result(), lpips(a, b)[2], rtol=1e-4)
    assert len(metric.variables) == 2  # not those of the network


def test_metric_is_rebuilt_from_its_configuration(random_weights):
    metric = metrics.LPIPS(random_weights, "squeeze", resize=32, name="far")
    config = keras.saving.serialize_keras_object(metric)
    rebuilt = keras.saving.deserialize_keras_object(config)
    assert type(rebuilt) is metrics.LPIPS
    assert rebuilt.get_config() == {
        "weights_dir": str(random_weights),
        "net": "squeeze",
        "resize": 32,
        "name": "far",
        "dtype": "float32",
    }
    a, b = _pair((10, 10, 1))
    np.testing.assert_array_equal(rebuilt(a, b), metric(a, b))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_metric_in_a_compiled_model_that_is_saved_and_loaded(
    random_weights, lpips, policy, tmp_path
):
    a, b = _pair((17, 17, 1), batch=5)
    pixels = keras.Input((17, 17, 1))
    # Under a policy that rounds, the output has its type.
    model = keras.Model(pixels, keras.layers.Identity(dtype=policy)(pixels))
    model.compile(loss="mse", metrics=[metrics.LPIPS(random_weights, "squeeze")])
    first = model.evaluate(a, b, batch_size=2, verbose=0, return_dict=True)
    output = tf.cast(a, keras.DTypePolicy(policy).compute_dtype)
    # Convolutions of other batches add in another order.
    np.testing.assert_allclose(first["lpips"], np.mean(lpips(output, b)), rtol=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    second = loaded.evaluate(a, b, batch_size=2, verbose=0, return_dict=True)
    assert second == first
