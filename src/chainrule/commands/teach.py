"""`chainrule teach`: exercises for a class, whose tests name the misconception."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.teaching import FORMS, exercises, hand_out
from chainrule.teaching.exercise import OURS
from chainrule.terminal import say

NEXT = {
    "students": "Hand the folder out. In it, `pytest` says what is right, and what is not and why.",
    "solutions": "These are yours: in the folder, `pytest` gives all points.",
    "nbgrader": "In the course's folder: nbgrader generate_assignment {name}",
}

teach = typer.Typer(rich_markup_mode=None)


def _listing() -> str:
    """All exercises with their points, as lines that help must not fold."""
    lines = [f"  {it.name:<27} {it.points:>2} points  {it.text.splitlines()[0]}" for it in exercises()]
    examples = (
        "chainrule teach week1 neuron sigmoid relu",
        "chainrule teach answers --form solutions",
        "chainrule teach course/source/networks --form nbgrader",
    )
    return "\n".join(
        ["The exercises:", "", "\b", *lines, "", "Examples:", "", "\b", *(f"  {each}" for each in examples)]
    )


@teach.command("teach", no_args_is_help=True, epilog=_listing())
def write(
    folder: Annotated[Path, typer.Argument(metavar="DIR", show_default=False, help="Where to; made if it is missing.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXERCISE", show_default="all", help="Which, such as ex07, linear or ex07_linear."),
    ] = None,
    form: Annotated[str, typer.Option(metavar="|".join(FORMS), help="What for.")] = "students",
    source: Annotated[
        Path, typer.Option(metavar="DIR", show_default="ours", help="Take exercises of your own, from this folder.")
    ] = OURS,
) -> None:
    """Write exercises for a class: skeletons with pytest tests, solutions, or notebooks for nbgrader.

    A test that fails names the misconception. No file that exists is written over.
    """
    written = hand_out(folder, names or (), form, source)
    for exercise in written:
        say(f"{exercise.name:<27} {exercise.points:>2} points  {exercise.text.splitlines()[0]}")
    count, points = len(written), sum(exercise.points for exercise in written)
    say(f"{folder}: {count} exercise{'s' * (count != 1)}, {points} points")
    say(NEXT[form].format(name=folder.name))
