"""What labels add: classes beside each other, and areas under ROC curves."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from tfsemae.audit import labelled


def test_classes_beside_the_others():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [9, 9, 3])
    norms = random.uniform(1, 2, 21) + (labels == 1)
    found = labelled.by_class(
        {"latent": norms, "input": 3 * norms},
        {"latent": 2.0, "input": 6.0},
        labels,
        ("a", "b", "c"),
    )
    assert [(each.space, each.name, each.images) for each in found] == [
        (space, name, images)
        for space in ("latent", "input")
        for name, images in (("a", 9), ("b", 9), ("c", 3))
    ]
    relative = norms / 2
    p_values = []
    for number, each in enumerate(found[:3]):
        inside, outside = relative[labels == number], relative[labels != number]
        # The lower median, one of the values.
        medians = [np.sort(part)[(len(part) - 1) // 2] for part in (inside, outside)]
        assert each.median.value == pytest.approx(medians[0])
        assert each.difference == pytest.approx(medians[0] - medians[1])
        p_values.append(stats.mannwhitneyu(inside, outside).pvalue)
    assert found[2].p_value is None  # of three images
    # Holm: of four tests, two in each space and alike, the least counts four times.
    least, other = sorted(p_values[:2])
    expected = {least: min(1, 4 * least), other: min(1, max(4 * least, 2 * other))}
    for each, p_value in zip(found[:2], p_values, strict=False):
        assert each.p_value == pytest.approx(expected[p_value])


def test_a_class_that_is_not_reached_has_no_difference():
    norms = np.array([1.0, 2.0, 3.0, np.inf, np.inf, 4.0])
    labels = np.array([0, 0, 0, 1, 1, 1])
    first, second = labelled.by_class({"latent": norms}, {"latent": 1.0}, labels, "ab")
    assert first.median.value == 2
    assert second.median.value is None
    assert first.difference is None
    assert second.difference is None
    # The lower median of each is reached.
    norms = np.array([1.0, np.inf, 3.0, np.inf])
    labels = np.array([0, 0, 1, 1])
    first, second = labelled.by_class({"latent": norms}, {"latent": 1.0}, labels, "ab")
    assert first.difference == -second.difference == -2


def test_area_is_that_of_scikit_learn():
    random = np.random.default_rng(1)
    values = random.integers(0, 8, 60).astype(float)  # with ties
    positive = random.random(60) < 0.3
    found = labelled.auc(values, positive)
    assert found.value == pytest.approx(metrics.roc_auc_score(positive, values))
    assert found.low < found.value < found.high
