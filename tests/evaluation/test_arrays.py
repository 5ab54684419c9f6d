"""Values of each example in shards: complete, resumable, bounded in memory."""

import tracemalloc

import numpy as np
import pytest
import tensorflow as tf

from tfsemae.data import Images
from tfsemae.evaluation import arrays
from tfsemae.evaluation.arrays import Shards

COUNT = 23


class Killed(Exception):
    """Stands for kill -9: nothing handles it."""


@pytest.fixture
def a_shard_each_batch(monkeypatch):
    monkeypatch.setattr(arrays, "_SHARD_BYTES", 1)


def _images(count=COUNT, shape=(3, 2, 1)):
    rng = np.random.default_rng(0)
    return Images(rng.integers(0, 256, (count, *shape), dtype=np.uint8), None, ())


def _step(pixels):
    """The pixels, their mean, and whether that is above one half."""
    means = tf.reduce_mean(pixels, axis=(1, 2, 3))
    return {
        "clean": {"pixels": pixels, "mean": means},
        "noise": {"bright": means > 0.5},
    }


def _measure(shards, images=None, batch_size=5, **options):
    images = images or _images()
    arrays.measure(_step, images, shards, batch_size=batch_size, **options)
    return shards


def _read(shards):
    return {"/".join(key): shards.read(*key) for key in shards.quantities()}


# --- measure


@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
def test_values_are_those_of_each_image_in_order(
    tmp_path, a_shard_each_batch, batch_size
):
    found = _read(_measure(Shards(tmp_path / "s", []), batch_size=batch_size))
    pixels = _images().images / np.float32(255)
    assert set(found) == {"clean/pixels", "clean/mean", "noise/bright"}
    np.testing.assert_array_equal(found["clean/pixels"], pixels, strict=True)
    means = pixels.mean(axis=(1, 2, 3))
    # Sums of six numbers below 1.
    np.testing.assert_allclose(found["clean/mean"], means, atol=1e-6)
    np.testing.assert_array_equal(found["noise/bright"], means > 0.5)


def test_one_trace_for_all_batches(tmp_path):
    traced = []

    def step(pixels):
        traced.append(pixels.shape)
        return _step(pixels)

    shards = Shards(tmp_path / "s", [])
    arrays.measure(step, _images(), shards, batch_size=5)  # the last one is of 3
    assert traced == [(None, 3, 2, 1)]
    assert shards.done() == COUNT


@pytest.mark.parametrize("stop", [0, 1, 4])
def test_killed_and_continued_equals_uninterrupted(
    tmp_path, a_shard_each_batch, monkeypatch, stop
):
    expected = _read(_measure(Shards(tmp_path / "whole", ["a"])))
    write, written = Shards.write, []

    def write_or_die(shards, first, values):
        if len(written) == stop:
            raise Killed
        written.append(first)
        write(shards, first, values)

    monkeypatch.setattr(Shards, "write", write_or_die)
    with pytest.raises(Killed):
        _measure(Shards(tmp_path / "s", ["a"]))
    stop = -1
    shards = Shards(tmp_path / "s", ["a"])
    assert shards.done() == 5 * len(written)
    found = _read(_measure(shards))
    assert written == [0, 5, 10, 15, 20], "a finished shard was computed again"
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_shards_of_a_damaged_record_are_computed_again(tmp_path):
    _measure(Shards(tmp_path / "s", ["a"]))
    assert Shards(tmp_path / "s", ["a"]).done() == COUNT
    (tmp_path / "s" / "shards.json").write_text("{")
    assert Shards(tmp_path / "s", ["a"]).done() == 0


@pytest.mark.parametrize("done", [0, 10])
def test_streams_beside_go_on_where_they_were(tmp_path, a_shard_each_batch, done):
    def streams():
        for seed in (1, 2):
            random = np.random.default_rng(seed)
            yield lambda shape, random=random: random.random(shape, np.float32)

    def step(pixels, first, second):
        return {"clean": {"sum": pixels + first - second}}

    images, shards = _images(), Shards(tmp_path / "s", [])
    if done:  # what an earlier start left
        zeros = np.zeros((done, 3, 2, 1), np.float32)
        shards.write(0, {"clean": {"sum": zeros}})
    arrays.measure(step, images, shards, batch_size=5, inputs=list(streams()))
    first, second = (
        np.random.default_rng(seed).random(images.images.shape, np.float32)
        for seed in (1, 2)
    )
    expected = images.images / np.float32(255) + first - second
    found = shards.read("clean", "sum")
    np.testing.assert_array_equal(found[done:], expected[done:])


