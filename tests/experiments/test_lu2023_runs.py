"""The plan: as many networks as fit, each attacked on both grids."""

import collections

import pytest

from tfsemae.experiments import artefacts
from tfsemae.experiments.lu2023 import printed, runs


def _all(name, scale="full"):
    return artefacts()[f"lu2023_{name}"].all_runs(scale)


@pytest.mark.parametrize(
    ("artefact", "trainings", "attacks"),
    [
        # 3 VAEs x 3 data sets x 3 seeds, and 7 other forms of SWT; two attacks each of
        # the first, one of the others, 3 by large radii and 3 by queries.
        ("table1", 27 + 7, 2 * 27 + 7 + 3 + 3),
        # 5 networks x 3 data sets x 3 seeds, and 8 of larger latents.
        ("table2", 45 + 8, 45 + 8),
        # 5 weights x 3 seeds, in the latent space and at the input; a classifier.
        ("table3", 15 + 1, 30),
        # KLD-VAEs of 3 seeds, and trained on in 3 ways; 2 radii, 2 other VAEs before
        # and after.
        ("adversarial_training", 3 + 9 + 2 + 4, 3 + 9 + 2 + 4),
    ],
)
def test_numbers_of_runs(artefact, trainings, attacks):
    found = collections.Counter(run.command for run in _all(artefact))
    assert found == {"train": trainings, "attack": attacks}


def test_tables_share_their_networks(parsed):
    names = [run.name for table in ("table1", "table2") for run in _all(table)]
    assert len(names) - len(set(names)) == 2 * 27  # the VAEs, towards black
    steps = collections.Counter()
    for run in {
        run.name: run for t in ("table1", "table2") for run in _all(t)
    }.values():
        if run.command == "train":
            chosen = parsed(run)
            steps[chosen.data.dataset, chosen.optimizer.steps] += 1
    # 5 networks x 3 seeds each; other forms of SWT and larger latents on MNIST.
    assert steps == {
        ("mnist", 9_380): 15 + 7 + 8,
        ("fashion_mnist", 9_380): 15,
        ("cifar10_64", 2_340): 15,
    }


def test_each_attack_is_on_both_grids_of_the_paper_and_ours(parsed):
    for run in _all("table2"):
        if run.command == "attack":
            chosen = parsed(run)
            assert [float(each) for each in chosen.pgd.epsilon] == [
                0.5 * number for number in range(7)
            ]
            shares = [float(each) for each in chosen.pgd.relative_epsilon]
            assert shares == [0.2, 0.4, 0.6, 0.8, 1]
            assert chosen.pgd.lpips_nets is None  # both are in the table
            assert (chosen.pgd.steps, chosen.pgd.target) == (10, "black")
            assert chosen.pgd.strong
            on_objects = "cifar10_64" in run.label
            assert chosen.run.examples == (300 if on_objects else 500)


def test_nothing_is_measured_that_no_row_has(parsed):
    for run in (*_all("table1"), *_all("table3"), *_all("adversarial_training")):
        chosen = parsed(run)
        if run.command == "train":
            classifies = run.label.startswith("mnist_classifier")
            assert chosen.procedure.measure_classes is (None if classifies else False)
            continue
        in_rows = chosen.pgd.target == "black" and chosen.pgd.space == "latent"
        in_rows = in_rows and not run.label.endswith("_far")
        assert chosen.pgd.lpips_nets == (None if in_rows else ("squeeze",))


def test_twins_differ_in_the_head_alone(parsed):
    for vae, dae in runs.PAIRS.items():
        first, second = (
            parsed(runs.training(model, "mnist", 0, "full")) for model in (vae, dae)
        )
        assert first.network.conv.variational
        assert not second.network.conv.variational
        assert first.procedure == second.procedure
        assert first.optimizer == second.optimizer


def test_fine_tuning_begins_with_the_trained_networks(parsed):
    base = runs.training(runs.KLD, "mnist", 1, "full")
    for how, noise, steps in (
        (runs.ADVERSARIAL, False, 1),
        (runs.NOISE, True, 1),
        (runs.CONTINUED, False, 0),
    ):
        run = runs.trained_on(base, how, 1, "full")
        assert run.inputs == {"encoder_from": base, "decoder_from": base}
        chosen = parsed(run)
        assert chosen.procedure.train_decoder
        assert (chosen.optimizer.steps, chosen.run.seed) == (1_876, 1)
        adversarial = chosen.procedure.latent_adversarial
        assert adversarial.latent_adversarial_noise == noise
        assert adversarial.latent_adversarial_steps == steps
        assert adversarial.latent_adversarial_epsilon == runs.RADIUS


def test_weights_are_those_of_table_3(parsed):
    weights = [model.beta for model in runs.betas("full")]
    assert weights == list(printed.TABLE_3)
    chosen = parsed(runs.training(runs.betas("full")[-1], "mnist", 0, "full"))
    regularizer = chosen.procedure.regularizer
    assert regularizer.regularizer == "total_correlation"
    assert regularizer.total_correlation.total_correlation_weight == 50


def test_printed_tables_have_all_networks():
    for table, models in (
        (printed.TABLE_1, runs.VAES),
        (printed.TABLE_2, (*runs.PAIRS, *runs.PAIRS.values())),
    ):
        assert list(table) == ["mnist", "fashion_mnist", "celeb_a"]
        for row in table.values():
            assert {model.id for model in models} == set(row)
