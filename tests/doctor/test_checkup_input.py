"""Whatever `fit` takes a checkup takes too; it leaves everything as it was, and says what it cannot do."""

import copy

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import chainrule as cr
from chainrule.datasets import Source, mnist, moons
from chainrule.doctor import Checkup, Item, checkup, training_items

DIGITS = mnist()
MOONS = moons().train
CE = "cross_entropy"


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(training_items, "HEART_STEPS", (40, 40))
    monkeypatch.setattr(training_items, "CONTROL_STEPS", (40, 40))


FORMS = {
    "lists": lambda x: x.tolist(),
    "a frame": lambda x: pd.DataFrame(x, columns=["a", "b"]),
    "float32": lambda x: x.astype("float32"),
    "read-only, strided": lambda x: np.asfortranarray(x)[::1],
    "sparse": scipy.sparse.csr_matrix,
    "a source": lambda x: Source(x, block=32),
}


@pytest.mark.parametrize("form", FORMS)
def test_x_may_come_in_any_form(form):
    plain = checkup(cr.MLP([2, 16, 2]), *MOONS, CE, show=False)
    report = checkup(cr.MLP([2, 16, 2]), FORMS[form](MOONS.x), MOONS.y, CE, show=False)
    assert [(item.name, item.status) for item in report.items] == [(item.name, item.status) for item in plain.items]


def test_targets_may_be_lists_or_one_hot_rows():
    for y in (MOONS.y.tolist(), cr.datasets.one_hot(MOONS.y), pd.Series(MOONS.y)):
        assert checkup(cr.MLP([2, 16, 2]), MOONS.x, y, CE, show=False)["targets"].status == "pass"


def test_nothing_of_the_callers_is_changed():
    network = cr.Network(
        cr.Standardize(), cr.Linear(2, 16), cr.BatchNorm(), cr.Tanh(), cr.Dropout(0.1), cr.Linear(16, 2)
    )
    optimizer, x, y = cr.SGD(0.1, momentum=0.9), MOONS.x.copy(), MOONS.y.copy()
    trainer = cr.Trainer(network, CE, optimizer)
    x.flags.writeable = y.flags.writeable = False
    before = [copy.deepcopy(vector) for vector in (network.params, network.grads, network.state)]
    chance = np.random.get_state()[1].tolist()  # noqa: NPY002
    checkup(network, x, y, trainer.loss, optimizer=optimizer, show=False)
    for old, vector in zip(before, (network.params, network.grads, network.state), strict=True):
        np.testing.assert_array_equal(old, vector)
    assert (optimizer.steps, optimizer.slots, network.output) == (0, {}, None)
    assert np.random.get_state()[1].tolist() == chance  # noqa: NPY002


def test_a_network_without_a_width_is_examined_and_stays_unbuilt():
    network = cr.Network(cr.Linear(out_features=16), cr.ReLU(), cr.Linear(out_features=2))
    assert checkup(network, *MOONS, CE, show=False)["gradients"].status == "pass"
    assert not network.out_shapes


def test_the_same_seed_gives_the_same_report():
    reports = [str(checkup(cr.MLP([2, 16, 2]), *MOONS, CE, seed=seed, show=False)) for seed in (0, 0, 1)]
    assert reports[0] == reports[1] != reports[2]


def test_of_large_data_a_sample_is_taken_but_labels_and_nan_are_looked_for_in_all():
    x, y = np.random.default_rng(0).standard_normal((30_000, 3)), np.arange(30_000) % 2
    x[29_999, 2], y[12_345] = np.nan, 2
    report = checkup(cr.MLP([3, 8, 2]), x, y, CE, show=False)
    assert "on 2,000 of 30,000 rows" in str(report)
    assert "row 29999, column 2" in report["finite values"].evidence
    assert "received 0..2" in report["targets"].evidence
    assert report["gradients"].evidence == "not asked: the targets cannot be read"


def test_a_column_that_varies_outside_the_sample_is_not_constant():
    x = np.random.default_rng(0).standard_normal((20_000, 3))
    x[:, 1] = 0
    x[7, 1] = 1
    assert checkup(cr.MLP([3, 8, 2]), x, np.arange(20_000) % 2, CE, show=False)["constant columns"].status == "pass"


