"""What is drawn of runs: which images, of which networks, in which order."""

import keras
import numpy as np
import pytest
from PIL import Image

from tfsemae import data, models
from tfsemae.experiments import pictures
from tfsemae.experiments.estimates import Estimates, Quantity
from tfsemae.reports import figures

SHAPE = (12, 12, 1)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (60, *SHAPE), dtype=np.uint8)
    return data.Images(pixels, np.arange(60) % 3, ("a", "b", "c"))


@pytest.fixture
def attacked(images, tmp_path):
    """An attack on every other image, backwards, that darkened all by 0.1."""
    indices = np.arange(58, -1, -2)
    original = images.images[indices] / np.float32(255)
    latents = original.reshape(len(indices), -1)
    folder = tmp_path / "run"
    folder.mkdir()
    np.savez(
        folder / "adversarial.npz",
        unclipped=original - np.float32(0.1),
        indices=indices,
    )
    np.savez(
        folder / "measurements.npz",
        **{"clean/latent": latents, "adversarial/latent": latents - 0.1},
    )
    return pictures.read_attacked(images, folder)


def test_attacked_images_stand_beside_their_originals(attacked, images):
    np.testing.assert_array_equal(attacked.labels, images.labels[58::-2])
    change = attacked.adversarial - attacked.original
    np.testing.assert_allclose(change, -0.1, atol=1e-7)
    assert attacked.class_names == ("a", "b", "c")
    assert set(attacked.latents) == {"clean", "adversarial"}


def test_as_many_images_of_each_class_are_drawn(attacked, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        pictures.evaluation, "draw", lambda original, *_: drawn.append(original)
    )
    picture = pictures.attacked_images(attacked, tmp_path / "a.png", "As Fig. 5")
    (original,) = drawn
    # Ten places for three classes: three of each, class by class.
    expected = np.concatenate(
        [np.flatnonzero(attacked.labels == number)[:3] for number in range(3)]
    )
    np.testing.assert_array_equal(original, attacked.original[expected])
    assert picture.file == "a.png"
    assert picture.caption.startswith("As Fig. 5: ")
    assert picture.caption.endswith(
        " Of each class the first 3 of 30 attacked images, first victim."
    )


@pytest.mark.parametrize("draw", [pictures.joint_map, pictures.separate_maps])
def test_maps_show_clean_and_adversarial_latents(attacked, tmp_path, monkeypatch, draw):
    drawn, embedding = [], figures.embedding

    def spied(panels, class_names, path, **options):
        drawn.append((panels, options))
        embedding(panels, class_names, path, **options)

    monkeypatch.setattr(figures, "embedding", spied)
    # t-SNE needs more points than its perplexity, 30.
    twice = attacked._replace(
        latents={k: np.concatenate([v, v + 0.01]) for k, v in attacked.latents.items()},
        labels=np.tile(attacked.labels, 2),
    )
    draw(twice, tmp_path / "a.png", "As Fig. 6")
    ((panels, options),) = drawn
    assert [panel[0] for panel in panels] == ["clean", "adversarial"]
    assert all(len(panel[1]) == 60 for panel in panels)
    assert options.get("one_map", False) == (draw is pictures.joint_map)
    with Image.open(tmp_path / "a.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 10


def _identity(offset):
    image, latent = keras.Input(SHAPE), keras.Input((144,))
    grid = keras.layers.Reshape(SHAPE)(latent)
    return models.Autoencoder(
        keras.Model(image, keras.layers.Flatten()(image)),
        keras.Model(latent, keras.layers.Rescaling(0.5, offset)(grid)),
    )


def test_reconstructions_are_those_of_each_network(images, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "image_grid", lambda rows, path: drawn.extend(rows))
    networks = {"dark": _identity(0.0), "light": _identity(0.5)}
    picture = pictures.reconstructions(images, networks, tmp_path / "a.png", "Fig. 3")
    assert [name for name, _ in drawn] == ["original", "dark", "light"]
    original, dark, light = (np.asarray(shown) for _, shown in drawn)
    np.testing.assert_array_equal(original, images.images[:10] / np.float32(255))
    np.testing.assert_allclose(dark, original / 2, atol=1e-7)
    np.testing.assert_allclose(light, original / 2 + 0.5, atol=1e-7)
    assert (picture.file, picture.caption) == ("a.png", "Fig. 3")


def test_maps_of_latents_have_a_panel_for_each_network(images, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        figures, "embedding", lambda panels, names, path: drawn.append((panels, names))
    )
    networks = {"one": _identity(0.0), "two": _identity(0.0)}
    pictures.latent_maps(images, networks, tmp_path / "a.png", "Fig. 4")
    ((panels, names),) = drawn
    assert [panel[0] for panel in panels] == ["one", "two"]
    assert names == images.class_names
    for _, points, labels in panels:
        assert points.shape == (60, 2)
        np.testing.assert_array_equal(labels, images.labels)


def test_frontier_has_means_and_deviations_of_each_number_of_runs(
    tmp_path, monkeypatch
):
    drawn = []
    monkeypatch.setattr(figures, "curves", lambda panels, path: drawn.extend(panels))
    values = {"a": [1.0, 3.0], "b": [5.0, 9.0, 7.0], "c": [2.0, 2.0]}
    keys = {"x": 1, "y": 10}
    quantities = {
        key: Quantity(key, "", factor, lambda folder: folder)
        for key, factor in keys.items()
    }
    found = Estimates({0.5: values["a"], 1: values["b"], None: values["c"]}, quantities)
    levels = {"y": [("printed", 7.0)]}
    curves = {"by weight": [0.5, 1], "alone": [None]}
    pictures.frontiers(found, "x", levels, curves, tmp_path / "a.png", "")
    (panel,) = drawn
    weighted, alone = panel.curves
    np.testing.assert_array_equal(weighted.x, [2, 7])
    np.testing.assert_array_equal(weighted.y, [20, 70])
    np.testing.assert_allclose(weighted.x_error, [2**0.5, 2])
    assert (list(weighted.names), list(alone.names)) == (["0.5", "1"], [])
    assert (alone.x, alone.y) == (2, 20)
    assert panel.levels == [("printed", 7.0)]
