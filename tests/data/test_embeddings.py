"""Embeddings of classes: three formats, and files that are none."""

import numpy as np
import pytest

from tfsemae import data

GIVEN = np.array([[1.0, 2.0], [3.0, -4.5], [0.0, 1e-3]])


@pytest.fixture(params=["npy", "npz", "txt"])
def path(request, tmp_path):
    path = tmp_path / f"embeddings.{request.param}"
    if request.param == "npy":
        np.save(path, GIVEN)
    elif request.param == "npz":
        np.savez(path, clip=GIVEN)
    else:
        np.savetxt(path, GIVEN)
    return path


def test_formats_give_the_same(path):
    found = data.class_embeddings(path, 3)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, GIVEN)


def test_another_number_of_classes_is_refused(path):
    with pytest.raises(ValueError, match=r"each of the 4 classes.*shape=\(3, 2\)"):
        data.class_embeddings(path, 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], r"each of the 2 classes.*shape=\(2,\)"),
        ([[1.0], [np.nan]], "finite numbers.*not finite"),
        ([[1.0], [0.0]], "row 1 of zeros"),
        ([["a"], ["b"]], "finite numbers.*dtype=<U1"),
        ([[True], [True]], "finite numbers.*dtype=bool"),
        (np.zeros((2, 0)), r"shape=\(2, 0\)"),
        (np.array([[{}], [{}]]), "cannot be read.*pickle"),
    ],
)
def test_arrays_that_are_no_embeddings_are_refused(tmp_path, values, message):
    np.save(tmp_path / "a.npy", values)
    _refused(tmp_path / "a.npy", message)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"1 2\n3 x\n", "cannot be read.*'x'"),
        ("a.txt", b"1 2\n3\n", "cannot be read.*columns"),
        ("a.txt", b"", r"shape=\(0"),
        ("a.txt", b"\xff\xfe", "cannot be read.*utf-8"),
        ("a.npy", b"", "cannot be read"),
        ("a.npy", b"no array", "cannot be read"),
        ("a.npz", b"no archive", "no .npz archive"),
    ],
)
def test_damaged_files_are_refused(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    _refused(tmp_path / name, message)


def test_missing_files_and_further_arrays_are_refused(tmp_path):
    _refused(tmp_path / "a.npy", "no such file")
    _refused(tmp_path / "a.npz", "no such file")
    np.savez(tmp_path / "b.npz", a=GIVEN, b=GIVEN)
    _refused(tmp_path / "b.npz", "one array.*a, b")


def _refused(path, message):
    with pytest.raises(ValueError, match=message) as caught:
        data.class_embeddings(path, 2)
    assert "\n" not in str(caught.value)
