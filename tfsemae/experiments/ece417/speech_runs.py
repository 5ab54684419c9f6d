"""The trainings of the lecture's speech recogniser. Free of TensorFlow."""

import functools

from tfsemae.experiments.ece417.runs import of_flagfile
from tfsemae.experiments.runs import Run

#: Groups of trainings -> what a reader calls them.
GROUPS = {
    "untrained": "not trained",
    "beside": "trained beside the adversary",
    "against": "trained against the adversary",
}
_STEPS = {"full": 1_500, "smoke": 20}
#: Sizes, rates and length were chosen after a look at seed 0, and so at its test
#: utterances. Seeds that nobody has seen are to confirm what was found.
FIRST_SEED = 10
_SEEDS = {"full": 3, "smoke": 2}


@functools.cache
def speech(group: str, seed: int, scale: str) -> Run:
    """A recogniser, with an adversary that finds the speaker in its features.

    Args:
        group: of `GROUPS`.
        seed: of the weights and the order of the utterances.
        scale: `full` or `smoke`.
    """
    steps = _STEPS[scale]
    own = {
        # A rate of 0 changes no weight.
        "untrained": ("--learning_rate=0",),
        "beside": ("--reversal_factor=0",),
        "against": (f"--reversal_ramp_steps={steps // 2}",),
    }
    done = 10 if group == "untrained" else steps
    flags = (*of_flagfile("speech", done, seed), *own[group])
    return Run(f"ece417_speech_{group}_seed{seed}", flags)


def seeds(group: str, scale: str) -> range:
    """The seeds of the trainings of a group; that without any is a control."""
    count = 1 if group == "untrained" else _SEEDS[scale]
    return range(FIRST_SEED, FIRST_SEED + count)


def recognisers(scale: str) -> list[Run]:
    """All trainings."""
    return [
        speech(group, seed, scale) for group in GROUPS for seed in seeds(group, scale)
    ]
