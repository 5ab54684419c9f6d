"""What is measured of trained networks and of attacks on them.

TensorFlow is imported when something is first measured: a command reads only the
settings.
"""

import dataclasses
import importlib
import pathlib
from collections.abc import Mapping

from tfsemae import files, lazy, run_folder, startup
from tfsemae.data import catalogue
from tfsemae.evaluation.attack_registry import ATTACKS
from tfsemae.evaluation.attack_settings import Settings as AttackSettings
from tfsemae.evaluation.settings import Settings
from tfsemae.models import verification

_HOMES = {
    "ClassifierFeatures": "classifier_features",
    "check": "checks",
    "check_images": "checks",
    "evaluate": "autoencoder",
}

__all__ = [
    "AttackSettings",
    "ClassifierFeatures",
    "Settings",
    "attack_run",
    "check",
    "check_images",
    "evaluate",
    "evaluate_run",
]


def evaluate_run(settings: Settings) -> run_folder.Metrics:
    """Evaluates the network of a training run, or continues to do so.

    Args:
        settings: of the evaluation of an autoencoder or a classifier. k-NN and linear
            probe learn from the training split, from the test split where the training
            split is measured. Without an `output_dir` it is
            `<model_dir>/evaluation/<data set>_<split>_<hash>`, another one for other
            flags, networks or contents of an own file.

    Returns:
        See `evaluate`, of a classifier `classification.evaluate`; also written to
        `<output_dir>/metrics.json`.

    Raises:
        ValueError: if there is no such model or no such data, or they do not
            fit each other.
    """
    if settings.run.output_dir is None:
        run_of_its_own = dataclasses.replace(settings.run, output_dir=_folder(settings))
        settings = dataclasses.replace(settings, run=run_of_its_own)
    networks = {"network": settings.run.model_dir}
    if settings.run.classifier_dir is not None:
        networks["classifier"] = settings.run.classifier_dir

    def work(folder: pathlib.Path) -> run_folder.Metrics:
        _verify(settings)
        startup.load_tensorflow()
        from tfsemae.evaluation import run

        return run.run(settings, folder)

    def unchanged(folder: pathlib.Path) -> None:
        from tfsemae.evaluation import loading

        run_folder.check_inputs(folder, verification.recorded_weights(networks))
        _check_lpips(folder, settings.run.weights_dir)
        if settings.run.inception_weights is not None:
            digest = files.sha256(settings.run.inception_weights)
            run_folder.check_inputs(folder, {"inception": digest})
        if loading.is_own_file(settings):
            images, reference = loading.evaluated(settings)
            digests = {"images": images.digest(), "reference": reference.digest()}
            run_folder.check_inputs(folder, digests)

    return run_folder.perform(settings, work, unchanged=unchanged)


