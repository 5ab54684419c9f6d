"""Edit distances of pairs that were counted by hand."""

import pytest

from tfsemae import metrics

PAIRS = {
    ("kitten", "sitting"): 3,  # two letters replaced, one inserted
    ("saturday", "sunday"): 3,
    ("shop", "shop"): 0,
    ("", "ship"): 4,
    ("ship", ""): 4,
    ("abc", "bca"): 2,  # one deleted, one inserted; not three replaced
    ("", ""): 0,
}


def test_distances_are_those_of_the_pairs_both_ways():
    found, right = zip(*PAIRS, strict=True)
    assert metrics.edit_distances(found, right).tolist() == list(PAIRS.values())
    assert metrics.edit_distances(right, found).tolist() == list(PAIRS.values())


def test_only_empty_words_have_no_distance():
    assert metrics.edit_distances(["", ""], ["", ""]).tolist() == [0, 0]


def test_error_rate_is_a_share_of_all_letters_and_no_mean_of_shares():
    # 1 of 2 letters and 0 of 8: 10 %; the mean of the shares is 25 %.
    assert metrics.character_error_rate(["ab", "a" * 8], ["aa", "a" * 8]) == 0.1
    assert metrics.character_error_rate(["abcd"], ["a"]) == 3.0


@pytest.mark.parametrize("words", [(["a"], ["a", "b"]), ([], [])])
def test_lists_of_other_lengths_are_refused(words):
    with pytest.raises(ValueError, match="as many words"):
        metrics.edit_distances(*words)


def test_an_error_rate_without_letters_is_refused():
    with pytest.raises(ValueError, match="must have letters"):
        metrics.character_error_rate(["a"], [""])
