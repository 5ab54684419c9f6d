"""Writes what all programs of the attack benchmark take.

`decoder.keras` is the decoder of Lu and Chen 2023 with random weights. `workload.npz`
has the arrays of `arrays` and the weights of the decoder as Keras has them,
`decoder/<layer>/<weight>`.
"""

import argparse
import pathlib
from typing import Any

import keras
import numpy as np

from tfsemae import files, models

#: As Lu and Chen 2023 have them for faces.
IMAGE_SHAPE, LATENT = (64, 64, 3), 128
#: Codes of a maximum mean discrepancy: a large batch of training.
MMD_CODES = 512


def main() -> None:
    """Writes the two files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    parser.add_argument("--examples", required=True, type=int, help="Codes and pairs.")
    given = parser.parse_args()
    network = decoder(IMAGE_SHAPE, LATENT)
    network.save(given.folder / "decoder.keras")
    content: dict[str, Any] = {**arrays(given.examples, IMAGE_SHAPE, LATENT)}
    content |= {f"decoder/{each.path}": each.numpy() for each in network.weights}
    with files.replacing(given.folder / "workload.npz") as path:
        np.savez(path, **content)
    print("{}")


def decoder(image_shape: tuple[int, int, int], latent: int) -> keras.Model:
    """A decoder whose images depend on all of its weights, and on the latent."""
    network = models.build("conv", image_shape, latent=latent, seed=0).decoder
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, shift, mean, variance = (each.shape for each in layer.weights)
            layer.set_weights(
                [
                    random.uniform(0.5, 1.5, scale),
                    random.normal(0, 0.1, shift),
                    random.normal(0, 0.1, mean),
                    random.uniform(0.5, 1.5, variance),
                ]
            )
        elif layer.weights:
            kernel, bias = (each.shape for each in layer.weights)
            # Variances stay: at stride 2 each pixel is a sum over 9 / 4 of the taps.
            inputs = kernel[0] if len(kernel) == 2 else 9 / 4 * kernel[3]
            spread = np.sqrt(2 / inputs)
            layer.set_weights(
                [random.normal(0, spread, kernel), random.normal(0, 0.1, bias)]
            )
    return network


def arrays(
    examples: int, image_shape: tuple[int, int, int], latent: int
) -> dict[str, np.ndarray]:
    """The random data.

    Args:
        examples: N.
        image_shape: (H, W, C).
        latent: Z.

    Returns:
        `latents` `[N, Z]` and `initial` `[N, Z]`, points of the ball of the radius
        `epsilon` `[]` around them; `starts` `[3, N, Z]` in the unit ball; `images` and
        `others` `[N, H, W, C]` in [0, 1]; `codes` and `prior_samples` `[512, Z]`. All
        are float32.
    """
    random = np.random.default_rng(1)
    epsilon = 2.0
    latents = random.normal(size=(examples, latent))
    directions = random.normal(size=latents.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = epsilon * random.random((examples, 1))
    # Blocks of 4 x 4 pixels, so that the images have edges and flat regions.
    height, width, channels = image_shape
    blocks = random.random((examples, height // 4, width // 4, channels))
    images = np.repeat(np.repeat(blocks, 4, axis=1), 4, axis=2)
    noise = random.uniform(0.01, 0.3, (examples, 1, 1, 1))
    others = np.clip(images + noise * random.normal(size=images.shape), 0, 1)
    # Drawn apart, so that the other arrays stay what they were.
    apart = np.random.default_rng(2)
    starts = apart.normal(size=(3, examples, latent))
    starts /= np.linalg.norm(starts, axis=2, keepdims=True)
    starts *= apart.random((3, examples, 1)) ** (1 / latent)
    found = {
        "latents": latents,
        "initial": latents + lengths * directions,
        "epsilon": np.asarray(epsilon),
        "images": images,
        "others": others,
        "starts": starts,
        "codes": 0.2 + 0.8 * random.normal(size=(MMD_CODES, latent)),
        "prior_samples": random.normal(size=(MMD_CODES, latent)),
    }
    return {name: values.astype(np.float32) for name, values in found.items()}


if __name__ == "__main__":
    main()
