import numpy as np

from tfsemae.evaluation import latent

NAMES = ("a", "b")


def test_an_infinite_ratio_of_scatters_is_none():
    # JSON has no infinity. Two classes, each a point.
    latents, labels = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 0, 1, 1])
    found = latent.structure(latents, labels)
    assert found == {"silhouette": 1.0, "scatter_ratio": None}


def _two_clouds(count, seed):
    labels = np.arange(count) % 2
    noise = np.random.default_rng(seed).normal(size=(count, 3))
    return noise + 100 * labels[:, np.newaxis], labels


def test_clouds_apart_are_told_from_each_other(tmp_path):
    found = latent.measure(
        *_two_clouds(40, 0),
        lambda: _two_clouds(20, 1),
        class_names=NAMES,
        folder=tmp_path,
        seed=0,
    )
    assert found["knn_accuracy"] == found["linear_probe_accuracy"] == 1
    # Distances of some 2 within a class, 173 between them.
    assert found["silhouette"] > 0.95
    assert found["kmeans_nmi"] == 1
    assert (tmp_path / "tsne.png").exists()


def test_classifiers_learn_from_the_reference(tmp_path):
    reference, labels = _two_clouds(20, 1)
    found = latent.measure(
        *_two_clouds(40, 0),
        lambda: (reference, 1 - labels),
        class_names=NAMES,
        folder=tmp_path,
        seed=0,
    )
    assert found["knn_accuracy"] == found["linear_probe_accuracy"] == 0
    assert found["silhouette"] > 0.95


def test_equal_latents_have_no_map(tmp_path):
    latents = np.full((40, 3), 0.1)
    path = tmp_path / "tsne.png"
    assert latent.draw_map(latents, np.arange(40) % 2, NAMES, path, seed=0) is None
    assert not list(tmp_path.iterdir())


def test_a_map_that_keeps_clouds_apart_has_a_high_silhouette(tmp_path):
    latents, labels = _two_clouds(100, 0)
    path = tmp_path / "tsne.png"
    found = latent.draw_map(latents, labels, NAMES, path, seed=0)
    # t-SNE has no link between clouds so far apart; unrelated labels give some 0.
    assert found > 0.5
    shuffled = np.random.default_rng(0).permutation(labels)
    assert latent.draw_map(latents, shuffled, NAMES, path, seed=0) < 0.1


def test_a_map_of_one_class_is_drawn_and_has_no_silhouette(tmp_path):
    latents, labels = _two_clouds(40, 0)
    path = tmp_path / "tsne.png"
    assert latent.draw_map(latents, 0 * labels, NAMES, path, seed=0) is None
    assert path.exists()
