"""The networks by name. Free of Keras, so that the command line can read it."""

import dataclasses
import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tfsemae import keras_state
from tfsemae.models import settings
from tfsemae.settings import Checked

if TYPE_CHECKING:
    from tfsemae.models.autoencoder import Autoencoder

INITIALIZERS = settings.INITIALIZERS


class Network(NamedTuple):
    """Where a family of networks is built, and with which options."""

    module: str  # with `build(image_shape, class_names, *, seed, **options)`
    options: type[Checked]


#: Name on the command line -> network. A new one is one line here.
NETWORKS = {
    "table1": Network("tfsemae.models.table1", settings.Table1),
    "conv": Network("tfsemae.models.conv", settings.Conv),
    "dense": Network("tfsemae.models.dense", settings.Dense),
}


@keras_state.standard()
def build(
    name: str,
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    seed: int,
    **options: Any,
) -> "Autoencoder":
    """Builds a network by its name.

    The result depends on the arguments alone, whatever Keras' global settings are.

    Args:
        name: one of `NETWORKS`.
        image_shape: (H, W, C).
        class_names: one name per class; empty for a network without classifier.
        seed: of the initial weights, not negative.
        **options: fields of the network's options, such as `settings.Table1`;
            those that are not given have their defaults.

    Returns:
        An `Autoencoder`, float32 and channels last.

    Raises:
        ValueError: if there is no such network or option, if a value is out of
            its bounds, or if there is one class only.
    """
    if name not in NETWORKS:
        raise ValueError(
            f"There is no such network; known are {', '.join(NETWORKS)}. "
            f"Received: name={name!r}."
        )
    module, kind = NETWORKS[name]
    known = [field.name for field in dataclasses.fields(kind)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise ValueError(
            f"{name} has the options {', '.join(known)}. "
            f"Received: {', '.join(unknown)}."
        )
    if len(class_names) == 1:
        raise ValueError(
            "A classifier needs at least 2 classes; leave it out, or use labels of "
            f"more classes. Received: class_names={tuple(class_names)}."
        )
    chosen = dataclasses.asdict(kind(**options))
    return importlib.import_module(module).build(
        image_shape, class_names, seed=seed, **chosen
    )
