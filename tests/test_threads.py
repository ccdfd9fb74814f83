"""The number of BLAS threads: how it is chosen from times that are made up, and that it is kept."""

import copy
import itertools
import pickle
import sys

import numpy as np
import pytest

import chainrule as cr
from chainrule import checkpoints, threads
from chainrule.callbacks import Threads
from chainrule.threads import best_count, fastest
from command_line import here

X, Y = np.eye(6, dtype="float32"), np.arange(6) % 3


class Blas:
    """In the place of threadpoolctl's: two threads unless told otherwise, and `most` at the most."""

    def __init__(self, usual=2, most=64):
        self.count, self.most, self.told = usual, most, []

    def info(self):
        return [{"num_threads": self.count}] if self.count else []

    def limit(self, limits):
        return Limit(self, limits)


class Limit:
    def __init__(self, blas, count):
        self.blas, self.before = blas, blas.count
        blas.told.append(count)
        blas.count = blas.count if count is None else min(count, blas.most)

    def __reduce__(self):
        raise TypeError("ctypes objects containing pointers cannot be pickled")  # as it is with threadpoolctl's

    def restore_original_limits(self):
        self.blas.count = self.before

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.restore_original_limits()


@pytest.fixture
def blas(monkeypatch):
    blas = Blas()
    monkeypatch.setattr(threads, "_blas", lambda: blas)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 64)
    return blas


def trainer_with(*callbacks):
    network = cr.Network(cr.Linear(6, 8), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.5), cr.Linear(8, 3), seed=1)
    return cr.Trainer(network, "cross_entropy", batch_size=2, seed=3, callbacks=list(callbacks))


# The choice -----------------------------------------------------------------------------------------------------------

HICCUP = [1.0] * 7 + [30.0]


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        ({1: [5.0], 2: [3.0]}, 2),
        ({1: [5.0], 2: [4.6]}, 1),
        ({1: [5.0], 2: [5.0]}, 1),
        ({1: [5.0], 2: [3.0], 4: [2.0], 8: [1.9]}, 4),
        ({1: [5.0], 2: [6.0], 4: [3.0]}, 4),
        ({1: [1.0], 2: HICCUP}, 1),
        ({1: [2.0], 2: HICCUP}, 2),
        ({1: HICCUP, 2: [0.95]}, 1),
        ({1: [2.0], 2: [1.0, 1.0, 40.0]}, 1),
        ({1: [2.0], 2: [900.0, 1.0]}, 1),
        ({1: [2.0], 2: [50.0, *[1.0] * 100]}, 2),
        ({1: [5000.0], 2: [3000.0]}, 2),
    ],
    ids=[
        "faster",
        "hardly faster",
        "no faster",
        "not much faster than four",
        "two are slow, four are fast",
        "a hiccup of the same speed",
        "a hiccup is forgiven",
        "a hiccup of one thread does not make two better",
        "a neighbour slows every third sample",
        "so slow that there is no second round",
        "the first sample starts the threads",
        "a pass longer than the budget",
    ],
)
def test_the_count_is_chosen_by_what_training_would_meet(milliseconds, expected):
    times = {count: itertools.cycle(each) for count, each in milliseconds.items()}
    assert fastest(list(milliseconds), lambda count: (next(times[count]) / 1000, 1)) == expected


@pytest.mark.parametrize(("seconds", "passes", "rounds"), [(0.005, 7, 20), (0.03, 1, 4), (3.0, 1, 1)])
def test_the_comparison_ends_when_its_time_is_spent(seconds, passes, rounds):
    asked = []
    fastest([1, 2], lambda count: (asked.append(count) or seconds, passes))
    assert asked == [1, 2] * rounds


@pytest.mark.parametrize(
    ("usual", "counts"),
    [(2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 4, 6]), (8, [1, 2, 4, 8]), (64, [1, 2, 4, 8, 16, 32, 64])],
)
def test_no_more_threads_are_tried_than_the_blas_would_use(usual, counts, blas, monkeypatch):
    tried = []
    monkeypatch.setattr(threads, "fastest", lambda counts, sample: tried.append(counts) or 1)
    blas.count = usual
    best_count(trainer_with())
    assert tried == [counts]


@pytest.mark.parametrize("usual", [0, 1])
def test_where_there_is_nothing_to_choose_nothing_is_measured(usual, blas, monkeypatch):
    monkeypatch.setattr(threads, "_timed", None)
    blas.count = usual
    assert best_count(trainer_with()) == 1


