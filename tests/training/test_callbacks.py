import io
import itertools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tfsemae.training import callbacks
from tfsemae.training.checkpoints import Checkpoints

STEPS = 3  # of an interval


def _network(rate=0.1):
    image = keras.Input((2, 2, 1))
    outputs = {
        "reconstruction": keras.layers.Dense(1, name="pixels")(image),
        "logits": keras.layers.Dense(2)(keras.layers.Flatten()(image)),
    }
    network = keras.Model(image, outputs)
    network.compile(
        keras.optimizers.SGD(rate), loss={"reconstruction": "mse", "logits": "mse"}
    )
    return network


def _fit(network, *beside, intervals=1, bad_step=None, bad="logits"):
    """Trains on ones; the named target is NaN at `bad_step`, counted from 1."""

    def batches():
        for step in itertools.count(1):
            targets = {
                "reconstruction": np.ones((4, 2, 2, 1), np.float32),
                "logits": np.ones((4, 2), np.float32),
            }
            if step == bad_step:
                targets[bad] = targets[bad] * np.nan
            yield np.ones((4, 2, 2, 1), np.float32), targets

    network.fit(
        batches(),
        epochs=intervals,
        steps_per_epoch=STEPS,
        callbacks=list(beside),
        shuffle=False,
        verbose=0,
    )


def _images(count=2):
    values = np.linspace(0, 1, count * 4, dtype=np.float32)
    return values.reshape(count, 2, 2, 1)


def _log(folder, **arguments):
    network = _network()
    _fit(network, callbacks.Log(folder, _images()), **arguments)
    return network


def _events(folder):
    found = event_accumulator.EventAccumulator(
        str(folder / "tensorboard"), size_guidance={"tensors": 0}
    )
    found.Reload()
    return found


def _event_steps(folder, name="loss"):
    return [event.step for event in _events(folder).Tensors(name)]


def _csv(folder):
    return (folder / "log.csv").read_text("utf-8")


def _csv_steps(folder):
    return [int(line.split(",")[0]) for line in _csv(folder).splitlines()[1:]]


# --- StopOnNaN


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("term", ["reconstruction", "logits"])
def test_nan_stops_at_its_step_with_its_term(step, term):
    with pytest.raises(FloatingPointError) as caught:
        _fit(_network(), callbacks.StopOnNaN(), intervals=3, bad_step=step, bad=term)
    message = str(caught.value)
    assert f"at step {step}:" in message
    assert f"{term}_loss" in message
    other = {"reconstruction": "logits", "logits": "reconstruction"}[term]
    assert f"{other}_loss" not in message


def test_finite_losses_do_not_stop():
    _fit(_network(), callbacks.StopOnNaN(), intervals=2)


