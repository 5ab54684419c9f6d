"""How far and how fast it is trained. Free of TensorFlow."""

import dataclasses
import itertools

from tfsemae.settings import Checked, setting


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sgd(Checked):
    """Of the optimizer `sgd`."""

    sgd_momentum: float = setting(
        0.9,
        "Of --optimizer=sgd: share of the former update that is kept.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    sgd_nesterov: bool = setting(
        True, "Of --optimizer=sgd: momentum as Nesterov has it."
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Optimizer(Checked):
    """How far and how fast: `training.optimizers`."""

    # More steps extend a finished run, so they do not tell runs apart.
    steps: int = setting(
        10_000,
        "Training steps. More than a finished run has done extend it.",
        lower_bound=1,
        identity=False,
    )
    batch_size: int = setting(32, "Images per step.", lower_bound=1)
    learning_rate: float = setting(0.001, "Initial learning rate.", lower_bound=0.0)
    decay_rate: float = setting(
        0.96,
        "Factor on the learning rate every --decay_steps.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    decay_steps: int = setting(
        100, "Steps between two decays of the rate.", lower_bound=1
    )
    decay_at: tuple[str, ...] | None = setting(
        None,
        "Steps before which the rate is multiplied by --decay_rate, ascending, in "
        "place of every --decay_steps.",
    )
    cosine_steps: int | None = setting(
        None,
        "Steps over which the rate falls to 0 as half a cosine does, in place of "
        "--decay_rate.",
        lower_bound=1,
    )
    weight_decay: float | None = setting(
        None,
        "Add this times each weight to its gradient, behind --global_clipnorm: the "
        "gradient of an L2 penalty. Default: none.",
        lower_bound=0.0,
    )
    # None and not "adam", which would be in the flags of all runs.
    optimizer: str | None = setting(
        None, "The optimizer. Default: adam.", choices=("adam", "sgd")
    )
    adam_beta_1: float | None = setting(
        None,
        "Share of the former mean of the gradient that Adam keeps. Default: that of "
        "Keras, 0.9.",
        lower_bound=0.0,
        upper_bound=1.0,
    )
    adam_epsilon: float | None = setting(
        None, "Adam's epsilon. Default: that of Keras, 1e-7.", lower_bound=0.0
    )
    sgd: Sgd = dataclasses.field(default_factory=Sgd)
    global_clipnorm: float | None = setting(
        None,
        "Scale the gradient of all weights down to this L2 norm where it is above. "
        "Default: no limit.",
        lower_bound=0.0,
    )
    clipvalue: float | None = setting(
        None,
        "Then clip each entry of the gradient to plus or minus this. Default: no "
        "limit.",
        lower_bound=0.0,
    )

    def __post_init__(self) -> None:
        """Checks the limits of the gradient.

        Raises:
            ValueError: if one is 0, which Keras takes for none.
        """
        super().__post_init__()
        for name in ("global_clipnorm", "clipvalue"):
            if getattr(self, name) == 0:
                raise ValueError(
                    f"--{name}=0.0 would stop the training. Give a positive number, or "
                    "leave it out for no limit."
                )
        self._check_schedule()

    def _check_schedule(self) -> None:
        self.decay_boundaries()
        standard = {field.name: field.default for field in dataclasses.fields(self)}
        for name in ("decay_rate", "decay_steps", "decay_at"):
            if self.cosine_steps is not None and getattr(self, name) != standard[name]:
                raise ValueError(
                    f"--cosine_steps={self.cosine_steps} sets the rate of all steps, "
                    f"and so does --{name}. Leave one of them out."
                )

    def decay_boundaries(self) -> list[int]:
        """The steps of `decay_at`.

        Raises:
            ValueError: if they are no whole numbers of at least 1 in ascending order.
        """
        texts = self.decay_at or ()
        numbers = [int(text) if text.isdecimal() else 0 for text in texts]
        if not all(a < b for a, b in itertools.pairwise([0, *numbers])):
            raise ValueError(
                f"--decay_at={','.join(texts)} must be whole numbers of at least 1 in "
                "ascending order, such as 39100,58650."
            )
        return numbers

    @property
    def clips(self) -> bool:
        """Whether gradients have a limit."""
        return self.global_clipnorm is not None or self.clipvalue is not None

    def unused(self) -> dict[str, str]:
        """The options of other optimizers."""
        if self.optimizer == "sgd":
            names = ("adam_beta_1", "adam_epsilon")
            return dict.fromkeys(names, "--optimizer=adam")
        return {"sgd": "--optimizer=sgd"}
