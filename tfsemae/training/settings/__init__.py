"""The settings of a training run, in groups. Free of TensorFlow."""

from tfsemae.training.settings.autoencoder import Autoencoder, Gan, LatentAdversarial
from tfsemae.training.settings.classifier import (
    Classifier,
    DomainAdversarial,
    Fakes,
    Scarl,
)
from tfsemae.training.settings.data import Data
from tfsemae.training.settings.network import Network
from tfsemae.training.settings.optimizer import Optimizer, Sgd
from tfsemae.training.settings.regularizer import (
    Mmd,
    Regularizer,
    ShapiroWilk,
    TotalCorrelation,
)
from tfsemae.training.settings.run import Run
from tfsemae.training.settings.whole import Settings

__all__ = [
    "Autoencoder",
    "Classifier",
    "Data",
    "DomainAdversarial",
    "Fakes",
    "Gan",
    "LatentAdversarial",
    "Mmd",
    "Network",
    "Optimizer",
    "Regularizer",
    "Run",
    "Scarl",
    "Settings",
    "Sgd",
    "ShapiroWilk",
    "TotalCorrelation",
]
