"""Rows of an array that lies on the disk: memory does not grow with their number."""

import itertools

import numpy as np

from tfsemae.evaluation.arrays import Shards


class Stored:
    """A quantity `[N, ...]` of shards; rows are read when they are asked for."""

    def __init__(self, shards: Shards, condition: str, quantity: str):
        """Takes a quantity of shards that are complete."""
        self._name = f"{condition}/{quantity}"
        paths, lengths = zip(*shards.files(), strict=True)
        self._paths = paths
        self._ends = np.array(list(itertools.accumulate(lengths)))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """The rows of a slice or of places, in that order."""
        places = np.arange(len(self))[rows]
        shards = np.searchsorted(self._ends, places, side="right")
        found: np.ndarray | None = None
        for shard in np.unique(shards):
            first = 0 if shard == 0 else self._ends[shard - 1]
            with np.load(self._paths[shard]) as arrays:
                array = arrays[self._name]
            if found is None:
                found = np.empty((len(places), *array.shape[1:]), array.dtype)
            found[shards == shard] = array[places[shards == shard] - first]
        assert found is not None  # nobody asks for no rows
        return found
