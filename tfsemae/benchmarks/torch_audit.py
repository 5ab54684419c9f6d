"""The strong attack and the search of `keras_audit` as plain PyTorch loops.

A program for an interpreter that has PyTorch. It needs nothing of tfsemae but the
workload and `peer_pgd.py` beside it. What it writes and reads is what
`compare.Program` says.
"""

import argparse
import json
import pathlib
import runpy
import sys
import time
from typing import Any

import numpy as np

LEVEL = 0.01  # as in `keras_audit`
ROUNDS, FIRST_STEPS, ITERATIONS = 7, 2, 10  # as an audit has them
FINEST, DOUBLINGS = 2.0**-10, 17


class Attack:
    """Attacks on latents of a decoder, all examples of a batch in parallel."""

    def __init__(self, decoder: Any, *, steps: int):
        """Takes a `torch.nn.Module` without gradients of its weights."""
        import torch

        self._torch, self._decoder, self._steps = torch, decoder, steps

    def strong(self, latents: Any, epsilon: Any, starts: Any, direction: Any) -> Any:
        """The best point of all runs and its damage."""
        torch = self._torch
        with torch.no_grad():
            clean = self._decoder(latents)
            most = self._damage(latents, clean)
        best = latents
        radius = epsilon[:, None]
        for begin in (direction, -direction, *starts):
            run = self._run(latents, clean, epsilon, begin * radius, FIRST_STEPS)
            best, most = self._better(best, most, *run)
        run = self._run(latents, clean, epsilon, best - latents, self._steps)
        return self._better(best, most, *run)

    def search(self, latents: Any, spread: float, starts: Any, direction: Any) -> Any:
        """The norm of the smallest perturbation found."""
        torch = self._torch
        with torch.no_grad():
            clean = self._decoder(latents)
            high = torch.full_like(latents[:, 0], torch.inf)
            for k in range(DOUBLINGS):
                length = FINEST * spread * 2.0**k
                for sign in (1.0, -1.0):
                    moved = latents + sign * length * direction
                    done = self._damage(moved, clean) >= LEVEL
                    high = torch.where(done, high.clamp(max=length), high)
                if torch.isfinite(high).all():
                    break
        low = torch.zeros_like(high)
        far = FINEST * spread * 2.0 ** (DOUBLINGS - 1)
        for _ in range(ROUNDS):
            middle = torch.where(low > 0, (low * high).sqrt(), 0.5 * high)
            epsilon = torch.where(torch.isfinite(high), middle, far)
            end, most = self.strong(latents, epsilon, starts, direction)
            done, length = most >= LEVEL, (end - latents).norm(dim=1)
            low = torch.where(done, low, torch.minimum(epsilon, high))
            high = torch.where(done, torch.minimum(length, high), high)
        return high

    def top_direction(self, latents: Any, first: Any) -> Any:
        """The top right singular vectors, by iteration with J^T J."""
        torch = self._torch
        vector = torch.nn.functional.normalize(first)
        for _ in range(ITERATIONS):
            _, pushed = torch.func.jvp(self._decoder, (latents,), (vector,))
            _, pull = torch.func.vjp(self._decoder, latents)
            vector = torch.nn.functional.normalize(pull(pushed)[0])
        return vector.detach()

    def _run(
        self, latents: Any, clean: Any, epsilon: Any, displacement: Any, steps: int
    ) -> Any:
        """PGD, which keeps the best point."""
        torch, radius = self._torch, epsilon[:, None]

        def project(displacement: Any) -> Any:
            length = displacement.norm(dim=1, keepdim=True)
            return displacement * (radius / torch.maximum(length, radius))

        best, most = latents, torch.full_like(epsilon, -torch.inf)
        displacement = project(displacement)
        for step in range(steps + 1):
            last = step == steps
            points = (latents + displacement).requires_grad_(not last)
            with torch.set_grad_enabled(not last):
                values = self._damage(points, clean)
            best, most = self._better(best, most, points.detach(), values.detach())
            if not last:
                (gradient,) = torch.autograd.grad(values.sum(), points)
                direction = torch.nn.functional.normalize(gradient, eps=1e-10)
                displacement = project(displacement + 2.5 * radius / steps * direction)
        return best, most

    def _better(self, best: Any, most: Any, points: Any, values: Any) -> Any:
        better = values > most
        return (
            self._torch.where(better[:, None], points, best),
            self._torch.where(better, values, most),
        )

    def _damage(self, points: Any, clean: Any) -> Any:
        return (self._decoder(points) - clean).square().mean(dim=(1, 2, 3))


def main() -> None:
    """Attacks turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--case", required=True, choices=("strong", "search"))
    parser.add_argument("--channels_last", action="store_true")
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int)
    parser.add_argument("--restarts", required=True, type=int)
    parser.add_argument("--steps", required=True, type=int, help="Of the attack.")
    given = parser.parse_args()
    with np.load(given.folder / "workload.npz") as file:
        workload = dict(file)
    import torch

    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)  # as TensorFlow does
    peer = runpy.run_path(str(pathlib.Path(__file__).with_name("peer_pgd.py")))
    weights = {name: workload[name] for name in workload if "/" in name}
    layout = torch.channels_last if given.channels_last else torch.contiguous_format
    decoder = peer["torch_decoder"](weights).to(memory_format=layout)
    attack = Attack(decoder, steps=given.steps)
    latents, starts = (torch.from_numpy(workload[n]) for n in ("latents", "starts"))
    starts = starts[: given.restarts]
    spread = float(np.sqrt(workload["latents"].var(axis=0).sum()))
    radius = workload["epsilon"].item()

    def run() -> list[float]:
        found = []
        for first in range(0, len(latents), given.batch_size):
            rows = slice(first, first + given.batch_size)
            points, begin = latents[rows], starts[:, rows]
            direction = attack.top_direction(points, begin[0])
            if given.case == "strong":
                epsilon = torch.full_like(points[:, 0], radius)
                found.append(attack.strong(points, epsilon, begin, direction)[1])
            else:
                found.append(attack.search(points, spread, begin, direction))
        return torch.cat(found).tolist()

    print(json.dumps({"outcomes": run()}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        print(60 * len(latents) / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    main()
