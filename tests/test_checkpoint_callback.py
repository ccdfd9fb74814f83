"""Checkpoint saves what it should, keeps what it should, and never touches what is not its own."""

import os
from contextlib import nullcontext

import pytest

import chainrule as cr
from chainrule import checkpoints
from chainrule.callbacks import EarlyStopping
from trainers import EPOCHS, HELD_OUT, STEPS, Diary, X, Y, everything, full_trainer, plain_trainer, walk


def names(folder):
    return sorted(int(path.name[5:13]) for path in folder.iterdir() if path.name.startswith("step-"))


def trainer_with(folder, *others, **options):
    return plain_trainer(callbacks=[*others, cr.Checkpoint(folder, **options)])


def test_the_last_few_epochs_stay(tmp_path):
    trainer_with(tmp_path, keep_last=2, keep_best=False).fit(X, Y, 4)
    assert names(tmp_path) == [3 * STEPS, 4 * STEPS]


def test_the_best_stays_however_old_it_is(tmp_path):
    class Worse(cr.Callback):
        def on_epoch(self, trainer, row):
            row["loss"] = [0.5, 0.2, 0.7, 0.8, 0.3][row["epoch"] - 1]

    trainer_with(tmp_path, Worse(), keep_last=1, monitor="loss").fit(X, Y, 5)
    assert names(tmp_path) == [2 * STEPS, 5 * STEPS]


def test_the_best_is_remembered_through_a_restart(tmp_path):
    losses = [0.5, 0.2, 0.7, 0.8, 0.3]

    class Worse(cr.Callback):
        def on_epoch(self, trainer, row):
            row["loss"] = losses[row["epoch"] - 1]

    trainer_with(tmp_path, Worse(), keep_last=1, monitor="loss").fit(X, Y, 3)
    second = trainer_with(tmp_path, Worse(), keep_last=1, monitor="loss")
    checkpoints.restore(second, checkpoints.latest(tmp_path))
    second.fit(X, Y, 2)
    assert names(tmp_path) == [2 * STEPS, 5 * STEPS]


def test_steps_are_saved_too_and_fewer_epochs_on_request(tmp_path):
    trainer_with(tmp_path, every_epochs=2, every_steps=4, keep_last=100, keep_best=False).fit(X, Y, 3)
    assert names(tmp_path) == [4, 8, 10, 12, 15]


@pytest.mark.parametrize("how", ["break", "stop", "raise"])
def test_a_training_broken_off_between_leaves_a_checkpoint_of_its_last_step(how, tmp_path):
    trainer = trainer_with(tmp_path)
    with pytest.raises(KeyboardInterrupt) if how == "raise" else nullcontext():
        for _ in trainer.steps(X, Y, EPOCHS):
            if trainer.step == 7:
                if how == "break":
                    break
                if how == "raise":
                    raise KeyboardInterrupt
                trainer.stop()
    assert names(tmp_path)[-1] == 7
    whole, second = plain_trainer(callbacks=[cr.Checkpoint(tmp_path / "other")]), trainer_with(tmp_path)
    whole.fit(X, Y, EPOCHS)
    checkpoints.restore(second, checkpoints.latest(tmp_path))
    second.fit(X, Y, EPOCHS - second.epoch)
    assert everything(second) == everything(whole)


def test_half_a_step_is_not_saved(tmp_path):
    class Breaks(cr.Callback):
        def on_step(self, trainer, step):
            if trainer.step == 7:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        trainer_with(tmp_path, Breaks()).fit(X, Y, EPOCHS)
    assert names(tmp_path) == [STEPS], "callbacks had not all heard of step 7"


def test_after_a_divergence_the_newest_is_the_last_good_state(tmp_path):
    trainer = trainer_with(tmp_path)
    with pytest.raises(cr.DivergenceError):
        for step in trainer.steps(X, Y, EPOCHS):
            if (step.epoch, step.index) == (2, 3):
                trainer.network.params[0] = float("nan")
    assert checkpoints.load(checkpoints.latest(tmp_path)).state["step"] == STEPS


def test_early_stopping_is_saved_as_it_is_after_the_epoch(tmp_path):
    first = trainer_with(tmp_path, EarlyStopping("loss", patience=1, min_delta=10.0))
    first.fit(X, Y, 5)
    assert first.epoch == 2
    second = trainer_with(tmp_path, EarlyStopping("loss", patience=1, min_delta=10.0))
    checkpoints.restore(second, checkpoints.latest(tmp_path))
    second.fit(X, Y, 3)
    assert second.epoch == 2, "it had been ended, and is not begun again"
    assert second.network.params.tobytes() == first.network.params.tobytes()


def test_it_must_stand_last(tmp_path):
    trainer = plain_trainer(callbacks=[cr.Checkpoint(tmp_path), Diary()])
    with pytest.raises(cr.ConfigurationError, match=r"Diary\(\) stands behind it.*Put Checkpoint last"):
        trainer.fit(X, Y)
    assert trainer.step == 0


def test_an_unknown_monitor_is_an_error_before_training(tmp_path):
    trainer = trainer_with(tmp_path, monitor="validation_los")
    with pytest.raises(cr.ConfigurationError, match=r"Did you mean 'validation_loss'\? Known: epoch, loss, acc"):
        trainer.fit(X, Y, 1, HELD_OUT)
    assert trainer.step == 0


def test_a_folder_of_another_training_is_left_alone(tmp_path):
    trainer_with(tmp_path).fit(X, Y, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(cr.ConfigurationError, match=r"is of a later step than the trainer's 0.*restore"):
        trainer_with(tmp_path).fit(X, Y)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_files_in_the_folder_stay(tmp_path):
    for name in ("notes.txt", "step-1.safetensors", "step-00000001.safetensors.old"):
        (tmp_path / name).write_text("mine")
    trainer_with(tmp_path, keep_last=1, keep_best=False).fit(X, Y, 3)
    assert sorted(os.listdir(tmp_path)) == [
        "notes.txt",
        "step-00000001.safetensors.old",
        "step-00000015.safetensors",
        "step-1.safetensors",
    ]


def test_a_full_disk_warns_and_training_goes_on(tmp_path, monkeypatch):
    trainer, save = trainer_with(tmp_path), checkpoints.save
    calls = []

    def fails_twice(*given):
        calls.append(given)
        if len(calls) in (2, 3):
            raise cr.CheckpointError("a: cannot be written (No space left on device).")
        save(*given)

    monkeypatch.setattr(checkpoints, "save", fails_twice)
    with pytest.warns(cr.ChainruleWarning, match="No space left on device.*Training goes on without this checkpoint"):
        trainer.fit(X, Y, 4)
    assert names(tmp_path) == [STEPS, 4 * STEPS]


def test_a_folder_that_cannot_be_written_is_an_error_before_training(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(cr.ConfigurationError, match=r"Checkpoint: .*file/inside cannot be written to"):
        trainer_with(tmp_path / "file" / "inside").fit(X, Y)


def test_rewinding_takes_the_later_files_back(tmp_path):
    trainer = full_trainer(callbacks=[cr.Checkpoint(tmp_path, keep_best=False)])
    state = None
    for step in trainer.steps(X, Y, EPOCHS):
        if (step.epoch, step.index) == (1, 5):
            state = trainer.state()
        if (step.epoch, step.index) == (2, 5) and state is not None:
            trainer.restore(state)
            state = None
            break
    walk(trainer, 0)
    assert names(tmp_path) == [STEPS]
