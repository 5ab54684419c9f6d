"""Optimizers: limits of the gradient in closed form, within a compiled step."""

import keras
import numpy as np
import pytest

from tfsemae.training import optimizers
from tfsemae.training.procedures.procedure import StepCounter
from tfsemae.training.settings import Optimizer, Sgd

#: Of the two weights; its L2 norm is 10.
GRADIENT = np.float32([6, -8])


def _trained(jit_compile=False, **options):
    """The weights, 0 at first, after a step with the gradient above."""
    # Two inputs, so that there are two variables.
    ends = [keras.Input((1,), name=name) for name in "ab"]
    layer = {
        "use_bias": False,
        "kernel_initializer": "zeros",
    }
    total = keras.layers.add([keras.layers.Dense(1, **layer)(end) for end in ends])
    model = StepCounter(ends, total)
    optimizer = optimizers.make(Optimizer(learning_rate=1.0, decay_rate=1.0, **options))
    model.compile(optimizer, loss=lambda target, found: found, jit_compile=jit_compile)
    rows = [np.full((3, 1), value) for value in GRADIENT]
    model.fit(rows, np.zeros((3, 1)), verbose=0)
    return np.array([float(weight[0, 0]) for weight in model.trainable_weights])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    ("limits", "clipped"),
    [
        ({}, [6, -8]),
        ({"global_clipnorm": 5.0}, [3, -4]),
        ({"global_clipnorm": 20.0}, [6, -8]),
        ({"clipvalue": 7.0}, [6, -7]),
        ({"global_clipnorm": 5.0, "clipvalue": 3.5}, [3, -3.5]),
        # The other order would clip to 7 and -7 and scale to 5 / sqrt(2).
        ({"global_clipnorm": 5.0, "clipvalue": 1.0}, [1, -1]),
    ],
)
def test_the_gradient_is_scaled_and_then_clipped(limits, clipped, jit_compile):
    plain = {"optimizer": "sgd", "sgd": Sgd(sgd_momentum=0.0)}
    found = _trained(jit_compile, **plain, **limits)
    np.testing.assert_allclose(found, -np.float32(clipped), rtol=1e-6)


def test_adam_takes_the_clipped_gradient():
    limits = {"global_clipnorm": 5.0, "clipvalue": 3.5}
    found = _trained(adam_epsilon=1.0, **limits)
    # The first step: m = 0.1 g, v = 0.001 g**2, rate sqrt(0.001) / 0.1; without
    # epsilon it would not depend on the length of g.
    g, root = np.array([3, -3.5]), np.sqrt(0.001)
    np.testing.assert_allclose(found, -root * g / (root * abs(g) + 1), rtol=1e-5)


def test_without_limits_they_are_those_of_keras():
    assert type(optimizers.make(Optimizer())) is keras.optimizers.Adam
    sgd = optimizers.make(Optimizer(optimizer="sgd"))
    assert type(sgd) is keras.optimizers.SGD
    assert (sgd.momentum, sgd.nesterov) == (0.9, True)


def test_the_state_is_that_of_the_optimizer_without_limits():
    """So that a checkpoint holds all of it."""
    variables = [keras.Variable(np.zeros(2, np.float32))]
    shapes = []
    for limits in ({}, {"global_clipnorm": 5.0, "clipvalue": 1.0}):
        optimizer = optimizers.make(Optimizer(**limits))
        optimizer.build(variables)
        shapes.append([tuple(variable.shape) for variable in optimizer.variables])
    assert shapes[0] == shapes[1]


def test_weight_decay_is_the_gradient_of_an_l2_penalty():
    """As PyTorch has it: before the momentum, and once."""
    weight = keras.Variable(np.float32([2.0, -4.0]))
    made = optimizers.make(
        Optimizer(
            optimizer="sgd",
            sgd=Sgd(sgd_momentum=0.5, sgd_nesterov=False),
            learning_rate=0.1,
            decay_rate=1.0,
            weight_decay=0.5,
        )
    )
    expected, velocity = np.float32([2.0, -4.0]), 0.0
    for gradient in ([1.0, 0.0], [0.0, 3.0]):
        made.apply([np.float32(gradient)], [weight])
        velocity = 0.5 * velocity + (np.float32(gradient) + 0.5 * expected)
        expected = expected - 0.1 * velocity
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-6)


def test_the_rate_falls_at_the_named_steps():
    settings = Optimizer(learning_rate=1.0, decay_rate=0.1, decay_at=("10", "15"))
    rate = optimizers.rate(settings)
    found = [float(rate(step)) for step in (0, 9, 10, 14, 15, 100)]
    np.testing.assert_allclose(found, [1, 1, 0.1, 0.1, 0.01, 0.01], rtol=1e-6)


def test_the_rate_falls_as_half_a_cosine():
    rate = optimizers.rate(Optimizer(learning_rate=0.4, cosine_steps=8))
    found = [float(rate(step)) for step in (0, 2, 4, 8, 20)]
    middle = 0.2 * (1 + np.cos(np.pi / 4))
    np.testing.assert_allclose(found, [0.4, middle, 0.2, 0, 0], atol=1e-7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decay_at": ("5", "5")}, "--decay_at=5,5 must be whole numbers"),
        ({"decay_at": ("x",)}, "--decay_at=x must be"),
        ({"decay_at": ("5",), "cosine_steps": 9}, "--cosine_steps=9 .* --decay_at"),
        ({"decay_rate": 0.5, "cosine_steps": 9}, "--cosine_steps=9 .* --decay_rate"),
    ],
)
def test_rates_that_contradict_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Optimizer(**changes)
