"""What a library costs before it does anything: the time of its import, in fresh processes, and its size on disk.

    python benchmarks/footprint.py [--rounds 5] [--json FILE]

The size is of the installed files of the package and of all that it requires, without what Python compiles from them.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import machine
from contenders import TABLE

PACKAGES = list(dict.fromkeys([("numpy",), *(contender.needs for contender in TABLE)]))  # Keras comes with a backend
CHILD = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds_of_import(packages):
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    return float(subprocess.check_output([sys.executable, "-c", CHILD.format(packages[0])], text=True, env=environment))


def megabytes(packages):
    known = metadata.packages_distributions()
    return sum(map(bytes_of, with_requirements(known.get(package, [package])[0] for package in packages))) / 1e6


def with_requirements(names):
    """The distributions and all that they require; what is not installed is for another system."""
    found, waiting = {}, list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if found.setdefault(name, distribution) is distribution:
            requirements = [line for line in distribution.requires or () if "extra ==" not in line]
            waiting += [re.match(r"[\w.-]+", line)[0] for line in requirements]
    return found.values()


def bytes_of(distribution):
    files = [Path(file.locate()) for file in distribution.files or ()]
    if any(file.suffix == ".pth" and "editable" in file.name for file in files):  # a pointer instead of the files
        folder = find_spec(distribution.name).submodule_search_locations[0]
        files = Path(folder).rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")


def measure(rounds):
    """One line a package that is installed, NumPy first. Imports take turns; differences are taken within a round."""
    present = [packages for packages in PACKAGES if all(map(find_spec, packages))]
    for packages in present:
        seconds_of_import(packages)  # the first import reads the disk and may compile
    turns = [{packages: seconds_of_import(packages) for packages in present} for _ in range(rounds)]
    return [
        {
            "package": " with ".join(packages),
            "import": statistics.median(turn[packages] for turn in turns),
            "over_numpy": statistics.median(turn[packages] - turn[present[0]] for turn in turns),
            "megabytes": megabytes(packages),
        }
        for packages in present
    ]


def text(rows):
    lines = [f"{'package':<28}{'import ms':>10}{'over NumPy':>12}{'MB on disk':>12}"]
    lines += [
        f"{row['package']:<28}{1e3 * row['import']:>10.0f}{1e3 * row['over_numpy']:>12.0f}{row['megabytes']:>12.1f}"
        for row in rows
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Import time and size on disk, beside those of the peers.")
    parser.add_argument("--rounds", type=int, default=5, help="fresh processes of each, in turns")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the same as JSON")
    options = parser.parse_args()
    report = {"machine": machine.describe(), "rounds": options.rounds, "rows": measure(options.rounds)}
    print(" · ".join(f"{key} {value}" for key, value in report["machine"].items()))
    print(text(report["rows"]))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
