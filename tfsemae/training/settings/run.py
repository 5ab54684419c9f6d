"""Where and how a training runs. Free of TensorFlow."""

import dataclasses

from tfsemae.settings import setting
from tfsemae.shared_settings import Threads, Weights


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run(Threads, Weights):
    """Where and how it runs."""

    output_dir: str = setting(
        help="Everything of one run; a second start continues it.", identity=False
    )
    seed: int = setting(
        0,
        "Of initial weights, order of the data, t-SNE and k-means.",
        lower_bound=0,
        upper_bound=2**32 - 1,
    )
    checkpoint_every: int = setting(
        100,
        "Steps of an interval: it ends with a checkpoint and a line in the logs.",
        lower_bound=1,
    )
    steps_per_execution: int | None = setting(
        None,
        "Steps that TensorFlow does in one call. Default: 10 where --steps and "
        "--checkpoint_every are multiples of it, else 1, as under "
        "--strategy=mirrored.",
        lower_bound=1,
        identity=False,
    )
    jit_compile: bool = setting(False, "Compile the step with XLA.")
    strategy: str = setting(
        "default",
        "One device, or each batch split among all of this machine.",
        choices=("default", "mirrored"),
    )
    resume: bool = setting(
        True,
        "Continue what --output_dir holds; else it must be empty.",
        identity=False,
    )
