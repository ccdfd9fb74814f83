"""The same seed gives the same weights to the bit, in any process, and another seed gives others."""

import os
import subprocess
import sys

RUN = """
import hashlib, sys
import numpy as np
import chainrule as cr

seed = int(sys.argv[1])
before = repr(np.random.get_state())
digits = cr.datasets.mnist().train
x, y = digits.x[:600], digits.y[:600]
network = cr.Network(
    cr.Rescale(1 / 255), cr.Linear(784, 16, initializer="glorot"), cr.BatchNorm(), cr.GELU(), cr.Dropout(0.2),
    cr.Concatenate(cr.Linear(16, 8), cr.Residual(cr.LayerNorm(), cr.Linear(16, 16))), cr.Linear(24, 10), seed=seed,
)
optimizer = cr.AdamW(cr.OneCycle(0.01))
trainer = cr.Trainer(
    network, cr.CrossEntropy(label_smoothing=0.1), optimizer, batch_size=50, seed=seed, clip=cr.ClipNorm(1.0),
    average=cr.EMA(0.9), augment=cr.RandomAffine((28, 28)), class_weight="balanced",
)
trainer.fit(x, y, 2, validation=(x, y))
assert repr(np.random.get_state()) == before, "the global generator was used"
vectors = (network.params, network.state, trainer.averages, *trainer.optimizer.slots.values())
print(hashlib.sha256(b"".join(vector.tobytes() for vector in vectors)).hexdigest())
"""


def test_five_fresh_processes_end_in_the_same_weights_and_another_seed_in_others():
    """Each process has its own order of hashing; one BLAS thread, because two take sums in another order."""
    environment = os.environ | {"PYTHONHASHSEED": "random", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-c", RUN]
    runs = [
        subprocess.Popen([*command, seed], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for seed in "000001"
    ]
    answers = [run.communicate() for run in runs]
    for run, (_, complaint) in zip(runs, answers, strict=True):
        assert run.returncode == 0, complaint
    *same, other = [digest.strip() for digest, _ in answers]
    assert len(same) == 5 and len(same[0]) == 64
    assert len(set(same)) == 1
    assert other != same[0]
