"""Losses: gradients by differences, weights and totals, labels in every form, and numbers that would overflow."""

import json
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule.configurable import from_json, to_json

N, K = 7, 5
rng = np.random.default_rng(0)
LABELS = rng.integers(0, K, N)
ONE_HOT = np.eye(K)[LABELS]
SOFT = rng.dirichlet(np.ones(K), N)
BITS = rng.integers(0, 2, (N, K))
VALUES = rng.standard_normal((N, K))
COUNTS = rng.poisson(2.0, (N, K))
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
    "SquaredError()": VALUES,
    "MSE()": VALUES,
    "AbsoluteError()": VALUES,
    "MAE()": VALUES,
    "Huber()": VALUES,
    "Huber(delta=0.3)": VALUES,
    "Quantile()": VALUES,
    "Quantile(0.9)": VALUES,
    "Quantile((0.05, 0.25, 0.5, 0.8, 0.99))": VALUES[:, :1],
    "Poisson()": COUNTS,
    "Poisson(full=True)": COUNTS,
    "Poisson(log_input=False)": COUNTS,
    "Poisson(log_input=False, full=True)": rng.random((N, K)) * 3,
}


@pytest.fixture(params=CASES, ids=str.strip)
def case(request):
    return request.param


def make(case):
    return eval(case, vars(cr))


def outputs_for(case, n=N, dtype="float64"):
    z = np.random.default_rng(1).standard_normal((n, K)).astype(dtype)
    return cr.softmax(z) if "from_probabilities" in case else np.exp(z) if "log_input=False" in case else z


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
    again = from_json(json.loads(json.dumps(to_json(loss))), {type(loss).__name__: type(loss)})
    for other in (eval(repr(loss), vars(cr)), loss.clone(), again):
        assert repr(other) == repr(loss)
        assert other.config() == loss.config()
        assert other.output == loss.output


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


# Numbers and classes --------------------------------------------------------------------------------------------------


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


def test_outputs_that_are_said_to_be_probabilities_must_be():
    loss = cr.CrossEntropy(from_probabilities=True)
    for row in ([2.0, 1.0, 0.1], [0.5, 0.3, 0.1], [1.1, -0.1, 0.0], [np.nan, 0.5, 0.5]):
        with pytest.raises(cr.DataError, match=r"expected outputs that are probabilities, but row 1 is .*Softmax\(\)"):
            loss([[0.2, 0.3, 0.5], row], [0, 1])
    for dtype in ("float16", "float32", "float64"):
        loss(cr.softmax(np.random.default_rng(0).standard_normal((50, 100)).astype(dtype)), np.arange(50))


def test_a_network_of_logits_is_not_evaluated_as_one_of_probabilities():
    network = cr.MLP([4, 3], output="softmax")
    with pytest.raises(cr.DataError, match="probabilities"):
        network.evaluate(np.ones((2, 4)), [0, 1], cr.CrossEntropy(from_probabilities=True))


# Misses of numbers ----------------------------------------------------------------------------------------------------

REGRESSIONS = [cr.AbsoluteError(), cr.Huber(2.0), cr.Quantile(0.9), cr.Quantile((0.9,))]


def test_misses_by_hand():
    outputs, targets = np.array([[1.0], [-5.0], [0.0], [3.0]]), np.array([[0.0], [0.0], [0.0], [5.0]])  # 1, -5, 0, -2
    expected = {
        "AbsoluteError()": (1 + 5 + 0 + 2, [1, -1, 0, -1]),
        "Huber(2.0)": (0.5 + 2 * (5 - 1) + 0 + 2, [1, -2, 0, -2]),  # at delta both formulas say delta^2 / 2
        "Quantile(0.9)": (0.1 * 1 + 0.9 * 5 + 0 + 0.9 * 2, [0.1, -0.9, 0, -0.9]),
        "Quantile((0.9,))": (0.1 * 1 + 0.9 * 5 + 0 + 0.9 * 2, [0.1, -0.9, 0, -0.9]),
    }
    for loss in REGRESSIONS:
        total, slopes = expected[repr(loss)]
        value, gradient = loss(outputs, targets)
        assert value == pytest.approx(total / 4, rel=1e-15)
        np.testing.assert_allclose(gradient.ravel(), np.array(slopes) / 4, rtol=1e-14)


