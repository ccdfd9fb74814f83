"""What `import chainrule` costs beyond `import numpy`, each time in a fresh process.

python benchmarks/import_time.py [--rounds 15] [--json FILE]
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import machine

MODULES = ("numpy", "chainrule")
CHILD = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def milliseconds(module):
    return 1e3 * float(subprocess.check_output([sys.executable, "-c", CHILD.format(module)], text=True))


def main():
    parser = argparse.ArgumentParser(description="Milliseconds of import chainrule beside those of import numpy.")
    parser.add_argument("--rounds", type=int, default=15, help="fresh processes of each, in turns")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same as JSON")
    options = parser.parse_args()

    about = machine.describe()
    for module in MODULES:
        milliseconds(module)  # the first import reads the disk and may compile
    rounds = [[milliseconds(module) for module in MODULES] for _ in range(options.rounds)]
    columns = zip(*rounds, strict=True)
    report = {
        "machine": about,
        "rounds": options.rounds,
        "milliseconds": {name: statistics.median(times) for name, times in zip(MODULES, columns, strict=True)},
        "difference": statistics.median(ours - numpy for numpy, ours in rounds),
    }
    print(" · ".join(f"{key} {value}" for key, value in about.items()))
    for name, median in report["milliseconds"].items():
        print(f"import {name:<12}{median:8.1f} ms   median of {options.rounds} processes")
    print(f"difference        {report['difference']:9.1f} ms   median over pairs")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
