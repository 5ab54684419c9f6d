"""The trainings and attacks of `keras_classifier` as plain PyTorch loops.

A program for an interpreter that has PyTorch. It needs nothing of tfsemae but the
workload. What it writes and reads is what `compare.Program` says.
"""

import argparse
import json
import pathlib
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

RADIUS, STEP = 8 / 255, 2 / 255
SPREAD, INNER_STEPS, KL_WEIGHT = 0.001, 10, 6.0
RATE, MOMENTUM, DECAY = 0.01, 0.9, 0.0005
WORKS = ("training", "pgd20")


class PreactResNet(nn.Module):
    """A residual network with preactivation, of the weights that Keras has."""

    def __init__(self, weights: Mapping[str, np.ndarray], stem_stride: int):
        """Builds the network and fills it.

        Args:
            weights: `<layer>/<weight>` -> array as Keras has it.
            stem_stride: of the first convolution.
        """
        super().__init__()
        self.stem = _conv(weights["stem/kernel"], stem_stride)
        names = [name.removesuffix("_conv1/kernel") for name in weights if _first(name)]
        self.blocks = nn.ModuleList(_Block(weights, name) for name in sorted(names))
        self.last = _norm(weights, "last_norm")
        inputs, outputs = weights["logits/kernel"].shape
        self.logits = nn.Linear(inputs, outputs)
        _fill(self.logits.weight, weights["logits/kernel"].T)
        _fill(self.logits.bias, weights["logits/bias"])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images `[B, C, H, W]` in [0, 1] -> logits `[B, K]`."""
        x = self.stem(images)
        for block in self.blocks:
            x = block(x)
        return self.logits(F.relu(self.last(x)).mean(dim=(2, 3)))


class _Block(nn.Module):
    def __init__(self, weights: Mapping[str, np.ndarray], name: str):
        super().__init__()
        group, number = name.removeprefix("block").split("_")
        stride = 2 if number == "1" and group != "1" else 1
        self.norm1, self.norm2 = (_norm(weights, f"{name}_{k}_norm") for k in (1, 2))
        self.conv1 = _conv(weights[f"{name}_conv1/kernel"], stride)
        self.conv2 = _conv(weights[f"{name}_conv2/kernel"], 1)
        shortcut = weights.get(f"{name}_shortcut/kernel")
        self.shortcut = None if shortcut is None else _conv(shortcut, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        active = F.relu(self.norm1(x))
        if self.shortcut is not None:
            x = self.shortcut(active)
        return x + self.conv2(F.relu(self.norm2(self.conv1(active))))


def _first(name: str) -> bool:
    return name.startswith("block") and name.endswith("_conv1/kernel")


def _conv(kernel: np.ndarray, stride: int) -> nn.Conv2d:
    height, _, inputs, outputs = kernel.shape
    layer = nn.Conv2d(inputs, outputs, height, stride, height // 2, bias=False)
    _fill(layer.weight, kernel.transpose(3, 2, 0, 1))
    return layer


def _norm(weights: Mapping[str, np.ndarray], name: str) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(len(weights[f"{name}/gamma"]), eps=1e-5, momentum=0.1)
    _fill(layer.weight, weights[f"{name}/gamma"])
    _fill(layer.bias, weights[f"{name}/beta"])
    _fill(layer.running_mean, weights[f"{name}/moving_mean"])
    _fill(layer.running_var, weights[f"{name}/moving_variance"])
    return layer


def _fill(tensor: Any, values: np.ndarray) -> None:
    with torch.no_grad():
        tensor.copy_(torch.from_numpy(values.copy()))


def pgd(
    objective: Callable[[torch.Tensor], torch.Tensor],
    images: torch.Tensor,
    initial: torch.Tensor,
    steps: int,
) -> torch.Tensor:
    """Signed steps in the ball, from given points; the best point of each image.

    Args:
        objective: points -> `[B]`, which is raised.
        images: centres of the balls, in [0, 1].
        initial: where to begin.
        steps: how many.
    """

    def project(points: torch.Tensor) -> torch.Tensor:
        within = torch.minimum(torch.maximum(points, images - RADIUS), images + RADIUS)
        return within.clamp(0, 1)

    with torch.no_grad():
        best, most = images, objective(images)
    points = project(initial)
    for step in range(steps + 1):
        last = step == steps
        points = points.detach().requires_grad_(not last)
        with torch.set_grad_enabled(not last):
            values = objective(points)
        better = values.detach() > most
        best = torch.where(better[:, None, None, None], points.detach(), best)
        most = torch.where(better, values.detach(), most)
        if not last:
            (gradient,) = torch.autograd.grad(values.sum(), points)
            points = project(points.detach() + STEP * gradient.sign())
    return best


def kl(logits: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """KL(p || q) of each row."""
    p, q = logits.log_softmax(dim=1), others.log_softmax(dim=1)
    return (p.exp() * (p - q)).sum(dim=1)


class Trades:
    """The training of a workload, turn by turn."""

    def __init__(self, network: nn.Module, arrays: Mapping[str, np.ndarray], layout):
        """Prepares the optimizer and the batches.

        Args:
            network: trained in place.
            arrays: of the workload.
            layout: memory format of images.
        """
        self._network = network
        pixels, normal = (
            [_images(batch, layout) for batch in arrays[name]]
            for name in ("train_images", "normal")
        )
        labels = list(torch.from_numpy(arrays["train_labels"]))
        *self._pixels, self._last_pixels = pixels
        *self._labels, self._last_labels = labels
        self._normal = normal
        self._optimizer = torch.optim.SGD(
            network.parameters(), RATE, momentum=MOMENTUM, weight_decay=DECAY
        )

    def turn(self) -> int:
        """Does all steps of a turn, and returns the number of its images."""
        batches = zip(self._pixels, self._labels, self._normal, strict=True)
        for pixels, labels, normal in batches:
            self._step(pixels, labels, normal)
        return sum(map(len, self._pixels))

    def _step(
        self, pixels: torch.Tensor, labels: torch.Tensor, normal: torch.Tensor
    ) -> None:
        network = self._network
        network.eval().requires_grad_(False)
        with torch.no_grad():
            clean = network(pixels)
        moved = pgd(
            lambda points: kl(clean, network(points)),
            pixels,
            pixels + SPREAD * normal,
            INNER_STEPS,
        )
        network.train().requires_grad_(True)
        self._optimizer.zero_grad()
        logits, of_moved = network(pixels), network(moved)
        loss = F.cross_entropy(logits, labels)
        (loss + KL_WEIGHT * kl(logits, of_moved).mean()).backward()
        self._optimizer.step()

    def loss(self) -> float:
        """Cross-entropy of the batch after a turn, as at inference."""
        self._network.eval()
        with torch.no_grad():
            logits = self._network(self._last_pixels)
        return F.cross_entropy(logits, self._last_labels).item()


class Attacks:
    """PGD-20 on the images of a workload, batch by batch."""

    def __init__(
        self, network: nn.Module, arrays: Mapping[str, np.ndarray], layout, size: int
    ):
        """Prepares the batches; `size` is that of one, `layout` as in `Trades`."""
        self._network = network.eval().requires_grad_(False)
        images, starts = (
            _images(arrays[name], layout) for name in ("images", "starts")
        )
        labels = torch.from_numpy(arrays["labels"])
        parts = (each.split(size) for each in (images, labels, starts))
        self._batches = list(zip(*parts, strict=True))

    def turn(self) -> int:
        """Attacks all images, and returns their number."""
        return sum(map(len, self._moved()))

    def robust(self) -> list[float]:
        """100 for an image that is answered correctly after the attack too, else 0."""
        found = []
        for (images, labels, _), moved in zip(
            self._batches, self._moved(), strict=True
        ):
            right = [
                self._network(each).argmax(dim=1) == labels for each in (images, moved)
            ]
            found += (100.0 * (right[0] & right[1])).tolist()
        return found

    def _moved(self) -> list[torch.Tensor]:
        return [self._attacked(*each) for each in self._batches]

    def _attacked(
        self, images: torch.Tensor, labels: torch.Tensor, starts: torch.Tensor
    ) -> torch.Tensor:
        def objective(points: torch.Tensor) -> torch.Tensor:
            return F.cross_entropy(self._network(points), labels, reduction="none")

        return pgd(objective, images, images + RADIUS * starts, 20)


def _images(pixels: np.ndarray, layout: Any) -> torch.Tensor:
    turned = torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())
    return turned.contiguous(memory_format=layout)


def main() -> None:
    """Trains or attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, choices=WORKS)
    parser.add_argument("--channels_last", action="store_true")
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int, help="Of an attack.")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)  # as TensorFlow does
    with np.load(given.folder / "workload.npz") as file:
        workload = dict(file)
    prefix = "classifier/"
    weights = {
        name.removeprefix(prefix): array
        for name, array in workload.items()
        if name.startswith(prefix)
    }
    layout = torch.channels_last if given.channels_last else torch.contiguous_format
    network = PreactResNet(weights, workload["stem_stride"].item())
    network = network.to(memory_format=layout)
    work: Trades | Attacks
    if given.work == "training":
        work = Trades(network, workload, layout)
        first = {"before": [work.loss()]}
        work.turn()
        first["outcomes"] = [work.loss()]
    else:
        work = Attacks(network, workload, layout, given.batch_size)
        first = {"outcomes": work.robust()}
    print(json.dumps(first), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        images = work.turn()
        print(images / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    main()
