import pytest

from tfsemae.reports import Picture, pictures


@pytest.fixture
def folder(tmp_path):
    for name, size in [("a_one.png", 6), ("b_one.png", 6), ("c_one.png", 4)]:
        (tmp_path / name).write_bytes(bytes(size))
    return tmp_path


def test_pictures_beyond_the_size_are_not_taken(folder):
    selection = pictures.Selection(10)
    names = ("a_one.png", "b_one.png", "c_one.png")
    taken = [selection.takes(folder, Picture(file=n, caption="")) for n in names]
    assert taken == [True, False, True]  # 6, not 12, but 10


def test_a_missing_picture_is_said_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="no_such"):
        pictures.Selection(10).takes(tmp_path, Picture(file="no_such.png", caption=""))
