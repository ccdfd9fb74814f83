"""How long an epoch takes here, beside its peers and the floor, in one run on one machine.

    python benchmarks/train_speed.py [--rounds 5] [--threads 1,2] [--only NAME ...] [--json FILE]

Every contender at every thread count is a process of its own. They take turns, round after round, an epoch to warm up
and an epoch timed, so that a machine that slows down slows all of them; a ratio is taken within a round, and the median
of the rounds is what counts.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import machine
from contenders import FLOOR, TABLE

WORKER = Path(__file__).parent / "worker.py"
THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
PAUSE = 0.05  # seconds; idle BLAS threads spin for a while before they sleep, and would slow the next in turn


class Worker:
    def __init__(self, contender, threads, kernel=None):
        self.contender, self.threads = contender, threads
        self.seconds = []
        self.accuracy = None
        # Without tuning left over from outside (a forced kernel, say): it would slow some and not others.
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("OPENBLAS_", "OMP_", "MKL_"))
        }
        self.process = subprocess.Popen(
            [sys.executable, WORKER, contender.name, str(threads)],
            env=environment
            | dict.fromkeys(THREAD_VARIABLES, str(threads))
            | ({"OPENBLAS_CORETYPE": kernel} if kernel else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.about = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.contender.name} with {self.threads} thread(s) stopped; its reason is above")
        return json.loads(line)

    def ask(self, question):
        self.process.stdin.write(question + "\n")
        return self.answer()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def thread_counts(cores):
    """All counts on a small machine; on a large one powers of two and all cores, or the run would never end."""
    return range(1, cores + 1) if cores <= 4 else sorted({2**k for k in range(cores.bit_length())} | {cores})


def race(contenders, threads, rounds, kernel=None):
    """Start the workers one after the other, then let them take turns; return the workers and the failures."""
    workers, failures = [], []
    for contender in contenders:
        for count in threads:
            try:
                workers.append(Worker(contender, count, kernel))
            except RuntimeError as failure:
                failures.append(str(failure))
                break
    for number in range(rounds):
        print(f"\rround {number + 1} of {rounds}", end="", file=sys.stderr, flush=True)
        for worker in workers:
            time.sleep(PAUSE)
            worker.seconds.append(worker.ask("epoch"))
    print(file=sys.stderr)
    for worker in workers:
        worker.accuracy = worker.ask("accuracy")
        worker.stop()
    return workers, failures


def row(worker, floor):
    """One line of the table. The ratio to the floor is taken round by round, so that drift cancels."""
    median = statistics.median(worker.seconds)
    return {
        "contender": worker.contender.name,
        "threads": worker.threads,
        "best": min(worker.seconds),
        "median": median,
        "spread": (max(worker.seconds) - min(worker.seconds)) / median,
        "floor_ratio": floor and statistics.median(a / b for a, b in zip(worker.seconds, floor.seconds, strict=True)),
        "accuracy": worker.accuracy,
        "seconds": worker.seconds,
    }


def fastest(workers):
    """Each contender at the thread count where its median is best, in the order of the table."""
    by_name = {}
    for worker in workers:
        by_name.setdefault(worker.contender.name, []).append(worker)
    return [min(group, key=lambda worker: statistics.median(worker.seconds)) for group in by_name.values()]


def tables(workers):
    """Two comparisons: all at one thread, where the library is judged, and each at its own best thread count."""
    groups = {
        "one BLAS thread": [worker for worker in workers if worker.threads == 1],
        "each at its best thread count": fastest(workers),
    }
    result = {}
    for title, group in groups.items():
        floor = next((worker for worker in group if worker.contender.name == FLOOR), None)
        result[title] = [row(worker, floor) for worker in group]
    return result


def print_table(title, rows):
    print(f"\n{title}")
    print(f"{'contender':<28}{'threads':>8}{'best s':>9}{'median s':>10}{'spread':>8}{'x floor':>9}{'accuracy':>10}")
    for row in rows:
        ratio = "-" if row["floor_ratio"] is None else f"{row['floor_ratio']:.2f}"
        accuracy = "-" if row["accuracy"] is None else f"{row['accuracy']:.2%}"
        print(
            f"{row['contender']:<28}{row['threads']:>8}{row['best']:>9.3f}{row['median']:>10.3f}"
            f"{row['spread']:>8.0%}{ratio:>9}{accuracy:>10}"
        )


def arguments():
    parser = argparse.ArgumentParser(description="Seconds an epoch of MNIST, 784-128-10, batch 64, beside the peers.")
    parser.add_argument(
        "--rounds", type=int, default=5, help="turns of each contender: an epoch to warm up, an epoch timed"
    )
    parser.add_argument("--threads", help="thread counts to try, as 1,2; all the machine has when left out")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="beginnings of contenders' names")
    parser.add_argument("--kernel", metavar="NAME", help="OpenBLAS kernel to force on all, such as Haswell (AVX2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured here as well")
    return parser.parse_args()


def main():
    options = arguments()
    threads = (
        [int(count) for count in options.threads.split(",")] if options.threads else thread_counts(machine.cores())
    )
    wanted = [c for c in TABLE if not options.only or c.name.lower().startswith(tuple(n.lower() for n in options.only))]
    present = [contender for contender in wanted if contender.installed]
    start = time.perf_counter()
    about = machine.describe()  # before the race, so that the load is that of others
    workers, failures = race(present, threads, options.rounds, options.kernel)
    for worker in workers:
        about |= worker.about
    report = {
        "task": "one epoch of MNIST's training images, 784-128-10, ReLU, batch 64, float32, plain SGD",
        "machine": about
        | {"threads tried": list(threads), "rounds": options.rounds, "kernel": options.kernel or "the BLAS chooses"},
        "tables": tables(workers),
        "not installed": [contender.name for contender in wanted if not contender.installed],
        "failed": failures,
    }
    print(report["task"])
    print(" · ".join(f"{key} {value}" for key, value in report["machine"].items()))
    for title, rows in report["tables"].items():
        print_table(title, rows)
    for name in report["not installed"]:
        print(f"left out, not installed: {name}")
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if failures else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