def test_weights_that_overflow_in_the_last_step_are_not_saved(tmp_path):
    # Their losses would only be seen one step later, behind the checkpoint.
    network = _network(rate=1e38)
    network.get_layer("pixels").kernel.assign([[1e3]])
    checkpoints = Checkpoints(tmp_path, ())

    class OneStep(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rate = 1e38 if batch == STEPS - 1 else 0.0
            self.model.optimizer.learning_rate.assign(rate)

    save = callbacks.SaveCheckpoint(checkpoints)
    with pytest.raises(FloatingPointError, match=r"after step 3: pixels/kernel"):
        _fit(network, OneStep(), callbacks.StopOnNaN(), save)
    assert not list(tmp_path.iterdir())


# --- SaveCheckpoint


def test_a_checkpoint_ends_each_interval(tmp_path):
    checkpoints = Checkpoints(tmp_path, ())
    network = _network()
    _fit(network, callbacks.SaveCheckpoint(checkpoints), intervals=2)
    assert sorted(path.name for path in tmp_path.glob("*.json")) == [
        "step_00000003.json",
        "step_00000006.json",
    ]
    other = _network()
    other.optimizer.build(other.trainable_variables)
    assert checkpoints.restore(other) == 6
    for a, b in zip(network.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- Log


def test_csv_has_a_line_per_interval(tmp_path):
    _log(tmp_path, intervals=2)
    header, *rows = [line.split(",") for line in _csv(tmp_path).splitlines()]
    assert header == [
        *("step", "seconds", "learning_rate"),
        *("logits_loss", "loss", "reconstruction_loss"),
    ]
    values = [dict(zip(header, map(float, row), strict=True)) for row in rows]
    assert [row["step"] for row in values] == [3, 6]
    for row in values:
        assert row["learning_rate"] == pytest.approx(0.1)  # a float32
        total = row["logits_loss"] + row["reconstruction_loss"]
        assert row["loss"] == pytest.approx(total, rel=1e-6)
    assert values[1]["loss"] < values[0]["loss"]
    assert 0 <= values[0]["seconds"] <= values[1]["seconds"]


def test_tensorboard_shows_the_same_numbers(tmp_path):
    _log(tmp_path, intervals=2)
    header, *rows = [line.split(",") for line in _csv(tmp_path).splitlines()]
    events = _events(tmp_path)
    for name, column in zip(header[1:], list(zip(*rows, strict=True))[1:], strict=True):
        shown = events.Tensors(name)
        assert [event.step for event in shown] == [3, 6]
        values = [float(tf.make_ndarray(event.tensor_proto)) for event in shown]
        # TensorBoard keeps float32.
        assert values == pytest.approx([float(text) for text in column], rel=1e-6)


def test_tensorboard_shows_images_above_their_reconstructions(tmp_path):
    network = _log(tmp_path, intervals=1)
    (event,) = _events(tmp_path).Tensors("reconstructions")
    width, height, *pictures = event.tensor_proto.string_val
    assert (width, height) == (b"2", b"4")
    pixels = np.stack([tf.io.decode_png(picture) for picture in pictures])
    shown = np.clip(network(_images())["reconstruction"], 0, 1)
    expected = np.concatenate([_images(), shown], axis=1)
    # 8 bits: half a grey level of rounding, or a whole one where it is cut off.
    np.testing.assert_allclose(pixels / 255, expected, atol=1.001 / 255)


def test_a_second_start_appends_and_goes_on_counting_seconds(tmp_path):
    (tmp_path / "log.csv").write_text(
        "step,seconds,learning_rate,logits_loss,loss,reconstruction_loss\n"
        "3,1000.5,0.1,1.0,2.0,1.0\n"
    )
    _log(tmp_path)
    lines = _csv(tmp_path).splitlines()
    assert lines[1] == "3,1000.5,0.1,1.0,2.0,1.0"
    assert len(lines) == 3
    assert 1000.5 < callbacks.seconds(tmp_path) < 2000


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (20, "tensorboard"),  # its first event does not fit
        (100, "log.csv"),  # that does, the line of the CSV does not
        (300, "tensorboard"),  # both do, the pictures do not
    ],
)
def test_full_disk_names_the_log(tmp_path, full_disk, size, name):
    refused = pytest.raises(OSError, match=f"{tmp_path}/{name} cannot be written")
    with full_disk(size), refused as caught:
        _log(tmp_path)
    assert "\n" not in str(caught.value)
    assert "{{" not in str(caught.value)


# --- cut_logs, seconds, last_step


@pytest.fixture
def logged(tmp_path):
    _log(tmp_path, intervals=3)
    return tmp_path


@pytest.mark.parametrize(("step", "kept"), [(0, []), (3, [3]), (8, [3, 6]), (9, None)])
def test_logs_are_cut_back_to_a_step(logged, step, kept):
    before = _csv(logged)
    callbacks.cut_logs(logged, step)
    kept = [3, 6, 9] if kept is None else kept
    assert _csv_steps(logged) == kept
    assert before.startswith(_csv(logged))
    assert _csv(logged).startswith("step,")
    if kept:
        assert _event_steps(logged) == kept
        assert _event_steps(logged, "reconstructions") == kept
    else:
        assert not _events(logged).Tags()["tensors"]
    assert len(list((logged / "tensorboard").iterdir())) == 1


def test_cut_and_continued_there_is_no_step_twice(logged):
    callbacks.cut_logs(logged, 3)
    log = callbacks.Log(logged, _images())
    network = _network()
    network.optimizer.build(network.trainable_variables)
    network.optimizer.iterations.assign(3)
    _fit(network, log, intervals=2)
    assert _csv_steps(logged) == [3, 6, 9]
    assert _event_steps(logged) == [3, 6, 9]


