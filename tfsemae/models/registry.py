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
    from tfsemae.models.classifier import Classifier
    from tfsemae.models.recogniser import Recogniser

INITIALIZERS = settings.INITIALIZERS


class Network(NamedTuple):
    """Where a family of networks is built, and with which options.

    Attributes:
        module: of the function.
        options: its options, a group of settings; by default there are none.
        function: (image_shape, class_names, *, seed, **options) -> what is built.
        classifies: whether that learns from labels: a `Classifier`, or a
            `Recogniser`; else it is an `Autoencoder`.
        spells: whether it is a `Recogniser`.
        drops: whether it has dropout.
    """

    module: str
    options: type[Checked] = Checked
    function: str = "build"
    classifies: bool = False
    spells: bool = False
    drops: bool = False


#: Name on the command line -> network. A new one is one line here.
NETWORKS = {
    "table1": Network("tfsemae.models.table1", settings.Table1),
    "conv": Network("tfsemae.models.conv", settings.Conv),
    "conv_elu": Network("tfsemae.models.conv_elu", settings.ConvElu),
    "conv_elu28": Network("tfsemae.models.conv_elu28", settings.ConvElu28),
    "dense": Network("tfsemae.models.dense", settings.Dense),
    "draw": Network("tfsemae.models.draw", settings.Draw),
    "dense_classifier": Network(
        "tfsemae.models.classifiers",
        function="build_dense",
        classifies=True,
        drops=True,
    ),
    "conv_classifier": Network(
        "tfsemae.models.classifiers",
        function="build_conv",
        classifies=True,
        drops=True,
    ),
    "small_conv_classifier": Network("tfsemae.models.small_conv", classifies=True),
    **{
        name: Network(
            "tfsemae.models.resnet", function=f"build_{name}", classifies=True
        )
        for name in ("preact_resnet8", "preact_resnet18", "wide_resnet34_10")
    },
    "listen_attend_spell": Network(
        "tfsemae.models.listen_attend_spell", classifies=True, spells=True
    ),
}


@keras_state.standard()
def build(
    name: str,
    image_shape: tuple[int, int, int],
    class_names: Sequence[str] = (),
    *,
    seed: int,
    **options: Any,
) -> "Autoencoder | Classifier | Recogniser":
    """Builds a network by its name.

    The result depends on the arguments alone, whatever Keras' global settings are.

    Args:
        name: one of `NETWORKS`.
        image_shape: (H, W, C).
        class_names: one name per class; empty for an autoencoder without classifier.
        seed: of the initial weights, not negative.
        **options: fields of the network's options, such as `settings.Table1`;
            those that are not given have their defaults.

    Returns:
        An `Autoencoder`, a `Classifier` or a `Recogniser`, float32 and channels last.

    Raises:
        ValueError: if there is no such network or option, if a value is out of
            its bounds, or if there is one class only.
    """
    if name not in NETWORKS:
        raise ValueError(
            f"There is no such network; known are {', '.join(NETWORKS)}. "
            f"Received: name={name!r}."
        )
    network = NETWORKS[name]
    known = [field.name for field in dataclasses.fields(network.options)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise ValueError(
            f"{name} has the options {', '.join(known) or 'none'}. "
            f"Received: {', '.join(unknown)}."
        )
    if len(class_names) == 1:
        raise ValueError(
            "A classifier needs at least 2 classes; leave it out, or use labels of "
            f"more classes. Received: class_names={tuple(class_names)}."
        )
    chosen = dataclasses.asdict(network.options(**options))
    function = getattr(importlib.import_module(network.module), network.function)
    return function(image_shape, class_names, seed=seed, **chosen)
