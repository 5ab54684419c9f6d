"""The choice between two unseen classes: perfect, useless and collapsed features."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tfsemae import metrics

LABELS = np.arange(200) % 10
WORDS = np.random.default_rng(7).normal(size=(10, 5))


def _features(noise, seed=0):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(5, 8))
    return WORDS[LABELS] @ mixing + noise * random.normal(size=(200, 8)) + 30


def test_linear_images_of_the_words_are_perfect():
    found = metrics.two_way_zero_shot_accuracy(_features(0.01), LABELS, WORDS)
    assert found > 0.95
    small = metrics.two_way_zero_shot_accuracy(
        _features(0.0), LABELS, WORDS, ridge=1e-9
    )
    assert small == 1


def test_features_without_words_are_at_chance():
    found = [
        metrics.two_way_zero_shot_accuracy(
            np.random.default_rng(seed).normal(size=(200, 8)), LABELS, WORDS
        )
        for seed in range(20)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=4 * np.std(found) / 20**0.5)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_collapsed_features_are_at_chance_exactly(value):
    features = np.full((200, 8), value)
    assert metrics.two_way_zero_shot_accuracy(features, LABELS, WORDS) == 0.5


def test_codes_without_meaning_are_at_chance_exactly():
    # A map of eight classes knows nothing of the axes of the other two.
    found = metrics.two_way_zero_shot_accuracy(_features(0.1), LABELS, np.eye(10))
    assert found == 0.5


def test_words_of_wrong_classes_are_worse():
    features = _features(0.1)
    right = metrics.two_way_zero_shot_accuracy(features, LABELS, WORDS)
    wrong = metrics.two_way_zero_shot_accuracy(features, LABELS, np.roll(WORDS, 3, 0))
    assert wrong < right - 0.2


def test_it_equals_a_loop_over_examples_with_scikit_learn():
    features, ridge, accuracies = _features(2.0), 0.1, []
    for pair in itertools.combinations(range(10), 2):
        seen = ~np.isin(LABELS, pair)
        strength = ridge * seen.sum() * features[seen].var(axis=0).mean()
        peer = Ridge(alpha=strength).fit(features[seen], WORDS[LABELS[seen]])
        middle = WORDS[LABELS[seen]].mean(axis=0)
        for label in pair:
            images = peer.predict(features[label == LABELS]) - middle
            cosines = [
                images @ (WORDS[c] - middle) / np.linalg.norm(WORDS[c] - middle)
                for c in pair
            ]
            accuracies.append(np.mean(np.argmax(cosines, axis=0) == pair.index(label)))
    found = metrics.two_way_zero_shot_accuracy(features, LABELS, WORDS, ridge=ridge)
    assert 0.55 < found < 0.95
    assert found == pytest.approx(np.mean(accuracies), abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "words", "options", "message"),
    [
        (LABELS % 3, WORDS[:3], {}, "at least 4 classes.*Received: 3 classes and 3"),
        (LABELS, WORDS[:9], {}, "Received: 10 classes and 9 words"),
        (LABELS, WORDS * np.nan, {}, "`words` must be finite"),
        (LABELS, WORDS, {"ridge": 0.0}, "above 0. Received: ridge=0.0"),
    ],
)
def test_what_does_not_fit_is_refused(labels, words, options, message):
    with pytest.raises(ValueError, match=message):
        metrics.two_way_zero_shot_accuracy(_features(1.0), labels, words, **options)
