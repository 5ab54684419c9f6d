import json
import shutil

import keras
import numpy as np
import pytest

from tfsemae.training.checkpoints import Checkpoints

FLAGS = ("--steps=10", "--seed=0")


def _model(seed=0):
    """A network with an optimizer that has state of its own, trained by no one."""
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    network.compile(keras.optimizers.Adam(), "mse")
    network.optimizer.build(network.trainable_variables)
    rng = np.random.default_rng(seed)
    for variable in _variables(network):
        variable.assign(rng.integers(1, 100, variable.shape))
    return network


def _variables(network):
    return [*network.weights, *network.optimizer.variables]


def _state(network):
    return [variable.numpy() for variable in _variables(network)]


def _assert_equal(network, other):
    for a, b in zip(_state(network), _state(other), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints", FLAGS)


@pytest.fixture
def saved(checkpoints, tmp_path):
    """A folder with the checkpoints of steps 2 and 4, made by `_model` of that seed."""
    for step in (2, 4):
        checkpoints.save(_model(step), step)
    return tmp_path / "checkpoints"


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_without_any_a_run_begins_at_step_0(checkpoints):
    network = _model(1)
    assert checkpoints.restore(network) == 0
    _assert_equal(network, _model(1))


def test_newest_is_restored_with_weights_and_optimizer(checkpoints, saved):
    network = _model()
    assert checkpoints.restore(network) == 4
    _assert_equal(network, _model(4))


def test_two_are_kept(checkpoints, saved):
    checkpoints.save(_model(6), 6)
    assert _names(saved) == [
        "step_00000004.json",
        "step_00000004.weights.h5",
        "step_00000006.json",
        "step_00000006.weights.h5",
    ]


def test_saving_a_step_again_replaces_it(checkpoints, saved):
    checkpoints.save(_model(5), 4)
    network = _model()
    assert checkpoints.restore(network) == 4
    _assert_equal(network, _model(5))
    assert len(_names(saved)) == 4


def test_one_of_weights_alone_does_not_count(checkpoints, saved):
    (saved / "step_00000004.json").unlink()
    network = _model()
    assert checkpoints.restore(network) == 2
    _assert_equal(network, _model(2))


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: _truncate(folder / "step_00000004.weights.h5"),
        lambda folder: (folder / "step_00000004.weights.h5").unlink(),
        lambda folder: (folder / "step_00000004.weights.h5").write_bytes(b""),
        lambda folder: shutil.copy(
            folder / "step_00000002.weights.h5", folder / "step_00000004.weights.h5"
        ),
        lambda folder: _truncate(folder / "step_00000004.json"),
        lambda folder: (folder / "step_00000004.json").write_text("[]"),
        lambda folder: (folder / "step_00000004.json").write_text('{"step": 4}'),
        lambda folder: (folder / "step_00000004.json").write_bytes(b"\xff"),
    ],
    ids=[
        "truncated",
        "lost",
        "empty",
        "of another step",
        "truncated record",
        "list",
        "incomplete record",
        "not text",
    ],
)
def test_damaged_newest_falls_back_to_the_older_with_a_warning(
    checkpoints, saved, damage
):
    damage(saved)
    network = _model()
    with pytest.warns(UserWarning, match="step 4 .* is not good .* the one before"):
        assert checkpoints.restore(network) == 2
    _assert_equal(network, _model(2))


@pytest.mark.filterwarnings("ignore:The checkpoint of step:UserWarning")
def test_all_damaged_is_an_error(checkpoints, saved):
    for path in saved.glob("*.h5"):
        _truncate(path)
    with pytest.raises(ValueError, match=f"None of the checkpoints in {saved} can"):
        checkpoints.restore(_model())


def test_one_of_a_run_with_other_flags_is_foreign(checkpoints, saved, tmp_path):
    other = Checkpoints(tmp_path / "other", (*FLAGS[:-1], "--seed=1"))
    other.save(_model(6), 6)
    for path in (tmp_path / "other").iterdir():
        shutil.copy(path, saved)
    network = _model()
    with pytest.warns(UserWarning, match="step 6 .* belongs to a run with other flags"):
        assert checkpoints.restore(network) == 4
    _assert_equal(network, _model(4))


@pytest.mark.filterwarnings("ignore:The checkpoint of step:UserWarning")
def test_foreign_ones_do_not_push_out_the_own(checkpoints, saved, tmp_path):
    other = Checkpoints(tmp_path / "other", ("--seed=1",))
    for step in (100, 102):
        other.save(_model(step), step)
    for path in (tmp_path / "other").iterdir():
        shutil.copy(path, saved)
    assert checkpoints.restore(_model()) == 4
    checkpoints.save(_model(6), 6)
    network = _model()
    assert checkpoints.restore(network) == 6
    _assert_equal(network, _model(6))
    assert (saved / "step_00000004.json").exists()


@pytest.mark.filterwarnings("ignore:The checkpoint of step:UserWarning")
def test_foreign_ones_alone_are_an_error(saved, tmp_path):
    checkpoints = Checkpoints(saved, ("--seed=1",))
    with pytest.raises(ValueError, match="None of the checkpoints"):
        checkpoints.restore(_model())


def test_record_names_the_content(saved):
    record = json.loads((saved / "step_00000004.json").read_text("utf-8"))
    assert sorted(record) == ["run", "sha256", "step"]
    assert record["step"] == 4


def test_full_disk_keeps_the_earlier_ones(checkpoints, saved, full_disk):
    names = _names(saved)
    with (
        full_disk(5_000),
        pytest.raises(OSError, match=r"step_00000006\.weights\.h5 cannot be written"),
    ):
        checkpoints.save(_model(6), 6)
    assert _names(saved) == names
    network = _model()
    assert checkpoints.restore(network) == 4
    _assert_equal(network, _model(4))


def test_more_room_than_needed_is_asked_for_and_little_more(
    checkpoints, saved, full_disk
):
    size = (saved / "step_00000004.weights.h5").stat().st_size
    with full_disk(size + 2**20):
        checkpoints.save(_model(6), 6)
    assert (saved / "step_00000006.json").exists()


def test_a_step_from_which_the_run_may_not_go_on_is_removed_behind_another(
    checkpoints, saved
):
    # As of a run that is extended, whose last interval was shorter.
    network = _model()
    assert checkpoints.restore(network, usable=lambda step: step != 4) == 2
    _assert_equal(network, _model(2))
    assert _names(saved) == ["step_00000002.json", "step_00000002.weights.h5"]


def test_without_a_usable_one_a_run_begins_at_step_0(checkpoints, saved):
    network = _model(1)
    assert checkpoints.restore(network, usable=lambda step: False) == 0
    _assert_equal(network, _model(1))


def test_leftovers_of_a_killed_save_do_not_count(checkpoints, saved):
    (saved / ".123.step_00000006.weights.h5").write_bytes(b"half")
    (saved / ".123.step_00000006.json").write_text("{")
    assert checkpoints.restore(_model()) == 4
