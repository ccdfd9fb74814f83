"""What goes wrong in training is said once, what goes well is let alone, and a resumed watch finds the same."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.datasets import circles, mnist, moons, spirals, surface, xor
from chainrule.doctor import Finding, Watch
from trainers import EPOCHS, HELD_OUT, STEPS, X, Y, everything, full_trainer, plain_trainer, through_bytes, walk

DIGITS = mnist()
PIXELS, LABELS = DIGITS.train.x[:1500], DIGITS.train.y[:1500]
VALIDATION = DIGITS.validation.x[:500], DIGITS.validation.y[:500]


def digits_network(*hidden, activation="relu", **options):
    return cr.MLP([784, *(hidden or [32]), 10], activation, **{"scale": 1 / 255} | options)


def times(factor, network):
    network.params *= factor
    return network


def watched(network, x, y, loss, epochs, validation=None, optimizer="adam", *, every=25):
    watch = Watch(every=every, x=x, show=False)
    trainer = cr.Trainer(network, loss, optimizer, callbacks=[watch])
    try:
        trainer.fit(x, y, epochs, validation)
    except cr.DivergenceError:
        assert watch.findings
    return watch.findings


CE, BCE = "cross_entropy", "binary_cross_entropy"
HEALTHY = {
    "digits": (digits_network(), PIXELS, LABELS, CE, 6, VALIDATION),
    "digits, one cycle": (digits_network(), PIXELS, LABELS, CE, 6, VALIDATION, cr.SGD(cr.OneCycle(0.1), momentum=0.9)),
    "normalization": (
        cr.Network(cr.Standardize(), cr.Linear(784, 32), cr.BatchNorm(), cr.ReLU(), cr.Linear(32, 10)),
        *(PIXELS, LABELS, CE, 4, VALIDATION),
    ),
    "xor": (cr.MLP([2, 8, 1]), *xor().train, BCE, 1500),
    "circles": (cr.MLP([2, 16, 2]), *circles().train, CE, 60, circles().test),
    "moons": (cr.MLP([2, 16, 2]), *moons().train, CE, 60, moons().test),
    "spirals": (cr.MLP([2, 32, 32, 2]), *spirals().train, CE, 100, spirals().test, cr.Adam(0.003)),
    "bowl": (cr.MLP([2, 16, 1]), *surface().train, "squared_error", 60, surface().test),
    "learned by heart": (cr.MLP([2, 16, 1]), *xor().train, BCE, 1500, None, cr.Adam(0.05)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_said_against_what_goes_well(name):
    assert watched(*HEALTHY[name]) == []


SHUFFLED = np.random.default_rng(0).permutation(LABELS)
ILL = {
    "nan": ((cr.MLP([2, 16, 1]), *surface().train, "squared_error", 5, None, cr.SGD(10.0)), "became inf", "= 1e+00"),
    "exploding": ((digits_network(), PIXELS, LABELS, CE, 2, None, cr.SGD(10.0)), "mean loss", "ClipNorm"),
    "vanishing": (
        (digits_network(*[16] * 8, activation="sigmoid"), PIXELS, LABELS, CE, 3, None, cr.SGD(0.1)),
        *("the gradient of 1.W is", "relu"),
    ),
    "dead units": (
        (digits_network(bias=-10.0), PIXELS, LABELS, CE, 6, None, cr.SGD(0.1)),
        *("32 of 32 units of ReLU #2", "LeakyReLU"),
    ),
    "saturated units": (
        (times(100, digits_network(activation="sigmoid")), PIXELS, LABELS, CE, 3),
        *("% of the values of Sigmoid #2", "Standardize"),
    ),
    "plateau": ((digits_network(), PIXELS, LABELS, CE, 10, None, cr.SGD(1e-6)), "fell less than 1%", "range_test"),
    "overfitting": (
        (digits_network(), PIXELS[:50], LABELS[:50], CE, 60, VALIDATION, cr.Adam(0.02)),
        *("the validation loss went from", "EarlyStopping"),
    ),
}


@pytest.mark.parametrize("name", ILL)
def test_a_planted_illness_is_found(name):
    arguments, evidence, fix = ILL[name]
    findings = watched(*arguments)
    assert findings[0].name == name, findings
    assert evidence in findings[0].evidence
    assert fix in findings[0].fix
    assert not findings[0].over


def test_labels_that_say_nothing_are_learned_by_heart():
    findings = watched(digits_network(), PIXELS, SHUFFLED, CE, 30, VALIDATION, cr.Adam(0.003))
    assert {finding.name for finding in findings} == {"overfitting"}


# Hysteresis -----------------------------------------------------------------------------------------------------------


class Says(cr.Callback):
    """Puts into each row the losses that a test wants to be there."""

    def __init__(self, *losses):
        self.losses = losses

    def on_epoch(self, trainer, row):
        row["loss"], row["validation_loss"] = self.losses[row["epoch"] - 1]


def told(*losses):
    watch = Watch(show=False)
    plain_trainer(callbacks=[Says(*losses), watch]).fit(X, Y, len(losses), HELD_OUT)
    return [(finding.name, finding.epoch, finding.over) for finding in watch.findings]


FALLING = [1.0 / 2**n for n in range(20)]


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ([1.0, 1.5, 1.5, 0.9, 1.5, 1.5, 0.9], []),
        ([1.0, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5], [("overfitting", 4, False)]),
        ([1.0, 1.5, 1.5, 1.5, 1.12, 1.11, 1.12, 1.11], [("overfitting", 4, False)]),
        ([1.0, 1.5, 1.5, 1.5, 1.0, 1.5, 1.0, 1.0, 1.5], [("overfitting", 4, False)]),
        ([1.0, 1.5, 1.5, 1.5, 1.0, 0.9, 0.8, 0.8], [("overfitting", 4, False), ("overfitting", 7, True)]),
        (
            [1.0, 2.0, 2.0, 2.0, 0.9, 0.9, 0.9, 2.0, 2.0, 2.0],
            [("overfitting", 4, False), ("overfitting", 7, True), ("overfitting", 10, False)],
        ),
    ],
)
def test_an_alarm_takes_three_signs_in_a_row_and_so_does_its_end(validation, expected):
    assert told(*zip(FALLING, validation, strict=False)) == expected


def test_a_validation_loss_that_rises_while_training_does_too_is_not_overfitting():
    assert told(*zip([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], [1.0, 2.0, 2.0, 2.0, 2.0, 2.0], strict=True)) == []


def test_a_plateau_needs_epochs_and_steps_and_is_over_with_a_true_fall():
    standing = [2.0] * 61 + [1.97] * 5 + [1.8]  # five steps an epoch: 300 of them after 60 epochs
    assert told(*((loss, 1.0) for loss in standing)) == [("plateau", 61, False), ("plateau", 67, True)]


def test_an_explosion_that_calms_down_is_over():
    findings = watched(digits_network(), PIXELS, LABELS, CE, 8, None, cr.SGD(10.0), every=10)
    begins, ends = (finding for finding in findings if finding.name == "exploding")
    assert not begins.over and ends.over
    assert "exploding is over at epoch" in str(ends)
    assert ends.fix == ""


def test_units_that_revive_are_counted_again():
    network = cr.MLP([5, 7, 3], bias=-50.0)
    watch = Watch(every=1, show=False)
    trainer = cr.Trainer(network, CE, cr.SGD(0.01), batch_size=23, callbacks=[watch])
    trainer.fit(X, Y, 10)
    network.layers[0].b = np.zeros(7)
    trainer.fit(X, Y, 10)
    assert [(finding.name, finding.step, finding.over) for finding in watch.findings] == [
        ("dead units", 3, False),
        ("dead units", 11, True),
    ]


# How it is told, and how it goes on -----------------------------------------------------------------------------------


def test_findings_are_printed_once(capsys):
    trainer = cr.Trainer(digits_network(bias=-10.0), CE, cr.SGD(0.1), callbacks=[Watch(every=10)])
    trainer.fit(PIXELS, LABELS, 5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("watch: dead units at epoch 2, step 100: 32 of 32 units")
    assert lines[1] == "       -> trainer.optimizer.learning_rate = 1e-02  # and cr.LeakyReLU() for ReLU"


def ill_trainer(**options):
    watch = Watch(every=2, show=False, x=X)
    network = cr.MLP([5, 7, 3], "tanh", bias=9.0)
    return cr.Trainer(network, CE, cr.SGD(5.0, momentum=0.9), batch_size=5, callbacks=[watch], **options)


@pytest.mark.parametrize("cut", range(EPOCHS * STEPS + 1))
def test_interrupted_anywhere_and_resumed_elsewhere_it_finds_the_same(cut):
    whole = ill_trainer()
    whole.fit(X, Y, EPOCHS, HELD_OUT)
    first, second = ill_trainer(), ill_trainer()
    walk(first, cut, validation=HELD_OUT)
    state = through_bytes(first.state())
    second.history = through_bytes(first.history)
    second.restore(state)
    second.fit(X, Y, EPOCHS - second.epoch, HELD_OUT)
    assert whole.callbacks[0].findings
    assert second.callbacks[0].findings == whole.callbacks[0].findings
    assert repr(second.callbacks[0].state()) == repr(whole.callbacks[0].state())


def test_it_goes_through_a_checkpoint(tmp_path):
    first, second = ill_trainer(), ill_trainer()
    first.fit(X, Y, 2, HELD_OUT)
    cr.checkpoints.save(first, tmp_path / "a.safetensors")
    cr.checkpoints.restore(second, tmp_path / "a.safetensors")
    assert repr(second.callbacks[0].state()) == repr(first.callbacks[0].state())


def test_watching_changes_nothing():
    watched, alone = full_trainer(callbacks=[Watch(every=1, x=X, show=False)]), full_trainer()
    for trainer in (watched, alone):
        trainer.fit(X, Y, EPOCHS, HELD_OUT)
    assert everything(watched) == everything(alone)


def test_arguments():
    assert repr(Watch(every=10).clone()) == "Watch(every=10)"
    with pytest.raises(cr.ConfigurationError, match="Watch: every must be a whole number"):
        Watch(every=0)
    with pytest.raises(cr.ShapeError):
        plain_trainer(callbacks=[Watch(x=X[:, :2])]).fit(X, Y)


def test_a_finding_reads_as_a_sentence_and_a_line_of_code():
    finding = Finding("plateau", 3, 1200, False, "the loss stands", "go()")
    assert str(finding) == "watch: plateau at epoch 3, step 1,200: the loss stands\n       -> go()"


@pytest.mark.parametrize(
    "network",
    [
        cr.Network(cr.Linear(5, 7), cr.Residual(cr.Linear(7, 7, bias=-90.0), cr.ReLU()), cr.Linear(7, 3)),
        cr.Network(cr.Concatenate(cr.Chain(cr.Linear(5, 7, bias=-90.0), cr.ReLU()), cr.Identity()), cr.Linear(12, 3)),
    ],
    ids=["residual", "concatenate"],
)
def test_units_inside_other_layers_are_watched(network):
    watch = Watch(every=1, show=False)
    cr.Trainer(network, CE, cr.SGD(0.01), batch_size=23, callbacks=[watch]).fit(X, Y, 5)
    assert [finding.name for finding in watch.findings] == ["dead units"]
