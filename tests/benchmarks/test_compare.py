import json
import os
import sys
import textwrap

import pytest

from tfsemae.benchmarks import compare

FIELDS = [
    *("case", "threads", "repeats", "unit", "ours", "peer", "peer_name"),
    *("outcome_ours", "outcome_peer", "ratio"),
]


def _program(code, *arguments):
    return compare.Program(
        [sys.executable, "-c", "import sys\n" + textwrap.dedent(code), *arguments]
    )


def _case(**changed):
    usual = {
        "case": "step",
        "threads": 1,
        "repeats": 3,
        "unit": "images/s",
        "ours": 300.0,
        "peer": 200.0,
        "peer_name": "other",
    }
    return compare.Case(**(usual | changed))


def test_measures_take_turns_and_the_median_counts():
    order = []

    def measure(name, rates):
        order.append(name)
        return next(rates)

    # Neither the mean nor the first, the last or the best.
    a, b = iter([9.0, 1.0, 2.0]), iter([5.0, 100.0, 6.0])
    medians = compare.in_turn(
        {"a": lambda: measure("a", a), "b": lambda: measure("b", b)}, repeats=3
    )
    assert order == ["a", "b"] * 3
    assert medians == {"a": 2.0, "b": 6.0}


def test_a_program_works_once_per_turn():
    code = """
        print('{"losses": [1, 2]}', flush=True)
        for number, _ in enumerate(sys.stdin):
            print(number + 0.5, flush=True)
    """
    with _program(code) as program:
        program.wait()
        assert program.said == {"losses": [1, 2]}
        assert [program.turn(), program.turn()] == [0.5, 1.5]


def test_programs_at_once_overlap(tmp_path):
    # Each waits for the other, so that one after the other would fail.
    code = """
        import pathlib, time
        mine, other = map(pathlib.Path, sys.argv[1:])
        print("{}", flush=True)
        sys.stdin.readline()
        mine.touch()
        end = time.monotonic() + 30
        while not other.exists():
            if time.monotonic() > end: sys.exit("alone")
            time.sleep(0.01)
        print(int(mine.name), flush=True)
    """
    one, two = str(tmp_path / "1"), str(tmp_path / "2")
    with _program(code, one, two) as first, _program(code, two, one) as second:
        first.wait()
        second.wait()
        assert compare.at_once([first, second]) == [1, 2]


def test_a_program_that_fails_is_named_with_its_last_line():
    code = """
        print("noise " * 100_000, file=sys.stderr)  # more than a pipe holds
        sys.exit("Error: no data")
    """
    with (
        _program(code) as program,
        pytest.raises(ChildProcessError, match=r"status 1: Error: no data$"),
    ):
        program.wait()


def test_a_program_that_ends_between_turns_is_an_error():
    with _program("print('{}', flush=True)") as program:
        program.wait()
        program._process.wait()
        with pytest.raises(ChildProcessError, match="ended with status 0"):
            program.turn()


def test_leaving_ends_a_program_at_work():
    with _program(
        "print('{}', flush=True); input(); import time; time.sleep(1e6)"
    ) as program:
        program.wait()
        program._begin()
    with pytest.raises(ProcessLookupError):
        os.kill(program._process.pid, 0)


def test_a_program_sees_further_variables(monkeypatch):
    monkeypatch.setenv("TFSEMAE_KEPT", "1")
    code = """
        import json, os
        seen = [os.environ.get(name) for name in ("TFSEMAE_KEPT", "TFSEMAE_NEW")]
        print(json.dumps(seen), flush=True)
    """
    command = [sys.executable, "-c", "import sys\n" + textwrap.dedent(code)]
    with compare.Program(command, {"TFSEMAE_NEW": "2"}) as program:
        program.wait()
        assert program.said == ["1", "2"]


def test_a_ratio_above_one_says_that_ours_is_faster():
    assert _case(ours=300.0, peer=200.0).ratio == 1.5


def test_file_has_the_fields_of_a_benchmark(tmp_path):
    path = tmp_path / "results" / "training.json"
    compare.write(
        path,
        name="training",
        command="python -m a",
        machine={"cores": 2},
        versions={"python": "3"},
        cases=[_case(outcome_ours=0.5)],
    )
    found = json.loads(path.read_text())
    (row,) = found.pop("cases")
    assert found == {
        "name": "training",
        "command": "python -m a",
        "machine": {"cores": 2},
        "versions": {"python": "3"},
    }
    assert list(row) == FIELDS
    assert row["ratio"] == 1.5
    assert row["outcome_ours"] == 0.5
    assert row["outcome_peer"] is None


def test_table_is_aligned():
    lines = compare.table(
        [_case(outcome_ours=0.5, outcome_peer=0.25), _case(case="a longer name")]
    ).splitlines()
    assert len(lines) == 3
    assert {line.index("images/s") for line in lines[1:]} == {lines[0].index("unit")}
    assert "300.0  200.0  1.500  0.50000 / 0.25000  other" in lines[1]
