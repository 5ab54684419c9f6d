"""Accuracy of a classifier under attacks, image by image, with checks of the numbers.

Source: Kuang et al. 2023, released code, for radius, steps and losses; the checks are
our choice.
"""

import functools
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from tfsemae import data, devices, keras_state, run_folder
from tfsemae.attacks.objectives import Network
from tfsemae.evaluation import (
    classification,
    draws,
    loading,
    robust_sanity,
)
from tfsemae.evaluation.arrays import (
    MEASUREMENTS_FILE,
    Shards,
    compute,
    whole,
    write_npz,
)
from tfsemae.evaluation.attack_registry import RobustAccuracy
from tfsemae.evaluation.attack_settings import Settings
from tfsemae.evaluation.classifier_attacks import (
    LEAST_CLASSES,
    Attack,
    ClassifierAttacks,
)
from tfsemae.models import word_heads
from tfsemae.models.classifier import Classifier
from tfsemae.progress import note
from tfsemae.run_folder import Metrics

_CLEAN, _NOISE = "clean", "noise"
_STARTS, _CORNERS = range(2)  # streams of random numbers
_HUGE = 64 / 255
_RESTARTS = 5
_ADAPTIVE_TEMPERATURE = 0.1  # of the cosine that the adaptive attack lowers
Values = Mapping[str, Mapping[str, tf.Tensor]]


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> Metrics:
    """Attacks in a folder that is locked; see `evaluation.attack_run`."""
    devices.set_threads(settings.run.threads)
    chosen = settings.robust_accuracy
    victim = Classifier.load(settings.run.model_dir)
    images, indices = _chosen(settings)
    classification.check(victim, images)
    _check(victim, chosen)
    others = _others(settings, victim)
    digests = {"images": images.digest(), "network": victim.digest()}
    if chosen.transfer_dir is not None:
        digests["transfer"] = Classifier.load(chosen.transfer_dir).digest()
    run_folder.check_inputs(folder, digests)
    identity = [*digests.values(), *run_folder.identity(settings)]
    work = _Work(victim, images, settings, folder / "arrays", identity)
    work.clean()
    attacks = ClassifierAttacks(work.network, chosen)
    for name in chosen.attacks:
        note(f"Attacking {len(images)} images: {name}.")
        work.attack(name, attacks.named(name))
    few = work.first(chosen.check_examples)
    if few is not None:
        note(f"Checking the numbers on {len(few.images)} images.")
        few.clean()
        for name, attack in _checks(attacks, work.network, chosen, others):
            runs = 1 + _RESTARTS if name == "restarts" else 1
            few.attack(name, attack, runs=runs)
    found = _summary(work, few, chosen)
    for sentence in found["warnings"]:
        note(f"Warning: {sentence}")
    of_images = {"indices": indices, "labels": images.labels}
    work.write(folder / MEASUREMENTS_FILE, of_images)
    for each in (few, work):
        if each is not None:
            each.remove()
    return found


def _chosen(settings: Settings) -> tuple[data.Images, np.ndarray]:
    """The images, and their places in the split."""
    count = settings.robust_accuracy.per_class
    if count is None:
        return loading.chosen(settings)
    images = loading.of_split(settings)
    labels = np.zeros(0, int) if images.labels is None else images.labels
    of_class = [
        np.flatnonzero(labels == label)[:count]
        for label in range(len(images.class_names))
    ]
    few = [len(places) for places in of_class if len(places) < count]
    if few:
        raise ValueError(
            f"--per_class={count} is more than the {min(few)} images that a class has. "
            "Ask for fewer."
        )
    indices = np.sort(np.concatenate(of_class))
    return data.take(images, indices), indices


def _check(victim: Classifier, chosen: RobustAccuracy) -> None:
    classes = len(victim.class_names)
    if "aa_lite" in chosen.attacks and classes < LEAST_CLASSES:
        raise ValueError(
            "--attacks=aa_lite takes a classifier of at least "
            f"{LEAST_CLASSES} classes. Received: one of {classes}."
        )