@pytest.mark.parametrize(
    ("network", "y", "known"),
    [
        (cr.MLP([2, 8, 2], output="softmax"), MOONS.y, "ln 2"),
        (cr.MLP([2, 8, 1], output="sigmoid"), MOONS.y, "ln 2"),
        (cr.Network(cr.Linear(2, 2), cr.Softmax(), output="softmax"), MOONS.y, "ln 2"),
        (cr.MLP([2, 8, 1], output="identity"), MOONS.y[:, None], "the mean alone"),
        (cr.MLP([2, 8, 1], output="exp"), MOONS.y[:, None], "the mean alone"),
    ],
)
def test_the_loss_is_known_from_the_output(network, y, known):
    assert known in checkup(network, MOONS.x, y, show=False)["loss at the start"].evidence


def test_no_row_that_can_be_computed_with():
    report = checkup(cr.MLP([2, 8, 2]), np.full((30, 2), np.nan), MOONS.y[:30], CE, show=False)
    assert [item.name for item in report.failed] == ["finite values"]


def test_few_rows_and_frozen_networks_are_examined_as_far_as_they_can_be():
    report = checkup(cr.MLP([2, 8, 2]), MOONS.x[:1], MOONS.y[:1], CE, show=False)
    assert report["shuffled labels"].evidence == "not asked: it takes 80 rows to hold some out"
    assert not [item for item in report.items if "Error" in item.evidence]
    network = cr.MLP([2, 8, 2])
    network.freeze()
    report = checkup(network, *MOONS, CE, show=False)
    assert report["update ratio"].evidence == "not asked: no weights are trained"
    assert report["learns by heart"].status == "note"


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: checkup("net", *MOONS, CE), cr.ConfigurationError, "checkup: expected a network"),
        (lambda: checkup(cr.MLP([2, 2]), *MOONS), cr.ConfigurationError, "does not say what its outputs mean"),
        (lambda: checkup(cr.MLP([2, 2]), *MOONS, "crossentropy"), cr.ConfigurationError, "mean 'cross_entropy'"),
        (lambda: checkup(cr.MLP([2, 2]), *MOONS, CE, batch_size=0), cr.ConfigurationError, "checkup: batch_size"),
        (lambda: checkup(cr.MLP([2, 2]), *MOONS, CE, optimizer="adma"), cr.ConfigurationError, "Did you mean 'adam'"),
        (lambda: checkup(cr.MLP([3, 2]), *MOONS, CE), cr.ShapeError, "expected x of shape"),
        (lambda: checkup(cr.MLP([2, 1]), *MOONS, "squared_error"), cr.ShapeError, "would broadcast"),
        (lambda: checkup(cr.MLP([2, 2]), MOONS.x, MOONS.y[:9], CE), cr.DataError, "inconsistent numbers of samples"),
    ],
)
def test_a_call_that_makes_no_sense_is_an_error(call, error, text):
    with pytest.raises(error, match=text):
        call()


# The report -----------------------------------------------------------------------------------------------------------


def test_it_is_printed_unless_it_shall_not_be(capsys):
    report = checkup(cr.MLP([2, 16, 2]), *MOONS, CE)
    assert capsys.readouterr().out == f"{report}\n"
    assert max(map(len, str(report).splitlines()[1:])) <= 120
    checkup(cr.MLP([2, 16, 2]), *MOONS, CE, show=False)
    assert capsys.readouterr().out == ""


def test_a_report_tells_passed_failed_and_notes_apart():
    items = [Item("a", "pass", "1 < 2"), Item("b", "note", "so be it"), Item("c", "fail", "2 > 1", "x = x & 1")]
    report = Checkup("it", items)
    assert not report.passed and [item.name for item in report.failed] == ["c"]
    assert Checkup("it", items[:2]).passed
    html = report._repr_html_()
    assert "1 &lt; 2" in html and "<code>x = x &amp; 1</code>" in html and "<b>fail</b>" in html
    with pytest.raises(cr.ConfigurationError, match="item of a checkup 'd' is unknown"):
        report["d"]


def test_the_border_of_images_is_noted_and_does_no_harm():
    report = checkup(cr.MLP([784, 8, 10], scale=1 / 255), DIGITS.train.x[:300], DIGITS.train.y[:300], CE, show=False)
    assert report["constant columns"].status == "note"
    assert "all 0. In images that is the border" in report["constant columns"].evidence
