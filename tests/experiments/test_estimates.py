"""Estimates over several runs, on measurements that are made up."""

import json

import numpy as np
import pytest

from tfsemae.experiments.estimates import Estimates, Quantity, measured

QUANTITIES = {
    "psnr": Quantity("PSNR", "dB"),
    "adversarial/silhouette": Quantity("silhouette"),
}


@pytest.fixture
def write(tmp_path):
    def make(name, found):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(json.dumps(found))
        return tmp_path / name

    return make


def test_pairs_of_seeds_leave_what_they_share_out(write):
    def folders(name, offset):
        return [
            write(
                f"{name}{seed}",
                {"psnr": 30 + base, "adversarial": {"silhouette": base + offset}},
            )
            for seed, base in enumerate((0.1, 0.5, 0.3))
        ]

    groups = {"a": folders("a", 0.0), "b": folders("b", 0.25)}
    found = Estimates(groups, QUANTITIES, unit="victims")
    key = "adversarial/silhouette"
    np.testing.assert_allclose(found.difference(("b", key), ("a", key)), 0.25)
    np.testing.assert_array_equal(found.values("a", "psnr"), [30.1, 30.5, 30.3])
    # t quantile of 2 degrees of freedom 4.3027, sd 0.2, n 3.
    np.testing.assert_allclose(
        found.value("a", "psnr"),
        30.3 + 4.302653 * 0.2 / 3**0.5 * np.array([0, -1, 1]),
    )
    assert found.interval_over(3) == "t-interval over 3 victims"


def test_factor_and_reader_of_a_quantity(write):
    quantities = {
        "ssim": Quantity("SSIM", "%", 100),
        "name": Quantity("length", "", 2, lambda folder: len(folder.name)),
    }
    groups = {"a": [write("ab", {"ssim": 0.5}), write("abcd", {"ssim": 0.25})]}
    found = Estimates(groups, quantities)
    np.testing.assert_array_equal(found.values("a", "ssim"), [50, 25])
    np.testing.assert_array_equal(found.values("a", "name"), [4, 8])
    assert str(quantities["ssim"]) == "SSIM (%)"
    assert str(quantities["name"]) == "length"


@pytest.mark.parametrize(
    ("found", "key"),
    [
        ({"psnr": 1.0}, "ssim"),
        ({"clean": {"scatter_ratio": None}}, "clean/scatter_ratio"),
        ({"psnr": 1.0}, "psnr/clean"),
    ],
)
def test_what_was_not_measured_names_the_file_and_the_key(write, found, key):
    folder = write("a", found)
    with pytest.raises(
        ValueError, match=rf"{folder}/metrics\.json has no finite {key}"
    ):
        measured(folder, key)


def test_of_groups_of_two_sizes_the_first_runs_are_compared(write):
    many = [write(f"a{seed}", {"psnr": 30 + seed}) for seed in range(5)]
    few = [write(f"b{seed}", {"psnr": 29 + 2 * seed}) for seed in range(3)]
    found = Estimates({"many": many, "few": few}, QUANTITIES)
    first, second = found.paired(("many", "psnr"), ("few", "psnr"))
    np.testing.assert_array_equal(first - second, [1, 0, -1])
    assert found.difference(("many", "psnr"), ("few", "psnr")).effect == 0
    assert len(found.values("many", "psnr")) == 5


def test_relative_difference_is_in_percent_of_the_second_one(write):
    first = [write(f"a{seed}", {"psnr": 3.0 * 2**seed}) for seed in range(3)]
    second = [write(f"b{seed}", {"psnr": 4.0 * 2**seed}) for seed in range(3)]
    found = Estimates({"a": first, "b": second}, QUANTITIES)
    assert found.relative_difference(("a", "psnr"), ("b", "psnr")) == (-25, -25, -25)
