"""How long a convolution takes here, forwards and backwards, beside PyTorch's on the same images (N, H, W, C).

    python benchmarks/convolution_speed.py [--rounds 9] [--threads 1] [--blocks] [--keep-memory] [--json FILE]

All contenders live in one process and take turns, round after round: one pass to warm up, some timed. A ratio is taken
within a round, and the median of the rounds is what counts.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

WORK = {  # name -> (images, H and W, in_channels, out_channels, is dx needed?)
    "3x3, 32 -> 64, 14 x 14": (64, 14, 32, 64, True),
    "3x3, 1 -> 32, 28 x 28, no dx": (64, 28, 1, 32, False),
    "3x3, 32 -> 32, 28 x 28": (64, 28, 32, 32, True),
}
BLOCKS = {f"blocks of {1 << k:,}": 1 << k for k in (16, 17, 18, 19, 20, 22)}
PASSES = 3  # timed in a turn


def arguments():
    parser = argparse.ArgumentParser(description="Milliseconds of a convolution beside PyTorch's.")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each contender")
    parser.add_argument("--threads", type=int, default=1, help="threads of the BLAS and of PyTorch")
    parser.add_argument("--blocks", action="store_true", help="compare how many numbers are worked on at a time")
    parser.add_argument("--keep-memory", action="store_true", help="let the C library keep up to 62 MB of freed memory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here as well")
    return parser.parse_args()


def ours(images, length, into, out, need_dx, block):
    """Our pass: y = x convolved, then the gradients of W and b, and dx if it is needed."""
    layer = cr.Conv2D(into, out, 3, padding="same")
    network = cr.Network(layer, in_shape=(length, length, into))  # float32
    x, dy = arrays(images, length, into, out)

    def run():
        convolution.BLOCK, kept = block, convolution.BLOCK
        _, cache = network.layers[0].forward(x, train=True)
        network.layers[0].backward(dy, cache, need_dx)
        convolution.BLOCK = kept

    return run


def theirs(images, length, into, out, need_dx):
    """The same by PyTorch, in its memory format "channels last", which is (N, H, W, C)."""
    layer = torch.nn.Conv2d(into, out, 3, padding="same").to(memory_format=torch.channels_last)
    x, dy = (torch.from_numpy(array).permute(0, 3, 1, 2) for array in arrays(images, length, into, out))
    x.requires_grad_(need_dx)

    def run():
        layer.zero_grad(set_to_none=True)
        x.grad = None
        layer(x).backward(dy)

    return run


def arrays(images, length, into, out):
    rng = np.random.default_rng(0)
    return (rng.standard_normal((images, length, length, channels), dtype="float32") for channels in (into, out))


def turn(run):
    run()  # not timed: others had the cache
    start = time.perf_counter()
    for _ in range(PASSES):
        run()
    return (time.perf_counter() - start) / PASSES


def measure(options):
    for name, work in WORK.items():
        if options.blocks:
            contenders = {block: ours(*work, size) for block, size in BLOCKS.items()}
        else:
            contenders = {"chainrule": ours(*work, convolution.BLOCK)}
        if torch is not None:
            contenders = {"torch": theirs(*work), **contenders}
        seconds = {contender: [] for contender in contenders}
        for _ in range(options.rounds):
            for contender, run in contenders.items():
                seconds[contender].append(turn(run))
        reference = next(iter(seconds.values()))
        for contender, times in seconds.items():
            yield {
                "work": name,
                "contender": contender,
                "best": min(times),
                "median": statistics.median(times),
                "ratio": statistics.median(a / b for a, b in zip(times, reference, strict=True)),
                "seconds": times,
            }


def main(options):
    about = machine.describe() | {"numpy": np.__version__, "threads": options.threads, "rounds": options.rounds}
    about["memory"] = "kept" if options.keep_memory else "as the system has it"
    about |= {"torch": torch.__version__ if torch else "left out, not installed", "block": convolution.BLOCK}
    print(" · ".join(f"{key} {value}" for key, value in about.items()))
    print(f"{'work':<32}{'contender':<22}{'best ms':>9}{'median':>9}{'ratio':>7}")
    if options.keep_memory:
        np.empty(31 << 20, np.uint8)  # freed at once, which tells glibc: docs/decisions/0020
    rows = []
    for row in measure(options):
        rows.append(row)
        print(
            f"{row['work']:<32}{row['contender']:<22}{1e3 * row['best']:>9.2f}{1e3 * row['median']:>9.2f}"
            f"{row['ratio']:>7.2f}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps({"machine": about, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    chosen = arguments()
    os.environ.update(OPENBLAS_NUM_THREADS=str(chosen.threads), OMP_NUM_THREADS=str(chosen.threads))

    import numpy as np  # they read the environment when they are imported

    import chainrule as cr
    import machine
    from chainrule.layers import convolution

    try:
        import torch

        torch.set_num_threads(chosen.threads)
    except ImportError:
        torch = None
    main(chosen)
