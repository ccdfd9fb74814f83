"""The table of what a network's methods answer, row by row, for networks that end in logits and in probabilities."""

import numpy as np
import pytest

import chainrule as cr

N = 11
X = np.random.default_rng(0).standard_normal((N, 4))


def net(K, output, *ending):
    return cr.Network(cr.Linear(4, K, bias=0.1), *ending, output=output, dtype="float64", seed=1)


SOFTMAX = {"logits": net(3, "softmax"), "Softmax()": net(3, "softmax", cr.Softmax())}
ONE = {"logits": net(1, "sigmoid"), "Sigmoid()": net(1, "sigmoid", cr.Sigmoid())}
SEVERAL = {"logits": net(3, "sigmoid"), "Sigmoid()": net(3, "sigmoid", cr.Sigmoid())}


def both(networks):
    return pytest.mark.parametrize("network", networks.values(), ids=networks)


@both(SOFTMAX)
def test_softmax(network):
    z = X @ network.layers[0].W + 0.1
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network(X), p if network.squashed else z, rtol=1e-12)
    np.testing.assert_allclose(network.predict_proba(X), p, rtol=1e-12)
    labels = network.predict(X)
    assert labels.shape == (N,) and labels.dtype == np.int64
    np.testing.assert_array_equal(labels, p.argmax(axis=1))
    wrong = np.where(np.arange(N) < 3, (labels + 1) % 3, labels)
    for targets in (wrong, wrong.astype(float), wrong.tolist(), np.eye(3)[wrong], 0.8 * np.eye(3)[wrong] + 0.2 / 3):
        assert network.accuracy(X, targets) == (N - 3) / N


@both(ONE)
def test_one_sigmoid(network):
    z = X @ network.layers[0].W + 0.1
    p = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(network(X), p if network.squashed else z, rtol=1e-12)
    np.testing.assert_allclose(network.predict_proba(X), np.hstack([1 - p, p]), rtol=1e-12)
    answers = network.predict(X)
    assert answers.shape == (N,) and answers.dtype == np.int64 and 0 < answers.sum() < N
    np.testing.assert_array_equal(answers, p[:, 0] > 0.5)
    wrong = np.where(np.arange(N) < 2, 1 - answers, answers)
    for targets in (wrong, wrong[:, None], wrong == 1, wrong.astype(np.float32), wrong.tolist()):
        assert network.accuracy(X, targets) == (N - 2) / N


@both(SEVERAL)
def test_several_sigmoids(network):
    z = X @ network.layers[0].W + 0.1
    p = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(network.predict_proba(X), p, rtol=1e-12)
    answers = network.predict(X)
    assert answers.shape == (N, 3) and answers.dtype == np.int64
    np.testing.assert_array_equal(answers, p > 0.5)
    targets = answers.copy()
    targets[0, 0] ^= 1
    targets[1] ^= 1  # three wrong answers, one wrong row
    assert network.accuracy(X, targets) == (N - 2) / N


@pytest.mark.parametrize("K", [1, 3])
def test_identity(K):
    network = net(K, "identity")
    np.testing.assert_array_equal(network.predict(X), network(X))
    assert network.predict(X).shape == (N, K)
    for method in (network.predict_proba, lambda x: network.accuracy(x, np.zeros((N, K)))):
        with pytest.raises(cr.ConfigurationError, match=r"needs a classifier.*output='identity'.*R2 on predict"):
            method(X)
    assert network.evaluate(X, np.zeros((N, K)), cr.MSE()).keys() == {"loss"}


