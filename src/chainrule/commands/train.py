"""`chainrule train`: teach a network, show how it goes, and keep what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer
from typer.core import TyperGroup

from chainrule import datasets, runs
from chainrule.commands.carrying_out import carry_out
from chainrule.datasets.dataset import Dataset
from chainrule.errors import ConfigurationError, unknown_name
from chainrule.layers import ACTIVATIONS
from chainrule.recipes import OPTIMIZERS, RECIPES, SCHEDULES, Recipe
from chainrule.terminal import say
from chainrule.threads import default_count, usual_count

SETTINGS = {field.name for field in fields(Recipe)}
LISTS: dict[str, tuple[str, Callable[[str], Any], str]] = {  # option -> an item of it, how it is read, what is expected
    "convolutions": (
        r"[1-9]\d{0,5}c[1-9]\d{0,5}",
        lambda item: tuple(map(int, item.split("c"))),
        "channels and kernel sizes such as 16c5 or 16c5,32c3",
    ),
    "hidden": (r"[1-9]\d{0,8}", int, "widths of 1 or more such as 128 or 256-128 or 256,128"),
}
VALIDATION = 1 / 12  # of the training images: 5,000 of MNIST's 60,000


class Kind(NamedTuple):
    """A data set that there is a command for."""

    read: Callable[..., Dataset]
    source: str  # where it comes from if no folder is given
    task: str


KINDS = {
    "mnist": Kind(datasets.mnist, runs.BUNDLED.source, "Teach a network to read handwritten digits."),
    "fashion-mnist": Kind(
        datasets.fashion_mnist, "Fashion-MNIST", "Teach a network to tell clothes apart; they are fetched once, 31 MB."
    ),
}
HELP = """\
The network sees 55,000 of the 60,000 training images again and again, in small batches. After every epoch it is
measured on the 5,000 others (validation), which it never learns from; at the end, once, on the 10,000 test images.

Ctrl-C ends training after the step in hand and keeps what was learned; a second Ctrl-C quits at once. A run that
was ended or killed goes on with --resume, and ends as one that never was, to the bit."""
EXAMPLES = """Examples:

    \b
    chainrule train {name}
    chainrule train {name} --recipe cnn-fast
    chainrule train {name} --hidden 256,128 --epochs 10 --output runs/deeper
    chainrule train {name} --resume runs/deeper
    chainrule train {name} --recipe mlp --threads auto"""


class DataSets(TyperGroup):
    """The commands, one a data set; a file in place of one is answered with the way to train on it."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, if there is one."""
        if cmd_name not in KINDS and (Path(cmd_name).suffix or Path(cmd_name).exists()):
            raise ConfigurationError(
                f"{cmd_name!r} is no data set; chainrule train knows {', '.join(KINDS)}. To train on a table or images "
                "of your own takes some lines of Python: docs/how-to/table.md and docs/how-to/images.md have them. "
                "Images as four IDX files in a folder: chainrule train mnist --data DIR."
            )
        return super().get_command(ctx, cmd_name)


train = typer.Typer(cls=DataSets, no_args_is_help=True, rich_markup_mode=None, help="Teach a network.")


