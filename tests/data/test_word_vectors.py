"""Word vectors: known cosines of GloVe, files by hand, and the controls."""

import os
import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tfsemae import data

FOLDER = pathlib.Path(
    os.environ.get("TFSEMAE_WORDS_DIR")
    or pathlib.Path(__file__).parents[3] / "shared" / "data" / "glove"
)
GLOVE = FOLDER / "cifar10_glove.txt"
CIFAR10 = [
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
]
needs_glove = pytest.mark.skipif(
    not GLOVE.is_file(), reason=f"{GLOVE} is not there (TFSEMAE_WORDS_DIR)"
)


def _cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T


def _pairs(matrix):
    return matrix[np.triu_indices(len(matrix), k=1)]


# Values that were computed for the specification of Kuang et al. 2023.


@needs_glove
def test_cosines_of_glove():
    cosines = _cosines(data.class_vectors(GLOVE, CIFAR10))
    for a, b, cosine, digit in [
        ("cat", "dog", 0.92180, 1e-5),
        ("cat", "truck", 0.31011, 1e-5),
        ("automobile", "truck", 0.65488, 1e-5),
        ("airplane", "ship", 0.738, 1e-3),
        ("automobile", "deer", -0.012, 1e-3),
    ]:
        found = cosines[CIFAR10.index(a), CIFAR10.index(b)]
        assert found == pytest.approx(cosine, abs=digit / 2), (a, b)
    assert _pairs(cosines).mean() == pytest.approx(0.43999, abs=5e-6)
    assert _pairs(cosines).std() == pytest.approx(0.2376, abs=5e-5)


@needs_glove
def test_cosines_of_centred_glove():
    vectors = data.class_vectors(GLOVE, CIFAR10)
    centred = vectors - vectors.mean(axis=0)
    cosines = _cosines(centred)
    assert cosines[3, 5] == pytest.approx(0.7191, abs=5e-5)
    assert cosines[3, 9] == pytest.approx(-0.6531, abs=5e-5)
    assert np.linalg.matrix_rank(centred) == 9


@needs_glove
def test_car_instead_of_automobile():
    other = data.class_vectors(GLOVE, CIFAR10, replacements={"automobile": "car"})
    vectors = data.class_vectors(GLOVE, CIFAR10)
    assert _cosines(other)[1, 9] == pytest.approx(0.92086, abs=5e-6)
    np.testing.assert_array_equal(np.delete(other, 1, 0), np.delete(vectors, 1, 0))
    agreement = stats.spearmanr(_pairs(_cosines(vectors)), _pairs(_cosines(other)))
    assert agreement.statistic == pytest.approx(0.954, abs=5e-4)


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "words.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_rows_are_in_the_order_of_the_classes(write):
    path = write("the 9 9\ncat 1 -2e-1\n\ndog 3 4\n")
    found = data.class_vectors(path, ["dog", "cat"])
    assert found.dtype == np.float64
    assert found.tolist() == [[3, 4], [1, -0.2]]


def test_only_words_that_are_needed_are_read(write):
    # The first line is that of word2vec; GloVe 840B has words with spaces.
    path = write("3 2\nat name@domain.com 1 2\ncat 1 2\nbroken nan\nbroken 1\n")
    assert data.class_vectors(path, ["cat"]).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    "name", ["maple_tree", "Maple tree", "maple-tree", " maple  TREE"]
)
def test_name_of_several_words_is_their_mean(write, name):
    path = write("maple 1 0\ntree 0 3\n")
    assert data.class_vectors(path, [name]).tolist() == [[0.5, 1.5]]


def test_name_that_is_in_the_file_as_a_whole_is_taken_as_it_is(write):
    path = write("maple 1 0\ntree 0 3\nmaple_tree 7 7\n")
    assert data.class_vectors(path, ["maple_tree"]).tolist() == [[7, 7]]