def attack_run(settings: AttackSettings) -> run_folder.Metrics:
    """Attacks the network of a training run, or continues to do so.

    An attack over radii (`pgd`) writes `measurements.npz`, values of each image as
    `<condition>_<radius>/<quantity>`, with the attacked latents as `point` and the
    first 10 outputs as `images` (uint8), and returns `examples`; `spread`, the root of
    the total variance of what is attacked, and `deviation`, that of each number of it;
    `warnings`, what `sanity` finds; `huge`; and by condition (`clean`; `pgd`, `strong`
    and `noise` of each radius, such as `pgd_epsilon0.5`)

    - means of `objective` and of `brightness` (mean pixel of the output);
    - means of `mse` and `ssim` of the output against that of the example itself
      (`clean`: against the image), and of all but `clean` of `mse_to_input` and
      `ssim_to_input`, against the image;
    - with `weights_dir`, of all but `clean`, means of `lpips_squeeze` and `lpips_alex`
      against the output of the example itself, see `perceptual.distances`;
    - of `clean` and of the greatest radius of each list `output_diversity`, mean L2
      distance of pairs of the first 500 outputs, and with `weights_dir`
      `output_diversity_lpips`, see `perceptual.diversity`;
    - with `classifier_dir`, of all but `clean`, `output_frechet_distance` of the first
      500 outputs from those of the examples themselves, and
      `output_frechet_distance_of_logits`; `classifier_features` then says in which
      features, see `ClassifierFeatures.described`;
    - of all but `clean` the mean of `displacement` (L2 norm), and the shares `finite`
      and `flat` (see `attacks.AttackResult`) of the attacks.

    An attack over penalties (`lbfgsb`) on an autoencoder writes `adversarial.png` (the
    first 10 pairs) and `measurements.npz` (`pairs`, int64 `[P, 2]`, places of original
    and target; `penalty` `[K]`; and `<condition>/<quantity>`, `[P, K]` of `adversarial`
    and of `rounded`, these images with 8 bits, `[P]` of `original`, `target` and
    `pair`), and returns `examples`; `converged`, `abnormal` and `not_finite`, shares of
    the problems; means of `iterations` and `evaluations`; targeted the means over pairs
    `auddc` and `rounded_auddc`, see `metrics.auddc`, with `without_curve`, the number
    of pairs left out; else `damage`, the mean over pairs of the greatest distance of a
    reconstruction from the original, over that of the original's own.

    On a classifier it writes `indices`, `labels` and `targets` (another class of
    chance) of images that are classified rightly, and of each image and penalty the
    `distortion` and, of label and target, `probability` and `log_odds`, as
    `adversarial/label_probability`; and returns `reached`, the share of images that
    become another class at the least penalty; `crossing_distortion`, mean L2 norm
    midway between the last penalty where they do and the next; and with `bisections`
    `bisected_distortion`, that at the largest penalty found.

    An attack on the accuracy of a classifier (`robust_accuracy`) writes
    `measurements.npz` (`indices`, `labels`, and of each image and condition `correct`,
    bool, of attacks also `linf`, the greatest change of a pixel, `flat` and `finite`;
    `clean/logits`; with `keep_features` `features`), and returns `examples`;
    `accuracy` of `clean`, of `noise` (corners of the ball), of each attack, and of
    `worst`, the images that withstand all; of attacks `warnings`, names of what
    `robust_sanity` finds; `checks`, accuracies of the further attacks on the first
    images; and `warnings`, a sentence each.

    Any other attack writes `adversarial.npz` (`images` float32 in [0, 1], `unclipped`
    as the attack gives them, `labels` where there are any, and `indices`: int64 places
    in what `data.load` gives of that split and those classes), the same as the data set
    `adversarial` for TFDS in `tfds/`, `adversarial.png` (the first 10) and
    `measurements.npz` (what is averaged below, for each image, as
    `<condition>/<quantity>`, with the latents).

    Args:
        settings: of the attack.

    Returns:
        What `metrics.json` holds; of attacks that give an image for each `examples`,
        and by condition

        - `adversarial`: `psnr` (dB) and `ssim` of the unclipped adversarial images
          against the original ones; of an attack that has a target latent, such as
          `semantic_shift`, also means of `projection`, `cosine` and
          `remaining_distance` (see `attacking.toward`) over the images whose latent
          differs from the target, None if none does.
        - `clipped`: `psnr` and `ssim` of them clipped to [0, 1].
        - `adversarial_scale<factor>`, of each of `scales`: the same as `adversarial`,
          of the change times the factor.
        - `gradient`, with `controls` and a target latent: the means towards it, of 20
          steps of gradient descent of the norm of the attack on the distance to it.
          They show how far a change of that size can go. The controls below have them
          as well.
        - `clean` and `target`, of `semantic_shift`: `inverse_error`, the root mean
          square of |e_v(d(L)) - L| in units of the spread of the L, of the victim's
          latents and of the attacker's (0: eq. (3) holds exactly); None of latents
          that are all equal.

        With labels of at least 2 classes also, for the latents of the images as they
        are (`clean`), attacked (`adversarial`), and changed by as much, image by
        image, in other directions: Gaussian noise (`noise`), the negated change
        (`negated`) and that of the image before it in its batch (`exchanged`):

        - `silhouette`, `scatter_ratio`;
        - `knn_accuracy` and `linear_probe_accuracy`, learnt from the clean latents
          of the other split, 10,000 of them at most, also for `gradient`, for each of
          `scales` and for noise of its norm (`noise_scale<factor>`);
        - `knn_accuracy_anew` and `linear_probe_accuracy_anew`, learnt from the
          latents of that split after the same change;
        - of all but `clean`, also of the further ones, `log_variance_ratio` over the
          clean latents, and of these but not of the further ones
          `two_sample_accuracy`, how well a linear classifier tells them from clean
          ones. See `metrics`.

    Raises:
        ValueError: if networks, data and folder do not suit each other.
        OSError: if a file cannot be written.
    """
    networks = {"network": settings.run.model_dir, **settings.chosen.model_dirs()}

    def work(folder: pathlib.Path) -> run_folder.Metrics:
        # Before TensorFlow is imported, which takes seconds.
        module = _verify_attacked(settings, networks)
        startup.load_tensorflow()
        return importlib.import_module(module).run(settings, folder)

    def unchanged(folder: pathlib.Path) -> None:
        from tfsemae.evaluation import loading

        run_folder.check_inputs(folder, verification.recorded_weights(networks))
        _check_lpips(folder, settings.pgd.weights_dir)
        if loading.is_own_file(settings):
            images, _ = loading.chosen(settings)
            run_folder.check_inputs(folder, {"images": images.digest()})

    return run_folder.perform(settings, work, unchanged=unchanged)


