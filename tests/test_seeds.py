"""Chance comes from two seeds and from nowhere else, and never twice from the same stream."""

import hashlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import chainrule as cr
from trainers import BATCH, ROWS, X, Y, full_trainer, plain_trainer


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.mark.parametrize("seed", [0, 5])
def test_shuffling_has_a_stream_of_its_own(seed):
    (step,) = plain_trainer(seed=seed, batch_size=ROWS).steps(X, Y)
    assert (step.rows != np.random.default_rng(seed).permutation(ROWS)).any()


@pytest.mark.filterwarnings("ignore:learning_rate is 0")
def test_every_step_draws_anew_and_every_seed_otherwise():
    """All rows alike and weights that stand still: only the mask can make two losses differ."""

    def losses(seed):
        network = cr.Network(cr.Dropout(0.5), cr.Linear(5, 3), seed=0)
        trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.0), batch_size=ROWS, seed=seed)
        return [step.loss for step in trainer.steps(np.ones((ROWS, 5)), np.zeros(ROWS, int), 6)]

    assert len(set(losses(0) + losses(1))) == 12
    assert losses(0) == losses(0)


SCRIPT = """
import hashlib, sys, numpy as np, chainrule as cr
rng = np.random.default_rng(0)
x, y = rng.standard_normal((200, 20)), rng.integers(0, 3, 200)
layers = cr.Linear(20, 30), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.2), cr.Linear(30, 3)
network = cr.Network(*layers, seed=int(sys.argv[1]))
trainer = cr.Trainer(network, "cross_entropy", "adam", seed=int(sys.argv[2]))
trainer.fit(x, y, 3)
print(hashlib.sha256(network.params.tobytes() + network.state.tobytes()).hexdigest())
"""


def test_the_same_seeds_give_the_same_weights_in_two_processes_and_others_do_not():
    def weights(network_seed, trainer_seed, hash_seed):
        command = [sys.executable, "-c", SCRIPT, str(network_seed), str(trainer_seed)]
        environment = os.environ | {"PYTHONHASHSEED": str(hash_seed)}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    first = weights(0, 0, hash_seed=1)
    assert len(first) == 2 * hashlib.sha256().digest_size
    assert weights(0, 0, hash_seed=2) == first


def test_each_seed_has_its_say():
    def end(network_seed, trainer_seed):
        network = cr.MLP([5, 7, 3], seed=network_seed)
        cr.Trainer(network, "cross_entropy", seed=trainer_seed, batch_size=BATCH).fit(X, Y)
        return network.params.tobytes()

    assert len({end(0, 0), end(1, 0), end(0, 1)}) == 3
    assert end(0, 0) == end(0, 0)


def test_the_global_generator_is_neither_used_nor_moved():
    def end():
        trainer = full_trainer()
        trainer.fit(X, Y)
        return trainer.network.params.tobytes()

    np.random.seed(0)  # noqa: NPY002
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002
    first = end()
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert end() == first