def test_replacement_may_have_several_words(write):
    path = write("car 1 0\nmotor 0 1\n")
    replacements = {"automobile": "motor car"}
    found = data.class_vectors(path, ["automobile"], replacements=replacements)
    assert found.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dog 1 2\n", r"each word of the class 'cat'. Received: no line for cat\."),
        ("cat 1 2\ndog 1\n", r"line 2.*'dog' must have 2 numbers.*'cat'. Received: 1"),
        ("cat 1 2\ndog 1 nan\n", r"line 2.*'dog' must be finite.*Received: 'nan'"),
        ("cat 1 2\ndog -inf 1\n", r"line 2.*'dog' must be finite.*Received: '-inf'"),
        ("cat 1 2\ndog 1 2,5\n", r"line 2.*'dog' must be finite.*Received: '2,5'"),
        ("cat 1 2\ndog 3 4\ncat 1 2\n", r"line 3.*'cat' must be in the file only once"),
        ("cat\ndog 1 2\n", r"line 1.*'cat' must have at least one number"),
        ("cat 0 0\ndog 1 2\n", r"class 'cat' must not be zero"),
        (b"cat 1 2\ndog \xff 2\n", "must be a text file in UTF-8"),
        ("", r"Received: no line for cat\."),
    ],
)
def test_file_that_does_not_fit_is_one_line(write, text, message):
    with pytest.raises(ValueError, match=message) as error:
        data.class_vectors(write(text), ["cat", "dog"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("classes", "replacements", "message"),
    [
        (["cat", "cat"], {}, "each once. Received: cat more than once"),
        ([], {}, "at least one class.*Received: no class"),
        (["cat"], {"dog": "cat"}, "must name classes of cat. Received: dog"),
        (["cat"], {"cat": ""}, "class 'cat'. Received: no line for an empty name"),
        (["cat", "lynx cat"], {}, "class 'lynx cat'. Received: no line for lynx"),
    ],
)
def test_classes_that_do_not_fit_are_one_line(write, classes, replacements, message):
    with pytest.raises(ValueError, match=message):
        data.class_vectors(write("cat 1 2\n"), classes, replacements=replacements)


def test_no_such_file(tmp_path):
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(ValueError, match=r"cannot be read: .*Received: path="):
            data.class_vectors(path, ["cat"])


VECTORS = np.random.default_rng(0).normal(size=(10, 50)) * np.arange(1, 11)[:, None]


def test_glove_is_a_copy():
    found = data.class_codes(VECTORS, "glove")
    np.testing.assert_array_equal(found, VECTORS)
    assert not np.shares_memory(found, VECTORS)


@settings(max_examples=50, deadline=None)
@given(size=st.integers(2, 12), seed=st.integers(0, 2**32 - 1))
def test_permutation_leaves_no_row_in_its_place(size, seed):
    rows = data.class_codes(np.arange(size)[:, np.newaxis], "perm", seed=seed)[:, 0]
    assert sorted(rows) == list(range(size))
    assert not np.any(rows == np.arange(size))


def test_derangements_are_equally_frequent():
    vectors = np.arange(4)[:, np.newaxis]
    found = [tuple(data.class_codes(vectors, "perm", seed=s)[:, 0]) for s in range(900)]
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert len(counts) == 9  # of 4 elements
    assert stats.chisquare(counts).pvalue > 1e-3


def test_random_codes_have_the_norms_and_no_more():
    found = data.class_codes(VECTORS, "random", seed=3)
    np.testing.assert_allclose(
        np.linalg.norm(found, axis=1), np.linalg.norm(VECTORS, axis=1), rtol=1e-12
    )
    # Cosines of random directions have the deviation 1 / sqrt(50) = 0.14.
    assert np.abs(np.diag(_cosines(np.r_[found, VECTORS])[:10, 10:])).max() < 0.7


def test_one_hot_codes():
    np.testing.assert_array_equal(data.class_codes(VECTORS, "onehot"), np.eye(10))


@pytest.mark.parametrize("kind", ["perm", "random"])
def test_equal_seeds_give_equal_codes(kind):
    first, again, other = (
        data.class_codes(VECTORS, kind, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["glove", "perm", "random", "onehot"])
def test_codes_are_of_rank_nine_when_centred(kind):
    codes = data.class_codes(VECTORS, kind)
    assert np.linalg.matrix_rank(codes - codes.mean(axis=0)) == 9


@pytest.mark.parametrize(
    ("vectors", "kind", "message"),
    [
        (VECTORS, "words", r"glove, perm, random, onehot. Received: kind='words'"),
        (VECTORS[:1], "perm", r"C at least 2. Received: vectors.shape=\(1, 50\)"),
        (VECTORS[0], "glove", r"Received: vectors.shape=\(50,\)"),
        (VECTORS * np.nan, "random", "must be finite"),
    ],
)
def test_codes_that_cannot_be_made_are_refused(vectors, kind, message):
    with pytest.raises(ValueError, match=message):
        data.class_codes(vectors, kind)
