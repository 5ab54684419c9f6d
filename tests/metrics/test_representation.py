"""Class structure of latents: perfect, useless and degenerate representations."""

import functools
import warnings

import numpy as np
import pytest
import scipy.spatial
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from tfsemae import metrics

CLASSES = 4
# (0, 1) and (10, 11) on a line: every measure follows by hand.
LINE = np.array([[0.0], [1.0], [10.0], [11.0]])
LINE_LABELS = np.array([0, 0, 1, 1])


def balanced_labels(count):
    return np.arange(count) % CLASSES


def clusters(count, spread, seed=0):
    """Gaussian clusters of standard deviation `spread` around one-hot corners."""
    labels = balanced_labels(count)
    noise = np.random.default_rng(seed).normal(scale=spread, size=(count, CLASSES))
    return np.eye(CLASSES)[labels] + noise, labels


def useless(count, features=20, seed=0):
    """Latents that know nothing of their labels."""
    latents = np.random.default_rng(seed).normal(size=(count, features))
    return latents, balanced_labels(count)


# Perfect


def test_perfect_latents_are_best_in_every_measure():
    train, train_labels = clusters(200, spread=0.01)
    latents, labels = clusters(400, spread=0.01, seed=1)
    assert metrics.knn_accuracy(train, train_labels, latents, labels) == 1.0
    assert metrics.linear_probe_accuracy(train, train_labels, latents, labels) == 1.0
    # Within a class latents differ by 0.01 * sqrt(2 * 4), between two by sqrt(2).
    np.testing.assert_allclose(metrics.silhouette(latents, labels), 0.98, atol=5e-3)
    # Between: 400 times |m_c - m|**2 = 3 / 4. Within: (400 - 4) * 4 squares of mean
    # 1e-4, whose sum is known to four times sqrt(2 / 1584) = 3.6 %.
    expected = 300 / 0.1584
    assert metrics.scatter_ratio(latents, labels) == pytest.approx(expected, rel=0.15)


def test_classes_that_are_points():
    latents, labels = clusters(20, spread=0.0)
    assert metrics.silhouette(latents, labels) == 1.0
    assert metrics.scatter_ratio(latents, labels) == np.inf


# Useless


def test_useless_latents_are_at_chance():
    train, train_labels = useless(2000)
    latents, labels = useless(2000, seed=1)
    # Four binomial standard deviations: 4 * sqrt(0.25 * 0.75 / 2000).
    chance = pytest.approx(1 / CLASSES, abs=0.039)
    assert metrics.knn_accuracy(train, train_labels, latents, labels) == chance
    assert metrics.linear_probe_accuracy(train, train_labels, latents, labels) == chance
    # Mean distances to the classes differ by their sampling error alone.
    assert -0.02 < metrics.silhouette(latents, labels) <= 0.0
    # The expected traces are (classes - 1) and (N - classes) times one number;
    # that of the numerator is known to sqrt(2 / (3 * 20)) = 18 %.
    expected = (CLASSES - 1) / (2000 - CLASSES)
    assert metrics.scatter_ratio(latents, labels) == pytest.approx(expected, rel=0.5)


# Degenerate


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-31, 1e6])
def test_a_collapsed_encoder_has_no_structure(value):
    latents = np.full((90, 7), value)
    labels = np.repeat([0, 1, 2], [20, 30, 40])
    assert metrics.silhouette(latents, labels) == 0.0
    assert metrics.scatter_ratio(latents, labels) == 0.0
    # With nothing but the class sizes to go by, the probe knows the largest.
    assert metrics.linear_probe_accuracy(latents, labels, latents, labels) == 40 / 90
    # All neighbours tie, and so every latent gets the same vote.
    shares = [20 / 90, 30 / 90, 40 / 90]
    assert metrics.knn_accuracy(latents, labels, latents, labels) in shares


# Nearest neighbours


