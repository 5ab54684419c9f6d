import dataclasses
import json
import re

import pytest

from tfsemae import settings, training

#: Name -> default, of the issue that the trainer was written for and of the results
#: that decided what it leaves open (ming2022_plateau, ming2022_weight).
DEFAULTS = {
    "dataset": "mnist",
    "classes": None,
    "validation": 0,
    "binarize": None,
    "data_dir": None,
    "manual_dir": None,
    "model": "table1",
    "initializer": "wide_normal",
    "latent": 10,
    "variational": False,
    "pixel_mean": 115.11177966923525 / 255,
    "pixel_deviation": 50.819267906232888 / 255,
    "hidden": ("256", "64"),
    "activation": None,
    "attention": False,
    "draw_steps": 8,
    "draw_units": 256,
    "draw_latent": 32,
    "draw_window": 12,
    "output_activation": None,
    "semantic": False,
    "semantic_weight": 0.016,
    "shuffle_labels": False,
    "decoder_from": None,
    "train_decoder": False,
    "encoder_from": None,
    "loss": "binary_crossentropy",
    "reconstruction_weight": None,
    "measure_classes": None,
    "regularizer": None,
    "regularizer_weight": 1.0,
    "mmd_kernel": "rbf",
    "mmd_scale": None,
    "mmd_biased": False,
    "swt_project": False,
    "swt_moments": False,
    "total_correlation_weight": 1.0,
    "latent_adversarial_steps": 0,
    "latent_adversarial_epsilon": 1.0,
    "latent_adversarial_objective": None,
    "latent_adversarial_pgd_steps": 10,
    "latent_adversarial_noise": False,
    "procedure": None,
    "augment": None,
    "adversarial_epsilon": 8 / 255,
    "adversarial_step_size": None,
    "adversarial_steps": 10,
    "kl_weight": 6.0,
    "words_file": None,
    "words": "glove",
    "word1": None,
    "mi": "ba",
    "mi_temperature": None,
    "mi_weight": 1.0,
    "struct": "rkd",
    "struct_weight": 1.0,
    "ramp_up_steps": None,
    "nuisance": "colour",
    "nuisance_bias": 0.0,
    "reversal_factor": 1.0,
    "reversal_ramp_steps": 0,
    "adversary_updates": None,
    "labelled_per_class": None,
    "fakes": None,
    "fakes_per_image": 10,
    "fakes_from": None,
    "fakes_scale": 1.0,
    "fakes_judge": None,
    "fakes_least": 0.5,
    "gan_loss": None,
    "gan_discriminator_steps": 0,
    "gan_labelled_per_class": None,
    "steps": 10_000,
    "batch_size": 32,
    "learning_rate": 0.001,
    "decay_rate": 0.96,
    "decay_steps": 100,
    "decay_at": None,
    "cosine_steps": None,
    "weight_decay": None,
    "optimizer": None,
    "sgd_momentum": 0.9,
    "sgd_nesterov": True,
    "adam_beta_1": None,
    "adam_epsilon": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "seed": 0,
    "checkpoint_every": 100,
    "steps_per_execution": None,
    "jit_compile": False,
    "threads": 0,
    "weights_dir": None,
    "strategy": "default",
    "resume": True,
}
#: On which the bits of a result do not depend, or which say how far it goes.
NO_IDENTITY = {
    "output_dir",
    "data_dir",
    "manual_dir",
    "weights_dir",
    "words_file",
    "steps",
    "steps_per_execution",
    "resume",
}


def _make(**given):
    return settings.make(training.Settings, {"output_dir": "unused"} | given)


def test_defaults():
    assert settings.flat(_make()) == DEFAULTS | {"output_dir": "unused"}


def test_identity_is_all_but_folders_and_how_far_it_goes():
    names = settings.identity_names(training.Settings)
    assert names == {*DEFAULTS, "output_dir"} - NO_IDENTITY