def teach(
    context: typer.Context,
    recipe: Annotated[
        str, typer.Option(metavar="NAME", help=f"Where the options below start from: {', '.join(RECIPES)}.")
    ] = "default",
    convolutions: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            show_default="the recipe's",
            help="Before the hidden layers: 16c5,32c3 are one to 16 channels with a kernel of 5 x 5, and one to 32.",
        ),
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            metavar="WIDTHS",
            show_default="the recipe's",
            help="Widths of the hidden layers: 128, or 256-128, or 256,128.",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default="the recipe's",
            help=f"After each convolution and hidden layer: {', '.join(ACTIVATIONS)}.",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, show_default="the recipe's", help="Passes over the training images."),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, show_default="the recipe's", help="Images a step.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            min=0,
            show_default="the recipe's",
            help="Size of the steps: the peak of a schedule, or the constant rate.",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="the recipe's", help=f"How the rate moves: {', '.join(SCHEDULES)}."),
    ] = None,
    warmup: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", show_default="the recipe's", help="Share of the steps in which the one-cycle rises."
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", show_default="the recipe's", help=f"What moves the weights: {', '.join(OPTIMIZERS)}."
        ),
    ] = None,
    momentum: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            show_default="the recipe's",
            help="Of sgd: share of each step's velocity kept for the next.",
        ),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE", show_default="the recipe's", help="Share of each hidden layer silenced in training."
        ),
    ] = None,
    l2: Annotated[
        float | None,
        typer.Option(
            metavar="STRENGTH", min=0, show_default="the recipe's", help="Of the penalty on the squares of the weights."
        ),
    ] = None,
    augment: Annotated[
        bool | None,
        typer.Option(
            "--augment/--no-augment", show_default="the recipe's", help="Move, turn and bend the images in training?"
        ),
    ] = None,
    elastic: Annotated[
        float | None,
        typer.Option(
            metavar="STRENGTH", min=0, show_default="the recipe's", help="Of the bending by --augment; 0: none."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Of the starting weights, the shuffling and all chance.")
    ] = Recipe.seed,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Go on with the run in that folder, by its own options, from its checkpoint."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", show_default="runs/DATA-WIDTHS-seedN, numbered", help="Folder of the run."),
    ] = None,
    threads: Annotated[
        str | None,
        typer.Option(
            metavar="N|auto",
            show_default="1, or what OPENBLAS_NUM_THREADS or the like says",
            help="Of the BLAS: a number, or auto: the fastest by a short measurement. Only with the same number does a "
            "seed give the same bits.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in that folder.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            show_default="the bundled MNIST; Fashion-MNIST is fetched once and kept",
            help="A folder with four IDX files, named as MNIST's. `mnist` takes any images, `fashion-mnist` its own "
            "alone, packed as they come, and fetches there what is missing.",
        ),
    ] = None,
) -> None:
    """Teach a network to tell images apart."""
    name = str(context.command.name)
    if resume is not None:
        _refuse_beside_resume(context)
        plan = runs.read(resume)
        origin = runs.Origin(plan["data"]["name"], plan["data"]["source"])
        if origin.name != name:
            raise ConfigurationError(
                f"{resume} is a run on {origin.name}: chainrule train {origin.name} --resume {resume}"
            )
        carry_out(Recipe(**plan["recipe"]), _read(origin), origin, resume, plan["threads"], plan)
        return
    if recipe not in RECIPES:
        raise unknown_name("recipe", recipe, RECIPES)
    given = {name: value for name, value in context.params.items() if name in SETTINGS and value is not None}
    given |= {name: _several(name, given[name]) for name in LISTS if name in given}
    chosen = replace(RECIPES[recipe], **given)
    count = _threads(threads)
    label = recipe if recipe != "default" else chosen.shape
    folder = output or runs.free_folder(Path("runs") / f"{name}-{label}-seed{seed}")
    runs.check_free(folder, overwrite)
    origin = runs.Origin(name, KINDS[name].source if data is None else str(data.resolve()))
    carry_out(chosen, _read(origin), origin, folder, count)


def _read(origin: runs.Origin) -> Dataset:
    if origin.name not in KINDS:
        raise unknown_name("data set", origin.name, KINDS)
    kind = KINDS[origin.name]
    return kind.read(None if origin.source == kind.source else origin.source, validation=VALIDATION)


def _threads(text: str | None) -> int | Literal["auto"] | None:
    """What --threads says, or the default."""
    if not (text in (None, "auto") or (text.isascii() and text.isdecimal() and int(text))):
        raise typer.BadParameter(
            f"expected a number of 1 or more, or auto, received {text!r}.", param_hint="'--threads'"
        )
    if text is None:
        return default_count()
    if usual_count() is None:
        say("note: the BLAS of this NumPy cannot be told how many threads to use, and decides itself")
        return None
    return "auto" if text == "auto" else int(text)


def _refuse_beside_resume(context: typer.Context) -> None:
    """The run's own options are the ones that count: another one would make it another run."""
    other = [
        f"--{name.replace('_', '-')}"
        for name in context.params
        if name != "resume" and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"
    ]
    if other:
        raise typer.BadParameter(
            f"takes its options from the run: leave out {', '.join(other)}.", param_hint="'--resume'"
        )


def _several(option: str, text: str) -> tuple[Any, ...]:
    item, read, wanted = LISTS[option]
    items = [part.strip() for part in text.split("," if "," in text else "-")]
    if not all(re.fullmatch(item, part) for part in items):
        raise typer.BadParameter(f"expected {wanted}, received {text!r}.", param_hint=f"'--{option}'")
    return tuple(map(read, items))


for name, kind in KINDS.items():
    train.command(name, help=f"{kind.task}\n\n{HELP}", epilog=EXAMPLES.format(name=name))(teach)
