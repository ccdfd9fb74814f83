"""Whatever stops the writing of a file, the old one is still there, or the new one is, and nothing else."""

from __future__ import annotations

import errno
import io
import os
import stat

import pytest

import chainrule as cr
from chainrule import atomic_write
from chainrule.errors import CheckpointError
from test_files import path_with, saved


def fails(*arguments, **named):
    raise OSError(errno.ENOSPC, "No space left on device")


class FullDisk(io.FileIO):
    def __init__(self, path, mode):
        super().__init__(path, mode.replace("b", ""))
        self.writes = 0

    def write(self, data):
        self.writes += 1
        return super().write(data) if self.writes == 1 else fails()


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [(os, "replace", fails), (os, "fsync", fails), (atomic_write, "open", fails), (atomic_write, "open", FullDisk)],
    ids=["replace", "fsync", "open", "write"],
)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(owner, name, fault, tmp_path, monkeypatch):
    before = saved(cr.MLP([2, 3]), tmp_path)
    path = tmp_path / "saved.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fault, raising=False)
        with pytest.raises(CheckpointError, match=r"cannot be written \(No space left") as caught:
            cr.save(cr.MLP([2, 4]), path)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["saved.safetensors"]
    cr.save(cr.MLP([2, 4]), path)
    assert cr.load(path).out_shapes == ((4,),)


def test_ctrl_c_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cr.save(cr.MLP([2, 3]), tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    def only_files(descriptor, sync=os.fsync):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            fails()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    saved(cr.MLP([2, 3]), tmp_path)
    assert os.listdir(tmp_path) == ["saved.safetensors"]


def test_a_link_stays_a_link_and_long_names_are_no_trouble(tmp_path):
    name = "x" * 243 + ".safetensors"
    (tmp_path / "link").symlink_to(name)
    cr.save(cr.MLP([2, 3]), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert cr.load(tmp_path / name).out_shapes == ((3,),)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "is a folder"),
        ("nowhere/a", "no such folder"),
        ("file/a", "cannot be written"),
        ("a\0b", "cannot be written"),
    ],
)
def test_where_nothing_can_be_written(name, words, tmp_path):
    path_with(tmp_path, b"", "file")
    with pytest.raises(CheckpointError, match=words):
        cr.save(cr.MLP([2, 3]), tmp_path / name)
    assert os.listdir(tmp_path) == ["file"]


def test_without_permission(tmp_path, monkeypatch):
    def denied(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(atomic_write, "open", denied, raising=False)
    with pytest.raises(CheckpointError, match=r"a: cannot be written \(Permission denied\).*its permissions"):
        cr.save(cr.MLP([2, 3]), tmp_path / "a")
