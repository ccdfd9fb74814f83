"""How long it takes here, beside the peers and the floor: every work of works.py by every contender of contenders/.

    make bench [ARGS="--works 784-128-10 --only chainrule 'BLAS floor' --rounds 9"]
    python benchmarks/bench.py --quick           # little data, one round: does it all run?

Ctrl-C prints and writes what there is.
"""

import argparse
import contextlib
import json
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import footprint
import machine
from contenders import TABLE
from race import Race, milliseconds
from works import WORKS, at_most

HEADER = (
    f"{'contender':<24}{'threads':>8}{'best ms':>10}{'median':>10}{'spread':>8}{'x floor':>9}{'first':>9}{'MB':>7}"
    f"{'accuracy':>10}"
)


def thread_counts(cores):
    """All counts on a small machine; on a large one powers of two and all cores, or the run would never end."""
    return range(1, cores + 1) if cores <= 4 else sorted({2**k for k in range(cores.bit_length())} | {cores})


def number(value, shown):
    """The value as it is to be shown, or a dash."""
    return "-" if value is None else format(value, shown)


def print_race(report):
    print(f"\n{report['work']}: {report['turn']}")
    tables = report["tables"]
    for title, rows in tables.items():
        if rows == tables.get("one thread") and title != "one thread":
            continue  # one thread is the best for everybody, or all that was tried
        print(f"  {title}\n{HEADER}")
        for row in rows:
            print(
                f"{row['contender']:<24}{row['threads']:>8}{milliseconds(row['best']):>10}"
                f"{milliseconds(row['median']):>10}{row['spread']:>8.0%}{number(row['floor_ratio'], '.2f'):>9}"
                f"{milliseconds(row['first']):>9}{number(row['megabytes'], '.0f'):>7}"
                f"{number(row['accuracy'], '.2%'):>10}",
                flush=True,
            )


def print_summary(races):
    """One table: works across, contenders down, the median in ms at each contender's best thread count."""
    columns = [{row["contender"]: row for row in race["tables"].get("best thread count", ())} for race in races]
    if not races:
        return
    print("\n| median ms | " + " | ".join(race["work"] for race in races) + " |")
    print("|---" * (len(races) + 1) + "|")
    for contender in TABLE:
        if any(contender.name in column for column in columns):
            cells = [milliseconds(column.get(contender.name, {}).get("median")) for column in columns]
            print(f"| {contender.name} | " + " | ".join(cells) + " |")


def arguments():
    parser = argparse.ArgumentParser(description="Time, memory and accuracy beside the peers.")
    parser.add_argument("--works", nargs="+", metavar="NAME", help="beginnings of works' names, or 'footprint'")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="beginnings of contenders' names")
    parser.add_argument("--rounds", type=int, help="turns of each contender (default 5)")
    parser.add_argument("--rows", type=int, help="rows to train on and to test, at most")
    parser.add_argument("--threads", help="thread counts to try, as 1,2; all the machine has when left out")
    parser.add_argument(
        "--patience", type=float, default=5.0, help="a turn of more seconds is the only one (default 5)"
    )
    parser.add_argument("--quick", action="store_true", help="--rounds 1 --rows 2000 --threads 1, where not given")
    parser.add_argument("--kernel", metavar="NAME", help="OpenBLAS kernel to force on all, such as Haswell (AVX2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here as well")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it, by matplotlib")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.rows = options.rows or (2000 if options.quick else None)
    options.threads = options.threads or ("1" if options.quick else None)
    return options


def begins(name, beginnings):
    return not beginnings or name.lower().startswith(tuple(beginning.lower() for beginning in beginnings))


def measure(options, report):
    """Fill the report, work by work, and print each as soon as it is there."""
    wanted = [contender for contender in TABLE if begins(contender.name, options.only)]
    present = [contender for contender in wanted if contender.installed]
    report["not installed"] = [contender.name for contender in wanted if not contender.installed]
    if begins("footprint", options.works):
        report["footprint"] = footprint.measure(options.rounds)
        print("\n" + footprint.text(report["footprint"]))
    for work in WORKS:
        if begins(work.name, options.works):
            race = Race(
                at_most(work, options.rows),
                [contender for contender in present if contender.takes(work)],
                report["machine"]["threads tried"],
            )
            try:
                race.run(options.rounds, options.patience, options.kernel)
            finally:
                report["works"].append(race.report())
                report["failed"] += race.failures
                report["machine"]["versions"] |= race.versions
                print_race(report["works"][-1])


def main():
    options, start = arguments(), time.perf_counter()
    counts = map(int, options.threads.split(",")) if options.threads else thread_counts(machine.cores())
    about = machine.describe() | {"threads tried": list(counts), "rounds": options.rounds, "versions": {}}
    about["kernel"] = options.kernel or "the BLAS chooses"
    report = {"machine": about, "works": [], "footprint": [], "not installed": [], "failed": [], "interrupted": True}
    with contextlib.suppress(KeyboardInterrupt):
        measure(options, report)
        report["interrupted"] = False
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would lose what the first has kept
    print_summary([race for race in report["works"] if not race["axis"]])
    print_summary([race for race in report["works"] if race["axis"]])
    print("\n" + " · ".join(f"{key} {value}" for key, value in about.items()))
    for name in report["not installed"]:
        print(f"left out, not installed: {name}")
    for failure in report["failed"]:
        print(f"FAILED: {failure}; the reason is above")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if options.plot and not find_spec("matplotlib"):
        print("no picture: it needs matplotlib")
    elif options.plot:
        import plot

        plot.draw(report, options.plot)
    print(f"{'interrupted after ' if report['interrupted'] else ''}{time.perf_counter() - start:.0f} s in all")
    return 130 if report["interrupted"] else int(bool(report["failed"]))


if __name__ == "__main__":
    sys.exit(main())
