import numpy as np
import pytest
from scipy import stats

from tfsemae import metrics


def _rows(count, classes=5, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(classes), count)


def test_rows_that_are_all_equal_score_1():
    for row in ([0.25] * 4, [0.7, 0.1, 0.1, 0.1], [1.0, 0.0, 0.0, 0.0]):
        found = metrics.classifier_score([np.tile(row, (20, 1))])
        assert found.mean == pytest.approx(1.0, abs=1e-12)
        assert found.deviation == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 7])
def test_sure_and_balanced_rows_score_the_number_of_classes(classes):
    # Each of 3 splits has every class twice, as 3 and `classes` have no common factor.
    rows = np.tile(np.eye(classes), (6, 1))
    found = metrics.classifier_score([rows], splits=3)
    assert found == pytest.approx((classes, 0.0), abs=1e-12)


def test_each_split_is_the_mean_divergence_from_its_mean_row():
    rows = _rows(23)
    parts = [rows[first::4] for first in range(4)]
    scores = [
        np.exp(np.mean([stats.entropy(row, part.mean(axis=0)) for row in part]))
        for part in parts
    ]
    found = metrics.classifier_score([rows], splits=4)
    assert found == pytest.approx((np.mean(scores), np.std(scores)), rel=1e-12)


def test_batches_change_nothing():
    rows = _rows(50)
    score = metrics.ClassifierScore()
    for batch in np.split(rows, [1, 8, 30]):
        score.update(batch)
    assert score.count == 50
    expected = metrics.classifier_score([rows])
    assert score.result() == pytest.approx(expected, rel=1e-12)


def test_sorted_examples_are_spread_over_the_splits():
    # Contiguous splits would each hold one class, and score 1.
    rows = np.repeat(np.eye(4), 40, axis=0)
    assert metrics.classifier_score([rows], splits=4).mean == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0.5, 0.5], r"shape \[B, K\].*Received: probabilities.shape=\(2,\)"),
        ([[1.0]], r"K at least 2"),
        ([[0.2, 0.3, 0.5]], r"that of the first batch.*\(1, 3\)"),
        ([[0.5, 0.6], [0.5, 0.5]], "1 other rows of 2"),
        ([[1.5, -0.5]], "1 other rows of 1"),
        ([[float("nan"), 0.5]], "1 other rows of 1"),
    ],
)
def test_what_is_no_distribution_is_refused_and_not_added(rows, message):
    score = metrics.ClassifierScore(splits=1)
    score.update([[0.5, 0.5]])
    with pytest.raises(ValueError, match=message):
        score.update(rows)
    assert score.count == 1


def test_too_few_examples_for_the_splits():
    with pytest.raises(ValueError, match=r"10 splits .* Received: 3"):
        metrics.classifier_score([_rows(3)])
    with pytest.raises(ValueError, match="splits=0"):
        metrics.ClassifierScore(splits=0)
