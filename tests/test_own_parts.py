"""Parts that the user wrote: what is wrong with them is told by their own name, and before the first step."""

import numpy as np
import pytest

import chainrule as cr
from trainers import HELD_OUT, X, Y, plain_trainer


class Whole(cr.Layer):
    """A right layer, from which the wrong ones differ by one line."""

    any_shape = True

    def forward(self, x, train=False, rng=None):
        return x * 2, (x,)

    def backward(self, dy, cache, need_dx=True):
        return dy * 2


def layer(forward):
    return type("Own", (Whole,), {"forward": lambda self, x, train=False, rng=None: forward(x)})()


def network_with(own):
    return cr.Network(cr.Linear(5, 7), own, cr.Linear(7, 3))


# Layers ---------------------------------------------------------------------------------------------------------------

SHAPE = "Own #1: forward must return y of shape (N, 7), as build says, received"
LAYERS = [
    (lambda x: x * 2, cr.ConfigurationError, "Own #1: forward must return (y, cache), such as `return y, (x,)`, recei"),
    (lambda x: None, cr.ConfigurationError, "Own #1: forward must return (y, cache)"),
    (lambda x: (x, x, x), cr.ConfigurationError, "Own #1: forward must return (y, cache)"),
    (lambda x: (x.sum(axis=1), ()), cr.ShapeError, f"{SHAPE} (2,)."),
    (lambda x: (x[:, :1], ()), cr.ShapeError, f"{SHAPE} (2, 1)."),
    (lambda x: (3.0, ()), cr.ShapeError, f"{SHAPE} a float."),
    (lambda x: (x.tolist(), ()), cr.ShapeError, f"{SHAPE} a list."),
]
USES = {
    "fit": lambda network: cr.Trainer(network, "cross_entropy").fit(X[:2], Y[:2]),
    "steps": lambda network: cr.Trainer(network, "cross_entropy").steps(X[:2], Y[:2]),
    "check_gradients": lambda network: cr.check_gradients(network, X[:2], Y[:2], loss="cross_entropy"),
    "minimize": lambda network: cr.minimize(network, X[:2], Y[:2], "cross_entropy"),
    "use": lambda network: network(X[:2]),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(("forward", "error", "message"), LAYERS)
def test_a_layer_that_does_not_keep_its_word(use, forward, error, message):
    with pytest.raises(error) as caught:
        USES[use](network_with(layer(forward)))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("use", USES)
def test_an_error_inside_a_layer_names_it(use):
    with pytest.raises(ValueError, match="matmul") as caught:
        USES[use](network_with(layer(lambda x: (x @ np.ones((3, 7)), ()))))
    assert caught.value.__notes__ == ["Raised in Own #1, Own(), by x of shape (2, 7)."]


def test_a_layer_inside_another_is_found_by_the_outer_one():
    with pytest.raises(ValueError, match="unpack") as caught:
        network_with(cr.Residual(layer(lambda x: x))).predict(X)
    assert caught.value.__notes__ == ["Raised in Residual #1, Residual(Own()), by x of shape (23, 7)."]


# Methods that are called otherwise than they are written --------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "method", "message"),
    [
        (cr.Callback, lambda self, trainer: None, "Own.on_epoch must take (self, trainer, row), but takes (self, tr"),
        (cr.Callback, lambda self: None, "Own.on_step must take (self, trainer, step), but takes (self)"),
        (cr.Layer, lambda self, x: (x, ()), "Own.forward must take (self, x, train, rng), but takes (self, x)"),
        (cr.Layer, lambda self, dy: dy, "Own.backward must take (self, dy, cache, need_dx), but takes (self, dy)"),
        (cr.Layer, lambda self, *, dy: dy, "Own.backward must take (self, dy, cache, need_dx), but takes (self, *"),
        (cr.Loss, lambda self, outputs: 0, "Own.compute must take (self, outputs, targets, weights, total), but takes"),
        (cr.Optimizer, lambda self, w, g: 0, "Own.update must take (self, w, g, slots, rate), but takes (self, w, g)"),
        (cr.Schedule, lambda self, step: 0, "Own.__call__ must take (self, step, steps), but takes (self, step)"),
        (cr.Augmentation, lambda self, x: x, "Own.apply must take (self, x, rng), but takes (self, x)"),
    ],
)
def test_a_method_must_take_what_it_is_given(base, method, message):
    name = message.split()[0].removeprefix("Own.")
    with pytest.raises(cr.ConfigurationError) as caught:
        type("Own", (base,), {name: method})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "method", [lambda self, *all: None, lambda self, trainer, row, more=1: None, len], ids=["all", "more", "len"]
)
def test_a_method_may_take_more(method):
    type("Own", (cr.Callback,), {"on_epoch": method})


