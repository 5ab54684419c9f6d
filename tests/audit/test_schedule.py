"""Each stage of an audit is one line with the time left."""

import pytest

from tfsemae.audit import schedule
from tfsemae.audit.checks import CAUSES, lines
from tfsemae.audit.report import NamedWarning


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def _work(stages, title, clock, seconds, units=4, done=0):
    stage = stages.stage(title, units)
    for unit in range(done, units):
        stage.begin(unit)
        clock[0] += seconds / (units - done)
        stage.update(unit + 1)
    stage.close()


def test_each_stage_is_one_line_with_the_time_of_the_rest(clock, capsys):
    stages = schedule.Schedule({"a": 1, "b": 2, "c": 1}, seconds=40)
    for title, seconds in (("a", 20), ("b", 50), ("c", 5)):
        _work(stages, title, clock, seconds)
    assert capsys.readouterr().err.splitlines() == [
        "[1/3] a  about 0:00:40 left",  # of the plan
        "[2/3] b  about 0:01:00 left",  # 20 seconds for each unit of cost
        "[3/3] c  about 0:00:23 left",  # 70 / 3
    ]


def test_without_a_plan_the_first_line_has_no_time(clock, capsys):
    stages = schedule.Schedule({"a": 1, "b": 1})
    _work(stages, "a", clock, 30)
    _work(stages, "b", clock, 30)
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] a",
        "[2/2] b  about 0:00:30 left",
    ]


def test_small_first_stage_says_little_of_the_pace(clock, capsys):
    stages = schedule.Schedule({"a": 1, "b": 99}, seconds=200)
    _work(stages, "a", clock, 60)  # tracing
    _work(stages, "b", clock, 30)
    assert "b  about 0:03:18 left" in capsys.readouterr().err


def test_stage_that_an_earlier_start_began_counts_for_what_is_left(clock, capsys):
    stages = schedule.Schedule({"a": 4, "b": 4})
    _work(stages, "a", clock, 10, done=2)
    _work(stages, "b", clock, 20)
    # Half of the first stage took 10 seconds.
    assert "b  about 0:00:20 left" in capsys.readouterr().err


def test_finished_stage_is_not_said(clock, capsys):
    stages = schedule.Schedule({"a": 1, "b": 1})
    stages.stage("a", 4).close()
    _work(stages, "b", clock, 1)
    assert capsys.readouterr().err.splitlines() == ["[2/2] b"]


def test_long_stage_gives_a_sign_of_life_each_minute(clock, capsys):
    stages = schedule.Schedule({"a": 1})
    _work(stages, "a", clock, 250, units=25)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "[1/1] a"
    assert len(said) == 1 + 250 // 70  # after more than 60 seconds, of 10 each
    assert said[1].startswith("image 7/25")


def test_warnings_of_a_terminal_are_one_line_for_each_name():
    found = [
        NamedWarning(
            name=name,
            text=f"{text}. Condition: {CAUSES[name].condition}. {CAUSES[name].meaning}",
        )
        for name, text in (
            ("too_weak", "latent: 1.31 times"),
            ("one_image", "1 image"),
            ("too_weak", "input: 1.07 times"),
        )
    ]
    assert lines(found) == [
        "Warning: too_weak: latent: 1.31 times; input: 1.07 times",
        "Warning: one_image: 1 image",
    ]
