"""SSIM and LPIPS by TorchMetrics, piq and lpips: peers of `keras_metrics`.

A program for the interpreter that has them. It needs nothing of tfsemae but the
workload, and the folder of weights of `tfsemae.metrics.LPIPSDistance`. What it writes
and reads is what `compare.Program` says.
"""

import argparse
import functools
import json
import pathlib
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

#: Net -> the files of its trunk and its head.
_FILES = {
    "alex": ("alexnet_trunk.npz", "lpips_v0.1_alex.npz"),
    "squeeze": ("squeezenet1_1_trunk.npz", "lpips_v0.1_squeeze.npz"),
    "vgg": ("vgg16_trunk.npz", "lpips_v0.1_vgg.npz"),
}
_OfPairs = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def ssim(library: str) -> _OfPairs:
    """SSIM of pairs `[B, C, H, W]` in [0, 1]: `[B]`."""
    if library == "piq":
        import piq

        return lambda a, b: piq.ssim(a, b, data_range=1.0, reduction="none")
    from torchmetrics.functional import image

    def of_pairs(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        # Its mean counts windows that reach beyond the edge, on reflected pixels; the
        # others are those whose window of 11 pixels lies inside the image.
        _, similarity = image.structural_similarity_index_measure(
            a, b, data_range=1.0, return_full_image=True
        )
        return similarity[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))

    return of_pairs


def lpips(library: str, net: str, folder: pathlib.Path) -> torch.nn.Module:
    """LPIPS of pairs in [0, 1] with the weights of a folder, a module."""
    if library == "lpips":
        from lpips import LPIPS

        module = LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False)
    else:
        # The public metric downloads its trunk.
        from torchmetrics.functional.image.lpips import _LPIPS

        module = _LPIPS(net=net, pretrained=False, pnet_rand=True)
    trunk, head = (dict(np.load(folder / name)) for name in _FILES[net])
    state = module.state_dict()
    filled = {}
    for name in state:
        if name.startswith("net."):  # net.slice2.3.weight is features.3.weight
            values = trunk["features." + name.split(".", 2)[2]]
        elif name.startswith("lin"):  # lin0.model.1.weight, also as lins.0.model...
            number = name.removeprefix("lins.").removeprefix("lin").split(".")[0]
            values = head[f"lin{number}"][None, :, None, None]
        else:
            continue  # the scaling
        filled[name] = torch.from_numpy(values)
    module.load_state_dict(state | filled)
    return module.requires_grad_(False).eval()


def _flat(module: torch.nn.Module, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return module(a, b, normalize=True).flatten()


def main() -> None:
    """Measures turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--metric", required=True, choices=("ssim", "lpips"))
    parser.add_argument(
        "--library", required=True, choices=("torchmetrics", "piq", "lpips")
    )
    parser.add_argument("--channels_last", action="store_true")
    parser.add_argument("--lpips_weights", type=pathlib.Path)
    parser.add_argument("--lpips_net", default="alex", choices=_FILES)
    parser.add_argument("--threads", required=True, type=int)
    parser.add_argument("--batch_size", required=True, type=int)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.set_flush_denormal(True)  # as TensorFlow does
    layout = torch.channels_last if given.channels_last else torch.contiguous_format
    with np.load(given.folder / "workload.npz") as workload:
        images, others = (
            torch.from_numpy(workload[name].transpose(0, 3, 1, 2))
            for name in ("images", "others")
        )
    pairs = [
        [part.contiguous(memory_format=layout) for part in batch]
        for batch in zip(
            images.split(given.batch_size), others.split(given.batch_size), strict=True
        )
    ]
    measure: _OfPairs
    if given.metric == "lpips":
        module = lpips(given.library, given.lpips_net, given.lpips_weights)
        module = module.to(memory_format=layout)
        measure = functools.partial(_flat, module)
    else:
        measure = ssim(given.library)

    def run() -> list[float]:
        with torch.no_grad():
            return torch.cat([measure(*batch) for batch in pairs]).tolist()

    print(json.dumps({"outcomes": run()}), flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        run()
        print(len(images) / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    main()
