"""A checkpoint holds all that training needs to go on; damage is refused, and so is another training."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import checkpoints
from chainrule.callbacks import EarlyStopping, ReduceLROnPlateau
from chainrule.optimizers import OPTIMIZERS
from chainrule.packing import pack
from chainrule.schedules import SCHEDULES
from trainers import EPOCHS, HELD_OUT, Diary, X, Y, everything, full_trainer, plain_trainer, through_bytes, walk

GOLDEN = Path(__file__).parent / "golden/checkpoint_v1.safetensors"


def jitter(x, rng):
    return x + 0.1 * rng.standard_normal(x.shape)


def crowded_trainer(**options):
    """All parts at once, but for a schedule, which a plateau has no use for."""
    network = cr.Network(
        *(cr.Standardize(), cr.Linear(5, 7), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.3), cr.Linear(7, 3)), seed=1
    )
    parts = {
        "optimizer": cr.AdamW(0.02, amsgrad=True),
        "batch_size": 3,
        "accumulate": 2,
        "seed": 3,
        "penalty": (cr.L1(1e-4), cr.L2(1e-3)),
        "clip": cr.ClipNorm(1.0),
        "max_norm": cr.MaxNorm(2.0),
        "average": cr.EMA(0.9),
        "augment": jitter,
        "class_weight": "balanced",
        "metrics": [cr.metrics.f1],
        "callbacks": [ReduceLROnPlateau(patience=1), EarlyStopping(patience=2)],
    }
    return cr.Trainer(network, "cross_entropy", **parts | options)


def all_of(trainer):
    averages = None if trainer.averages is None else trainer.averages.tobytes()
    arrays = {}
    states = pack([callback.state() for callback in trainer.callbacks], "", arrays)
    vectors = {name: array.tobytes() for name, array in arrays.items()}
    return everything(trainer), averages, states, vectors, trainer.optimizer.learning_rate


# There and back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0, 1, 4, 6, 12])
def test_saved_anywhere_and_restored_elsewhere_training_ends_bit_identical(cut, tmp_path):
    whole, first, second = crowded_trainer(), crowded_trainer(), crowded_trainer()
    whole.fit(X, Y, EPOCHS, HELD_OUT)
    walk(first, cut, validation=HELD_OUT)
    checkpoints.save(first, tmp_path / "a.safetensors", checkpoints.fingerprint(X, Y))
    second.network.params += 1  # nothing may survive of what was there
    checkpoints.restore(second, tmp_path / "a.safetensors", data=(X, Y))
    assert all_of(second) == all_of(first)
    second.fit(X, Y, EPOCHS - second.epoch, HELD_OUT)
    assert all_of(second) == all_of(whole)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on(name, tmp_path):
    whole, first, second = (plain_trainer(OPTIMIZERS[name]()) for _ in range(3))
    whole.fit(X, Y, 2)
    walk(first, 3)
    checkpoints.save(first, tmp_path / "a.safetensors")
    checkpoints.restore(second, tmp_path / "a.safetensors")
    second.fit(X, Y, 2)
    assert everything(second) == everything(whole)


SCHEDULED = {
    "constant": cr.Constant(0.1),
    "one_cycle": cr.OneCycle(0.2),
    "step": cr.StepDecay(0.1, every=4),
    "exponential": cr.Exponential(0.1, factor=0.9),
    "cosine": cr.Cosine(0.1),
    "inverse_time": cr.InverseTime(0.1, decay=0.1),
    "inverse_square_root": cr.InverseSquareRoot(0.1, warmup=3),
    "warmup": cr.Warmup(cr.Cosine(0.1), steps=0.3),
}


def test_every_schedule_is_among_them():
    assert {type(schedule) for schedule in SCHEDULED.values()} == set(SCHEDULES.values())


@pytest.mark.parametrize("name", SCHEDULED)
def test_every_schedule_goes_on(name, tmp_path):
    whole, first, second = (plain_trainer(cr.SGD(SCHEDULED[name], momentum=0.9)) for _ in range(3))
    whole.fit(X, Y, 2)
    walk(first, 3, 2)
    checkpoints.save(first, tmp_path / "a.safetensors")
    checkpoints.restore(second, tmp_path / "a.safetensors")
    second.fit(X, Y, 2)
    assert everything(second) == everything(whole)


def test_equal_states_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        trainer = full_trainer()
        walk(trainer, 7)
        for row in trainer.history:
            row["seconds"] = 0.0
        trainer.sums["seconds"] = 0.0
        checkpoints.save(trainer, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_checkpoint_is_a_model_file(tmp_path):
    trainer = crowded_trainer()
    trainer.fit(X, Y, 1, HELD_OUT)
    checkpoints.save(trainer, tmp_path / "a.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path / "a.safetensors")(X), trainer.network(X))


def test_what_it_holds_can_be_looked_at(tmp_path):
    trainer = full_trainer()
    walk(trainer, 7)
    checkpoints.save(trainer, tmp_path / "a.safetensors", checkpoints.fingerprint(X, Y))
    contents = checkpoints.load(tmp_path / "a.safetensors")
    assert contents.history.steps == trainer.history.steps
    text = str(contents)
    for words in (
        "after      1 epochs and 10 rows, 7 steps",
        "SGD(momentum=0.9",
        "callbacks  none",
        "x float32 (23, 5)",
    ):
        assert words in text


def test_the_checkpoint_of_the_first_release_loads_for_ever():
    """Made once by golden_trainer() and never again: the numbers in it must go on as they did."""
    second = golden_trainer()
    checkpoints.restore(second, GOLDEN, data=(X, Y))
    assert (second.epoch, second.step) == (1, 7)
    assert second.history.rows[0]["loss"] == pytest.approx(1.2, abs=0.5)
    second.fit(X, Y, 1)
    whole = golden_trainer()
    whole.fit(X, Y, 2)
    np.testing.assert_allclose(second.network.params, whole.network.params, rtol=1e-4, atol=1e-5)  # any BLAS


def golden_trainer():
    network = cr.Network(cr.Linear(5, 7), cr.BatchNorm(), cr.ReLU(), cr.Dropout(0.3), cr.Linear(7, 3), seed=1)
    optimizer = cr.Adam(cr.OneCycle(0.05, length=10))
    return cr.Trainer(
        network, "cross_entropy", optimizer, batch_size=5, seed=3, penalty=cr.L2(1e-3), average=cr.EMA(warmup=False)
    )


# What does not fit ----------------------------------------------------------------------------------------------------


def wider():
    network = cr.MLP([5, 8, 3], seed=1)
    return cr.Trainer(network, "cross_entropy", cr.SGD(0.1), batch_size=5, seed=3)


@pytest.mark.parametrize(
    ("other", "text"),
    [
        (
            wider,
            r"another network than the trainer's\. '0\.W': expected float32 \(5, 8\), the file has float32 \(5, 7\)",
        ),
        (lambda: plain_trainer(cr.Adam()), r"taken from SGD\(.*, and Adam"),
        (lambda: plain_trainer(seed=4), "seed: the trainer has 4, the checkpoint 3"),
        (lambda: plain_trainer(batch_size=6), "batch_size: the trainer has 6, the checkpoint 5"),
        (lambda: plain_trainer(penalty=cr.L2(0.1)), r"penalty: the trainer has \(L2\(0.1\),\), the checkpoint \(\)"),
        (
            lambda: plain_trainer(augment=[jitter, cr.GaussianNoise(0.1)]),
            r"augment: the trainer has \('jitter', 'GaussianNoise\(0.1\)'\), the checkpoint \(\)",
        ),
        (lambda: plain_trainer(class_weight=np.ones(3)), r"class_weight: .* \[1.0, 1.0, 1.0\], the checkpoint None"),
        (lambda: plain_trainer(average=cr.EMA()), r"average: the trainer has EMA\(\), the checkpoint None"),
        (lambda: plain_trainer(callbacks=[Diary()]), r"callbacks: the trainer has \['Diary'\], the checkpoint \[\]"),
    ],
)
def test_another_training_is_told_apart_and_left_as_it_was(other, text, tmp_path):
    first, second = plain_trainer(), other()
    first.fit(X, Y, 1)
    checkpoints.save(first, tmp_path / "a.safetensors")
    before = everything(second)
    with pytest.raises(cr.CheckpointError, match=text) as caught:
        checkpoints.restore(second, tmp_path / "a.safetensors")
    assert str(caught.value).startswith(str(tmp_path / "a.safetensors"))
    assert everything(second) == before


def test_other_data_are_refused_unless_forced(tmp_path):
    first, second = plain_trainer(), plain_trainer()
    walk(first, 3)
    checkpoints.save(first, tmp_path / "a.safetensors", checkpoints.fingerprint(X, Y))
    with pytest.raises(
        cr.CheckpointError, match=r"data: x float32 \(23, 5\) has other contents\. Go on with the data and"
    ):
        checkpoints.restore(second, tmp_path / "a.safetensors", data=(X[::-1], Y))
    checkpoints.restore(second, tmp_path / "a.safetensors", data=(X[::-1], Y), force=True)
    assert second.step == 3


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        (np.arange(23), (), r"data: sample_weight int64 \(23,\) is missing"),
        (None, (np.arange(23),), r"data: sample_weight int64 \(23,\) was not there"),
        (np.arange(23), (np.arange(23)[::-1],), r"data: sample_weight int64 \(23,\) has other contents"),
        (np.arange(23), (np.arange(23.0),), r"data: sample_weight float64 \(23,\) was sample_weight int64 \(23,\)"),
    ],
)
def test_other_weights_are_other_data(before, now, text, tmp_path):
    first, second = plain_trainer(), plain_trainer()
    walk(first, 3, sample_weight=before)
    checkpoints.save(first, tmp_path / "a", checkpoints.fingerprint(X, Y, before))
    with pytest.raises(cr.CheckpointError, match=text):
        checkpoints.restore(second, tmp_path / "a", data=(X, Y, *now))
    checkpoints.restore(second, tmp_path / "a", data=(X, Y, before))


class Fails(cr.Callback):
    """Takes its state back as it can: not at all."""

    def restore(self, state):
        raise ValueError("boom")


@pytest.mark.parametrize("built", [True, False])
def test_a_callback_that_fails_is_named_and_the_trainer_as_it_was(built, tmp_path):
    def trainer():
        network = cr.Network(cr.Linear(5 if built else None, 3))
        return cr.Trainer(network, "cross_entropy", "adam", callbacks=[diary := Diary(), Fails()]), diary

    (first, _), (second, diary) = trainer(), trainer()
    first.fit(X, Y, 2)
    checkpoints.save(first, tmp_path / "a")
    if built:
        walk(second, 1)
    before, entries = all_of(second), list(diary.entries)
    with pytest.raises(cr.CheckpointError, match=r"the trainer cannot go on from it \(ValueError: boom\)"):
        checkpoints.restore(second, tmp_path / "a")
    assert (all_of(second), diary.entries, bool(second.network.out_shapes)) == (before, entries, built)


@pytest.mark.parametrize(
    ("trainer", "path", "error", "text"),
    [
        (plain_trainer(), None, cr.CheckpointError, r"no checkpoint to go on from yet: begin with trainer\.fit"),
        (cr.MLP([5, 3]), "a", cr.ConfigurationError, "checkpoints.restore: expected a trainer and a path, received "),
    ],
    ids=["none yet", "a network"],
)
def test_what_cannot_be_gone_on_from_says_so(trainer, path, error, text):
    with pytest.raises(error, match=text):
        checkpoints.restore(trainer, path)


def test_a_plain_model_file_says_what_it_is(tmp_path):
    cr.save(cr.MLP([2, 3]), tmp_path / "a")
    with pytest.raises(cr.CheckpointError, match=r"is a model file, with no trainer's state.*cr.load"):
        checkpoints.load(tmp_path / "a")
    with pytest.raises(cr.CheckpointError, match="there is no such file"):
        checkpoints.load(tmp_path / "b")


def test_a_state_that_cannot_be_written_is_named(tmp_path):
    class Odd(cr.Callback):
        def state(self):
            return {"when": {1, 2}}

        def restore(self, state):
            pass

    trainer = plain_trainer(callbacks=[Odd()])
    with pytest.raises(cr.ConfigurationError, match=r"trainer\.callbacks\.0\.when: cannot write \{1, 2\} \(set\)"):
        checkpoints.save(trainer, tmp_path / "a")
    assert os.listdir(tmp_path) == []


# Damage ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small checkpoint's bytes."""
    path = tmp_path_factory.mktemp("small") / "a"
    trainer = cr.Trainer(cr.MLP([2, 2]), "cross_entropy", cr.SGD(0.1, momentum=0.9))
    trainer.fit(X[:, :2], Y > 0, 1)
    checkpoints.save(trainer, path)
    return path.read_bytes()


