import json
import pathlib
import re

import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tfsemae import run_folder, settings, training

ROOT = pathlib.Path(__file__).parents[1]
FLAGFILES = sorted((ROOT / "flags").glob("*.flags"))

COMMANDS = {
    "train": ["--output_dir=a"],
    "attack": ["--model_dir=a", "--attacker_dir=b", "--output_dir=c"],
    "evaluate": ["--model_dir=a"],
    "export": ["--model_dir=a"],
    "reproduce": [],
}

#: Prints the flags of a command with their help, as the arguments make them.
PRINT = """
import importlib, json, sys
from absl import flags
command = importlib.import_module(sys.argv[1])
flags.FLAGS([sys.argv[1], *sys.argv[2:]])
found = flags.FLAGS.get_key_flags_for_module(command)
print(json.dumps({flag.name: [flag.value, flag.help] for flag in found}))
"""


@pytest.fixture(scope="module")
def parse(run_python):
    def parse(command, *arguments):
        ended = run_python("-c", PRINT, f"tfsemae.{command}", *arguments, cwd=ROOT)
        assert ended.status == 0, ended.messages
        return json.loads(ended.out)

    return parse


def test_flags_are_the_settings_with_their_defaults(parse):
    made = settings.make(training.Settings, {"output_dir": "runs/a"})
    found = parse("train", "--output_dir=runs/a")
    defaults = json.loads(
        json.dumps(settings.flat(made))
    )  # lists for tuples, as printed
    assert {name: value for name, (value, _) in found.items()} == defaults


@pytest.mark.parametrize(("command", "arguments"), COMMANDS.items(), ids=COMMANDS)
def test_every_flag_is_documented(parse, command, arguments):
    found = parse(command, *arguments)
    assert found or command == "reproduce"
    for name, (_, text) in found.items():
        sentence = text.rpartition(">: ")[2]  # behind the values of an enum
        assert len(sentence) > 8, name
        assert sentence[0].isupper(), name
        assert sentence.endswith("."), name


@pytest.mark.parametrize("command", COMMANDS)
def test_short_help_is_quick_and_reads_well(run_python, command):
    script = (
        "import runpy, sys\n"
        f"sys.argv = ['{command}', '--helpshort']\n"
        "try:\n"
        f"    runpy.run_module('tfsemae.{command}', run_name='__main__', "
        "alter_sys=True)\n"
        "finally:\n"
        "    assert 'tensorflow' not in sys.modules\n"
        "    assert 'keras' not in sys.modules\n"
    )
    ended = run_python("-c", script)
    assert (ended.status, ended.messages) == (0, [])
    assert f"tfsemae.{command}" in ended.out or "./reproduce.sh" in ended.out
    assert "\nflags:\n" in ended.out
    assert "--output_dir" in ended.out or "--model_dir" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 88


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.stem)
def test_flagfiles_are_parsed(parse, path):
    command, needed = "train", ["--output_dir=runs/a"]
    if path.stem.endswith("_attack"):
        command = "attack"
        needed += ["--model_dir=runs/b", "--attacker_dir=runs/c"]
    found = parse(command, f"--flagfile={path}", *needed)
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
    ("dataset", "model", "steps"),
    # 50 epochs of 60,000 and 50,000 images.
    [
        ("mnist", "dense_classifier", 30_000),
        ("cifar10", "conv_classifier", 25_000),
    ],
)
def test_flagfiles_of_tabacof_2016_say_what_the_released_code_has(
    dataset, model, steps
):
    flagfile = f"--flagfile=flags/tabacof2016_classifier_{dataset}.flags"
    found = settings.flat(
        settings.parse(training.Settings, [flagfile, "--output_dir=runs/a"])
    )
    expected = {
        "dataset": dataset,
        "model": model,
        "optimizer": "sgd",
        "sgd_momentum": 0.9,
        "sgd_nesterov": True,
        "learning_rate": 0.01,
        "decay_rate": 1.0,
        "batch_size": 100,
        "steps": steps,
    }
    assert {name: found[name] for name in expected} == expected


_MNIST = {
    "dataset": "mnist",
    "binarize": ("train",),
    "model": "dense",
    "hidden": ("512", "512"),
    "latent": 20,
    "learning_rate": 0.001,
    "steps": 30_000,  # 50 epochs of 60,000 images
}


