"""The attack of `keras_pgd` as a plain PyTorch loop, by Foolbox and by ART.

A program for the interpreter that has the peer, and TensorFlow or PyTorch. It needs
nothing of tfsemae but the workload. What it writes and reads is what
`compare.Program` says.

Ours returns the best point of a run, and so does the loop. Foolbox and ART return the
last one, without its value. All begin at the points of the workload.
"""

import argparse
import itertools
import json
import os
import pathlib
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

#: Of arrays `[N, Z]`: latents and initial points. Gives adversarial latents.
Attack = Callable[[np.ndarray, np.ndarray], np.ndarray]


def torch_decoder(weights: Mapping[str, np.ndarray]) -> Any:
    """The decoder of Lu and Chen 2023 in PyTorch, of images turned by 180 degrees.

    At stride 2 and 3 x 3 pixels a transposed convolution of TensorFlow drops the last
    row, PyTorch's usual padding=1 with output_padding=1 the first one. On turned
    images, with turned kernels, they are the same function at the same cost.

    Args:
        weights: `decoder/<layer>/<weight>`, as Keras has them.

    Returns:
        A `torch.nn.Module`: latents `[B, Z]` to images `[B, C, H, W]`.
    """
    from torch import nn

    named = {name.removeprefix("decoder/"): weights[name] for name in weights}
    count = sum(name.startswith("deconv") for name in named) // 2
    kernels = [named[f"deconv{k}/kernel"] for k in range(1, count + 1)]
    units = named["dense/kernel"].shape[1]
    channels = kernels[0].shape[3]
    side = round((units / channels) ** 0.5)
    # Rows of a flattened (H, W, C) to those of a turned (C, H, W).
    order = np.arange(units).reshape(side, side, channels)[::-1, ::-1]
    order = order.transpose(2, 0, 1).ravel()
    dense = nn.Linear(len(named["dense/kernel"]), units)
    _fill(dense, named["dense/kernel"][:, order].T, named["dense/bias"][order])
    layers = [dense, nn.Unflatten(1, (channels, side, side))]
    for k, kernel in enumerate(kernels, start=1):
        inputs, outputs = kernel.shape[3], kernel.shape[2]
        layer = nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1)
        turned = kernel[::-1, ::-1].transpose(3, 2, 0, 1)
        _fill(layer, turned, named[f"deconv{k}/bias"])
        layers.append(layer)
        if k < count:
            layers += [_torch_normalisation(named, k), nn.LeakyReLU(0.01)]
    layers.append(nn.Sigmoid())
    return nn.Sequential(*layers).requires_grad_(False).eval()


def _torch_normalisation(named: Mapping[str, np.ndarray], number: int) -> Any:
    import torch

    found = {
        name: named[f"norm{number}/{name}"]
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    layer = torch.nn.BatchNorm2d(len(found["gamma"]), eps=1e-5)
    _fill(layer, found["gamma"], found["beta"])
    layer.running_mean.copy_(torch.from_numpy(found["moving_mean"]))
    layer.running_var.copy_(torch.from_numpy(found["moving_variance"]))
    return layer


def _fill(layer: Any, weight: np.ndarray, bias: np.ndarray) -> None:
    import torch

    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.copy()))
        layer.bias.copy_(torch.from_numpy(bias))


def torch_loop(
    decoder: Any, epsilon: float, steps: int, batch_size: int, clean: np.ndarray
) -> Attack:
    """PGD as one writes it in PyTorch, keeping the best point."""
    import torch
    from torch.nn import functional as F

    def batch(latents: Any, initial: Any, target: Any) -> Any:
        def damage(points: Any) -> Any:
            return (decoder(points) - target).square().mean(dim=(1, 2, 3))

        def project(displacement: Any) -> Any:
            length = displacement.norm(dim=1, keepdim=True)
            return displacement * (epsilon / length.clamp(min=epsilon))

        with torch.no_grad():
            best, most = latents, damage(latents)
        displacement = project(initial - latents)
        for step in range(steps + 1):
            last = step == steps
            points = (latents + displacement).requires_grad_(not last)
            with torch.set_grad_enabled(not last):
                values = damage(points)
            better = values.detach() > most
            best = torch.where(better[:, None], points.detach(), best)
            most = torch.where(better, values.detach(), most)
            if not last:
                (gradient,) = torch.autograd.grad(values.sum(), points)
                direction = F.normalize(gradient, eps=1e-10)
                displacement = project(displacement + 2.5 * epsilon / steps * direction)
        return best

    def attack(latents: np.ndarray, initial: np.ndarray) -> np.ndarray:
        batches = (
            torch.from_numpy(values).split(batch_size)
            for values in (latents, initial, clean)
        )
        return torch.cat([batch(*each) for each in zip(*batches, strict=True)]).numpy()

    return attack


