import shutil

import numpy as np
import tensorflow as tf


def test_saved_model_of_an_earlier_run_is_made_again(
    digits_run, run_preloaded, tmp_path
):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in (*digits_run.glob("*.keras"), digits_run / "autoencoder.json"):
        shutil.copy(path, folder)
    ended = run_preloaded("export", f"--model_dir={folder}")
    assert (ended.status, ended.messages) == (0, [])
    assert ended.out == f"{folder / 'saved_model'}\n"
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    first = tf.saved_model.load(str(digits_run / "saved_model"))
    again = tf.saved_model.load(str(folder / "saved_model"))
    for name in ("encode", "reconstruct", "classify"):
        np.testing.assert_array_equal(
            getattr(first, name)(images), getattr(again, name)(images)
        )