def test_progress_is_shown(tmp_path, capsys):
    _measure(Shards(tmp_path / "s", []))
    assert "image 23/23" in capsys.readouterr().err


# --- Shards


@pytest.mark.parametrize(("identity", "kept"), [(["a", "b"], 5), (["a", "c"], 0)])
def test_shards_of_another_identity_are_removed(tmp_path, identity, kept):
    values = {"clean": {"psnr": np.arange(5.0)}}
    Shards(tmp_path / "s", ["a", "b"]).write(0, values)
    assert Shards(tmp_path / "s", identity).done() == kept


def test_what_a_killed_writer_left_is_no_shard(tmp_path):
    shards = Shards(tmp_path / "s", [])
    shards.write(0, {"clean": {"psnr": np.arange(5.0)}})
    (tmp_path / "s" / ".123.00000005.npz").write_bytes(b"half")
    assert shards.done() == 5
    np.testing.assert_array_equal(shards.read("clean", "psnr"), np.arange(5.0))


def test_a_shard_behind_a_gap_is_not_read(tmp_path):
    shards = Shards(tmp_path / "s", [])
    for first in (0, 10):
        shards.write(first, {"clean": {"psnr": np.arange(5.0)}})
    assert shards.done() == len(shards.read("clean", "psnr")) == 5


def test_remove_leaves_nothing(tmp_path):
    shards = Shards(tmp_path / "s", [])
    shards.write(0, {"clean": {"psnr": np.arange(5.0)}})
    shards.remove()
    assert not list(tmp_path.iterdir())


# --- merge


def test_merged_file_is_that_of_savez_byte_by_byte(tmp_path, a_shard_each_batch):
    shards = _measure(Shards(tmp_path / "s", []))
    shards.merge(tmp_path / "merged.npz")
    np.savez(tmp_path / "expected.npz", **_read(shards))
    merged = (tmp_path / "merged.npz").read_bytes()
    assert merged == (tmp_path / "expected.npz").read_bytes()


def test_quantities_can_be_left_out(tmp_path, a_shard_each_batch):
    shards = _measure(Shards(tmp_path / "s", []))
    shards.merge(tmp_path / "merged.npz", leave_out=["pixels"])
    with np.load(tmp_path / "merged.npz") as file:
        assert file.files == ["clean/mean", "noise/bright"]


def test_parts_that_lie_otherwise_in_memory_are_written_in_order(tmp_path):
    # Of an array in Fortran's order the header would say so of all.
    parts = [np.arange(6.0).reshape(3, 2).T, np.arange(6.0, 9.0).reshape(1, 3)]
    assert not parts[0].flags.c_contiguous
    arrays.write_npz(tmp_path / "a.npz", {"a": lambda: iter(parts)})
    with np.load(tmp_path / "a.npz") as file:
        np.testing.assert_array_equal(file["a"], np.concatenate(parts), strict=True)


def test_memory_is_bounded_by_a_shard(tmp_path, monkeypatch):
    # 64 batches of 80 KB, a shard each: 5 MB in all.
    batch, count = 20_000 * 4, 64
    monkeypatch.setattr(arrays, "_SHARD_BYTES", 1)

    def step(pixels):
        return {"clean": {"wide": tf.tile(tf.reshape(pixels, (-1, 1)), (1, 20_000))}}

    shards = Shards(tmp_path / "s", [])
    images = _images(count, (1, 1, 1))
    arrays.measure(step, images, shards, batch_size=1)  # imports, traces
    shards.remove()
    shards = Shards(tmp_path / "s", [])
    tracemalloc.start()
    arrays.measure(step, images, shards, batch_size=1)
    shards.merge(tmp_path / "merged.npz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "merged.npz").stat().st_size > count * batch
    # A batch, its shard and the copy that is written, and what tracing takes.
    assert peak < 0.5 * count * batch
