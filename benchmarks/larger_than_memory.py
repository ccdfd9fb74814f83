"""What rows from a file cost beside rows in memory: accuracy when they are sorted by label, and time.

    python benchmarks/larger_than_memory.py [--seeds 8] [--rounds 5]

The first table is that of docs/decisions/0014. For the second, kinds of rows take turns, round after round, an epoch
each; a ratio is taken within a round, and the median of the rounds is what counts. Files lie in the page cache, so it
is the cost of this package and of gzip that shows, not that of the disk.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

import chainrule as cr
from chainrule.datasets import Source

WINDOWS = [(2048, 8), (1024, 16), (512, 32), (256, 64), (128, 128), (256, 32), (256, 16)]


def trained(x, y, seed=0, epochs=5):
    network = cr.MLP([784, 128, 10], scale=1 / 255, seed=seed)
    optimizer = cr.SGD(cr.OneCycle(0.15), momentum=0.9)
    cr.Trainer(network, "cross_entropy", optimizer, batch_size=64, seed=seed).fit(x, y, epochs)
    return network


def accuracy_of_sorted_rows(digits, seeds):
    by_label = np.argsort(digits.train.y, kind="stable")
    x, y = digits.train.x[by_label], digits.train.y[by_label]
    print("| block | window | mean  | deviation | worst seed |")
    for block, window in [("all", ""), *WINDOWS]:
        rows = x if block == "all" else Source(x, block=block, window=window)
        right = [100 * trained(rows, y, seed).accuracy(*digits.test) for seed in range(seeds)]
        mean, spread = statistics.mean(right), statistics.stdev(right)
        print(f"| {block:<5} | {window:<6} | {mean:.2f} | {spread:<9.2f} | {min(right):<10.2f} |", flush=True)


def seconds_of_an_epoch(digits, rounds, folder):
    x, y = digits.train
    x.tofile(folder / "x.dat")
    with h5py.File(folder / "x.h5", "w") as file:
        kinds = {
            "array": x,
            "Source of an array": Source(x),
            "Source of a memmap": Source(np.memmap(folder / "x.dat", x.dtype, "r", shape=x.shape)),
            "Source of h5py": Source(file.create_dataset("plain", data=x)),
            "Source of h5py, gzip": Source(file.create_dataset("gzip", data=x, chunks=(256, 784), compression="gzip")),
        }
        taken = {name: [] for name in kinds}
        for _ in range(rounds):
            for name, rows in kinds.items():
                start = time.perf_counter()
                trained(rows, y, epochs=1)
                taken[name].append(time.perf_counter() - start)
    for name, seconds in taken.items():
        speed = statistics.median(base / mine for base, mine in zip(taken["array"], seconds, strict=True))
        print(f"{name:21} {statistics.median(seconds):.3f} s an epoch, {speed:4.0%} of the speed in memory")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    digits = cr.datasets.mnist()
    with tempfile.TemporaryDirectory() as folder:
        seconds_of_an_epoch(digits, options.rounds, Path(folder))
    if options.seeds:
        accuracy_of_sorted_rows(digits, options.seeds)