@pytest.mark.parametrize(("seconds_a_row", "rows"), [(1e-9, 256), (1e-4, 128), (1.0, 2)])
def test_fewer_rows_are_timed_where_a_batch_would_take_too_long(seconds_a_row, rows, blas, monkeypatch):
    monkeypatch.setattr(threads, "_pass", lambda network, rows: lambda: rows)
    monkeypatch.setattr(threads, "_timed", lambda run, least=0: (run() * seconds_a_row, 1))
    seen = []
    monkeypatch.setattr(threads, "fastest", lambda counts, sample: seen.append(sample(1)) or 1)
    trainer = trainer_with()
    trainer.batch_size = 256
    best_count(trainer)
    assert seen == [(rows * seconds_a_row, 1)]


def test_measuring_touches_nothing_of_the_training(blas):
    """Real passes over a network that draws, counts and has running averages."""
    trainer = trainer_with()
    trainer.fit(X, Y, epochs=2)
    before, generator = trainer.state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    grads = trainer.network.grads.copy()
    assert best_count(trainer) in (1, 2)
    after = trainer.state()
    for name in ("params", "state"):
        assert after.pop(name).tobytes() == before.pop(name).tobytes()
    assert repr(after) == repr(before)
    assert trainer.network.grads.tobytes() == grads.tobytes()
    assert np.random.get_state()[1].tolist() == generator  # noqa: NPY002
    assert blas.count == 2, "as it was before"
    assert set(blas.told) == {1, 2}


def test_the_seed_gives_the_same_bits_with_and_without(blas):
    measured, plain = trainer_with(Threads()), trainer_with()
    for trainer in (measured, plain):
        trainer.fit(X, Y, epochs=3)
    assert measured.network.params.tobytes() == plain.network.params.tobytes()


class OnlyWholeNumbers(cr.Layer):
    any_shape = True

    def forward(self, x, train=False, rng=None):
        if (x % 1).any():
            raise IndexError("not a whole number")
        return x, ()

    def backward(self, dy, cache, need_dx=True):
        return dy


def test_a_network_that_refuses_noise_is_trained_with_one_thread(blas):
    network = cr.Network(OnlyWholeNumbers(), cr.Linear(6, 3))
    callback = Threads()
    with pytest.warns(
        cr.ChainruleWarning, match=r"with noise \(IndexError: not a whole number\), so it is trained with"
    ):
        cr.Trainer(network, "cross_entropy", callbacks=callback).fit(X, Y, epochs=1)
    assert callback.used == 1


# The commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", ["demo and", "demo and --seeds 1", "explore mnist --hidden 4 --examples 50 --seeds 1"]
)
@pytest.mark.parametrize(
    ("usual", "variable", "used"),
    [(2, None, 1), (2, "OPENBLAS_NUM_THREADS", 2), (2, "MKL_NUM_THREADS", 2), (0, None, 0)],
)
def test_the_commands_use_one_thread_unless_the_environment_says_another_number(
    command, usual, variable, used, blas, monkeypatch, capsys, tmp_path
):
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "2")
    monkeypatch.chdir(tmp_path)
    blas.count = usual
    seen, steps = set(), cr.Trainer.steps

    def noting(*given, **options):
        seen.add(blas.count)
        return steps(*given, **options)

    monkeypatch.setattr(cr.Trainer, "steps", noting)
    assert here(monkeypatch, capsys, *command.split(), "--epochs", 1)[0] == 0
    assert seen == {used}
    assert blas.count == usual


# The callback ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_are_best(monkeypatch):
    asked = []
    monkeypatch.setattr(threads, "best_count", lambda trainer: asked.append(trainer) or 2)
    return asked


class Watching(cr.Callback):
    """Which number the BLAS has in every epoch."""

    def __init__(self, blas):
        self.blas, self.seen = blas, []

    def on_epoch(self, trainer, row):
        self.seen.append(self.blas.count)


def test_the_number_holds_while_training_runs(blas):
    watching = Watching(blas)
    trainer = trainer_with(Threads(3), watching)
    trainer.fit(X, Y, epochs=2)
    assert watching.seen == [3, 3]
    assert blas.count == 2
    for _ in trainer.steps(X, Y, epochs=1):
        assert blas.count == 3
        break
    del _
    assert blas.count == 2, "a loop that was left has ended"