@pytest.mark.parametrize("K", [1, 3])
def test_rates(K):
    """A network that learns log rates answers with rates, and is judged by them where values are compared."""
    network, counts = net(K, "exp"), np.random.default_rng(1).poisson(2.0, (N, K))
    log_rates = X @ network.layers[0].W + 0.1
    np.testing.assert_allclose(network(X), log_rates, rtol=1e-12)
    np.testing.assert_allclose(network.predict(X), np.exp(log_rates), rtol=1e-12)
    assert network.predict(X).shape == (N, K)
    for method in (network.predict_proba, lambda x: network.accuracy(x, counts)):
        with pytest.raises(cr.ConfigurationError, match=r"needs a classifier.*output='exp'.*R2 on predict"):
            method(X)
    measured = network.evaluate(X, counts, "poisson", metrics={"largest": lambda y, answers: answers.max()})
    assert measured == {"loss": cr.Poisson()(log_rates, counts)[0], "largest": np.exp(log_rates).max()}
    for loss in (cr.MAE(), cr.MSE(), cr.Poisson(log_input=False)):
        expected = pytest.approx(loss(np.exp(log_rates), counts)[0], rel=1e-12)
        assert network.evaluate(X, counts, loss) == {"loss": expected}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_rate_that_does_not_fit_is_refused_without_a_warning(dtype):
    network = cr.Network(cr.Linear(1, 2), output="exp", dtype=dtype)
    network.layers[0].W = [[1.0, 0.5]]
    largest = np.log(np.finfo(dtype).max)
    assert np.isfinite(network.predict([[largest - 1]])).all()
    for ask in (network.predict, lambda x: network.evaluate(x, [[1, 1]] * 3, "mae")):
        with pytest.raises(cr.DataError, match=rf"rate e\^\d+\S* is not finite in {dtype}, first for row 2"):
            ask([[0.0], [largest - 1], [largest + 1]])
    assert network.evaluate([[largest + 1]], [[1, 1]], "poisson") == {"loss": np.inf}


def test_at_exactly_one_half_the_answer_is_no():
    network = cr.Network(cr.Linear(1, 1), output="sigmoid")
    network.params[:] = 0
    assert network.predict([[1.0]]) == 0
    np.testing.assert_array_equal(network.predict_proba([[1.0]]), [[0.5, 0.5]])


@pytest.mark.parametrize("networks", [SOFTMAX, ONE, SEVERAL], ids=["softmax", "one sigmoid", "several"])
def test_logits_and_probabilities_answer_the_same(networks):
    logits, squashed = networks.values()
    np.testing.assert_allclose(logits.predict_proba(X), squashed.predict_proba(X), rtol=1e-12)
    np.testing.assert_array_equal(logits.predict(X), squashed.predict(X))


@pytest.mark.parametrize(
    ("loss", "K", "y", "output"),
    [
        ("cross_entropy", 3, np.arange(N) % 3, "softmax"),
        ("binary_cross_entropy", 1, np.arange(N) % 2, "sigmoid"),
        ("binary_cross_entropy", 3, X[:, :3] > 0, "sigmoid"),
        ("mse", 2, X[:, :2], "identity"),
        ("mae", 2, X[:, :2], "identity"),
        (cr.Quantile((0.1, 0.9)), 2, X[:, :1], "identity"),
        ("poisson", 2, np.abs(X[:, :2]), "exp"),
        (cr.Poisson(log_input=False), 2, np.abs(X[:, :2]), "identity"),
    ],
)
def test_the_loss_tells_the_task(loss, K, y, output):
    network = cr.MLP([4, K])
    if repr(loss) == "Poisson(log_input=False)":
        network = cr.Network(cr.Linear(4, K), cr.Sigmoid())  # rates between 0 and 1
    assert network.output is None
    trainer = cr.Trainer(network, loss)
    history = trainer.fit(X, y)
    assert network.output == output and f"output={output!r}" in repr(network)
    classifies = output in ("softmax", "sigmoid")
    assert ("accuracy" in history.columns) == classifies
    measured = network.evaluate(X, y, trainer.loss)
    assert measured["loss"] == pytest.approx(trainer.loss(network(X), y)[0])
    if classifies:
        assert measured["accuracy"] == network.accuracy(X, y)


