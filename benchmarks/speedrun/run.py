"""Verify an entry of the MNIST speedrun: ten seeds, their mean against the bar, the seconds of each.

    python benchmarks/speedrun/run.py                    # all entries, and the table of README.md anew
    python benchmarks/speedrun/run.py benchmarks/speedrun/entries/mlp_97.py    # one of them; the table stays

Exit status 1 if a mean misses its bar. Each entry is a process of its own, and so is its choice of BLAS threads.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent)]
FOREIGN = ("torch", "jax", "tensorflow", "sklearn", "scipy", "numba", "cupy", "keras")


def official_split():
    """The 60,000 images of the training file and the 10,000 of the test file, as they lie in RAM: uint8."""
    import numpy as np

    import chainrule as cr

    digits = cr.datasets.mnist()
    x, y = (np.concatenate(parts) for parts in zip(digits.train, digits.validation, strict=True))
    return (x, y), digits.test


def verify(file, seeds):
    """What one entry reaches: a line for each seed on stderr, all of it on stdout."""
    import numpy as np

    spec = spec_from_file_location(file.stem, file)
    (x, y), (test_x, test_y) = official_split()
    runs = []
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(test_x))  # who knows the labels by heart knows no order
        images = test_x[order]
        for array in (x, y, images):
            array.flags.writeable = False
        start, start_cpu = time.perf_counter(), time.process_time()
        entry = module_from_spec(spec)
        spec.loader.exec_module(entry)  # anew, and in the time: nothing is learned beforehand
        labels = entry.run(x, y, images, seed)
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        if np.shape(labels) != test_y.shape:
            sys.exit(
                f"{file.stem}: run must return {len(test_y):,} labels, shape {test_y.shape}, not {np.shape(labels)}"
            )
        runs.append((100 * float((labels == test_y[order]).mean()), seconds, cpu))
        print(f"{file.stem}  seed {seed}  {runs[-1][0]:.2f} %  {seconds:.2f} s", file=sys.stderr, flush=True)
    foreign = [name for name in FOREIGN if name in sys.modules]
    if foreign:
        sys.exit(f"{file.stem} uses {', '.join(foreign)}: an entry has NumPy and nothing else")
    print(json.dumps({"bar": entry.BAR, "title": entry.__doc__.splitlines()[0], "runs": runs}))


def verified(file, seeds, threads):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("OPENBLAS_", "OMP_", "MKL_"))}
    environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    command = [sys.executable, __file__, "--verify", str(file), "--seeds", str(seeds)]
    return json.loads(subprocess.check_output(command, env=environment, text=True))


def row(file, result):
    accuracies, seconds, cpu = zip(*result["runs"], strict=True)
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else float("nan")
    return (
        f"| {result['bar']:g} % | [{file.stem}](entries/{file.name}) | {result['title']} | "
        f"{statistics.median(seconds):.2f} | {statistics.median(cpu):.2f} | "
        f"{statistics.mean(accuracies):.2f} % | {spread:.2f} | {min(accuracies):.2f} % |"
    )


def main():
    import machine

    parser = argparse.ArgumentParser(description="Verify entries of the MNIST speedrun.")
    parser.add_argument("entries", nargs="*", type=Path, help="files; all of entries/ when left out")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads (default 1)")
    parser.add_argument("--verify", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for file in options.entries:
        if not file.is_file():
            parser.error(
                f"there is no entry {file}; there are {', '.join(map(str, sorted(HERE.glob('entries/*.py'))))}"
            )
    if options.verify:
        return verify(options.verify, options.seeds)

    lines = [
        "| bar | entry | what it is | seconds, median | of CPU | mean accuracy | standard deviation | lowest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    missed = []
    for file in options.entries or sorted((HERE / "entries").glob("*.py"), key=lambda file: file.stem[-2:]):
        result = verified(file, options.seeds, options.threads)
        lines.append(row(file, result))
        if statistics.mean(accuracy for accuracy, *_ in result["runs"]) < result["bar"]:
            missed.append(file.stem)
    about = machine.describe() | {"BLAS threads": options.threads, "seeds": options.seeds}
    lines += ["", " · ".join(f"{key} {value}" for key, value in about.items())]
    print("\n".join(lines))
    if not options.entries and not missed and options.seeds >= 10:
        page = HERE / "README.md"
        text = re.sub(r"(?s)(<!-- results -->\n).*?(<!-- end -->)", rf"\1{chr(10).join(lines)}\n\2", page.read_text())
        page.write_text(text)
    return f"below the bar: {', '.join(missed)}" if missed else 0


if __name__ == "__main__":
    sys.exit(main())