def test_a_trainer_is_copied_while_its_loop_is_open(blas):
    trainer = trainer_with(Threads(3))
    for _ in trainer.steps(X, Y, epochs=1):
        copies = copy.deepcopy(trainer), pickle.loads(pickle.dumps(trainer))
        for other in copies:
            other.callbacks[0].on_end(other)
        assert blas.count == 3, "the loop that is open is not theirs to end"
    assert blas.count == 2


def test_auto_is_measured_once_for_a_training(blas, two_are_best):
    callback = Threads()
    first, second = trainer_with(callback), trainer_with(callback)
    first.fit(X, Y, epochs=1)
    first.fit(X, Y, epochs=1)
    assert two_are_best == [first]
    assert callback.used == 2
    second.fit(X, Y, epochs=1)
    assert two_are_best == [first, second]


def test_a_checkpoint_keeps_the_number(blas, two_are_best, tmp_path):
    trainer = trainer_with(Threads())
    trainer.fit(X, Y, epochs=1)
    checkpoints.save(trainer, tmp_path / "a.safetensors")
    assert checkpoints.load(tmp_path / "a.safetensors").state["callbacks"] == [{"used": 2}]

    blas.count = 8
    watching = Watching(blas)
    later = trainer_with(Threads())
    checkpoints.restore(later, tmp_path / "a.safetensors")
    later.callbacks = [*later.callbacks, watching]
    later.fit(X, Y, epochs=1)
    assert watching.seen == [2]
    assert two_are_best == [trainer], "nothing is measured again"


def test_another_number_than_the_recorded_one_is_not_used_and_told(blas, tmp_path):
    trainer = trainer_with(Threads(2))
    trainer.fit(X, Y, epochs=1)
    checkpoints.save(trainer, tmp_path / "a.safetensors")
    later = trainer_with(Threads(4))
    with pytest.warns(cr.ChainruleWarning, match=r"^Threads\(4\): training goes on with 2 threads, as it began;"):
        checkpoints.restore(later, tmp_path / "a.safetensors")
    later.fit(X, Y, epochs=1)
    assert blas.told[-1] == 2


def test_a_blas_that_cannot_be_told_is_no_obstacle_but_told(blas):
    blas.count = 0
    callback = Threads(2)
    trainer = trainer_with(callback)
    with pytest.warns(cr.ChainruleWarning, match=r"cannot be told how many threads to use, and decides itself\.$"):
        trainer.fit(X, Y, epochs=1)
    assert callback.used is None
    assert blas.told == []
    callback.restore({"used": 2})
    with pytest.warns(cr.ChainruleWarning, match="where 2 were used so far: the last digits may differ"):
        trainer.fit(X, Y, epochs=1)


def test_a_blas_that_takes_fewer_is_told(blas):
    blas.most = 3
    callback = Threads(5)
    with pytest.warns(cr.ChainruleWarning, match="told to use 5 threads, and uses 3: the last digits may"):
        trainer = trainer_with(callback)
        trainer.fit(X, Y, epochs=1)
    assert callback.used == 3
    trainer.restore(trainer.state())  # says nothing again


def test_more_threads_than_cores_are_warned_of(blas, monkeypatch):
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    with pytest.warns(cr.ChainruleWarning, match="5 threads on 2 cores wait for each other.*Take at most 2, or 'auto'"):
        trainer_with(Threads(5)).fit(X, Y, epochs=1)
    trainer_with(Threads(2)).fit(X, Y, epochs=1)


@pytest.mark.parametrize("count", [0, -1, 1.5, True, None, "many", "2"])
def test_a_count_that_makes_no_sense_is_refused(count):
    with pytest.raises(cr.ConfigurationError, match="Threads: count must be a"):
        Threads(count)


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(cr.MissingExtraError, match=r"needs threadpoolctl: pip install 'chainrule\[threads\]'"):
        trainer_with(Threads(1)).fit(X, Y)


def test_the_real_blas_takes_the_number():
    if threads.usual_count() is None:
        pytest.skip("this NumPy's BLAS cannot be told")
    with threads.limited(2):
        assert threads.usual_count() == 2
        with threads.limited(1):
            assert threads.usual_count() == 1
        with threads.limited(None):
            assert threads.usual_count() == 2
