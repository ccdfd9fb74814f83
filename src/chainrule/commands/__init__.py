"""The commands, one file each, and the tree they hang in."""

from typing import Annotated

import typer

import chainrule
from chainrule.commands.check import check
from chainrule.commands.demo import demo
from chainrule.commands.doctor import doctor
from chainrule.commands.explore import explore
from chainrule.commands.predict import predict
from chainrule.commands.teach import teach
from chainrule.commands.train import train


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chainrule {chainrule.__version__}")
        raise typer.Exit


app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(train, name="train")
app.add_typer(demo)
app.add_typer(explore, name="explore")
app.add_typer(predict)
app.add_typer(doctor)
app.add_typer(check)
app.add_typer(teach)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """A neural network you can see through: NumPy, every derivative by hand and proven."""
