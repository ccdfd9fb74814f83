"""One contender in a process of its own, so that its threads, its memory and its imports are nobody else's.

`python worker.py NAME THREADS` warms up with one epoch, then answers each line on stdin with a line of JSON on stdout:
"epoch" runs two and tells the seconds of the second, "accuracy" tells the share of the test images that is right.
"""

import json
import os
import sys
import time
from importlib import import_module


def blas_of_numpy():
    import numpy as np

    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas.get('name')} {blas.get('version')}"


def version(package):
    return getattr(import_module(package), "__version__", "?")


def main(name, threads):
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer

    import chainrule as cr
    from contenders import TABLE

    (contender,) = (contender for contender in TABLE if contender.name == name)
    digits = cr.datasets.mnist()
    prepare = getattr(import_module(f"contenders.{contender.module}"), contender.function)
    epoch, accuracy = prepare(digits, threads)
    epoch()
    about = {"numpy": version("numpy"), "blas": blas_of_numpy(), contender.needs: version(contender.needs)}
    print(json.dumps(about), file=answers)

    for line in sys.stdin:
        if line.strip() == "epoch":
            epoch()  # not timed: while others had their turn, caches cooled and freed memory went back to the machine
            start = time.perf_counter()
            epoch()
            print(json.dumps(time.perf_counter() - start), file=answers)
        else:
            print(json.dumps(accuracy()), file=answers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
