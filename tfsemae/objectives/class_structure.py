"""Losses of the structure of classes: how their codes lie to those of a teacher.

A batch need not hold all classes. `present` tells those that it holds; the others
are left out of student and teacher alike.
"""

from typing import NamedTuple

import tensorflow as tf

from tfsemae import tensor_checks
from tfsemae.objectives import checks
from tfsemae.tensor_checks import TensorLike


class ClassMeans(NamedTuple):
    """Mean codes of the classes in a batch."""

    means: tf.Tensor  # `[C, D]`, zero for a class that is absent
    present: tf.Tensor  # bool `[C]`


def class_means(codes: TensorLike, labels: TensorLike, classes: int) -> ClassMeans:
    """Means of the codes of each class.

    Args:
        codes: floating `[B, D]`, B at least 1.
        labels: int `[B]`, 0 to C - 1.
        classes: C, at least 1.

    Returns:
        See `ClassMeans`; float64 where `codes` are, else float32.

    Raises:
        ValueError: if a type, a shape or a label does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if a label
            is no class, or there is no code.

    Example:
        >>> from tfsemae import objectives
        >>> found = objectives.class_means([[1.0], [3.0]], [2, 2], classes=3)
        >>> found.means.numpy().ravel().tolist(), found.present.numpy().tolist()
        ([0.0, 0.0, 2.0], [False, False, True])
    """
    if classes < 1:
        raise ValueError(f"`classes` must be at least 1. Received: classes={classes}.")
    codes = checks.matrix("codes", codes)
    labels = checks.labels(labels, codes, classes)
    member = tf.one_hot(labels, classes, dtype=codes.dtype)
    counts = tf.reduce_sum(member, axis=0)
    sums = tf.matmul(member, codes, transpose_a=True)
    return ClassMeans(sums / tf.maximum(counts, 1)[:, tf.newaxis], counts > 0)


def rkd_structure(
    student: TensorLike, teacher: TensorLike, present: TensorLike | None = None
) -> tf.Tensor:
    """Difference of the shapes that classes make; lower is better.

    Computes `2 * rkd_distance + 3 * rkd_angle`. It is zero where the student is the
    teacher turned, moved, mirrored or scaled, and for fewer than two classes.

    Args:
        student: floating `[C, D]`, C at least 2, such as `class_means` of codes.
        teacher: floating `[C, E]`; for a constant teacher, see `update_class_memory`.
        present: bool `[C]`; None: all classes are.

    Returns:
        Scalar, at least 0; float64 where `student` is, else float32.

    Raises:
        ValueError: if a type or a shape does not fit.
        tf.errors.InvalidArgumentError: inside a `tf.function`, when it runs, if there
            are too few classes, or numbers of classes differ.

    Source: Kuang et al. 2023, released code; Park et al. 2019, "Relational knowledge
    distillation".

    Example:
        >>> from tfsemae import objectives
        >>> student = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
        >>> teacher = [[5.0, 5.0], [5.0, 8.0], [2.0, 5.0]]  # turned, moved and scaled
        >>> print(f"{objectives.rkd_structure(student, teacher):.6f}")
        0.000000
    """
    distance = rkd_distance(student, teacher, present)
    return 2.0 * distance + 3.0 * rkd_angle(student, teacher, present)


def rkd_distance(
    student: TensorLike, teacher: TensorLike, present: TensorLike | None = None
) -> tf.Tensor:
    """Mean smooth L1 difference of relative distances, over ordered pairs of classes.

    Distances are divided by the mean of those that are positive. The mean is over all
    C**2 pairs, also those of a class with itself, which are zero.

    Args:
        student: as of `rkd_structure`.
        teacher: as of `rkd_structure`.
        present: as of `rkd_structure`.

    Returns:
        As `rkd_structure`.

    Raises:
        ValueError: as `rkd_structure`.
        tf.errors.InvalidArgumentError: as `rkd_structure`.

    Source: Park et al. 2019, eqs. (4) to (6).
    """
    student, teacher, present = _checked(student, teacher, present)
    pairs = present[:, tf.newaxis] & present

    def relative_distances(points: tf.Tensor) -> tf.Tensor:
        _, distances = _differences(points)
        distances = tf.where(pairs, distances, 0)
        positive = tf.math.count_nonzero(distances, dtype=points.dtype)
        mean = tf.reduce_sum(distances) / tf.maximum(positive, 1)
        return distances / tf.where(mean != 0, mean, 1)

    difference = relative_distances(student) - relative_distances(teacher)
    return _mean_over(pairs, _smooth_l1(difference))


