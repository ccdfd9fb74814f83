"""Parts, options and data that make no sense: refused before the first step, with nothing changed."""

import numpy as np
import pytest

import chainrule as cr
from trainers import HELD_OUT, X, Y, plain_trainer, timeless, walk


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


# Options --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"loss": "mse", "optimizer": "adma"},
            r"optimizer 'adma' is unknown. Did you mean 'adam'\? Known: sgd, rmsprop, adag",
        ),
        ({"loss": "cross_entropi"}, r"loss 'cross_entropi' is unknown. Did you mean 'cross_entropy'\?"),
        ({"loss": "mse", "batch_size": 0}, r"Trainer: batch_size must be a whole number in \[1, inf\), received 0"),
        ({"loss": "mse", "batch_size": 2.5}, "batch_size must be a whole number"),
        ({"loss": "mse", "seed": -1}, r"Trainer: seed must be a whole number in \[0, inf\), received -1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        cr.Trainer(cr.MLP([5, 3]), **options)


@pytest.mark.parametrize("epochs", [-1, 1.5, "3", None, True])
def test_epochs_is_a_whole_number(epochs):
    with pytest.raises(cr.ConfigurationError, match=r"epochs must be a whole number in \[0, inf\)"):
        plain_trainer().fit(X, Y, epochs)


@pytest.mark.parametrize("parts", [{"loss": cr.CrossEntropy}, {"loss": "mse", "optimizer": cr.Adam}], ids=str)
def test_a_class_in_place_of_an_object_is_refused(parts):
    with pytest.raises(cr.ConfigurationError, match="Add brackets to make an object of the class"):
        cr.Trainer(cr.MLP([5, 3]), **parts)


# Parts ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "loss", "text"),
    [
        (lambda: cr.Network(cr.Linear(5, 3), cr.Softmax()), cr.CrossEntropy(), "softmax again: drop the layer"),
        (lambda: cr.MLP([5, 3]), cr.CrossEntropy(from_probabilities=True), r"needs a network that ends in Softmax\(\)"),
        (
            lambda: cr.Network(cr.Linear(5, 3), cr.Sigmoid()),
            cr.BinaryCrossEntropy(),
            r"ends in Sigmoid.*drop the layer",
        ),
        (lambda: cr.Network(cr.Linear(5, 3), cr.Sigmoid()), cr.CrossEntropy(), r"ends in Sigmoid.*drop the layer"),
        (lambda: cr.MLP([5, 3], output="sigmoid"), cr.CrossEntropy(), "output='sigmoid', but .* teaches 'softmax'"),
        (lambda: cr.MLP([5, 3], output="identity"), cr.CrossEntropy(), "output='identity', but .* teaches 'softmax'"),
        (lambda: cr.MLP([5, 3], output="exp"), cr.CrossEntropy(), "output='exp', but .* teaches 'softmax'"),
        (
            lambda: cr.Network(cr.Linear(5, 3), cr.BatchNorm()),
            cr.CrossEntropy(),
            "1 row, but BatchNorm needs 2: 23 rows in batches of 11",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused_before_the_first_step(network, loss, text):
    trainer = cr.Trainer(network(), loss, batch_size=11)
    with pytest.raises(cr.ConfigurationError, match=text):
        trainer.steps(X, Y)


def test_softmax_under_binary_cross_entropy_is_refused():
    network = cr.Network(cr.Linear(5, 3), cr.Softmax())
    with pytest.raises(cr.ConfigurationError, match=r"ends in Softmax\(\), but BinaryCrossEntropy\(\).*drop the layer"):
        cr.Trainer(network, cr.BinaryCrossEntropy()).steps(X, np.eye(3)[Y])


def test_softmax_and_its_loss_go_together_when_said():
    network = cr.Network(cr.Linear(5, 3, initializer="glorot"), cr.Softmax())
    history = cr.Trainer(network, cr.CrossEntropy(from_probabilities=True), cr.SGD(0.5)).fit(X, Y, 30)
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(network.predict_proba(X).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("case", ["length", "broken off"])
def test_a_schedule_too_short_for_the_fit_is_refused_before_the_first_step(case):
    trainer = plain_trainer(cr.SGD(cr.OneCycle(0.1, length=7 if case == "length" else None)))
    if case == "broken off":
        walk(trainer, 3, epochs=1)
    before = trainer.step
    with pytest.raises(cr.ConfigurationError, match=r"OneCycle\(.*was planned for \d steps.*more are wanted.*length="):
        trainer.fit(X, Y, 2)
    assert trainer.step == before


def test_the_last_batch_of_the_epochs_to_come_is_checked_too():
    network = cr.Network(cr.Linear(5, 3), cr.BatchNorm())
    trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.1), batch_size=5)
    walk(trainer, 1)
    trainer.batch_size = 11  # 18 left: 11 and 7; next epoch: 11, 11 and 1
    with pytest.raises(cr.ConfigurationError, match="1 row, but BatchNorm needs 2: 23 rows in batches of 11"):
        trainer.steps(X, Y, 2)


def test_an_optimizer_serves_one_trainer():
    optimizer = cr.Adam(0.01)
    first = plain_trainer(optimizer)
    with pytest.raises(cr.ConfigurationError, match=r"Adam\(0.01\) belongs to another trainer.*optimizer\.clone\(\)"):
        plain_trainer(optimizer)
    plain_trainer(optimizer.clone()).fit(X, Y)
    first.fit(X, Y)


def test_an_optimizer_may_be_swapped_out_and_back():
    optimizer = cr.Adam(0.01)
    trainer = plain_trainer(optimizer)
    trainer.fit(X, Y)
    trainer.optimizer = cr.SGD(0.1)
    trainer.fit(X, Y)
    trainer.optimizer = optimizer
    trainer.fit(X, Y)
    assert optimizer.steps == 10


# Data -----------------------------------------------------------------------------------------------------------------


def test_a_fit_that_is_refused_leaves_the_network_unbuilt():
    network = cr.Network(cr.Linear(out_features=3))
    trainer = cr.Trainer(network, "cross_entropy")
    with pytest.raises(cr.DataError, match="inconsistent"):
        trainer.fit(np.zeros((4, 9)), [0, 1, 2])
    trainer.fit(X, Y)


def test_a_fit_that_is_refused_leaves_the_task_open():
    network = cr.MLP([5, 3])
    with pytest.raises(cr.ShapeError):
        cr.Trainer(network, "mse").fit(X, Y)
    assert network.output is None
    cr.Trainer(network, "cross_entropy").fit(X, Y)


@pytest.mark.parametrize("y", [None, 3])
def test_targets_that_are_no_rows_are_refused(y):
    with pytest.raises(cr.DataError, match=f"targets: expected one for each row of x, received {y}"):
        plain_trainer().fit(X, y)


@pytest.mark.parametrize("layers", [(cr.Rescale(1 / 255),), (cr.Standardize(),), ()], ids=repr)
def test_large_inputs_that_nothing_scales_are_warned_of(layers):
    x = np.random.default_rng(0).integers(0, 256, (8, 5)).astype(np.uint8)
    trainer = cr.Trainer(cr.Network(*layers, cr.Linear(5, 3)), "cross_entropy", cr.SGD(1e-6))
    if layers:
        trainer.fit(x, Y[:8])
    else:
        with pytest.warns(cr.ChainruleWarning, match=r"x reaches 2\d\d, and nothing scales it.*scale=1/255"):
            trainer.fit(x, Y[:8])


WARNED = r"targets have mean {} and deviation {}, and the network begins near 0.*\(y - m\) / s"
FAR, WIDE = 152 + X[:, :1], 77 * X[:, :1]


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "quantile"])
@pytest.mark.parametrize(
    ("y", "layers", "text"),
    [
        (FAR, (), WARNED.format("152", r"[\d.]+")),
        (-FAR, (), WARNED.format("-152", r"[\d.]+")),
        (WIDE, (), WARNED.format(r"[-\d.]+", r"48.9")),
        (X[:, :1], (), None),
        (10 + X[:, :1], (), None),
        (WIDE, (cr.Rescale(77.0),), None),
    ],
)
def test_large_targets_are_warned_of(loss, y, layers, text):
    trainer = cr.Trainer(cr.Network(cr.Linear(5, 1), *layers), loss, cr.SGD(1e-9))
    if text is None:
        trainer.fit(X, y)
        return
    with pytest.warns(cr.ChainruleWarning, match=text) as caught:
        trainer.fit(X, y)
    assert caught[0].filename == __file__, "the warning points at the line that says fit"
    trainer.fit(X, y)  # once is enough