def test_knn_vote_by_hand():
    train, train_labels = np.array([[0.0], [1], [2], [3], [10]]), [0, 1, 1, 0, 2]
    for k, vote in ((1, 0), (2, 0), (3, 1), (4, 0), (5, 0)):
        # At 0.4 the neighbours come as 0, 1, 2, 3, 10, that is 0 1 1 0 2; of
        # labels with equal votes the smallest wins.
        for label in (0, 1, 2):
            accuracy = metrics.knn_accuracy(train, train_labels, [[0.4]], [label], k=k)
            assert accuracy == float(label == vote)


@pytest.mark.parametrize("k", [1, 3, 10, 300])
def test_knn_equals_a_vote_over_the_full_distance_matrix(k):
    train, train_labels = clusters(300, spread=0.6)
    latents, labels = clusters(200, spread=0.6, seed=1)
    distances = scipy.spatial.distance.cdist(train, latents)
    nearest = np.argsort(distances, axis=0)[:k]
    votes = np.eye(CLASSES)[train_labels[nearest]].sum(axis=0)
    expected = np.mean(votes.argmax(axis=1) == labels)
    assert metrics.knn_accuracy(train, train_labels, latents, labels, k=k) == expected


def test_knn_asks_ten_unless_told_otherwise():
    # Labels 1 0 1 0 ... by distance: 5 of 9 say 1, 5 of 10 tie, 6 of 11 say 1.
    train, train_labels = np.arange(20.0)[:, np.newaxis], (np.arange(20) + 1) % 2
    for k, accuracy in ((9, 1.0), (10, 0.0), (11, 1.0)):
        voted = metrics.knn_accuracy(train, train_labels, [[-1.0]], [1], k=k)
        assert voted == accuracy
    assert metrics.knn_accuracy(train, train_labels, [[-1.0]], [1]) == 0.0


def test_training_latents_are_their_own_nearest_neighbours():
    latents, labels = useless(100)
    assert metrics.knn_accuracy(latents, labels, latents, labels, k=1) == 1.0


def test_a_label_that_was_never_trained_is_an_error_and_not_a_crash():
    latents, labels = clusters(80, spread=0.01)
    unseen = np.where(labels == 0, 7, labels)
    assert metrics.knn_accuracy(latents, labels, latents, unseen) == 0.75
    assert metrics.linear_probe_accuracy(latents, labels, latents, unseen) == 0.75


# Linear probe


def test_the_probe_is_linear():
    # Exclusive or: no line gets more than three of the four corners, and 10
    # neighbours get all.
    random = np.random.default_rng(0)
    corners = random.integers(0, 2, size=(400, 2))
    latents = corners + random.normal(scale=0.05, size=(400, 2))
    labels = corners[:, 0] ^ corners[:, 1]
    assert metrics.knn_accuracy(latents, labels, latents, labels) == 1.0
    # The three corners that a line can get hold 300 latents, give or take 20.
    assert metrics.linear_probe_accuracy(latents, labels, latents, labels) < 0.8


def test_the_probe_does_not_depend_on_offset_and_scale_of_features():
    train, train_labels = clusters(400, spread=0.5)
    latents, labels = clusters(400, spread=0.5, seed=1)
    expected = metrics.linear_probe_accuracy(train, train_labels, latents, labels)
    # The best linear classifier of corners at distance sqrt(2) and spread 0.5 is
    # right in 0.81 of the cases: P(noise of the own axis + 1 is the largest).
    assert expected == pytest.approx(0.81, abs=0.06)
    scale, offset = np.array([1e-9, 1.0, 1e3, 1e6]), np.array([0.0, -5.0, 1e4, 1.0])
    measured = metrics.linear_probe_accuracy(
        train * scale + offset, train_labels, latents * scale + offset, labels
    )
    assert measured == expected


def random_walks(count, steps=80, seed=0):
    """Strongly correlated features that overlap between classes."""
    labels = balanced_labels(count)
    drift = 0.3 * np.sin(np.outer(labels + 1, np.arange(steps)) / 3)
    noise = np.random.default_rng(seed).normal(size=(count, steps))
    return np.cumsum(noise + drift, axis=1), labels


