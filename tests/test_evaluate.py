import json

import pytest


def _evaluate(run_command, folder, *arguments):
    return run_command("evaluate", f"--model_dir={folder}", *arguments)


def test_test_split_is_measured_as_at_the_end_of_training(digits_run, run_command):
    ended = _evaluate(run_command, digits_run, "--split=test", "--seed=3")
    assert (ended.status, ended.messages) == (0, [])
    found = json.loads(ended.out)
    training = json.loads((digits_run / "metrics.json").read_text("utf-8"))
    # The training split here holds the 37 held-out images as well, from which the
    # linear probe and k-NN learn: 360 images, of which a few may change sides.
    for name in ("knn_accuracy", "linear_probe_accuracy"):
        assert found.pop(name) == pytest.approx(training.pop(name), abs=0.03)
    # Another number of threads orders float32 sums differently.
    assert found == pytest.approx(training, rel=1e-4)
    folder = digits_run / "evaluation" / "digits_test"
    assert sorted(path.name for path in folder.iterdir()) == [
        "metrics.json",
        "reconstructions.png",
        "tsne.png",
    ]


def test_some_classes_of_the_digits(digits_run, run_command, tmp_path):
    # A semantic network knows all its ten classes, so that fewer do not suit it.
    ended = _evaluate(
        run_command, digits_run, "--classes=3,5", f"--output_dir={tmp_path}"
    )
    assert ended.status == 1
    (line,) = ended.messages
    assert "knows 10 classes, but the data set has 2" in line


def test_split_that_is_not_there_is_one_message(digits_run, run_command):
    ended = _evaluate(run_command, digits_run, "--split=nowhere")
    assert ended.status == 1
    (line,) = ended.messages
    assert line.startswith("Error: ")
    assert "Received: split='nowhere'" in line


def test_folder_without_a_model_is_one_message(run_command, tmp_path):
    ended = _evaluate(run_command, tmp_path)
    assert ended.status == 1
    (line,) = ended.messages
    assert line.startswith(f"Error: There is no finished model in {tmp_path}")
    assert not list(tmp_path.iterdir())


def test_three_channels_into_a_one_channel_model(digits_run, run_command, write_images):
    path = write_images(shape=(28, 28, 3))
    ended = _evaluate(run_command, digits_run, f"--dataset={path}")
    assert ended.status == 1
    (line,) = ended.messages
    assert "takes images of shape (28, 28, 1)" in line
    assert "the data set has (28, 28, 3)" in line
