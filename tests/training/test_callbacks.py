import re

import keras
import numpy as np
import pytest

from tfsemae.training import callbacks
from tfsemae.training.checkpoints import Checkpoints

# --- StopOnNaN


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("term", ["reconstruction", "logits"])
def test_nan_stops_at_its_step_with_its_term(small_network, fit_small, step, term):
    stop = callbacks.StopOnNaN()
    with pytest.raises(FloatingPointError) as caught:
        fit_small(small_network(), stop, intervals=3, bad_step=step, bad=term)
    message = str(caught.value)
    assert f"at step {step}:" in message
    assert f"{term}_loss" in message
    other = {"reconstruction": "logits", "logits": "reconstruction"}[term]
    assert f"{other}_loss" not in message


def test_finite_losses_do_not_stop(small_network, fit_small, steps):
    network = small_network()
    fit_small(network, callbacks.StopOnNaN(), intervals=2)
    assert network.steps_done() == 2 * steps


def test_weights_that_overflow_in_the_last_step_are_not_saved(
    tmp_path, small_network, fit_small, steps
):
    # Their losses would only be seen one step later, behind the checkpoint.
    network = small_network(rate=1e38)
    network.get_layer("pixels").kernel.assign([[1e3]])  # others may overflow too

    class OneStep(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            rate = 1e38 if batch == steps - 1 else 0.0
            self.model.optimizer.learning_rate.assign(rate)

    save = callbacks.SaveCheckpoint(Checkpoints(tmp_path, ()))
    with pytest.raises(FloatingPointError, match=r"after step 3: .*pixels/kernel"):
        fit_small(network, OneStep(), callbacks.StopOnNaN(), save)
    assert not list(tmp_path.iterdir())


# --- CheckSteps


@pytest.mark.parametrize(
    ("every", "total", "ends_early"),
    [(3, 6, False), (3, 5, False), (4, 3, False), (4, 8, True), (2, 9, True)],
)
def test_an_interval_ends_after_its_steps_or_with_the_run(
    small_network, fit_small, every, total, ends_early
):
    # The one interval that is trained here ends after 3 steps.
    check = callbacks.CheckSteps(total, every)
    if not ends_early:
        fit_small(small_network(), check)
        return
    message = f"ended after 3 of --steps={total} steps.*KERAS_MAX_STEPS_PER_EPOCH"
    with pytest.raises(ValueError, match=message):
        fit_small(small_network(), check)


# --- SaveCheckpoint


def test_a_checkpoint_ends_each_interval(tmp_path, small_network, fit_small):
    checkpoints = Checkpoints(tmp_path, ())
    network = small_network()
    fit_small(network, callbacks.SaveCheckpoint(checkpoints), intervals=2)
    assert sorted(path.name for path in tmp_path.glob("*.json")) == [
        "step_00000003.json",
        "step_00000006.json",
    ]
    other = small_network()
    assert checkpoints.restore(other) == 6
    assert other.steps_done() == 6
    for a, b in zip(network.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# --- ShowProgress


def test_a_line_per_interval_has_steps_losses_and_time_left(
    capsys, small_network, fit_small, steps
):
    progress = callbacks.ShowProgress(0, 2 * steps)
    fit_small(small_network(), progress, intervals=2)
    progress.close()
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
