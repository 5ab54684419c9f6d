"""What all objectives have in common; a new one joins by a line in `OBJECTIVES`."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tfsemae import objectives

WIDTH = 5


def own_classes(rows):
    """Labels 0, 1, ...: of each row another."""
    return tf.range(tf.shape(rows)[0])


def first_class(rows):
    return tf.zeros(tf.shape(rows)[:1], tf.int32)


#: Name -> a function of tensors `[N, WIDTH]`, how many it takes, the least N.
OBJECTIVES = {
    "kl": (objectives.kl_to_standard_normal, 2, 1),
    "squared error": (objectives.half_squared_error, 2, 1),
    "discriminator": (objectives.gan_discriminator_loss, 2, 1),
    "generator": (objectives.gan_generator_loss, 1, 1),
    "generator nonsat": (
        functools.partial(objectives.gan_generator_loss, kind="nonsat"),
        1,
        1,
    ),
    "mmd rbf": (objectives.mmd, 2, 2),
    "mmd imq": (functools.partial(objectives.mmd, kernel="imq"), 2, 2),
    "mmd biased": (functools.partial(objectives.mmd, unbiased=False), 2, 1),
    "moments": (objectives.moments_regularizer, 1, 2),
    "W": (objectives.shapiro_wilk, 1, 3),
    "1 - W": (objectives.shapiro_wilk_regularizer, 1, 3),
    "1 - min W": (
        functools.partial(objectives.projected_shapiro_wilk_regularizer, seed=(3, 4)),
        1,
        3,
    ),
    "1 - mean W": (
        functools.partial(
            objectives.projected_shapiro_wilk_regularizer,
            seed=(3, 4),
            projections=2,
            reduction="mean",
        ),
        1,
        3,
    ),
    "parts of KL": (
        functools.partial(objectives.kl_decomposition, dataset_size=100),
        3,
        1,
    ),
    "parts of KL in blocks": (
        functools.partial(objectives.kl_decomposition, dataset_size=9, block_size=4),
        3,
        1,
    ),
    "word nce": (lambda z, u: objectives.word_nce(z, u, own_classes(u)), 2, 2),
    "word ba": (lambda z, u: objectives.word_ba(z, u, own_classes(u)), 2, 1),
    "word bound": (
        lambda z, u: objectives.word_information(z, u, own_classes(u)),
        2,
        1,
    ),
    "rkd distance": (objectives.rkd_distance, 2, 2),
    "rkd angle": (objectives.rkd_angle, 2, 2),
    "rkd": (objectives.rkd_structure, 2, 2),
    "gram": (objectives.gram_structure, 2, 2),
    "logits kl": (objectives.kl_of_logits, 2, 1),
    "cw": (lambda z: objectives.cw_margin(z, first_class(z)), 1, 1),
    "dlr": (lambda z: objectives.dlr(z, first_class(z)), 1, 1),
    "targeted dlr": (
        lambda z: objectives.targeted_dlr(z, first_class(z), 1 + first_class(z)),
        1,
        1,
    ),
}
#: Those with a value for each row, of any shape.
PER_EXAMPLE = {
    "kl",
    "squared error",
    "discriminator",
    "generator",
    "generator nonsat",
}
OF_BATCHES = [name for name in OBJECTIVES if name not in PER_EXAMPLE]
each = pytest.mark.parametrize(
    ("function", "arity", "least"), OBJECTIVES.values(), ids=OBJECTIVES
)


def samples(arity, count, dtype="float32", seed=0):
    random = np.random.default_rng(seed)
    return [random.normal(size=(count, WIDTH)).astype(dtype) for _ in range(arity)]


def flat(value):
    """All numbers of a result, `[...]` or a tuple of tensors, as one array."""
    return np.concatenate([np.ravel(part) for part in tf.nest.flatten(value)])


def value_and_gradients(function, *arguments):
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        value = tf.nest.flatten(function(*arguments))
        total = tf.add_n([tf.reduce_sum(part) for part in value])
    return value, tape.gradient(total, arguments)


# XLA has other random numbers for equal seeds.
_SEEDED = {"1 - min W", "1 - mean W"}
_COMPILED = [(name, False) for name in OBJECTIVES]
_COMPILED += [(name, True) for name in OBJECTIVES if name not in _SEEDED]


@pytest.mark.parametrize(("name", "jit_compile"), _COMPILED)
def test_one_trace_serves_all_batch_sizes(name, jit_compile):
    function, arity, _ = OBJECTIVES[name]
    compiled = tf.function(
        functools.partial(value_and_gradients, function),
        input_signature=[tf.TensorSpec([None, WIDTH])] * arity,
        jit_compile=jit_compile,
    )
    for count in (3, 64):
        arguments = [tf.constant(x) for x in samples(arity, count, seed=count)]
        expected = value_and_gradients(function, *arguments)
        # Compiled, float32 rounds in another order.
        np.testing.assert_allclose(
            flat(compiled(*arguments)), flat(expected), rtol=1e-4, atol=1e-5
        )
    assert compiled.experimental_get_tracing_count() == 1


@each
def test_gradient_equals_finite_differences(function, arity, least):
    del least
    for index in range(arity):

        @tf.function
        def of_one(x, index=index):
            arguments = samples(arity, 7, "float64")
            arguments[index] = x
            return tf.concat(
                [tf.reshape(p, [-1]) for p in tf.nest.flatten(function(*arguments))], 0
            )

        found, expected = tf.test.compute_gradient(
            of_one, [samples(arity, 7, "float64")[index]], delta=1e-5
        )
        assert np.max(np.abs(expected)) > 1e-3  # it depends on each argument
        # Differences leave 1e-16 / 1e-5 of a value, and its third derivative.
        np.testing.assert_allclose(found[0], expected[0], rtol=1e-6, atol=1e-8)


@each
def test_float64_stays_and_all_else_is_float32(function, arity, least):
    del least
    double = samples(arity, 8, "float64")
    expected = function(*double)
    assert {part.dtype for part in tf.nest.flatten(expected)} == {tf.float64}
    for dtype in ("float16", "bfloat16", "float32"):
        rounded = [tf.cast(x, dtype) for x in double]
        found = function(*rounded)
        assert {part.dtype for part in tf.nest.flatten(found)} == {tf.float32}
        single = function(*(tf.cast(x, tf.float32) for x in rounded))
        np.testing.assert_array_equal(flat(found), flat(single))
    # Rounded inputs and sums of up to 320 numbers.
    single = function(*(tf.cast(x, tf.float32) for x in double))
    np.testing.assert_allclose(flat(single), flat(expected), rtol=1e-5, atol=1e-5)


_SEVERAL = [name for name, (_, arity, _) in OBJECTIVES.items() if arity > 1]


@pytest.mark.parametrize("name", _SEVERAL)
def test_the_first_argument_decides_the_type(name):
    function, arity, _ = OBJECTIVES[name]
    first, *rest = samples(arity, 8, "float64")
    mixed = function(tf.cast(first, tf.float32), *rest)
    expected = function(*(x.astype(np.float32) for x in (first, *rest)))
    assert {part.dtype for part in tf.nest.flatten(mixed)} == {tf.float32}
    np.testing.assert_array_equal(flat(mixed), flat(expected))


@each
def test_order_of_rows_does_not_matter(function, arity, least):
    del least
    arguments = samples(arity, 9, "float64")
    order = np.random.default_rng(1).permutation(9)
    found = flat(function(*(x[order] for x in arguments)))
    expected = flat(function(*arguments))
    if found.shape == (9,):  # one for each row
        expected = expected[order]
    # float64, sums in another order.
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


@each
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_not_hidden(function, arity, least, bad):
    del least
    for index in range(arity):
        arguments = samples(arity, 8)
        arguments[index][5] = bad
        assert not np.all(np.isfinite(flat(function(*arguments))))


@pytest.mark.parametrize("name", sorted(PER_EXAMPLE))
def test_no_rows_have_no_values(name):
    function, arity, _ = OBJECTIVES[name]
    assert function(*samples(arity, 0)).shape == (0,)


@pytest.mark.parametrize(
    "name", [name for name in OBJECTIVES if name not in PER_EXAMPLE]
)
def test_too_few_rows_are_refused(name):
    function, arity, least = OBJECTIVES[name]
    assert np.all(np.isfinite(flat(function(*samples(arity, least)))))
    few = samples(arity, least - 1)
    with pytest.raises(ValueError, match=rf"at least {least} rows.*\({least - 1}, 5\)"):
        function(*few)
    compiled = tf.function(
        function,
        input_signature=[tf.TensorSpec([None, WIDTH])] * arity,
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"at least {least} rows"):
        compiled(*few)


@each
def test_bad_input_is_one_line_that_names_it(function, arity, least):
    del least
    arguments = samples(arity, 8)
    for change, message in (
        (lambda x: x.astype(np.int32), r"must be floating.*\.dtype=int32"),
        (lambda x: x[0, 0], r"must have the shape \[.*\.shape=\(\)"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            function(change(arguments[0]), *arguments[1:])
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", [name for name in OBJECTIVES if name not in PER_EXAMPLE]
)
def test_rows_must_be_of_known_features(name):
    function, arity, _ = OBJECTIVES[name]
    images = np.zeros((8, 2, 2, 1), np.float32)
    with pytest.raises(ValueError, match=r"flatten.*shape=\(8, 2, 2, 1\)"):
        function(images, *samples(arity - 1, 8))
    compiled = tf.function(
        function, input_signature=[tf.TensorSpec([None, None])] * arity
    )
    with pytest.raises(ValueError, match=r"a known D.*shape=\(None, None\)"):
        compiled.get_concrete_function()
