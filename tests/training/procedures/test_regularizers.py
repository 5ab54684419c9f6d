"""What a procedure minimises of latents, against the objectives and closed forms."""

import keras
import numpy as np
import pytest
import scipy.stats

from tfsemae import data, models, objectives, settings, training
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure
from tfsemae.training.procedures.regularizers import REGULARIZERS

_SHAPE, _ROWS, _LATENT, _COUNT = (12, 12, 1), 16, 3, 40


def _settings(**changes):
    given = {
        "output_dir": "unused",
        "model": "conv",
        "latent": _LATENT,
        "batch_size": _ROWS,
        "loss": "summed_squared_error",
    }
    return settings.make(training.Settings, given | changes)


def _procedure(chosen):
    networks = models.build("conv", _SHAPE, seed=0, **chosen.network.options)
    # Statistics of a batch are those of the moving averages then.
    for layer in networks.joint()._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return AutoencoderProcedure(networks, chosen, _COUNT)


def _images():
    pixels = np.random.default_rng(0).random((_COUNT, *_SHAPE), np.float32)
    return data.Images(pixels, None, ())


def _measured(**changes):
    """Losses of the first batch by name, its inputs, and the networks."""
    procedure = _procedure(_settings(**changes))
    batches = procedure.batches(_images(), batch_size=_ROWS, seed=0, start_step=0)
    inputs, targets = next(iter(batches))
    found = procedure.model.test_on_batch(inputs, targets, return_dict=True)
    return found, inputs, procedure.networks


def _latent(inputs, networks):
    mean = networks.encoder(inputs["image"]).numpy()
    log_variance = networks.log_variance(inputs["image"]).numpy()
    noise = inputs["noise"].numpy()
    return mean, log_variance, mean + np.exp(log_variance / 2) * noise


def test_each_regularizer_is_a_choice_with_its_least_batch():
    field = training.Settings(run=_settings().run).procedure.regularizer
    choices = type(field).__dataclass_fields__["regularizer"].metadata["choices"]
    assert set(REGULARIZERS) == set(choices)
    for name, each in REGULARIZERS.items():
        more = {"regularizer": name, "variational": True}
        if each.least > 1:
            message = f"--regularizer={name} needs at least {each.least} images"
            with pytest.raises(ValueError, match=message):
                _settings(batch_size=each.least - 1, **more)
        _settings(batch_size=each.least, **more)


def test_reconstruction_is_summed_over_pixels_and_decoded_from_a_drawn_latent():
    found, inputs, networks = _measured(variational=True, regularizer="kl")
    *_, latent = _latent(inputs, networks)
    decoded = networks.decoder(latent)
    errors = np.sum((decoded - inputs["image"]) ** 2, axis=(1, 2, 3))
    assert found["reconstruction_loss"] == pytest.approx(errors.mean(), rel=1e-5)
    expected = found["reconstruction_loss"] + found["regularizer_loss"]
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


def test_weight_multiplies_the_regularizer():
    found, *_ = _measured(variational=True, regularizer="kl", regularizer_weight=3.0)
    expected = found["reconstruction_loss"] + 3 * found["regularizer_loss"]
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


def test_kl_is_that_of_gaussians():
    found, inputs, networks = _measured(variational=True, regularizer="kl")
    mean, log_variance, _ = _latent(inputs, networks)
    terms = mean**2 + np.exp(log_variance) - log_variance - 1
    expected = 0.5 * terms.sum(axis=1).mean()
    # At first near 0.0001; float32, of log variances near 0.
    assert found["regularizer_loss"] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
@pytest.mark.parametrize("biased", [False, True])
def test_mmd_is_that_of_latents_and_prior_samples(kernel, biased):
    found, inputs, networks = _measured(
        variational=True, regularizer="mmd", mmd_kernel=kernel, mmd_biased=biased
    )
    *_, latent = _latent(inputs, networks)
    expected = objectives.mmd(
        latent, inputs["prior"], kernel=kernel, unbiased=not biased
    )
    assert found["regularizer_loss"] == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("moments", [False, True])
def test_shapiro_wilk_is_that_of_scipy_over_the_entries(moments):
    found, inputs, networks = _measured(regularizer="shapiro_wilk", swt_moments=moments)
    latent = networks.encoder(inputs["image"] if isinstance(inputs, dict) else inputs)
    latent = latent.numpy().astype(np.float64)
    expected = 1 - np.mean([scipy.stats.shapiro(column)[0] for column in latent.T])
    if moments:
        off = latent.mean(axis=0) ** 2 + (latent.std(axis=0, ddof=1) - 1) ** 2
        expected += off.mean()
    assert found["regularizer_loss"] == pytest.approx(expected, abs=1e-4)


def test_projected_shapiro_wilk_takes_the_seed_of_the_step():
    found, inputs, networks = _measured(regularizer="shapiro_wilk", swt_project=True)
    expected = objectives.projected_shapiro_wilk_regularizer(
        networks.encoder(inputs["image"]), seed=inputs["seed"][0]
    )
    assert found["regularizer_loss"] == pytest.approx(float(expected), abs=1e-5)


def test_total_correlation_of_weight_1_is_the_elbo():
    found, inputs, networks = _measured(
        variational=True, regularizer="total_correlation"
    )
    mean, log_variance, latent = _latent(inputs, networks)
    log_q = scipy.stats.norm.logpdf(latent, mean, np.exp(log_variance / 2)).sum(axis=1)
    log_p = scipy.stats.norm.logpdf(latent).sum(axis=1)
    # float32, of terms of the order of log(16 * 40) in each of three parts.
    assert found["regularizer_loss"] == pytest.approx(np.mean(log_q - log_p), abs=1e-3)


def test_weight_of_the_total_correlation():
    losses, tensors = {}, {}
    for beta in (1.0, 5.0):
        found, inputs, networks = _measured(
            variational=True,
            regularizer="total_correlation",
            total_correlation_weight=beta,
        )
        losses[beta] = found["regularizer_loss"]
        tensors[beta] = _latent(inputs, networks)
    mean, log_variance, latent = tensors[5.0]
    parts = objectives.kl_decomposition(latent, mean, log_variance, _COUNT)
    expected = 4 * float(parts.total_correlation)
    assert losses[5.0] - losses[1.0] == pytest.approx(expected, abs=1e-3)


def test_twins_begin_alike_and_see_the_same_images():
    networks, images = [], []
    for variational in (True, False):
        procedure = _procedure(_settings(variational=variational, regularizer="mmd"))
        networks.append(procedure.networks)
        batches = procedure.batches(_images(), batch_size=8, seed=1, start_step=3)
        images.append(
            [inputs["image"] for (inputs, _), _ in zip(batches, range(4), strict=False)]
        )
    for part in ("encoder", "decoder"):
        pairs = zip(
            *(getattr(each, part).get_weights() for each in networks), strict=True
        )
        assert all(np.array_equal(*pair) for pair in pairs)
    np.testing.assert_array_equal(*images)


def test_a_last_batch_that_is_too_small_is_refused():
    procedure = _procedure(_settings(regularizer="shapiro_wilk"))
    message = r"--validation=40 leaves 1 in the last batch.*needs 3 images"
    with pytest.raises(ValueError, match=message):
        procedure.held_out(_images(), 13)
    assert len(list(procedure.held_out(_images(), 10))) == 4
