"""Do the tests notice a mistake? This draws small mistakes in the core and runs the tests that own the file of each.

    python tests/mutants.py                 the draw of CI; it fails for a survivor that mutants.toml does not justify
    python tests/mutants.py --seed 1        another draw
    python tests/mutants.py --file losses   every file with that in its name alone
    python tests/mutants.py --per-file 5    more of each file

A mutant is one change at one place of the syntax tree: another operator, comparison, constant or axis, a dropped term,
a removed statement or copy, swapped arguments. Which ones are drawn depends on a hash of the seed and of the change
itself, so that editing one function leaves the draw of all others as it was.
"""

import argparse
import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_suffix(".toml")
WORKERS, PER_FILE, PATIENCE = 2, 2, 120  # patience in seconds: whoever takes longer runs in circles, and is noticed

CONTRACT, SMOOTH = "test_contract.py layers/test_accuracy.py", "layers/test_smooth_activations.py"
STEPS = "test_step_parts.py test_training.py test_resuming.py"
# The tests that own each file, cheap ones first. After a comma: what the names of tests in test_contract.py must hold.
# Last, for every file, come the owners of what is refused and of what the docstrings say.
LAST = ("test_house.py::test_a_default_that_is_told_is_the_default", "test_bad_input.py")
OWNERS = {
    "batches.py": "test_weights.py test_training.py test_refused_training.py",
    "border.py": "test_bad_input.py test_odd_but_right_input.py test_network.py",
    "configurable.py": "test_configurable.py",
    "evaluation.py": "test_tasks.py test_weights.py test_metrics.py test_step_parts.py",
    "gradient_check.py": "test_gradient_check.py",
    "history.py": "test_history.py test_training.py",
    "initializers.py": "test_initializers.py",
    "layers/activations.py": f"layers/test_activations.py {CONTRACT}, ReLU or Sigmoid or Tanh or Softmax or Identity",
    "layers/combine.py": "layers/test_combine.py test_contract.py, Chain or Resid or Concat or Flatten or Reshape",
    "layers/convolution.py": "layers/test_convolution.py test_contract.py, Conv2D",
    "layers/dropout.py": "layers/test_dropout.py test_contract.py, Dropout",
    "layers/erf.py": f"{SMOOTH} {CONTRACT}, GELU",
    "layers/layer.py": "test_parameters.py test_building.py layers/test_preprocessing.py test_contract.py, Linear",
    "layers/linear.py": "test_building.py test_contract.py, Linear",
    "layers/normalization.py": "layers/test_normalization.py test_contract.py test_training.py, BatchNorm",
    "layers/patches.py": "layers/test_patches.py layers/test_convolution.py test_contract.py, 2D",
    "layers/pooling.py": "layers/test_pooling.py test_contract.py, Pool2D",
    "layers/preprocessing.py": "layers/test_preprocessing.py test_contract.py, Rescale or Standardize",
    "layers/row_normalization.py": "layers/test_row_normalization.py test_contract.py, LayerNorm or RMSNorm",
    "layers/smooth_activations.py": f"{SMOOTH} {CONTRACT}, GELU or SiLU or ELU or Softplus",
    "losses/absolute_error.py": "test_losses.py",
    "losses/binary_cross_entropy.py": "test_losses.py",
    "losses/cross_entropy.py": "test_losses.py",
    "losses/huber.py": "test_losses.py",
    "losses/loss.py": "test_losses.py",
    "losses/poisson.py": "test_losses.py",
    "losses/quantile.py": "test_losses.py",
    "losses/squared_error.py": "test_losses.py",
    "mlp.py": "test_building.py",
    "network.py": f"test_network.py test_building.py test_parameters.py {STEPS} test_tasks.py",
    "optimizers/adagrad.py": "test_optimizers.py",
    "optimizers/adam.py": "test_optimizers.py",
    "optimizers/adamw.py": "test_optimizers.py",
    "optimizers/averaging.py": "test_averaging.py",
    "optimizers/clipping.py": "test_clipping.py",
    "optimizers/decay.py": "test_decay.py",
    "optimizers/optimizer.py": "test_schedules.py test_optimizers.py test_resuming.py",
    "optimizers/rmsprop.py": "test_optimizers.py",
    "optimizers/sgd.py": "test_optimizers.py",
    "parameters.py": "test_parameters.py test_building.py test_network.py",
    "resuming.py": "test_resuming.py",
    "schedules/falling.py": "test_schedules.py",
    "schedules/schedule.py": "test_schedules.py test_optimizers.py",
    "tasks.py": "test_tasks.py test_training.py",
    "tracing.py": "test_network.py test_divergence.py",
    "training.py": f"{STEPS} test_divergence.py test_refused_training.py test_callbacks.py",
    "training_step.py": f"{STEPS} test_clipping.py test_averaging.py test_weights.py test_divergence.py",
    "warning_signs.py": "test_bad_input.py test_refused_training.py",
    "weighting.py": "test_weights.py",
}

