"""Killed while it writes, out of disk, interrupted at any call: there is always a checkpoint to go on from."""

import builtins
import errno
import os
import random
import signal
import subprocess
import sys
import time

import pytest

import chainrule as cr
from chainrule import atomic_write, checkpoints
from chainrule.atomic_write import remove_orphans
from trainers import X, Y, plain_trainer

posix = pytest.mark.skipif(os.name != "posix", reason="signal 9 is POSIX")
WRITER = """
import sys
from pathlib import Path
import chainrule as cr
from chainrule import checkpoints, safetensors_format

def naive(path, pieces):
    with open(path, "wb") as file:
        for piece in pieces:
            file.write(piece)
            file.flush()

folder, write = Path(sys.argv[1]), safetensors_format.write_atomically
if sys.argv[2] == "naive":
    write = naive
trainer = cr.Trainer(cr.MLP([300, 500, 10]), "cross_entropy", cr.SGD(0.1, momentum=0.9))
checkpoints.save(trainer, folder / "step-00000000.safetensors")
# From here on the same bytes over and over: building them takes eight times as long as writing, and no kill is to miss.
safetensors_format.write_atomically = lambda path, pieces: saved.extend(map(bytes, pieces))
saved = []
checkpoints.save(trainer, folder / "step-00000001.safetensors")
print("ready", flush=True)
for _ in range(10**9):
    for step in (1, 2, 3):
        write(folder / f"step-{step:08}.safetensors", saved)
"""


def killed(folder, how, delay):
    """A process that saves and saves, killed at some instant."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, folder, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def unreadable(folder):
    broken = 0
    for _, path in checkpoints.numbered(folder):
        try:
            checkpoints.check(path)
        except cr.CheckpointError:
            broken += 1
    return broken


@posix
@pytest.mark.slow
def test_sixty_kills_lose_no_checkpoint_and_a_naive_writer_loses_some(tmp_path):
    chance, lost = random.Random(0), {"ours": 0, "naive": 0}
    for how, kills in (("ours", 60), ("naive", 20)):
        for kill in range(kills):
            folder = tmp_path / f"{how}-{kill}"
            folder.mkdir()
            killed(folder, how, 0.02 + 0.1 * chance.random())
            lost[how] += unreadable(folder) > 0
            if how == "ours":
                assert checkpoints.latest(folder) is not None
                left = [path for path in folder.iterdir() if path.suffix == ".tmp"]
                assert len(left) <= 1
                remove_orphans(folder, checkpoints.NAME)
                assert not [path for path in folder.iterdir() if path.suffix == ".tmp"]
    assert lost["ours"] == 0
    assert lost["naive"] > 0, "or the kills do not hit the window, and the zero above means nothing"


FAULTS = {
    "no space": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "input/output": lambda: OSError(errno.EIO, "Input/output error"),
    "no permission": lambda: OSError(errno.EACCES, "Permission denied"),
    "no memory": MemoryError,
    "Ctrl-C": KeyboardInterrupt,
}
CALLS = ("open", "write", "fsync", "close", "replace")


class Countdown:
    """Fails at the k-th of the calls that can fail, whichever that is; `made` tells them."""

    def __init__(self, k, fault):
        self.k, self.fault, self.made = k, fault, []

    def call(self, name):
        self.made.append(name)
        if len(self.made) == self.k:
            raise self.fault()


def watched_open(countdown):
    class File:
        def __init__(self, path, mode):
            countdown.call("open")
            self.file = builtins.open(path, mode)  # noqa: SIM115

        def write(self, data):
            if countdown.k == len(countdown.made) + 1:
                self.file.write(data[: len(data) // 2])  # a short write, then the fault
            countdown.call("write")
            return self.file.write(data)

        def fileno(self):
            return self.file.fileno()

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()
            if error[0] is None:
                countdown.call("close")

    return File


def counted(countdown, name, real):
    def call(*given):
        countdown.call(name)
        return real(*given)

    return call


@pytest.mark.parametrize("there_before", [True, False], ids=["over an old one", "new"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_call_leaves_the_old_file_or_the_new_one(fault, there_before, tmp_path, monkeypatch):
    old, new = plain_trainer(), plain_trainer()
    new.fit(X, Y, 1)
    path, seen = tmp_path / "a.safetensors", set()
    checkpoints.save(new, path)
    whole = {"new": path.read_bytes()}
    checkpoints.save(old, path)
    whole["old"] = path.read_bytes()
    for k in range(1, 1000):
        path.unlink(missing_ok=True)
        if there_before:
            path.write_bytes(whole["old"])
        countdown = Countdown(k, FAULTS[fault])
        with monkeypatch.context() as patch:
            patch.setattr(atomic_write, "open", watched_open(countdown), raising=False)
            for name in ("fsync", "replace"):
                real = getattr(os, name)
                patch.setattr(os, name, counted(countdown, name, real))
            try:
                checkpoints.save(new, path)
                failed = False
            except cr.CheckpointError as error:
                failed = str(error).startswith(str(path))
                assert failed and fault != "Ctrl-C"
            except KeyboardInterrupt:
                failed = True
        seen.update(countdown.made)
        assert os.listdir(tmp_path) == (["a.safetensors"] if path.exists() else [])
        if failed:
            replaced = "replace" in countdown.made[:-1]  # then only the folder's own fsync is left to fail
            assert (path.read_bytes() if path.exists() else None) == (
                whole["new"] if replaced else whole["old"] if there_before else None
            )
        else:
            assert path.read_bytes() == whole["new"]
        if len(countdown.made) < k:
            break
    assert seen == set(CALLS)
    assert k > len(CALLS)


def test_only_what_dead_processes_left_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = {
        f".step-00000001.safetensors.{dead.pid}.0123abcd.tmp": False,
        f".step-00000001.safetensors.{os.getpid()}.0123abcd.tmp": True,
        f".other.safetensors.{dead.pid}.0123abcd.tmp": True,
        "step-00000001.safetensors": True,
        ".step-00000001.safetensors.tmp": True,
    }
    for name in names:
        (tmp_path / name).touch()
    remove_orphans(tmp_path, checkpoints.NAME)
    assert sorted(os.listdir(tmp_path)) == sorted(name for name, stays in names.items() if stays)
