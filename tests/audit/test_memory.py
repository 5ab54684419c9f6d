"""The stages of an audit hold a batch of images as float32, however many there are."""

import tracemalloc
import types

import numpy as np
import pytest

from tfsemae import data
from tfsemae.audit import stages
from tfsemae.audit.damage import mean_squared_error
from tfsemae.audit.plan import Plan
from tfsemae.audit.schedule import Schedule
from tfsemae.audit.stored import Stored
from tfsemae.evaluation.arrays import Shards

SHAPE = (32, 32, 3)
SIZE = 8


def _identity(tensor):
    return tensor


class _Steps:
    """Attacks that find what they are given, as large as images."""

    space = types.SimpleNamespace(name="input", differentiable=True)

    def numbers(self, restarts):
        return lambda count: (np.zeros((restarts, count), np.float32), None)

    def smallest(self, point, starts, normal):
        found = np.ones(len(point), np.float32)
        return {"smallest": {"epsilon": found, "point": point, "direction": point}}

    def attacked(self, point, starts, normal, direction, radius):
        np.testing.assert_array_equal(direction, point)
        return {"noise": {"mse": np.full(len(point), radius)}}

    def queried(self, point, starts, radius):
        return {"query_only": {"mse": np.full(len(point), radius)}}


def _peak(count, folder):
    """Bytes of the stages at most, and what they found."""
    pixels = np.random.default_rng(0).integers(0, 256, (count, *SHAPE), np.uint8)
    subject = types.SimpleNamespace(
        request=types.SimpleNamespace(
            images=data.Images(pixels, None, ()), seed=0, batch_size=SIZE, folder=folder
        ),
        model=types.SimpleNamespace(encode=_identity, decode=_identity),
        measures={"mse": mean_squared_error},
        order=np.arange(count)[::-1],
        identity=(),
    )
    tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    audited = stages.Stages(subject, Plan(examples=count), Schedule(stages.COSTS))
    clean, latents = audited.clean()
    values, point, direction = audited.smallest(_Steps(), None)
    curves = audited.curves(_Steps(), None, direction, np.float32([0.1, 0.2]))
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    np.testing.assert_array_equal(clean["mse"], np.zeros(count))
    assert len(values["epsilon"]) == len(latents) == len(point) == count
    places = np.array([count - 1, 0, 5])
    np.testing.assert_allclose(point[places] * 255, pixels[::-1][places], atol=1e-3)
    np.testing.assert_allclose(
        [each["noise"]["mse"].mean() for each in curves], [0.1, 0.2], rtol=1e-6
    )
    return peak


def test_memory_of_the_stages_grows_by_the_bytes_of_the_images_alone(tmp_path):
    few, many = 2 * SIZE, 50 * SIZE
    _peak(few, tmp_path / "first")  # what is imported and traced once
    growth = _peak(many, tmp_path / "many") - _peak(few, tmp_path / "few")
    # One copy of the uint8 images, in the order of the audit; and values of each.
    # One quantity of float32 would be 4 times as much.
    assert growth < 1.5 * (many - few) * np.prod(SHAPE)


@pytest.mark.parametrize(
    "rows",
    [slice(None), slice(3, 9), slice(0, 2), np.array([6, 0, 6]), np.array([9, 2, 4])],
)
def test_stored_rows_are_those_of_the_array(rows, tmp_path):
    array = np.random.default_rng(0).normal(size=(10, 2, 3)).astype(np.float32)
    shards = Shards(tmp_path / "shards", [])
    for first in (0, 4, 8):  # the last shard is smaller
        shards.write(first, {"found": {"point": array[first : first + 4]}})
    stored = Stored(shards, "found", "point")
    assert len(stored) == 10
    np.testing.assert_array_equal(stored[rows], array[rows])