def test_of_several_targets_the_column_is_named():
    with pytest.warns(cr.ChainruleWarning, match="targets, column 1, have mean 152"):
        cr.Trainer(cr.MLP([5, 2]), "mse", cr.SGD(1e-9)).fit(X, np.hstack([X[:, :1], FAR]))


@pytest.mark.parametrize("loss", ["poisson", "cross_entropy"])
def test_counts_and_labels_are_not_scaled(loss):
    y = np.full((23, 1), 40) if loss == "poisson" else np.full(23, 40)
    cr.Trainer(cr.MLP([5, 1 if loss == "poisson" else 50]), loss, cr.SGD(1e-9)).fit(X, y)


@pytest.mark.parametrize(
    ("shape", "layout", "warned"),
    [
        ((80_000, 100), np.asfortranarray, True),
        ((80_000, 100), lambda x: x.T.copy().T, True),
        ((80_000, 100), lambda x: np.asfortranarray(x)[::-1], True),
        ((10_205, 28, 28, 1), lambda x: np.moveaxis(np.moveaxis(x, 0, -1).copy(), -1, 0), True),
        ((10_205, 28, 28), lambda x: np.asfortranarray(x)[..., None], True),
        ((80_000, 100), np.ascontiguousarray, False),
        ((80_000, 200), lambda x: x[:, ::2], False),
        ((1, 100), lambda x: np.broadcast_to(x, (80_000, 100)), False),
        ((79_999, 100), np.asfortranarray, False),
        ((80_809, 99), np.asfortranarray, False),
        ((1, 8_000_000), np.asfortranarray, False),
    ],
)
def test_large_data_laid_out_by_columns_are_warned_of(shape, layout, warned):
    x = layout(np.zeros(shape, np.uint8))
    network = cr.Network(cr.Flatten(), cr.Linear(int(np.prod(x.shape[1:])), 1))
    if warned:
        with pytest.warns(
            cr.ChainruleWarning, match=r"^x lies .* column by column .*: x = np\.ascontiguousarray\(x\)\.$"
        ):
            next(cr.Trainer(network, "mse").steps(x, np.zeros((len(x), 1)), epochs=1))
        x = np.ascontiguousarray(x)
    next(cr.Trainer(network, "mse").steps(x, np.zeros((len(x), 1)), epochs=1))  # a warning would be an error


