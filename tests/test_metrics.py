"""Confusion counts against a loop that cannot be wrong, every other metric against scikit-learn's."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import metrics
from chainrule.errors import ConfigurationError, DataError, LabelError, ShapeError
from chainrule.metrics import Confusion, confusion_matrix, most_confused, wilson_interval


def test_counts_equal_those_of_a_loop():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 7, (2, 500))
    expected = np.zeros((7, 7), int)
    for i, j in zip(true, predicted, strict=True):
        expected[i, j] += 1
    assert (confusion_matrix(true, predicted) == expected).all()


def test_classes_that_do_not_occur_have_rows_of_zeros():
    assert confusion_matrix([0], [1], classes=3).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert confusion_matrix([], [], classes=2).tolist() == [[0, 0], [0, 0]]


def test_targets_are_counted_in_every_form_that_the_losses_take():
    labels, predicted = np.array([0, 1, 1]), [0, 1, 0]
    expected = [[1, 0], [1, 1]]
    for true in (labels, labels[:, None], labels == 1, np.eye(2)[labels], 0.8 * np.eye(2)[labels] + 0.1):
        assert confusion_matrix(true, predicted).tolist() == expected


def test_small_label_types_do_not_overflow():
    labels = np.array([200, 255], "uint8")
    assert confusion_matrix(labels, labels)[255, 255] == 1


def test_most_confused_is_sorted_and_leaves_out_what_is_right():
    true, predicted = [4] * 5 + [3] * 3 + [0], [9] * 4 + [4] + [5] * 3 + [0]
    assert most_confused(true, predicted) == [Confusion(4, 9, 4), Confusion(3, 5, 3)]
    assert most_confused(true, predicted, k=1) == [Confusion(4, 9, 4)]
    assert most_confused([1, 2], [1, 2]) == []


def test_ties_come_in_the_order_of_the_labels():
    assert most_confused([2, 1, 0], [0, 0, 1]) == [Confusion(0, 1, 1), Confusion(1, 0, 1), Confusion(2, 0, 1)]


@pytest.mark.parametrize(
    ("true", "predicted", "options", "error", "text"),
    [
        ([0, 1], [0], {}, ShapeError, "one prediction for each target"),
        ([0.5, 1.0], [0, 1], {}, LabelError, "y_true: expected labels, whole numbers, received 0.5"),
        ([0, 1], np.eye(2), {}, ShapeError, r"y_pred.argmax\(axis=1\)"),
        (np.eye(2), np.eye(2), {}, LabelError, "one label a row"),
        ([0, -1], [0, 1], {}, LabelError, "from 0 up, received -1"),
        ([0, 5], [0, 1], {"classes": 3}, LabelError, "from 0 to 2, received 5"),
        ([0, 1], [0, 1], {"classes": 0}, ConfigurationError, "classes must be a whole number"),
    ],
)
def test_labels_that_cannot_be_counted(true, predicted, options, error, text):
    with pytest.raises(error, match=text):
        confusion_matrix(true, predicted, **options)


# Beside scikit-learn --------------------------------------------------------------------------------------------------
# A case is drawn from a seed: many rows or one, classes that one side lacks, one class alone, ties, weights or none.

SEEDS = range(60)
AVERAGES = ("macro", "micro", "weighted", None)


@pytest.fixture(scope="module")
def peer():
    return pytest.importorskip("sklearn.metrics")


def draw(seed):
    """A generator, how many rows, how many classes, and weights, some of them 0, or None."""
    rng = np.random.default_rng(seed)
    N, K = (1 if seed % 10 == 0 else int(rng.integers(2, 40))), int(rng.integers(1, 7))
    weights = rng.integers(0, 3, N) + 0.5 * (np.arange(N) == 0) if seed % 3 else None
    return rng, N, K, weights


def same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore:y_pred contains classes:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label:UserWarning")
def test_labels_are_judged_as_by_scikit_learn(seed, peer):
    rng, N, K, w = draw(seed)
    true, predicted = rng.integers(0, K, N), rng.integers(0, K + seed % 2, N) - seed % 4 // 3
    same(metrics.accuracy(true, predicted, w), peer.accuracy_score(true, predicted, sample_weight=w))
    same(metrics.balanced_accuracy(true, predicted, w), peer.balanced_accuracy_score(true, predicted, sample_weight=w))
    check_averages(true, predicted, w, AVERAGES, peer)
    check_averages(true > 0, predicted > 0, w, ("binary",), peer)


@pytest.mark.parametrize("seed", SEEDS)
def test_several_answers_a_row_are_judged_as_by_scikit_learn(seed, peer):
    rng, N, K, w = draw(seed)
    true, predicted = rng.random((2, N, K + 1)) < rng.random()
    same(metrics.accuracy(true, predicted, w), peer.accuracy_score(true, predicted, sample_weight=w))
    check_averages(true, predicted, w, AVERAGES, peer)


def check_averages(true, predicted, w, averages, peer):
    pairs = {"precision": peer.precision_score, "recall": peer.recall_score, "f1": peer.f1_score}
    for name, theirs in pairs.items():
        for average in averages:
            expected = theirs(true, predicted, average=average, sample_weight=w, zero_division=0)
            same(getattr(metrics, name)(true, predicted, average, w), expected)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("steps", [4, 10**6], ids=["many ties", "few ties"])
@pytest.mark.filterwarnings("ignore:Only one class::sklearn")
def test_roc_auc_is_that_of_scikit_learn(seed, steps, peer):
    rng, N, K, w = draw(seed)
    w = None if w is None else w + 0.1
    K += 2
    true, several = rng.integers(0, K, N), rng.random((N, K)) < 0.5
    scores = rng.integers(1, steps, (N, K)) / steps
    shares = scores / scores.sum(axis=1, keepdims=True)
    same(metrics.roc_auc(true > 0, scores[:, 0] - 9, w), peer.roc_auc_score(true > 0, scores[:, 0], sample_weight=w))
    same(metrics.roc_auc(several, scores, w), peer.roc_auc_score(several, scores, sample_weight=w))
    expected = peer.roc_auc_score(true, shares, multi_class="ovr", labels=range(K), sample_weight=w)
    same(metrics.roc_auc(true, shares, w), expected)
    same(metrics.roc_auc(np.eye(K)[true], shares, w), expected)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore:'k' .* greater:sklearn.exceptions.UndefinedMetricWarning")
def test_top_k_accuracy_is_that_of_scikit_learn_ties_and_all(seed, peer):
    rng, N, K, w = draw(seed)
    K += 2
    true, scores = rng.integers(0, K, N), rng.integers(0, 4, (N, K))
    for k in range(1, K + 1):
        expected = peer.top_k_accuracy_score(true, scores, k=k, labels=range(K), sample_weight=w)
        same(metrics.top_k_accuracy(true, scores, k, w), expected)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.filterwarnings("ignore:R.2 score is not:sklearn.exceptions.UndefinedMetricWarning")
def test_numbers_are_judged_as_by_scikit_learn(seed, peer):
    rng, N, K, w = draw(seed)
    true, predicted = rng.standard_normal((2, N, K))
    if seed % 4 == 1:
        true[:, 0] = 2.0  # constant, the predictions wrong
    if seed % 4 == 2:
        true[:, 0] = predicted[:, 0] = 2.0  # constant, the predictions right
    pairs = {"mae": "mean_absolute_error", "rmse": "root_mean_squared_error", "r2": "r2_score"}
    for ours, theirs in pairs.items():
        for y, answers in ((true, predicted), (true[:, 0], predicted[:, 0]), (true[:, 0], predicted[:, :1])):
            same(getattr(metrics, ours)(y, answers, w), getattr(peer, theirs)(y, answers, sample_weight=w))


def test_a_constant_that_its_rounded_mean_misses_is_still_constant():
    y = np.full(3, 0.1)
    assert y.mean() != 0.1
    assert metrics.r2(y, y) == 1
    assert metrics.r2(y, y + 1) == 0


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_numbers_are_compared_in_double_precision(dtype):
    y, answers = np.array([200, 3], dtype), np.array([3, 200], dtype)
    assert (metrics.mae(y, answers), metrics.rmse(y, answers), metrics.r2(y, answers)) == (197, 197, -3)


# What networks answer -------------------------------------------------------------------------------------------------

X = np.random.default_rng(0).standard_normal((50, 3))
FORMS = {  # the output -> the width, and targets in every form that its loss takes
    "softmax of 4": (4, "softmax", lambda labels: [labels, np.eye(4)[labels], 0.6 * np.eye(4)[labels] + 0.1]),
    "softmax of 2": (2, "softmax", lambda labels: [labels % 2, np.eye(2)[labels % 2]]),
    "one sigmoid": (1, "sigmoid", lambda labels: [labels % 2, labels[:, None] % 2, labels[:, None] % 2 * 0.8 + 0.1]),
    "4 sigmoids": (4, "sigmoid", lambda labels: [labels[:, None] != range(4), (labels[:, None] != range(4)) * 0.8]),
}


NAMES = ["accuracy", "precision", "recall", "f1", "roc_auc"]
FOR_ONE_ANSWER = ["balanced_accuracy", "top_k_accuracy"]


@pytest.mark.parametrize(
    ("form", "name"),
    [(form, name) for form in FORMS for name in NAMES + (FOR_ONE_ANSWER if form != "4 sigmoids" else [])],
)
def test_every_metric_takes_what_a_network_answers_and_what_its_loss_takes(form, name):
    K, output, forms = FORMS[form]
    network, metric = cr.MLP([3, K], output=output, seed=1), getattr(metrics, name)
    views = {"classes": network.predict, "probabilities": network.predict_proba}
    answers = views[metric.wants](X)
    options = {"k": 1} if name == "top_k_accuracy" else {}
    values = {metric(y, answers, **options) for y in forms(np.random.default_rng(2).integers(0, 4, 50))}
    assert len(values) == 1 and 0 < values.pop() < 1


@pytest.mark.parametrize(("K", "output", "forms"), FORMS.values(), ids=FORMS)
def test_accuracy_is_that_of_the_network(K, output, forms):
    network = cr.MLP([3, K], output=output, seed=1)
    for y in forms(np.random.default_rng(2).integers(0, 4, 50)):
        assert metrics.accuracy(y, network.predict(X)) == network.accuracy(X, y)


def test_soft_rows_without_a_majority_count_for_their_largest_entry():
    rows, scores = [[0.4, 0.3, 0.3], [0.3, 0.4, 0.3], [0.3, 0.3, 0.4]], np.eye(3)
    assert metrics.roc_auc(rows, scores) == metrics.top_k_accuracy(rows, scores, 1) == metrics.accuracy(rows, range(3))


def test_of_two_labels_the_larger_is_scored_whatever_they_are():
    scores = [0.1, 0.4, 0.35, 0.8]
    for low, high in ((0, 1), (-1, 1), (1, 2)):
        assert metrics.roc_auc([low, low, high, high], scores) == 0.75
        assert metrics.roc_auc(np.array([[low], [low], [high], [high]]) > low, np.array(scores)[:, None]) == 0.75


def test_a_metric_says_what_it_wants_to_see():
    assert metrics.roc_auc.wants == metrics.top_k_accuracy.wants == "probabilities"
    with pytest.raises(ConfigurationError, match=r"view 'probability' is unknown\. Did you mean 'probabilities'"):
        metrics.wants("probability")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: metrics.accuracy(["a", "b"], ["a", "b"]), LabelError, "np.unique"),
        (lambda: metrics.accuracy([0, 1], ["a", "b"]), LabelError, "np.unique"),
        (lambda: metrics.accuracy([0, 1], [0.2, 0.9]), LabelError, r"y_pred: expected labels.*0.2.*say y_pred > 0.5"),
        (lambda: metrics.accuracy([0, 1], [0, np.nan]), LabelError, "y_pred: expected labels"),
        (lambda: metrics.accuracy([0, 1e300], [0, 1]), LabelError, "y_true: expected labels"),
        (lambda: metrics.accuracy([0, 1], [[0.2, 0.8], [0.1, 0.9]]), ShapeError, r"y_pred.argmax\(axis=1\)"),
        (lambda: metrics.accuracy(np.eye(2), [[0.2, 0.8], [0.1, 0.9]]), LabelError, "say y_pred > 0.5"),
        (lambda: metrics.accuracy(np.ones((2, 2)), [0, 1]), LabelError, "Several answers may be right"),
        (lambda: metrics.accuracy([], []), DataError, "0 sample"),
        (lambda: metrics.accuracy([0, 1], [0, 1], [1, -1]), DataError, "weights: expected finite numbers"),
        (lambda: metrics.accuracy([0, 1], [0, 1], [1]), ShapeError, "weights: expected 2 numbers"),
        (lambda: metrics.balanced_accuracy(np.eye(2), np.eye(2)), LabelError, "Take recall"),
        (lambda: metrics.f1([0, 1], [0, 1], "makro"), ConfigurationError, "Did you mean 'macro'"),
        (lambda: metrics.f1([0, 2], [0, 1], "binary"), ConfigurationError, r"binary.*\[0 1 2\].*'macro'"),
        (lambda: metrics.f1(np.eye(2), np.eye(2), "binary"), ConfigurationError, "'macro'"),
        (
            lambda: metrics.top_k_accuracy([0, 1], np.eye(2)),
            ConfigurationError,
            r"k must be .* in \[1, 2\], received 5",
        ),
        (lambda: metrics.top_k_accuracy([0, 2], np.eye(2), 1), LabelError, r"labels must be 0..1"),
        (lambda: metrics.top_k_accuracy([0, 1], [0, 1], 1), ShapeError, "predict_proba"),
        (lambda: metrics.top_k_accuracy(np.ones((2, 2)), np.eye(2), 1), LabelError, "Several answers may be right"),
        (lambda: metrics.roc_auc([0, 1, 2], [0.1, 0.2, 0.3]), LabelError, "3 labels, but.*predict_proba"),
        (lambda: metrics.roc_auc([0, 1, 1], [0.1, 0.2]), ShapeError, "one score for each target"),
        (lambda: metrics.roc_auc([0, 1], [0.1, np.nan]), DataError, "scores contains NaN"),
        (lambda: metrics.roc_auc([0, 1, 3], np.eye(3)), LabelError, r"labels must be 0\.\.2"),
        (lambda: metrics.roc_auc([], []), DataError, "0 sample"),
        (lambda: metrics.mae([0, 1], [[0, 1], [0, 1]]), ShapeError, "one prediction for each target"),
        (lambda: metrics.rmse([0, 1], [[[0]], [[1]]]), ShapeError, r"y_pred: expected shape \(N,\) or \(N, K\)"),
        (lambda: metrics.r2([0, np.inf], [0, 1]), DataError, "y_true contains infinity"),
        (lambda: metrics.r2([], []), DataError, "0 sample"),
        (lambda: wilson_interval(0, 0), ConfigurationError, "trials must be"),
        (lambda: wilson_interval(3, 2), ConfigurationError, r"successes must be a whole number in \[0, 2\]"),
    ],
)
def test_what_cannot_be_measured(call, error, text):
    with pytest.raises(error, match=text):
        call()


# The interval of a share ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (10, 10), (39, 64), (1, 1), (50, 100)])
def test_the_interval_of_a_share(successes, trials):
    stats = pytest.importorskip("scipy.stats")
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-5)


def test_the_interval_holds_the_truth_about_95_times_in_100():
    rng, n, share = np.random.default_rng(0), 64, 0.6
    counts = rng.binomial(n, share, 5000)
    held = [low <= share <= high for low, high in (wilson_interval(count, n) for count in counts.tolist())]
    assert 0.94 < np.mean(held) < 0.97