@pytest.mark.parametrize("torn", [1, 2, 10, 40])
def test_torn_last_line_of_the_csv_is_dropped(logged, torn):
    whole = _csv(logged)
    (logged / "log.csv").write_text(whole[:-torn])
    callbacks.cut_logs(logged, 9)
    assert _csv_steps(logged) == [3, 6]
    assert whole.startswith(_csv(logged))


@pytest.mark.parametrize("text", ["", "st", "step,seconds,loss"])
def test_csv_killed_in_its_first_line_begins_anew(tmp_path, text):
    (tmp_path / "log.csv").write_text(text)
    assert callbacks.last_step(tmp_path) == 0
    callbacks.cut_logs(tmp_path, 0)
    assert callbacks.seconds(tmp_path) == 0
    _log(tmp_path)
    assert _csv(tmp_path).startswith("step,seconds,learning_rate,")
    assert _csv_steps(tmp_path) == [3]


def test_full_disk_keeps_the_logs_that_were_to_be_cut(logged, full_disk):
    (path,) = (logged / "tensorboard").iterdir()
    whole = path.read_bytes()
    refused = pytest.raises(OSError, match=f"{path} cannot be written")
    with full_disk(400), refused:
        callbacks.cut_logs(logged, 6)
    assert path.read_bytes() == whole
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("torn", [1, 5, 200])
def test_torn_last_event_is_dropped(logged, torn):
    (path,) = (logged / "tensorboard").iterdir()
    whole = _event_steps(logged)
    path.write_bytes(path.read_bytes()[:-torn])
    callbacks.cut_logs(logged, 9)
    # The pictures are the last event of an interval; the losses stand before.
    assert _event_steps(logged) == whole == [3, 6, 9]
    assert _event_steps(logged, "reconstructions") == [3, 6]


def test_empty_event_file_is_no_obstacle(tmp_path):
    path = tmp_path / "tensorboard" / "events.out.tfevents.1"
    path.parent.mkdir()
    path.touch()
    callbacks.cut_logs(tmp_path, 5)
    assert path.exists()


def test_without_logs_there_is_nothing_to_cut(tmp_path):
    callbacks.cut_logs(tmp_path, 5)
    assert not list(tmp_path.iterdir())
    assert callbacks.seconds(tmp_path) == 0
    assert callbacks.last_step(tmp_path) == 0


def test_seconds_and_last_step_are_of_the_last_line(tmp_path):
    (tmp_path / "log.csv").write_text("step,seconds,loss\n100,7.5,1\n200,14.25,1\n")
    assert callbacks.seconds(tmp_path) == 14.25
    assert callbacks.last_step(tmp_path) == 200


# --- Progress


def test_elsewhere_than_on_a_terminal_there_is_a_line_per_interval(capsys):
    _fit(_network(), callbacks.Progress(0, 2 * STEPS), intervals=2)
    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    number = r"\d+\.\d{4}"
    pattern = (
        rf"step 3/6  logits_loss {number}  loss {number}  "
        rf"reconstruction_loss {number}  \d+\.\d steps/s  \d+:\d\d:\d\d left"
    )
    assert re.fullmatch(pattern, first)
    assert second.startswith("step 6/6  ")
    assert second.endswith(" 0:00:00 left")


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_there_is_a_bar_with_the_time_left(monkeypatch):
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    progress = callbacks.Progress(0, 2 * STEPS)
    _fit(_network(), progress, intervals=2)
    progress.close()
    *_, last, after = re.split(r"[\r\n]+", terminal.getvalue())
    assert "100%" in last
    assert "6/6 [00:" in last
    assert "loss=" in last
    assert after == ""  # what is printed next has a line of its own
    assert re.search(r"\d\d:\d\d<\d\d:\d\d", terminal.getvalue())  # spent < left
    assert "steps/s" not in terminal.getvalue()


def test_bar_of_a_continued_run_begins_where_it_was_stopped(monkeypatch):
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    callbacks.Progress(600, 1000).close()
    assert "60%" in terminal.getvalue()
    assert "600/1000" in terminal.getvalue()
