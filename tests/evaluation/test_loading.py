"""The images of an evaluation or an attack."""

import numpy as np
import pytest

from tfsemae import evaluation, settings
from tfsemae.evaluation import loading


@pytest.fixture(scope="module")
def images(write_images):
    return write_images()


@pytest.fixture
def chosen(tmp_path, images):
    """Settings of an evaluation of a network that was trained with some flags."""

    def make(*trained, group=evaluation.Settings, **given):
        lines = [f"--dataset={images}", *trained]
        (tmp_path / "flags.txt").write_text("\n".join(lines))
        folders = {"model_dir": str(tmp_path), "output_dir": str(tmp_path / "out")}
        return settings.make(group, folders | given)

    return make


def _is_binary(images):
    return bool(np.isin(images.images, (0, 255)).all())


@pytest.mark.parametrize(
    ("trained", "given", "expected"),
    [
        ((), {}, (False, False)),
        # As the training measured at its end: the split that was binarised, alone.
        (("--binarize=train",), {}, (False, True)),
        (("--binarize=test,train",), {}, (True, True)),
        (("--binarize=train",), {"binarize": ("test",)}, (True, False)),
        (("--binarize=train",), {"binarize": ()}, (False, False)),
    ],
)
def test_test_and_training_images_are_those_of_the_training(
    chosen, trained, given, expected
):
    found = loading.evaluated(chosen(*trained, **given))
    assert tuple(map(_is_binary, found)) == expected


def test_of_a_data_set_that_is_named_nothing_is_binarised(chosen, images):
    found = loading.evaluated(chosen("--binarize=train,test", dataset=str(images)))
    assert not any(map(_is_binary, found))


def test_pairs_of_an_attack_are_binarised_on_demand(chosen):
    def pairs(**given):
        group = evaluation.AttackSettings
        attack = chosen("--binarize=train", group=group, attack="lbfgsb", **given)
        return loading.pairs(attack)

    *grey, places = pairs()
    *binary, places_again = pairs(binarize=("test",))
    assert not any(map(_is_binary, grey))
    assert all(map(_is_binary, binary))
    np.testing.assert_array_equal(places, places_again)
    for before, after in zip(grey, binary, strict=True):
        np.testing.assert_array_equal(after.images == 255, before.images > 127)


def test_a_split_that_is_not_there_is_refused(chosen):
    with pytest.raises(ValueError, match="--binarize=all must name train, test or"):
        chosen(binarize=("all",))
