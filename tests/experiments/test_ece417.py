"""The lecture's artefacts: measures by known answers, and ledgers of smoke plans."""

import collections

import numpy as np
import pytest
import tensorflow as tf
from sklearn import decomposition

from tfsemae import data, experiments, models, settings
from tfsemae.data import moebius, ring
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ece417 import (
    gan,
    gan_runs,
    measures,
    principal_components,
    runs,
    samples,
    strip,
    vae,
)
from tfsemae.models.gan import Gan
from tfsemae.reports import Ledger

_COLUMNS = (
    "loss",
    "val_loss",
    "discriminator_loss",
    "reconstruction_loss",
    "regularizer_loss",
)


def test_projection_is_that_of_scikit_learn():
    images = np.random.default_rng(0).random((60, 3, 4, 1))
    mean, components = principal_components.find(images, 5)
    reconstruct = principal_components.projection(mean, components)
    found = reconstruct(images)
    flat = images.reshape(60, -1)
    expected = decomposition.PCA(5).fit(flat)
    by_peer = expected.inverse_transform(expected.transform(flat))
    np.testing.assert_allclose(found.reshape(60, -1), by_peer, atol=1e-6)
    errors = measures.squared_errors(images, reconstruct)
    # The eigenvalues that are left out; scikit-learn divides by 59.
    left = np.linalg.eigvalsh(np.cov(flat, rowvar=False))[:-5].sum() * 59 / 60
    np.testing.assert_allclose(errors.mean(), left, rtol=1e-5)


def test_a_relative_difference_is_that_of_resampled_means():
    others = np.random.default_rng(0).exponential(size=50)
    found = measures.relative(others / 4, others)  # in each resample as in all
    np.testing.assert_allclose(found, -75)
    # Errors are not negative, so that no interval is below -100 %.
    found = measures.relative(np.where(np.arange(50) == 7, 9 * others, 0), others)
    assert -100 <= found.low < found.effect < found.high


def test_modes_of_known_points():
    covered, near = gan.modes(np.repeat(ring.modes(), 10, axis=0))
    assert (covered, near) == (8, 1.0)
    covered, near = gan.modes(np.concatenate([ring.modes()[:3], np.zeros((1, 2))]))
    assert (covered, near) == (3, 0.75)
    # 3 standard deviations are 0.15.
    assert gan.modes(np.add(ring.modes()[:1], [0.149, 0])) == (1, 1.0)
    assert gan.modes(np.add(ring.modes()[:1], [0.151, 0])) == (0, 0.0)


def test_losses_of_a_variational_autoencoder():
    network = models.build(
        "dense", (2, 2, 1), seed=0, latent=3, hidden=(4,), variational=True
    )
    head = network.log_variance.get_layer("log_variance")
    # mu is 0 as the kernel is; E_f of (0, 2) is 0.806853 (spec), of (0, 1) it is 0.
    network.encoder.get_layer("mean").set_weights([np.zeros((4, 3)), np.zeros(3)])
    head.set_weights([np.zeros((4, 3)), np.array([0, np.log(4), 0])])
    images = np.ones((5, 2, 2, 1), np.float32)
    pixels = network.decoder.get_layer("pixels")
    pixels.set_weights([np.zeros((4, 4)), np.zeros(4)])  # g(z) = 1/2 for all z
    found = vae.loss(network, images)
    expected = np.tile([0, 0.806853, 0], (5, 1))
    np.testing.assert_allclose(found.divergences, expected, atol=1e-6)
    np.testing.assert_allclose(found.errors, 4 * 0.25 / 2, rtol=1e-6)
    np.testing.assert_allclose(found.total, 0.806853 + 0.5, rtol=1e-6)


def test_plans(parsed):
    counts = {}
    for name in ("ece417_pca", "ece417_vae", "ece417_gan"):
        planned = experiments.artefacts()[name].all_runs("full")
        counts[name] = len(planned)
        for run in planned:
            chosen = parsed(run)
            assert run.command == "train"
            assert chosen.data.dataset in ("mnist", "ring", "moebius")
            if chosen.network.options.get("variational"):
                # E = E_f + E_g, sums over latents and pixels.
                assert chosen.procedure.loss == "summed_squared_error"
                assert chosen.procedure.reconstruction_weight == 0.5
                assert chosen.procedure.regularizer.regularizer_weight == 1
    # 3 sizes, linear and deep, few images, a strip; 2 VAE, 2 AE, a linear VAE, a
    # classifier; 2 losses x 3 seeds, 2 losses x 2 starts, the VAE of one start, a
    # classifier.
    assert counts == {"ece417_pca": 8, "ece417_vae": 6, "ece417_gan": 12}


