"""The card of formulas is read as it is printed: every formula on it is evaluated and compared with the library."""

import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import gradient_check, metrics
from chainrule.explaining import formulas, terms
from chainrule.layers.convolution import patch_matrix
from chainrule.layers.patches import col2im

CARD = (Path(__file__).parent.parent / "book/card.md").read_text(encoding="utf-8")
ROWS = {
    cells[0]: cells[1:]
    for cells in ([cell.strip() for cell in row[2:-2].split(" | ")] for row in re.findall(r"^\| \w.*\|$", CARD, re.M))
}
N, D, K = 7, 5, 3
RNG = np.random.default_rng(0)


# From LaTeX to the plain notation of the docstrings, which `explain` reads --------------------------------------------

PART = r"((?:[^{}]|\{[^{}]*\})*)"  # what stands between braces, with braces once more inside
MEANS = {
    "_n": r"(mean of (\1) over the rows)",
    "": r"(mean of (mean of (\1) over the row) over the rows)",
}
SPELT = {
    r"\\frac\{" + PART + r"\}\{" + PART + r"\}": r"((\1) / (\2))",
    r"\\sqrt\{" + PART + r"\}": r"sqrt(\1)",
    r"\\lfloor (.*?) \\rfloor": r"floor(\1)",
    r"\^\{" + PART + r"\}": r"^(\1)",
    r"L\(w ([+-]) (2? ?h)\)": lambda m: f"L_{'up' if m[1] == '+' else 'down'}{2 if '2' in m[2] else ''}",
    r"_\{(\w+)\}": r"_\1",
    r"\\text\{(\w+)\}": r"\1",
    r"(d?)\\hat x": r"\1x_hat",
    r"\\sum_\w": "sum of",
    r"\\leftarrow": "=",
    r"\\cdot": "*",
    r"\\sigma": "sigmoid",
    r"\\varepsilon": "epsilon",
    r"\\(?:[,;!]|ldots)": " ",
    r"(beta)_(\d)": r"\1\2",
    r"\\(?!langle|rangle|frac|sqrt|lfloor|rfloor)(\w+)": r"\1",
}


def plain(cell):
    r"""`$y = \frac{1}{1 + e^{-x}}$` as `y = ((1) / (1 + e^(-x)))`."""
    text = cell.replace("$", "")
    for _ in range(4):  # from the inside out
        for index, mean in MEANS.items():
            text = re.sub(rf"\\langle ((?:(?!\\langle|\\rangle).)*) \\rangle{index}(?!_)", mean, text)
        for pattern, spelt in SPELT.items():
            text = re.sub(pattern, spelt, text)
    assert "\\" not in text and "{" not in text, text
    return re.sub(r"\s+", " ", text)


def calculate(cell, known, functions=None):
    """Every `name = formula` of a cell, in order, with what went before it; a lone formula is called ''."""
    known, text = dict(known), plain(cell)
    said = formulas.statements(text) or [("", text)]
    pending = dict.fromkeys(name for name, _ in said)
    with pytest.MonkeyPatch.context() as patch:
        for name, function in (functions or {}).items():
            patch.setitem(terms.FUNCTIONS, name, function)
        for _ in said:  # a name may be explained after its use
            for name, formula in said:
                if name in pending:
                    try:
                        known[name] = formulas.read(formula, lambda used: leaf(used, known)).value
                        del pending[name]
                    except formulas.UnreadableError:
                        continue
    assert not pending, (list(pending), text)
    return known


def leaf(name, known):
    return terms.leaf(known[name], is_matrix=name[0].isupper()) if name in known else None


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (r"$a = \frac{2}{3} \, x^{-1}$", 1 / 3),
        (r"$a = \sqrt{\frac{x + 6}{2}} - 1$", 1),
        (r"$a = \langle (x - \langle x \rangle_n)^2 \rangle_n + e^{x_k}$", np.e**2),
        (r"$a = b$ where $x > 1$, else $0$, with $b = x^2$", 4),
    ],
)
def test_a_formula_is_read_as_it_is_meant(latex, value):
    assert calculate(latex, {"x": np.array([[2.0]])})["a"] == pytest.approx(value)


# Layers ---------------------------------------------------------------------------------------------------------------

