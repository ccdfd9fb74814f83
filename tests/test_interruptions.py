"""Fifty interruptions at random steps, each gone on from in a fresh process: the end is the same to the bit."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "interrupted_run.py"


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plateau", "schedule"])
def test_interrupted_twentyfive_times_and_resumed_it_ends_as_if_it_never_had_been(kind, tmp_path):
    whole = run(tmp_path / "whole", kind)
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout.split()[0])
    assert steps >= 20
    chance, interruptions = random.Random(kind), 0
    while interruptions < 25:
        folder = tmp_path / f"run-{interruptions}"
        for at in sorted(chance.sample(range(1, steps), 5)):
            how = chance.choice(["kill", "stop"])
            broken = run(folder, kind, how, at)
            assert broken.returncode == (-9 if how == "kill" else 0), broken.stderr
            interruptions += 1
        resumed = run(folder, kind)
        assert resumed.returncode == 0, resumed.stderr
        assert resumed.stdout == whole.stdout