@pytest.mark.parametrize(
    ("changes", "together"),
    [
        ({}, 10),
        ({"steps": 35}, 1),
        ({"checkpoint_every": 15}, 1),
        ({"strategy": "mirrored"}, 1),
        ({"steps_per_execution": 5}, 5),
    ],
)
def test_by_default_ten_steps_in_one_go_where_they_fit(changes, together):
    made = _make(**({"steps": 30, "checkpoint_every": 20} | changes))
    assert made.steps_per_execution == together


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"steps": 5, "steps_per_execution": 2},
            "--steps=5 is not a multiple of --steps_per_execution=2. Change one",
        ),
        (
            {"steps": 5, "steps_per_execution": 5, "checkpoint_every": 2},
            "--checkpoint_every=2 is not a multiple of --steps_per_execution=5",
        ),
        ({"learning_rate": float("nan")}, "--learning_rate=nan is not a finite"),
        ({"decay_rate": float("nan")}, "--decay_rate=nan is not a finite"),
        ({"semantic_weight": float("inf")}, "--semantic_weight=inf is not a finite"),
        ({"steps": 0}, "--steps=0 is below its lower bound, 1"),
        ({"decay_rate": 1.5}, "--decay_rate=1.5 is above its upper bound, 1"),
        ({"loss": "huber"}, "--loss=huber is none of its choices, binary_crossentropy"),
        ({"semantic": False, "shuffle_labels": True}, "Add --semantic or leave"),
        (
            {"strategy": "mirrored", "steps_per_execution": 5, "checkpoint_every": 5},
            "mirrored runs one step per execution",
        ),
        (
            {"strategy": "mirrored", "clipvalue": 1.0},
            "limit the gradient of a batch, which --strategy=mirrored splits",
        ),
        ({"global_clipnorm": 0.0}, "--global_clipnorm=0.0 would stop the training."),
        ({"clipvalue": -1.0}, "--clipvalue=-1.0 is below its lower bound, 0"),
        (
            {"binarize": ["train", "all"]},
            "--binarize=train,all must name train, test or both, such as",
        ),
        ({"train_decoder": True}, "--train_decoder goes with --decoder_from"),
        (
            {"latent": 3},
            "--latent=3 belongs to --model=conv or --model=conv_elu or "
            "--model=conv_elu28 or --model=dense. "
            "Add that, or",
        ),
        (
            {"model": "conv", "latent": 3, "hidden": ["5"]},
            "--hidden=5 belongs to --model=dense. Add that, or",
        ),
        (
            {"model": "dense", "hidden": ["5", "1.5"]},
            "--hidden=5,1.5 must be whole numbers of at least 1",
        ),
        (
            {"model": "dense", "output_activation": "linear"},
            "--loss=binary_crossentropy takes probabilities, which --output_activation",
        ),
        (
            {"model": "conv_elu", "loss": "normal_nll"},
            "Add --model=conv_elu --variational, or choose another loss.",
        ),
        (
            {"model": "conv_elu", "variational": True},
            "which --loss=binary_crossentropy does not train. Add --loss=normal_nll.",
        ),
        (
            {"reconstruction_weight": -1.0},
            "--reconstruction_weight=-1.0 is below its lower bound, 0",
        ),
        ({"swt_project": True}, "--swt_project belongs to --regularizer=shapiro_wilk."),
        (
            {"regularizer_weight": 2.0},
            "--regularizer_weight=2.0 belongs to --regular",
        ),
        (
            {"regularizer": "mmd", "total_correlation_weight": 2.0},
            "--total_correlation_weight=2.0 belongs to --regularizer=total_correlation",
        ),
        *(
            (
                {"model": "conv", "regularizer": name},
                f"--regularizer={name} compares the",
            )
            for name in ("kl", "total_correlation")
        ),
        ({"regularizer": "kl"}, "which only a variational autoencoder has"),
        ({"dataset": "nothing"}, "Unknown data set: expected one of digits"),
        ({"stepz": 5}, "There are no such settings. Received: stepz"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        _make(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", ["conv", "conv_elu", "dense"])
def test_networks_share_a_flag(model):
    words = ["--output_dir=a", f"--model={model}", "--latent=3", "--variational"]
    if model == "conv_elu":
        words += ["--loss=normal_nll"]
    made = settings.parse(training.Settings, words)
    assert made.network.options["latent"] == 3
    assert made.network.options["variational"]
    lines = settings.serialized(made)
    assert lines["latent"] == "--latent=3"
    assert ("hidden" in lines) == (model == "dense")
    assert settings.parse(training.Settings, lines.values()) == made


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        _make().optimizer.steps = 1


# --- what flags alone decide

#: Trains, and tells whether TensorFlow was imported.
TRAIN = """
import json, sys
from tfsemae import settings, training
try:
    training.train(settings.make(training.Settings, json.loads(sys.argv[1])))
except (TypeError, ValueError) as error:
    print(error)
print(sorted({"tensorflow", "keras", "numpy", "sklearn"} & set(sys.modules)))
"""


@pytest.fixture
def train_elsewhere(run_python):
    def train(given):
        ended = run_python("-c", TRAIN, json.dumps(given))
        assert (ended.status, ended.messages) == (0, [])
        message, modules = ended.out.splitlines()
        assert modules == "[]"
        return message

    return train


def test_a_refusal_by_the_settings_needs_no_tensorflow(train_elsewhere, tmp_path):
    given = {"output_dir": str(tmp_path / "run"), "dataset": "imagenet"}
    assert "Unknown data set" in train_elsewhere(given)
    assert not list(tmp_path.iterdir())


def test_a_refusal_by_the_folder_needs_no_tensorflow(train_elsewhere, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    message = train_elsewhere({"output_dir": str(tmp_path)})
    assert "is not empty and holds no run" in message