LAYERS = {
    "Linear": cr.Linear(D, K),
    "Conv2D": cr.Conv2D(2, K, (2, 3), stride=2),
    "ReLU": cr.ReLU(),
    "Sigmoid": cr.Sigmoid(),
    "Tanh": cr.Tanh(),
    "Softmax": cr.Softmax(),
    "GELU": cr.GELU(),
    "Dropout": cr.Dropout(0.3),
    "BatchNorm": cr.BatchNorm(epsilon=0.01),
    "Residual": cr.Residual(cr.Tanh()),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    in_shape = (5, 7, 2) if name == "Conv2D" else (D,)
    network = cr.Network(LAYERS[name].clone(), in_shape=in_shape, dtype="float64")
    network.params += RNG.standard_normal(network.params.shape)  # no bias of 0, no gain of 1
    (layer,) = network.layers
    x = RNG.standard_normal((N, *in_shape))
    y, cache = layer.forward(x, train=True, rng=np.random.default_rng(2))
    dy = RNG.standard_normal(y.shape)
    results = {"y": y, "dx": layer.backward(dy.copy(), cache)}
    results |= {f"d{parameter}": getattr(layer, f"d{parameter}").copy() for parameter in layer.parameter_names}
    known = {parameter: getattr(layer, parameter) for parameter in layer.parameter_names} | {"x": x, "dy": dy}
    functions = {}
    if name == "Conv2D":
        window = layer.window(in_shape)
        known |= {"P": patch_matrix(x, window, 1)[0], "W": layer.W.reshape(-1, K), "dy": dy.reshape(-1, K)}
        results |= {"y": y.reshape(-1, K), "dW": results["dW"].reshape(-1, K)}
        patches = (*y.shape[:3], *window.size, in_shape[-1])
        functions["scatter"] = lambda dP: col2im(dP.reshape(patches), x.shape, window)
    if name == "Dropout":
        known["m"] = np.where(cache[0] > 0, calculate(ROWS[name][2].partition(" or ")[0], {"p": 0.3})["m"], 0)
    if name == "BatchNorm":
        known["epsilon"] = 0.01
    if name == "Residual":
        inside, its_cache = cr.Tanh(), cr.Tanh().forward(x)[1]
        functions |= {"f": np.tanh, "b": lambda message: inside.backward(message.copy(), its_cache)}
    forward, backward, _ = ROWS[name]
    told = calculate(forward, known, functions)
    np.testing.assert_allclose(told["y"], results["y"], rtol=1e-12, atol=1e-14)
    told = calculate(backward, told | {"y": results["y"]}, functions)
    for result, value in results.items():
        np.testing.assert_allclose(told[result], value, rtol=1e-10, atol=1e-12, err_msg=result)


def test_what_a_layer_keeps():
    names = {"m": "mask", r"\hat x": "x_hat", "r": "rstd", r"\Phi": "gate"}
    for name, layer in LAYERS.items():
        (told,) = re.findall(r"cache: ([\w, ]+)", type(layer).__doc__)
        kept = re.findall(r"\$(.*?)(?: =.*)?\$", ROWS[name][2].partition(" or ")[0])
        assert name == "Residual" or told.startswith(", ".join(names.get(letter, letter) for letter in kept)), name


# Losses, steps, starts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("SquaredError", RNG.standard_normal((N, K))),
        ("BinaryCrossEntropy", RNG.random((N, K))),
        ("CrossEntropy", RNG.dirichlet(np.ones(K), N)),
    ],
)
def test_losses(name, targets):
    y = RNG.standard_normal((N, K))
    loss, dy = getattr(cr, name)()(y, targets)
    known = calculate(ROWS[name][0], {"y": y, "t": targets, "q": targets, "N": N, "K": K})
    assert known["L"] == pytest.approx(loss)
    np.testing.assert_allclose(calculate(ROWS[name][1], known)["dy"], dy, rtol=1e-12)


def test_the_penalty():
    w, g = RNG.standard_normal(N), np.zeros(N)
    value = cr.L2(0.3).add(w, g)
    known = calculate(ROWS["L2"][0], {"w": w[:, None], "lambda": 0.3})
    assert known["L"] == pytest.approx(value)
    np.testing.assert_allclose(calculate(ROWS["L2"][1], known)["dw"].ravel(), g)


