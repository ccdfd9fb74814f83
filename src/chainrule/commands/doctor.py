"""`chainrule doctor`: show the doctor a file with a layer, loss or network of one's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from chainrule.doctor.learners_file import Shape, examine_file
from chainrule.errors import ConfigurationError
from chainrule.terminal import say

doctor = typer.Typer(rich_markup_mode=None)


@doctor.command(
    "doctor",
    no_args_is_help=True,
    epilog="""Examples:

    \b
    chainrule doctor layers.py:Linear
    chainrule doctor "layers.py:Linear(5, 3)"
    chainrule doctor net.py:sigmoid --backward sigmoid_derivative
    chainrule doctor net.py:Network --loss cross_entropy

In Python:

    \b
    import chainrule as cr
    cr.doctor.gradients(Linear(5, 3), x=np.random.randn(7, 5))""",
)
def ask(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py:NAME", show_default=False, help="A class, a function, or how to make an object."
        ),
    ],
    backward: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a function: its backward, or its derivative. Found by name.")
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Of a network: a function or class in the same file, or the library's by name."
        ),
    ] = None,
    targets: Annotated[
        str | None, typer.Option(metavar="KIND", help="labels, one-hot or numbers. Tried in turn if not given.")
    ] = None,
    examples: Annotated[int, typer.Option(min=1, metavar="N", help="Rows of the batch.")] = Shape.examples,
    features: Annotated[int, typer.Option(min=1, metavar="N", help="Columns of the inputs.")] = Shape.features,
    outputs: Annotated[int, typer.Option(min=1, metavar="N", help="Outputs, or classes.")] = Shape.outputs,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the inputs that are made up.")] = 0,
) -> None:
    """Is a backward of your own right, and if not: which mistake is it?

    The file is run, as `python FILE.py` would run it. The gradients are compared with numerical ones on made-up inputs;
    if they differ, the mistake is named, with the evidence and the line to write. Exit code 1 unless all is right.
    """
    match = re.fullmatch(r"(.+?\.py):(.+)", subject)
    if match is None:
        raise ConfigurationError(f"expected FILE.py:NAME, such as layers.py:Linear, received {subject!r}.")
    path = Path(match[1])
    say(f"running {path} (your own code, with all that it does)")
    shape = Shape(examples, features, Shape.hidden, outputs)
    report = examine_file(path, match[2], backward=backward, loss=loss, targets=targets, shape=shape, seed=seed)
    for line in str(report).splitlines():
        say(line)
    if not report.passed:
        raise typer.Exit(1)
