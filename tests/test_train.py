import json
import pathlib
import re

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

ROOT = pathlib.Path(__file__).parents[1]
FLAGFILES = sorted((ROOT / "flags").glob("*.flags"))

#: Of the issue that the trainer was written for, with what the choice of the loss
#: needs behind them.
FLAGS = {
    "dataset": "mnist",
    "classes": None,
    "semantic": False,
    "semantic_weight": None,  # decided by results/ming2022_weight
    "model": "table1",
    "steps": 10_000,
    "batch_size": 32,
    "learning_rate": 0.001,
    "decay_rate": 0.96,
    "decay_steps": 100,
    "seed": 0,
    "output_dir": None,
    "data_dir": None,
    "manual_dir": None,
    "resume": True,
    "jit_compile": False,
    "steps_per_execution": None,  # see loop.Settings
    "strategy": "default",
    "threads": 0,
    "checkpoint_every": 100,
    "validation": 0,
    "shuffle_labels": False,
    "decoder_from": None,
    "train_decoder": None,
    "encoder_from": None,
    "loss": None,  # decided by results/ming2022_plateau
    "initializer": None,
}

#: Prints the flags of a door with their help, as the arguments make them.
PRINT = """
import importlib, json, sys
from absl import flags
door = importlib.import_module(sys.argv[1])
flags.FLAGS([sys.argv[1], *sys.argv[2:]])
found = flags.FLAGS.get_key_flags_for_module(door)
print(json.dumps({flag.name: [flag.value, flag.help] for flag in found}))
"""


@pytest.fixture
def parse(run_python):
    def parse(door, *arguments):
        ended = run_python("-c", PRINT, f"tfsemae.{door}", *arguments, cwd=ROOT)
        assert ended.status == 0, ended.messages
        return json.loads(ended.out)

    return parse


def test_flags_and_their_defaults(parse):
    found = parse("train", "--output_dir=runs/a")
    assert set(found) == set(FLAGS)
    for name, value in FLAGS.items():
        if value is not None:
            assert found[name][0] == value


def test_flags_are_the_settings_of_a_run(parse):
    from tfsemae.training import loop

    fields = {field.name for field in loop.dataclasses.fields(loop.Settings)}
    assert fields == set(parse("train", "--output_dir=runs/a"))


@pytest.mark.parametrize(
    ("door", "arguments"),
    [
        ("train", ["--output_dir=a"]),
        ("attack", ["--model_dir=a", "--attacker_dir=b", "--output_dir=c"]),
        ("evaluate", ["--model_dir=a"]),
        ("export", ["--model_dir=a"]),
        ("reproduce", []),
    ],
)
def test_every_flag_is_documented(parse, door, arguments):
    for name, (_, text) in parse(door, *arguments).items():
        sentence = text.rpartition(">: ")[2]  # behind the values of an enum
        assert len(sentence) > 8, name
        assert sentence[0].isupper(), name
        assert sentence.endswith("."), name


@pytest.mark.parametrize("door", ["train", "attack", "evaluate", "export", "reproduce"])
def test_short_help_is_quick_and_reads_well(run_python, door):
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['{door}', '--helpshort']\n"
        "try:\n"
        f"    runpy.run_module('tfsemae.{door}', run_name='__main__', alter_sys=True)\n"
        "finally:\n"
        "    assert 'tensorflow' not in sys.modules\n"
        "    assert 'keras' not in sys.modules\n"
    )
    ended = run_python("-c", script)
    assert "AssertionError" not in " ".join(ended.messages)
    assert f"tfsemae.{door}" in ended.out or "./reproduce.sh" in ended.out
    assert "\nflags:\n" in ended.out
    assert "--output_dir" in ended.out or "--model_dir" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 88


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.stem)
def test_flagfiles_are_parsed(parse, path):
    door, needed = "train", ["--output_dir=runs/a"]
    if path.stem.endswith("_attack"):
        door = "attack"
        needed += ["--model_dir=runs/b", "--attacker_dir=runs/c"]
    found = parse(door, f"--flagfile={path}", *needed)
    value = {name: value for name, (value, _) in found.items()}
    assert value["output_dir"] == "runs/a"
    named = re.findall(r"^--(?:no)?(\w+)", path.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= set(value)
    assert not set(named) & {word.strip("-").partition("=")[0] for word in needed}


_CIFAR10 = {"dataset": "cifar10", "classes": ["airplane", "automobile"]}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("ming2022_mnist_vanilla", {}),
        ("ming2022_mnist_semantic", {"semantic": True}),
        ("ming2022_cifar10_vanilla", _CIFAR10),
        (
            "ming2022_cifar10_attacker",
            _CIFAR10 | {"semantic": True, "shuffle_labels": True},
        ),
    ],
)
def test_flagfiles_of_ming_2022_say_what_is_printed(parse, name, own):
    found = parse("train", f"--flagfile=flags/{name}.flags", "--output_dir=runs/a")
    printed = {
        "dataset": "mnist",
        "classes": None,
        "batch_size": 32,
        "learning_rate": 0.001,
        "decay_rate": 0.96,
        "decay_steps": 100,
        "steps": 10_000,
        "semantic": False,
        "shuffle_labels": False,
    } | own
    assert {key: found[key][0] for key in printed} == printed


