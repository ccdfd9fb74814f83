"""explain: what it shows is what the network computed, and every calculation in it comes out as it says."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import chainrule as cr
from chainrule.explaining import figures, worked
from chainrule.tracing import Trace
from test_contract import CASES, N, batch, network_of
from test_losses import CASES as LOSS_CASES, make as make_loss, outputs_for

PROSE = {"Flatten", "Reshape", "Chain", "Residual", "Concatenate"}  # words, not formulas: their numbers are inside
PROSE |= {"Conv2D", "MaxPool2D", "AvgPool2D", "GlobalAvgPool2D"}  # sums over windows: more indices than a line can show
MATHS = {name: getattr(math, name) for name in ("e", "pi", "log", "sqrt", "tanh")} | {
    "max": max,
    "sign": lambda z: (z > 0) - (z < 0),
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "Phi": lambda z: (1 + math.erf(z / math.sqrt(2))) / 2,
    "__builtins__": {"abs": abs},
}
LINE = re.compile(r"(?P<name>[\w/]+)(\[(?P<index>[\d,]*)\])? = (?P<text>.*?)(    since (?P<since>.*))?")


@pytest.fixture
def exact(monkeypatch):
    """All digits, so that rounding hides no mistake."""
    monkeypatch.setattr(figures, "DIGITS", 17)


def calculated(text):
    """What Python makes of a calculation."""
    text = re.sub(r"\([\d,]+ more: (.*?)\)", r"(\1)", text).replace("^", "**")
    return eval(re.sub(r"\|(.*?)\|", r"abs(\1)", text), MATHS)


def recomputed(lines):
    """{name: (index, value)} of worked lines whose two sides have been found equal."""
    found = {}
    for line in lines:
        match = LINE.fullmatch(line)
        *steps, value = match["text"].split(" = ")
        for step in steps:
            assert calculated(step) == pytest.approx(float(value), rel=1e-6, abs=1e-9), line
        assert match["since"] is None or calculated(match["since"]), line
        index = None if match["index"] is None else tuple(map(int, match["index"].split(",")))
        found[match["name"]] = (index, float(calculated(value)))
    return found


def traced(case, train):
    """The layer alone, with an upstream gradient that is not 0."""
    network = network_of(case)
    rows = network.trace(batch(CASES[case]), train=train)
    dy = np.random.default_rng(4).standard_normal(rows[0].y.shape)
    dx = network.layers[0].backward(dy.copy(), rows[0].cache)
    gradients = {row.name: network.grads[row.slice].reshape(row.shape).copy() for row in network.parameters}
    return rows[0]._replace(dy=dy, dx=dx, gradients=gradients)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str.strip)
def test_the_formulas_in_a_layer_s_docstring_are_true_and_come_out(case, train, exact):
    row = traced(case, train)
    results = {"y": row.y, "dx": row.dx} | {f"d{name[2:]}": g for name, g in row.gradients.items()}
    forward, backward = (recomputed(worked.of_layer(row, heading)) for heading in ("Forward", "Backward"))
    for name, (index, value) in (forward | backward).items():
        if name in results:
            assert value == pytest.approx(results[name][index], rel=1e-6, abs=1e-9)
    if type(row.layer).__name__ not in PROSE:
        assert "y" in forward
        assert set(results) - {"y"} <= set(backward)


@pytest.mark.parametrize("case", LOSS_CASES, ids=str.strip)
def test_the_formulas_in_a_loss_s_docstring_are_true_and_come_out(case, exact):
    loss, outputs = make_loss(case), outputs_for(case)
    value, gradient = loss(outputs, LOSS_CASES[case])
    arguments = loss, outputs, loss.check(LOSS_CASES[case], outputs.shape), value, gradient
    forward, backward = (recomputed(worked.of_loss(*arguments, heading)) for heading in ("Forward", "Backward"))
    index, shown = backward["dL/doutputs"]
    assert shown == pytest.approx(gradient[index])
    if "full" not in case:  # Stirling's part is told in words
        assert forward["loss"] == (None, pytest.approx(value))


def seed_network(dtype="float64"):
    """The example that the lessons begin with: 2 x 3 times 3 x 4."""
    network = cr.Network(cr.Linear(3, 4), cr.ReLU(), output="identity", dtype=dtype)
    network.layers[0].W = [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8], [0.9, 1.0, 1.1, 1.2]]
    network.layers[0].b = [0.1, 0.2, 0.3, 0.4]
    return network, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tracing_a_forward_pass_as_the_lessons_do(dtype):
    text = str(cr.explain(*seed_network(dtype)))
    assert "y[0,0] = 1*0.1 + 2*0.5 + 3*0.9 + 0.1 = 3.9\n" in text
    assert "3.9  4.6   5.3     6\n      8.4   10  11.6  13.2\n" in text
    assert "BACKWARD" not in text


def everything():
    """Containers, a layer with state, one that draws."""
    inside = cr.Residual(cr.Linear(3, 3), cr.Tanh(), cr.Residual(cr.Linear(3, 3)))
    branches = cr.Concatenate(cr.Identity(), cr.Chain(cr.Linear(3, 2), cr.BatchNorm(), cr.Dropout(0.5)))
    return cr.Network(inside, branches, cr.Linear(5, 3), output="softmax", dtype="float64")


X, Y = np.random.default_rng(0).standard_normal((4, 3)), [0, 2, 1, 2]


@pytest.mark.parametrize("train", [True, False])
def test_every_gradient_is_the_network_s_own(train, monkeypatch):
    network = everything()
    outputs, caches = network.forward(X, train, np.random.default_rng(5))
    dx = network.backward(cr.CrossEntropy()(outputs, Y)[1], caches, need_dx=True)
    pages = cr.explain(network, X, Y, train=train, seed=5).story.layers
    shown = {}

    def visit(page):
        for part in [*page.forward_end, *page.backward_end]:
            if part.array is not None:
                shown[page.title.split("#")[1] + "." + part.text.split(" ")[0]] = part.array
        for inner in page.inner:
            visit(inner)

    for page in pages:
        visit(page)
    for row in network.parameters:
        path, _, name = row.name.rpartition(".")
        np.testing.assert_array_equal(shown[f"{path}.d{name}"], network.grads[row.slice].reshape(row.shape))
    np.testing.assert_array_equal(shown["0.dx"], dx)
    np.testing.assert_array_equal(shown["2.y"], outputs)
    np.testing.assert_array_equal(shown["0.y"], X + shown["0.2.y"])
    assert {"0.2.0.y", "1.1.1.dx"} <= set(shown)


def test_the_network_stays_as_it_is():
    network = everything()
    network.grads[:] = 7
    before = [vector.copy() for vector in (network.params, network.grads, network.state)]
    attributes = [sorted(vars(inner)) for layer in network.layers for inner in layer.walk()]
    str(cr.explain(network, X, Y, train=True))
    with pytest.raises(cr.LabelError):
        cr.explain(network, X, [0, 1, 2, 9])
    for old, new in zip(before, (network.params, network.grads, network.state), strict=True):
        np.testing.assert_array_equal(old, new)
    assert attributes == [sorted(vars(inner)) for layer in network.layers for inner in layer.walk()]


def test_what_was_explained_stays_when_the_network_learns():
    network = everything()
    explanation = cr.explain(network, X, Y)
    before = str(explanation), explanation._repr_html_()
    network.params[:] = 0
    assert before == (str(explanation), explanation._repr_html_())


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("case", CASES, ids=str.strip)
def test_every_layer_goes_through_as_text_and_as_html(case, train):
    network, x = network_of(case), batch(CASES[case])
    flat = cr.Network(network.layers[0].clone(), cr.Flatten(), in_shape=CASES[case], output="identity")
    explanation = cr.explain(flat, x, np.zeros((N, *flat.out_shapes[-1])), train=train)
    for line in str(explanation).splitlines():
        assert len(line) <= 130 or "(" in line  # only the code of a layer may be longer
    assert f"{flat.layers[0]!r}    {x.shape}" in str(explanation)
    checked_html(explanation._repr_html_())


@pytest.mark.parametrize("case", LOSS_CASES, ids=str.strip)
def test_every_loss_goes_through(case):
    loss, outputs = make_loss(case), outputs_for(case)
    network = cr.Network(cr.Identity(), in_shape=outputs.shape[1:], dtype="float64")
    explanation = cr.explain(network, outputs, LOSS_CASES[case], loss)
    value = figures.figure(loss(outputs, LOSS_CASES[case])[0])
    assert re.search(rf"loss = (.* = )?{re.escape(value)}\n", str(explanation))
    checked_html(explanation._repr_html_())


class Checker(HTMLParser):
    """Every tag is closed, and nothing but plain markup with a style comes in."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        assert tag in {"div", "span", "b", "table", "tr", "td", "details", "summary"}
        assert {name for name, _ in attributes} <= {"style", "open"}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def checked_html(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker.text


class Hostile(cr.Layer):
    """A layer whose words would be markup.

    Shapes      x, y: any, the same    cache: <i>x</i>
    Forward     y = <script>alert("1")</script> & x
    Backward    dx = 3 dy
    """

    any_shape = True

    def __init__(self, name="</div><img src=x onerror='alert(1)'>"):
        self.name = name

    def forward(self, x, train=False, rng=None):
        return 2 * x, ()

    def backward(self, dy, cache, need_dx=True):
        return 2 * dy


def test_hostile_words_stay_words_and_a_formula_that_is_not_true_is_not_worked_out():
    network = cr.Network(Hostile("'\"><b>"), cr.Linear(2, 2), output="softmax", class_names=["<b>", "</div>"])
    explanation = cr.explain(network, [[1.0, 2.0]], [1])
    text = checked_html(explanation._repr_html_())
    assert '<script>alert("1")</script> & x' in text
    assert repr(network.layers[0]) in text
    page = explanation.story.layers[0]
    assert [part.text for part in page.backward if part.kind == "formula"] == ["dx = 3 dy"]
    assert not any(part.kind == "worked" for part in [*page.forward_end, *page.backward_end])


def test_a_layer_of_one_s_own_is_worked_out_by_its_own_docstring():
    class Cube(cr.Layer):
        """x to the third.

        Forward     y = x^3
        Backward    dx = dy * 3 x^2
        """

        any_shape = True

        def forward(self, x, train=False, rng=None):
            return x**3, (x,)

        def backward(self, dy, cache, need_dx=True):
            return dy * 3 * cache[0] ** 2

    class Silent(cr.Layer):
        any_shape = True

        def forward(self, x, train=False, rng=None):
            return x, ()

        def backward(self, dy, cache, need_dx=True):
            return dy

    network = cr.Network(Cube(), Silent(), in_shape=(1,), output="identity", dtype="float64")
    text = str(cr.explain(network, [[2.0]], [[7.0]]))
    assert "y[0,0] = 2^3 = 8\n" in text
    assert "loss[0,0] = (8 - 7)^2 = 1\n" in text
    assert "dx[0,0] = 2*3*2^2 = 24\n" in text
    assert "Silent #1    Silent()    (1, 1) -> (1, 1)\n  no formula in its docstring" in text


def test_any_words_may_stand_in_a_docstring(exact):
    """Seeded nonsense made of the parts of formulas: nothing is raised, and nothing false is worked out."""
    rng = np.random.default_rng(0)
    words = [*"xxxydWN1.|(),^*/+- é", "dy", "dx", "e^", "^T", "sum of", "mean(", "over the row", "over the rows"]
    words += [
        "where",
        "else",
        "max(",
        "log",
        "softmax(",
        "_k",
        "pi",
        "the",
        "1e-8",
        " = ",
        "  ",
        "\n   ",
        " > ",
        "y = ",
    ]
    x = batch((5,))
    W = rng.standard_normal((5, 5))
    shown = 0
    for _ in range(1000):
        text = "".join(rng.choice(words, rng.integers(1, 10)))
        doc = f"Words.\n\nShapes      cache: x\nForward     y = {text}\nBackward    dx = {text}\n"
        layer = type("Nonsense", (cr.Layer,), {"__doc__": doc, "parameter_names": ("W",)})()
        layer.W, layer.path = W, "0"
        row = Trace(layer, x, x, (x,), x, x, {"0.W": W})
        for heading in ("Forward", "Backward"):
            for name, (index, value) in recomputed(worked.of_layer(row, heading)).items():
                if name in ("y", "dx"):
                    assert value == pytest.approx(x[index])
                    shown += 1
    assert shown > 30


def test_the_weights_that_want_to_move():
    network = cr.Network(cr.Linear(2, 2), output="identity", dtype="float64")
    network.layers[0].W, network.layers[0].b = [[1, 2], [3, 4]], [0, 0]
    network.freeze("0.b")
    text = str(cr.explain(network, [[1.0, -1.0]], [[-2.0, -5.0]]))  # y = (-2, -2): dy = (0, 3)
    assert "0.W[0,1]  2    gradient 3     down\n0.W[1,1]  4    gradient -3    up\n" in text
    assert "0.b[1]    0    gradient 3     down, but it is frozen" in text
    assert "stays: all of its gradients are 0" in str(cr.explain(network, [[1.0, -1.0]], [[-2.0, -2.0]]))


@pytest.mark.parametrize(
    ("output", "loss", "y", "said"),
    [
        ("softmax", None, [1], "CrossEntropy()"),
        ("softmax", None, [[0.25, 0.75]], "CrossEntropy()"),
        ("sigmoid", None, [[1, 0]], "BinaryCrossEntropy()"),
        ("exp", None, [[3, 1]], "Poisson()"),
        ("identity", None, [[3, 1]], "SquaredError()"),
        ("identity", "huber", [[3, 1]], "Huber()"),
        (None, cr.CrossEntropy(label_smoothing=0.1), [1], "CrossEntropy(label_smoothing=0.1)"),
    ],
)
def test_the_loss_is_the_one_of_the_task_unless_it_is_said(output, loss, y, said):
    network = cr.Network(cr.Linear(2, 2), output=output)
    text = str(cr.explain(network, [[1.0, 2.0]], y, loss))
    assert f"\n{said}    (1, 2) -> one number\n" in text
    assert ("answer: " in text) == (output in ("softmax", None))


@pytest.mark.parametrize("last", [cr.Softmax(), cr.Sigmoid()])
def test_a_network_that_ends_in_probabilities_is_not_squashed_once_more(last):
    output = "softmax" if isinstance(last, cr.Softmax) else "sigmoid"
    network = cr.Network(cr.Linear(2, 2), last, output=output, dtype="float64")
    story = cr.explain(network, [[1.0, 2.0]], [[0, 1]]).story
    assert not any(part.text.startswith("p = ") for part in story.outcome)
    assert story.loss.code in ("CrossEntropy(from_probabilities=True)", "SquaredError()")
    assert any(part.text.startswith("dL/doutputs[") for part in story.loss.backward)


def test_large_arrays_are_shown_by_a_corner_and_what_they_hold():
    x = np.zeros((2, 784))
    x[0, 300:303] = 1, np.pi, -2
    network = cr.MLP([784, 32, 10], seed=0)
    text = str(cr.explain(network, x))
    assert "x (2, 784), 784 = 28 x 28, the size of an image\n      0  0  0  0  0  0  ...\n" in text
    assert "1,568 numbers, -2 to 3.142, mean 0.001366, 1,565 of them 0" in text
    assert "32 numbers, all of them 0" in text
    assert re.search(r"y\[0,0\] = .* \+ \(781 more: 0\) \+ 0 = ", text)
    images = cr.Network(cr.Flatten(), cr.Linear(64, 2), in_shape=(8, 8, 1))
    text = str(cr.explain(images, np.ones((3, 8, 8, 1))))
    assert "x (3, 8, 8, 1), each an image of 8 x 8\n      [0, :, :, 0]\n      1  1  1  1  1  1  1  1\n" in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.0, "0"), (np.float32(0.1), "0.1"), (1234.5, "1234"), (123456.7, "123457")]
    + [(1e300, "1e+300"), (-0.00001234, "-1.234e-05"), (math.nan, "nan"), (-math.inf, "-inf"), (np.int64(5), "5")],
)
def test_a_figure(value, shown):
    assert figures.figure(value) == shown


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda n: cr.explain(n, np.zeros((17, 3)), np.zeros(17)),
            cr.DataError,
            r"received 17 rows, expected at most 16",
        ),
        (lambda n: cr.explain(n, np.zeros((17, 3))), cr.DataError, r"explain\(network, x\[:2\]\)"),
        (lambda n: cr.explain(n, np.zeros((2, 4))), cr.ShapeError, r"expected x of shape \(N, 3\), received \(2, 4\)"),
        (lambda n: cr.explain(n, np.zeros((0, 3))), cr.DataError, "expected at least one row"),
        (lambda n: cr.explain(n, [[1.0, np.nan, 0.0]]), cr.DataError, "NaN"),
        (lambda n: cr.explain(n, X, loss="mse"), cr.ConfigurationError, "a loss was given but no targets"),
        (lambda n: cr.explain(n, X, [0, 1]), cr.ShapeError, "targets of shape"),
        (lambda n: cr.explain(n, X, Y, "mes"), cr.ConfigurationError, "Did you mean 'mse'"),
        (lambda n: cr.explain(n.layers[0], X), cr.ConfigurationError, "expected a Network, received Residual"),
        (lambda n: cr.explain(cr.Network(cr.Linear(3, 2)), X, Y), cr.ConfigurationError, "does not know its task"),
        (lambda n: cr.explain(cr.Network(cr.Tanh()), X), cr.NotBuiltError, "Network is not built"),
    ],
)
def test_what_cannot_be_explained_is_said(call, error, text):
    with pytest.raises(error, match=text):
        call(everything())


def test_sparse_rows_are_shown_like_others():
    sparse = pytest.importorskip("scipy.sparse")
    network, x = seed_network()
    assert str(cr.explain(network, sparse.csr_matrix(x))) == str(cr.explain(network, x))