# Validation data ------------------------------------------------------------------------------------------------------


def test_validation_may_be_a_list():
    told = [timeless(plain_trainer().fit(X, Y, validation=kind(HELD_OUT))) for kind in (tuple, list)]
    assert told[0] == told[1]


@pytest.mark.parametrize("validation", [HELD_OUT[0], [HELD_OUT[0]], 0.2, [*HELD_OUT, None, None]])
def test_validation_is_a_pair(validation):
    with pytest.raises(cr.ConfigurationError, match=r"validation: expected a pair \(x, y\)"):
        plain_trainer().fit(X, Y, validation=validation)


@pytest.mark.parametrize(
    ("validation", "text"),
    [
        ((X[:, :3], Y), r"Network: expected validation x of shape \(N, 5\), received \(23, 3\)"),
        ((X, Y[:-1]), r"validation x and its targets have inconsistent numbers of samples: \[23, 22\]"),
        ((X, Y + 7), "CrossEntropy: labels must be 0..2"),
        ((X, Y, -np.ones(23)), "weights: expected finite numbers"),
    ],
)
def test_what_is_wrong_with_validation_data_is_said_to_be_there(validation, text):
    with pytest.raises(cr.ChainruleError, match=text) as caught:
        plain_trainer().fit(X, Y, validation=validation)
    assert caught.value.__notes__ == ["Raised in the validation data."]


# Tables are no images -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 4, 9, 49])
@pytest.mark.parametrize("change", [cr.RandomAffine(), cr.RandomElastic()], ids=repr)
def test_a_narrow_table_is_no_square_image_unless_it_is_said(change, width):
    x, side = np.ones((23, width), "float32"), int(width**0.5)
    with pytest.raises(cr.ShapeError) as caught:
        change(x, np.random.default_rng(0))
    name = type(change).__name__
    assert f"rows of {width} columns are taken for a table" in str(caught.value)
    assert f"If they are images, say {name}(image_shape=({side}, {side}))." in str(caught.value)
    assert type(change)((side, side))(x, np.random.default_rng(0)).shape == x.shape
    images = x.reshape(23, side, side)
    assert change(images, np.random.default_rng(0)).shape == images.shape


def large_and_unscaled():
    return cr.Trainer(cr.MLP([2, 2]), "cross_entropy"), np.array([[0.0, 255.0], [255.0, 0.0]]), [0, 1]


def by_fit():
    trainer, x, y = large_and_unscaled()
    trainer.fit(x, y)


def by_steps():
    trainer, x, y = large_and_unscaled()
    next(trainer.steps(x, y))


def by_a_loss():
    cr.CrossEntropy()(np.array([[0.5, 0.5]]), [0])


@pytest.mark.parametrize("call", [by_fit, by_steps, by_a_loss])
def test_a_warning_shows_the_line_of_the_user(call):
    with pytest.warns(cr.ChainruleWarning) as caught:
        call()
    code = call.__code__
    lines = {line for *_, line in code.co_lines() if line}
    assert {(each.filename, each.lineno in lines) for each in caught} == {(code.co_filename, True)}
