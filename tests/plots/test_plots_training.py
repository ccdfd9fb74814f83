"""The course of training, and the exploration of a setting, show what was measured."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.errors import ConfigurationError
from chainrule.range_testing import RangeTest


def test_history_has_both_curves_in_both_panels_and_the_line_at_95(taught, texts):
    left, right = plots.history(taught.history)
    assert [line.get_label() for line in left.get_lines()] == ["train", "validation"]
    assert right.get_lines()[0].get_ydata().tolist() == [100 * value for value in taught.history["accuracy"]]
    assert 95 in [line.get_ydata()[0] for line in right.get_lines()]
    assert texts(right) == ["95 %"]


@pytest.mark.parametrize(("goal", "said"), [(0.985, ["98.5 %"]), (1, ["100 %"]), (None, [])])
def test_the_line_is_at_the_goal(goal, said, taught, texts):
    right = plots.history(taught.history, goal=goal)[1]
    assert [line.get_ydata()[0] for line in right.get_lines()[2:]] == [100 * goal for _ in said]
    assert texts(right) == said


@pytest.mark.parametrize("goal", [95, -0.1, "0.9", math.nan])
def test_a_goal_that_is_no_accuracy_is_refused(goal, taught):
    with pytest.raises(ConfigurationError, match=r"plots.history: goal must be a number in \[0, 1\], received"):
        plots.history(taught.history, goal=goal)


def test_history_of_a_regression_has_no_accuracy_and_one_without_an_epoch_nothing():
    history = cr.History()
    with pytest.raises(ConfigurationError, match="no epoch is finished"):
        plots.history(history)
    history.add_epoch({"epoch": 1, "loss": 0.5})
    left, right = plots.history(history)
    left.figure.canvas.draw()
    assert len(left.get_lines()) == 1
    assert not right.get_visible()


def test_learning_rates_show_the_mean_the_deviation_and_every_run(new_ax, texts):
    ax = plots.learning_rates({0.1: [0.9, 0.94, 0.95], 0.01: [0.5, 0.7], 1.0: [0.2]}, ax=new_ax())
    line, _, (bars,) = ax.containers[0]
    assert line.get_xdata().tolist() == [0.01, 0.1, 1.0]
    np.testing.assert_allclose(line.get_ydata(), [60, 93, 20])
    halves = [np.ptp(bar[:, 1]) / 2 for bar in bars.get_segments()]
    np.testing.assert_allclose(halves, [np.std([50, 70], ddof=1), np.std([90, 94, 95], ddof=1), 0], atol=1e-12)
    runs = [dots.get_ydata().tolist() for dots in ax.get_lines() if dots.get_marker() == "o" and dots is not line]
    assert [len(dots) for dots in runs] == [2, 3, 1]
    assert ax.get_xscale() == "log"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "validation accuracy (%)")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.01", "0.1", "1"]
    assert ax.get_title() == "Best: learning rate 0.1, 93.00 ± 2.65 %"
    assert texts(ax) == []


def test_learning_rates_count_what_diverged_and_average_the_rest(new_ax, texts):
    ax = plots.learning_rates({32: [0.5, math.nan, 0.7], 64: [math.nan]}, setting="hidden units", ax=new_ax())
    ax.figure.canvas.draw()
    np.testing.assert_allclose(ax.containers[0][0].get_ydata(), [60, math.nan])
    assert texts(ax) == ["1 of 3\ndiverged", "1 of 1\ndiverged"]
    assert ax.get_xlabel() == "hidden units"


def test_a_setting_of_zero_has_a_linear_scale_and_a_single_run_no_deviation(new_ax):
    ax = plots.learning_rates({0: 0.5, 0.2: 0.6}, setting="dropout", ax=new_ax())
    assert ax.get_xscale() == "linear"
    assert ax.get_title() == "Best: dropout 0.2, 60.00 %"
    assert plots.learning_rates({1: [math.nan]}, ax=new_ax()).get_title() == ""


def test_names_stand_in_their_order_and_no_line_joins_them(new_ax, texts):
    ax = plots.learning_rates({"tanh": [0.9, 0.92], "relu": [math.nan]}, setting="activation", ax=new_ax())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["tanh", "relu"]
    assert ax.containers[0][0].get_linestyle() == "None"
    assert ax.get_title() == "Best: activation tanh, 91.00 ± 1.41 %"
    assert texts(ax) == ["1 of 1\ndiverged"]
    assert ax.get_xlim() == (-0.5, 1.5)


def test_zero_and_powers_of_ten_stand_side_by_side(new_ax):
    ax = plots.learning_rates({0.01: [0.9], 0: [0.8], 1e-4: [0.7]}, setting="L2 penalty", ax=new_ax())
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "0.0001", "0.01"]
    assert np.diff(ax.get_xticks()).tolist() == [1, 1]


def test_a_run_far_from_the_others_is_in_sight(new_ax):
    ax = plots.learning_rates({0.1: [0.9] * 9 + [0.5]}, ax=new_ax())
    low, high = ax.get_ylim()
    assert low < 50 and high > 90


@pytest.mark.parametrize(
    ("results", "text"),
    [
        ({}, "expected {value: accuracies}"),
        ([0.1, 0.2], "expected {value: accuracies}"),
        ({"relu": [0.9], 0.1: [0.9]}, "a value must be a number"),
        ({"relu": [97.0]}, "from 0 to 1 for relu"),
        ({0.1: []}, r"from 0 to 1 for 0.1, received \[\]"),
        ({0.1: [97.0]}, r"from 0 to 1 for 0.1, received \[97.0\]"),
        ({0.1: [-0.1]}, "from 0 to 1"),
        ({0.1: [math.inf]}, "from 0 to 1"),
    ],
)
def test_results_that_cannot_be_drawn(results, text):
    with pytest.raises(ConfigurationError, match=text):
        plots.learning_rates(results)
    assert not plt.get_fignums()


def test_a_value_of_which_every_run_diverged_is_in_sight():
    ax = cr.plots.learning_rates({0.01: [0.9], 0.1: [0.95], 1e30: [np.nan]})
    low, high = ax.get_xlim()
    assert low < 0.01
    assert high > 1e30


def test_a_range_test_shows_every_step_the_suggested_rate_and_where_it_diverged(new_ax, texts):
    rates = np.logspace(-4, 0, 5)
    result = RangeTest(rates, np.array([2.0, 1.9, 1.0, 1.2, 90.0]), np.array([2.0, 1.8, 1.1, 1.3, 40.0]), diverges=1.0)
    ax = plots.range_test(result, ax=new_ax())
    dots, curve, *lines = ax.get_lines()
    assert dots.get_ydata().tolist() == result.losses.tolist()
    assert curve.get_ydata().tolist() == result.smoothed.tolist()
    assert [line.get_xdata()[0] for line in lines] == [result.suggestion, 1.0]
    assert [text.strip() for text in texts(ax)] == [f"suggested: {result.suggestion:.2g}", "diverges"]
    assert ax.get_xscale() == "log"
    low, high = ax.get_ylim()
    assert low < 1.0 and 2.0 < high < 5, "the fall fills the picture, not what came after it"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "loss")


def test_a_range_test_without_a_fall_can_be_drawn():
    flat = RangeTest(np.logspace(-4, 0, 5), np.ones(5), np.ones(5), diverges=None)
    ax = plots.range_test(flat)
    ax.figure.canvas.draw()
    assert len(ax.texts) == 1
