"""The semantic autoencoder of Ming 2022, Table I, trained in PyTorch: the peer.

A program for the interpreter that has PyTorch. It needs nothing of tfsemae but
the workload file of `keras_table1`, from which come the initial weights, the
batches and the numbers of the optimizer. What it writes and reads is what
`compare.Program` says.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

MODES = ("eager", "channels_last", "compile", "compile_channels_last")

_NUMBERS = ("semantic_weight", "learning_rate", "decay_rate", "decay_steps", "epsilon")


class SemanticAutoencoder(nn.Module):
    """Table I, mirrored: it takes and gives images turned by 180 degrees.

    At stride 2 a transposed convolution of TensorFlow drops one row of its
    result before the image and two behind it; PyTorch's usual padding=2 with
    output_padding=1 drops two and one. On turned images, with turned kernels,
    the two are the same function at the same cost.

    Of images with several channels all are coded and decoded with the same
    weights: as further images of the batch, or as groups of each convolution.
    """

    def __init__(self, side: int, channels: int, classes: int, *, grouped: bool):
        """Builds the network; `load` gives it its weights.

        Args:
            side: height and width of the images, a multiple of 4.
            channels: of the images.
            classes: outputs of the classifier.
            grouped: whether the channels are groups.
        """
        super().__init__()
        self.groups = channels if grouped else 1
        self.grid = (4, side // 4, side // 4)
        latent = math.prod(self.grid)
        self.encoder = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(1, 32, 5, padding=2),
                "conv2": nn.Conv2d(32, 64, 5, padding=2),
                "latent": nn.Linear(latent * 16, latent),
            }
        )
        up = {"stride": 2, "padding": 2, "output_padding": 1}
        self.decoder = nn.ModuleDict(
            {
                "deconv1": nn.ConvTranspose2d(4, 64, 5, **up),
                "deconv2": nn.ConvTranspose2d(64, 32, 5, **up),
                "image": nn.Conv2d(32, 1, 1),
            }
        )
        self.classifier = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(4 * channels, 32, 3, padding=1),
                "hidden": nn.Linear(latent * 8, 256),
                "logits": nn.Linear(256, classes),
            }
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Reconstructs and classifies.

        Args:
            images: float32 `[B, C, H, W]` in [0, 1].

        Returns:
            The logits of the pixels `[B, C, H, W]` and of the classes `[B, K]`.
        """
        depth, height, width = self.grid
        x = images.reshape(-1, self.groups, *images.shape[2:])
        x = F.max_pool2d(F.relu(self._convolve(self.encoder["conv1"], x)), 2)
        x = F.max_pool2d(F.relu(self._convolve(self.encoder["conv2"], x)), 2)
        x = x.reshape(-1, self.encoder["latent"].in_features)
        latent = torch.sigmoid(self.encoder["latent"](x))
        x = latent.view(-1, self.groups * depth, height, width)
        x = F.relu(self._convolve(self.decoder["deconv1"], x))
        x = F.relu(self._convolve(self.decoder["deconv2"], x))
        pixels = self._convolve(self.decoder["image"], x).reshape(images.shape)
        x = latent.view(len(images), -1, height, width)
        x = F.relu(self.classifier["conv1"](x))
        x = F.relu(self.classifier["hidden"](x.flatten(1)))
        return pixels, self.classifier["logits"](x)

    def _convolve(self, layer, x):
        if self.groups == 1:
            return layer(x)
        # All groups have the one layer's weights, whose gradients add up; unlike
        # repeat, cat keeps the memory layout.
        weight = torch.cat([layer.weight] * self.groups)
        bias = torch.cat([layer.bias] * self.groups)
        given = {"stride": layer.stride, "padding": layer.padding}
        if isinstance(layer, nn.ConvTranspose2d):
            given["output_padding"] = layer.output_padding
            return F.conv_transpose2d(x, weight, bias, groups=self.groups, **given)
        return F.conv2d(x, weight, bias, groups=self.groups, **given)


