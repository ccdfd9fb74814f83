"""Install the extra "peers" one by one, where all at once did not go: one that cannot be had keeps out no other."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def main():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    subprocess.check_call([*PIP, "--editable", str(ROOT)])
    for peer in project["optional-dependencies"]["peers"]:
        if subprocess.call([*PIP, peer]):
            print(f"{peer} cannot be installed here: the benchmark goes without it")


if __name__ == "__main__":
    main()
