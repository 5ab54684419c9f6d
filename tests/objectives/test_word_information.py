"""Information of codes and words: terms of known cosines, bounds, pairs one by one."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import objectives


def _simplex(classes=10):
    """Unit vectors at equal angles, of the cosine -1 / (classes - 1)."""
    centred = np.eye(classes) - 1 / classes
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def _pair(cosine):
    """A code and a word of that cosine, of other norms."""
    return np.array([3.0, 0.0]), 5 * np.array([cosine, np.sqrt(1 - cosine**2)])


# Values that were computed for the specification of Kuang et al. 2023.


@pytest.mark.parametrize(
    ("cosine", "matched"), [(1, 0.0013524), (0, 0.0099503), (-1, 0.0712881)]
)
def test_matched_term(cosine, matched):
    code, word = _pair(cosine)
    # Both examples are of one class: no pair is unmatched.
    loss = objectives.word_nce([code, code], [word, -word], [0, 0])
    assert float(loss) == pytest.approx(matched, abs=5e-8)


@pytest.mark.parametrize(
    ("cosine", "unmatched"),
    [(1, 6.60652), (0, 4.61512), (-1 / 9, 4.39536), (-1, 2.67646)],
)
def test_unmatched_term(cosine, unmatched):
    code, other = _pair(cosine)
    # Of two examples, the second has a code without a direction: cosine 0.
    words = [code, other]
    loss = objectives.word_nce([code, 0 * code], words, [0, 1])
    matched = (0.0013524 + 0.0099503) / 2
    expected = (unmatched + 4.61512) / 2 + matched
    assert float(loss) == pytest.approx(expected, abs=1e-5)


def test_nce_equals_the_sum_over_pairs():
    random = np.random.default_rng(0)
    codes, words = random.normal(size=(12, 5)), random.normal(size=(4, 5))
    labels = random.integers(0, 3, 12)  # class 3 is absent
    z = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    u = words / np.linalg.norm(words, axis=1, keepdims=True)
    temperature, kappa = 0.3, 0.05
    total = 0
    for i, j in itertools.permutations(range(12), 2):
        s = np.exp(z[i] @ u[labels[j]] / temperature)
        total += (labels[i] != labels[j]) * np.log(1 + s / kappa) / (12 * 11)
    for i in range(12):
        s = np.exp(z[i] @ u[labels[i]] / temperature)
        total += np.log(1 + kappa / s) / 12
    found = objectives.word_nce(
        codes, words, labels, temperature=temperature, kappa=kappa
    )
    assert float(found) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize(
    ("temperature", "loss", "bound"),
    [(0.5, 0.680726, 1.62186), (0.1, 1.345e-4, 2.302585 - 1.345e-4)],
)
def test_words_at_equal_angles(temperature, loss, bound):
    words, labels = _simplex(), np.arange(10)
    found = objectives.word_ba(words, words, labels, temperature=temperature)
    np.testing.assert_allclose(found, [loss] * 10, rtol=2e-4)
    assert float(found[0]) == pytest.approx(loss, abs=5e-7)
    found = objectives.word_information(words, words, labels, temperature=temperature)
    assert float(found) == pytest.approx(bound, abs=5e-6)


def test_bound_of_codes_that_say_nothing_is_not_positive():
    random = np.random.default_rng(0)
    codes, words = random.normal(size=(1000, 8)), random.normal(size=(10, 8))
    labels = np.arange(1000) % 10
    assert float(objectives.word_information(codes, words, labels)) < 0
    alike = objectives.word_information(codes, np.ones((10, 8)), labels)
    assert float(alike) == pytest.approx(0, abs=1e-12)  # a guess of the prior


@pytest.mark.parametrize("temperature", [0.05, 0.5, 5.0])
def test_bound_is_below_the_information(temperature):
    # A code tells which half a class is in and no more: log(2) of 4 classes.
    random = np.random.default_rng(0)
    half = np.array([[1.0, 0.0], [-1.0, 0.0]])
    labels = np.arange(4).repeat(25)
    for _ in range(20):
        found = objectives.word_information(
            half[labels // 2],
            random.normal(size=(4, 2)),
            labels,
            temperature=temperature,
        )
        assert float(found) <= np.log(2) + 1e-12
    best = objectives.word_information(
        half[labels // 2], half[[0, 0, 1, 1]], labels, temperature=temperature
    )
    # Half of the mass of the softmax is on the two words of the right half.
    miss = np.log1p(np.exp(-2 / temperature))
    assert float(best) == pytest.approx(np.log(2) - miss, rel=1e-9)


def test_bound_is_that_of_the_shares_of_the_labels():
    words, labels = np.eye(2), [0, 0, 0, 1]
    found = objectives.word_information(words[labels], words, labels, temperature=0.01)
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert float(found) == pytest.approx(entropy, abs=1e-12)


@pytest.mark.parametrize(
    "function",
    [objectives.word_nce, objectives.word_ba, objectives.word_information],
    ids=lambda function: function.__name__,
)
class TestAll:
    def test_norms_do_not_matter(self, function):
        random = np.random.default_rng(0)
        codes, words = random.normal(size=(6, 5)), random.normal(size=(3, 5))
        labels = [0, 1, 2, 0, 1, 1]
        scaled = codes * np.arange(1, 7)[:, None], words * [[0.1], [1], [100]]
        found, expected = function(*scaled, labels), function(codes, words, labels)
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_codes_at_their_words_are_best(self, function):
        words, labels = _simplex(4), np.arange(4)
        sign = -1 if function is objectives.word_information else 1
        right = sign * np.mean(function(words, words, labels))
        for order in itertools.permutations(range(4)):
            wrong = sign * np.mean(function(words[list(order)], words, labels))
            assert right <= wrong + 1e-12

    @pytest.mark.parametrize(
        ("labels", "message"),
        [
            ([0, 3], r"`labels` must be 0 to 2. Received: 3 among them"),
            ([0, -1], r"Received: -1 among them"),
            ([0, 1, 2], r"integers \[2\].*labels.shape=\(3,\)"),
            ([0.0, 1.0], r"labels.dtype=float32"),
        ],
    )
    def test_labels_that_do_not_fit_are_refused(self, function, labels, message):
        with pytest.raises(ValueError, match=message):
            function(np.eye(3)[:2], np.eye(3), labels)

    def test_label_that_is_known_late_is_refused_when_it_runs(self, function):
        compiled = tf.function(lambda labels: function(np.eye(3), np.eye(3), labels))
        compiled(tf.constant([0, 1, 2]))
        late = tf.errors.InvalidArgumentError
        with pytest.raises(late, match=r"number of classes|valid range"):
            compiled(tf.constant([0, 1, 3]))

    @pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan])
    def test_temperature_must_be_positive(self, function, value):
        with pytest.raises(ValueError, match="`temperature` must be finite and above"):
            function(np.eye(2), np.eye(2), [0, 1], temperature=value)

    def test_features_must_be_equally_many(self, function):
        with pytest.raises(ValueError, match=r"equally many features. Received: 2 and"):
            function(np.eye(2), np.eye(3), [0, 1])


def test_kappa_must_be_positive():
    with pytest.raises(ValueError, match=r"`kappa` must be .*Received: kappa=0"):
        objectives.word_nce(np.eye(2), np.eye(2), [0, 1], kappa=0)
