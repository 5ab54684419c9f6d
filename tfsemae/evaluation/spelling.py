"""What is measured of a recogniser: the words that it spells."""

from collections.abc import Mapping

import numpy as np

from tfsemae import data, files, metrics, objectives
from tfsemae.evaluation.arrays import MEASUREMENTS_FILE, whole, write_npz
from tfsemae.models import spelling
from tfsemae.models.recogniser import Recogniser
from tfsemae.progress import note
from tfsemae.run_folder import Metrics

_BATCH = 500


def evaluate(
    recogniser: Recogniser,
    sets: Mapping[str, data.Images],
    *,
    output_dir: files.PathLike,
) -> Metrics:
    """Measures how well a recogniser spells the names of the labels.

    Writes `measurements.npz`: for each set `<name>/edits`, the edit distance of each
    word, and `<name>/letters`, its length.

    Args:
        recogniser: to measure.
        sets: name -> images with labels, such as of known and other speakers.
        output_dir: of the file.

    Returns:
        `examples`; for each set `character_error`, `word_error`, shares of letters and
        of words, and `cross_entropy`, the loss of the training, mean over the images
        (nats).
    """
    note("Spelling the images to be measured.")
    found: Metrics = {"examples": sum(map(len, sets.values()))}
    arrays = {}
    for name, images in sets.items():
        assert images.labels is not None  # checked by the caller
        right = [images.class_names[label] for label in images.labels]
        words = recogniser.spell(data.pixels(images))
        edits = metrics.edit_distances(words, right)
        arrays[f"{name}/edits"] = edits
        arrays[f"{name}/letters"] = np.array([len(word) for word in right])
        found[name] = {
            "character_error": metrics.character_error_rate(words, right),
            "word_error": float(np.mean(edits > 0)),
            "cross_entropy": _cross_entropy(recogniser, images),
        }
    write_npz(files.path(output_dir) / MEASUREMENTS_FILE, whole(arrays))
    return found


def _cross_entropy(recogniser: Recogniser, images: data.Images) -> float:
    targets = spelling.symbols(images.class_names)[images.labels]
    inputs = {"image": data.pixels(images), "previous": spelling.previous(targets)}
    forced = recogniser.forced().predict(inputs, batch_size=_BATCH, verbose=0)
    return float(np.mean(objectives.spelling_nll(targets, forced["logits"])))
