"""The plan of trainings with fakes, and the ledger of known networks and accuracies."""

import keras
import numpy as np
import pytest

from tfsemae import data, experiments, models
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.ece417 import runs, scales
from tfsemae.experiments.ece417.augmentation_runs import augmented
from tfsemae.models import Classifier, Gan

ARTEFACT = experiments.artefacts()["ece417_augmentation"]


def test_plan(parsed):
    planned = ARTEFACT.all_runs("full")
    # 9 methods of 5 seeds, a conditional GAN of each seed, the VAE, and the oracle.
    assert len(planned) == 9 * 5 + 5 + 2
    few = [run for run in planned if "few_labels" in run.label]
    chosen = {run.label: parsed(run).classifier.fakes for run in few}
    assert {each.labelled_per_class for each in chosen.values()} == {20}
    for label, each in chosen.items():
        assert each.fakes_per_image == (5 if "fewer" in label else 10)
    assert chosen["ece417_few_labels_none_seed0"].fakes is None
    scales = [
        chosen[f"ece417_few_labels_vae{s}_seed1"].fakes_scale for s in (0, 1, 2, 4)
    ]
    assert scales == [0, 1, 2, 4]
    judged = augmented("filter", 3, "full")
    assert judged.inputs["fakes_judge"] == augmented("none", 3, "full")
    # A GAN has seen the labelled images of its classifier, and no others.
    generated = augmented("cgan", 3, "full")
    gan = parsed(generated.inputs["fakes_from"])
    assert gan.procedure.gan.gan_labelled_per_class == 20
    assert gan.run.seed == parsed(generated).run.seed == 3
    # The oracle measures, and chooses nothing.
    oracle = runs.classifier("full").name
    assert all(oracle not in [i.name for i in run.inputs.values()] for run in planned)


def _of_class_0():
    """A classifier that is sure of class 0, whatever it sees."""
    image = keras.Input((28, 28, 1))
    flat = keras.layers.Flatten(name="flat")(image)
    network = keras.Model(image, keras.layers.Dense(10)(flat))
    network.layers[-1].set_weights([np.zeros((784, 10)), 20 * np.eye(10)[0]])
    return Classifier.of(network)


def _untrained_gan():
    """A conditional one of 10 classes."""
    parts = [
        models.build("dense", (28, 28, 1), seed=0, latent=size, hidden=(8,))
        for size in (16 + 10, 10)
    ]
    return Gan(parts[0].decoder, parts[1].encoder)


@pytest.fixture
def ledger(tmp_path, finish, written, check_text, monkeypatch):
    """Makes the ledger of accuracies: method -> that of seed 0."""

    def make(accuracies):
        # In place of that of a judge that has learnt nothing.
        scale = scales.SCALES["smoke"]._replace(least=0.5)
        monkeypatch.setitem(scales.SCALES, "smoke", scale)
        augmented.cache_clear()
        for run in ARTEFACT.all_runs("smoke"):
            method = run.label.removeprefix("ece417_few_labels_").partition("_")[0]
            seed = int(run.label[-1]) if method in accuracies else 0
            accuracy = accuracies.get(method, 0.9) + 0.001 * seed
            folder = finish(run, {"accuracy": accuracy})
            if method == "none" or run == runs.classifier("smoke"):
                _of_class_0().save(folder)
            elif run.label.startswith("ece417_cgan"):
                _untrained_gan().save(folder)
            elif method not in accuracies:
                models.build(
                    "dense",
                    (28, 28, 1),
                    seed=0,
                    latent=16,
                    hidden=(8,),
                    variational=True,
                ).save(folder)
        work = Workspace(ARTEFACT, "smoke", tmp_path, tmp_path / "made")
        rows, claims, pictures = written(work)
        check_text(work)
        assert len(pictures) == 2
        return rows, claims

    yield make
    augmented.cache_clear()


def test_ledger_of_known_accuracies_and_an_oracle_of_one_class(ledger):
    accuracies = {"none": 0.8, "shift": 0.9, "vae0": 0.75, "vae1": 0.82}
    accuracies |= {"vae2": 0.81, "vae4": 0.6, "cgan": 0.8}
    accuracies |= {"filter": 0.85, "fewer": 0.82}
    rows, claims = ledger(accuracies)
    # Equally many labels of ten classes, of which the oracle knows one.
    for method in ("shift", "vae0", "vae4", "cgan"):
        assert rows[f"{method}_flips"].measured == pytest.approx(90)
    # Moved images have their labels, and the test set of the digits about as many of
    # each: what the oracle says of the others is its own error.
    labels = data.load("digits", "test").labels
    own = 100 * np.mean(labels != 0)
    assert rows["oracle"].measured == pytest.approx(own)
    assert rows["oracle_moved"].measured == pytest.approx(own)
    assert rows["shift_excess"].measured == pytest.approx(90 - own)
    # The judge keeps what the oracle would.
    assert rows["filter_flips"].measured == 0
    assert rows["kept"].measured == pytest.approx(10)
    assert rows["shift_gain"].measured == pytest.approx(10)
    assert rows["vae4_gain"].measured == pytest.approx(-20)
    assert claims["1_shift"].verdict == claims["1_vae1"].verdict == "holds"
    assert claims["1_vae0"].verdict == claims["1"].verdict == "does not hold"
    assert claims["2"].effect == pytest.approx(0)
    assert claims["2"].verdict == "does not hold"
    assert claims["4"].verdict == "holds"  # an oracle of one class sees no change
    assert claims["3_flips"].effect == pytest.approx(-90)
    assert claims["3_gain"].effect == pytest.approx(3)
    assert claims["3"].verdict == "holds"
