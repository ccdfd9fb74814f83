"""What may happen within a step besides the step: gradients that accumulate, batches that are changed, metrics."""

import numpy as np
import pytest

import chainrule as cr
from trainers import EPOCHS, HELD_OUT, ROWS, X, Y, everything, plain_trainer, walk


def trainer64(**options):
    network = cr.MLP([5, 7, 3], "tanh", seed=1, dtype="float64")
    return cr.Trainer(network, "cross_entropy", cr.SGD(0.1, momentum=0.9), **{"seed": 3} | options)


# Penalties ------------------------------------------------------------------------------------------------------------


def test_a_penalty_stands_beside_the_loss_and_its_slope_is_in_the_gradient():
    trainer = trainer64(batch_size=ROWS, penalty=(cr.L2(0.1), cr.L1(0.01)))
    before = trainer.network.copy()
    (step,) = trainer.steps(X, Y)
    weights = np.concatenate([layer.W.ravel() for layer in before.layers if isinstance(layer, cr.Linear)])
    loss, dy = cr.CrossEntropy()(before(X), Y)
    assert step.loss == pytest.approx(loss, rel=1e-12)
    assert step.penalty == pytest.approx(0.05 * (weights**2).sum() + 0.01 * np.abs(weights).sum(), rel=1e-12)
    assert trainer.history["penalty"] == [step.penalty]
    before.backward(dy, before.forward(X.astype("float64"))[1])
    slope = np.zeros_like(before.grads)
    slope[: len(weights)] = 0.1 * weights + 0.01 * np.sign(weights)
    np.testing.assert_allclose(trainer.network.params, before.params - 0.1 * (before.grads + slope), rtol=1e-10)


# Accumulation ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, np.arange(ROWS) % 4], ids=["plain", "weighted"])
@pytest.mark.parametrize(("batch_size", "accumulate"), [(2, 5), (3, 3), (1, 23), (7, 2)])
def test_small_parts_add_up_to_the_step_of_a_large_batch(batch_size, accumulate, weights):
    """The last step of an epoch has fewer parts, and its last part fewer rows."""
    parts = trainer64(batch_size=batch_size, accumulate=accumulate)
    whole = trainer64(batch_size=batch_size * accumulate)
    for mine, theirs in zip(
        parts.steps(X, Y, 2, sample_weight=weights), whole.steps(X, Y, 2, sample_weight=weights), strict=True
    ):
        np.testing.assert_array_equal(mine.rows, theirs.rows)
        assert mine.loss == pytest.approx(theirs.loss, rel=1e-12)
        assert mine.learning_rate == theirs.learning_rate
    np.testing.assert_allclose(parts.network.params, whole.network.params, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(parts.history["accuracy"], whole.history["accuracy"])


def test_a_schedule_counts_steps_and_not_parts():
    trainer = trainer64(batch_size=3, accumulate=4)
    trainer.optimizer.learning_rate = cr.OneCycle(0.2)
    rates = [step.learning_rate for step in trainer.steps(X, Y, 2)]
    assert rates == [pytest.approx(cr.OneCycle(0.2)(step, 4)) for step in range(4)]


def test_every_part_draws_chance_of_its_own():
    """Dropout over the parts of one step must not repeat one mask."""
    network = cr.Network(cr.Dropout(0.5), cr.Linear(5, 3), seed=1, dtype="float64")
    trainer = cr.Trainer(network, "cross_entropy", cr.SGD(1.0), batch_size=4, accumulate=2)
    masks, forward = [], cr.Dropout.forward

    def watched(self, x, train=False, rng=None):
        y, cache = forward(self, x, train, rng)
        if train:
            masks.extend(part.copy() for part in cache[:1])
        return y, cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cr.Dropout, "forward", watched)
        next(trainer.steps(X, Y))
    assert len(masks) == 2
    assert not np.array_equal(masks[0], masks[1])


def test_the_layer_that_breaks_a_later_part_is_named():
    """One row overflows in the first Linear; it stands in the second part of the first step."""
    x, last = X.copy(), next(plain_trainer(batch_size=8).steps(X, Y)).rows[-1]
    x[last] = 3e38
    trainer = plain_trainer(batch_size=4, accumulate=2)
    with pytest.warns(cr.ChainruleWarning, match="nothing scales it"), pytest.raises(cr.DivergenceError) as caught:
        trainer.fit(x, Y)
    assert "step 1, first in Linear #0" in str(caught.value)


