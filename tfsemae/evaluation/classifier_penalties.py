"""Attacks by L-BFGS-B on a classifier, over a grid of penalties of the distortion.

Of images that the classifier knows, each is changed towards a class of chance that is
not its own. A bisection then looks for the largest penalty at which it still gets
there, and so for the smallest distortion.

Source: Tabacof 2016, section 4, and its released code, which only sweeps.
"""

import pathlib
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import special

from tfsemae import attacks, data, devices, keras_state, models, run_folder
from tfsemae.attacks import objectives
from tfsemae.evaluation import classification, loading, penalty_problems
from tfsemae.evaluation.arrays import Arrays, Shards, mean_of_finite
from tfsemae.evaluation.attack_settings import Settings
from tfsemae.models.classifier import Classifier
from tfsemae.progress import note
from tfsemae.reports import figures
from tfsemae.run_folder import Metrics

_BATCH = 500
_PICTURES = 10


class _Problems(NamedTuple):
    """What is attacked; the numbers are those of the classes."""

    images: np.ndarray  # float32 `[P, H, W, C]` in [0, 1]
    labels: np.ndarray  # int32 `[P]`
    targets: np.ndarray  # int32 `[P]`
    places: np.ndarray  # int64 `[P]`, of the images in their split


@keras_state.standard()
def run(settings: Settings, folder: pathlib.Path) -> Metrics:
    """Attacks in a folder that is locked; see `evaluation.attack_run`."""
    devices.set_threads(settings.run.threads)
    _check(settings)
    victim = Classifier.load(settings.run.model_dir)
    images = loading.of_split(settings)
    classification.check(victim, images)
    problems = _problems(victim, images, settings)
    digests = {"images": images.digest(), "network": victim.digest()}
    run_folder.check_inputs(folder, digests)
    identity = [*digests.values(), *run_folder.identity(settings)]
    done = Shards(folder / "arrays", identity)
    attack = _Attack(victim, settings)
    count = len(problems.places)
    note(f"Attacking {count} images with {len(attack.penalties)} penalties.")
    penalty_problems.solve_all(
        lambda rows: attack.swept(problems, rows), count, done, unit="image"
    )
    found: Metrics = {"examples": count, **penalty_problems.endings(done)}
    of_images = {
        "images": problems.images,
        "indices": problems.places,
        "labels": problems.labels,
        "targets": problems.targets,
        "penalty": attack.penalties,
    }
    reached = done.read("adversarial", "target_probability") > done.read(
        "adversarial", "label_probability"
    )
    found["reached"] = float(np.mean(reached[:, 0]))
    of_images["crossing"] = _crossings(reached, done.read("adversarial", "distortion"))
    found["crossing_distortion"] = mean_of_finite(of_images["crossing"])
    if settings.lbfgsb.bisections:
        note("Bisecting the penalties.")
        nearest = attack.bisected(problems, reached, settings.lbfgsb.bisections)
        of_images |= {f"bisection/{name}": values for name, values in nearest.items()}
        found["bisected_distortion"] = mean_of_finite(nearest["distortion"])
    penalty_problems.write(folder, done, of_images)
    _draw(folder / "adversarial.png", problems, done, reached)
    done.remove()
    return found


def _check(settings: Settings) -> None:
    if settings.lbfgsb.distance is not None or not settings.lbfgsb.targeted:
        raise ValueError(
            "--distance and --notargeted are for autoencoders, and --model_dir="
            f"{settings.run.model_dir} holds a classifier. Leave them out."
        )
    if settings.lbfgsb.solver == "adam":
        raise ValueError(
            "--solver=adam is for autoencoders, and --model_dir="
            f"{settings.run.model_dir} holds a classifier. Leave it out."
        )


def _problems(victim: Classifier, images: data.Images, settings: Settings) -> _Problems:
    """Images that are classified rightly, drawn at random, and other classes."""
    labels = images.labels
    assert labels is not None  # checked
    random = np.random.default_rng(settings.run.seed)
    wanted = settings.run.examples or len(images)
    order = random.permutation(len(images))
    places: list[int] = []
    for first in range(0, len(order), _BATCH):
        rows = order[first : first + _BATCH]
        pixels = data.pixels(data.take(images, rows))
        answers = tf.argmax(victim.network(pixels, training=False), axis=-1).numpy()
        places += rows[answers == labels[rows]].tolist()
        if len(places) >= wanted:
            break
    if settings.run.examples is not None and len(places) < wanted:
        raise ValueError(
            f"--examples={wanted} is more than the {len(places)} images that the "
            "classifier knows. Ask for fewer."
        )
    chosen = np.array(places[:wanted])
    known = labels[chosen].astype(np.int32)
    other = random.integers(1, len(victim.class_names), len(chosen), np.int32)
    return _Problems(
        data.pixels(data.take(images, chosen)),
        known,
        (known + other) % len(victim.class_names),
        chosen,
    )


