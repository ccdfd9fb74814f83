"""A misspelt word is answered with the one that was meant, whoever is asked: a constructor, a history, a callback."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import unknown_name
from trainers import HELD_OUT, X, Y, plain_trainer


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("adma", ["sgd", "adam"], "adam"),
        ("lr", ["momentum", "learning_rate"], "learning_rate"),
        ("bs", ["batch_size", "seed"], "batch_size"),
        ("f1", ["loss", "validation_f1"], "validation_f1"),
        ("roc_auc", ["accuracy", "validation_roc_auc"], "validation_roc_auc"),
        ("val_loss", ["loss", "validation_loss"], "validation_loss"),
        ("Lr", ["Learning_Rate"], "Learning_Rate"),
        ("oss", ["loss"], "loss"),
        ("", ["loss"], None),
        ("zebra", ["loss"], None),
        (-1, ["loss"], None),
    ],
)
def test_the_name_that_was_meant(name, known, meant):
    message = str(unknown_name("word", name, known))
    assert ("Did you mean" in message) == (meant is not None)
    assert meant is None or f"Did you mean {meant!r}?" in message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("cr.SGD(lr=0.1)", "argument of SGD 'lr' is unknown. Did you mean 'learning_rate'? Known: learning_rate, mom"),
        ("cr.Adam(lr=0.1, beta=0.9)", "argument of Adam 'lr' is unknown. Did you mean 'learning_rate'?"),
        ("cr.Warmup(0.1, epochs=2)", "argument of Warmup 'epochs' is unknown. Known: schedule, steps."),
        ("cr.Warmup(0.1, step=2)", "argument of Warmup 'step' is unknown. Did you mean 'steps'?"),
        ("cr.ReLU(alpha=1)", "argument of ReLU 'alpha' is unknown. Known: none."),
        ("cr.L2(strenght=1)", "argument of L2 'strenght' is unknown. Did you mean 'strength'?"),
        ("cr.Network(cr.Linear(4, 3), outputs='softmax')", "argument of Network 'outputs' is unknown. Did you mean"),
        ("cr.Trainer(cr.MLP([4, 3]), 'mse', batchsize=3)", "argument of Trainer 'batchsize' is unknown. Did you mean"),
        ("cr.Trainer(cr.MLP([4, 3]), 'mse', bs=3)", "argument of Trainer 'bs' is unknown. Did you mean 'batch_size'?"),
        ("cr.MLP([4, 3], activaton='relu')", "argument of MLP 'activaton' is unknown. Did you mean 'activation'?"),
        ("cr.callbacks.EarlyStopping(patence=3)", "argument of EarlyStopping 'patence' is unknown. Did you mean"),
        ("plain_trainer().fit(X, Y, epoch=3)", "argument of fit 'epoch' is unknown. Did you mean 'epochs'?"),
        ("plain_trainer().steps(X, Y, valid=0)", "argument of steps 'valid' is unknown. Did you mean 'validation'?"),
        ("cr.minimize(cr.MLP([4, 3]), X, Y, 'mse', epochs=3)", "argument of minimize 'epochs' is unknown."),
        ("cr.range_test(plain_trainer(), X, Y, min=3)", "argument of range_test 'min' is unknown."),
    ],
)
def test_a_misspelt_argument(code, message):
    with pytest.raises(cr.ConfigurationError) as caught:
        eval(code)
    assert str(caught.value).startswith(message)


def test_an_argument_that_is_missing_is_still_told_by_python():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'network'"):
        cr.Trainer(loss="mse")


def test_a_part_of_ones_own_is_spelt_too_and_may_take_any_names():
    class Own(cr.Schedule):
        def __init__(self, slope):
            self.slope = slope

    class Open(cr.Schedule):
        def __init__(self, **given):
            self.given = given

    with pytest.raises(cr.ConfigurationError, match=r"argument of Own 'slop' is unknown\. Did you mean 'slope'"):
        Own(slop=1)
    assert Open(anything=1).given == {"anything": 1}


@pytest.mark.parametrize("name", ["f1", "validation_f2", "F1"])
def test_a_monitor_is_a_column_of_the_validation_data(name):
    trainer = plain_trainer(metrics=[cr.metrics.f1], callbacks=[cr.callbacks.EarlyStopping(name)])
    with pytest.raises(cr.ConfigurationError, match=rf"monitor '{name}' is unknown. Did you mean 'validation_f1'\?"):
        trainer.fit(X, Y, validation=HELD_OUT)


@pytest.mark.parametrize("index", [0, -1, slice(2), np.int64(0)])
def test_a_history_is_asked_for_columns_and_its_rows_for_epochs(index):
    history = plain_trainer().fit(X, Y)
    with pytest.raises(cr.ConfigurationError) as caught:
        history[index]
    assert f"Known: epoch, loss, accuracy, learning_rate, seconds. Epochs: history.rows[{index!r}]." in str(
        caught.value
    )
