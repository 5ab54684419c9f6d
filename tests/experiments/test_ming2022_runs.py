"""What is run is what the paper prints and what the flags' defaults say."""

from tfsemae import settings, training
from tfsemae.experiments import artefacts
from tfsemae.experiments.ming2022 import runs


def _runs(artefact, parsed):
    return [parsed(run) for run in artefacts()[artefact].all_runs("full")]


def _flags(chosen):
    return settings.flat(chosen) | {"output_dir": None}


def test_defaults_are_as_printed_and_as_chosen():
    defaults = settings.parse(training.Settings, ["--output_dir=x"])
    assert defaults.procedure.loss == runs.LOSS
    assert defaults.network.table1.initializer == runs.INITIALIZER
    assert defaults.procedure.semantic_weight == runs.WEIGHT
    # Ming 2022, section III.
    optimizer = defaults.optimizer
    assert (optimizer.batch_size, optimizer.learning_rate) == (32, 0.001)
    assert (optimizer.decay_rate, optimizer.decay_steps) == (0.96, 100)
    assert optimizer.steps == 10_000


def test_table_2_is_fifteen_runs_of_the_defaults(parsed):
    defaults = _flags(settings.parse(training.Settings, ["--output_dir=x"]))
    # One thread: equal bits on any number of cores.
    networks = [
        {"semantic": False},
        {"semantic": True},
        # A sum over 28 x 28 pixels with weight 1 is 784 times this.
        {"semantic": True, "semantic_weight": 1 / 784},
    ]
    expected = [
        defaults | network | {"seed": seed, "threads": 1}
        for network in networks
        for seed in range(5)
    ]
    assert [_flags(chosen) for chosen in _runs("ming2022_mnist", parsed)] == expected


def test_plateau_compares_each_loss_with_each_initialiser(parsed):
    found = _runs("ming2022_plateau", parsed)
    # 2 losses, 4 initialisers, 2 networks, 5 seeds, 1,500 steps, at the default weight.
    compared = {
        (
            run.procedure.loss,
            run.network.table1.initializer,
            run.procedure.semantic,
            run.run.seed,
        )
        for run in found
    }
    assert len(compared) == len(found) == 2 * 4 * 2 * 5
    assert {run.optimizer.steps for run in found} == {1500}
    weights = {run.procedure.semantic_weight for run in found if run.procedure.semantic}
    assert weights == {runs.WEIGHT}
    # Classes cost a third of a training, and both losses are judged at one initialiser.
    for run in found:
        used = run.network.table1.initializer == runs.INITIALIZER
        assert run.procedure.measure_classes is (None if used else False)


def test_frontier_pairs_each_weight_with_the_vanilla_network(parsed):
    found = _runs("ming2022_weight", parsed)
    assert {run.run.seed for run in found} == set(range(5))
    for seed in range(5):
        mine = [run.procedure for run in found if run.run.seed == seed]
        weights = [each.semantic_weight for each in mine if each.semantic]
        # More seeds where three leave claim 1 undecided.
        assert weights == (list(runs.WEIGHTS["full"]) if seed < 3 else [runs.WEIGHT])
        assert sum(not each.semantic for each in mine) == 1
    assert len({run.optimizer.steps for run in found}) == 1
