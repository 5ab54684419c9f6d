"""Images with a nuisance: a property that is easy to see and not to be learnt."""

import numpy as np

from tfsemae.data import speech
from tfsemae.data.images import Images

STATES = 4
#: Channels of white, by state: red, green, blue and yellow.
TINTS = np.array(
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]], np.float32
)


def nuisance_states(
    count: int, *, seed: int, labels: np.ndarray | None = None, bias: float = 0.0
) -> np.ndarray:
    """Draws one of 4 states for each image.

    With the probability `bias` it is the one that belongs to the label, `label % 4`,
    else one of all 4: of a bias of 0 the state says nothing about the label.

    Args:
        count: of images.
        seed: equal seeds give equal states.
        labels: int `[count]`; needed by a bias above 0.
        bias: in [0, 1].

    Returns:
        int64 `[count]`, 0 to 3.

    Raises:
        ValueError: if the bias is out of its range, or there are no labels for it.

    Source: ECE 417, lecture 22, where it is the speaker (our choice).

    Example:
        >>> import numpy as np
        >>> from tfsemae import data
        >>> data.nuisance_states(5, seed=0, labels=np.arange(5), bias=1.0).tolist()
        [0, 1, 2, 3, 0]
    """
    if not 0 <= bias <= 1:
        raise ValueError(f"`bias` must lie in [0, 1]. Received: bias={bias}.")
    if bias and labels is None:
        raise ValueError(
            "`bias` needs the labels of the images. "
            f"Received: bias={bias}, labels=None."
        )
    random = np.random.default_rng(seed)
    states = random.integers(STATES, size=count)
    linked = random.random(count) < bias
    return states if labels is None else np.where(linked, labels % STATES, states)


def with_nuisance(images: Images, states: np.ndarray, kind: str) -> Images:
    """Tints, turns or warps images by their states.

    Args:
        images: `[N, H, W, C]`: to be tinted with 1 channel, to be turned with as many
            rows as columns, to be warped spectra with the frequency along W.
        states: int `[N]`, 0 to 3; of speakers also 4, one who is not drawn.
        kind: "colour", red, green, blue or yellow in place of white, which gives 3
            channels; "rot", turned by 0, 90, 180 or 270 degrees; or "speaker", see
            `speech.spoken`.

    Returns:
        The images with their labels; of the type of the images.

    Raises:
        ValueError: if the images cannot be tinted or turned, or the kind is another.
    """
    changes = {"colour": _tinted, "rot": _turned, "speaker": speech.spoken}
    if kind not in changes:
        raise ValueError(
            f"`kind` must be {', '.join(changes)}. Received: kind={kind!r}."
        )
    changed = changes[kind](images.images, states)
    return Images(changed, images.labels, images.class_names)


def _tinted(pixels: np.ndarray, states: np.ndarray) -> np.ndarray:
    if pixels.shape[-1] != 1:
        raise ValueError(
            "Images are tinted that have 1 channel; take kind='rot' for others. "
            f"Received: shape={pixels.shape}."
        )
    found = np.empty((*pixels.shape[:3], 3), pixels.dtype)
    for state, tint in enumerate(TINTS):  # not at once: floats take 4 times the memory
        of_state = pixels[states == state] * tint
        if pixels.dtype == np.uint8:
            of_state = np.rint(of_state)
        found[states == state] = of_state
    return found


def _turned(pixels: np.ndarray, states: np.ndarray) -> np.ndarray:
    if pixels.shape[1] != pixels.shape[2]:
        raise ValueError(
            "Images are turned that have as many rows as columns; take kind='colour' "
            f"for others. Received: shape={pixels.shape}."
        )
    found = np.empty_like(pixels)
    for state in range(STATES):
        of_state = states == state
        found[of_state] = np.rot90(pixels[of_state], state, axes=(1, 2))
    return found
