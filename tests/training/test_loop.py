import csv
import json
import pathlib
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing import event_accumulator

from tfsemae import data, models, run_folder, training
from tfsemae.models.autoencoder import Autoencoder
from tfsemae.training import checkpoints, logs
from tfsemae.training.procedures.autoencoder import AutoencoderProcedure

PARTS = ("encoder", "decoder", "classifier")


def _assert_nothing_begun(folder):
    """Nothing binds the folder to what was refused."""
    begun = {".lock", "flags.txt", "inputs.json", "seconds.json"}
    assert {path.name for path in folder.iterdir()} <= begun


def _rows(folder):
    with open(folder / "log.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{name: float(value) for name, value in row.items()} for row in rows]


def _weights(folder, parts=PARTS):
    found = Autoencoder.load(folder)
    return [weight for part in parts for weight in getattr(found, part).get_weights()]


def _assert_equal_weights(folder, other, parts=PARTS):
    for a, b in zip(_weights(folder, parts), _weights(other, parts), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def _procedure(settings, shape=(12, 12, 1), names=tuple("abcd")):
    networks = models.build(
        settings.network.model,
        shape,
        names if settings.procedure.semantic else (),
        seed=settings.run.seed,
        **settings.network.options,
    )
    return AutoencoderProcedure(networks, settings)


def _network(settings):
    return _procedure(settings).model


@pytest.fixture(scope="module")
def run(tmp_path_factory, make_settings):
    """A finished run of 5 steps; tests only read it."""
    folder = tmp_path_factory.mktemp("loop") / "run"
    training.train(make_settings(folder))
    return folder


@pytest.fixture(scope="module")
def long_run(tmp_path_factory, make_settings):
    """As `run`, but of 8 steps from the start; tests only read it."""
    folder = tmp_path_factory.mktemp("loop") / "long"
    training.train(make_settings(folder, steps=8))
    return folder


@pytest.fixture(scope="module")
def attacker_run(run, tmp_path_factory, make_settings):
    """A finished attacker with the decoder of `run`; tests only read it."""
    folder = tmp_path_factory.mktemp("loop") / "attacker"
    training.train(_attacker(run, folder, make_settings))
    return folder


def _attacker(run, folder, make_settings):
    return make_settings(folder, decoder_from=str(run), shuffle_labels=True)


# --- the compiled network


@pytest.mark.parametrize(
    ("step", "rate"),
    # 0.001 * 0.96**(step // 100); the last one is printed as 1.757e-5.
    [(0, 1e-3), (99, 1e-3), (100, 9.6e-4), (199, 9.6e-4), (9_999, 1.757e-5)],
)
def test_rate_goes_down_by_a_staircase(make_settings, step, rate):
    settings = make_settings("unused", decay_rate=0.96, decay_steps=100)
    (optimizer,) = _procedure(settings).optimizers
    optimizer.iterations.assign(step)
    # Four digits are printed.
    assert float(optimizer.learning_rate) == pytest.approx(rate, rel=5e-4)


def test_optimizer_is_adam_as_keras_has_it(make_settings):
    (optimizer,) = _procedure(make_settings("unused")).optimizers
    assert type(optimizer) is keras.optimizers.Adam
    defaults = keras.optimizers.Adam()
    for name in ("beta_1", "beta_2", "epsilon", "amsgrad", "weight_decay", "clipnorm"):
        assert getattr(optimizer, name) == getattr(defaults, name)


def _cross_entropy(pixels, decoded):
    return -np.mean(pixels * np.log(decoded) + (1 - pixels) * np.log1p(-decoded))


def _squared_error(pixels, decoded):
    return np.mean((pixels - decoded) ** 2)


@pytest.mark.parametrize(
    ("loss", "closed_form"),
    [
        ("binary_crossentropy", _cross_entropy),
        ("mean_squared_error", _squared_error),
    ],
)
def test_loss_is_a_mean_over_pixels_and_a_weighted_mean_over_labels(
    make_settings, images_file, loss, closed_form
):
    network = _network(make_settings("unused", loss=loss, semantic_weight=0.25))
    images = data.load(images_file, "train")
    pixels, labels = next(iter(data.batches(images, 8, seed=0)))
    outputs = network(pixels)
    decoded = outputs["reconstruction"].numpy().astype(np.float64)
    logits = outputs["logits"].numpy().astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    entropy = -np.mean(np.log(shares[np.arange(8), labels]))
    targets = {"reconstruction": pixels, "logits": labels}
    expected = closed_form(pixels.numpy().astype(np.float64), decoded) + 0.25 * entropy
    # float32 sums of 8 * 144 terms.
    assert float(network.compute_loss(pixels, targets, outputs)) == pytest.approx(
        expected, rel=1e-5
    )


# --- what a run leaves behind


def test_folder_holds_everything_of_the_run(run):
    assert sorted(path.name for path in run.iterdir()) == [
        ".lock",
        "autoencoder.json",
        "checkpoints",
        "classifier.keras",
        "decoder.keras",
        "encoder.keras",
        "flags.txt",
        "inputs.json",
        "log.csv",
        "measurements.npz",
        "metrics.json",
        "reconstructions.png",
        "saved_model",
        "seconds.json",
        "tensorboard",
        "tsne.png",
    ]


def test_last_checkpoints_are_kept(run):
    assert sorted(path.stem for path in (run / "checkpoints").glob("*.json")) == [
        "step_00000004",
        "step_00000005",
    ]


def test_log_has_each_interval_and_the_shorter_last_one(run):
    rows = _rows(run)
    assert [row["step"] for row in rows] == [2, 4, 5]
    # 0.001 * 0.5**(step // 2), of the step that comes next.
    rates = [5e-4, 2.5e-4, 2.5e-4]
    assert [row["learning_rate"] for row in rows] == pytest.approx(rates)
    for row in rows:
        total = row["reconstruction_loss"] + 0.5 * row["logits_loss"]
        assert row["loss"] == pytest.approx(total, rel=1e-5)


def test_saved_networks_and_saved_model_are_those_of_the_end(run):
    autoencoder = Autoencoder.load(run)
    assert autoencoder.class_names == tuple("0123")
    images = data.load(
        re.search("--dataset=(.*)", (run / "flags.txt").read_text())[1], "test"
    )
    pixels, _ = next(iter(data.batches(images, 5, shuffle=False)))
    exported = tf.saved_model.load(str(run / "saved_model"))
    # A compiled graph may order sums differently.
    np.testing.assert_allclose(
        exported.reconstruct(pixels),
        autoencoder.joint()(pixels)["reconstruction"],
        rtol=1e-5,
        atol=1e-6,
    )


def test_metrics_are_of_the_test_set(run, images_file):
    found = run_folder.read_metrics(run)
    network = Autoencoder.load(run)
    test = data.load(images_file, "test")
    pixels = test.images.astype(np.float32) / 255
    code = network.encoder(pixels)
    labels = np.argmax(network.classifier(code), axis=-1)
    errors = np.mean((pixels - network.decoder(code).numpy()) ** 2, axis=(1, 2, 3))
    assert found["examples"] == 40
    assert found["label_accuracy"] == np.mean(labels == test.labels)
    # PSNR of pixels in [0, 1]; float32 sums in another order.
    psnr = np.mean(-10 * np.log10(errors))
    assert found["psnr"] == pytest.approx(psnr, rel=1e-4)


def test_the_model_counts_its_steps(run, make_settings):
    model = _network(make_settings("unused"))
    model.load_weights(run / "checkpoints" / "step_00000004.weights.h5")
    assert model.steps_done() == 4
    assert int(model.optimizer.iterations.numpy()) == 4


def test_inputs_are_the_digests_of_the_images(run, images_file):
    assert json.loads((run / "inputs.json").read_text("utf-8")) == {
        split: data.load(images_file, split).digest() for split in ("train", "test")
    }


def test_binarized_images_are_other_inputs(run, tmp_path, make_settings, write_images):
    first, test = (
        np.random.default_rng(k).random((20, 12, 12, 1), np.float32) for k in (0, 1)
    )
    path = write_images(images=first, labels=None, test_images=test, test_labels=None)
    changes = {"dataset": str(path), "semantic": False, "binarize": ["train"]}
    training.train(make_settings(tmp_path, steps=1, **changes))
    black_and_white = data.Images(np.float32(first > 0.5), None, ())
    assert json.loads((tmp_path / "inputs.json").read_text("utf-8")) == {
        "train": black_and_white.digest(),
        "test": data.Images(test, None, ()).digest(),
    }
    assert "--binarize=train" in (tmp_path / "flags.txt").read_text("utf-8")
    assert "binarize" not in (run / "flags.txt").read_text("utf-8")


def test_seconds_are_those_of_all_starts(run):
    # Of the training alone, and of all with loading, saving and measuring.
    assert 0 < logs.seconds(run) < run_folder.seconds(run)


def test_first_loss_is_that_of_the_initial_network(
    tmp_path, make_settings, images_file
):
    settings = make_settings(tmp_path, steps=1, checkpoint_every=1, seed=7)
    network = _network(settings)
    images = data.load(images_file, "train")
    pixels, labels = next(iter(data.batches(images, 4, seed=7)))
    targets = {"reconstruction": pixels, "logits": labels}
    expected = float(network.compute_loss(pixels, targets, network(pixels)))
    training.train(settings)
    # The compiled step may order float32 sums differently.
    assert _rows(tmp_path)[0]["loss"] == pytest.approx(expected, rel=1e-5)


# --- equal and other runs


def test_vanilla_run_on_images_without_labels(tmp_path, make_settings, write_images):
    path = write_images(labels=None, test_labels=None)
    found = training.train(make_settings(tmp_path, dataset=str(path), semantic=False))
    assert "silhouette" not in found
    assert "psnr" in found
    assert not (tmp_path / "classifier.keras").exists()
    assert list(_rows(tmp_path)[0]) == ["step", "seconds", "learning_rate", "loss"]


def test_held_out_images_are_measured_and_not_learned_from(
    tmp_path, make_settings, write_images, images_file
):
    with np.load(images_file) as file:
        images, labels = file["images"].copy(), file["labels"].copy()
    images[-10:], labels[-10:] = 255 - images[-10:], 0
    other = write_images(images=images, labels=labels)
    for name, dataset in (("a", images_file), ("b", other)):
        settings = make_settings(tmp_path / name, dataset=str(dataset), validation=10)
        training.train(settings)
    _assert_equal_weights(tmp_path / "a", tmp_path / "b")
    for a, b in zip(_rows(tmp_path / "a"), _rows(tmp_path / "b"), strict=True):
        assert a["loss"] == b["loss"]
        assert a["val_loss"] != b["val_loss"]
    assert {"val_reconstruction_loss", "val_logits_loss"} <= set(
        _rows(tmp_path / "a")[0]
    )


def test_steps_in_one_go_do_the_same(long_run, tmp_path, make_settings):
    training.train(make_settings(tmp_path, steps=8, steps_per_execution=2))
    # So the number of them is no part of the identity of a run.
    _assert_equal_weights(tmp_path, long_run)
    losses = [[row["loss"] for row in _rows(folder)] for folder in (tmp_path, long_run)]
    assert losses[0] == losses[1]


def test_intervals_change_nothing_but_the_logs(run, tmp_path, make_settings):
    training.train(make_settings(tmp_path, checkpoint_every=3))
    _assert_equal_weights(tmp_path, run)
    assert [row["step"] for row in _rows(tmp_path)] == [3, 5]


def test_compiled_by_xla_it_does_the_same(tmp_path, run, make_settings):
    training.train(make_settings(tmp_path, jit_compile=True))
    losses = [[row["loss"] for row in _rows(folder)] for folder in (run, tmp_path)]
    # XLA fuses operations, which rounds float32 otherwise.
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_true_labels_are_learned_and_shuffled_ones_are_not(tmp_path, make_settings):
    last = {}
    for shuffled in (False, True):
        folder = tmp_path / str(shuffled)
        training.train(
            make_settings(
                folder,
                shuffle_labels=shuffled,
                steps=60,
                batch_size=32,
                checkpoint_every=20,
                decay_rate=1.0,
                semantic_weight=1.0,
            )
        )
        last[shuffled] = _rows(folder)[-1]
    chance = np.log(4)
    assert last[False]["logits_loss"] < 0.1 * chance
    # What can be gained from 32 labels that say nothing is the scatter of their
    # counts, (4 - 1) / (2 * 32) nats.
    assert last[True]["logits_loss"] > chance - 0.1
    assert last[True]["reconstruction_loss"] < 0.7


def test_the_step_is_traced_once_for_all_intervals(
    tmp_path, make_settings, monkeypatch
):
    traced = []
    train_step = keras.Model.train_step
    monkeypatch.setattr(
        keras.Model,
        "train_step",
        lambda self, batch: (traced.append(True), train_step(self, batch))[1],
    )
    at_ends = []
    on_epoch_end = logs.Log.on_epoch_end

    def note(self, epoch, logs=None):
        at_ends.append(len(traced))
        on_epoch_end(self, epoch, logs)

    monkeypatch.setattr(logs.Log, "on_epoch_end", note)
    training.train(make_settings(tmp_path, validation=5))
    # TensorFlow itself looks twice at a function that it has not seen.
    assert len(at_ends) == 3
    assert at_ends[0] <= 2
    assert set(at_ends) == {at_ends[0]}


# --- parts of an earlier run


def test_shared_decoder_is_frozen_bit_for_bit(run, attacker_run, make_settings):
    _assert_equal_weights(attacker_run, run, ["decoder"])
    settings = _attacker(run, "unused", make_settings)
    initial = _network(settings).get_layer("encoder").get_weights()
    trained = _weights(attacker_run, ["encoder"])
    # The encoder begins afresh and learns, by the gradient through the decoder.
    assert all(np.any(a != b) for a, b in zip(initial, trained, strict=True))
    assert all(
        np.any(a != b) for a, b in zip(_weights(run, ["encoder"]), trained, strict=True)
    )


def test_a_finished_run_is_not_read_where_the_decoder_is_another_now(
    run, tmp_path, make_settings
):
    victim = tmp_path / "victim"
    shutil.copytree(run, victim)
    settings = make_settings(tmp_path / "out", decoder_from=str(victim))
    found = training.train(settings)
    assert training.train(settings) == found
    network = Autoencoder.load(victim)
    kernel, *others = network.decoder.get_weights()
    network.decoder.set_weights([2 * kernel, *others])
    network.save(victim)
    with pytest.raises(ValueError, match=r"other data or networks \(decoder_from\)"):
        training.train(settings)
    shutil.rmtree(victim)
    assert training.train(settings) == found


def test_vanilla_network_learns_through_a_frozen_decoder(run, tmp_path, make_settings):
    settings = make_settings(tmp_path, decoder_from=str(run), semantic=False)
    training.train(settings)
    _assert_equal_weights(tmp_path, run, ["decoder"])
    initial = _network(settings).get_layer("encoder").get_weights()
    pairs = zip(initial, _weights(tmp_path, ["encoder"]), strict=True)
    assert all(np.any(a != b) for a, b in pairs)


def test_shared_decoder_is_trained_on_where_that_is_wanted(
    run, tmp_path, make_settings
):
    training.train(make_settings(tmp_path, decoder_from=str(run), train_decoder=True))
    pairs = list(
        zip(_weights(tmp_path, ["decoder"]), _weights(run, ["decoder"]), strict=True)
    )
    assert all(np.any(a != b) for a, b in pairs)
    # From the weights of the run: 5 steps of Adam go at most that far.
    far = sum(0.001 * 0.5 ** (step // 2) for step in range(5))
    assert all(np.abs(a - b).max() < 1.5 * far for a, b in pairs)


def test_encoder_begins_with_that_of_the_run(run, tmp_path, make_settings):
    # A rate of 0 changes nothing, so that the beginning is the end.
    still = {"steps": 1, "checkpoint_every": 1, "learning_rate": 0.0, "seed": 5}
    training.train(make_settings(tmp_path, encoder_from=str(run), **still))
    _assert_equal_weights(tmp_path, run, ["encoder"])
    # The other parts are those of a network of this seed alone.
    alone = _network(make_settings("unused", **still))
    initial = [
        weight
        for part in ("decoder", "classifier")
        for weight in alone.get_layer(part).get_weights()
    ]
    found = _weights(tmp_path, ["decoder", "classifier"])
    for a, b in zip(found, initial, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_encoder_of_a_run_is_trained_on(run, tmp_path, make_settings):
    training.train(make_settings(tmp_path, encoder_from=str(run)))
    pairs = zip(
        _weights(tmp_path, ["encoder"]), _weights(run, ["encoder"]), strict=True
    )
    assert all(np.any(a != b) for a, b in pairs)


def test_attacker_that_was_stopped_ends_as_if_it_had_not_been(
    run, attacker_run, tmp_path, make_settings
):
    folder = _copy(attacker_run, tmp_path / "stopped")
    for path in (folder / "checkpoints").glob("step_00000005.*"):
        path.unlink()
    training.train(_attacker(run, folder, make_settings))
    _assert_equal_weights(folder, attacker_run)


def test_the_folder_of_the_user_is_expanded_in_each_flag(
    run, tmp_path, make_settings, images_file, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(run, tmp_path / "earlier")
    shutil.copy(images_file, tmp_path / "images.npz")
    training.train(
        make_settings(
            "~/run",
            dataset="~/images.npz",
            decoder_from="~/earlier",
            encoder_from="~/earlier",
            steps=1,
            learning_rate=0.0,
        )
    )
    _assert_equal_weights(tmp_path / "run", run, PARTS[:2])
    names = {"earlier", "images.npz", "run"}
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("part", ["decoder", "encoder"])
@pytest.mark.parametrize("shape", [(16, 12, 1), (12, 12, 3)])
def test_part_of_other_images_is_refused(
    run, tmp_path, make_settings, write_images, part, shape
):
    # The decoder's weights have the same shapes at any size.
    dataset = str(write_images(shape=shape))
    settings = make_settings(tmp_path, dataset=dataset, **{f"{part}_from": str(run)})
    with pytest.raises(ValueError, match=f"--{part}_from={run} has another {part}"):
        training.train(settings)
    _assert_nothing_begun(tmp_path)


@pytest.mark.parametrize("part", ["decoder", "encoder"])
def test_folder_without_that_part_is_refused(run, tmp_path, make_settings, part):
    folder = tmp_path / "earlier"
    shutil.copytree(run, folder)
    (folder / f"{part}.keras").unlink()
    settings = make_settings(tmp_path / "run", **{f"{part}_from": str(folder)})
    with pytest.raises(ValueError, match=rf"{folder}.*{part}\.keras"):
        training.train(settings)


# --- some of the classes, several channels


@pytest.fixture(scope="module")
def arrays(images_file):
    """Small images, as many to test as to train: 16 of each class."""
    with np.load(images_file) as file:
        images, labels = file["images"], file["labels"]
    return {
        "images": images,
        "labels": labels,
        "test_images": 255 - images,
        "test_labels": labels,
    }


@pytest.fixture(scope="module")
def selected(tmp_path_factory, make_settings, write_images, arrays):
    """Settings of a finished run on the classes 3 and 1, and what it measured."""
    folder = tmp_path_factory.mktemp("loop") / "selected"
    dataset = str(write_images(**arrays))
    settings = make_settings(folder, dataset=dataset, classes=["3", "1"])
    return settings, training.train(settings)


def test_classes_are_those_of_the_network_and_stand_in_the_flags(
    selected, make_settings
):
    settings, found = selected
    folder = pathlib.Path(settings.run.output_dir)
    assert Autoencoder.load(folder).class_names == ("3", "1")
    assert found["examples"] == 32  # of the 64 test images of 4 classes
    assert "--classes=3,1" in (folder / "flags.txt").read_text().splitlines()
    assert training.train(settings) == found
    dataset = settings.data.dataset
    for classes in (["1", "3"], None):
        with pytest.raises(ValueError, match="other flags: --classes=3,1"):
            training.train(make_settings(folder, dataset=dataset, classes=classes))


def test_selected_classes_are_trained_on_as_if_there_were_no_others(
    selected, tmp_path, make_settings, write_images, arrays
):
    kept = np.isin(arrays["labels"], [3, 1])
    alone = {name: array[kept] for name, array in arrays.items()}
    for name in ("labels", "test_labels"):
        alone[name] = np.where(alone[name] == 3, 0, 1)
    training.train(make_settings(tmp_path, dataset=str(write_images(**alone))))
    _assert_equal_weights(selected[0].run.output_dir, tmp_path)


def test_images_of_three_channels(tmp_path, make_settings, write_images):
    path = write_images(shape=(12, 12, 3))
    found = training.train(make_settings(tmp_path, dataset=str(path)))
    assert {"psnr", "label_accuracy", "silhouette"} <= set(found)
    exported = tf.saved_model.load(str(tmp_path / "saved_model"))
    assert exported.encode(np.zeros((2, 12, 12, 3), np.float32)).shape == (2, 3, 36)
    assert exported.classify(np.zeros((2, 12, 12, 3), np.float32)).shape == (2, 4)


# --- a second start


def _content(folder):
    """What lies in a folder, without how long it took."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "seconds.json"
    }


def _copy(run, folder):
    """A run that was stopped at its last checkpoint."""
    shutil.copytree(run, folder)
    (folder / "metrics.json").unlink()
    return folder


def test_a_finished_run_is_only_read(run, tmp_path, make_settings, images_file, capsys):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    gone = tmp_path / "gone.npz"
    lines = (folder / "flags.txt").read_text().replace(str(images_file), str(gone))
    (folder / "flags.txt").write_text(lines)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    found = training.train(make_settings(folder, dataset=str(gone)))
    assert found == json.loads((run / "metrics.json").read_text("utf-8"))
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    before[folder / ".lock"] = after[folder / ".lock"]  # opened for writing
    assert after == before
    assert capsys.readouterr().err == f"{folder} holds a finished run, which is read.\n"


def test_truncated_checkpoint_gives_way_to_the_older_and_the_end_is_the_same(
    run, tmp_path, make_settings
):
    folder = _copy(run, tmp_path / "run")
    shutil.rmtree(folder / "saved_model")
    newest = folder / "checkpoints" / "step_00000005.weights.h5"
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="step 5 .* is not good"):
        found = training.train(make_settings(folder))
    _assert_equal_weights(folder, run)
    assert found == json.loads((run / "metrics.json").read_text("utf-8"))
    steps = [row["step"] for row in _rows(folder)]
    assert steps == [2, 4, 5]
    assert (folder / "saved_model" / "saved_model.pb").exists()


def test_stopped_right_behind_a_checkpoint_the_log_lacks_nothing(
    run, tmp_path, make_settings, monkeypatch
):
    save = checkpoints.Checkpoints.save

    def save_and_stop(self, model, step):
        save(self, model, step)
        if step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Checkpoints, "save", save_and_stop)
        with pytest.raises(KeyboardInterrupt):
            training.train(make_settings(tmp_path))
    assert not (tmp_path / "encoder.keras").exists()
    training.train(make_settings(tmp_path))
    assert [row["step"] for row in _rows(tmp_path)] == [2, 4, 5]
    _assert_equal_weights(tmp_path, run)


@pytest.mark.filterwarnings("ignore:The checkpoint of step:UserWarning")
def test_no_good_checkpoint_is_an_error_and_keeps_everything(
    run, tmp_path, make_settings
):
    folder = _copy(run, tmp_path / "run")
    for path in (folder / "checkpoints").glob("*.h5"):
        path.write_bytes(path.read_bytes()[:100])
    before = _content(folder)
    with pytest.raises(ValueError, match="None of the checkpoints"):
        training.train(make_settings(folder))
    # The flags name the folder to which the run was copied.
    changed = {path for path, old in before.items() if path.read_bytes() != old}
    assert changed == {folder / "flags.txt"}
    assert _content(folder).keys() == before.keys()


def test_lost_checkpoints_are_no_silent_restart(run, tmp_path, make_settings):
    folder = _copy(run, tmp_path / "run")
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(
        ValueError, match="reaches step 5, but there are no checkpoints"
    ):
        training.train(make_settings(folder))
    assert [row["step"] for row in _rows(folder)] == [2, 4, 5]


@pytest.mark.parametrize(
    "change",
    [
        {"semantic_weight": 0.4},
        {"threads": 1},
        {"jit_compile": True},
        {"seed": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_flags_are_refused(run, make_settings, change):
    settings = make_settings(run, **change)
    ((name, value),) = change.items()
    flag = f"--{name}" if value is True else f"--{name}={value}"
    with pytest.raises(ValueError, match=f"other flags: .* then, {flag} now"):
        training.train(settings)


def test_noresume_refuses_a_run(run, make_settings):
    with pytest.raises(ValueError, match="--noresume needs"):
        training.train(make_settings(run, resume=False))


# --- more steps


def _without_seconds(folder):
    return [{**row, "seconds": 0} for row in _rows(folder)]


def _shown(folder):
    """Name -> (step, content) of all that TensorBoard shows, without the seconds."""
    events = event_accumulator.EventAccumulator(
        str(folder / "tensorboard"), size_guidance={"tensors": 0}
    )
    events.Reload()
    return {
        name: [
            (event.step, event.tensor_proto.SerializeToString())
            for event in events.Tensors(name)
        ]
        for name in events.Tags()["tensors"]
        if name != "seconds"
    }


def _variables(folder, step, settings):
    """Every variable of a checkpoint: weights, moments, and both counts of steps."""
    model = _network(settings)
    model.load_weights(folder / "checkpoints" / f"step_{step:08d}.weights.h5")
    return [
        variable.numpy() for variable in (*model.weights, *model.optimizer.variables)
    ]


def test_an_extended_run_equals_one_that_is_that_long_from_the_start(
    run, long_run, tmp_path, make_settings
):
    # Its intervals of 2 do not divide its 5 steps.
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    found = training.train(make_settings(folder, steps=8))
    assert found == run_folder.read_metrics(long_run)
    assert run_folder.read_flags(folder)["steps"] == "8"
    _assert_equal_weights(folder, long_run)
    for step in (6, 8):
        settings = make_settings("unused")
        pairs = zip(
            _variables(folder, step, settings),
            _variables(long_run, step, settings),
            strict=True,
        )
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs, strict=True)
    assert _without_seconds(folder) == _without_seconds(long_run)
    assert _shown(folder) == _shown(long_run)
    assert [step for step, _ in _shown(folder)["loss"]] == [2, 4, 6, 8]
    names = {path.name for path in (folder / "checkpoints").iterdir()}
    assert names == {path.name for path in (long_run / "checkpoints").iterdir()}


def test_extending_may_change_how_many_steps_are_done_in_one_go(
    tmp_path, make_settings
):
    def settings(name, steps):
        return make_settings(
            tmp_path / name,
            steps=steps,
            checkpoint_every=10,
            steps_per_execution=None,
            semantic=False,
        )

    assert settings("a", 10).steps_per_execution == 10
    assert settings("a", 15).steps_per_execution == 1
    training.train(settings("a", 10))
    training.train(settings("a", 15))
    training.train(settings("b", 15))
    _assert_equal_weights(tmp_path / "a", tmp_path / "b", PARTS[:2])
    assert _without_seconds(tmp_path / "a") == _without_seconds(tmp_path / "b")


def test_an_extension_that_fails_leaves_the_finished_run(
    run, tmp_path, make_settings, write_images, images_file
):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    dataset = tmp_path / "images.npz"
    with np.load(images_file) as arrays:
        np.savez(dataset, **{name: arrays[name][:20] for name in arrays})
    lines = (folder / "flags.txt").read_text()
    lines = lines.replace(str(images_file), str(dataset))
    (folder / "flags.txt").write_text(lines)
    before = _content(folder)
    with pytest.raises(ValueError, match=r"began with other data .*\(train, test\)"):
        training.train(make_settings(folder, dataset=str(dataset), steps=8))
    assert _content(folder) == before
    shutil.copy(images_file, dataset)
    found = training.train(make_settings(folder, dataset=str(dataset)))
    assert found == run_folder.read_metrics(run)


def test_fewer_steps_than_a_finished_run_are_refused(run, make_settings):
    before = _content(run)
    message = f"{run} has done 5 steps. Received: --steps=4. Name another folder"
    with pytest.raises(ValueError, match=message):
        training.train(make_settings(run, steps=4))
    assert _content(run) == before


def test_fewer_steps_than_an_unfinished_run_are_refused(run, tmp_path, make_settings):
    folder = _copy(run, tmp_path / "run")
    with pytest.raises(ValueError, match=r"has done 5 steps\. Received: --steps=3"):
        training.train(make_settings(folder, steps=3))
    training.train(make_settings(folder))
    _assert_equal_weights(folder, run)


# --- what has changed between two starts


@pytest.mark.parametrize("finished", [False, True])
def test_a_run_whose_images_changed_neither_continues_nor_is_read(
    run, tmp_path, make_settings, write_images, finished
):
    folder = _copy(run, tmp_path / "run")
    if finished:
        shutil.copy(run / "metrics.json", folder)
    other = str(write_images(test_labels=np.zeros(40, int)))
    lines = re.sub(
        "--dataset=.*", f"--dataset={other}", (folder / "flags.txt").read_text()
    )
    (folder / "flags.txt").write_text(lines)
    message = r"began with other data or networks \(test\). Put the earlier ones back"
    with pytest.raises(ValueError, match=message) as caught:
        training.train(make_settings(folder, dataset=other))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "file", ["encoder.keras", "saved_model/variables/variables.index"]
)
def test_a_damaged_model_is_made_again_from_the_checkpoint(
    run, tmp_path, make_settings, capsys, file
):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    found = training.train(make_settings(folder))
    assert found == run_folder.read_metrics(run)
    _assert_equal_weights(folder, run)
    said = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"Warning: The \w+ in .* is damaged .* This is done now\.", said[0]
    )
    assert not any(line.startswith("step ") for line in said)
    training.train(make_settings(folder))
    assert "is read" in capsys.readouterr().err


def test_a_damaged_model_without_checkpoints_is_said_and_nothing_is_lost(
    run, tmp_path, make_settings
):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    shutil.rmtree(folder / "checkpoints")
    (folder / "decoder.keras").write_bytes(b"")
    before = _content(folder)
    with pytest.raises(ValueError, match=r"there are no checkpoints\. Put them back"):
        training.train(make_settings(folder))
    assert _content(folder) == before


def test_first_start_that_was_killed_does_not_bind_the_folder(
    tmp_path, make_settings, monkeypatch
):
    def stop(self, model, step):
        raise KeyboardInterrupt

    # The log has its first entry, and no checkpoint follows.
    first = make_settings(tmp_path, checkpoint_every=4)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Checkpoints, "save", stop)
        with pytest.raises(KeyboardInterrupt):
            training.train(first)
    assert [row["step"] for row in _rows(tmp_path)] == [4]
    training.train(make_settings(tmp_path, semantic=False, seed=3))
    assert list(_rows(tmp_path)[0]) == ["step", "seconds", "learning_rate", "loss"]
    assert [row["step"] for row in _rows(tmp_path)] == [2, 4, 5]
    assert run_folder.read_flags(tmp_path)["seed"] == "3"


#: Each of them alone would change the weights.
_GLOBAL = {
    "max_steps_per_epoch": 1,
    "max_epochs": 1,
    "floatx": "float64",
    "image_data_format": "channels_first",
}


@pytest.fixture(scope="module")
def under_global_settings(tmp_path_factory, make_settings):
    """A run under all of them, and what they are behind it."""
    names = [name for name in _GLOBAL if hasattr(keras.config, f"set_{name}")]
    before = {name: getattr(keras.config, name)() for name in names}
    folder = tmp_path_factory.mktemp("loop") / "global"
    try:
        for name in names:
            getattr(keras.config, f"set_{name}")(_GLOBAL[name])
        training.train(make_settings(folder))
        behind = {name: getattr(keras.config, name)() for name in names}
    finally:
        for name, value in before.items():
            getattr(keras.config, f"set_{name}")(value)
    return folder, behind


def test_global_settings_of_keras_change_no_bit(run, under_global_settings):
    folder, _ = under_global_settings
    _assert_equal_weights(folder, run)
    assert [row["step"] for row in _rows(folder)] == [2, 4, 5]


@pytest.mark.parametrize("setting", _GLOBAL)
def test_global_settings_of_keras_come_back(under_global_settings, setting):
    _, behind = under_global_settings
    if setting not in behind:
        pytest.skip(f"this Keras has no {setting}")
    assert behind[setting] == _GLOBAL[setting]


# --- what cannot be


def test_nan_stops_the_run_with_step_and_term(tmp_path, make_settings):
    settings = make_settings(tmp_path, learning_rate=1e30, checkpoint_every=5)
    with pytest.raises(FloatingPointError, match=r"at step 2: .*logits_loss"):
        training.train(settings)
    assert not (tmp_path / "checkpoints").exists()
    assert not (tmp_path / "metrics.json").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ["0", "cat"]}, "Unknown class: expected some of 0, 1, 2, 3"),
        ({"classes": ["0"]}, "at least 2 classes"),
        ({"dataset": "nothing.npz"}, "no such file"),
        ({"validation": 64}, "--validation=64 leaves none of the 64 training"),
    ],
)
def test_settings_that_do_not_suit_the_images_are_refused(
    tmp_path, make_settings, changes, message
):
    with pytest.raises(ValueError, match=message):
        training.train(make_settings(tmp_path, **changes))
    _assert_nothing_begun(tmp_path)


def test_images_that_are_too_small_for_ssim_are_measured_without(
    tmp_path, make_settings, write_images
):
    path = write_images(shape=(8, 8, 1))
    found = training.train(make_settings(tmp_path, dataset=str(path)))
    assert "ssim" not in found
    assert found["psnr"] > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": None}, "has no labels, which --semantic needs"),
        ({"shape": (14, 12, 1)}, "multiples of 4"),
        ({"shape": (12, 12, 2)}, "of 1 channel or 3 can be drawn, .* has 2"),
        ({"test_images": None}, "Received: split='test'"),
        ({"test_labels": None, "labels": None}, "--semantic needs"),
        (
            {"test_images": np.zeros((40, 16, 16, 1), np.uint8)},
            r"takes images of shape \(12, 12, 1\)",
        ),
        ({"images": np.full((64, 12, 12, 1), np.nan)}, "(?i)nan"),
        ({"images": np.full((64, 12, 12, 1), 2.0)}, "range|0 to 1|0, 1"),
        ({"test_labels": np.zeros(40, int)}, "40 images of 1 classes"),
    ],
)
def test_images_that_do_not_suit_are_refused_before_the_first_step(
    tmp_path, make_settings, write_images, changes, message
):
    path = write_images(**changes)
    with pytest.raises(ValueError, match=message):
        training.train(make_settings(tmp_path, dataset=str(path)))
    _assert_nothing_begun(tmp_path)
