"""Which recipe `chainrule train mnist` should have, judged on the validation images; the test images are not looked at.

    python benchmarks/recipe_mnist.py [--seeds 8]

A few settings around a known good one, each with the same seeds. One line a setting: the mean validation accuracy, its
standard error, the lowest seed, the mean less two standard deviations, and seconds a run. The best by that last measure
come first: a recipe should work from nearly every start, not on average. With three seeds the order is mostly chance.
"""

import argparse
import itertools
import math
import statistics
import time

import chainrule as cr
import machine
from chainrule.recipes import Recipe

LEARNING_RATES = {32: (0.05, 0.1), 64: (0.1, 0.15, 0.2), 128: (0.2, 0.3)}  # by batch size
WARMUPS = (0.2, 0.3, 0.4)


def settings():
    for batch_size, rates in LEARNING_RATES.items():
        for rate, warmup in itertools.product(rates, WARMUPS):
            yield Recipe(batch_size=batch_size, learning_rate=rate, warmup=warmup)


def sure(accuracies):
    """The accuracy that nearly every run reaches: one seed's luck counts for as little as it should."""
    return statistics.mean(accuracies) - 2 * (statistics.stdev(accuracies) if len(accuracies) > 1 else 0)


def main():
    parser = argparse.ArgumentParser(description="Validation accuracy of some recipes for MNIST.")
    parser.add_argument("--seeds", type=int, default=8, help="runs of each setting, with seeds 0, 1, ...")
    options = parser.parse_args()

    digits = cr.datasets.mnist()
    rows = []
    for setting in settings():
        accuracies, start = [], time.perf_counter()
        for seed in range(options.seeds):
            recipe = Recipe(**vars(setting) | {"seed": seed})
            history = recipe.trainer(digits).fit(*digits.train, epochs=recipe.epochs, validation=digits.validation)
            accuracies.append(100 * history["validation_accuracy"][-1])
        rows.append((setting, accuracies, (time.perf_counter() - start) / options.seeds))

    print(f"{options.seeds} seeds, {Recipe.epochs} epochs, {machine.describe()}\n")
    print("batch   rate  warmup   validation %   +-     lowest  -2 s.d.   s/run")
    for setting, accuracies, seconds in sorted(rows, key=lambda row: -sure(row[1])):
        error = statistics.stdev(accuracies) / math.sqrt(options.seeds) if options.seeds > 1 else math.nan
        print(
            f"{setting.batch_size:5}  {setting.learning_rate:5.2f}  {setting.warmup:6.1f}  "
            f"{statistics.mean(accuracies):13.3f}  {error:.3f}  {min(accuracies):7.2f}  {sure(accuracies):7.3f}  "
            f"{seconds:6.2f}"
        )


if __name__ == "__main__":
    main()
