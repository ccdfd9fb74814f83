"""scikit-learn's displays take a network as it is, where scikit-learn is installed."""

import numpy as np
import pytest

import chainrule as cr

pytest.importorskip("sklearn")
matplotlib = pytest.importorskip("matplotlib")

X = np.random.default_rng(0).standard_normal((40, 2))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True)
def no_display(monkeypatch):
    matplotlib.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def taught(output_width=2):
    network = cr.MLP([2, output_width], output="softmax" if output_width > 1 else "sigmoid")
    cr.Trainer(network, "cross_entropy" if output_width > 1 else "binary_cross_entropy", "adam").fit(X, Y, epochs=30)
    return network


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("method", ["auto", "predict", "predict_proba"])
def test_decision_boundary(width, method):
    from sklearn.inspection import DecisionBoundaryDisplay

    shown = DecisionBoundaryDisplay.from_estimator(taught(width), X, response_method=method, grid_resolution=20)
    assert np.ptp(shown.response) > 0


@pytest.mark.parametrize("width", [1, 2])
def test_displays_of_metrics(width):
    from sklearn.calibration import CalibrationDisplay
    from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay

    network = taught(width)
    matrix = ConfusionMatrixDisplay.from_estimator(network, X, Y).confusion_matrix
    np.testing.assert_array_equal(matrix, cr.metrics.confusion_matrix(Y, network.predict(X)))
    for display in (RocCurveDisplay, PrecisionRecallDisplay, CalibrationDisplay):
        display.from_estimator(network, X, Y)


def test_a_network_is_not_fitted_by_scikit_learn():
    with pytest.raises(cr.ConfigurationError, match="Trainer"):
        cr.MLP([2, 2]).fit(X, Y)


def test_only_a_classifier_has_classes():
    np.testing.assert_array_equal(cr.MLP([2, 3], output="softmax").classes_, [0, 1, 2])
    np.testing.assert_array_equal(cr.MLP([2, 1], output="sigmoid").classes_, [0, 1])
    for output in ("identity", "exp"):
        network = cr.MLP([2, 1], output=output)
        assert not hasattr(network, "classes_")
        assert network.__sklearn_tags__().estimator_type == "regressor"