@pytest.mark.parametrize(
    ("flag", "received"),
    [
        ("--steps=0", "--steps=0"),
        ("--steps=-5", "--steps=-5"),
        ("--steps=many", "--steps=many"),
        ("--batch_size=0", "--batch_size=0"),
        ("--learning_rate=-0.001", "--learning_rate=-0.001"),
        ("--decay_rate=1.5", "--decay_rate=1.5"),
        ("--decay_steps=0", "--decay_steps=0"),
        ("--semantic_weight=-1", "--semantic_weight=-1"),
        ("--checkpoint_every=0", "--checkpoint_every=0"),
        ("--steps_per_execution=0", "--steps_per_execution=0"),
        ("--validation=-1", "--validation=-1"),
        ("--threads=-1", "--threads=-1"),
        ("--seed=-1", "--seed=-1"),
        ("--seed=4294967296", "--seed=4294967296"),  # t-SNE takes 32 bits
        ("--loss=huber", "--loss=huber"),
        ("--initializer=zeros", "--initializer=zeros"),
        ("--model=table2", "--model=table2"),
        ("--strategy=tpu", "--strategy=tpu"),
        ("--semantic=perhaps", "--semantic=perhaps"),
        ("--stepz=5", "'stepz'"),
        ("--flagfile=nowhere.flags", "nowhere.flags"),
        ("--output_dir", "output_dir"),
    ],
)
def test_value_of_a_flag_that_can_not_be_is_refused_at_once(
    run_command, tmp_path, flag, received
):
    output = [] if flag == "--output_dir" else [f"--output_dir={tmp_path / 'run'}"]
    ended = run_command("train", *output, flag)
    assert ended.status == 1
    text = " ".join(ended.messages)
    assert received in text
    assert "Traceback" not in text
    # absl's title, the message, perhaps a proposal, and where to find help.
    assert len(ended.messages) <= 4
    assert not list(tmp_path.iterdir())


def test_output_dir_is_required(run_command):
    ended = run_command("train", "--dataset=digits")
    assert ended.status == 1
    assert "--output_dir must have a value" in " ".join(ended.messages)


# --- a run on the digits


def test_it_prints_what_was_measured(digits_run, run_command, digits_flags):
    # The run has ended; a second start only reads.
    ended = run_command("train", *digits_flags, f"--output_dir={digits_run}")
    assert (ended.status, ended.messages) == (0, [])
    assert json.loads(ended.out) == json.loads(
        (digits_run / "metrics.json").read_text("utf-8")
    )


def test_metrics_are_of_the_test_digits(digits_run):
    found = json.loads((digits_run / "metrics.json").read_text("utf-8"))
    assert list(found) == [
        "examples",
        "psnr",
        "ssim",
        "psnr_first_100",
        "ssim_first_100",
        "label_accuracy",
        "knn_accuracy",
        "linear_probe_accuracy",
        "silhouette",
        "scatter_ratio",
    ]
    assert found["examples"] == 360


def test_tensorboard_has_losses_rate_and_reconstructions(digits_run):
    found = event_accumulator.EventAccumulator(str(digits_run / "tensorboard"))
    found.Reload()
    losses = ("loss", "logits_loss", "reconstruction_loss")
    assert set(found.Tags()["tensors"]) == {
        *losses,
        *(f"val_{name}" for name in losses),
        *("learning_rate", "seconds", "reconstructions"),
    }
    events = found.Tensors("learning_rate")
    rates = [float(tf.make_ndarray(event.tensor_proto)) for event in events]
    # 0.001 * 0.5**(step // 3) at steps 4, 8 and 11.
    assert rates == pytest.approx([5e-4, 2.5e-4, 1.25e-4])


def test_effective_flags_are_all_flags(digits_run, digits_flags):
    lines = (digits_run / "flags.txt").read_text("utf-8").splitlines()
    names = {line.removeprefix("--").partition("=")[0] for line in lines}
    # Those without a value, and `resume`, which is of one start.
    without = {"data_dir", "manual_dir", "classes", "resume"}
    without |= {"decoder_from", "train_decoder", "encoder_from"}
    assert names == set(FLAGS) - without
    given = {f"{flag}=True" if "=" not in flag else flag for flag in digits_flags}
    assert given <= set(lines)
    assert f"--output_dir={digits_run}" in lines


def test_effective_flags_mean_the_same_when_read_again(parse, digits_run, digits_flags):
    again = parse("train", f"--flagfile={digits_run / 'flags.txt'}")
    # 11 steps in intervals of 4: no ten at a time.
    given = [*digits_flags, f"--output_dir={digits_run}", "--steps_per_execution=1"]
    assert again == parse("train", *given)


def test_classes_are_a_list_of_names(parse, tmp_path):
    flag = "--classes=airplane,automobile"
    found = parse("train", flag, "--output_dir=runs/a")
    assert found["classes"][0] == ["airplane", "automobile"]
