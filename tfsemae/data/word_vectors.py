"""Word vectors of classes, from a text file, and the controls that replace them."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from tfsemae import files

ClassCodes: TypeAlias = Literal["glove", "perm", "random", "onehot"]

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def class_vectors(
    path: files.PathLike,
    classes: Sequence[str],
    *,
    replacements: Mapping[str, str] | None = None,
) -> np.ndarray:
    r"""Reads a vector for each class.

    The file is text in UTF-8 with a line `word v1 .. vE` per word, as GloVe has it.
    Only the lines of words that are needed are parsed. A class is looked up in lower
    case, as in the file; if the file does not have "maple_tree", the vector is the
    mean of those of "maple" and "tree".

    Args:
        path: the file; `~` is expanded.
        classes: names in the order of the labels, each once. Words of a name are
            separated by spaces, underscores or hyphens.
        replacements: class -> name that is looked up instead, such as
            {"automobile": "car"}.

    Returns:
        float64 `[C, E]`, a row per class.

    Raises:
        ValueError: if the file cannot be read, a word is missing, is there twice or
            has another number of values than the others, a value is not a finite
            number, the vector of a class is zero, or a replacement names no class.

    Source: Pennington et al. 2014, "GloVe: global vectors for word representation";
    the mean of several words is our choice.

    Example:
        >>> import pathlib, tempfile
        >>> from tfsemae import data
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "words.txt")
        >>> _ = path.write_text("cat 1 0\nmaple 0 1\ntree 0 3\n")
        >>> data.class_vectors(path, ["cat", "maple_tree"]).tolist()
        [[1.0, 0.0], [0.0, 2.0]]
        >>> folder.cleanup()
    """
    replacements = replacements or {}
    _check_classes(classes, replacements)
    names = [replacements.get(name, name).lower() for name in classes]
    needed = {word for name in names for word in (name, *_words(name))}
    vectors = _vectors(path, needed)
    rows = []
    for class_name, name in zip(classes, names, strict=True):
        words = [name] if name in vectors else _words(name)
        missing = [word for word in words if word not in vectors]
        if missing or not words:
            raise ValueError(
                f"{path} must have a line for each word of the class {class_name!r}. "
                f"Received: no line for {', '.join(missing) or 'an empty name'}."
            )
        row = np.mean([vectors[word] for word in words], axis=0)
        if not row.any():
            raise ValueError(
                f"{path}: the vector of the class {class_name!r} must not be zero, "
                "since it has no direction."
            )
        rows.append(row)
    return np.stack(rows)


def class_codes(
    vectors: npt.ArrayLike, kind: ClassCodes, *, seed: int = 0
) -> np.ndarray:
    """Codes of classes: their word vectors, or a control without their meaning.

    Args:
        vectors: `[C, E]`, of `class_vectors`, C at least 2.
        kind: "glove" for the vectors themselves; "perm" for the vector of another
            class in each row, by a permutation that is uniform among those without
            fixed points; "random" for directions uniform on the sphere, with the
            norms of the rows kept; "onehot" for the rows of the identity matrix.
        seed: of "perm" and "random".

    Returns:
        float64 `[C, E]`; `[C, C]` for "onehot".

    Raises:
        ValueError: if the kind is unknown, or the vectors are not finite `[C, E]`.

    Source: our choice, as controls of Kuang et al. 2023.

    Example:
        >>> from tfsemae import data
        >>> data.class_codes([[1.0, 2.0], [3.0, 4.0]], "perm").tolist()
        [[3.0, 4.0], [1.0, 2.0]]
    """
    if kind not in get_args(ClassCodes):
        raise ValueError(
            f"`kind` must be one of {', '.join(get_args(ClassCodes))}. "
            f"Received: kind={kind!r}."
        )
    vectors = np.array(vectors, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) < 2 or not np.isfinite(vectors).all():
        raise ValueError(
            "`vectors` must be finite, of the shape [C, E] with C at least 2. "
            f"Received: vectors.shape={vectors.shape}."
        )
    random = np.random.default_rng(seed)
    if kind == "perm":
        return vectors[_derangement(random, len(vectors))]
    if kind == "random":
        normal = random.normal(size=vectors.shape)
        norms = np.linalg.norm(vectors, axis=1) / np.linalg.norm(normal, axis=1)
        return normal * norms[:, np.newaxis]
    return np.eye(len(vectors)) if kind == "onehot" else vectors


def _derangement(random: np.random.Generator, size: int) -> np.ndarray:
    """A uniform permutation without fixed points, int `[size]`."""
    while True:  # one of e = 2.7 permutations has none
        permutation = random.permutation(size)
        if not np.any(permutation == np.arange(size)):
            return permutation


def _check_classes(classes: Sequence[str], replacements: Mapping[str, str]) -> None:
    repeated = {name for name in classes if list(classes).count(name) > 1}
    if repeated or not classes:
        raise ValueError(
            "`classes` must name at least one class, and each once. "
            f"Received: {', '.join(sorted(repeated)) or 'no class'}"
            f"{' more than once' if repeated else ''}."
        )
    unknown = set(replacements) - set(classes)
    if unknown:
        raise ValueError(
            f"`replacements` must name classes of {', '.join(classes)}. "
            f"Received: {', '.join(sorted(unknown))}."
        )


def _words(name: str) -> list[str]:
    return [word for word in _BETWEEN_WORDS.split(name) if word]


def _vectors(path: files.PathLike, needed: set[str]) -> dict[str, np.ndarray]:
    """The words of a file that are needed, with their vectors, all of one length."""
    vectors: dict[str, np.ndarray] = {}
    for number, line in _lines(path):
        word, *values = line.split() or [""]
        if word not in needed:
            continue
        where = f"{path}, line {number}: the vector of {word!r}"
        if word in vectors:
            raise ValueError(f"{where} must be in the file only once.")
        vectors[word] = vector = _numbers(values, where)
        expected = next(iter(vectors.values())).shape
        if vector.shape != expected:
            raise ValueError(
                f"{where} must have {expected[0]} numbers, as that of "
                f"{next(iter(vectors))!r}. Received: {len(vector)}."
            )
    return vectors


def _lines(path: files.PathLike) -> Iterator[tuple[int, str]]:
    """Numbered lines; what is raised by reading becomes one line."""
    try:
        with files.path(path).open(encoding="utf-8") as file:
            yield from enumerate(file, start=1)
    except OSError as error:
        raise ValueError(
            f"The file of word vectors cannot be read: {error.strerror}. "
            f"Received: path={str(path)!r}."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be a text file in UTF-8.") from error


def _numbers(values: Sequence[str], where: str) -> np.ndarray:
    if not values:
        raise ValueError(f"{where} must have at least one number. Received: none.")
    for value in values:
        try:
            finite = math.isfinite(float(value))
        except ValueError:
            finite = False
        if not finite:
            raise ValueError(f"{where} must be finite numbers. Received: {value!r}.")
    return np.array(values, dtype=np.float64)