def _verify_attacked(settings: AttackSettings, networks: Mapping[str, str]) -> str:
    """Checks the networks of an attack, and returns the module that runs it.

    Raises:
        ValueError: if one is missing, damaged, or of another kind than is needed.
    """
    entry = ATTACKS[settings.run.attack]
    module = entry.module
    for name, model_dir in networks.items():
        if name == "classifier":
            verification.verify_classifier(model_dir)
        elif entry.of_classifiers and (
            entry.of_classifiers == entry.module
            or verification.is_classifier(model_dir)
        ):
            verification.verify_classifier(model_dir)
            module = entry.of_classifiers
        else:
            verification.verify_autoencoder(model_dir)
    return f"tfsemae.evaluation.{module}"


def _verify(settings: Settings) -> list[str]:
    """Checks the networks of an evaluation, and returns the digests of their files.

    Raises:
        ValueError: if one is missing, damaged, or of another kind than is needed.
    """
    run = settings.run
    described = [verification.verify(run.model_dir)]
    measuring = {
        name: getattr(run, name)
        for name in ("classifier_dir", "weights_dir", "inception_weights")
    }
    for name, value in measuring.items():
        if value is not None and verification.is_classifier(run.model_dir):
            raise ValueError(
                f"--{name}={value} measures autoencoders, and "
                f"--model_dir={run.model_dir} holds a classifier. Leave it out."
            )
    weights = run.inception_weights
    if weights is not None and not files.path(weights).is_file():
        raise ValueError(
            f"--inception_weights={weights}: There is no such file. "
            "metrics.InceptionFeatures says how it is made."
        )
    if run.classifier_dir is not None:
        described.append(verification.verify_classifier(run.classifier_dir))
    return [digest for each in described for digest in each.sha256.values()]


def _check_lpips(folder: pathlib.Path, weights_dir: str | None) -> None:
    """Raises ValueError if a finished run measured LPIPS by other weights or not."""
    if weights_dir is None:
        return
    startup.load_tensorflow()
    from tfsemae.evaluation import perceptual

    run_folder.check_inputs(folder, {"lpips": perceptual.digest(weights_dir)})


def _folder(settings: Settings) -> str:
    """The folder of an evaluation for which none is named."""
    model_dir = files.path(settings.run.model_dir)
    digests = _verify(settings)
    dataset, _ = run_folder.data_set(
        model_dir, settings.data.dataset, settings.data.classes
    )
    identity = [*run_folder.identity(settings), *digests]
    if settings.run.weights_dir is not None:
        identity.append("lpips")
    if settings.run.inception_weights is not None:
        identity.append("fid")
    own_file = files.path(dataset)
    if catalogue.is_own_file(dataset) and own_file.is_file():
        identity.append(files.sha256(own_file))
    name = f"{own_file.stem}_{settings.data.split}_{run_folder.fingerprint(identity)}"
    return str(model_dir / "evaluation" / name)


__getattr__ = lazy.attributes(__name__, _HOMES)