def _others(settings: Settings, victim: Classifier) -> dict[str, Any]:
    """What some checks take: another network, and the cosines of the own heads."""
    found: dict[str, Any] = {}
    transfer_dir = settings.robust_accuracy.transfer_dir
    if transfer_dir is not None:
        other = Classifier.load(transfer_dir)
        if (other.image_shape, len(other.class_names)) != (
            victim.image_shape,
            len(victim.class_names),
        ):
            raise ValueError(
                f"--transfer_dir={transfer_dir} has a classifier of other images or "
                "classes. Name one of the same data set."
            )
        found["transfer"] = lambda points: other.network(points, training=False)
    if word_heads.exist(settings.run.model_dir):
        heads = word_heads.load(settings.run.model_dir)
        joint = victim.joint()

        def away_from_the_word(points: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
            cosines = heads(joint(points, training=False)["features"], training=False)
            own = tf.gather(cosines, labels, batch_dims=1)
            return -own / _ADAPTIVE_TEMPERATURE

        found["adaptive"] = away_from_the_word
    return found


def _checks(
    attacks: ClassifierAttacks,
    network: Network,
    chosen: RobustAccuracy,
    others: Mapping[str, Any],
) -> Iterator[tuple[str, Attack]]:
    """Name -> attack, as `robust_sanity` knows them."""
    yield "pgd20", attacks.named("pgd20")
    yield "pgd100", attacks.named("pgd100")
    yield "restarts", attacks.named("pgd20")
    yield "epsilon0", attacks.named("pgd1", epsilon=0.0)
    yield "huge", attacks.named("pgd100", epsilon=_HUGE)
    if "transfer" in others:
        of_other = ClassifierAttacks(network, chosen, source=others["transfer"])
        yield "transfer", of_other.named("pgd20")
    if "adaptive" in others:
        adaptive = ClassifierAttacks(network, chosen, penalty=others["adaptive"])
        yield "adaptive", adaptive.named("pgd20")


class _Work:
    """Images under attack, with what is known of them so far."""

    def __init__(
        self,
        victim: Classifier,
        images: data.Images,
        settings: Settings,
        folder: pathlib.Path,
        identity: list[str],
    ):
        self.images, self.accuracies = images, dict[str, float]()
        self._victim, self._settings = victim, settings
        self._chosen = settings.robust_accuracy
        self._folder, self._identity = folder, identity
        self._done: dict[str, Shards] = {}
        self._joint = tf.function(
            functools.partial(victim.joint(), training=False),
            input_signature=[tf.TensorSpec((None, *victim.image_shape), tf.float32)],
            autograph=False,
        )
        self._correct = np.zeros(len(images), bool)

    def network(self, points: tf.Tensor) -> tf.Tensor:
        """Logits of images, as at inference."""
        return self._victim.network(points, training=False)

    def first(self, count: int) -> "_Work | None":
        """The first images alone, for checks; None if there is none."""
        if not count:
            return None
        few = data.take(self.images, slice(0, count))
        folder = self._folder / "checks"
        identity = ["checks", *self._identity]
        return _Work(self._victim, few, self._settings, folder, identity)

    def clean(self) -> None:
        """Answers to the images, and to corners of the ball."""
        size = self._settings.run.batch_size
        corners = draws.uniform(
            [self._settings.run.seed, _CORNERS], self._victim.image_shape
        )

        def step(pixels: tf.Tensor, labels: tf.Tensor, numbers: np.ndarray) -> Values:
            signs = tf.sign(tf.constant(numbers) - 0.5)
            noisy = pixels + self._chosen.linf_radius * signs
            found = {}
            for name, each in (
                (_CLEAN, pixels),
                (_NOISE, tf.clip_by_value(noisy, 0.0, 1.0)),
            ):
                outputs = self._joint(each)
                answers = tf.argmax(outputs["logits"], axis=1)
                found[name] = {"correct": answers == labels}
                if name == _CLEAN:
                    found[name]["logits"] = outputs["logits"]
                if self._chosen.keep_features:
                    found[name]["features"] = outputs["features"]
            return found

        shards = self._shards(_CLEAN)
        batches = data.batches(self.images, size, shuffle=False)
        compute(
            step,
            ((pixels, labels, corners(len(pixels))) for pixels, labels in batches),
            shards,
            total=len(self.images),
        )
        self._correct = shards.read(_CLEAN, "correct")
        for name in (_CLEAN, _NOISE):
            self.accuracies[name] = float(np.mean(shards.read(name, "correct")))

    def attack(self, name: str, attack: Attack, *, runs: int | None = None) -> None:
        """Attacks the images that are classified rightly; all, if features are kept."""
        shards = self._shards(name)
        batches = self._batches(self._chosen.random_runs if runs is None else runs)
        step = functools.partial(self._attacked, name, attack)
        compute(step, batches, shards, total=len(self.images))
        self.accuracies[name] = float(np.mean(self.correct(name)))

    def correct(self, name: str) -> np.ndarray:
        """Whether each image withstands an attack, bool `[N]`."""
        return self._done[name].read(name, "correct")

    def share(self, name: str, quantity: str, *, without: float) -> float:
        """Share of the images that were attacked; `without` if there are none."""
        attacked = self._done[name].read(name, "attacked")
        values = self._done[name].read(name, quantity)[attacked]
        return float(np.mean(values)) if len(values) else without

    def parts(self, name: str) -> dict[str, float]:
        """Accuracies behind the parts of an attack."""
        return {
            quantity.removeprefix("after_"): float(
                np.mean(self._done[name].read(name, quantity))
            )
            for _, quantity in self._done[name].quantities()
            if quantity.startswith("after_")
        }

    def write(
        self, path: pathlib.Path, of_images: Mapping[str, np.ndarray | None]
    ) -> None:
        """Writes `<condition>/<quantity>` of each image."""
        arrays = whole({k: v for k, v in of_images.items() if v is not None})
        for shards in self._done.values():
            for key in shards.quantities():
                arrays["/".join(key)] = functools.partial(shards.parts, *key)
        write_npz(path, arrays)

    def remove(self) -> None:
        """Removes the shards."""
        for shards in self._done.values():
            shards.remove()
        self._folder.rmdir()

    def _shards(self, name: str) -> Shards:
        self._done[name] = Shards(self._folder / name, [name, *self._identity])
        return self._done[name]

    def _batches(self, runs: int) -> Iterator[tuple]:
        seed, size = self._settings.run.seed, self._settings.run.batch_size
        shape = self._victim.image_shape
        starts = [
            draws.in_unit_ball([seed, _STARTS, run], shape, "linf")
            for run in range(runs)
        ]
        first = 0
        for pixels, labels in data.batches(self.images, size, shuffle=False):
            count = len(pixels)
            yield pixels, labels, np.stack([draw(count) for draw in starts]), first
            first += count

    def _attacked(
        self,
        name: str,
        attack: Attack,
        pixels: tf.Tensor,
        labels: tf.Tensor,
        starts: np.ndarray,
        first: int,
    ) -> Values:
        count = len(pixels)
        attacked = self._correct[first : first + count].copy()
        if self._chosen.keep_features:
            attacked[:] = True
        rows = np.flatnonzero(attacked)
        moved, values = pixels.numpy(), _nothing(count)
        values["attacked"] = attacked
        if len(rows):
            found = attack(
                tf.gather(pixels, rows),
                tf.gather(labels, rows),
                tf.constant(starts[:, rows]),
                (self._settings.run.seed, first),
            )
            moved[rows] = found.adversarial
            for quantity in ("correct", "finite", "flat"):
                values[quantity][rows] = getattr(found, quantity)
            for part, correct in found.further.items():
                values[f"after_{part}"] = np.zeros(count, bool)
                values[f"after_{part}"][rows] = correct
        elif name == "aa_lite":
            values |= {
                f"after_{part}": np.zeros(count, bool)
                for part in ("apgd_ce", "apgd_dlr")
            }
        # A wrong answer to the image itself counts, whatever the attack makes of it.
        values["correct"] &= self._correct[first : first + count]
        values["linf"] = np.abs(moved - pixels).max(axis=(1, 2, 3))
        if self._chosen.keep_features:
            values["features"] = self._joint(moved)["features"].numpy()
        return {name: {key: tf.constant(each) for key, each in values.items()}}


def _nothing(count: int) -> dict[str, np.ndarray]:
    """Values of images that are not attacked."""
    return {
        "correct": np.zeros(count, bool),
        "finite": np.ones(count, bool),
        "flat": np.zeros(count, bool),
    }


def _summary(work: _Work, few: _Work | None, chosen: RobustAccuracy) -> Metrics:
    checks = {} if few is None else few.accuracies
    named = robust_sanity.warnings(work.accuracies, checks)
    warnings = [f"{name}: {sentence}" for name, sentence in named.items()]
    found: Metrics = {
        "examples": len(work.images),
        **{name: {"accuracy": work.accuracies[name]} for name in (_CLEAN, _NOISE)},
    }
    worst = np.ones(len(work.images), bool)
    for name in chosen.attacks:
        worst &= work.correct(name)
        flat = work.share(name, "flat", without=0.0)
        finite = work.share(name, "finite", without=1.0)
        own = {
            "flat": f"no gradient was found for {100 * flat:.1f} %." if flat else "",
            "not_finite": f"values of {100 * (1 - finite):.1f} % were not finite."
            if finite < 1
            else "",
        }
        own = {key: text for key, text in own.items() if text}
        warnings += [f"{key}: {name}, {text}" for key, text in own.items()]
        found[name] = {
            "accuracy": work.accuracies[name],
            "flat": flat,
            "finite": finite,
            # Of the network, and so of each of its numbers, and of this attack.
            "warnings": [*named, *own],
        }
        parts = work.parts(name)
        if parts:
            found[name]["parts"] = parts
    found["worst"] = {"accuracy": float(np.mean(worst))}
    return {**found, "checks": checks, "warnings": warnings}
