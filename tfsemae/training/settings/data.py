"""What is trained on. Free of TensorFlow."""

import dataclasses

from tfsemae.data import catalogue
from tfsemae.settings import setting
from tfsemae.shared_settings import Pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data(Pixels):
    """What is trained on."""

    dataset: str = setting(
        "mnist",
        f"Data set: {', '.join(catalogue.DATA_SETS)}, or a .npz with images and "
        "labels.",
    )
    classes: tuple[str, ...] | None = setting(
        None,
        "Keep these classes only, by name or number; labels are renumbered. Default: "
        "all.",
    )
    validation: int = setting(
        0,
        "Images at the end of the training set that are held out and measured at "
        "each interval.",
        lower_bound=0,
    )