def test_the_probe_equals_newtons_method_on_correlated_latents():
    train, train_labels = random_walks(1500)
    latents, labels = random_walks(1500, seed=1)
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    newton = LogisticRegression(solver="newton-cholesky", tol=1e-10)
    newton.fit((train - mean) / deviation, train_labels)
    expected = newton.score((latents - mean) / deviation, labels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # scikit-learn only warns of no convergence
        measured = metrics.linear_probe_accuracy(train, train_labels, latents, labels)
    # One of 1,500 latents for another machine's rounding. A gradient of 1e-4, where
    # scikit-learn stops unasked, is off by two.
    assert measured == pytest.approx(expected, abs=1.01 / 1500)


def test_the_probe_takes_constant_features_and_outliers():
    latents, labels = clusters(600, spread=0.2)
    latents = np.hstack([latents, np.ones((600, 1)), 1e6 * np.eye(600, 1)])
    accuracy = metrics.linear_probe_accuracy(latents, labels, latents, labels)
    # Corners at distance sqrt(2) and spread 0.2: at least 1 - 3 P(z > 3.5).
    assert accuracy > 0.99


# Silhouette


def test_silhouette_by_hand():
    # Of 0: a = 1, b = 10.5. Of 1: a = 1, b = 9.5. The others mirror them.
    expected = (9.5 / 10.5 + 8.5 / 9.5) / 2
    # The distances come from squared norms: 1e-8 of the largest, 11.
    assert metrics.silhouette(LINE, LINE_LABELS) == pytest.approx(expected, abs=1e-7)


def test_silhouette_of_wrong_labels_is_negative():
    # Of 0: a = 10, b = 6, hence -0.4. Of 1: a = 10, b = 5, hence -0.5.
    measured = metrics.silhouette(LINE, [0, 1, 0, 1])
    assert measured == pytest.approx(-0.45, abs=1e-7)


def test_silhouette_of_a_class_of_one_latent_is_zero():
    # Of 0: a = 1, b = 10. Of 1: a = 1, b = 9. Of 10: alone.
    measured = metrics.silhouette(LINE[:3], LINE_LABELS[:3])
    assert measured == pytest.approx((0.9 + 8 / 9 + 0) / 3, abs=1e-7)


def test_silhouette_survives_a_large_offset():
    latents, labels = clusters(100, spread=0.1)
    # float64 leaves 1e-16 * 1e6 of a distance of 0.1.
    expected = pytest.approx(metrics.silhouette(latents, labels), abs=1e-8)
    assert metrics.silhouette(latents + 1e6, labels) == expected


# Scatter


def test_scatter_ratio_by_hand():
    # Means 0.5 and 10.5 around 5.5: 4 * 25 over 4 * 0.25.
    assert metrics.scatter_ratio(LINE, LINE_LABELS) == 100.0
    # Classes of 3 and 1, means 11 / 3 and 11 around 5.5; all but one within.
    between = 3 * (11 / 3 - 5.5) ** 2 + 5.5**2
    within = (11 / 3) ** 2 + (8 / 3) ** 2 + (19 / 3) ** 2
    measured = metrics.scatter_ratio(LINE, [3, 3, 3, 8])
    assert measured == pytest.approx(between / within, rel=1e-12)  # float64


def test_scatter_ratio_of_one_feature_is_the_f_statistic():
    latents, labels = useless(40, features=1)
    f = scipy.stats.f_oneway(*(latents[labels == c, 0] for c in range(CLASSES)))
    expected = f.statistic * (CLASSES - 1) / (40 - CLASSES)
    measured = metrics.scatter_ratio(latents, labels)
    assert measured == pytest.approx(expected, rel=1e-10)  # float64


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(6, 40),
    features=st.integers(1, 6),
    scale=st.sampled_from([1e-6, 0.5, 3.0, 1e6]),
)
def test_scatter_ratio_does_not_change_under_rigid_motion(seed, count, features, scale):
    random = np.random.default_rng(seed)
    latents = random.normal(size=(count, features))
    labels = balanced_labels(count)
    rotation = np.linalg.qr(random.normal(size=(features, features)))[0]
    moved = scale * (latents @ rotation + random.normal(size=features))
    order = random.permutation(count)
    measured = metrics.scatter_ratio(moved[order], labels[order])
    # float64; the traces are sums of up to 240 squares.
    assert measured == pytest.approx(metrics.scatter_ratio(latents, labels), rel=1e-9)