@pytest.mark.parametrize("accumulate", [0, 2.0, "2", True])
def test_parts_are_counted_in_whole_numbers(accumulate):
    with pytest.raises(cr.ConfigurationError, match=r"Trainer: accumulate must be a whole number in \[1, inf\)"):
        plain_trainer(accumulate=accumulate)


# Augmentation ---------------------------------------------------------------------------------------------------------


def jitter(x, rng):
    return x + 0.1 * rng.standard_normal(x.shape)  # float64: the trainer casts it back


def test_batches_are_changed_by_chance_that_the_seed_decides():
    runs = [plain_trainer(augment=jitter, seed=seed) for seed in (3, 3, 4)]
    for trainer in runs:
        trainer.fit(X, Y, 2)
    first, same, other = (everything(trainer)[0] for trainer in runs)
    plain = plain_trainer()
    plain.fit(X, Y, 2)
    assert first == same
    assert first != other
    assert first != everything(plain)[0]


def test_the_same_step_sees_the_same_changes_whatever_was_drawn_before():
    whole, parts = plain_trainer(augment=jitter), plain_trainer(augment=jitter)
    whole.fit(X, Y, EPOCHS)
    walk(parts, 7)
    state = parts.state()
    walk(parts, 3)
    parts.restore(state)
    parts.fit(X, Y, EPOCHS - 1)
    assert everything(parts) == everything(whole)


def test_several_changes_are_made_in_order_and_only_in_training():
    seen = []

    def double(x, rng):
        return x * 2

    def remember(x, rng):
        seen.append((x.copy(), type(rng)))
        return x

    trainer = plain_trainer(augment=(double, remember), batch_size=ROWS)
    (step,) = trainer.steps(X, Y, 1, HELD_OUT)
    ((x, rng),) = seen
    np.testing.assert_array_equal(x, 2 * X[step.rows])
    assert rng is np.random.Generator


def test_a_change_that_loses_rows_is_refused():
    trainer = plain_trainer(augment=lambda x, rng: x[:-1])
    with pytest.raises(cr.ShapeError, match=r"expected an array of the batch's shape \(5, 5\), received \(4, 5\)"):
        trainer.fit(X, Y)


def test_the_data_are_left_as_they_are():
    x = X.copy()
    x.flags.writeable = False
    plain_trainer(augment=jitter).fit(x, Y)
    np.testing.assert_array_equal(x, X)


# Metrics --------------------------------------------------------------------------------------------------------------


def share_of_class_0(y, answers):
    return float((answers == 0).mean())


def largest_probability(y, probabilities):
    assert probabilities.shape == (len(y), 3)
    return probabilities.max()


def largest_logit(y, outputs):
    return outputs.max()


largest_probability.wants = "probabilities"
largest_logit.wants = "outputs"


def test_metrics_are_columns_of_the_history():
    trainer = plain_trainer(metrics=[share_of_class_0, largest_probability, largest_logit])
    trainer.fit(X, Y, 2, HELD_OUT)
    x, _ = HELD_OUT
    network = trainer.network
    assert trainer.history["validation_share_of_class_0"][-1] == (network.predict(x) == 0).mean()
    assert trainer.history["validation_largest_probability"][-1] == network.predict_proba(x).max()
    assert trainer.history["validation_largest_logit"][-1] == network(x).max()
    assert set(trainer.columns) == set(trainer.history.columns)


def test_metrics_may_be_named_and_evaluate_takes_them_too():
    trainer = plain_trainer(metrics={"zeros": share_of_class_0})
    trainer.fit(X, Y, 1, HELD_OUT)
    measured = trainer.network.evaluate(*HELD_OUT, "cross_entropy", metrics={"zeros": share_of_class_0})
    assert trainer.history["validation_zeros"] == [measured["zeros"]]
    assert trainer.network.evaluate(*HELD_OUT, "cross_entropy", metrics=share_of_class_0).keys() == {
        "loss",
        "accuracy",
        "share_of_class_0",
    }


def test_a_metric_that_cannot_do_with_the_data_says_so_before_the_first_step():
    def fails(y, answers):
        raise ValueError("only one class")

    trainer = plain_trainer(metrics=[fails])
    with pytest.raises(ValueError, match="only one class"):
        trainer.fit(X, Y, 1, HELD_OUT)
    assert trainer.step == 0


