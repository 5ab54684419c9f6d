"""Audits of linear models, of which the worst case is known in closed form."""

import json
import math
import shutil

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from tfsemae import audit
from tfsemae.audit import nearest, stages

SHAPE = (12, 12, 1)
PIXELS = math.prod(SHAPE)
GAINS = np.float32([0.9, 0.5, 0.3, 0.2])
LEVEL = 0.01  # mean squared error of the stated damage
DAMAGE = f"mse:{LEVEL}"
#: The step length of the last round, and float32.
EXACT = 0.02


def _basis(rows, columns, seed):
    normal = np.random.default_rng(seed).normal(size=(columns, rows))
    return np.linalg.qr(normal)[0].T.astype(np.float32)


class Linear:
    """Orthonormal rows with gains as decoder, its inverse as encoder."""

    def __init__(self, rotation=None, scale=1.0):
        rotation = np.eye(len(GAINS)) if rotation is None else rotation
        basis = _basis(len(GAINS), PIXELS, 0)
        # Latents are `scale * codes @ rotation`; images do not depend on either.
        self.weights = np.float32(rotation.T @ np.diag(GAINS) @ basis / scale)
        self._inverse = np.float32(np.linalg.pinv(self.weights.astype(float)))
        codes = np.random.default_rng(1).normal(size=(24, len(GAINS)))
        images = 0.5 + codes * GAINS @ basis
        self.images = np.float32(np.clip(images, 0, 1)).reshape(-1, *SHAPE)

    def encode(self, images):
        return (tf.reshape(images, [-1, PIXELS]) - 0.5) @ self._inverse

    def decode(self, latent):
        return tf.reshape(latent @ self.weights + 0.5, [-1, *SHAPE])


