"""How many threads the BLAS uses: chosen by measurement, and remembered, since another number may give other bits.

More threads make large products faster and small ones slower, and where another program wants the core that a thread
waits for, many times slower. Nobody can tell beforehand, so `Threads("auto")` times the network that is to be trained.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.configurable import number
from chainrule.errors import ConfigurationError, MissingExtraError, warn
from chainrule.history import Callback

if TYPE_CHECKING:
    from chainrule.network import Network
    from chainrule.training import Trainer

BUDGET = 0.2  # seconds that the comparison may take; one round is always finished
SAMPLE = 0.005  # seconds: long enough for the system to give the cores to others in between, if others want them
ROUNDS = 6  # a pass is kept so short that every count gets about so many samples, unless it is a bad one
GAIN = 0.9  # more threads must be so much faster: they are what suffers first when another program starts
VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
QUANTILE = 0.75  # of a count's samples: one hiccup in four is forgiven, more of them are what training would meet


class Threads(Callback):
    """Trains with so many BLAS threads as are fastest, or as are given, and keeps to that number when training goes on.

    The number stands in `used` and in every checkpoint: a training that goes on from one takes the number from there,
    for its bits are those of a training that was never broken off only with the same one. It holds for the whole
    process, from the start of a loop to its end. A ChainruleWarning says so if the BLAS does not take it.

    Arguments   count  a whole number, or "auto" (default): measured when training begins, in a third of a second or so,
                       on a copy of the network with a batch of noise, so that nothing of the training is touched. At
                       most so many are tried as the BLAS would use anyway, which OPENBLAS_NUM_THREADS or the like limit
    Raises      MissingExtraError without threadpoolctl; ConfigurationError for another count

    >>> import chainrule as cr
    >>> threads = Threads(1)
    >>> trainer = cr.Trainer(cr.MLP([2, 2]), "cross_entropy", callbacks=[threads])
    >>> history = trainer.fit([[0, 1], [1, 0]], [0, 1], epochs=2)
    >>> threads.used
    1
    """

    def __init__(self, count: int | str = "auto") -> None:
        if count != "auto":
            if isinstance(count, str):
                raise ConfigurationError(f"Threads: count must be a whole number or 'auto', received {count!r}.")
            count = int(number("Threads", "count", count, "[1, inf)", whole=True))
        self.count = count
        self.used: int | None = None  # None before training, and where the BLAS cannot be told
        self._limit: Any = None

    def on_start(self, trainer: Trainer, epochs: int) -> None:
        blas, recorded = _blas(), self.used if trainer.step else None
        if not _counts(blas):
            self.used = None
            had = f", where {recorded} were used so far: the last digits may differ" if recorded else ""
            warn(f"Threads: the BLAS of this NumPy cannot be told how many threads to use, and decides itself{had}.")
            return
        if recorded is None:
            recorded = best_count(trainer) if self.count == "auto" else int(self.count)
        cores = os.cpu_count() or recorded
        if recorded > cores:
            warn(
                f"Threads: {recorded} threads on {cores} cores wait for each other, and training may take a hundred "
                f"times as long. Take at most {cores}, or 'auto'."
            )
        self._limit = blas.limit(limits=recorded)
        self.used = max(_counts(blas))
        if self.used != recorded:
            warn(
                f"Threads: the BLAS was told to use {recorded} threads, and uses {self.used}: the last digits may "
                "differ from those of a machine where it does."
            )

    def on_end(self, trainer: Trainer) -> None:
        if self._limit is not None:
            self._limit.restore_original_limits()
            self._limit = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_limit": None}  # a copy has no loop to end, and the limit holds pointers into the BLAS

    def state(self) -> dict[str, Any]:
        return {"used": self.used}

    def restore(self, state: dict[str, Any]) -> None:
        before, self.used = self.used, state["used"]
        if self.count != "auto" and self.used not in (None, self.count, before):
            warn(
                f"{self!r}: training goes on with {self.used} threads, as it began; with another number its bits would "
                "be others. To change it all the same, assign `used`."
            )


def limited(count: int | None) -> AbstractContextManager[Any]:
    """While it is open, the BLAS uses so many threads in this process; None: as many as before."""
    limit: AbstractContextManager[Any] = _blas().limit(limits=count)
    return limit


def usual_count() -> int | None:
    """How many threads the BLAS uses if nobody tells it; None if it cannot be asked."""
    return max(_counts(_blas()), default=None)


def default_count() -> int | None:
    """What the commands use unless asked: one, or what the environment says; None if the BLAS cannot be told."""
    usual = usual_count()
    return usual if usual is None or any(name in os.environ for name in VARIABLES) else 1


def best_count(trainer: Trainer) -> int:
    """The number of threads with which steps of this trainer, forwards and backwards, are fastest here and now."""
    blas = _blas()
    most = max(_counts(blas), default=1)
    counts = [count for count in (1 << i for i in range(most.bit_length())) if count < most] + [most]
    if most == 1 or not trainer.network.out_shapes:  # nothing to choose, or a network not built yet
        return 1

    with np.errstate(all="ignore"):
        try:
            with blas.limit(limits=1):
                run = _one_to_time(trainer.network.copy(), trainer.batch_size, BUDGET / ROUNDS / len(counts))
        except Exception as error:  # whatever a layer of one's own makes of noise
            warn(
                f"Threads: the network cannot be timed with noise ({type(error).__name__}: {error}), so it is trained "
                "with one thread. Name another number: Threads(2)."
            )
            return 1

        def sample(count: int) -> tuple[float, int]:
            with blas.limit(limits=count):
                return _timed(run, SAMPLE)

        return fastest(counts, sample)


def fastest(counts: Sequence[int], sample: Callable[[int], tuple[float, int]]) -> int:
    """The count, of rising ones, with the least time a pass; a larger one has to be faster by a tenth.

    All are timed in turn until BUDGET is spent, so that a busy moment falls on each of them.

    Arguments   sample  gives for a count some seconds, and how many passes they were

    >>> milliseconds = {1: 1.0, 2: 0.6, 4: 0.58}
    >>> fastest([1, 2, 4], lambda count: (milliseconds[count] / 1000 * 10, 10))
    2
    """
    times: dict[int, list[float]] = {count: [] for count in counts}
    spent = 0.0
    while spent < BUDGET:
        for count in counts:
            seconds, passes = sample(count)
            times[count].append(seconds / passes)
            spent += seconds
    # The first time, threads are started: it counts only where there was no time for a second.
    typical = {count: float(np.quantile(times[count][1:] or times[count], QUANTILE)) for count in counts}
    best = counts[0]
    for count in counts[1:]:
        if typical[count] < GAIN * typical[best]:
            best = count
    return best


def _one_to_time(network: Network, batch_size: int, longest: float) -> Callable[[], None]:
    """A pass over a whole batch, or over fewer rows if that would take too long."""
    rows = min(2, batch_size)  # BatchNorm learns nothing from a single one
    run = _pass(network, rows)
    run()  # the first time, memory is fetched
    while _timed(run)[0] < longest / 2 and rows < batch_size:
        rows = min(2 * rows, batch_size)
        run = _pass(network, rows)
        run()
    return run


def _pass(network: Network, rows: int) -> Callable[[], None]:
    """Forwards and backwards over rows of noise: all of a step that the BLAS has a part in."""
    rng = np.random.default_rng(0)
    x = rng.random((rows, *(network.in_shape or ())), np.float32).astype(network.dtype)

    def run() -> None:
        outputs, caches = network.forward(x, train=True, rng=rng)
        network.backward(outputs.copy(), caches)

    return run


def _timed(run: Callable[[], None], least: float = 0.0) -> tuple[float, int]:
    """The seconds of so many passes as take at least so long, and their number."""
    start, passes, seconds = time.perf_counter(), 0, 0.0
    while not passes or seconds < least:
        run()
        passes, seconds = passes + 1, time.perf_counter() - start
    return seconds, passes


def _blas() -> Any:
    """The BLAS libraries of this process, to be asked and told."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        raise MissingExtraError("Threads", "threadpoolctl", "threads") from None
    return ThreadpoolController().select(user_api="blas")


def _counts(blas: Any) -> list[int]:
    return [library["num_threads"] for library in blas.info()]
