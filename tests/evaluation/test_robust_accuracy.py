"""Robust accuracy of a linear classifier, of which the least changes are known."""

import keras
import numpy as np
import pytest

from tfsemae import evaluation, settings
from tfsemae.evaluation import robust_sanity
from tfsemae.evaluation.classifier_attacks import ClassifierAttacks
from tfsemae.models.classifier import Classifier

SHAPE = (12, 12, 1)
RADIUS = 0.12
ATTACKS = ("fgsm", "pgd20", "cw20", "aa_lite")
COUNT, CLEAN, ROBUST = 34, 24, 16


def _classifier(slope=8.0, activation=None):
    """Two of four classes, by whether the mean pixel is above 0.5."""
    image = keras.Input(SHAPE)
    mean = keras.layers.GlobalAveragePooling2D(name="mean")(image)
    steep = keras.layers.Dense(1, activation=activation, name="steep")
    logits = keras.layers.Dense(4, name="logits")
    network = keras.Model(image, logits(steep(mean)))
    steep.set_weights([np.array([[slope]]), np.array([-slope / 2])])
    logits.set_weights([np.array([[0, 1, 0, 0]]), np.array([0, 0, -20, -20])])
    return Classifier.of(network, tuple("0123"))


@pytest.fixture(scope="module")
def images(write_images):
    """5 images of each brightness, one with a wrong label, and 4 of other classes.

    Changes of 0.2, 0.15 and 0.1 of all pixels change the class of the others.
    """
    levels = np.array([77, 90, 102, 153, 166, 178], np.uint8).repeat(5)
    labels = (levels > 127).astype(int)
    labels[::5] = 1 - labels[::5]
    levels, labels = np.append(levels, [60] * 4), np.append(labels, [2, 2, 3, 3])
    pixels = np.broadcast_to(levels[:, None, None, None], (COUNT, *SHAPE))
    pixels = pixels.astype(np.uint8)
    return write_images(
        images=pixels, labels=labels, test_images=pixels, test_labels=labels
    )


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("victim")
    _classifier().save(folder)
    return folder


@pytest.fixture(scope="module")
def attack(images, victim):
    def run(output_dir, **given):
        defaults = {
            "attack": "robust_accuracy",
            "model_dir": str(victim),
            "dataset": str(images),
            "linf_radius": RADIUS,
            "attacks": ATTACKS,
            "aa_steps": 10,
            "aa_queries": 20,
            "check_examples": 0,
            "batch_size": 20,
            "output_dir": str(output_dir),
        }
        chosen = settings.make(evaluation.AttackSettings, defaults | given)
        found = evaluation.attack_run(chosen)
        with np.load(output_dir / "measurements.npz") as arrays:
            return found, dict(arrays)

    return run


@pytest.fixture(scope="module")
def done(attack, victim, tmp_path_factory):
    return attack(
        tmp_path_factory.mktemp("attack"),
        check_examples=30,
        transfer_dir=str(victim),
    )


def test_accuracies_are_the_shares_that_lie_farther_from_the_boundary(done):
    found, arrays = done
    assert found["examples"] == COUNT
    assert found["clean"]["accuracy"] == pytest.approx(CLEAN / COUNT)
    # Corners change the mean by a twelfth of the radius.
    assert found["noise"]["accuracy"] == pytest.approx(CLEAN / COUNT)
    for name in (*ATTACKS, "worst"):
        assert found[name]["accuracy"] == pytest.approx(ROBUST / COUNT), name
    levels = np.array([77, 90, 102, 153, 166, 178]).repeat(5) / 255
    known = np.abs(levels - 0.5) > RADIUS
    known[::5] = False
    for name in ATTACKS:
        np.testing.assert_array_equal(arrays[f"{name}/correct"][:30], known)
        assert not arrays[f"{name}/correct"][30:].any()


def test_changes_stay_in_the_ball(done):
    for name in ATTACKS:
        linf = done[1][f"{name}/linf"]
        assert linf.max() <= RADIUS + 1e-6
        # Images that are classified wrongly are not attacked.
        attacked = done[1]["clean/correct"]
        np.testing.assert_array_equal(done[1][f"{name}/attacked"], attacked)
        assert not linf[~attacked].any()


def test_checks_of_a_linear_classifier_find_nothing(done):
    found = done[0]
    assert found["warnings"] == []
    assert found["pgd20"]["warnings"] == []
    checks = found["checks"]
    assert checks["epsilon0"] == checks["clean"] == pytest.approx(CLEAN / 30)
    for name in ("pgd20", "pgd100", "restarts", "transfer"):
        assert checks[name] == pytest.approx(ROBUST / 30)
    assert checks["huge"] == 0  # 64/255 is above 0.2


def test_parts_of_aa_lite_go_down(done):
    parts = done[0]["aa_lite"]["parts"]
    assert 1 >= parts["apgd_ce"] >= parts["apgd_dlr"] >= ROBUST / COUNT