def _audit(model, **options):
    defaults = {
        "examples": 24,
        "damage": DAMAGE,
        "restarts": 1,
        "steps": 5,
        "value_range": (0, 1),
        "labels": np.arange(24) % 2,
    }
    images = options.pop("images", model.images)
    return audit.audit(model.encode, model.decode, images, **defaults | options)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Audit of a linear model, its folder and the model."""
    folder = tmp_path_factory.mktemp("audit")
    model = Linear()
    found = _audit(model, output_dir=folder, anomaly_label=1)
    return found, folder, model


class _Killed(Exception):
    pass


def _killed(*_):
    raise _Killed


def _only_the_rest(write):
    def checked(self, first, values):
        assert self._folder.name in ("everyday", "detection")
        return write(self, first, values)

    return checked


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """The same model in a rotated latent that is 1,000 times as large.

    With other batches, and killed before the everyday noise: the second start
    computes only what is missing.
    """
    turn = np.random.default_rng(3).normal(size=(4, 4))
    model = Linear(scipy.linalg.expm(turn - turn.T), scale=1000.0)
    options = {"output_dir": tmp_path_factory.mktemp("turned"), "batch_size": 7}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages.Stages, "everyday", _killed)
        with pytest.raises(_Killed):
            _audit(model, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages.Shards, "write", _only_the_rest(stages.Shards.write))
        return _audit(model, **options), options["output_dir"]


def _headline(report, space):
    return next(each for each in report.smallest if each.space == space)


def test_smallest_perturbation_of_the_latent_is_along_the_first_row(plain):
    # |change|**2 = LEVEL * PIXELS, and the largest gain makes it with least effort.
    expected = math.sqrt(LEVEL * PIXELS) / GAINS[0]
    found = _headline(plain[0], "latent")
    assert found.reached == 1
    # Never smaller: what counts does the damage.
    assert expected * 0.9999 <= found.low_quantile.absolute.value
    assert found.median.absolute.value == pytest.approx(expected, rel=EXACT)


def test_units_of_the_headline_belong_together(plain):
    report, _, model = plain
    found = _headline(report, "latent").median
    latents = model.encode(model.images).numpy()
    spread = math.sqrt(latents.var(axis=0).sum())
    assert found.deviations.value == pytest.approx(
        found.absolute.value / spread, rel=1e-4
    )
    power = np.mean(np.sum(latents**2, axis=1))
    assert found.decibel.value == pytest.approx(
        10 * math.log10(found.absolute.value**2 / power), abs=1e-3
    )


def test_smallest_perturbation_of_the_image_is_in_the_range(plain):
    # Encoder and decoder are a projection, which moves an image by all of a
    # perturbation within the range. Bounds of pixels make it dearer for some.
    expected = math.sqrt(LEVEL * PIXELS)
    found = _headline(plain[0], "input").low_quantile.absolute.value
    assert expected * 0.999 <= found <= expected * (1 + EXACT)


def test_curves_are_parabolas(plain):
    for point in plain[0].curves:
        if point.space == "latent" and point.attack in ("singular_step", "strong"):
            expected = (GAINS[0] * point.radius) ** 2 / PIXELS
            assert point.measures["mse"].value == pytest.approx(expected, rel=EXACT)


def test_noise_is_between_the_smallest_and_the_largest_gain(plain):
    ratio = _headline(plain[0], "latent").noise_ratio.value
    assert 1 < ratio < GAINS[0] / GAINS[-1]


def test_spectrum_is_that_of_the_weights_in_deviations(plain):
    report, _, model = plain
    deviations = model.encode(model.images).numpy().std(axis=0)
    expected = np.linalg.svd(deviations[:, None] * model.weights)[1][:4]
    decoder, encoder = report.spectra
    np.testing.assert_allclose(decoder.values, expected, rtol=1e-3)
    assert decoder.linear_range.value is None  # everywhere
    assert encoder.network == "encoder"
    strongest = report.dimensions[0]
    assert strongest.number == np.argmax(deviations * GAINS)
    assert strongest.effect == pytest.approx(expected[0], rel=1e-3)


def test_everyday_noise_of_a_linear_decoder(plain):
    report, _, model = plain
    latents = model.encode(model.images).numpy()
    deviations = latents.std(axis=0)
    mse = {each.name: each.measures["mse"].value for each in report.everyday}

    def of(change):
        """Mean squared error of a change of the latents."""
        return np.mean(np.sum(np.square(change * GAINS), axis=1)) / PIXELS

    for factor in (0.9, 1.1):
        assert mse[f"latent x {factor}"] == pytest.approx(of(0.1 * latents), rel=1e-3)
    little, much = (mse[f"latent + {by} deviations of noise"] for by in (0.1, 0.5))
    assert much == pytest.approx(25 * little, rel=1e-3)
    # 24 images of 4 numbers: the standard error is about a fifth.
    assert much == pytest.approx(of(0.5 * deviations[np.newaxis]), rel=0.6)
    extent = latents.max(axis=0) - latents.min(axis=0)
    rounded = mse["latent rounded to 8 bits"]
    assert 0.2 * rounded < of(extent[np.newaxis] / 255) / 12 < 5 * rounded
    # Half of the last of 11 and of 8 binary digits.
    assert 0 < mse["latent as float16"] <= of(latents * 2.0**-11)
    assert 0 < mse["latent as bfloat16"] <= of(latents * 2.0**-8)
    replaced = of(latents - latents.mean(axis=0))  # if all were
    assert 0 < mse["10 % of the latent replaced by its mean"] < 0.4 * replaced


def _squared_error(clean, changed):
    return tf.reduce_mean(tf.square(clean - changed), axis=[1, 2, 3])


@pytest.mark.parametrize(
    ("damage", "name"),
    [("psnr:20", "latent_psnr"), ((_squared_error, LEVEL), "latent_function")],
)
def test_damages_that_say_the_same_have_the_same_perturbation(damage, name):
    # A mean squared error of 0.01 is a PSNR of 20 dB.
    found = _audit(Linear(), damage=damage, examples=3)
    expected = math.sqrt(LEVEL * PIXELS) / GAINS[0]
    assert _headline(found, "latent").median.absolute.value == pytest.approx(
        expected, rel=EXACT
    )
    assert name in found.figures


def test_one_image_is_audited_in_units_of_one():
    model = Linear()
    found = _audit(model, images=model.images[:1], labels=None, examples=1)
    headline = _headline(found, "latent")
    expected = math.sqrt(LEVEL * PIXELS) / GAINS[0]
    assert headline.median.absolute.value == pytest.approx(expected, rel=EXACT)
    assert headline.median.deviations.value == headline.median.absolute.value
    assert headline.median.absolute.low is None
    assert "one_image" in {each.name for each in found.warnings}


def test_nothing_damages_a_constant_decoder(tmp_path):
    model = Linear()
    model.weights *= 0
    found = _audit(model, output_dir=tmp_path, examples=3)
    for each in found.smallest:
        assert each.reached == 0
        assert each.median.absolute.value is None
    names = {each.name for each in found.warnings}
    assert {"constant_decoder", "zero_gradient"} <= names
    assert "not reached" in (tmp_path / "index.html").read_text("utf-8")


def test_figures_do_not_depend_on_rotation_scale_and_batches(plain, turned):
    for name, value in plain[0].figures.items():
        if name == "latent_psnr":
            assert turned[0].figures[name] == pytest.approx(value, abs=0.2)  # dB
        elif not name.endswith("ssim"):
            assert turned[0].figures[name] == pytest.approx(value, rel=2 * EXACT), name


def test_files_hold_what_is_returned(plain):
    report, folder, _ = plain
    assert audit.Report.read(folder) == report
    page = (folder / "index.html").read_text("utf-8")
    assert report.smallest[0].damage in page
    assert "http" not in page.replace("http://www.w3.org", "")
    for name in report.pictures:
        assert (folder / name).is_file()
    with np.load(folder / "nearest_latent.npz") as arrays:
        change = arrays["attacked"] - arrays["reconstruction"]
        assert (np.mean(change**2, axis=(1, 2, 3)) >= LEVEL).all()
    with np.load(folder / "measurements.npz") as arrays:
        order = nearest.places(arrays["latent/epsilon"])
        assert tuple(arrays["places"][order]) == report.nearest["latent"]


def test_schema_names_all_fields(plain):
    schema = audit.schema()
    written = json.loads((plain[1] / "audit.json").read_text("utf-8"))
    assert written.keys() == schema["properties"].keys()


def test_linear_model_gives_no_cause_for_distrust(plain):
    names = {warning.name for warning in plain[0].warnings}
    assert not names & {"zero_gradient", "wrong_gradient", "masked_gradient"}
    assert not names & {"not_finite", "weaker_than_noise", "no_gradient"}


def test_constant_images_detect_nothing_and_attacks_are_worse(plain):
    auc = {(e.condition, e.decibel): e.auc.value for e in plain[0].detection}
    for decibel in (-40.0, -30.0, -20.0):
        clean = auc["clean", None]
        assert auc["hidden", decibel] <= clean
        assert auc["raised", decibel] <= clean
        assert auc["both", decibel] <= min(
            auc["hidden", decibel], auc["raised", decibel]
        )


def test_anomalies_of_a_model_without_gradient_are_not_attacked(tmp_path):
    # The error has a gradient all the same, of the image that it is the error of.
    model = Linear()
    decode = model.decode
    model.decode = lambda latent: tf.round(64 * decode(latent)) / 64
    found = _audit(model, output_dir=tmp_path, anomaly_label=1, examples=4)
    assert [each.condition for each in found.detection] == ["clean"]
    assert "no_gradient" in {each.name for each in found.warnings}


def test_an_encoder_without_gradient_leaves_the_spectrum_of_the_decoder(tmp_path):
    model = Linear()
    encode = model.encode
    model.encode = lambda images: tf.round(8 * encode(images)) / 8  # as of a codebook
    found = _audit(model, output_dir=tmp_path, examples=4)
    assert [each.network for each in found.spectra] == ["decoder"]
    warned = [each.text for each in found.warnings if each.name == "no_gradient"]
    assert len(warned) == 1
    assert warned[0].startswith("input")


def test_numbers_that_hardly_vary_are_collapsed(tmp_path):
    # Three of four: their median deviation is itself one of a collapsed number.
    model = Linear()
    encode, shrunk = model.encode, tf.constant([1.0, 1e-4, 1e-4, 1e-4])
    model.encode = lambda images: encode(images) * shrunk
    decode = model.decode
    model.decode = lambda latent: tf.round(decode(latent))  # quick: no gradient
    found = _audit(model, output_dir=tmp_path, examples=4)
    assert found.audited.collapsed == (1, 2, 3)


def test_comparison_pairs_images(plain, turned, tmp_path):
    found = audit.compare([plain[1], turned[1]], tmp_path)
    for first, second in zip(*found.paired, strict=True):
        assert first.ratio.value == first.ratio.low == first.ratio.high == 1
        assert second.ratio.value == pytest.approx(1, rel=2 * EXACT)
        assert second.images == 24
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "two functions" in page
    assert "0.1 standard deviations, of SSIM its loss" in page


def test_a_comparison_is_made_again_where_an_audit_has_changed(plain, tmp_path, capsys):
    other = shutil.copytree(plain[1], tmp_path / "other")
    settings = audit.Settings(
        compare=(str(plain[1]), str(other)), output_dir=str(tmp_path / "both")
    )
    found = audit.audit_run(settings)
    assert audit.audit_run(settings) == found
    assert "holds a finished run, which is read" in capsys.readouterr().err
    report = json.loads((other / "audit.json").read_text("utf-8"))
    report["audited"]["model"] = "another"
    (other / "audit.json").write_text(json.dumps(report), "utf-8")
    audit.audit_run(settings)
    assert "The audits have changed" in capsys.readouterr().err
    assert "another" in (tmp_path / "both/index.html").read_text("utf-8")
    (tmp_path / "both/inputs.json").unlink()  # as of a comparison made before
    audit.audit_run(settings)
    assert "The audits have changed" in capsys.readouterr().err


def test_images_that_neither_model_loses_have_the_ratio_one(plain, tmp_path):
    kept = shutil.copytree(plain[1], tmp_path / "kept")
    with np.load(kept / "measurements.npz") as arrays:
        changed = dict(arrays)
    changed["latent/epsilon"][:3] = np.inf
    np.savez(kept / "measurements.npz", **changed)
    found = audit.compare([kept, kept], tmp_path / "out")
    for each in found.paired[1]:
        assert each.ratio.value == each.ratio.low == each.ratio.high == 1
    (kept / "measurements.npz").write_bytes(b"PK and no more")
    with pytest.raises(ValueError, match=f"{kept}.*is not a readable .*that audit aga"):
        audit.compare([plain[1], kept], tmp_path / "out")


def _other_damage(report):
    for each in report["smallest"]:
        each["damage"] = "PSNR of at most 20 dB"


def _other_effort(report):
    report["audited"]["steps"] += 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_damage, "damage and effort, but the --damage of"),
        (_other_effort, "damage and effort, but the restarts, steps and rounds of"),
    ],
)
def test_audits_that_differ_are_not_compared(plain, tmp_path, change, message):
    changed = json.loads((plain[1] / "audit.json").read_text("utf-8"))
    change(changed)
    (tmp_path / "audit.json").write_text(json.dumps(changed), "utf-8")
    with pytest.raises(ValueError, match=message):
        audit.compare([plain[1], tmp_path], tmp_path / "out")


def test_missing_audit_is_not_compared(plain, tmp_path):
    with pytest.raises(ValueError, match="holds no finished audit"):
        audit.compare([plain[1], tmp_path / "none"], tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((5, 30, 2))}, "Signals .* are images of one row"),
        ({"images": np.zeros((5, 9, 9, 1))}, "encoder does not take its input"),
        ({"images": np.full((5, *SHAPE), np.nan)}, "must be finite"),
        ({"labels": None, "anomaly_label": 1}, "needs labels"),
        ({"anomaly_label": 7}, "--anomaly_label=7 is none of the classes 0, 1"),
        ({"damage": "sim:1"}, "--damage=sim:1 must be a metric"),
        ({"damage": "lpips:0.5"}, "needs the weights of LPIPS"),
        ({"examples": 99}, "--examples=99 is more than the 24 images"),
        ({"labels": [1, 2]}, "one label for each image"),
        ({"restarts": 0}, "`restarts` must be at least 1. Received: restarts=0"),
        ({"examples": 0}, "`examples` must be at least 1. Received: examples=0"),
    ],
)
def test_what_cannot_be_audited_is_refused(changes, message):
    if "images" in changes:
        changes = {"labels": None, "examples": 5} | changes
    with pytest.raises(ValueError, match=message):
        _audit(Linear(), **changes)


def test_weights_of_nan_are_named():
    model = Linear()
    model.weights = model.weights * np.float32(np.nan)
    with pytest.raises(ValueError, match="gives NaN or infinity for 16 of the first"):
        _audit(model)
