"""A run's name tells its effective flags; its folder is where others find it."""

import pathlib
import re
import shutil

import pytest

from tfsemae import evaluation, settings, training
from tfsemae.experiments.runs import Run, with_inputs

TRAIN = ("--dataset=digits", "--steps=5")


def _attack(victim, attacker, *flags):
    return Run(
        "attacked", flags, "attack", {"model_dir": victim, "attacker_dir": attacker}
    )


def test_name_is_the_label_and_a_hash():
    name = Run("digits_vanilla", TRAIN).name
    assert re.fullmatch("digits_vanilla-[0-9a-f]{8}", name)
    assert Run("digits_vanilla", TRAIN).name == name


@pytest.mark.parametrize(
    "flags", [(*TRAIN, "--seed=1"), ("--dataset=digits", "--steps=6"), TRAIN[1:]]
)
def test_other_flags_make_another_run(flags):
    assert Run("a", flags).name != Run("a", TRAIN).name


@pytest.mark.parametrize(
    "flags",
    [
        (*TRAIN, "--seed=0"),  # the default
        tuple(reversed(TRAIN)),
        (*TRAIN, "--data_dir=elsewhere", "--resume"),
    ],
)
def test_flags_of_the_same_effect_make_the_same_run(flags):
    assert Run("a", flags).name == Run("a", TRAIN).name


def test_a_changed_flagfile_makes_another_run(tmp_path):
    flagfile = tmp_path / "copy.flags"
    shutil.copy("flags/ming2022_mnist_vanilla.flags", flagfile)

    def name():
        return Run("a", (f"--flagfile={flagfile}",)).name

    original = name()
    text = flagfile.read_text()
    flagfile.write_text(f"# A comment.\n{text}")
    assert name() == original
    assert "--learning_rate=0.001\n" in text
    flagfile.write_text(
        text.replace("--learning_rate=0.001\n", "--learning_rate=0.002\n")
    )
    assert name() != original


def test_a_changed_input_makes_another_run():
    victim, attacker = Run("victim", TRAIN), Run("attacker", TRAIN)
    again = Run("victim", (*TRAIN, "--seed=1"))
    assert _attack(victim, attacker).name != _attack(again, attacker).name
    assert _attack(victim, attacker).name != _attack(attacker, victim).name


def test_the_command_is_part_of_the_name():
    assert (
        Run("a", ("--model_dir=m", "--attacker_dir=a"), "attack").name
        != Run("a", TRAIN).name
    )


def test_unknown_flags_are_refused():
    with pytest.raises(ValueError, match="colour"):
        _ = Run("a", ("--colour=red",)).name


def test_words_are_the_command_line(tmp_path):
    victim, attacker = Run("victim", TRAIN), Run("attacker", TRAIN)
    run = _attack(victim, attacker, "--examples=5")
    module, *words = run.words(tmp_path, {"data_dir": "/data"})
    assert module == "tfsemae.attack"
    assert words == [
        "--examples=5",
        f"--output_dir={tmp_path / run.name}",
        f"--model_dir={tmp_path / victim.name}",
        f"--attacker_dir={tmp_path / attacker.name}",
        "--data_dir=/data",
    ]


def test_a_place_goes_to_the_commands_that_know_it(tmp_path):
    places = {"data_dir": "/data", "no_such_dir": "/nothing"}
    _, *words = Run("a", TRAIN).words(tmp_path, places)
    assert "--data_dir=/data" in words
    assert not any("nothing" in word for word in words)


def test_a_place_goes_to_the_runs_on_which_it_has_an_effect(tmp_path):
    # An attack by noise measures no LPIPS, and refuses the folder of its weights.
    places = {"weights_dir": "/weights", "data_dir": "/data"}
    victim = Run("victim", TRAIN)
    for flags, expected in (
        (("--attack=noise", "--noise_norm=1"), False),
        (("--attack=pgd", "--space=latent", "--epsilon=1"), True),
    ):
        run = Run("attacked", flags, "attack", {"model_dir": victim})
        _, *words = run.words(tmp_path, places)
        assert ("--weights_dir=/weights" in words) == expected
        assert "--data_dir=/data" in words
        settings.parse(run.group, words)  # raises where one has no effect


def test_group_is_that_of_the_command():
    assert Run("a", ()).group is training.Settings
    assert Run("a", (), "attack").group is evaluation.AttackSettings


def test_inputs_come_first_and_each_once():
    victim = Run("victim", TRAIN)
    attackers = [Run(n, TRAIN, inputs={"decoder_from": victim}) for n in "ab"]
    attacks = [_attack(victim, attacker) for attacker in attackers]
    found = with_inputs([*attacks, victim])
    assert [run.label for run in found] == ["victim", "a", "attacked", "b", "attacked"]
    assert len({run.name for run in found}) == 5


def test_perform_does_the_command_in_the_folder(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(training, "train", done.append)
    run = Run("a", TRAIN)
    run.perform(tmp_path, {"data_dir": "/data"})
    (settings,) = done
    assert settings.optimizer.steps == 5
    assert pathlib.Path(settings.run.output_dir) == tmp_path / run.name
    assert settings.data.data_dir == "/data"
