"""One contender at one work in a process of its own, so that its threads, its memory and its imports are nobody else's.

`python worker.py CONTENDER WORK THREADS` does the work once and tells how long that took, compiling included. Then it
answers each line on stdin with a line of JSON on stdout: "turn" does the work twice and tells the seconds of the second
time, "end" tells the accuracy on the test rows and the most memory this process ever had.
"""

import json
import os
import sys
import time
from importlib import import_module, metadata


def blas_of_numpy():
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas.get('name')} {blas.get('version')}"


def megabytes_at_most():
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def keep_to(threads):
    """So many threads means so many cores, also for a library that cannot be told."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def versions(*packages):
    distributions = metadata.packages_distributions()
    return {name: metadata.version(name) for package in packages for name in distributions.get(package, ())[:1]}


def seconds(function, times=1):
    """Of one call, measured over so many."""
    start = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - start) / times


def accuracy(turns, data, rows=1000):
    """The share of the test rows that is right, or None from who does not learn; some rows at a time saves memory."""
    right = []
    for start in range(0, len(data.test_x), rows):
        labels = turns.predict(turns.enter(data.test_x[start : start + rows]))
        if labels is None:
            return None
        right.extend((labels == data.test_y[start : start + rows]).tolist())
    return sum(right) / len(right)


def main(name, work, threads):
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer
    keep_to(threads)

    import numpy as np

    from contenders import TABLE
    from works import Work, load

    np.empty(31 << 20, np.uint8)  # freed memory stays in the process, whoever asked for it: docs/recipes.md
    (contender,) = (contender for contender in TABLE if contender.name == name)
    work = Work(**json.loads(work))
    data = load(work)
    turns = getattr(import_module(f"contenders.{contender.module}"), contender.function)(work, data, threads)
    do = turns.epoch
    if work.predict:
        turns.epoch()
        rows = turns.enter(data.test_x[: work.predict])
        do = lambda: turns.predict(rows)  # noqa: E731
    found = versions("numpy", *contender.needs) | {"blas": blas_of_numpy()}
    print(json.dumps({"first": seconds(do), "versions": found}), file=answers)

    for line in sys.stdin:
        if line.strip() == "turn":
            seconds(
                do, work.calls
            )  # not counted: while others had their turn, caches cooled and freed memory went back
            print(json.dumps(seconds(do, work.calls)), file=answers)
        else:
            print(json.dumps({"megabytes": megabytes_at_most(), "accuracy": accuracy(turns, data)}), file=answers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
