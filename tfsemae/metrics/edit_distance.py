"""How far spelled words are from the right ones."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def edit_distances(found: Sequence[str], right: Sequence[str]) -> np.ndarray:
    """The least number of letters to insert, delete or replace, word by word.

    Args:
        found: N words; one may be empty.
        right: N words.

    Returns:
        int64 `[N]` (Levenshtein distances).

    Raises:
        ValueError: if there are not as many of both, or none.

    Example:
        >>> from tfsemae import metrics
        >>> metrics.edit_distances(["sitting"], ["kitten"]).tolist()
        [3]
    """
    if len(found) != len(right) or not right:
        raise ValueError(
            "`found` and `right` must have as many words, at least 1. "
            f"Received: {len(found)} and {len(right)}."
        )
    pair = [
        tf.RaggedTensor.from_row_lengths(
            tf.constant([ord(letter) for letter in "".join(words)], tf.int32),
            [len(word) for word in words],
        ).to_sparse()
        for words in (found, right)
    ]
    distances = tf.edit_distance(*pair, normalize=False).numpy()
    # Words at the end that are empty on both sides.
    padded = np.zeros(len(right), np.int64)
    padded[: len(distances)] = np.rint(distances)
    return padded


def character_error_rate(found: Sequence[str], right: Sequence[str]) -> float:
    """Edit distances of all words, as a share of the letters of the right ones.

    Args:
        found: N words.
        right: N words, not all empty.

    Returns:
        0 where all are right; above 1 where more letters are wrong than there are.

    Raises:
        ValueError: if there are not as many of both, or the right ones are empty.

    Example:
        >>> from tfsemae import metrics
        >>> metrics.character_error_rate(["ship", "sto"], ["shop", "stop"])
        0.25
    """
    letters = sum(map(len, right))
    if not letters:
        raise ValueError("`right` must have letters. Received: only empty words.")
    return float(edit_distances(found, right).sum() / letters)
