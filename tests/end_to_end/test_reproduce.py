"""`./reproduce.sh` the way a user runs it, on the smoke plan."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tfsemae import experiments
from tfsemae.experiments import reproduction
from tfsemae.reports import Ledger

_ROOT = pathlib.Path(__file__).parents[2]
_PATIENCE = 1200  # seconds; far more than a busy machine needs


def _start(*arguments):
    # A group of its own, so that a kill reaches Snakemake and its jobs as well.
    return subprocess.Popen(
        [sys.executable, "-m", "tfsemae.reproduce", *arguments],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _run(*arguments):
    process = _start(*arguments)
    output, _ = process.communicate(timeout=_PATIENCE)
    return process.returncode, output


def _wait_for(pattern, folder, process, count=1):
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
        if len(found) >= count:
            return found
        if process.poll() is not None:
            pytest.fail(f"ended early:\n{process.communicate()[0]}")
        time.sleep(0.1)
    pytest.fail(f"no {pattern} in {_PATIENCE} s")


def test_killed_and_finished_by_a_cluster(tmp_path):
    folder = tmp_path / "reproduction"
    arguments = ["ming2022_mnist", "--scale=smoke", f"--output_dir={folder}"]
    process = _start(*arguments, "--cores=1")
    runs = "smoke/runs/ming2022_mnist/*/metrics.json"
    first, _ = _wait_for(runs, folder, process, count=2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    written = first.stat().st_mtime_ns

    submit = tmp_path / "submit"
    submit.write_text('#!/bin/sh\nnohup sh "$1" > "$1.log" 2>&1 &\necho $!\n')
    submit.chmod(0o755)
    code, output = _run(
        *arguments,
        *("--", "--executor=cluster-generic", "--jobs=2"),
        f"--cluster-generic-submit-cmd={submit}",
        "--latency-wait=30",
    )
    assert code == 0, output
    assert first.stat().st_mtime_ns == written, "a finished run was made again"
    ledger = Ledger.read(folder / "smoke" / "ming2022_mnist")
    assert ledger.scale == "smoke"
    assert {row.n for row in ledger.rows} == {2}
    assert {row.tag for row in ledger.rows} == {"stand-in"}
    page = (folder / "smoke" / "ming2022.html").read_text("utf-8")
    assert "smoke" in page
    assert "24.89" in page  # Table II beside the measured value
    # The end of what is printed: verdicts, and where the page is.
    assert "ming2022_mnist: Both at once (weight 0.016): " in output
    assert output.endswith(f"Page: {folder / 'smoke' / 'index.html'}\n")


def test_attack_from_trainings_to_ledger(tmp_path):
    folder = tmp_path / "of two words"
    arguments = ["ming2022_cifar10", "--scale=smoke", f"--output_dir={folder}"]
    code, output = _run(*arguments, "--cores=2")
    assert code == 0, output
    ledger = Ledger.read(folder / "smoke" / "ming2022_cifar10")
    printed = {row.id: row.printed for row in ledger.rows if row.printed is not None}
    # Ming 2022, section IV, beside attackers that begin afresh and from the victim.
    attackers = ("shuffled1", "shuffled0.016_from_victim")
    expected = {f"{attacker}_psnr": 39.93 for attacker in attackers}
    assert printed == expected | {f"{attacker}_ssim": 96.55 for attacker in attackers}
    assert {row.tag for row in ledger.rows} == {"stand-in"}
    assert not ledger.claims  # of one victim
    assert len(ledger.pictures) == 2 * 4
    for picture in ledger.pictures:
        assert (folder / "smoke" / "ming2022_cifar10" / picture.file).exists()


def test_landing_takes_ledger_and_pictures_and_nothing_else(tmp_path, monkeypatch):
    made = tmp_path / "made"
    shutil.copytree(_ROOT / "results" / "ming2022_mnist", made / "ming2022_mnist")
    (made / "ming2022_mnist" / "of_an_older_build.png").touch()
    monkeypatch.chdir(tmp_path)
    shutil.copy(_ROOT / "README.md", tmp_path)
    for _ in range(2):  # the second takes the place of the first
        reproduction._land(["ming2022_mnist"], made)
        landed = tmp_path / "results" / "ming2022_mnist"
        pictures = {picture.file for picture in Ledger.read(landed).pictures}
        found = {path.name for path in landed.iterdir()}
        assert found == {"ledger.json", *pictures}
    assert "ming2022_mnist" in (tmp_path / "results" / "index.html").read_text("utf-8")


def test_a_page_of_other_artefacts_is_not_taken_for_this_one(tmp_path):
    folder = tmp_path / "reproduction"
    (folder / "smoke").mkdir(parents=True)
    (folder / "smoke" / "index.html").touch()
    arguments = ["ming2022_mnist", "--scale=smoke", f"--output_dir={folder}"]
    code, output = _run(*arguments, "--", "--dry-run")
    assert "rule artefact:" in output
    assert "Traceback" not in output
    assert code == 0, output


def test_at_full_length_each_run_is_a_job_of_its_own(tmp_path):
    folder = tmp_path / "reproduction"
    planned = experiments.artefacts()["ming2022_mnist"].all_runs("full")
    for run in planned[1:]:
        done = folder / "full" / "runs" / run.name
        done.mkdir(parents=True)
        (done / "metrics.json").touch()
    arguments = ["ming2022_mnist", f"--output_dir={folder}"]
    _, output = _run(*arguments, "--", "--dry-run", "--printshellcmds")
    assert output.count("rule run:") == 1
    assert output.count("rule ledger:") == 1
    assert f"--output_dir={folder / 'full' / 'runs' / planned[0].name}" in output


def test_page_has_what_was_made_before_as_well(tmp_path, monkeypatch):
    monkeypatch.chdir(_ROOT)
    for artefact in ("ming2022_mnist", "ming2022_weight"):
        shutil.copytree(_ROOT / "results" / artefact, tmp_path / artefact)
    reproduction.write_page(tmp_path)
    text = (tmp_path / "ming2022.html").read_text("utf-8")
    assert text.count("<dt>Reading</dt><dd>newly measured</dd>") == 2


def test_dry_run_only_prints_the_plan(tmp_path):
    folder = tmp_path / "reproduction"
    code, output = _run("-n", f"--output_dir={folder}")
    assert code == 0
    assert "ming2022_mnist" in output
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["table_9"], "table_9"),
        (["--scale=half"], "--scale"),
        (["--cores=0"], "--cores"),
        (["--land", "--scale=smoke"], "--land"),
        (["--clip_embeddings=none.npy"], "--clip_embeddings: There is no such file"),
    ],
)
def test_wrong_arguments_are_one_message(arguments, expected, tmp_path):
    code, output = _run(*arguments, f"--output_dir={tmp_path / 'reproduction'}")
    assert code != 0
    assert expected in output
    assert "Traceback" not in output


def test_a_second_start_beside_a_running_one_is_refused(tmp_path):
    folder = tmp_path / "reproduction"
    arguments = ["ming2022_mnist", "--scale=smoke", f"--output_dir={folder}"]
    process = _start(*arguments)
    _wait_for(".lock", folder, process)
    try:
        code, output = _run(*arguments)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert code == 1
    assert "Another reproduction" in output


def test_snakemake_is_an_extra(tmp_path, monkeypatch):
    monkeypatch.chdir(_ROOT)
    monkeypatch.setitem(sys.modules, "snakemake", None)  # as if not installed
    with pytest.raises(ValueError, match=r"pip install --editable '\.\[reproduce\]'"):
        reproduction.reproduce(
            ["ming2022_mnist"],
            scale="smoke",
            cores=1,
            dry_run=False,
            land=False,
            output_dir=str(tmp_path / "reproduction"),
            data_dir=None,
            manual_dir=None,
            weights_dir=None,
            snakemake=[],
        )
    assert not list(tmp_path.iterdir())


def test_outside_of_a_checkout(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "tfsemae.reproduce"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "checkout" in result.stderr
