"""What all tests of training share: one small set of data, a trainer without chance and one with all of it."""

import pickle

import numpy as np

import chainrule as cr

ROWS, BATCH, EPOCHS = 23, 5, 3  # five steps an epoch, the last of three rows
STEPS = 5
chance = np.random.default_rng(0)
X = chance.standard_normal((ROWS, 5)).astype("float32")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
HELD_OUT = chance.standard_normal((13, 5)), chance.integers(0, 3, 13)


def plain_trainer(learning=0.1, **options):
    """No chance, no state: what a step does can be computed beside it."""
    optimizer = learning if isinstance(learning, cr.Optimizer) else cr.SGD(learning)
    network = cr.MLP([5, 7, 3], seed=1)
    return cr.Trainer(network, "cross_entropy", optimizer, **{"batch_size": BATCH, "seed": 3} | options)


def full_trainer(**options):
    """Everything that a resumed run could forget: chance, running statistics, velocity, a schedule."""
    network = cr.Network(
        cr.Standardize(), cr.Linear(5, 7), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.3), cr.Linear(7, 3), seed=1
    )
    optimizer = cr.SGD(cr.OneCycle(0.2), momentum=0.9)
    return cr.Trainer(network, "cross_entropy", optimizer, **{"batch_size": BATCH, "seed": 3} | options)


def walk(trainer, count, epochs=EPOCHS, **options):
    """Take so many steps, then break off."""
    steps = trainer.steps(X, Y, epochs, **options)
    taken = [step for _, step in zip(range(count), steps, strict=False)]
    steps.close()
    return taken


def timeless(history):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history], history.steps


def everything(trainer):
    """All that must agree between a run that was interrupted and one that was not."""
    vectors = {"params": trainer.network.params, "state": trainer.network.state} | trainer.optimizer.slots
    bits = {name: vector.tobytes() for name, vector in vectors.items()}
    optimizer = trainer.optimizer
    planned = optimizer.planned if optimizer.schedule.ends else None  # a constant rate has no use for a length
    position = trainer.epoch, trainer.step, trainer.rows_done, optimizer.steps, planned
    return bits, position, timeless(trainer.history)


def through_bytes(value):
    return pickle.loads(pickle.dumps(value))


class Diary(cr.Callback):
    """Writes down every call; breaks in the hook and at the call it is told to."""

    def __init__(self, breaks_in=None, at=1):
        self.breaks_in, self.at, self.entries = breaks_in, at, []

    def note(self, hook):
        self.entries.append(hook)
        if hook == self.breaks_in and self.entries.count(hook) == self.at:
            raise KeyboardInterrupt(hook)

    def on_start(self, trainer, epochs):
        self.note("start")

    def on_step(self, trainer, step):
        self.note("step")

    def on_epoch(self, trainer, row):
        row["noticed"] = len(self.entries)
        self.note("epoch")

    def on_end(self, trainer):
        self.note("end")

    def state(self):
        return {"entries": list(self.entries)}

    def restore(self, state):
        self.entries = list(state["entries"])
