"""The house rules that no other tool checks: how a file is named, how long it is, what a docstring must say."""

import ast
import inspect
import json
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import chainrule as cr

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/chainrule"
FILES = sorted(SOURCE.rglob("*.py"))
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CORE = RULES["contracts"][0]["layers"][-1].split(" : ")
CORE_FILES = [file for file in FILES if file.relative_to(SOURCE).parts[0].removesuffix(".py") in CORE]
CHAPTERS = [name.partition(".")[2].replace(".", "/") + ".py" for name in RULES["contracts"][1]["forbidden_modules"]]
INDEXES = {file for file in CORE_FILES if file.stem == "__init__"}  # which names lie where: looked up, not read
EVENING = [file for file in CORE_FILES if file.relative_to(SOURCE).as_posix() not in CHAPTERS and file not in INDEXES]

PUBLIC = {
    name: thing
    for name, thing in vars(cr).items()
    if (inspect.isclass(thing) or inspect.isfunction(thing))
    and not name.startswith("_")
    and thing.__module__.startswith("chainrule")
}
CONTRACTS = (cr.Augmentation, cr.Clip, cr.Initializer, cr.Layer, cr.Loss, cr.Optimizer, cr.Penalty, cr.Schedule)
PARTS = {
    name: thing
    for name, thing in PUBLIC.items()
    if inspect.isclass(thing) and issubclass(thing, CONTRACTS) and thing not in CONTRACTS
}


