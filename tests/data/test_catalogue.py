import subprocess
import sys

import pytest

from tfsemae import data
from tfsemae.data import catalogue


@pytest.mark.parametrize("name", [*catalogue.DATA_SETS, "mine.npz", "a/b.c/mine.npz"])
def test_known_names_and_own_files_pass(name):
    catalogue.check_name(name)


@pytest.mark.parametrize("name", ["", "MNIST", "mnist ", "imagenet", "mine.npy"])
def test_another_name_is_refused_and_the_known_ones_are_named(name):
    with pytest.raises(
        ValueError, match="digits, synthetic, moebius, ring, speech, mnist"
    ) as caught:
        catalogue.check_name(name)
    assert f"Received: name={name!r}" in str(caught.value)


def test_catalogue_is_free_of_tensorflow():
    command = (
        "import sys, tfsemae.data.catalogue; "
        "sys.exit(any(m in sys.modules for m in ('tensorflow', 'numpy')))"
    )
    subprocess.run([sys.executable, "-c", command], check=True)


def test_public_names_are_resolved_when_used():
    assert set(data.__all__) <= set(dir(data))
    for name in data.__all__:
        assert getattr(data, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = data.lode
