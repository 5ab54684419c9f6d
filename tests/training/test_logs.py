import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tfsemae.training import logs

HEADER = "step,seconds,learning_rate,logits_loss,loss,reconstruction_loss\n"


class Reconstructing:
    """As much of a procedure as the log needs."""

    def __init__(self, network):
        self._network = network

    def preview(self, images):
        return self._network(images)["reconstruction"]


def _images(count=2):
    values = np.linspace(0, 1, count * 4, dtype=np.float32)
    return values.reshape(count, 2, 2, 1)


@pytest.fixture(scope="module")
def log(small_network, fit_small):
    """Trains a small network from a step on, with a log in a folder."""

    def train(folder, start=0, **arguments):
        network = small_network()
        network.step.assign(start)
        beside = logs.Log(folder, Reconstructing(network), _images())
        fit_small(network, beside, **arguments)
        return network

    return train


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


# --- Log


def test_csv_has_a_line_per_interval(tmp_path, log):
    log(tmp_path, intervals=2)
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


def test_tensorboard_shows_the_same_numbers(tmp_path, log):
    log(tmp_path, intervals=2)
    header, *rows = [line.split(",") for line in _csv(tmp_path).splitlines()]
    events = _events(tmp_path)
    for name, column in zip(header[1:], list(zip(*rows, strict=True))[1:], strict=True):
        shown = events.Tensors(name)
        assert [event.step for event in shown] == [3, 6]
        values = [float(tf.make_ndarray(event.tensor_proto)) for event in shown]
        # TensorBoard keeps float32.
        assert values == pytest.approx([float(text) for text in column], rel=1e-6)


def test_tensorboard_shows_images_above_their_reconstructions(tmp_path, log):
    network = log(tmp_path)
    (event,) = _events(tmp_path).Tensors("reconstructions")
    width, height, *pictures = event.tensor_proto.string_val
    assert (width, height) == (b"2", b"4")
    pixels = np.stack([tf.io.decode_png(picture) for picture in pictures])
    shown = np.clip(network(_images())["reconstruction"], 0, 1)
    expected = np.concatenate([_images(), shown], axis=1)
    # 8 bits: half a grey level of rounding, or a whole one where it is cut off.
    np.testing.assert_allclose(pixels / 255, expected, atol=1.001 / 255)


def test_a_second_start_appends_and_goes_on_counting_seconds(tmp_path, log):
    (tmp_path / "log.csv").write_text(f"{HEADER}3,1000.5,0.1,1.0,2.0,1.0\n")
    log(tmp_path, start=3)
    lines = _csv(tmp_path).splitlines()
    assert lines[1] == "3,1000.5,0.1,1.0,2.0,1.0"
    assert len(lines) == 3
    assert 1000.5 < logs.seconds(tmp_path) < 2000


@pytest.mark.parametrize(
    ("size", "name"),
    [
        (20, "tensorboard"),  # its first event does not fit
        (100, "log.csv"),  # that does, the line of the CSV does not
        (300, "tensorboard"),  # both do, the pictures do not
    ],
)
def test_full_disk_names_the_log(tmp_path, log, full_disk, size, name):
    refused = pytest.raises(OSError, match=f"{tmp_path}/{name} cannot be written")
    with full_disk(size), refused as caught:
        log(tmp_path)
    assert "\n" not in str(caught.value)
    assert "{{" not in str(caught.value)


# --- cut, seconds, last_step, entries


@pytest.fixture(scope="module")
def three_intervals(tmp_path_factory, log):
    """The logs of 3 intervals; tests only read them."""
    folder = tmp_path_factory.mktemp("logs") / "three"
    log(folder, intervals=3)
    return folder


@pytest.fixture
def logged(tmp_path, three_intervals):
    """A copy of them."""
    return shutil.copytree(three_intervals, tmp_path, dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("step", "kept"), [(3, [3]), (6, [3, 6]), (9, [3, 6, 9])], ids=str
)
def test_logs_are_cut_back_to_a_step(logged, step, kept):
    before = _csv(logged)
    logs.cut(logged, step)
    assert _csv_steps(logged) == kept
    assert before.startswith(_csv(logged))
    assert _event_steps(logged) == kept
    assert _event_steps(logged, "reconstructions") == kept
    assert len(list((logged / "tensorboard").iterdir())) == 1


def test_cut_back_to_the_beginning_nothing_stays(logged):
    # Not the header: the run that begins again may have other columns.
    logs.cut(logged, 0)
    assert not (logged / "log.csv").exists()
    assert not _events(logged).Tags()["tensors"]


