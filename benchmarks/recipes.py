"""What the recipes of `chainrule train mnist --recipe NAME` reach: the table of docs/recipes.md.

    python benchmarks/recipes.py [--seeds 10] [--only NAME ...] [--json FILE]
    python benchmarks/recipes.py --seeds 5 --only cnn-fast cnn

Official split: 55,000 images to train on, 10,000 to test; the test images are looked at once a run, after training. One
line a run, then a table. Exit status 1 if a recipe misses what docs/recipes.md promises. Beside the seconds that passed
stand those of the processor: on a machine that others use too, they are the ones to look at.
"""

import argparse
import json
import statistics
import sys
import time
from dataclasses import replace

import numpy as np

import chainrule as cr
import machine
from chainrule.recipes import RECIPES

PROMISES = {"fast": 98.0, "mlp": 98.9, "cnn-fast": 98.9, "cnn": 99.4}  # mean test accuracy in %


def measured(recipe, digits):
    trainer = recipe.trainer(digits)
    start, worked = time.perf_counter(), time.process_time()
    trainer.fit(*digits.train, epochs=recipe.epochs)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    return 100 * trainer.network.accuracy(*digits.test), seconds, worked


def main():
    parser = argparse.ArgumentParser(description="Test accuracy and seconds of each recipe, over seeds.")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="+", default=list(RECIPES), choices=list(RECIPES))
    parser.add_argument("--json", help="write every run into this file")
    options = parser.parse_args()
    digits, rows = cr.datasets.mnist(), {}
    print(machine.describe())
    np.empty(31 << 20, np.uint8)  # as `chainrule train` does
    for name in options.only:
        rows[name] = []
        for seed in range(options.seeds):
            rows[name].append(measured(replace(RECIPES[name], seed=seed), digits))
            accuracy, seconds, worked = rows[name][-1]
            print(f"{name:8} seed {seed}  test {accuracy:.2f} %  {seconds:.2f} s, processor {worked:.2f} s", flush=True)
    print(
        "\n| recipe | test accuracy, mean | standard deviation | lowest | seconds, median (most) | processor, median |"
    )
    print("|---|---|---|---|---|---|")
    for name, runs in rows.items():
        accuracies, seconds, worked = zip(*runs, strict=True)
        spread = statistics.stdev(accuracies) if len(runs) > 1 else float("nan")
        print(
            f"| {name} | {statistics.mean(accuracies):.2f} % | {spread:.2f} | {min(accuracies):.2f} % | "
            f"{statistics.median(seconds):.1f} ({max(seconds):.1f}) | {statistics.median(worked):.1f} |"
        )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": machine.describe(), "runs": rows}, file, indent=1)
    missed = [name for name, runs in rows.items() if statistics.mean(run[0] for run in runs) < PROMISES.get(name, 0)]
    if missed:
        sys.exit(f"below what is promised: {', '.join(missed)}")


if __name__ == "__main__":
    main()