def each(paths):
    return pytest.mark.parametrize("file", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


def tracked_files():
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [
        path
        for path in map(ROOT.joinpath, listing.stdout.splitlines())
        if path.is_file() and path.suffix not in {".gz", ".png"}
    ]


# Files ----------------------------------------------------------------------------------------------------------------


@each(FILES)
def test_a_file_is_short_and_says_why_it_exists(file):
    text = file.read_text(encoding="utf-8")
    assert re.match(r'"""[\w`][^"]*[.:]', text), "it must begin with the sentence that says why it exists"
    assert len(text.splitlines()) <= 300


@each(FILES)
def test_a_file_is_named_for_what_is_in_it(file):
    assert file.stem not in {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not file.stem.startswith("_") or file.stem in {"__init__", "__main__"}


def named_in_order():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"`([\w/.]+)`", re.search(r"Read in this order, in `src/chainrule/`(.*?)\n\n", readme, re.S)[1])


def test_the_core_is_read_in_an_evening():
    """The files that the README puts in order, folders without their chapters."""
    named = named_in_order()
    assert len(named) >= 14
    files = {file for name in named for file in EVENING if file.relative_to(SOURCE).as_posix().startswith(name)}
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 2000


def test_the_reading_order_is_that_of_the_readme_and_says_how_long_it_takes():
    page = (ROOT / "docs/reading-order.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^### (\d+)\. `(.*?)` \((\d+) minutes, (\d+) lines\)\n\n.*?\*\*Question\.\*\* .*?\n\n", page, re.M | re.S
    )
    numbers = [str(n) for n in range(1, len(rows) + 1)]
    assert [number for number, *_ in rows] == re.findall(r"^(\d+)\. ", page.partition("## Answers")[2], re.M) == numbers
    assert f"The minutes add up to {sum(int(minutes) for _, _, minutes, _ in rows)}" in page
    named = named_in_order()
    files = [file for _, file, *_ in rows]
    assert sorted(named, key=lambda name: [file.startswith(name) for file in files].index(True)) == named
    assert {SOURCE / file for file in files} == {
        file
        for name in named
        for file in [*EVENING, SOURCE / "layers/combine.py"]
        if file.relative_to(SOURCE).as_posix().startswith(name)
    }
    for file, told in ((file, int(lines)) for _, file, _, lines in rows):
        lines = sum(bool(line.strip()) for line in (SOURCE / file).read_text(encoding="utf-8").splitlines())
        assert abs(lines - told) <= 10 + told / 10, (file, lines)


def test_every_chapter_is_a_file_and_every_other_core_file_is_kept_from_them():
    assert {SOURCE / chapter for chapter in CHAPTERS} <= set(CORE_FILES)
    watched = {name.partition(".")[2].replace(".", "/") + ".py" for name in RULES["contracts"][1]["source_modules"]}
    assert watched == {file.relative_to(SOURCE).as_posix() for file in EVENING}


@each(CORE_FILES)
def test_the_core_does_not_reach_the_shell_through_the_lazy_names(file):
    assert not re.search(r"^\s*import chainrule\b(?!\.)", file.read_text(encoding="utf-8"), re.M)


def test_nothing_is_left_to_do_and_no_path_is_of_one_machine():
    unfinished = re.compile(r"\b(TO[D]O|FIX[M]E|FIL[L]|DIF[F]|XX[X])\b|(?<![\w.:/])/(work|tmp|home|root|opt|Users)/\w")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if unfinished.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_documents_name_targets_that_exist():
    targets = set(re.findall(r"^(\w+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for path in (path for path in tracked_files() if path.suffix in {".md", ".yaml"}):
        commands = re.findall(r"(?:^|`|: )make (?:\w+=\S+ )*(\w+)", path.read_text(encoding="utf-8"), re.M)
        assert set(commands) <= targets, path.name


# Names ----------------------------------------------------------------------------------------------------------------


def test_every_name_on_show_is_there():
    for name in dir(cr):
        assert getattr(cr, name) is not None


@pytest.mark.parametrize("name", cr.LAZY)
def test_a_lazy_name_is_what_its_module_holds(name):
    module = import_module(cr.LAZY[name])
    assert getattr(cr, name) is getattr(module, name, module)


def test_a_name_that_is_not_there_is_said_to_be_missing():
    with pytest.raises(AttributeError, match="module 'chainrule' has no attribute 'Liner'"):
        cr.Liner  # noqa: B018


@each(CORE_FILES)
def test_what_a_user_can_build_from_is_on_show(file):
    path = file.relative_to(SOURCE.parent).with_suffix("")
    module = import_module(".".join(path.parts).removesuffix(".__init__"))
    parts = {
        thing
        for name, thing in inspect.getmembers(module, inspect.isclass)
        if issubclass(thing, (*CONTRACTS, cr.ChainruleError)) and not name.startswith("_")
    }
    assert parts <= set(PUBLIC.values())


# Docstrings -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*PUBLIC, *cr.LAZY])
def test_a_public_thing_begins_with_a_sentence(name):
    doc = inspect.cleandoc(vars(getattr(cr, name)).get("__doc__") or getattr(cr, name).__doc__)
    assert re.match(r"[^\n]+(\n[^\n]+)?[.:](\n\n|$)", doc), doc


@pytest.mark.parametrize("name", PARTS)
def test_a_part_tells_its_formulas_its_arguments_and_an_example(name):
    part = PARTS[name]
    doc = inspect.cleandoc(part.__dict__.get("__doc__") or "")
    wanted = ["Shapes", "Forward", "Backward"] if issubclass(part, (cr.Layer, cr.Loss)) else []
    wanted += ["Arguments"] if "__init__" in part.__dict__ else []
    assert [section for section in wanted if not re.search(rf"^{section}  ", doc, re.M)] == []
    assert ">>> " in doc


@pytest.mark.parametrize("name", PARTS)
def test_a_default_that_is_told_is_the_default(name):
    doc, parameters = inspect.cleandoc(PARTS[name].__doc__), inspect.signature(PARTS[name]).parameters
    entries = re.split(rf"(?m)^(?:Arguments)? +({'|'.join(parameters) or '(?!)'})\b", doc)[1:]
    for argument, entry in zip(entries[::2], entries[1::2], strict=True):
        told = re.search(r'\(default ("[^"]*"|[^\s,;:)]+)|("\w+") \(default\)', entry)
        default = parameters[argument].default
        if told and isinstance(default, (bool, int, float, str)):
            assert ast.literal_eval(told[1] or told[2]) == default, argument


# The import -----------------------------------------------------------------------------------------------------------

WATCHED_IMPORT = """
import json, sys, numpy

state = numpy.random.get_state()[1].tolist()
events = []
sys.addaudithook(lambda event, _: events.append(event))
import chainrule

print(json.dumps({
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "network": [event for event in events if event.startswith(("socket", "urllib", "http"))],
    "processes": [event for event in events if event.startswith(("subprocess", "os.system", "os.exec", "os.fork"))],
    "global_generator_untouched": numpy.random.get_state()[1].tolist() == state,
}))
"""


def test_the_import_is_light_and_touches_nothing():
    answer = subprocess.run([sys.executable, "-W", "error", "-c", WATCHED_IMPORT], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    seen = json.loads(answer.stdout)
    heavy = {"matplotlib", "rich", "typer", "scipy", "sklearn", "torch", "safetensors", "h5py"}
    heavy |= {"requests", "urllib3", "filelock", "platformdirs", "threadpoolctl"}
    assert heavy & set(seen["modules"]) == set()
    assert seen["network"] == seen["processes"] == []
    assert seen["global_generator_untouched"]
