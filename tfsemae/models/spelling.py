"""Class names as sequences of letters, each a number."""

from collections.abc import Sequence

import numpy as np

#: The symbol behind the last letter, which also stands before the first one.
END = 0
#: Behind the end symbol, in targets: no letter.
PADDING = -1


def alphabet(class_names: Sequence[str]) -> str:
    """The letters of all names, sorted; letter `k` is the symbol `k + 1`.

    Example:
        >>> from tfsemae.models import spelling
        >>> spelling.alphabet(["ten", "net", "to"])
        'enot'
    """
    return "".join(sorted(set("".join(class_names))))


def symbols(class_names: Sequence[str]) -> np.ndarray:
    """The spelling of each class, the targets of a speller.

    Args:
        class_names: none of them empty.

    Returns:
        int32 `[K, L]`: the letters, `END`, then `PADDING`. L is the length of the
        longest name and 1.

    Raises:
        ValueError: if a name is empty.

    Example:
        >>> from tfsemae.models import spelling
        >>> spelling.symbols(["ten", "to"]).tolist()
        [[4, 1, 2, 0], [4, 3, 0, -1]]
    """
    if not all(class_names):
        raise ValueError(
            "A class without a name cannot be spelled. "
            f"Received: class_names={tuple(class_names)}."
        )
    letters = alphabet(class_names)
    found = np.full((len(class_names), max(map(len, class_names)) + 1), PADDING)
    for row, name in zip(found, class_names, strict=True):
        row[: len(name)] = [letters.index(letter) + 1 for letter in name]
        row[len(name)] = END
    return found.astype(np.int32)


def previous(targets: np.ndarray) -> np.ndarray:
    """What a speller is given to find each target: the symbol before it.

    Args:
        targets: int `[K, L]`, as of `symbols`.

    Returns:
        int32 `[K, L]`, which begins with `END`; `END` in place of padding.
    """
    before = np.roll(np.maximum(targets, END), 1, axis=1)
    before[:, 0] = END
    return before.astype(np.int32)


def texts(found: np.ndarray, letters: str) -> list[str]:
    """The words that symbols spell.

    Args:
        found: int `[N, L]`, of which what stands behind the first `END` is left out.
        letters: the alphabet.

    Returns:
        N words.
    """
    words = []
    for row in found.tolist():
        length = row.index(END) if END in row else len(row)
        words.append("".join(letters[symbol - 1] for symbol in row[:length]))
    return words
