"""What must stay the same whatever the numbers are: hypothesis draws them, the same ones in every run."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import chainrule as cr
from chainrule import border
from test_contract import CASES, network_of
from test_losses import CASES as LOSSES, make, outputs_for
from trainers import X, Y, everything, full_trainer

repeatable = settings(derandomize=True, database=None, deadline=None, max_examples=50)
seeds = st.integers(0, 9999)


def normals(*shape, seed):
    return np.random.default_rng(seed).standard_normal(shape)


# Losses ---------------------------------------------------------------------------------------------------------------


@repeatable
@given(n=st.integers(1, 9), k=st.integers(2, 9), shift=st.floats(-1e3, 1e3), seed=seeds)
def test_shifting_a_row_of_logits_changes_neither_softmax_nor_cross_entropy(n, k, shift, seed):
    z, labels = 3 * normals(n, k, seed=seed), np.arange(n) % k
    np.testing.assert_allclose(cr.softmax(z + shift), cr.softmax(z), rtol=1e-11, atol=1e-300)
    (loss, gradient), (shifted, shifted_gradient) = (cr.CrossEntropy()(each, labels) for each in (z, z + shift))
    assert shifted == pytest.approx(loss, rel=1e-11, abs=1e-12)
    np.testing.assert_allclose(shifted_gradient, gradient, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("case", LOSSES, ids=str.strip)
def test_rows_in_another_order_are_the_same_loss_and_their_gradients_in_that_order(case):
    outputs, targets, loss = outputs_for(case), LOSSES[case], make(case)

    @settings(repeatable, max_examples=20)
    @given(order=st.permutations(range(len(targets))), weighted=st.booleans())
    def check(order, weighted):
        weights = np.arange(1.0, len(targets) + 1) if weighted else None
        value, gradient = loss(outputs, targets, weights)
        again, permuted = loss(outputs[order], targets[order], weights[order] if weighted else None)
        assert again == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(permuted, gradient[order], rtol=1e-13)

    check()


# Layers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str.strip)
def test_the_gradient_of_the_mean_is_the_mean_of_the_gradients_of_the_rows(case):
    """In inference no row sees another, so the gradients of a batch are those of its rows, summed."""
    network = network_of(case)

    @settings(repeatable, max_examples=10)
    @given(n=st.integers(1, 9), seed=seeds)
    def check(n, seed):
        x = normals(n, *CASES[case], seed=seed)
        y, caches = network.forward(x)
        targets = normals(n, y[0].size, seed=seed + 1)
        _, dy = cr.MSE()(y.reshape(n, -1), targets)
        dx = network.backward(dy.reshape(y.shape), caches, need_dx=True).copy()
        whole, parts = network.grads.copy(), np.zeros_like(network.grads)
        for i in range(n):
            y, caches = network.forward(x[i : i + 1])
            _, dy = cr.MSE()(y.reshape(1, -1), targets[i : i + 1])
            dx_of_row = network.backward(dy.reshape(y.shape), caches, need_dx=True)
            np.testing.assert_allclose(dx_of_row[0] / n, dx[i], rtol=1e-10, atol=1e-13)
            parts += network.grads / n
        np.testing.assert_allclose(parts, whole, rtol=1e-10, atol=1e-13)

    check()


@repeatable
@given(n=st.integers(2, 20), width=st.integers(1, 7), seed=seeds)
def test_batch_norm_with_momentum_1_uses_what_it_trained_with(n, width, seed):
    """The running variance is the batch's times n / (n - 1): but for that, use and training are one formula."""
    network = cr.Network(cr.BatchNorm(momentum=1, epsilon=1e-3), in_shape=(width,), dtype="float64")
    (layer,) = network.layers
    network.params[...] = normals(2 * width, seed=seed)
    x = 2 * normals(n, width, seed=seed + 1) + 5
    y, caches = network.forward(x, train=True)
    network.update_state(caches)
    np.testing.assert_allclose(layer.running_mean, x.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(layer.running_variance, x.var(axis=0, ddof=1), rtol=1e-12)
    layer.running_variance = x.var(axis=0)
    np.testing.assert_allclose(network(x), y, rtol=1e-11, atol=1e-13)


# Networks and training ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-6), ("float64", 1e-14)])
def test_answers_do_not_depend_on_how_many_rows_are_taken_at_a_time(dtype, bound, monkeypatch):
    x = normals(40, 5, seed=0)
    network = cr.Network(cr.Linear(5, 7), cr.BatchNorm(), cr.SiLU(), cr.Linear(7, 3), output="softmax", dtype=dtype)
    answers = {}

    @repeatable
    @given(st.integers(1, 50))
    def check(batch):
        monkeypatch.setattr(border, "BATCH", batch)
        for name in ("predict", "predict_proba", "__call__"):
            got = getattr(network, name)(x)
            first = answers.setdefault(name, got)
            assert np.linalg.norm(got - first) <= bound * np.linalg.norm(first), name

    check()


@settings(repeatable, max_examples=15)
@given(
    k=st.integers(0, 3),
    m=st.integers(0, 3),
    batch_size=st.sampled_from([5, 6, 7, 23]),
    accumulate=st.integers(1, 3),
    optimizer=st.sampled_from(["SGD(0.1, momentum=0.9)", "Adam(0.01)"]),  # a schedule ends with the first call's epochs
)
def test_k_epochs_and_m_more_are_k_plus_m(k, m, batch_size, accumulate, optimizer):
    parts, whole = (full_trainer(batch_size=batch_size, accumulate=accumulate) for _ in "12")
    for trainer in (parts, whole):
        trainer.optimizer = eval(optimizer, vars(cr))
    parts.fit(X, Y, k)
    parts.fit(X, Y, m)
    whole.fit(X, Y, k + m)
    assert everything(parts) == everything(whole)
