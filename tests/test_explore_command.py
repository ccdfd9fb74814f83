"""`chainrule explore`: each value from several seeds, by validation alone, with what failed counted and shown."""

import csv
import dataclasses
import math
import re
import signal
import statistics

import matplotlib.image
import pytest

import chainrule as cr
from chainrule import explorations
from chainrule.commands.explore import EXAMPLES, _read
from chainrule.datasets.dataset import Dataset, Split
from chainrule.recipes import Recipe
from test_cli import here, names, posix, run, start

FILES = ["exploration.png", "results.csv"]


def results(folder):
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rows(out):
    """{value: the other columns} of the tables that were printed."""
    found = re.findall(r"^ +(\S+)  +(-|[\d.]+(?: \+- [\d.]+)? %)  +(\d+ of \d+)  +([\d.]+)$", out, re.M)
    return {value: columns for value, *columns in found}


@pytest.fixture(scope="module")
def digits():
    """300 digits to learn from, 100 to judge by, and a test set that nobody may look at."""
    data = cr.datasets.mnist(validation=100)
    return Dataset(
        train=Split(*(part[:300] for part in data.train)),
        validation=data.validation,
        test=None,
        class_names=data.class_names,
    )


# The command ------------------------------------------------------------------------------------------------------


def test_every_setting_from_every_seed(tmp_path):
    code, out, err = run(
        "explore", "mnist", "--learning-rate", "0.001,0.1,0.1", "--hidden", "8,16-8", "--activation", "tanh,relu",
        "--l2", "1e-4", "--examples", 600, "--epochs", 1, "--seeds", 2, cwd=tmp_path, NO_COLOR="1",
        PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert out.isascii()
    assert "\x1b" not in out
    folder = tmp_path / "runs" / "explore-mnist"
    assert re.fullmatch(r"6 settings x 2 seeds x 1 epochs on 600 training images: about \d+ s", out.splitlines()[0])
    assert out.splitlines()[-1].endswith("explore-mnist: results.csv, exploration.png")
    assert names(folder) == FILES
    trials = results(folder)
    assert [(trial["factor"], trial["value"], trial["seed"]) for trial in trials] == [
        (factor, value, seed)
        for factor, value in (
            ("learning_rate", "0.001"), ("learning_rate", "0.1"), ("hidden", "8"), ("hidden", "16-8"),
            ("activation", "tanh"), ("activation", "relu"),
        )
        for seed in "01"
    ]  # fmt: skip
    table = rows(out)
    assert set(table) == {"0.001", "0.1", "8", "16-8", "tanh", "relu"}
    for value, (accuracy, diverged, _) in table.items():
        accuracies = [100 * float(trial["accuracy"]) for trial in trials if trial["value"] == value]
        assert accuracy == f"{statistics.mean(accuracies):.2f} +- {statistics.stdev(accuracies):.2f} %"
        assert diverged == "0 of 2"
    picture = matplotlib.image.imread(folder / "exploration.png")
    assert picture.std() > 0.05
    assert picture.shape[1] > 3 * picture.shape[0]  # three panels


def test_what_diverged_is_counted_and_shown(tmp_path):
    options = ("--learning-rate", "0.1,1e30", "--examples", 600, "--epochs", 1, "--output", "out")
    code, out, _ = run("explore", "mnist", *options, "--seeds", 2, cwd=tmp_path)
    assert code == 0
    table = rows(out)
    assert table["1e+30"][:2] == ["-", "2 of 2"]
    assert table["0.1"][1] == "0 of 2"
    assert [trial["accuracy"] for trial in results(tmp_path / "out")][2:] == ["nan", "nan"]
    assert names(tmp_path / "out") == FILES


@posix
def test_stopping_keeps_what_was_finished(tmp_path):
    options = ("--hidden", "8,16,512-512", "--examples", 3000, "--epochs", 1, "--seeds", 1, "--output", "out")
    process = start("explore", "mnist", *options, cwd=tmp_path)
    while process.stdout.readline().split()[:1] != ["16"]:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert "interrupted: 2 of 3 trainings finished" in out
    assert [trial["value"] for trial in results(tmp_path / "out")] == ["8", "16"]
    assert names(tmp_path / "out") == FILES


@posix
def test_stopping_before_anything_is_finished_leaves_nothing(tmp_path):
    process = start("explore", "mnist", "--hidden", "512-512", "--epochs", 100, "--output", "out", cwd=tmp_path)
    assert "settings" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
    assert "interrupted: 0 of 3 trainings finished" in out
    assert names(tmp_path) == []


def test_results_are_replaced_only_when_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "results.csv").write_text("dear\n")
    options = ("--hidden", "8", "--examples", 100, "--epochs", 1, "--seeds", 1, "--output", "out")
    code, out, err = here(monkeypatch, capsys, "explore", "mnist", *options)
    assert (code, out) == (2, "")
    assert err == "error: out exists already. Choose another folder with --output, or say --overwrite.\n"
    assert (tmp_path / "out" / "results.csv").read_text() == "dear\n"
    code, _, err = here(monkeypatch, capsys, "explore", "mnist", *options, "--overwrite")
    assert (code, err) == (0, "")
    assert len(results(tmp_path / "out")) == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--learning-rate", "0.1,fast"], "'--learning-rate': expected a list such as 0.001,0.01,0.1,1.0"),
        (["--learning-rate", "-0.1"], "must be a number in [0, inf), received -0.1"),
        (["--hidden", "32,,64"], "'--hidden': expected a list such as 32,64,128,256,512, received '32,,64'"),
        (["--hidden", "0"], "out_features must be a whole number in [1, inf), received 0"),
        (["--activation", "rellu"], "activation 'rellu' is unknown. Did you mean 'relu'?"),
        (["--seeds", "0"], "'--seeds'"),
        (["--epochs", "0"], "'--epochs'"),
        (["--examples", "60000"], "'--examples'"),
        (["--augment", "maybe"], "'--augment': expected a list such as no,yes, received 'maybe'"),
        (["--momentum", "1"], "SGD: momentum must be a number in [0, 1), received 1.0"),
        (["--hiden", "3"], "--hidden"),
    ],
)
def test_options_that_make_no_sense(options, text, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, err = here(monkeypatch, capsys, "explore", "mnist", *options)
    assert (code, out) == (2, "")
    assert " ".join(text.split()) in " ".join(err.split())
    assert "Traceback" not in err
    assert names(tmp_path) == []


@pytest.mark.parametrize("words", [["explore"], ["explore", "mnist"]])
def test_help_fits_everywhere(words, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    code, out, err = here(monkeypatch, capsys, *words, "--help")
    assert (code, err) == (0, "")
    assert out.isascii()
    assert "Usage: chainrule explore" in out


def changed(**change):
    return Recipe(epochs=2, **change)


@pytest.mark.parametrize(
    ("options", "explored"),
    [
        (
            ["--hidden", "8,4", "--momentum", "0"],
            [changed(hidden=(8,), momentum=0.0), changed(hidden=(4,), momentum=0.0)],
        ),
        (["--hidden", "8", "--l2", "0.1"], [changed(hidden=(8,), l2=0.1)]),
        (["--augment", "no,yes"], [changed(augment=False), changed(augment=True)]),
        (["--learning-rate", "1,2"], [changed(learning_rate=rate, schedule="constant") for rate in (1.0, 2.0)]),
        (
            ["--learning-rate", "1,2", "--schedule", "cosine"],
            [changed(learning_rate=rate, schedule="cosine") for rate in (1.0, 2.0)],
        ),
        (
            ["--learning-rate", "1", "--optimizer", "sgd,adam"],
            [changed(learning_rate=1.0, optimizer=name) for name in ("sgd", "adam")],
        ),
    ],
)
def test_several_values_are_explored_and_a_single_one_holds_for_all(options, explored, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    seen = []
    monkeypatch.setattr(explorations, "expected_seconds", lambda data, chosen, seeds: seen.extend(chosen) or 0.0)
    monkeypatch.setattr(explorations, "explore", lambda *_: iter(()))
    assert here(monkeypatch, capsys, "explore", "mnist", *options, "--epochs", 2)[0] == 0
    assert [setting.recipe for setting in seen] == explored


# What it rests on -------------------------------------------------------------------------------------------------


def test_one_setting_moves_at_a_time():
    base = Recipe(epochs=1)
    chosen = explorations.settings({"learning_rate": [0.1], "hidden": [(8,), (8,)], "activation": ["tanh"]}, base)
    assert [(setting.factor, setting.label) for setting in chosen] == [
        ("learning_rate", "0.1"), ("hidden", "8"), ("activation", "tanh"),
    ]  # fmt: skip
    assert [setting.recipe for setting in chosen] == [
        Recipe(epochs=1, learning_rate=0.1, schedule="constant"),
        Recipe(epochs=1, hidden=(8,)),
        Recipe(epochs=1, activation="tanh"),
    ]


def test_every_setting_of_a_recipe_can_be_explored_but_for_these():
    names = {field.name for field in dataclasses.fields(Recipe)}
    assert set(explorations.FACTORS) == names - {"convolutions", "elastic", "epochs", "warmup", "seed"} == set(EXAMPLES)


def test_the_examples_are_values_that_can_be_explored(digits):
    values = {factor: _read(factor, text) for factor, text in EXAMPLES.items()}
    assert values["hidden"] == [(32,), (64,), (128,), (256,), (512,)]
    for setting in explorations.settings(values, Recipe()):
        setting.recipe.trainer(digits)
        assert setting.label in EXAMPLES[setting.factor].replace("1.0", "1").split(",")


def test_a_setting_that_is_none_is_named():
    with pytest.raises(cr.ConfigurationError, match="setting 'width' is unknown"):
        explorations.settings({"width": [32]}, Recipe())


def test_a_table_has_a_block_for_each_factor():
    trials = [
        explorations.Trial(*row, 1.0)
        for row in (("hidden", "8", 0, 0.5), ("l2", "0", 0, 0.6), ("hidden", "16", 0, 0.7))
    ]
    lines = explorations.table(trials).splitlines()
    assert [line.split()[0] for line in lines if line] == ["hidden", "8", "16", "L2", "0"]
    assert explorations.accuracies(trials[::2]) == {8.0: [0.5], 16.0: [0.7]}


def test_a_trial_is_the_recipe_itself_judged_by_validation(digits):
    recipe = Recipe(hidden=(8,), epochs=2)
    chosen = explorations.settings({"hidden": [(8,)]}, recipe)
    trials = list(explorations.explore(digits, chosen, seeds=2))
    trainer = Recipe(hidden=(8,), epochs=2, seed=1).trainer(digits)
    trainer.fit(*digits.train, epochs=2)
    assert trials[1].accuracy == trainer.network.accuracy(*digits.validation)
    assert trials[0].accuracy != trials[1].accuracy


def test_a_trial_that_diverges_is_one_of_the_results(digits):
    chosen = explorations.settings({"learning_rate": [1e30, 0.1]}, Recipe(hidden=(8,), epochs=1))
    trials = list(explorations.explore(digits, chosen, seeds=2))
    assert [trial.diverged for trial in trials] == [True, True, False, False]
    assert all(math.isnan(number) for number in explorations.mean_and_deviation(trials[:2]))
    mean, deviation = explorations.mean_and_deviation(trials)
    assert mean == statistics.mean(trial.accuracy for trial in trials[2:])
    assert deviation == statistics.stdev(trial.accuracy for trial in trials[2:])
    assert explorations.expected_seconds(digits, chosen, seeds=2) >= 0


def test_without_validation_there_is_nothing_to_judge_by(digits):
    data = Dataset(train=digits.train, validation=None, test=digits.train, class_names=digits.class_names)
    with pytest.raises(cr.ConfigurationError, match=r"no validation examples to judge by: mnist\(validation=0.1\)"):
        next(explorations.explore(data, explorations.settings({"hidden": [(8,)]}, Recipe()), seeds=1))