@pytest.mark.parametrize(
    ("hook", "meant"),
    [("on_epoch_end", "on_epoch"), ("on_steps", "on_step"), ("on_train_start", "on_start"), ("on_nothing", None)],
)
def test_a_hook_that_nobody_calls_is_refused(hook, meant):
    with pytest.raises(cr.ConfigurationError) as caught:
        type("Own", (cr.Callback,), {hook: lambda self, trainer, row: None})
    hint = f" Did you mean {meant!r}?" if meant else ""
    assert str(caught.value) == f"hook of Own {hook!r} is unknown.{hint} Known: on_start, on_step, on_epoch, on_end."


def test_a_callback_that_would_forget_is_refused():
    with pytest.raises(cr.ConfigurationError, match=r"Own has state\(\) but no restore\(state\): what it remembers"):
        type("Own", (cr.Callback,), {"state": lambda self: {"used": 1.0}})


class Quartic(cr.Loss):
    """A loss of plain numbers: only the formula."""

    def compute(self, outputs, targets, weights, total):
        miss = outputs - targets
        return float((miss**4).sum() / total), 4 * miss**3 / total


def test_a_loss_needs_its_formula_alone():
    trainer = cr.Trainer(cr.MLP([5, 7, 1], seed=1), Quartic(), cr.SGD(0.01))
    trainer.fit(X, X[:, :1], epochs=3)
    assert trainer.network.output == "identity" and trainer.history["loss"][-1] < trainer.history["loss"][0]
    assert cr.check_gradients(Quartic(), X, X + 1, show=False).passed
    with pytest.raises(cr.ShapeError, match=r"targets have shape \(23,\) but outputs \(23, 1\)"):
        trainer.fit(X, X[:, 0])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda own: own(cr.Loss)()(X, X), "Own must define compute(outputs, targets, weights, total) -> (loss, grad"),
        (lambda own: own(cr.Optimizer)().step(X[0].copy(), X[0]), "Own must define update(w, g, slots, rate)"),
        (lambda own: own(cr.Layer)()(X), "Own must define forward(x, train, rng) -> (y, cache)"),
        (lambda own: own(cr.Schedule)()(0, 1), "Own must define __call__(step, steps) -> rate"),
        (lambda own: own(cr.Augmentation)()(X, np.random.default_rng(0)), "Own must define apply(x, rng) -> changed"),
    ],
)
def test_what_is_left_undefined_is_named(use, message):
    with pytest.raises(NotImplementedError) as caught:
        use(lambda base: type("Own", (base,), {}))
    assert str(caught.value).startswith(message)


# Functions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"augment": lambda x: x}, {"augment": (cr.GaussianNoise(1), lambda x: x)}])
def test_an_augmentation_takes_a_batch_and_a_generator(options):
    with pytest.raises(cr.ConfigurationError, match=r"augment .*<lambda>.* must take \(x, rng\), but takes \(x\)"):
        plain_trainer(**options)


def test_an_error_inside_an_augmentation_names_it():
    def bent(x, rng):
        return x / {}

    with pytest.raises(TypeError) as caught:
        plain_trainer(augment=bent).fit(X, Y)
    (note,) = caught.value.__notes__
    assert note.startswith("Raised in augment=<function") and "bent" in note


def test_an_error_inside_a_metric_names_it_and_what_it_was_given():
    def picky(targets, answers):
        raise IndexError("out of bounds")

    trainer = plain_trainer(metrics=[picky])
    with pytest.raises(IndexError) as caught:
        trainer.fit(X, Y, validation=HELD_OUT)
    assert caught.value.__notes__ == [
        "Raised in metric picky, given predictions of shape (13,). Others are had by @cr.metrics.wants."
    ]
    assert trainer.step == 0