_CONV_ELU = {
    "binarize": None,
    "model": "conv_elu",
    "latent": 100,
    "learning_rate": 0.0002,
}
_SVHN = _CONV_ELU | {
    "dataset": "svhn_cropped",
    "pixel_mean": pytest.approx(115.11177966923525 / 255, rel=1e-12),
    "pixel_deviation": pytest.approx(50.819267906232888 / 255, rel=1e-12),
    "steps": 18_300,  # 25 epochs of 73,257 images, without incomplete batches
}
_STAND_IN = _CONV_ELU | {
    "dataset": "cifar10",
    "pixel_mean": 0.473363,
    "pixel_deviation": 0.2515689,
    "steps": 12_500,  # 25 epochs of 50,000 images
}
_NORMAL = {
    "variational": True,
    "loss": "normal_nll",
    "regularizer": "kl",
    "regularizer_weight": 1.0,
}


def _standardised_error(deviation):
    """As if pixels were divided by their standard deviation."""
    return {
        "variational": False,
        "loss": "mean_squared_error",
        "reconstruction_weight": pytest.approx(1 / deviation**2, rel=1e-9),
    }


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("svhn_vae", _SVHN | _NORMAL),
        ("svhn_ae", _SVHN | _standardised_error(50.819267906232888 / 255)),
        ("cifar10_vae", _STAND_IN | _NORMAL),
        ("cifar10_ae", _STAND_IN | _standardised_error(0.2515689)),
        (
            "mnist_vae",
            _MNIST
            | {
                "variational": True,
                "loss": "summed_binary_crossentropy",
                "regularizer": "kl",
                "regularizer_weight": 1.0,
            },
        ),
        ("mnist_ae", _MNIST | {"variational": False, "loss": "mean_squared_error"}),
    ],
)
def test_flagfiles_of_the_autoencoders_of_tabacof_2016(name, own):
    flagfile = f"--flagfile=flags/tabacof2016_{name}.flags"
    found = settings.flat(
        settings.parse(training.Settings, [flagfile, "--output_dir=runs/a"])
    )
    expected = {
        "optimizer": None,  # Adam
        "adam_epsilon": 1e-8,
        "decay_rate": 1.0,
        "batch_size": 100,
        "global_clipnorm": 5.0,
        "clipvalue": 1.0,
        "threads": 1,
    } | own
    assert {key: found[key] for key in expected} == expected


def _refused(*words):
    """The message of absl for a command line, without a process of its own."""
    with pytest.raises(ValueError, match=r"flag|data set|finite") as caught:
        settings.parse(training.Settings, words)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("flag", "received"),
    [
        ("--steps=0", "--steps=0"),
        ("--steps=-5", "--steps=-5"),
        ("--steps=many", "--steps=many"),
        ("--batch_size=0", "--batch_size=0"),
        ("--learning_rate=-0.001", "--learning_rate=-0.001"),
        ("--learning_rate=nan", "--learning_rate=nan"),
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
        ("--dataset=imagenet", "Unknown data set"),
        ("--stepz=5", "'stepz'"),
        ("--flagfile=nowhere.flags", "nowhere.flags"),
        ("--output_dir", "output_dir"),
    ],
)
def test_value_of_a_flag_that_cannot_be_is_refused(flag, received):
    assert received in _refused("--output_dir=runs/a", flag)


def test_a_missing_flag_is_named():
    assert "--output_dir must have a value" in _refused("--dataset=digits")