def load(network: SemanticAutoencoder, weights: Mapping[str, np.ndarray]) -> None:
    """Gives the network the weights of the Keras one.

    Args:
        network: to be filled.
        weights: `<part>/<layer>/<kernel or bias>` -> array as Keras has it, every
            parameter of the network; what else it holds is left alone.
    """
    height, width = network.grid[1:]
    # Dense layers before or behind a flattened image; the side that is one.
    inputs, outputs = (height, width, -1), (height, width, 4)
    turned: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "encoder/latent/kernel": lambda w: _flat_rows(_flat_rows(w, inputs).T, outputs),
        "encoder/latent/bias": lambda b: _flat_rows(b, outputs),
        "classifier/hidden/kernel": lambda w: _flat_rows(w, inputs).T,
        "classifier/logits/kernel": np.transpose,
    }
    state = {}
    for name in network.state_dict():
        part, layer, kind = name.split(".")
        key = f"{part}/{layer}/{'kernel' if kind == 'weight' else 'bias'}"
        value = weights[key]
        if key in turned:
            value = turned[key](value)
        elif kind == "weight":
            # HWIO -> OIHW, and in a transposed convolution HWOI -> IOHW.
            value = value[::-1, ::-1].transpose(3, 2, 0, 1)
        state[name] = torch.from_numpy(value.copy())
    network.load_state_dict(state)


def _flat_rows(values: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Reorders rows from flattened (H, W, C) to flattened turned (C, H, W)."""
    grid = values.reshape(*shape, *values.shape[1:])[::-1, ::-1]
    return np.moveaxis(grid, 2, 0).reshape(values.shape)


class Training:
    """The training of a workload, step by step."""

    def __init__(self, workload: Mapping[str, np.ndarray], mode: str, *, grouped: bool):
        """Prepares the network, the optimizer and the batches.

        Args:
            workload: what `keras_table1` wrote.
            mode: one of `MODES`.
            grouped: whether the channels are groups.
        """
        images = workload["images"][:, :, ::-1, ::-1].transpose(0, 1, 4, 2, 3)
        images = torch.from_numpy(images.copy())
        self.batch_size = images.shape[1]
        network = SemanticAutoencoder(
            images.shape[-1],
            images.shape[2],
            len(workload["classifier/logits/bias"]),
            grouped=grouped,
        )
        load(network, workload)
        layout = torch.contiguous_format
        if mode.endswith("channels_last"):
            layout = torch.channels_last
        self._network = network.to(memory_format=layout)
        self._forward = self._network
        if mode.startswith("compile"):
            self._forward = torch.compile(self._network)
        self._batches = [
            (batch.contiguous(memory_format=layout), torch.from_numpy(labels))
            for batch, labels in zip(images, workload["labels"], strict=True)
        ]
        self._numbers = {name: workload[name].item() for name in _NUMBERS}
        self._optimizer = torch.optim.Adam(self._network.parameters(), fused=True)
        self._step = 0

    def run(self, steps: int) -> None:
        """Takes the next `steps` steps; behind the last batch comes the first."""
        for _ in range(steps):
            images, labels = self._batches[self._step % len(self._batches)]
            self._optimizer.zero_grad()
            self._loss(self._forward(images), images, labels).backward()
            self._step += 1
            self._set_rate()
            self._optimizer.step()

    def _set_rate(self):
        # Keras corrects the bias of the moments in float32, which is 1e-5 of the
        # first steps, and adds epsilon before it does so.
        given, step = self._numbers, self._step
        group = self._optimizer.param_groups[0]
        rate = given["learning_rate"] * given["decay_rate"] ** (
            (step - 1) // given["decay_steps"]
        )
        exact = [1 - beta**step for beta in group["betas"]]
        keras = [1 - np.float32(beta) ** np.float32(step) for beta in group["betas"]]
        group["eps"] = given["epsilon"] / math.sqrt(exact[1])
        group["lr"] = rate * float(math.sqrt(keras[1] / exact[1]) * exact[0] / keras[0])

    def loss(self) -> float:
        """The loss of the batch that comes next."""
        images, labels = self._batches[self._step % len(self._batches)]
        with torch.no_grad():
            return self._loss(self._network(images), images, labels).item()

    def _loss(self, outputs, images, labels):
        pixels, logits = outputs
        reconstruction = F.binary_cross_entropy_with_logits(pixels, images)
        return reconstruction + self._numbers["semantic_weight"] * F.cross_entropy(
            logits, labels
        )


def main() -> None:
    """Trains turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workload", required=True, help="What keras_table1 wrote.")
    parser.add_argument("--mode", required=True, choices=MODES)
    parser.add_argument(
        "--grouped",
        action="store_true",
        help="Channels are groups of each convolution; else images of the batch.",
    )
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--steps", required=True, type=int, help="Of a turn.")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)  # as TensorFlow does
    with np.load(arguments.workload) as workload:
        training = Training(workload, arguments.mode, grouped=arguments.grouped)
    first = training.loss()
    training.run(arguments.steps)
    print(json.dumps({"losses": [first, training.loss()]}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        training.run(arguments.steps)
        seconds = time.perf_counter() - began
        print(arguments.steps * training.batch_size / seconds, flush=True)


if __name__ == "__main__":
    main()