def refused(path, data):
    path.write_bytes(data)
    with pytest.raises(cr.CheckpointError):
        checkpoints.load(path)


def test_cut_short_at_every_byte_it_is_refused(small, tmp_path):
    for length in range(len(small)):
        refused(tmp_path / "a", small[:length])


@pytest.mark.slow
def test_ten_thousand_flipped_bits_are_refused(small, tmp_path):
    chance = random.Random(0)
    for _ in range(10_000):
        place, damaged = chance.randrange(len(small)), bytearray(small)
        damaged[place] ^= 1 << chance.randrange(8)
        refused(tmp_path / "a", bytes(damaged))


def test_the_newest_that_is_whole_is_the_latest(small, tmp_path):
    assert checkpoints.latest(tmp_path) is None
    assert checkpoints.latest(tmp_path / "nowhere") is None
    for step in (9, 10, 100_000_000):
        (tmp_path / f"step-{step:08}.safetensors").write_bytes(small)
    (tmp_path / "step-999.safetensors").write_bytes(small)  # not a name that we give
    assert checkpoints.latest(tmp_path).name == "step-100000000.safetensors"
    (tmp_path / "step-100000000.safetensors").write_bytes(small[:-1])
    with pytest.warns(cr.ChainruleWarning, match="passed over .*step-100000000.safetensors"):
        assert checkpoints.latest(tmp_path).name == "step-00000010.safetensors"


def test_copies_of_a_state_share_nothing_with_the_trainer(tmp_path):
    trainer = crowded_trainer()
    trainer.fit(X, Y, 1, HELD_OUT)
    checkpoints.save(trainer, tmp_path / "a")
    contents = checkpoints.restore(trainer, tmp_path / "a")
    before = through_bytes(contents.state["averages"])
    trainer.fit(X, Y, 1, HELD_OUT)
    np.testing.assert_array_equal(contents.state["averages"], before)