# One change -----------------------------------------------------------------------------------------------------------

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.BitAnd: ast.BitOr,
}
NAMES = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "any": "all", "all": "any"}
NAMES |= {"sum": "mean", "mean": "sum", "zeros": "ones", "ones": "zeros", "floor": "ceil", "ceil": "floor"}
NAMES |= {"log1p": "log", "expm1": "exp", "flatnonzero": "argwhere", "var": "std", "sqrt": "square"}
REMOVED = ast.Pass()


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Everything that this one node could be by mistake."""
    match node:
        case ast.BinOp(left, op, right):
            if type(op) in OPERATORS:
                yield ast.BinOp(left, OPERATORS[type(op)](), right)
                yield left
            elif isinstance(op, ast.MatMult):
                yield ast.BinOp(right, op, left)
        case ast.AugAssign(target, op, value):
            yield ast.AugAssign(target, OPERATORS[type(op)](), value) if type(op) in OPERATORS else REMOVED
            yield REMOVED
        case ast.Compare(left, [op], [right]) if type(op) in OPERATORS:
            yield ast.Compare(left, [OPERATORS[type(op)]()], [right])
        case ast.BoolOp(op, values):
            yield ast.BoolOp(OPERATORS[type(op)](), values)
            yield values[0]
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(float() as value):
            yield ast.Constant(value * 1.25 or 1.0)
        case ast.keyword("axis", ast.UnaryOp()):
            yield ast.keyword("axis", ast.Constant(0))
        case ast.keyword("axis", ast.Constant(0)):
            yield ast.keyword("axis", ast.Constant(-1))
        case ast.Call(ast.Attribute(value, "copy"), []):
            yield value
        case ast.Call(ast.Name("isinstance")):
            return
        case ast.Call(function, [first, second, *rest], keywords) if not isinstance(first, ast.Starred):
            yield ast.Call(function, [second, first, *rest], keywords)
        case ast.Attribute(value, name) if name in NAMES:
            yield ast.Attribute(value, NAMES[name])
        case ast.If(test, body, other):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, other)
        case ast.IfExp(test, body, other):
            yield ast.IfExp(test, other, body)
        case ast.Expr(ast.Call()) | ast.Assign([ast.Subscript() | ast.Attribute()]):
            yield REMOVED


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    line: int
    name: str  # file, function, before and after: the same for as long as the line is

    def rank(self, seed: int) -> str:
        return hashlib.sha256(f"{seed} {self.name}".encode()).hexdigest()

    def source(self, text: str) -> str:
        """The file with this change in it."""
        tree = ast.parse(text)
        return next(ast.unparse(ast.fix_missing_locations(tree)) for mutant in walk(tree, self.file) if mutant == self)


def walk(tree: ast.Module, file: str) -> Iterator[Mutant]:
    """All mutants of a file, one by one; while one is out, the tree is changed in its way."""
    seen = Counter[str]()

    def visit(parent: ast.AST, where: str) -> Iterator[Mutant]:
        for field, value in ast.iter_fields(parent):
            nodes = value if isinstance(value, list) else [value]
            if field in {"annotation", "returns", "decorator_list"}:
                continue
            for i, node in enumerate(nodes):
                if not isinstance(node, ast.AST) or is_silent(node):
                    continue
                for changed in changes(node):
                    name = f"{file} {where}: {shown(node)} -> {shown(changed)}"
                    seen[name] += 1
                    name += f" ({seen[name]})" if seen[name] > 1 else ""
                    put(parent, field, i, changed)
                    yield Mutant(file, getattr(node, "lineno", getattr(parent, "lineno", 0)), name)
                    put(parent, field, i, node)
                named = isinstance(node, ast.ClassDef | ast.FunctionDef)
                if not (isinstance(node, ast.keyword) and node.arg == "axis"):
                    yield from visit(node, f"{where}.{node.name}".lstrip(".") if named else where)

    def put(parent: ast.AST, field: str, i: int, node: ast.AST) -> None:
        if isinstance(getattr(parent, field), list):
            getattr(parent, field)[i] = node
        else:
            setattr(parent, field, node)

    return visit(tree, "")


def is_silent(node: ast.AST) -> bool:
    """No behaviour, or only the words of it, or a guard that does its work when nothing happens."""
    match node:
        case ast.Raise() | ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Assert():
            return True
        case ast.Expr(ast.Constant()) | ast.If(ast.Name("TYPE_CHECKING")) | ast.keyword("strict"):
            return True
    return False


def shown(node: ast.AST) -> str:
    """The node as one line of code, shortened."""
    if node is REMOVED:
        return "(removed)"
    line = " ".join(ast.unparse(ast.If(node.test, [REMOVED], []) if isinstance(node, ast.If) else node).split())
    line = line.removesuffix(" pass")
    return line if len(line) <= 100 else f"{line[:97]}..."


def text_of(file: str) -> str:
    return (ROOT / "src/chainrule" / file).read_text("utf-8")


def drawn(seed: int, per_file: int, part: str = "") -> list[Mutant]:
    """The mutants whose hash comes first, so many of each file."""
    everything = {file: list(walk(ast.parse(text_of(file)), file)) for file in OWNERS if part in file}
    return [
        mutant
        for its_own in everything.values()
        for mutant in sorted(its_own, key=lambda mutant: mutant.rank(seed))[:per_file]
    ]


# The tests ------------------------------------------------------------------------------------------------------------


def copied(folder: Path) -> Path:
    """What the tests need, away from the checkout."""
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def failures(folder: Path, tests: list[str], names: str = "") -> list[str] | None:
    """The test at which these stop, with the sources in this folder; None if they all pass."""
    shutil.rmtree(folder / ".pytest_cache", ignore_errors=True)
    environment = {"PYTHONPATH": str(folder / "src"), "OPENBLAS_NUM_THREADS": "1"}
    chosen = ["-k", f"not test_contract or {names}"] if names else []
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-qx", "-p", "no:xdist", *chosen, *tests],
            cwd=folder,
            env=os.environ | environment,
            timeout=PATIENCE,
            capture_output=True,
        )
    except subprocess.TimeoutExpired:
        return []
    if run.returncode in (0, 5):  # 5: there was no test
        return None
    failed = folder / ".pytest_cache/v/cache/lastfailed"
    return list(json.loads(failed.read_text("utf-8"))) if failed.exists() else []


def noticed_by(mutant: Mutant, folder: Path) -> list[str] | None:
    """The test that notices it; None if it survives them all."""
    files, _, names = OWNERS[mutant.file].partition(", ")
    path = folder / "src/chainrule" / mutant.file
    right = path.read_text("utf-8")
    exchange(path, mutant.source(right))
    try:
        tests = failures(folder, [f"tests/{file}" for file in (*files.split(), *LAST)], names)
    finally:
        exchange(path, right)
    if tests is None:
        print(f"SURVIVED  line {mutant.line}: {mutant.name}", flush=True)
    return tests


def exchange(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)  # Python may take it for that of the new text


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-file", type=int, default=PER_FILE)
    parser.add_argument("--file", default="")
    arguments = parser.parse_args()
    start, justified = time.monotonic(), tomllib.loads(TABLE.read_text("utf-8"))
    draw = drawn(arguments.seed, arguments.per_file, arguments.file)
    tried = [mutant for mutant in draw if mutant.name not in justified]
    with tempfile.TemporaryDirectory() as away, ThreadPoolExecutor(WORKERS) as pool:
        folders: SimpleQueue[Path] = SimpleQueue()
        for i in range(WORKERS):
            folders.put(copied(Path(away, str(i))))

        def judge(mutant: Mutant) -> list[str] | None:
            folder = folders.get()
            try:
                return noticed_by(mutant, folder)
            finally:
                folders.put(folder)

        verdicts = list(pool.map(judge, tried))
        # A test that fails without the mutant too has noticed nothing.
        broken = failures(folders.get(), sorted({test for tests in verdicts for test in tests or () if "::" in test}))
    alive = verdicts.count(None)
    print(
        f"{len(draw)} mutants, seed {arguments.seed}: {len(tried) - alive} noticed, {len(draw) - len(tried)} "
        f"justified, {alive} survived; {time.monotonic() - start:.0f} s"
    )
    if broken is not None:
        print("This test fails without a mutant too:", *broken)
    return 1 if alive or broken is not None else 0


if __name__ == "__main__":
    sys.exit(main())