@pytest.mark.parametrize("loss", REGRESSIONS, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_misses_stay_finite_and_pull_no_harder_than_others(loss, dtype):
    outputs = np.array([[1e30], [-1e30], [7.0]], dtype)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, gradient = loss(outputs, np.zeros((3, 1)))
    assert 0.1e30 / 3 < value < 4e30
    assert gradient[0] == gradient[2]


@pytest.mark.parametrize("loss", REGRESSIONS, ids=repr)
def test_where_nothing_is_missed_nothing_pulls(loss):
    value, gradient = loss(VALUES[:, :1], VALUES[:, :1])
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_huber_lies_between_squared_and_absolute_error():
    outputs = 3 * outputs_for("")
    wide, narrow = cr.Huber(1e6)(outputs, VALUES), cr.Huber(1e-9)(outputs, VALUES)
    squared, absolute = cr.MSE()(outputs, VALUES), cr.MAE()(outputs, VALUES)
    for part in (0, 1):
        np.testing.assert_allclose(wide[part], squared[part] / 2, rtol=1e-13)
        np.testing.assert_allclose(narrow[part] / 1e-9, absolute[part], rtol=1e-8)


# Quantiles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.05, 0.37, 0.5, 0.9])
@pytest.mark.parametrize("n", [1, 10, 57])
def test_no_constant_has_less_quantile_loss_than_the_empirical_quantile(q, n):
    sample = np.random.default_rng(n).standard_cauchy((n, 1))
    best = np.quantile(sample, q, method="inverted_cdf")

    def of(constant):
        return cr.Quantile(q)(np.full((n, 1), constant), sample)[0]

    candidates = np.unique(np.concatenate([sample.ravel(), sample.ravel() + 0.01, np.linspace(-5, 5, 101)]))
    values = np.array([of(c) for c in candidates])
    assert of(best) <= values.min() * (1 + 1e-12)
    far = np.abs(candidates - best) > np.ptp(sample)
    assert (values[far] > of(best)).all()


def test_the_median_is_half_the_absolute_error():
    value, gradient = cr.Quantile()(outputs_for(""), VALUES)
    absolute, slopes = cr.MAE()(outputs_for(""), VALUES)
    assert value == pytest.approx(absolute / 2, rel=1e-14)
    np.testing.assert_allclose(gradient, slopes / 2, rtol=1e-14)


def test_several_quantiles_are_the_mean_of_each_alone():
    outputs, quantiles = outputs_for(""), (0.05, 0.25, 0.5, 0.8, 0.99)
    value, gradient = cr.Quantile(quantiles)(outputs, VALUES[:, :1])
    alone = [cr.Quantile(q)(outputs[:, [k]], VALUES[:, :1]) for k, q in enumerate(quantiles)]
    assert value == pytest.approx(np.mean([each for each, _ in alone]), rel=1e-14)
    np.testing.assert_allclose(gradient, np.hstack([each for _, each in alone]) / K, rtol=1e-14)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_it_is_the_pinball_loss_of_scikit_learn(q):
    mean_pinball_loss = pytest.importorskip("sklearn.metrics").mean_pinball_loss
    outputs, weights = outputs_for(""), np.arange(N)
    expected = mean_pinball_loss(VALUES, outputs, alpha=q, sample_weight=weights)
    assert cr.Quantile(q)(outputs, VALUES, weights)[0] == pytest.approx(expected, rel=1e-13)


def test_the_quantiles_may_come_in_any_sequence():
    for given in ([0.1, 0.9], (0.1, 0.9), np.array([0.1, 0.9])):
        assert repr(cr.Quantile(given)) == "Quantile((0.1, 0.9))"
    assert repr(cr.Quantile(np.float32(0.25))) == "Quantile(0.25)"


# Counts ---------------------------------------------------------------------------------------------------------------


def test_the_poisson_loss_is_the_negative_logarithm_of_the_probability():
    """Exactly so up to Stirling's formula, whose next term is 1 / (12 t)."""
    t, log_rate = np.array([[2.0], [7.0], [40.0]]), np.log([[3.0], [5.5], [33.0]])
    for row in range(3):
        count, z = t[row, 0], log_rate[row, 0]
        surprise = math.exp(z) - count * z + math.lgamma(count + 1)
        value, _ = cr.Poisson(full=True)(log_rate[row : row + 1], t[row : row + 1])
        assert value == pytest.approx(surprise - 1 / (12 * count), abs=1 / (300 * count**3))
        assert value - cr.Poisson()(log_rate[row : row + 1], t[row : row + 1])[0] > 0


def test_rates_and_log_rates_have_the_same_loss():
    z = outputs_for("")
    by_log, slopes_by_log = cr.Poisson()(z, COUNTS)
    by_rate, slopes_by_rate = cr.Poisson(log_input=False)(np.exp(z), COUNTS)
    assert by_rate == pytest.approx(by_log, rel=1e-6)  # but for the 1e-8 under the logarithm
    np.testing.assert_allclose(slopes_by_rate * np.exp(z), slopes_by_log, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_rates_far_out_are_what_they_are_without_a_warning(dtype):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, gradient = cr.Poisson()(np.array([[-1e4]], dtype), [[3]])
        assert (value, gradient.item()) == (3e4, -3.0)
        value, gradient = cr.Poisson()(np.array([[1e4]], dtype), [[3]])
        assert (value, gradient.item()) == (np.inf, np.inf)
        value, gradient = cr.Poisson(log_input=False)(np.zeros((1, 2), dtype), [[0, 3]])  # a rate of exactly 0
        assert value == pytest.approx(-1.5 * math.log(1e-8), rel=1e-6)
        np.testing.assert_allclose(gradient, [[0.5, -1.5e8]], rtol=1e-6)


def test_rates_below_zero_are_refused_at_the_border():
    for outputs in ([[1.0], [-0.5]], [[1.0], [np.nan]]):
        with pytest.raises(cr.DataError, match=r"rates of at least 0, but row 1 has (-0.5|nan). Log rates\?"):
            cr.Poisson(log_input=False)(outputs, [[1], [2]])