NUMBERS = {"eta": 0.1, "beta": 0.9, "rho": 0.8, "beta1": 0.7, "beta2": 0.95, "epsilon": 1e-3, "lambda": 0.2}
STEPS = {
    "SGD": cr.SGD(0.1),
    "Momentum": cr.SGD(0.1, momentum=0.9),
    "Momentum, as steps": cr.SGD(0.1, momentum=0.9, velocity="steps"),
    "RMSProp": cr.RMSProp(0.1, rho=0.8, epsilon=1e-3),
    "Adam": cr.Adam(0.1, beta1=0.7, beta2=0.95, epsilon=1e-3),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("decay", [False, True])
def test_steps(name, decay):
    optimizer = type(STEPS[name])(**STEPS[name].config() | {"weight_decay": 0.2 * decay})
    w = RNG.standard_normal(N)
    known = NUMBERS | {"w": w[:, None].copy(), "v": np.zeros((N, 1)), "m": np.zeros((N, 1))}
    update = re.sub(r", step \$t = .*", "", ROWS[name][0])
    for t in (1, 2, 3):
        g = RNG.standard_normal(N)
        optimizer.step(w, g)
        known |= {"g": g[:, None], "t": t}
        for cell in [ROWS["Weight decay"][0]] * decay + [update]:
            for part in cell.split(", $\\;"):
                known = calculate(part, known)
        np.testing.assert_allclose(known["w"].ravel(), w, rtol=1e-10)


@pytest.mark.parametrize("limit", [0.5, 50.0])
def test_clipping(limit):
    g = RNG.standard_normal(N)
    known = calculate(ROWS["Clipping"][0], {"c": limit, "g": g[:, None].copy()})
    cr.ClipNorm(limit).apply([g])
    np.testing.assert_allclose(known["g"].ravel(), g)


def test_schedules():
    functions = {"cos": np.cos, "floor": np.floor}
    for step in range(8):
        known = {"eta": 0.4, "t": step, "T": 8, "pi": np.pi, "f": 0.1, "n": 3}
        cosine = calculate(re.sub(r", step .*", "", ROWS["Cosine"][0]), known, functions)
        assert cosine["eta_t"] == pytest.approx(cr.Cosine(0.4)(step, 8))
        decay = calculate(ROWS["StepDecay"][0], known, functions)
        assert decay["eta_t"] == pytest.approx(cr.StepDecay(0.4, every=3, factor=0.1)(step, 8))


@pytest.mark.parametrize("name", ["He", "Glorot", "LeCun"])
def test_starts(name):
    told = calculate(ROWS[name][0], {"D_in": 50, "D_out": 30})["v"]
    assert told == pytest.approx(getattr(cr, name)().variance(50, 30))
    weights = getattr(cr, name)("uniform")(np.random.default_rng(0), (50, 30))
    assert weights.var() == pytest.approx(told, rel=0.1)
    assert calculate(ROWS["Uniform"][0], {"a": np.abs(weights).max()})["v"] == pytest.approx(told, rel=0.01)


# Metrics, checks ------------------------------------------------------------------------------------------------------


def test_metrics():
    true, answered = np.array([1, 1, 1, 0, 0, 1, 0, 0, 0]), np.array([1, 0, 1, 1, 0, 0, 0, 0, 0])
    counts = {"TP": 2, "TN": 4, "FP": 1, "FN": 2, "N": 9}
    for name in ("accuracy", "precision", "recall", "f1"):
        options = {} if name == "accuracy" else {"average": "binary"}
        told = calculate(ROWS[name][0].partition(", with")[0], counts)[""]
        assert told == pytest.approx(getattr(metrics, name)(true, answered, **options)), name
    t = RNG.standard_normal((N, 1))
    y = t + 0.3 * RNG.standard_normal((N, 1))
    for name in ("rmse", "r2"):
        assert calculate(ROWS[name][0], {"y": y, "t": t})[""] == pytest.approx(getattr(metrics, name)(t, y)), name


def test_pushes():
    w, h = np.array([0.7]), 1e-3

    def loss(at):
        return float(cr.tanh(at)[0])

    known = {"h": h, "L_up": loss(w + h), "L_down": loss(w - h), "L_up2": loss(w + 2 * h), "L_down2": loss(w - 2 * h)}
    true = cr.tanh_slope(w)[0]
    once, twice = (calculate(ROWS[name][0], known)[""] for name in ("A push", "Two pushes"))
    assert once == pytest.approx(true, rel=1e-5) and once != pytest.approx(true, rel=1e-8)
    assert twice == pytest.approx(true, rel=1e-10)
    assert twice == pytest.approx(gradient_check.slope(lambda: loss(w), loss(w), w, 0, 1.0, step=5 * h)[0], rel=1e-12)


def test_no_row_is_left_out():
    others = {"SquaredError", "BinaryCrossEntropy", "CrossEntropy", "L2", "Weight decay", "Clipping", "Cosine"}
    others |= {"StepDecay", "He", "Glorot", "LeCun", "Uniform", "accuracy", "precision", "recall", "f1", "rmse", "r2"}
    assert set(ROWS) == {*LAYERS, *STEPS, *others, "A push", "Two pushes"}