#: Runs the command, and tells on stdout which heavy modules it imported.
IMPORTED = """
import atexit, runpy, sys
heavy = {"tensorflow", "keras", "numpy", "sklearn"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules))))
runpy.run_module("tfsemae.train", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--steps=0"], "FATAL Flags parsing error: flag --steps=0"),
        (["--dataset=imagenet"], "Error: Unknown data set: expected one of digits"),
        (["--learning_rate=nan"], "Error: --learning_rate=nan is not a finite number."),
        (["--output_dir="], "Error: --output_dir= is empty."),
        ([], "Error: --output_dir={} is not empty and holds no run"),
    ],
)
def test_what_flags_alone_decide_needs_no_tensorflow(
    run_python, tmp_path, flags, message
):
    (tmp_path / "thesis.tex").write_text("years of work")
    ended = run_python("-c", IMPORTED, f"--output_dir={tmp_path}", *flags)
    assert (ended.status, ended.out) == (1, "[]\n")
    # absl adds where to find help.
    first, *others = ended.messages
    assert first.startswith(message.format(tmp_path))
    assert len(others) <= 1
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_other_flags_than_those_of_the_run_need_no_tensorflow(
    run_python, digits_run, digits_flags
):
    flags = [*digits_flags, f"--output_dir={digits_run}", "--seed=4"]
    ended = run_python("-c", IMPORTED, *flags)
    assert (ended.status, ended.out) == (1, "[]\n")
    (message,) = ended.messages
    assert "with other flags: --seed=3 then, --seed=4 now." in message


# --- a run on the digits


def test_it_prints_what_was_measured(digits_run, run_command, digits_flags):
    # The run has ended; a second start only reads, and says so.
    ended = run_command("train", *digits_flags, f"--output_dir={digits_run}")
    said = f"{digits_run} holds a finished run, which is read."
    assert (ended.status, ended.messages) == (0, [said])
    found = json.loads((digits_run / "metrics.json").read_text("utf-8"))
    # Printed to six significant digits.
    assert json.loads(ended.out) == pytest.approx(found, rel=1e-5)


def test_stderr_holds_only_our_own_lines(digits_ended):
    # The progress of training, and what is done behind it.
    pattern = re.compile(
        r"step \d+/11  (\w+ \d+\.\d{4}  )+.*|image \d+/\d+( .*)?|"
        r"(Saving|Reconstructing|Encoding|Measuring|Done:)[\w ,:-]*\."
    )
    assert not [each for each in digits_ended.messages if not pattern.fullmatch(each)]
    steps = [each.split()[1] for each in digits_ended.messages if each[:5] == "step "]
    assert steps == ["4/11", "8/11", "11/11"]
    words = [each.split()[0] for each in digits_ended.messages]
    behind = [word for word in words if word not in ("step", "image")]
    # What is measured side by side ends in no order.
    begun = ["Saving", "Reconstructing", "Encoding", "Measuring"]
    assert behind == [*begun, *5 * ["Done:"]]


def test_metrics_are_of_the_test_digits(digits_run):
    found = json.loads((digits_run / "metrics.json").read_text("utf-8"))
    assert list(found) == [
        "examples",
        "psnr",
        "ssim",
        "label_accuracy",
        "knn_accuracy",
        "linear_probe_accuracy",
        "kmeans_nmi",
        "map_silhouette",
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


def test_effective_flags_are_all_that_have_a_value(digits_run, digits_flags):
    lines = (digits_run / "flags.txt").read_text("utf-8").splitlines()
    given = [*digits_flags, f"--output_dir={digits_run}"]
    made = settings.parse(training.Settings, given)
    of_others = {  # of other networks, --optimizer, --regularizer and procedures
        *("hidden", "pixel_mean", "pixel_deviation", "sgd_momentum", "sgd_nesterov"),
        *("latent", "variational", "regularizer_weight", "mmd_kernel", "mmd_biased"),
        *("swt_project", "swt_moments", "total_correlation_weight"),
        *(f"latent_adversarial_{name}" for name in ("steps", "epsilon", "pgd_steps")),
        "latent_adversarial_noise",
        *("attention", "draw_steps", "draw_units", "draw_latent", "draw_window"),
        *("adversarial_epsilon", "adversarial_steps", "kl_weight", "words"),
        *("mi", "mi_weight", "struct", "struct_weight", "gan_discriminator_steps"),
        *("nuisance", "nuisance_bias", "reversal_factor", "reversal_ramp_steps"),
        *("fakes_per_image", "fakes_scale", "fakes_least"),
    }
    with_value = {
        name for name, value in settings.flat(made).items() if value is not None
    } - of_others
    # `resume` is of one start.
    assert set(run_folder.read_flags(digits_run)) == with_value - {"resume"}
    assert set(given) <= set(lines)


def test_effective_flags_mean_the_same_when_read_again(digits_run, digits_flags):
    again = [f"--flagfile={digits_run / 'flags.txt'}"]
    given = [*digits_flags, f"--output_dir={digits_run}"]
    assert settings.parse(training.Settings, again) == settings.parse(
        training.Settings, given
    )


def test_classes_are_a_list_of_names(parse, tmp_path):
    flag = "--classes=airplane,automobile"
    found = parse("train", flag, "--output_dir=runs/a")
    assert found["classes"][0] == ["airplane", "automobile"]