def test_lengths_and_sizes_are_those_of_the_plan(parsed):
    for linear in (False, True):
        for latent in (2, 8, 32):
            chosen = parsed(runs.autoencoder(latent, "full", linear=linear))
            # 20 passes over 60,000 images, the last one whole.
            assert chosen.optimizer.steps * chosen.optimizer.batch_size >= 20 * 60_000
            assert chosen.network.options["latent"] == latent
            hidden = tuple(map(str, chosen.network.options["hidden"]))
            assert hidden == (("none",) if linear else ("256", "64"))
    assert runs.VARIATIONAL_SIZES == (2, 16)
    ring = parsed(gan_runs.ring("nonsat", 2, "full"))
    assert (ring.optimizer.steps, ring.run.seed) == (5_000, 2)
    for start, steps in (("random", 2_000), ("vae", 2_100)):
        run = gan_runs.gan("minimax", start, "full")
        chosen = parsed(run)
        assert chosen.optimizer.steps == steps
        assert chosen.optimizer.batch_size == 64
        assert chosen.optimizer.learning_rate == 2e-4
        assert chosen.optimizer.adam_beta_1 == 0.5
        assert chosen.procedure.gan.gan_discriminator_steps == steps - 2_000
        assert ("decoder_from" in run.inputs) == (start == "vae")


def test_few_images_are_what_is_left_of_the_training_set(parsed):
    chosen = parsed(runs.few_images("full"))
    assert chosen.data.validation == 60_000 - 50
    assert chosen.optimizer.batch_size == 50  # all of them in each step
    digits = parsed(runs.few_images("smoke"))
    assert digits.data.validation == len(data.load("digits", "train")) - 50


# --- from finished runs to a ledger


def _untrained(chosen):
    """The networks of a run before its first step."""
    name, shape = chosen.network.model, (28, 28, 1)
    shape = {"ring": (1, 1, 2), "moebius": (1, 1, 3)}.get(chosen.data.dataset, shape)
    names = tuple("0123456789") if chosen.network.classifies else ()
    seed, options = chosen.run.seed, chosen.network.options
    made = models.build(name, shape, names, seed=seed, **options)
    if chosen.procedure.gan.gan_loss is None:
        return made
    single = models.build(name, shape, seed=seed, **options | {"latent": 1})
    return Gan(made.decoder, single.encoder)


def _write_log(folder):
    steps = (5, 10, 20)
    lines = [",".join(("step", *_COLUMNS))]
    lines += [",".join([str(step), *["1.5"] * len(_COLUMNS)]) for step in steps]
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    writer = tf.summary.create_file_writer(str(folder / "tensorboard"))
    with writer.as_default():
        for step in steps:
            pairs = np.zeros((8, 56, 28, 1), np.float32)
            pairs[:, 28:] = step / 20
            tf.summary.image("reconstructions", pairs, step=step, max_outputs=8)
    writer.close()


@pytest.fixture
def workspace(tmp_path, finish, monkeypatch):
    monkeypatch.setattr(samples, "COUNT", 100)

    def make(name):
        artefact = experiments.artefacts()[name]
        for run in artefact.all_runs("smoke"):
            folder = finish(run, {})
            _, *words = run.words(tmp_path, {})
            _untrained(settings.parse(run.group, words)).save(folder)
            _write_log(folder)
        return Workspace(artefact, "smoke", tmp_path, tmp_path / "made")

    return make


def _ledger(work):
    work.artefact.write_ledger(work)
    found = Ledger.read(work.output_dir)
    assert {row.tag for row in found.rows} == {"stand-in"}
    for picture in found.pictures:
        assert (work.output_dir / picture.file).is_file()
    rows = {row.id: row for row in found.rows}
    return rows, {claim.id: claim for claim in found.claims}


