"""A training with everything on, that goes on from its newest checkpoint and can be told to die at a step.

    python interrupted_run.py FOLDER plateau|schedule [kill|stop STEP]

At the end it prints what must agree between a run that was interrupted and one that was not.
"""

import hashlib
import os
import signal
import sys

import chainrule as cr
from chainrule import checkpoints
from chainrule.callbacks import EarlyStopping, ReduceLROnPlateau
from chainrule.packing import pack
from trainers import HELD_OUT, X, Y, timeless

EPOCHS = 12


def jitter(x, rng):
    return x + 0.1 * rng.standard_normal(x.shape)


def made(folder, kind):
    network = cr.Network(
        *(cr.Standardize(), cr.Linear(5, 7), cr.BatchNorm(), cr.GELU(), cr.Dropout(0.3), cr.Linear(7, 3)), seed=1
    )
    rate = 0.05 if kind == "plateau" else cr.Warmup(cr.Cosine(0.05), steps=0.2)
    callbacks = [EarlyStopping(patience=4)]
    if kind == "plateau":
        callbacks.insert(0, ReduceLROnPlateau(patience=1, cooldown=1))
    return cr.Trainer(
        network,
        "cross_entropy",
        cr.Adam(rate, amsgrad=True) if kind == "plateau" else cr.SGD(rate, momentum=0.9, weight_decay=0.01),
        batch_size=3,
        accumulate=2,
        seed=3,
        penalty=cr.L2(1e-3),
        clip=cr.ClipNorm(1.0),
        max_norm=cr.MaxNorm(2.0),
        average=cr.EMA(0.9),
        augment=jitter,
        class_weight="balanced",
        metrics=[cr.metrics.f1],
        callbacks=[*callbacks, cr.Checkpoint(folder, every_steps=3, fingerprint=checkpoints.fingerprint(X, Y))],
    )


def digest(trainer):
    arrays = {}
    words = repr(
        [
            pack({k: v for k, v in trainer.state().items() if k not in ("sums", "callbacks")}, "", arrays),
            [pack(callback.state(), type(callback).__name__, arrays) for callback in trainer.callbacks[:-1]],
            timeless(trainer.history),
        ]
    )
    return hashlib.sha256(b"".join([words.encode(), *(arrays[name].tobytes() for name in sorted(arrays))])).hexdigest()


def main(folder, kind, how=None, at="0"):
    trainer = made(folder, kind)
    newest = checkpoints.latest(folder)
    if newest is not None:
        checkpoints.restore(trainer, newest, data=(X, Y))
    for _ in trainer.steps(X, Y, EPOCHS - trainer.epoch, HELD_OUT):
        if how is not None and trainer.step >= int(at):
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            trainer.stop()
    print(trainer.step, digest(trainer))


if __name__ == "__main__":
    main(*sys.argv[1:])
