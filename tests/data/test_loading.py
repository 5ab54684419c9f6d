import pytest

from tfsemae import data
from tfsemae.data import catalogue


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="Received: name='imagenet'"):
        data.load("imagenet", "train")


@pytest.mark.parametrize("name", list(catalogue.DATA_SETS))
def test_a_missing_split_is_refused_before_anything_is_read(name, tmp_path):
    splits = ", ".join(catalogue.DATA_SETS[name].splits)
    with pytest.raises(ValueError, match=f"{splits}. Received: split='extra'"):
        data.load(name, "extra", data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_splits_are_those_that_load(write_images):
    assert tuple(data.splits("celeb_a")) == ("train", "validation", "test")
    assert tuple(data.splits("digits")) == ("train", "test")
    path = write_images(test_images=None, test_labels=None)
    assert tuple(data.splits(path)) == ("train",)
    with pytest.raises(ValueError, match="Unknown data set"):
        data.splits("nothing")