def test_a_linear_autoencoder_that_is_pca(workspace):
    work = workspace("ece417_pca")
    pixels = data.pixels(data.load("digits", "train"))
    for latent in runs.SIZES:
        folder = work.folder(runs.autoencoder(latent, "smoke", linear=True))
        network = models.load(folder)
        mean, components = principal_components.find(pixels, latent)
        head = network.encoder.get_layer("mean")
        head.set_weights([components.T, -components @ mean])
        network.decoder.get_layer("pixels").set_weights([components, mean])
        network.save(folder)
    rows, claims = _ledger(work)
    for latent in runs.SIZES:
        same = rows[f"pca{latent}_test"].measured
        assert rows[f"linear{latent}_test"].measured == pytest.approx(same, rel=1e-5)
        assert rows[f"angle{latent}"].measured < 1e-6  # float32 weights
        assert claims[f"4_{latent}"].verdict == "does not hold"  # it is not trained
    assert claims["1"].verdict == claims["2"].verdict == "holds"
    assert claims["6"].verdict == "does not hold"  # the log is level


def test_a_strip_that_is_torn_in_one_place(workspace, monkeypatch):
    work = workspace("ece417_pca")
    angle, _ = moebius.parameters("test")
    # A coordinate is off by 0.1, in one of 36 sectors by 1; pixels cover 3.
    off = np.where((angle > np.pi) & (angle < np.pi + 2 * np.pi / 36), 1, 0.1) / 3

    def reconstruction(network):
        return lambda images: (
            images + off[:, np.newaxis, np.newaxis, np.newaxis] / 3**0.5
        )

    monkeypatch.setattr(measures, "reconstruction", reconstruction)
    found = strip.Strip(work)
    rows = {row.id: row.measured for row in found.rows(work)}
    assert rows["strip_tear"] == pytest.approx(100, rel=1e-3)
    share = np.mean(off > 0.1)
    assert rows["strip_deep"] == pytest.approx(share + 0.01 * (1 - share), rel=1e-3)
    assert {claim.id: claim.verdict for claim in found.claims()}["8"] == "holds"


@pytest.fixture
def few_features(monkeypatch):
    """Pixels in place of 1,024 features, of which a Frechet distance takes seconds."""

    def few(judge, images):
        return images.reshape(len(images), -1)[:, ::80]

    monkeypatch.setattr(samples.Judge, "features", few)


def test_ledger_of_variational_autoencoders(workspace, few_features):
    rows, claims = _ledger(workspace("ece417_vae"))
    for latent in (2, 16):
        names = {f"fd_cls{latent}_{each}" for each in ("standard", "slide", "fitted")}
        assert all(rows[name].measured > 0 for name in names)
    for name in ("ef", "eg", "used"):
        assert {f"vae{latent}_{name}" for latent in (2, 16)} <= rows.keys()
    kinds = collections.Counter(id_.partition("_")[0] for id_ in claims)
    assert kinds == {"1": 1, "2": 1, "3": 3, "4": 3}
    covariance = np.cov(data.load("digits", "train").images.reshape(1437, -1).T / 255)
    above = np.sum(np.linalg.eigvalsh(covariance)[-16:] > 1)
    assert rows["eigenvalues"].measured == above


def test_ledger_of_gans(workspace, few_features, check_text):
    work = workspace("ece417_gan")
    rows, claims = _ledger(work)
    check_text(work)
    assert rows["ring_nonsat_modes"].n == 2
    # Both losses have the same networks before the first step.
    assert claims["2"].effect == claims["4"].effect == 0
    assert claims["2"].verdict == claims["4"].verdict == "does not hold"
    assert claims["1_minimax"].verdict == "does not hold"
    assert rows["nonsat_vae_h"].measured == rows["ring_nonsat_h"].measured == 1.5
    # Half of 100 test images each, drawn from the same set.
    assert rows["images_fd_cls"].measured < rows["nonsat_vae_fd_cls"].measured
    stages = gan._stages(work.folder(gan_runs.gan("minimax", "random", "smoke")), 0)
    # Recorded at 25, 50 and 100 %.
    assert [step for step, _ in stages] == [5, 5, 20]
    np.testing.assert_allclose(
        [each.mean() for _, each in stages], [0.25, 0.25, 1], atol=0.01
    )