def test_masked_gradients_are_named_beside_the_number(attack, tmp_path):
    _classifier(1e4, "tanh").save(tmp_path / "masked")
    found, _ = attack(
        tmp_path / "out",
        model_dir=str(tmp_path / "masked"),
        attacks=("pgd5",),
        check_examples=30,
    )
    # No gradient, nothing is reached; yet 0.12 of all pixels would do.
    assert found["pgd5"]["accuracy"] == found["clean"]["accuracy"]
    assert found["pgd5"]["flat"] == 1
    assert found["pgd5"]["warnings"] == ["huge_radius", "flat"]
    assert found["warnings"][0].startswith("huge_radius: a radius of 64/255 leaves 80")


def test_a_stopped_attack_goes_on_and_ends_alike(attack, tmp_path, monkeypatch):
    options = {"attacks": ("fgsm", "pgd3"), "random_runs": 2}
    whole, arrays = attack(tmp_path / "whole", **options)
    named = ClassifierAttacks.named

    def stopping(self, name, **more):
        if name == "pgd3":
            raise KeyboardInterrupt
        return named(self, name, **more)

    with monkeypatch.context() as patch:
        patch.setattr(ClassifierAttacks, "named", stopping)
        with pytest.raises(KeyboardInterrupt):
            attack(tmp_path / "stopped", **options)
    assert (tmp_path / "stopped" / "arrays" / "fgsm" / "00000000.npz").exists()
    again, others = attack(tmp_path / "stopped", **options)
    assert again == whole
    assert set(arrays) == set(others)
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, others[name])
    assert not (tmp_path / "stopped" / "arrays").exists()


def test_features_of_the_first_images_of_each_class(attack, tmp_path):
    found, arrays = attack(
        tmp_path, attacks=("pgd20",), per_class=2, keep_features=True
    )
    assert found["examples"] == 8
    np.testing.assert_array_equal(np.bincount(arrays["labels"]), [2, 2, 2, 2])
    assert arrays["clean/features"].shape == arrays["pgd20/features"].shape == (8, 1)
    # Also of images that are classified wrongly.
    assert arrays["pgd20/attacked"].all()
    assert arrays["pgd20/linf"].min() > 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"linf_radius": 8.0},
            "--linf_radius=8 is above 1, .* give --linf_radius=0.0313725",
        ),
        ({"attacks": ("pgd",)}, "--attacks=pgd must name"),
        ({"attacks": ("fgsm", "fgsm")}, "each once"),
        ({"attacks": ("autoattack",)}, "aa_lite"),
        ({"per_class": 3}, "more than the 2 images"),
        ({"transfer_dir": "nowhere"}, "nowhere"),
    ],
)
def test_bad_input_is_refused(attack, tmp_path, given, message):
    with pytest.raises(ValueError, match=message):
        attack(tmp_path, **given)


def test_a_classifier_that_is_always_wrong_is_not_attacked(
    attack, tmp_path, write_images
):
    pixels, labels = np.full((4, *SHAPE), 60, np.uint8), np.arange(4)
    pixels[0] = 200  # the victim says 1 of it, and 0 of the others
    dataset = write_images(
        images=pixels, labels=labels, test_images=pixels, test_labels=labels
    )
    found, _ = attack(tmp_path, dataset=str(dataset), attacks=("fgsm", "aa_lite"))
    assert found["worst"]["accuracy"] == 0
    assert found["warnings"] == []


def test_aa_lite_takes_four_classes(attack, tmp_path, write_images):
    image = keras.Input(SHAPE)
    flat = keras.layers.Flatten()(image)
    network = keras.Model(image, keras.layers.Dense(3)(flat))
    Classifier.of(network).save(tmp_path / "three")
    pixels, labels = np.zeros((6, *SHAPE), np.uint8), np.arange(6) % 3
    dataset = write_images(
        images=pixels, labels=labels, test_images=pixels, test_labels=labels
    )
    given = {"model_dir": str(tmp_path / "three"), "dataset": str(dataset)}
    with pytest.raises(ValueError, match=r"at least 4 classes\. Received: one of 3"):
        attack(tmp_path / "out", **given)


def _warned(accuracies=None, **checks):
    right = {"clean": 0.8, "epsilon0": 0.8, "pgd20": 0.5, "huge": 0.0}
    return set(robust_sanity.warnings(accuracies or {}, {**right, **checks}))


@pytest.mark.parametrize(
    ("checks", "names"),
    [
        ({}, set()),
        ({"epsilon0": 0.79}, {"not_clean"}),
        ({"huge": 0.02}, {"huge_radius"}),
        ({"pgd100": 0.485}, {"pgd100_gains"}),
        ({"pgd100": 0.495, "restarts": 0.495, "adaptive": 0.495}, set()),
        ({"restarts": 0.48}, {"restarts_gains"}),
        ({"adaptive": 0.48}, {"adaptive_gains"}),
        ({"transfer": 0.49}, {"transfer_is_stronger"}),
        ({"transfer": 0.5}, set()),
    ],
)
def test_each_check_has_a_name(checks, names):
    assert _warned(**checks) == names


def test_a_stronger_attack_leaves_no_more():
    right = {"clean": 0.8, "noise": 0.8, "fgsm": 0.6, "pgd20": 0.5, "pgd100": 0.5}
    assert robust_sanity.warnings(right, {}) == {}
    for name in ("noise", "fgsm", "pgd20", "pgd100"):
        assert _warned(right | {name: 0.9}) == {"not_in_order"}