class _Attack:
    """The attack on some problems with all penalties, or with one for each."""

    def __init__(self, victim: Classifier, settings: Settings):
        self._seed, of = settings.run.seed, settings.lbfgsb
        self.penalties = penalty_problems.grid(of)

        def network(images: tf.Tensor) -> tf.Tensor:
            return victim.network(images, training=False)

        self._dtype, solved = of.attack_dtype, victim.network
        if of.attack_dtype == "float64":
            solved = models.float64_copy(victim.network)

        def solved_network(images: tf.Tensor) -> tf.Tensor:
            return solved(images, training=False)

        self._network = tf.function(
            network,
            input_signature=[tf.TensorSpec((None, *victim.image_shape), tf.float32)],
            autograph=False,
        )
        self._attack = attacks.LBFGSB(
            objectives.cross_entropy(solved_network),
            squared=of.squared_norm,
            batch_size=of.attack_batch_size,
            maxiter=of.attack_iterations,
            dtype=of.attack_dtype,
        )

    def swept(self, problems: _Problems, rows: slice) -> Arrays:
        """Values of some images at each penalty, `[P, K, ...]`."""
        count = len(self.penalties)
        chosen = _Problems(*(each[rows] for each in problems))
        every = _Problems(*(np.repeat(each, count, axis=0) for each in chosen))
        penalty = np.tile(self.penalties, len(chosen.places))
        values = self._values(every, penalty, stream=rows.start)
        shape = len(chosen.places), count
        return {
            "adversarial": {
                name: array.reshape(*shape, *array.shape[1:])
                for name, array in values.items()
            }
        }

    def bisected(
        self, problems: _Problems, reached: np.ndarray, steps: int
    ) -> dict[str, np.ndarray]:
        """The largest penalty of each image at which its class is another.

        Args:
            problems: of the sweep.
            reached: bool `[P, K]`, whether the sweep got there.
            steps: halvings of the distance of two penalties' logarithms.

        Returns:
            `penalty`, `distortion` `[P]` and `images` there; NaN, NaN and the image
            itself where no penalty of the grid is small enough.
        """
        last = last_reached(reached)
        logs = np.log2(self.penalties)
        inner = (last >= 0) & (last < len(logs) - 1)
        low = logs[np.maximum(last, 0)]
        high = logs[np.minimum(last + 1, len(logs) - 1)]
        images = problems.images.copy()
        penalty, distortion = np.full((2, len(last)), np.nan)
        for step in range(steps):
            middle = (low + high) / 2
            stream = len(last) + step
            values = self._values(problems, np.exp2(middle), stream=stream)
            better = values["target_probability"] > values["label_probability"]
            low = np.where(better, middle, low)
            high = np.where(better, high, middle)
            better &= inner
            penalty[better] = np.exp2(middle[better])
            distortion[better] = values["distortion"][better]
            images[better] = values["images"][better]
        return {"penalty": penalty, "distortion": distortion, "images": images}

    def _values(
        self, problems: _Problems, penalty: np.ndarray, *, stream: int
    ) -> dict[str, np.ndarray]:
        """Values of as many problems as there are penalties."""
        result = self._attack(
            problems.images.astype(self._dtype),
            tf.constant(problems.targets),
            penalty=penalty,
            seed=(self._seed, stream),
        )
        images = result.adversarial.numpy().astype(np.float32)
        logits = np.concatenate(
            [
                self._network(images[first : first + _BATCH]).numpy()
                for first in range(0, len(images), _BATCH)
            ]
        )
        return {
            "images": images,
            "distortion": penalty_problems.norms(images - problems.images),
            "objective": result.objective.numpy(),
            "status": result.status.numpy(),
            "iterations": result.iterations.numpy(),
            "evaluations": result.evaluations.numpy(),
            **_of_class(logits, problems.labels, "label"),
            **_of_class(logits, problems.targets, "target"),
        }


def _of_class(logits: np.ndarray, classes: np.ndarray, name: str) -> dict:
    """Probability p of a class, and ln(p / (1 - p)) without loss near 0 and 1."""
    logits = logits.astype(np.float64)
    rows = np.arange(len(logits))
    others = logits.copy()
    others[rows, classes] = -np.inf
    odds = logits[rows, classes] - special.logsumexp(others, axis=1)
    return {f"{name}_probability": special.expit(odds), f"{name}_log_odds": odds}


def last_reached(reached: np.ndarray) -> np.ndarray:
    """The last penalty of each image at which it gets there, -1 of none."""
    backwards = reached[:, ::-1]
    last = reached.shape[1] - 1 - backwards.argmax(axis=1)
    return np.where(reached.any(axis=1), last, -1)


def _crossings(reached: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Midway between the norms at the last penalty that gets there and at the next.

    NaN where it gets there at all penalties, or at none.
    """
    last, rows = last_reached(reached), np.arange(len(norms))
    following = np.minimum(last + 1, norms.shape[1] - 1)
    middle = (norms[rows, last] + norms[rows, following]) / 2
    inner = (last >= 0) & (last < norms.shape[1] - 1)
    return np.where(inner, middle, np.nan)


def _draw(
    path: pathlib.Path, problems: _Problems, done: Shards, reached: np.ndarray
) -> None:
    """Draws the first images at the last penalty that gets there."""
    images = done.read("adversarial", "images")[:_PICTURES]
    last = np.maximum(last_reached(reached[:_PICTURES]), 0)
    shown = images[np.arange(len(images)), last]
    change = 0.5 + (shown - problems.images[:_PICTURES]) / 2
    rows = [
        ("original", problems.images[:_PICTURES]),
        ("adversarial", shown),
        ("change x 0.5", change.clip(0, 1)),
    ]
    figures.image_grid(rows, path)