def rkd_angle(
    student: TensorLike, teacher: TensorLike, present: TensorLike | None = None
) -> tf.Tensor:
    """Mean smooth L1 difference of the cosines of angles, over triples of classes.

    The mean is over all C**3 triples of a vertex and two others, also those where two
    are the same, which are equal for student and teacher. Takes C**3 numbers.

    Args:
        student: as of `rkd_structure`.
        teacher: as of `rkd_structure`.
        present: as of `rkd_structure`.

    Returns:
        As `rkd_structure`.

    Raises:
        ValueError: as `rkd_structure`.
        tf.errors.InvalidArgumentError: as `rkd_structure`.

    Source: Park et al. 2019, eqs. (7) and (8).
    """
    student, teacher, present = _checked(student, teacher, present)
    pairs = present[:, tf.newaxis] & present

    def cosines(points: tf.Tensor) -> tf.Tensor:
        differences, distances = _differences(points)
        units = differences / tf.where(distances != 0, distances, 1)[:, :, tf.newaxis]
        return tf.matmul(units, units, transpose_b=True)  # [vertex, other, other]

    triples = pairs[:, :, tf.newaxis] & present
    return _mean_over(triples, _smooth_l1(cosines(student) - cosines(teacher)))


def gram_structure(
    student: TensorLike, words: TensorLike, present: TensorLike | None = None
) -> tf.Tensor:
    """Difference of the cosines of classes from those of their words; lower is better.

    Computes `mean_(a != b){ (cos(v_a, v_b) - cos(w_a, w_b))**2 }`.

    Args:
        student: floating `[C, D]`, v, C at least 2, such as `class_means` of codes.
        words: floating `[C, E]`, w, the word vectors themselves.
        present: bool `[C]`; None: all classes are.

    Returns:
        Scalar, in [0, 4]; float64 where `student` is, else float32.

    Raises:
        ValueError: as `rkd_structure`.
        tf.errors.InvalidArgumentError: as `rkd_structure`.

    Source: our choice beside the structure of Kuang et al. 2023, whose teacher is a
    trained head; this one refers to the words.

    Example:
        >>> from tfsemae import objectives
        >>> student, words = [[2.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [1.0, 1.0]]
        >>> print(f"{objectives.gram_structure(student, words):.4f}")  # cos(45 deg)**2
        0.5000
    """
    student, words, present = _checked(student, words, present, name="words")

    def cosines(points: tf.Tensor) -> tf.Tensor:
        units = tf.math.l2_normalize(points, axis=1)
        return tf.matmul(units, units, transpose_b=True)

    others = ~tf.eye(tf.shape(present)[0], dtype=tf.bool)
    pairs = present[:, tf.newaxis] & present & others
    return _mean_over(pairs, tf.square(cosines(student) - cosines(words)))


def _checked(
    student: TensorLike,
    teacher: TensorLike,
    present: TensorLike | None,
    name: str = "teacher",
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Both with the rows of absent classes zero, and bool `[C]`."""
    student = checks.matrix("student", student, least=2)
    teacher = checks.matrix(name, teacher, student.dtype, least=2)
    first, second = student[:, 0], teacher[:, 0]
    try:
        tensor_checks.same_shape(first, second, ("student", name))
    except ValueError:
        raise ValueError(
            f"`student` and `{name}` must have equally many rows, one per class. "
            f"Received: {student.shape[0]} and {teacher.shape[0]}."
        ) from None
    if present is None:
        return student, teacher, tf.ones_like(first, tf.bool)
    present = checks.present(present, student)
    # Also for gradients: what is not finite in them would not be hidden later.
    rows = present[:, tf.newaxis]
    return tf.where(rows, student, 0), tf.where(rows, teacher, 0), present


def _differences(points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Differences of all rows, `[C, C, D]`, and their norms, `[C, C]`."""
    differences = points - points[:, tf.newaxis]
    squares = tf.reduce_sum(tf.square(differences), axis=2)
    # The root has no derivative at 0; there the gradient is to be 0.
    apart = squares != 0
    return differences, tf.where(apart, tf.sqrt(tf.where(apart, squares, 1)), 0)


def _smooth_l1(difference: tf.Tensor) -> tf.Tensor:
    size = tf.abs(difference)
    return tf.where(size < 1, 0.5 * tf.square(size), size - 0.5)


def _mean_over(mask: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """Mean of the values where a mask is true; 0 where it is nowhere."""
    count = tf.math.count_nonzero(mask, dtype=values.dtype)
    return tf.reduce_sum(tf.where(mask, values, 0)) / tf.maximum(count, 1)
