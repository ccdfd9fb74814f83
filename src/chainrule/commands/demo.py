"""`chainrule demo`: see a small network learn, or fail to, and how often it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from chainrule import demos, plots, runs, tasks
from chainrule.demos import DEMOS, QUESTIONS, Demo, Outcome
from chainrule.errors import ConfigurationError
from chainrule.interruption import Interruption
from chainrule.layers.layer import Array
from chainrule.metrics import wilson_interval
from chainrule.network import Network
from chainrule.terminal import Progress, say
from chainrule.threads import default_count, limited

PICTURES = ("loss.png", "boundary.png", "surface.png")
LINES = 5  # of progress, and of examples
STARTS_A_LINE = 10

demo = typer.Typer(rich_markup_mode=None)


def _listing() -> str:
    """All demos and their recipes, as lines that help must not fold."""
    lines = ["Demos and their recipes, the first of each being the default:"]
    for name in QUESTIONS:
        lines += ["", "\b", name, *(f"  {entry.recipe}: {entry.about}" for entry in DEMOS if entry.name == name)]
    examples = ("chainrule demo xor", "chainrule demo xor --recipe 4-relu --seeds 64", "chainrule demo and --python")
    return "\n".join([*lines, "", "\b", "Examples:", *(f"  {example}" for example in examples)])


@demo.command("demo", no_args_is_help=True, epilog=_listing())
def show(
    name: Annotated[str, typer.Argument(metavar="|".join(QUESTIONS), show_default=False, help="Which problem.")],
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", show_default="the first listed below", help="How to attack it.")
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the data, the starting weights and the shuffling.")
    ] = 0,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Train from so many starts, and say how many reach the goal."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, show_default="the recipe's", help="Passes over the data.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", show_default="runs/demo-NAME-RECIPE", help="Folder of the pictures."),
    ] = None,
    python: Annotated[
        bool, typer.Option("--python", help="Print the lines of Python that do the same, and leave.")
    ] = False,
) -> None:
    """See a small network learn, in about a second.

    It prints inputs, truth and predictions before and after training, and writes loss.png and boundary.png (where the
    answer changes), or surface.png (the learned surface beside the true one). A folder that holds nothing else is
    written anew; no other is touched. With --seeds nothing is written.
    """
    entry = demos.find(name, recipe)
    if python:
        say(entry.python(seed, epochs=epochs))
    elif seeds is None:
        _show_one(entry, seed, epochs, output or Path("runs") / f"demo-{entry.name}-{entry.recipe}")
    elif output is not None:
        raise typer.BadParameter("--seeds writes no pictures; leave one of the two out.", param_hint="'--output'")
    else:
        _count_starts(entry, range(seed, seed + seeds), epochs)


def _show_one(entry: Demo, seed: int, epochs: int | None, folder: Path) -> None:
    _check_replaceable(folder)
    with runs.made(folder), limited(default_count()):
        say(f"{entry.name}: {QUESTIONS[entry.name]}")
        say("")
        say(f"recipe {entry.recipe}, seed {seed}: {entry.about}")
        say(f"  network    {entry.network(seed)!r}")
        say(f"  loss       {entry.loss!r}")
        say(f"  optimizer  {entry.optimizer!r}, batch size {entry.batch_size}")
        say("")
        outcome = entry.run(seed, epochs=epochs, callbacks=[Progress(lines=LINES)])
        say("")
        _say_answers(outcome)
        say("")
        _say_result(outcome)
        say(f"{folder}: {', '.join(_draw(outcome, folder))}")


def _say_answers(outcome: Outcome) -> None:
    """Inputs, truth and answers of all test points if they are few, else of some from the first to the last."""
    rows = np.unique(np.linspace(0, len(outcome.data.test.y) - 1, LINES).round().astype(int))
    x, y = (part[rows] for part in outcome.data.test)
    before, after = (_answers(network, x) for network in (outcome.before, outcome.network))
    sure = "(p of 1)" if outcome.demo.classifies else ""
    say(f"{'x1':>6}  {'x2':>6}  {'truth':>6}  {'before ' + sure:>16}  {'after ' + sure:>16}")
    for (x1, x2), truth, *answers in zip(x, y.ravel(), before, after, strict=True):
        said = f"{truth:6.0f}" if sure else f"{truth:6.3f}"
        say(f"{x1:6.2f}  {x2:6.2f}  {said}  {answers[0]:>16}  {answers[1]:>16}")


def _answers(network: Network, x: Array) -> list[str]:
    if not tasks.classifies(network.output):
        return [f"{value:.3f}" for value in network.predict(x)[:, 0]]
    return [f"{k} ({p:.3f})" for k, p in zip(network.predict(x), network.predict_proba(x)[:, 1], strict=True)]


def _say_result(outcome: Outcome) -> None:
    entry, (x, y) = outcome.demo, outcome.data.test
    before, after = (_score(entry, outcome.score(network)) for network in (outcome.before, outcome.network))
    say(f"{_measure(entry)} on {len(y):,} test points: {before} before, {after} after {outcome.seconds:.2f} s")
    if not outcome.demo.classifies:
        say(f"highest answer {outcome.network(x).max():.3f}, highest truth {y.max():.3f}")
    say(f"{'solved' if outcome.solved else 'not solved'}: the goal is {_goal(entry)}")
    say(f"seen: {entry.lesson}")
    say(f"promise: {entry.promise} solve it. Count them: {_command(entry)} --seeds {entry.promise.starts}")
    for other in DEMOS:
        if other.name == entry.name and other is not entry:
            say(f"try also: {_command(other)} ({other.about})")


def _measure(entry: Demo) -> str:
    return "accuracy" if entry.classifies else "R2"


def _score(entry: Demo, score: float) -> str:
    return f"{100 * score:.2f} %" if entry.classifies else f"{score:.4f}"


def _goal(entry: Demo) -> str:
    return f"{_measure(entry)} {_score(entry, entry.goal)} on the test points"


def _command(entry: Demo) -> str:
    is_default = demos.find(entry.name) is entry
    return f"chainrule demo {entry.name}" + ("" if is_default else f" --recipe {entry.recipe}")


# Many starts ------------------------------------------------------------------------------------------------------


def _count_starts(entry: Demo, seeds: range, epochs: int | None) -> None:
    """Train from each seed, a mark for each: on a slow machine too one sees that it goes on."""
    say(f"{entry.name}, recipe {entry.recipe}: {len(seeds)} starts of {epochs or entry.epochs:,} epochs")
    say(f"+ reaches the goal, {_goal(entry)}; - does not")
    outcomes: list[Outcome] = []
    with limited(default_count()), Interruption() as interruption:
        for seed in seeds:
            outcomes.append(entry.run(seed, epochs=epochs))
            if len(outcomes) % STARTS_A_LINE == 0 or seed == seeds[-1] or interruption.signal:
                line = outcomes[(len(outcomes) - 1) // STARTS_A_LINE * STARTS_A_LINE :]
                marks = "".join("+" if outcome.solved else "-" for outcome in line)
                say(f"seeds {line[0].seed:>4} to {line[-1].seed:<4}  {marks}")
            if interruption.signal:
                break
        solved, n = sum(outcome.solved for outcome in outcomes), len(outcomes)
        low, high = wilson_interval(solved, n)
        scores = [outcome.score(outcome.network) for outcome in outcomes]
        middle, worst = (_score(entry, score) for score in (float(np.median(scores)), min(scores)))
        if n < len(seeds):
            say(f"interrupted: {n} of {len(seeds)} starts finished")
        share = f"{100 * solved / n:.1f} %, with a 95 % interval of {100 * low:.1f} to {100 * high:.1f} %"
        say(f"solved by {solved} of {n} starts: {share}")
        say(f"{_measure(entry)} {middle} in the middle start, {worst} in the worst")
        say(f"{sum(outcome.seconds for outcome in outcomes) / n:.2f} s a start")
        if solved < n:
            failed = next(outcome.seed for outcome in outcomes if not outcome.solved)
            say(f"look at one that failed: {_command(entry)} --seed {failed}")
        if interruption.signal:
            raise typer.Exit(128 + interruption.signal)


# Pictures ---------------------------------------------------------------------------------------------------------


def _check_replaceable(folder: Path) -> None:
    runs.check_free(folder, overwrite=True)
    others = sorted(path.name for path in folder.iterdir() if path.name not in PICTURES) if folder.is_dir() else []
    if others:
        raise ConfigurationError(
            f"{folder} holds {others[0]!r}, which is not a demo's. Choose another folder with --output."
        )


def _draw(outcome: Outcome, folder: Path) -> list[str]:
    """Write the pictures in place of those of an earlier demo; their names."""
    history, network, test = outcome.trainer.history, outcome.network, outcome.data.test
    for name in PICTURES:
        (folder / name).unlink(missing_ok=True)
    with runs.figure(folder / "loss.png", 9, 3.6, panels=2) as axes:
        plots.history(history, axes=axes)
    if outcome.demo.classifies:
        with runs.figure(folder / "boundary.png", 5.6, 4.4) as (ax,):
            plots.decision_boundary(network, *test, ax=ax)
        return ["loss.png", "boundary.png"]
    with runs.figure(folder / "surface.png", 9, 4) as (ax,):
        figure = ax.figure
        ax.remove()
        plots.surface(network, test, axes=[figure.add_subplot(1, 2, i, projection="3d") for i in (1, 2)])
    return ["loss.png", "surface.png"]
