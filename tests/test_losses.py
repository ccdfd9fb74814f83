"""Losses: gradients by differences, weights and totals, labels in every form, and numbers that would overflow."""

import numpy as np
import pytest

import chainrule as cr

N, K = 7, 5
rng = np.random.default_rng(0)
LABELS = rng.integers(0, K, N)
ONE_HOT = np.eye(K)[LABELS]
SOFT = rng.dirichlet(np.ones(K), N)
BITS = rng.integers(0, 2, (N, K))
CASES = {  # the code that makes the loss -> targets
    "CrossEntropy()": LABELS,
    "CrossEntropy() ": ONE_HOT,
    "CrossEntropy()  ": SOFT,
    "CrossEntropy(label_smoothing=0.1)": LABELS,
    "CrossEntropy(label_smoothing=0.1) ": SOFT,
    "CrossEntropy(from_probabilities=True)": LABELS,
    "CrossEntropy(label_smoothing=0.2, from_probabilities=True)": SOFT,
    "BinaryCrossEntropy()": BITS,
    "BinaryCrossEntropy() ": rng.random((N, K)),
    "SquaredError()": rng.standard_normal((N, K)),
    "MSE()": rng.standard_normal((N, K)),
}


@pytest.fixture(params=CASES, ids=str.strip)
def case(request):
    return request.param


def make(case):
    return eval(case, vars(cr))


def outputs_for(case, n=N, dtype="float64"):
    z = np.random.default_rng(1).standard_normal((n, K)).astype(dtype)
    return cr.softmax(z) if "from_probabilities" in case else z


def test_the_gradient_is_the_derivative(case):
    report = cr.check_gradients(make(case), outputs_for(case), CASES[case], show=False)
    assert report.passed, report


def test_weighted_gradients_are_derivatives_too(case):
    """By two-point differences: check_gradients knows no weights."""
    loss, outputs, weights = make(case), outputs_for(case), np.arange(N) / 3
    _, gradient = loss(outputs, CASES[case], weights)
    for index in np.ndindex(outputs.shape):
        moved = [outputs.copy(), outputs.copy()]
        moved[0][index] += 1e-6
        moved[1][index] -= 1e-6
        up, down = (loss(m, CASES[case], weights)[0] for m in moved)
        np.testing.assert_allclose(gradient[index], (up - down) / 2e-6, rtol=1e-6, atol=1e-8)


def test_weight_two_is_the_row_twice_and_weight_zero_is_the_row_left_out(case):
    loss, outputs, targets = make(case), outputs_for(case), CASES[case]
    counts = np.array([2, 1, 0, 1, 3, 1, 1])
    repeated = np.repeat(np.arange(N), counts)
    value, gradient = loss(outputs, targets, counts)
    value_again, gradient_again = loss(outputs[repeated], targets[repeated])
    assert value == pytest.approx(value_again, rel=1e-13)
    for row in range(N):
        np.testing.assert_allclose(gradient[row], gradient_again[repeated == row].sum(axis=0), rtol=1e-12, atol=1e-16)


def test_parts_with_the_whole_total_add_up(case):
    loss, outputs, targets = make(case), outputs_for(case), CASES[case]
    whole, gradient = loss(outputs, targets)
    parts = [loss(outputs[rows], targets[rows], total=N) for rows in (slice(0, 3), slice(3, N))]
    assert sum(value for value, _ in parts) == pytest.approx(whole, rel=1e-13)
    np.testing.assert_allclose(np.concatenate([g for _, g in parts]), gradient, rtol=1e-13)


def test_the_order_of_rows_does_not_matter(case):
    loss, outputs, targets = make(case), outputs_for(case), CASES[case]
    order = np.random.default_rng(3).permutation(N)
    assert loss(outputs[order], targets[order])[0] == pytest.approx(loss(outputs, targets)[0], rel=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept_and_nothing_is_written(case, dtype):
    outputs, targets = outputs_for(case, dtype=dtype), np.array(CASES[case])
    outputs.flags.writeable = targets.flags.writeable = False
    value, gradient = make(case)(outputs, targets)
    assert type(value) is float
    assert gradient.dtype == np.dtype(dtype)
    assert gradient.shape == outputs.shape


def test_constructor_round_trip(case):
    loss = make(case)
    assert repr(eval(repr(loss), vars(cr))) == repr(loss)
    assert loss.clone().config() == loss.config()


def test_cross_entropy_by_hand():
    # logits (ln 1, ln 3): probabilities 1/4 and 3/4. Label 0: loss ln 4, gradient (1/4 - 1, 3/4).
    value, gradient = cr.CrossEntropy()(np.log([[1.0, 3.0]]), [0])
    assert value == pytest.approx(np.log(4), rel=1e-15)
    np.testing.assert_allclose(gradient, [[-0.75, 0.75]], rtol=1e-15)


def test_one_hot_and_labels_agree():
    outputs = outputs_for("")
    for value_gradient in zip(cr.CrossEntropy()(outputs, LABELS), cr.CrossEntropy()(outputs, ONE_HOT), strict=True):
        np.testing.assert_array_equal(*value_gradient)


def test_smoothing_mixes_with_the_uniform_distribution():
    outputs, mixed = outputs_for(""), 0.7 * ONE_HOT + 0.3 / K
    smoothed, plain = cr.CrossEntropy(label_smoothing=0.3)(outputs, LABELS), cr.CrossEntropy()(outputs, mixed)
    assert smoothed[0] == pytest.approx(plain[0], rel=1e-14)
    np.testing.assert_allclose(smoothed[1], plain[1], rtol=1e-13, atol=1e-17)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e4, 1e30])
def test_huge_logits_stay_finite(dtype, size):
    z = np.array([[size, -size, 0.0], [-size, size, size]], dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for loss, targets in ((cr.CrossEntropy(), [0, 1]), (cr.BinaryCrossEntropy(), (z > 0).astype(int))):
            value, gradient = loss(z, targets)
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()
        assert cr.CrossEntropy()(z, [1, 0])[0] >= size  # as surprised as it should be, not clipped


def test_masked_classes_may_have_minus_infinity():
    z = np.array([[0.0, -np.inf, 0.0]])
    value, gradient = cr.CrossEntropy()(z, [0])
    assert value == pytest.approx(np.log(2))
    np.testing.assert_allclose(gradient, [[-0.5, 0, 0.5]])


def test_certain_and_wrong_probabilities_stay_finite():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, gradient = cr.CrossEntropy(from_probabilities=True)(np.array([[0.0, 1.0]], np.float32), [0])
    assert 80 < value < 90
    assert np.isfinite(gradient).all()


def test_shifting_all_logits_of_a_row_changes_nothing():
    z = outputs_for("")
    value, gradient = cr.CrossEntropy()(z, LABELS)
    shifted_value, shifted_gradient = cr.CrossEntropy()(z + np.arange(N)[:, None], LABELS)
    assert shifted_value == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(shifted_gradient, gradient, rtol=1e-12)


def test_binary_labels_may_be_a_plain_column():
    z = outputs_for("")[:, :1]
    assert cr.BinaryCrossEntropy()(z, BITS[:, 0])[0] == cr.BinaryCrossEntropy()(z, BITS[:, :1])[0]


def test_soft_rows_that_sum_nearly_to_one_are_made_to():
    thirds = np.full((N, 3), 0.333)
    report = cr.check_gradients(cr.CrossEntropy(), np.random.default_rng(1).standard_normal((N, 3)), thirds, show=False)
    assert report.passed, report
