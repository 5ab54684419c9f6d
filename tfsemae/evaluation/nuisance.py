"""What the features of a classifier tell of a nuisance."""

import keras
import numpy as np
from scipy import special

from tfsemae import data, metrics
from tfsemae.progress import note
from tfsemae.run_folder import Metrics

_BATCH = 500
_PROBED = 20_000  # images on which a new classifier is trained, at most


def measure(
    joint: keras.Model,
    adversary: keras.Model,
    tested: tuple[data.Images, np.ndarray],
    learnt: tuple[data.Images, np.ndarray],
    *,
    seed: int,
) -> Metrics:
    """Trains new classifiers of the nuisance on the features, which stay as they are.

    The classifier that the features were trained against is no judge: they may fool it
    and still tell the nuisance to others.

    Args:
        joint: images -> {"features": `[B, D]`, ...}, such as `Classifier.joint()`.
        adversary: features -> logits of the states, trained against the features.
        tested: images with the nuisance and the states, int `[N]`: measured.
        learnt: others, on whose first 20,000 the new classifiers are trained; their
            states are independent of the labels.
        seed: of the new classifier with a hidden layer.

    Returns:
        In [0, 1] `probe_accuracy` of a new classifier with a hidden layer,
        `linear_probe_accuracy` of a linear one, `adversary_accuracy` of that of the
        training; and `adversary_cross_entropy` (nats), ln 4 where it guesses.
    """
    note("Training new classifiers of the nuisance.")
    kept = data.take(learnt[0], slice(_PROBED))
    features = [_features(joint, images) for images in (kept, tested[0])]
    sets = features[0], learnt[1][:_PROBED], features[1], tested[1]
    logits = adversary.predict(features[1], batch_size=_BATCH, verbose=0)
    answers = special.log_softmax(logits.astype(np.float64), axis=1)
    of_state = answers[np.arange(len(answers)), tested[1]]
    return {
        "probe_accuracy": metrics.mlp_probe_accuracy(*sets, seed=seed),
        "linear_probe_accuracy": metrics.linear_probe_accuracy(*sets),
        "adversary_accuracy": float(np.mean(answers.argmax(axis=1) == tested[1])),
        "adversary_cross_entropy": float(-of_state.mean()),
    }


def _features(joint: keras.Model, images: data.Images) -> np.ndarray:
    batches = data.batches(images, _BATCH, shuffle=False)
    parts = [joint(pixels, training=False)["features"] for pixels, _ in batches]
    return np.concatenate(parts)