def test_a_yes_or_no_network_may_learn_by_squared_error():
    network = cr.Network(cr.Linear(2, 1), cr.Sigmoid(), output="sigmoid")
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [0], [0], [1]]
    history = cr.Trainer(network, "mse", cr.Adam(0.3)).fit(x, y, epochs=150)
    assert network.accuracy(x, y) == 1.0 == history["accuracy"][-1]


def test_a_network_without_a_task_says_so():
    network = cr.MLP([4, 3])
    for method in (network.predict_proba, lambda x: network.accuracy(x, np.zeros(N, int))):
        with pytest.raises(cr.ConfigurationError, match="does not know its task yet"):
            method(X)


def test_a_network_without_a_task_predicts_nothing():
    with pytest.raises(cr.ConfigurationError, match="does not know its task yet"):
        cr.MLP([4, 3]).predict(X)


@pytest.mark.parametrize(("output", "loss"), [("softmax", "CrossEntropy"), ("sigmoid", "BinaryCrossEntropy")])
def test_unfit_targets(output, loss):
    """They are read as the loss of the task reads them, so they are refused in its words."""
    network = net(3, output)
    for shape in ((N - 1,), (N, 1, 3)):
        with pytest.raises(cr.ShapeError) as caught:
            network.accuracy(X, np.zeros(shape, int))
        message = str(caught.value)
        assert message.startswith(f"{loss}: expected targets of") and "(11, 3)" in message
        assert f"received {shape}." in message
    with pytest.raises(cr.DataError, match="targets: expected one for each row of x, received 0"):
        network.accuracy(X, 0)
    with pytest.raises(cr.LabelError, match="astype"):
        network.accuracy(X, ["1"] * N)


@pytest.mark.parametrize(
    ("output", "ending"),
    [("softmax", cr.Sigmoid()), ("sigmoid", cr.Softmax()), ("exp", cr.Softmax()), ("exp", cr.Sigmoid())],
    ids=repr,
)
def test_a_contradiction_between_task_and_last_layer_is_refused(output, ending):
    with pytest.raises(cr.ConfigurationError, match="output"):
        cr.Network(cr.Linear(4, 3), ending, output=output)


def test_one_sigmoid_at_every_position():
    network = cr.Network(cr.Linear(4, 1), in_shape=(5, 4), output="sigmoid")
    assert network.predict_proba(np.zeros((N, 5, 4))).shape == (N, 5, 2)


def test_positions_are_answered_one_by_one():
    x = np.random.default_rng(3).standard_normal((N, 5, 4))
    network = cr.Network(cr.Linear(4, 3), in_shape=(5, 4), output="softmax")
    labels = network.predict(x)
    assert labels.shape == (N, 5) and network.predict_proba(x).shape == (N, 5, 3)
    np.testing.assert_array_equal(labels, network(x).argmax(axis=2))
    with pytest.raises(cr.ShapeError, match=r"outputs of shape \(N, K\).*received \(11, 5, 3\). Put Flatten"):
        network.accuracy(x, labels)  # losses, and what is counted by them, take rows alone


def test_answers_are_never_read_off_nan():
    network = net(3, "softmax")
    network.params[:] = np.nan
    for method in (network.predict, network.predict_proba, lambda x: network.accuracy(x, np.zeros(N, int))):
        with pytest.raises(cr.DataError, match=r"output is not finite, first for row 0."):
            method(X)


def test_an_infinity_that_an_activation_squashes_is_refused_all_the_same():
    network = cr.MLP([2, 4, 2], "sigmoid", output="softmax")
    with pytest.raises(cr.DataError, match="contains infinity, first in row 0, column 0"):
        network.predict([[np.inf, 1.0]])


def test_soft_yes_or_no_targets_count_as_the_nearer_answer():
    network = cr.MLP([2, 1], output="sigmoid")
    x = np.array([[5.0, 5.0], [-5.0, -5.0]])
    answers = network.predict(x)
    assert network.accuracy(x, np.where(answers, 0.9, 0.1)) == 1.0
