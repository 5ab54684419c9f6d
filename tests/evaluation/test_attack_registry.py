"""Each attack has flags of its own, and no others."""

import subprocess
import sys

import pytest

from tfsemae import evaluation, settings
from tfsemae.evaluation.attack_registry import ATTACKS

FOLDERS = ("--model_dir=v", "--output_dir=o")
#: Attack -> the flags that it needs.
NEEDED = {
    "semantic_shift": ["--attacker_dir=a"],
    "noise": ["--noise_norm=0.5"],
    "pgd": ["--epsilon=0,0.5"],
    "lbfgsb": [],
    "robust_accuracy": [],
}
#: Attack -> flags that no other has.
OWN = NEEDED | {
    "lbfgsb": ["--penalties=5"],
    "robust_accuracy": ["--attacks=pgd7,aa_lite"],
}


def _parse(*words):
    return settings.parse(evaluation.AttackSettings, [*FOLDERS, *words])


def test_each_attack_is_tried_here():
    assert set(NEEDED) == set(ATTACKS)


@pytest.mark.parametrize("name", ATTACKS)
def test_each_takes_its_own_flags(name):
    found = _parse(f"--attack={name}", *OWN[name])
    assert isinstance(found.chosen, ATTACKS[name].settings)
    own = set(settings.serialized(found.chosen).values())
    defaults = set(settings.serialized(type(found.chosen)()).values())
    assert own - defaults == set(OWN[name])


@pytest.mark.parametrize("name", ATTACKS)
def test_missing_flags_are_named(name):
    for flag in NEEDED[name]:
        word = flag.partition("=")[0]
        others = [each for each in NEEDED[name] if each != flag]
        with pytest.raises(ValueError, match=f"--attack={name} needs {word}"):
            _parse(f"--attack={name}", *others)


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("other", ATTACKS)
def test_flags_of_another_attack_are_refused(name, other):
    if name == other:
        pytest.skip("its own")
    words = [f"--attack={name}", *NEEDED[name], *OWN[other]]
    message = f"{OWN[other][0]} belongs to --attack={other}\\. Add that"
    with pytest.raises(ValueError, match=message):
        _parse(*words)


@pytest.mark.parametrize(
    ("epsilon", "message"),
    [
        ("-1", "--noise_norm"),
        ("nan", "--noise_norm=nan is not a finite number"),
        ("inf", "--noise_norm=inf is not a finite number"),
    ],
)
def test_norm_that_is_none_is_refused(epsilon, message):
    with pytest.raises(ValueError, match=message):
        _parse("--attack=noise", f"--noise_norm={epsilon}")


def test_images_are_chosen_in_one_way():
    words = "--attack=robust_accuracy", "--per_class=2", "--examples=3"
    with pytest.raises(ValueError, match="--per_class=2 and --examples=3 both choose"):
        _parse(*words)


def test_unknown_data_set_is_refused_by_the_flags_alone():
    with pytest.raises(ValueError, match=r"Unknown data set.*'nothing'"):
        _parse(*NEEDED["semantic_shift"], "--dataset=nothing")


def test_settings_are_free_of_tensorflow():
    script = (
        "import sys; from tfsemae import evaluation; "
        "evaluation.AttackSettings, evaluation.Settings; "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
