"""Contenders take turns at one work, each in a process of its own, so that what slows the machine slows all of them."""

import contextlib
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from contenders import FLOOR

WORKER = Path(__file__).parent / "worker.py"
THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
PAUSE = 0.05  # seconds; idle BLAS threads spin for a while before they sleep, and would slow the next in turn


def milliseconds(seconds):
    """Three digits, whatever the size: 0.0105, 12.3, 1230."""
    return "-" if seconds is None else f"{float(f'{1e3 * seconds:.3g}'):g}"


class Worker:
    """A process that waits for its turn."""

    def __init__(self, contender, work, threads, kernel=None):
        self.contender, self.work, self.threads = contender, work, threads
        self.seconds, self.failed = [], False  # of each turn
        self.said = {"first": None, "accuracy": None, "megabytes": None}
        # Without tuning left over from outside (a forced kernel, say): it would slow some and not others.
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("OPENBLAS_", "OMP_", "MKL_"))
        }
        self.process = subprocess.Popen(
            [sys.executable, WORKER, contender.name, json.dumps(asdict(work)), str(threads)],
            env=environment
            | dict.fromkeys(THREAD_VARIABLES, str(threads))
            | ({"OPENBLAS_CORETYPE": kernel} if kernel else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,  # Ctrl-C is for the parent, which tells what it has
        )

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.work.name}: {self.contender.name} stopped, at {self.threads} thread(s)")
        return json.loads(line)

    def ask(self, question):
        with contextlib.suppress(BrokenPipeError):  # it has stopped: there will be no answer
            self.process.stdin.write(question + "\n")
        return self.answer()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    @property
    def median(self):
        return statistics.median(self.seconds)

    def row(self, floor):
        """One line of a table. The ratio to the floor is taken round by round, so that drift cancels."""
        ratios = [a / b for a, b in zip(self.seconds, floor.seconds if floor else (), strict=False)]
        return {
            "contender": self.contender.name,
            "threads": self.threads,
            "best": min(self.seconds),
            "median": self.median,
            "spread": (max(self.seconds) - min(self.seconds)) / self.median,
            "floor_ratio": statistics.median(ratios) if ratios else None,
            **self.said,
            "seconds": self.seconds,
        }


class Race:
    """All contenders at one work. Broken off, it still tells what it has."""

    def __init__(self, work, contenders, threads):
        self.work, self.contenders, self.threads = work, contenders, work.threads or threads
        self.workers, self.failures, self.versions = [], [], {}

    def run(self, rounds, patience, kernel=None):
        """`patience`: seconds that a turn may take; a slower contender has one turn and no more."""
        try:
            for contender, count in itertools.product(self.contenders, self.threads):
                self.progress(f"{contender.name} gets ready, {count} thread(s)")
                worker = Worker(contender, self.work, count, kernel)
                self.workers.append(worker)
                with self.noting_failure(worker):
                    answer = worker.answer()
                    self.versions |= answer.pop("versions")
                    worker.said |= answer
            for number in range(rounds):
                self.progress(f"round {number + 1} of {rounds}")
                for worker in self.running():
                    if max(worker.seconds, default=0) * self.work.calls <= patience:
                        time.sleep(PAUSE)
                        with self.noting_failure(worker):
                            worker.seconds.append(worker.ask("turn"))
            for worker in self.running():
                with self.noting_failure(worker):
                    worker.said |= worker.ask("end")
        finally:
            print("\r\033[K", end="", file=sys.stderr)
            for worker in self.workers:
                worker.stop()

    def running(self):
        return [worker for worker in self.workers if not worker.failed]

    @contextlib.contextmanager
    def noting_failure(self, worker):
        try:
            yield
        except RuntimeError as failure:
            worker.failed = True
            self.failures.append(str(failure))

    def progress(self, text):
        print(f"\r\033[K{self.work.name}: {text}", end="", file=sys.stderr, flush=True)

    def report(self):
        """At one thread, where the library is judged, and each contender at the count where its median is best."""
        timed = [worker for worker in self.workers if worker.seconds]
        fastest = {}
        for worker in sorted(timed, key=lambda worker: -worker.median):
            fastest[worker.contender] = worker
        groups = {
            "one thread": [worker for worker in timed if worker.threads == 1],
            "best thread count": [fastest[contender] for contender in self.contenders if contender in fastest],
        }
        return {
            "work": self.work.name,
            "turn": self.work.turn,
            "batch": self.work.batch,
            "axis": self.work.axis,
            "value": self.work.value,
            "tables": {title: rows(group) for title, group in groups.items() if group},
        }


def rows(workers):
    floor = next((worker for worker in workers if worker.contender.name == FLOOR), None)
    return [worker.row(floor) for worker in workers]