def test_entries_behind_the_step_of_a_checkpoint_alone_are_cut(logged):
    # No entry has this step, as if the log of it had been lost.
    with pytest.warns(UserWarning, match="has no entry of step 8"):
        logs.cut(logged, 8)
    assert _csv_steps(logged) == [3, 6]


def test_cut_and_continued_there_is_no_step_twice(logged, log):
    logs.cut(logged, 3)
    log(logged, start=3, intervals=2)
    assert _csv_steps(logged) == [3, 6, 9]
    assert _event_steps(logged) == [3, 6, 9]


@pytest.mark.parametrize("torn", [1, 2, 10, 40])
@pytest.mark.filterwarnings("ignore:.* has no entry of step:UserWarning")
def test_torn_last_line_of_the_csv_is_dropped(logged, torn):
    whole = _csv(logged)
    (logged / "log.csv").write_text(whole[:-torn])
    assert logs.last_step(logged) == 6
    assert logs.entries(logged) == 2
    logs.cut(logged, 9)
    assert _csv_steps(logged) == [3, 6]
    assert whole.startswith(_csv(logged))


@pytest.mark.parametrize("text", ["", "st", "step,seconds,loss", "step,seconds,loss\n"])
def test_csv_killed_in_its_first_lines_begins_anew(tmp_path, log, text):
    (tmp_path / "log.csv").write_text(text)
    assert logs.last_step(tmp_path) == 0
    assert logs.seconds(tmp_path) == 0
    logs.cut(tmp_path, 0)
    log(tmp_path)
    assert _csv(tmp_path).startswith("step,seconds,learning_rate,")
    assert _csv_steps(tmp_path) == [3]


def test_a_deleted_csv_is_noticed(logged):
    (logged / "log.csv").unlink()
    with pytest.warns(UserWarning, match=r"log\.csv has no entry of step 6.* are lost"):
        logs.cut(logged, 6)
    assert not (logged / "log.csv").exists()
    assert _event_steps(logged) == [3, 6]


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (b"many,1.0,0.1,1,1,1\n", "step"),
        (b",,,\n", "step"),
        (b"<<<<<<< HEAD\n", "step"),
        (b"6,long,0.1,1,1,1\n", "seconds"),
        (b"6\n", "seconds"),
    ],
)
def test_a_bad_row_is_one_line_that_names_file_and_remedy(tmp_path, row, name):
    (tmp_path / "log.csv").write_bytes(HEADER.encode() + b"3,1.0,0.1,1,1,1\n" + row)
    read = {"step": logs.last_step, "seconds": logs.seconds}[name]
    with pytest.raises(ValueError, match=f"no number `{name}`") as caught:
        read(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'log.csv'} is damaged")
    assert message.endswith("lines that are damaged, or the file, and start again.")
    assert "\n" not in message


def test_bytes_that_are_no_text_are_named(tmp_path):
    (tmp_path / "log.csv").write_bytes(b"step\n\xff\n")
    with pytest.raises(ValueError, match=f"{tmp_path / 'log.csv'} is damaged"):
        logs.last_step(tmp_path)


def test_full_disk_keeps_the_logs_that_were_to_be_cut(logged, full_disk):
    (path,) = (logged / "tensorboard").iterdir()
    whole = path.read_bytes()
    refused = pytest.raises(OSError, match=f"{path} cannot be written")
    with full_disk(400), refused:
        logs.cut(logged, 6)
    assert path.read_bytes() == whole
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize("torn", [1, 5, 200])
def test_torn_last_event_is_dropped(logged, torn):
    (path,) = (logged / "tensorboard").iterdir()
    whole = _event_steps(logged)
    path.write_bytes(path.read_bytes()[:-torn])
    logs.cut(logged, 9)
    # The pictures are the last event of an interval; the losses stand before.
    assert _event_steps(logged) == whole == [3, 6, 9]
    assert _event_steps(logged, "reconstructions") == [3, 6]


def test_empty_event_file_is_no_obstacle(tmp_path):
    path = tmp_path / "tensorboard" / "events.out.tfevents.1"
    path.parent.mkdir()
    path.touch()
    logs.cut(tmp_path, 0)
    assert path.exists()


def test_without_logs_there_is_nothing_to_cut(tmp_path):
    logs.cut(tmp_path, 0)
    assert not list(tmp_path.iterdir())
    assert logs.seconds(tmp_path) == 0
    assert logs.last_step(tmp_path) == 0
    assert logs.entries(tmp_path) == 0


def test_seconds_and_last_step_are_of_the_last_line(tmp_path):
    (tmp_path / "log.csv").write_text("step,seconds,loss\n100,7.5,1\n200,14.25,1\n")
    assert logs.seconds(tmp_path) == 14.25
    assert logs.last_step(tmp_path) == 200
    assert logs.entries(tmp_path) == 2
