import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfsemae.training import draws

_DRAWS = {"noise": draws.normal(3), "prior": draws.normal(3), "seed": draws.seeds()}


def _batches(count=6, rows=4):
    images = tf.zeros([count * rows, 2, 2, 1])
    return tf.data.Dataset.from_tensor_slices((images, images)).batch(rows)


def _numbers(name, count=6, rows=4, **options):
    found = draws.add(_batches(count, rows), _DRAWS, **{"seed": 0} | options)
    return np.stack([inputs[name] for inputs, _ in found])


@pytest.mark.parametrize("name", _DRAWS)
def test_they_depend_on_seed_and_step_alone(name):
    whole = _numbers(name)
    np.testing.assert_array_equal(_numbers(name, count=2, start_step=4), whole[4:])
    for other in ({"seed": 1}, {"held_out": True}, {"start_step": 1}):
        # The second number of a seed is that of the stream.
        assert not np.any(_numbers(name, **other)[..., 0] == whole[..., 0])
    assert len(np.unique(whole[..., 0].ravel())) == (6 if name == "seed" else 24)


def test_streams_are_independent_standard_normal_numbers():
    noise, prior = (
        _numbers(name, count=50, rows=20).ravel() for name in _DRAWS if name != "seed"
    )
    for numbers in (noise, prior):
        assert stats.kstest(numbers, "norm").pvalue > 0.01
    # A correlation of 3,000 pairs has a standard deviation of 0.018.
    assert abs(np.corrcoef(noise, prior)[0, 1]) < 0.06


def test_masks_are_kept_with_their_probability():
    kept = draws.keep((5, 2), 0.3).make(tf.constant([1, 2], tf.int64), 4_000)
    assert (kept.dtype, kept.shape) == (tf.bool, (4_000, 5, 2))
    # 40,000 numbers: a standard deviation of 0.0023.
    assert np.mean(kept) == pytest.approx(0.7, abs=0.01)
    all_kept = draws.keep((3,), 0.0).make(tf.constant([1, 2], tf.int64), 50)
    assert np.all(all_kept)


def test_a_smaller_batch_has_as_many_numbers():
    batches = tf.data.Dataset.from_tensor_slices(2 * (tf.zeros([5, 2, 2, 1]),)).batch(3)
    found = draws.add(batches, _DRAWS, seed=0)
    assert [inputs["noise"].shape for inputs, _ in found] == [(3, 3), (2, 3)]


def test_batches_without_draws_stay_as_they_are():
    batches = _batches()
    assert draws.add(batches, {}, seed=0) is batches
