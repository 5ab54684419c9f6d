"""Values of each example, on disk in shards: bounded memory, and resumable."""

import contextlib
import functools
import pathlib
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfsemae import data, files
from tfsemae.progress import Progress

#: Condition, such as `clean` or `adversarial` -> quantity -> `[N, ...]`.
Arrays = dict[str, dict[str, np.ndarray]]

#: In the folder of a run: values of each example, `<condition>/<quantity>`.
MEASUREMENTS_FILE = "measurements.npz"
_SHARD_BYTES = 64 * 2**20
_RECORD = "shards.json"


class Shards:
    """The values of N examples, in files of some hundred examples each.

    A shard holds `<condition>/<quantity>` arrays of consecutive examples. It is
    written whole or not at all, so that a second start computes what is missing.
    """

    def __init__(self, folder: pathlib.Path, identity: Sequence[str]):
        """Opens a folder of shards; those of another identity are removed.

        Args:
            folder: made if it is missing.
            identity: texts on which the values depend.
        """
        self._folder = folder
        record = {"identity": list(identity)}
        path = folder / _RECORD
        if files.json_or_none(path) != record:
            shutil.rmtree(folder, ignore_errors=True)
            files.write_json(path, record)

    def write(self, first: int, values: Arrays) -> None:
        """Writes the shard that begins with an example."""
        with files.replacing(self._folder / f"{first:08d}.npz") as temporary:
            flat: Any = _flat(values)  # NumPy's own keywords are among the names
            np.savez(temporary, **flat)

    def done(self) -> int:
        """How many examples are there from the first one on, without a gap."""
        return sum(length for _, length in self.files())

    def read(self, condition: str, quantity: str) -> np.ndarray:
        """A quantity of all examples, `[N, ...]`."""
        return np.concatenate(list(self.parts(condition, quantity)))

    def parts(self, condition: str, quantity: str) -> Iterator[np.ndarray]:
        """The same, shard by shard."""
        for path, _ in self.files():
            with np.load(path) as arrays:
                yield arrays[f"{condition}/{quantity}"]

    def quantities(self) -> list[tuple[str, str]]:
        """(condition, quantity) of what there is."""
        with np.load(self._folder / f"{0:08d}.npz") as arrays:
            split = (key.partition("/") for key in arrays.files)
            return [(condition, quantity) for condition, _, quantity in split]

    def merge(self, path: pathlib.Path, leave_out: Sequence[str] = ()) -> None:
        """Writes all shards as one `.npz`, a shard at a time in memory.

        Args:
            path: of the file; its arrays are named `<condition>/<quantity>`.
            leave_out: quantities that do not go there.
        """
        wanted = [key for key in self.quantities() if key[1] not in leave_out]
        parts = {"/".join(key): functools.partial(self.parts, *key) for key in wanted}
        write_npz(path, parts)

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self._folder)

    def files(self) -> Iterator[tuple[pathlib.Path, int]]:
        """The shards in order, each with the number of its examples."""
        first = 0
        while (path := self._folder / f"{first:08d}.npz").exists():
            with np.load(path) as arrays:
                length = len(arrays[arrays.files[0]])
            yield path, length
            first += length


def write_npz(
    path: pathlib.Path, parts: Mapping[str, Callable[[], Iterator[np.ndarray]]]
) -> None:
    """Writes arrays that come in parts as one `.npz`, a part at a time in memory.

    The file is that of `np.savez` of the whole arrays, byte by byte.

    Args:
        path: of the file.
        parts: name -> function that begins an iteration over `[n, ...]` arrays, of
            which the first axes add up.
    """
    with (
        files.replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", allowZip64=True) as archive,
    ):
        for name, begin in parts.items():
            count = sum(len(part) for part in begin())
            first = np.ascontiguousarray(next(begin()))
            header = np.lib.format.header_data_from_array_1_0(first)
            header["shape"] = (count, *first.shape[1:])
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array_header_1_0(stream, header)
                for part in begin():
                    stream.write(np.ascontiguousarray(part).data)


def whole(
    arrays: Mapping[str, np.ndarray],
) -> dict[str, Callable[[], Iterator[np.ndarray]]]:
    """Arrays in memory as parts of `write_npz`."""
    return {name: functools.partial(_only, array) for name, array in arrays.items()}


def _only(array: np.ndarray) -> Iterator[np.ndarray]:
    yield array


def mean_of_finite(values: np.ndarray) -> float | None:
    """The mean of the finite ones of `[N]`; None where there is none."""
    finite = values[np.isfinite(values)]
    return float(np.mean(finite)) if finite.size else None


def measure(
    step: Callable[..., Mapping[str, Mapping[str, tf.Tensor]]],
    images: data.Images,
    shards: Shards,
    *,
    batch_size: int,
    inputs: Sequence[Callable[[tuple[int, ...]], np.ndarray]] = (),
) -> None:
    """Computes values of each image, batch by batch, into shards.

    Args:
        step: pixels float32 `[B, H, W, C]` in [0, 1], and what each of `inputs`
            gives -> condition -> quantity -> `[B, ...]`; compiled here, one trace
            for all batches.
        images: of which.
        shards: where to; what is there is not computed again.
        batch_size: images at a time; the identity of the shards names it, as each
            holds whole batches.
        inputs: functions from the shape of a batch to a float32 array of that
            shape, such as noise; called for each batch in order, so that they may
            be streams.
    """
    shape = (None, *images.images.shape[1:])
    signature = [tf.TensorSpec(shape, tf.float32)] * (1 + len(inputs))
    # No step branches on tensors, and AutoGraph would keep its networks on Python 3.13.
    compiled = tf.function(step, input_signature=signature, autograph=False)

    def batches() -> Iterator[tuple]:
        for batch in data.batches(images, batch_size, shuffle=False):
            pixels = tf.nest.flatten(batch)[0]
            yield (pixels, *(make(tuple(pixels.shape)) for make in inputs))

    compute(compiled, batches(), shards, total=len(images))


def compute(
    step: Callable[..., Mapping[str, Mapping[str, tf.Tensor]]],
    batches: Iterable[tuple],
    shards: Shards,
    *,
    total: int,
) -> None:
    """Computes values of each example, batch by batch, into shards.

    Args:
        step: as in `measure`, compiled.
        batches: its arguments, the first of them `[B, ...]`.
        shards: see `measure`.
        total: number of all examples.
    """
    done, first, waiting = shards.done(), 0, []
    with contextlib.closing(Progress(total, done=done, unit="image")) as progress:
        for arguments in batches:
            first += len(arguments[0])
            if first <= done:
                continue
            values = step(*arguments)
            waiting.append(tf.nest.map_structure(lambda each: each.numpy(), values))
            progress.update(first)
            size = sum(array.nbytes for array in tf.nest.flatten(waiting))
            if size >= _SHARD_BYTES or first == total:
                whole = tf.nest.map_structure(
                    lambda *some: np.concatenate(some), *waiting
                )
                shards.write(done, whole)
                done, waiting = first, []


def _flat(values: Arrays) -> dict[str, np.ndarray]:
    return {
        f"{condition}/{quantity}": array
        for condition, quantities in values.items()
        for quantity, array in quantities.items()
    }
