"""`chainrule check`: put every derivative of this library to the proof, on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import chainrule
from chainrule.doctor.proving import proofs
from chainrule.gradient_check import check_gradients
from chainrule.terminal import say

check = typer.Typer(rich_markup_mode=None)


@check.command("check")
def prove(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL", show_default=False, help="A run's folder or a .safetensors file: that network instead."
        ),
    ] = None,
) -> None:
    """Compare every derivative of this library with a numerical one. Exit code 1 unless all agree."""
    start = time.perf_counter()
    if model is not None:
        path = model / "model.safetensors" if model.is_dir() else model
        network, rng = chainrule.load(path), np.random.default_rng(0)
        x = rng.uniform(0, 255, (3, *network.in_shape)) if network.layers[0].title().startswith("Rescale") else None
        x = rng.standard_normal((3, *network.in_shape)) if x is None else x
        reports = [(str(path), check_gradients(network, x, train=False, show=False))]
    else:
        reports = proofs()
    width = max(len(name) for name, _ in reports)
    for name, report in reports:
        worst = max((row.norm_error for row in report.rows), default=0.0)
        say(f"{name:<{width}}  {'ok   ' if report.passed else 'WRONG'}  {len(report.rows)} arrays, off by {worst:.0e}")
        if not report.passed:
            say(str(report))
    wrong = sum(not report.passed for _, report in reports)
    say(f"{len(reports) - wrong} of {len(reports)} right, in {time.perf_counter() - start:.1f} s")
    if wrong:
        raise typer.Exit(1)