def foolbox_attack(
    decoder: Any, epsilon: float, steps: int, batch_size: int, clean: np.ndarray
) -> Attack:
    """PGD of Foolbox with another loss and given points to begin at."""
    import eagerpy
    import foolbox

    # It asks for bounds: far away.
    model = _foolbox_model(decoder, bounds=(-1e3, 1e3))
    tensor = _to_tensor(decoder)

    class LatentPGD(foolbox.attacks.L2ProjectedGradientDescentAttack):
        """Of one batch."""

        def __init__(self, initial: Any, target: Any):
            super().__init__(abs_stepsize=2.5 * epsilon / steps, steps=steps)
            self._initial = eagerpy.astensor(tensor(initial))
            self._target = eagerpy.astensor(tensor(target))

        def get_random_start(self, x0: Any, epsilon: float) -> Any:
            return self._initial

        def get_loss_fn(self, model: Any, labels: Any) -> Callable:
            def loss(inputs: Any) -> Any:
                return (model(inputs) - self._target).square().mean((1, 2, 3)).sum()

            return loss

    def attack(latents: np.ndarray, initial: np.ndarray) -> np.ndarray:
        found = []
        for begin in range(0, len(latents), batch_size):
            rows = slice(begin, begin + batch_size)
            batch = tensor(latents[rows])
            # `run` asks for labels, which the loss above does not read; a call would
            # ask whether they changed.
            labels = tensor(np.zeros(len(batch), np.int64))
            attacked = LatentPGD(initial[rows], clean[rows]).run(
                model, batch, labels, epsilon=epsilon
            )
            found.append(attacked.numpy())
        return np.concatenate(found)

    return attack


def _foolbox_model(decoder: Any, bounds: tuple[float, float]) -> Any:
    import foolbox

    if _is_keras(decoder):
        return foolbox.TensorFlowModel(decoder, bounds, device="/cpu:0")
    return foolbox.PyTorchModel(decoder, bounds, device="cpu")


def art_attack(
    decoder: Any, epsilon: float, steps: int, batch_size: int, clean: np.ndarray
) -> Attack:
    """PGD of ART; the pixels are its classes, and their squared error is the loss."""
    from art.attacks.evasion import projected_gradient_descent as pgd

    targets = clean.reshape(len(clean), -1)
    pixels = targets.shape[1]
    if _is_keras(decoder):
        import keras
        from art.estimators.classification import TensorFlowV2Classifier

        module = pgd.projected_gradient_descent_tensorflow_v2
        latent = decoder.input_shape[1:]
        model = TensorFlowV2Classifier(
            keras.Sequential([decoder, keras.layers.Flatten()]),
            nb_classes=pixels,
            input_shape=latent,
            loss_object=keras.losses.MeanSquaredError(),
        )
        of_framework = module.ProjectedGradientDescentTensorFlowV2
    else:
        import torch
        from art.estimators.classification import PyTorchClassifier

        module = pgd.projected_gradient_descent_pytorch
        model = PyTorchClassifier(
            torch.nn.Sequential(decoder, torch.nn.Flatten()),
            loss=torch.nn.MSELoss(),
            input_shape=(decoder[0].in_features,),
            nb_classes=pixels,
            device_type="cpu",
        )
        of_framework = module.ProjectedGradientDescentPyTorch
    method = of_framework(
        model,
        norm=2,
        eps=epsilon,
        eps_step=2.5 * epsilon / steps,
        max_iter=steps,
        num_random_init=1,
        batch_size=batch_size,
        verbose=False,
    )

    def attack(latents: np.ndarray, initial: np.ndarray) -> np.ndarray:
        displacement = initial - latents
        begins = itertools.count(0, batch_size)

        def given_points(rows: int, *_: Any) -> np.ndarray:
            begin = next(begins)
            return displacement[begin : begin + rows]

        # It draws by this function, once per batch.
        module.random_sphere = given_points
        return method.generate(latents, targets)

    return attack


def damage(decoder: Any, points: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Mean squared change of the decoded images: `[N]`."""
    return np.square(decoded(decoder, points) - clean).mean(axis=(1, 2, 3))


def decoded(decoder: Any, points: np.ndarray) -> np.ndarray:
    """The images of a decoder of either framework, as an array of its layout."""
    tensor = _to_tensor(decoder)
    images = [
        np.asarray(decoder(tensor(points[begin : begin + 100])))
        for begin in range(0, len(points), 100)
    ]
    return np.concatenate(images)


def _is_keras(decoder: Any) -> bool:
    return type(decoder).__module__.startswith("keras")


def _to_tensor(decoder: Any) -> Callable[[np.ndarray], Any]:
    if _is_keras(decoder):
        import tensorflow as tf

        return tf.convert_to_tensor
    import torch

    return torch.from_numpy


ATTACKS = {"loop": torch_loop, "foolbox": foolbox_attack, "art": art_attack}


def main() -> None:
    """Attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--attack", required=True, choices=ATTACKS)
    parser.add_argument(
        "--framework", required=True, choices=("torch", "tensorflow"), help="Of it."
    )
    parser.add_argument("--channels_last", action="store_true", help="In PyTorch.")
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int)
    parser.add_argument("--steps", required=True, type=int, help="Of the attack.")
    given = parser.parse_args()
    with np.load(given.folder / "workload.npz") as file:
        workload = dict(file)
    if given.framework == "tensorflow":
        decoder = _tensorflow(given.folder, given.threads)
    else:
        decoder = _torch(workload, given.threads, given.channels_last)
    latents, initial = workload["latents"], workload["initial"]
    clean = decoded(decoder, latents)
    attack = ATTACKS[given.attack](
        decoder, workload["epsilon"].item(), given.steps, given.batch_size, clean
    )
    outcomes = damage(decoder, attack(latents, initial), clean).tolist()
    print(json.dumps({"outcomes": outcomes}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        attack(latents, initial)
        print(len(latents) / (time.perf_counter() - began), flush=True)


def _tensorflow(folder: pathlib.Path, threads: int) -> Any:
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return keras.saving.load_model(folder / "decoder.keras")


def _torch(workload: Mapping[str, np.ndarray], threads: int, channels_last: bool):
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # as TensorFlow does
    weights = {name: workload[name] for name in workload if "/" in name}
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return torch_decoder(weights).to(memory_format=layout)


if __name__ == "__main__":
    main()
