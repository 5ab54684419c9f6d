import fcntl
import io
import os
import pty
import re
import struct
import termios

import pytest

from tfsemae import progress


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Puts a terminal of unknown size in the place of stderr."""

    def make():
        found = _Terminal()
        monkeypatch.setattr("sys.stderr", found)
        return found

    return make


@pytest.fixture
def sized_terminal(monkeypatch):
    """Puts stderr on a terminal of that size; gives what reads it."""
    opened = []

    def make(rows, columns):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        stream = os.fdopen(theirs, "w", buffering=1)
        monkeypatch.setattr("sys.stderr", stream)
        opened.extend([stream, os.fdopen(ours, "rb", buffering=0)])
        os.set_blocking(ours, False)
        return lambda: b"".join(iter(lambda: opened[1].read(10_000), None)).decode()

    yield make
    monkeypatch.undo()
    for stream in opened:
        stream.close()


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets, for `progress` and for tqdm's bar."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def _run(clock, seconds, total=100):
    """Ten units in each of the spans given."""
    bar = progress.Progress(total, unit="step", lines=False)
    for number, span in enumerate(seconds, start=1):
        clock[0] += span
        bar.update(10 * number)
        bar.line(f"loss {number}")
    bar.close()


# --- without a terminal


def test_lines_have_count_text_pace_and_time_left(clock, capsys):
    _run(clock, [60.0, 5.0, 5.0])
    # 2 steps a second; the minute before the first ten is of tracing.
    assert capsys.readouterr().err.splitlines() == [
        "step 10/100  loss 1",
        "step 20/100  loss 2  2.0 steps/s  0:00:40 left",
        "step 30/100  loss 3  2.0 steps/s  0:00:35 left",
    ]


def test_updates_write_a_line_every_ten_seconds_and_at_the_end(clock, capsys):
    bar = progress.Progress(5, unit="image")
    for done, now in enumerate([1001, 1004, 1011, 1012, 1013], start=1):
        clock[0] = float(now)
        bar.update(done)
    assert capsys.readouterr().err.splitlines() == [
        "image 3/5  0.2 images/s  0:00:10 left",
        "image 5/5  0.3 images/s  0:00:00 left",
    ]


def test_a_note_is_a_line_on_stderr(capsys):
    progress.note("Saving the networks.")
    assert capsys.readouterr() == ("", "Saving the networks.\n")


# --- on a terminal


def test_bar_has_the_time_left_and_ends_its_line(terminal, clock):
    stream = terminal()
    _run(clock, [60.0, 5.0, 5.0], total=30)
    shown = stream.getvalue()
    assert "30/30" in shown
    assert "100%" in shown
    assert "loss 3" in shown
    assert shown.endswith("\n")  # what is printed next has a line of its own


def test_time_left_of_the_bar_does_not_count_what_comes_before_the_first_update(
    terminal, clock
):
    stream = terminal()
    _run(clock, [60.0, 5.0])
    left = re.findall(r"\d\d:\d\d<(\S+),", stream.getvalue())
    assert "00:40" in left  # 80 steps at 2 a second
    # With the minute of tracing it would be 4 minutes and more.
    assert not [each for each in left if each > "00:40" and "?" not in each]


def test_bar_of_a_continued_run_begins_where_it_was_stopped(terminal):
    stream = terminal()
    progress.Progress(1000, done=600, unit="step").close()
    assert "60%" in stream.getvalue()
    assert "600/1000" in stream.getvalue()


def test_a_note_stands_above_the_bar(terminal):
    stream = terminal()
    bar = progress.Progress(10, unit="step")
    progress.note("Something begins.")
    bar.close()
    assert "Something begins.\n" in re.split("\r", stream.getvalue())


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 80), (24, 0), (24, 10)])
def test_terminal_without_room_for_a_bar_gets_lines(sized_terminal, rows, columns):
    read = sized_terminal(rows, columns)
    bar = progress.Progress(10, unit="step")
    bar.update(10)
    bar.close()
    assert read() == "step 10/10\r\n"


def test_terminal_of_usual_size_gets_a_bar(sized_terminal):
    read = sized_terminal(24, 80)
    bar = progress.Progress(10, unit="step")
    bar.update(10)
    bar.close()
    assert "100%|" in read()