def test_metrics_need_validation_data():
    with pytest.raises(cr.ConfigurationError, match=r"measured on validation data: say validation=\(x, y\)"):
        plain_trainer(metrics=[share_of_class_0]).fit(X, Y)


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        *(
            (metrics, "metrics: expected functions such as")
            for metrics in ("f1", ["f1"], [share_of_class_0, 3], {"f1": 3}, 7)
        ),
        (
            [lambda y, a: 0, lambda y, a: 1],
            r"'<lambda>' already.* Give each a name of its own",
        ),
        ({"loss": share_of_class_0}, "there is a 'loss' already"),
    ],
)
def test_metrics_are_functions_with_names_that_differ(metrics, text):
    with pytest.raises(cr.ConfigurationError, match=text):
        plain_trainer(metrics=metrics)


def test_no_metrics_may_be_said_in_words():
    assert plain_trainer(metrics=None).metrics == {}


@pytest.mark.parametrize("value", [np.ones(3), np.ones(1), None, {"a": 1}], ids=str)
def test_a_metric_is_one_number(value):
    trainer = plain_trainer(metrics={"odd": lambda y, answers: value})
    with pytest.raises(cr.ConfigurationError, match=r"metric odd: expected one number, received .* give a metric each"):
        trainer.fit(X, Y, 1, HELD_OUT)
    assert trainer.step == 0


def test_a_metric_that_wants_what_there_is_not():
    def odd(y, answers):
        return 0.0

    odd.wants = "probability"
    with pytest.raises(cr.ConfigurationError, match=r"what odd wants 'probability' is unknown. Did you mean 'probab"):
        plain_trainer(metrics=[odd]).fit(X, Y, 1, HELD_OUT)


NUMBERS = cr.MLP([5, 1], output="identity"), HELD_OUT[0], HELD_OUT[0][:, :1], "mse"
RATES = cr.MLP([5, 1], output="exp"), HELD_OUT[0], HELD_OUT[0][:, :1] ** 2, "poisson"
CLASSES = cr.MLP([5, 3], output="softmax"), *HELD_OUT, "cross_entropy"
YES_NO = cr.MLP([5, 1], output="sigmoid"), HELD_OUT[0], HELD_OUT[1][:, None] > 0, "binary_cross_entropy"
FOR_NUMBERS, FOR_CLASSES = (
    ("mae", "rmse", "r2"),
    ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc"),
)


@pytest.mark.parametrize(("task", "fits"), [(NUMBERS, 1), (RATES, 1), (CLASSES, 0), (YES_NO, 0)])
@pytest.mark.parametrize("name", [*FOR_NUMBERS, *FOR_CLASSES])
def test_a_metric_for_another_task_is_refused_by_its_name(name, task, fits):
    network, x, y, loss = task
    if (name in FOR_NUMBERS) == fits:
        assert name in network.evaluate(x, y, loss, metrics=getattr(cr.metrics, name))
        return
    judges = "numbers" if name in FOR_NUMBERS else "probabilities" if name == "roc_auc" else "classes"
    predicts, use = ("numbers", "r2, mae or rmse") if fits else ("classes", "accuracy, f1 or roc_auc")
    with pytest.raises(cr.ConfigurationError) as caught:
        cr.Trainer(network.copy(), loss, metrics=getattr(cr.metrics, name)).fit(x, y, validation=(x, y))
    assert str(caught.value) == (
        f"metric {name} judges {judges}, but this network predicts {predicts}: use {use}, or a function of your own."
    )


def test_a_metric_of_a_network_without_a_task_is_told_so():
    with pytest.raises(cr.ConfigurationError, match="does not know its task yet"):
        cr.MLP([5, 1]).evaluate(HELD_OUT[0], HELD_OUT[0][:, :1], "mse", metrics=cr.metrics.f1)


# Misspelt parts -------------------------------------------------------------------------------------------------------


def test_a_misspelt_attribute_is_not_swallowed():
    trainer = plain_trainer()
    with pytest.raises(cr.ConfigurationError, match=r"'batchsize' is unknown. Did you mean 'batch_size'\?"):
        trainer.batchsize = 7


@pytest.mark.parametrize(
    ("option", "value", "example"),
    [
        ("penalty", 1e-4, r"L2\(1e-4\)"),
        ("clip", 1.0, r"ClipNorm\(1.0\)"),
        ("max_norm", 3.0, r"MaxNorm\(3.0\)"),
        ("clip", cr.MaxNorm(3.0), r"ClipNorm\(1.0\)"),
        ("max_norm", cr.ClipNorm(1.0), r"MaxNorm\(3.0\)"),
        ("average", 0.999, r"EMA\(0.999\)"),
        ("augment", "shift", "RandomAffine"),
    ],
)
def test_a_part_of_another_kind_is_refused_with_an_example(option, value, example):
    with pytest.raises(cr.ConfigurationError, match=rf"Trainer: {option} must be an object such as {example}"):
        plain_trainer(**{option: value})
