"""Estimates over seeds and over examples, on measurements that are made up."""

import json

import numpy as np
import pytest

from tfsemae import metrics
from tfsemae.experiments.estimates import (
    OverExamples,
    OverSeeds,
    Quantity,
    measured,
    over_seeds_or_examples,
)

LABELS = np.arange(60) % 2
QUANTITIES = {
    "psnr": Quantity("PSNR", "dB"),
    "adversarial/psnr": Quantity("PSNR", "dB"),
    "adversarial/ssim": Quantity("SSIM", "%", 100),
    "adversarial/remaining_distance": Quantity("remaining distance"),
    "adversarial/knn_accuracy": Quantity("10-NN accuracy", "%", 100),
    "adversarial/silhouette": Quantity("silhouette"),
    "clean/scatter_ratio": Quantity("scatter"),
}


def _latents(gap):
    noise = np.random.default_rng(0).normal(size=(60, 3))
    return noise + gap * LABELS[:, np.newaxis]


def _arrays(**changes):
    return {
        "labels": LABELS,
        "indices": np.arange(60),
        "adversarial/psnr": np.full(60, 40.0),
        "adversarial/ssim": np.full(60, 0.97),
        "adversarial/remaining_distance": np.r_[np.nan, np.full(59, 0.25)],
        "adversarial/knn_accuracy": np.arange(60) < 30,
        "adversarial/latent": _latents(1.0),
        "clean/latent": _latents(4.0),
    } | changes


@pytest.fixture
def over_examples(tmp_path):
    def make(**groups):
        for name, arrays in groups.items():
            (tmp_path / name).mkdir()
            np.savez(tmp_path / name / "measurements.npz", **arrays)
        folders = {name: tmp_path / name for name in groups}
        return OverExamples(folders, QUANTITIES, note="one of each")

    return make


@pytest.fixture
def write(tmp_path):
    def make(name, found):
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.json").write_text(json.dumps(found))
        return tmp_path / name

    return make


# --- over examples


def test_measurements_over_examples_are_the_measures_themselves(over_examples):
    found = over_examples(a=_arrays())
    expected = {
        "adversarial/psnr": 40.0,
        "adversarial/ssim": 97.0,  # %
        "adversarial/remaining_distance": 0.25,  # over the images that have one
        "adversarial/knn_accuracy": 50.0,
        "adversarial/silhouette": metrics.silhouette(_latents(1.0), LABELS),
        "clean/scatter_ratio": metrics.scatter_ratio(_latents(4.0), LABELS) - 1 / 58,
    }
    for key, value in expected.items():
        interval = found.value("a", key)
        assert interval.effect == pytest.approx(value), key
        assert interval.low <= interval.effect <= interval.high
        assert found.values("a", key) is None
    assert found.over == "bootstrap over 60 images"


def test_pairs_of_examples_leave_what_they_share_out(over_examples):
    psnr = np.random.default_rng(1).normal(30, 5, 60)
    found = over_examples(
        a=_arrays(**{"adversarial/psnr": psnr + 2}),
        b=_arrays(**{"adversarial/psnr": psnr}),
    )
    key = "adversarial/psnr"
    np.testing.assert_allclose(found.difference(("a", key), ("b", key)), 2)


def test_runs_of_different_images_are_not_compared(over_examples):
    with pytest.raises(ValueError, match="are of different images"):
        over_examples(a=_arrays(), b=_arrays(indices=np.arange(60) + 1))


# --- over seeds


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
    found = OverSeeds(groups, QUANTITIES, unit="victims")
    key = "adversarial/silhouette"
    np.testing.assert_allclose(found.difference(("b", key), ("a", key)), 0.25)
    np.testing.assert_array_equal(found.values("a", "psnr"), [30.1, 30.5, 30.3])
    # t quantile of 2 degrees of freedom 4.3027, sd 0.2, n 3.
    np.testing.assert_allclose(
        found.value("a", "psnr"),
        30.3 + 4.302653 * 0.2 / 3**0.5 * np.array([0, -1, 1]),
    )
    assert found.over == "t-interval over 3 victims"


def test_factor_and_reader_of_a_quantity(write):
    quantities = {
        "ssim": Quantity("SSIM", "%", 100),
        "name": Quantity("length", "", 2, lambda folder: len(folder.name)),
    }
    groups = {"a": [write("ab", {"ssim": 0.5}), write("abcd", {"ssim": 0.25})]}
    found = OverSeeds(groups, quantities)
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


# --- which of the two


def test_one_run_a_group_is_judged_over_its_examples(tmp_path, write):
    options = {"unit": "victims", "note": "one of each"}
    (tmp_path / "single").mkdir()
    np.savez(tmp_path / "single" / "measurements.npz", **_arrays())
    single = {"a": [tmp_path / "single"]}
    found = over_seeds_or_examples(single, QUANTITIES, **options)
    assert (found.over, found.note) == ("bootstrap over 60 images", "one of each")
    several = {"a": [write("a", {"psnr": 1.0}), write("b", {"psnr": 2.0})]}
    found = over_seeds_or_examples(several, QUANTITIES, **options)
    assert (found.over, found.note) == ("t-interval over 2 victims", "")
