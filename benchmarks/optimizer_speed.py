"""How long one step of an optimizer takes here, beside PyTorch's three ways, in one run on one machine.

    python benchmarks/optimizer_speed.py [--rounds 9] [--threads 1,2] [--only NAME ...] [--blocks] [--json FILE]

All contenders live in one process and take turns, round after round: some steps to warm up, some steps timed. A ratio
is taken within a round, and the median of the rounds is what counts.
"""

import argparse
import itertools
import json
import statistics
import time
from pathlib import Path

import numpy as np

import chainrule as cr
import machine
from chainrule.optimizers import optimizer

WIDTHS = {  # the parameters come in a network's arrays: PyTorch's ways differ in how they walk over these
    "0.1 M": (784, 128, 10),
    "1 M": (784, 1024, 192, 10),
    "10 M": (784, 2048, 2048, 2048, 10),
}
OPTIMIZERS = {  # the code that makes the optimizer -> the same in PyTorch
    "SGD(0.001, momentum=0.9)": ("SGD", {"lr": 0.001, "momentum": 0.9}),
    "Adam(0.001)": ("Adam", {"lr": 0.001}),
    "AdamW(0.001)": ("AdamW", {"lr": 0.001}),
}
WAYS = {  # on the CPU, PyTorch's default is its plain loop over the arrays
    "torch": {},
    "torch foreach": {"foreach": True},
    "torch fused": {"fused": True},
}
OURS = "chainrule"
BLOCKS = {f"{1 << k:,}": 1 << k for k in range(12, 18)} | {"the whole vector": 1 << 62}
NUMBERS = 4_000_000  # updated in a turn, at least one step


def shapes(widths):
    return [shape for D_in, D_out in itertools.pairwise(widths) for shape in ((D_in, D_out), (D_out,))]


def ours(code, arrays):
    """One flat vector, as networks have it."""
    params = np.concatenate([array.ravel() for array in arrays])
    grads = np.random.default_rng(1).standard_normal(params.size).astype(params.dtype)
    walker = eval(code, vars(cr))
    return lambda: walker.step(params, grads)


def ours_in_blocks_of(size, code, arrays):
    step = ours(code, arrays)

    def run():
        chosen, optimizer.BLOCK = optimizer.BLOCK, size
        step()
        optimizer.BLOCK = chosen

    return run


def theirs(code, arrays, way):
    import torch

    name, options = OPTIMIZERS[code]
    params = [torch.tensor(array, requires_grad=True) for array in arrays]
    for param in params:
        param.grad = torch.randn_like(param)
    return getattr(torch.optim, name)(params, **options, **WAYS[way]).step


def contenders(code, widths, blocks):
    """The steps of all contenders, by name."""
    chance = np.random.default_rng(0)
    arrays = [chance.standard_normal(shape).astype("float32") for shape in shapes(widths)]
    if blocks:
        return {name: ours_in_blocks_of(size, code, arrays) for name, size in BLOCKS.items()}
    found = {OURS: ours(code, arrays)}
    try:
        return found | {way: theirs(code, arrays, way) for way in WAYS}
    except ImportError:
        return found


def turn(step, count):
    """Seconds a step."""
    for _ in range(1 + count // 4):
        step()  # not timed: others had the cache
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


def race(steps, count, rounds):
    seconds = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            seconds[name].append(turn(step, count))
    return seconds


def row(code, size, threads, name, seconds, reference):
    median = statistics.median(seconds)
    ratios = [a / b for a, b in zip(seconds, reference, strict=True)]
    return {
        "optimizer": code,
        "parameters": size,
        "threads": threads,
        "contender": name,
        "median": median,
        "spread": (max(seconds) - min(seconds)) / median,
        "ratio": statistics.median(ratios),
        "seconds": seconds,
    }


def measure(options):
    for threads in [int(count) for count in options.threads.split(",")]:
        if not options.blocks:
            set_threads_of_torch(threads)
        for code in OPTIMIZERS:
            if options.only and not code.startswith(tuple(options.only)):
                continue
            for size, widths in WIDTHS.items():
                steps = contenders(code, widths, options.blocks)
                n = sum(int(np.prod(shape)) for shape in shapes(widths))
                seconds = race(steps, max(1, NUMBERS // n), options.rounds)
                reference = list(seconds.values())[-1 if options.blocks else 0]
                yield from (row(code, size, threads, name, times, reference) for name, times in seconds.items())


def set_threads_of_torch(threads):
    try:
        import torch
    except ImportError:
        print("left out, not installed: torch")
    else:
        torch.set_num_threads(threads)


def arguments():
    parser = argparse.ArgumentParser(description="Microseconds of an optimizer's step beside PyTorch's.")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each contender")
    parser.add_argument("--threads", default="1", help="thread counts of PyTorch to try, as 1,2; NumPy's loops use one")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="beginnings of optimizers' names")
    parser.add_argument("--blocks", action="store_true", help="compare block sizes of ours instead, with the largest")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here as well")
    return parser.parse_args()


def main():
    options = arguments()
    about = machine.describe() | {"numpy": np.__version__, "rounds": options.rounds, "block": optimizer.BLOCK}
    print(" · ".join(f"{key} {value}" for key, value in about.items()))
    print(
        f"{'optimizer':<26}{'parameters':>10}{'threads':>9}  {'contender':<18}{'median us':>9}{'spread':>8}{'ratio':>7}"
    )
    rows = []
    for row in measure(options):
        rows.append(row)
        print(
            f"{row['optimizer']:<26}{row['parameters']:>10}{row['threads']:>9}  {row['contender']:<18}"
            f"{1e6 * row['median']:>9.0f}{row['spread']:>8.0%}{row['ratio']:>7.2f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
