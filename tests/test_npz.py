import numpy as np
import pytest

from tfsemae import npz


def _one_array(path):
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.touch(), r"it is empty"),
        (lambda path: path.write_text("a,b\n1,2\n"), r"it is no \.npz archive.*savez"),
        (_one_array, r"it is an \.npy file, of one array.*np\.savez"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "zip"),
        (lambda path: path.mkdir(), "directory"),
        (lambda path: np.savez(path, a=np.array([None])), "allow_pickle"),
    ],
    ids=["empty", "text", "npy", "cut off", "folder", "pickled"],
)
def test_what_is_no_npz_file_is_refused_in_one_line(tmp_path, write, message):
    path = tmp_path / "mine.npz"
    write(path)
    with (
        pytest.raises(ValueError, match=f"{path} is not .*{message}.* Ask.") as caught,
        npz.opened(path, argument="weights", remedy="Ask.") as archive,
    ):
        dict(archive)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named_with_its_argument(tmp_path):
    message = r"no such file. Received: weights='.*none\.npz'. Ask.$"
    with (
        pytest.raises(ValueError, match=message),
        npz.opened(tmp_path / "none.npz", argument="weights", remedy="Ask."),
    ):
        pass


def test_arrays_are_those_that_were_written(tmp_path):
    np.savez(tmp_path / "two.npz", a=np.arange(3), b=np.eye(2))
    with npz.opened(tmp_path / "two.npz", argument="name") as archive:
        found = dict(archive)
    assert found.keys() == {"a", "b"}
    np.testing.assert_array_equal(found["b"], np.eye(2))