# Shapes and bad input


def test_latents_of_any_rank_and_type_are_flattened():
    latents, labels = clusters(60, spread=0.3)
    latents = latents.astype(np.float32)
    folded = latents.reshape(60, 2, 1, 2)
    for measure in (metrics.silhouette, metrics.scatter_ratio):
        # Sums are float64 in both.
        assert measure(folded, labels) == measure(latents.astype(float), labels)
    for measure in (metrics.knn_accuracy, metrics.linear_probe_accuracy):
        flat = measure(latents, labels, latents, labels)
        assert measure(folded, labels.astype(np.uint8), latents, labels) == flat


@pytest.mark.parametrize("measure", [metrics.silhouette, metrics.scatter_ratio])
def test_bad_latents_and_labels_are_refused(measure):
    latents, labels = clusters(12, spread=0.1)
    broken = latents.copy()
    broken[[5, 7], 1] = np.nan, np.inf
    with pytest.raises(ValueError, match="in 2 of 12 rows, first in row 5"):
        measure(broken, labels)
    with pytest.raises(ValueError, match=r"shape \(12,\).*labels.shape=\(11,\)"):
        measure(latents, labels[:-1])
    with pytest.raises(ValueError, match=r"labels.shape=\(12, 4\)"):
        measure(latents, np.eye(4, dtype=int)[labels])
    with pytest.raises(ValueError, match=r"labels\.dtype=float64"):
        measure(latents, labels / 2)
    with pytest.raises(ValueError, match="Received: labels that are all 3"):
        measure(latents, np.full(12, 3))
    with pytest.raises(ValueError, match=r"latents.shape=\(0, 4\)"):
        measure(latents[:0], labels[:0])


def test_silhouette_refuses_classes_of_one_latent_each():
    with pytest.raises(ValueError, match="Received: 4 classes of 4 latents"):
        metrics.silhouette(LINE, np.arange(4))


@pytest.mark.parametrize(
    "measure", [metrics.knn_accuracy, metrics.linear_probe_accuracy]
)
def test_bad_training_latents_are_refused(measure):
    latents, labels = clusters(12, spread=0.1)
    with pytest.raises(ValueError, match="Received: 3 and 4"):
        measure(latents[:, :3], labels, latents, labels)
    with pytest.raises(ValueError, match=r"`train_labels`.*train_labels.shape=\(9,\)"):
        measure(latents, labels[:9], latents, labels)
    with pytest.raises(ValueError, match="`train_latents` must be finite"):
        measure(latents * np.nan, labels, latents, labels)
    with pytest.raises(ValueError, match="`latents` must be finite"):
        measure(latents, labels, latents * np.inf, labels)


@pytest.mark.parametrize("k", [0, -1, 13])
def test_knn_refuses_more_voters_than_latents(k):
    latents, labels = clusters(12, spread=0.1)
    with pytest.raises(ValueError, match=f"training latents, 12. Received: k={k}"):
        metrics.knn_accuracy(latents, labels, latents, labels, k=k)


def test_the_probe_needs_two_classes():
    latents, labels = clusters(12, spread=0.1)
    with pytest.raises(ValueError, match="train_labels that are all 0"):
        metrics.linear_probe_accuracy(latents, np.zeros(12, int), latents, labels)


def test_predictions_are_what_the_accuracies_count():
    train = np.array([[0.0], [1.0], [10.0], [11.0]])
    labels = np.array([3, 3, 7, 7])
    latents = np.array([[0.4], [10.4], [2.0]])
    for predict in (
        metrics.linear_probe_predictions,
        functools.partial(metrics.knn_predictions, k=2),
    ):
        np.testing.assert_array_equal(predict(train, labels, latents), [3, 7, 3])
