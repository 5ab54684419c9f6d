import json

import pytest


@pytest.fixture(scope="module")
def evaluate(run_preloaded):
    def run(folder, *flags):
        return run_preloaded("evaluate", f"--model_dir={folder}", *flags)

    return run


@pytest.fixture(scope="module")
def evaluated(digits_run, evaluate):
    """An evaluation of the test split into a folder of its own."""
    ended = evaluate(digits_run, "--split=test", "--seed=3", "--threads=1")
    assert ended.status == 0, ended.messages
    (folder,) = (digits_run / "evaluation").glob("digits_test_*")
    return folder, ended


def test_test_split_is_measured_as_at_the_end_of_training(digits_run, evaluated):
    found = json.loads(evaluated[1].out)
    training = json.loads((digits_run / "metrics.json").read_text("utf-8"))
    # The training split here holds the 37 held-out images as well, from which the
    # linear probe and k-NN learn: 360 images, of which a few may change sides.
    for name in ("knn_accuracy", "linear_probe_accuracy"):
        assert found.pop(name) == pytest.approx(training.pop(name), abs=0.03)
    # Printed are six digits.
    assert found == pytest.approx(training, rel=1e-5)


def test_its_folder_is_that_of_a_run(evaluated):
    folder, ended = evaluated
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock",
        "flags.txt",
        "inputs.json",
        "measurements.npz",
        "metrics.json",
        "reconstructions.png",
        "seconds.json",
        "tsne.png",
    ]
    assert "--split=test" in (folder / "flags.txt").read_text("utf-8").splitlines()
    written = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert json.loads(ended.out) == pytest.approx(written, rel=1e-5)
    assert any("t-SNE map" in line for line in ended.messages)


def test_a_second_start_reads_it_without_tensorflow(evaluated, digits_run, evaluate):
    folder, ended = evaluated
    again = evaluate(digits_run, "--split=test", "--seed=3", "--threads=1")
    assert (again.status, again.out) == (0, ended.out)
    assert again.messages == [f"{folder} holds a finished run, which is read."]


def test_its_flagfile_does_the_same_again(evaluated, run_preloaded):
    folder, ended = evaluated
    again = run_preloaded("evaluate", f"--flagfile={folder / 'flags.txt'}")
    assert (again.status, again.out) == (0, ended.out)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        # A semantic network knows all its ten classes, so that fewer do not suit it.
        ("--classes=3,5", "knows 10 classes, but the data set has 2"),
        ("--split=nowhere", "Received: split='nowhere'"),
        ("--dataset=nothing", "Unknown data set"),
        ("--output_dir=/dev/null", "--output_dir=/dev/null cannot be written"),
    ],
)
def test_what_does_not_suit_is_one_message(
    digits_run, evaluate, tmp_path, flag, message
):
    ended = evaluate(digits_run, f"--output_dir={tmp_path}", flag)
    assert (ended.status, ended.out) == (1, "")
    (line,) = ended.messages
    assert line.startswith("Error: ")
    assert message in line


def test_folder_without_a_model_is_one_message(evaluate, tmp_path):
    ended = evaluate(tmp_path)
    assert ended.status == 1
    (line,) = ended.messages
    assert line.startswith(f"Error: There is no finished model in {tmp_path}")
    assert line.endswith("Name the --output_dir of a finished training run.")
    assert not list(tmp_path.iterdir())


def test_saved_model_alone_is_for_the_audit(evaluate, digits_run):
    ended = evaluate(digits_run / "saved_model")
    assert ended.status == 1
    (line,) = ended.messages
    assert "A SavedModel by itself is audited by tfsemae.audit --model" in line


def test_three_channels_into_a_one_channel_model(
    digits_run, evaluate, write_images, tmp_path
):
    path = write_images(shape=(28, 28, 3))
    ended = evaluate(digits_run, f"--dataset={path}", f"--output_dir={tmp_path}")
    assert ended.status == 1
    (line,) = ended.messages
    assert "takes images of shape (28, 28, 1)" in line
    assert "the data set has (28, 28, 3)" in line
