"""`chainrule predict`: show a trained network one's own handwriting."""

from __future__ import annotations

import itertools
import math
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import chainrule
from chainrule import runs, tasks
from chainrule.datasets.ink import Drawing
from chainrule.datasets.photos import as_digit, read_drawing
from chainrule.errors import ConfigurationError, DataFileError
from chainrule.layers.layer import Array
from chainrule.network import Network
from chainrule.terminal import say

SURE = 0.6  # an answer below this probability is called unsure
BARS = 10  # classes in the picture, the most probable ones
BLUE, PALE, RED = "#0072B2", "#C8C8C8", "#CC3311"

predict = typer.Typer(rich_markup_mode=None)


@predict.command(
    "predict",
    no_args_is_help=True,
    epilog="""Examples:

    \b
    chainrule train mnist --output runs/mine
    chainrule predict runs/mine three.jpg seven.png
    chainrule predict digits.safetensors photos/*.jpg --output seen

In Python:

    \b
    import chainrule as cr
    network = cr.load("runs/mine/model.safetensors")
    network.predict(cr.datasets.read_photo("three.jpg"))""",
)
def ask(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN", exists=True, show_default=False, help="Folder that training left, or a .safetensors file."
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE", show_default=False, help="Photos or scans, one digit on each: PNG, JPEG."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(metavar="DIR", show_default="predictions, in the run's folder", help="Folder of the pictures."),
    ] = None,
) -> None:
    """Read handwritten digits in your own photos.

    Write one digit on blank paper, dark on light or light on dark, and photograph it. The light is evened out, and the
    digit is cut out, scaled and placed as those of MNIST were; without that a network is lost.

    For each photo it prints the answer and the next best with their probabilities, or "not sure" if the best is below
    60 %, and writes NAME-seen.png: the photo, what the network saw of it, and what it thought. Look there first when
    an answer is wrong. A network knows nothing but its classes: it will take a cat for a digit, and may be sure of it.

    A photo that cannot be read is named, and the others are still answered; the exit code is then 1.
    """
    model = run / "model.safetensors" if run.is_dir() else run
    if not model.exists():
        raise ConfigurationError(
            f"{run} holds no model.safetensors: expected a folder that chainrule train left, or a model file."
        )
    network = chainrule.load(model)
    side = _image_side(network, model)
    folder = output or model.parent / "predictions"
    names: list[str] = []
    with runs.made(folder):
        photos_there = [path.name for path in images if path.parent.resolve() == folder.resolve()]  # to be spared
        for path in images:
            try:
                photo, drawing = read_drawing(path)
            except DataFileError as error:
                print(f"error: {error}", file=sys.stderr, flush=True)
                continue
            seen = as_digit(drawing, side)
            probabilities = network.predict_proba(seen.reshape(1, *(network.in_shape or ())))[0]
            answer = _in_words(probabilities, network.class_names)
            say(f"{path}: {answer}")
            names.append(_free_name(path.stem, [*names, *photos_there]))
            _draw(folder / names[-1], photo, drawing, seen, probabilities, network.class_names, answer)
    if names:
        say(f"{folder}: {', '.join(names)}")
    if len(names) < len(images):
        raise typer.Exit(1)


def _image_side(network: Network, model: Path) -> int:
    """How many pixels high and wide the images are that the network reads."""
    shape = network.in_shape or ()
    side = math.isqrt(math.prod(shape))
    if shape not in ((side * side,), (side, side), (side, side, 1)):
        raise ConfigurationError(
            f"{model}: this network reads examples of shape {shape}, expected square images in grey, such as (784,)."
        )
    if not tasks.classifies(network.output) or (network.output == "sigmoid" and network.out_shapes[-1] != (1,)):
        raise ConfigurationError(
            f"{model}: this network's output is {network.output!r} of shape {network.out_shapes[-1]}, expected one "
            "that chooses between classes: output='softmax'."
        )
    return side


def _in_words(probabilities: Array, class_names: tuple[str, ...] | None) -> str:
    best, next_best = np.argsort(-probabilities, kind="stable")[:2].tolist()
    words = [f"{_name(k, class_names)} ({_percent(probabilities[k])})" for k in (best, next_best)]
    return f"{'' if probabilities[best] >= SURE else 'not sure: '}{words[0]}, then {words[1]}"


def _name(k: int, class_names: tuple[str, ...] | None) -> str:
    return class_names[k] if class_names else str(k)


def _percent(probability: float) -> str:
    """The probability to a tenth of a percent, never rounded to certainty."""
    rounded = f"{100 * probability:.1f} %"
    return {"100.0 %": ">99.9 %", "0.0 %": "<0.1 %"}.get(rounded, rounded)


def _free_name(stem: str, taken: list[str]) -> str:
    """STEM-seen.png, or STEM-2-seen.png and so on if an earlier photo has the same name in another folder."""
    names = (f"{stem}-seen.png" if i == 1 else f"{stem}-{i}-seen.png" for i in itertools.count(1))
    return next(name for name in names if name not in taken)


def _draw(
    path: Path,
    photo: Array,
    drawing: Drawing,
    seen: Array,
    probabilities: Array,
    class_names: tuple[str, ...] | None,
    answer: str,
) -> None:
    """The photo with a frame around the digit, what the network saw, and how probable it finds each class."""
    with runs.figure(path, 9, 3.4, panels=3) as (left, middle, right):
        H, W = photo.shape
        top, bottom, start, end = drawing.place * [H, H, W, W] - 0.5
        left.imshow(photo, cmap="gray", vmin=0, vmax=1)
        left.plot([start, end, end, start, start], [top, top, bottom, bottom, top], color=RED, linewidth=1.5)
        left.set_title("the photo, and the digit found")
        middle.imshow(seen, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        middle.set_title("what the network saw")
        for ax in (left, middle):
            ax.set_axis_off()

        likely = np.sort(np.argsort(-probabilities, kind="stable")[:BARS])
        colors = [BLUE if k == probabilities.argmax() else PALE for k in likely]
        right.barh(range(len(likely)), 100 * probabilities[likely], color=colors)
        right.set_yticks(range(len(likely)), [_name(k, class_names) for k in likely])
        right.invert_yaxis()
        right.set_xlim(0, 100)
        right.set_xlabel("probability (%)")
        right.spines[["top", "right"]].set_visible(False)
        right.set_title(answer)
