"""Thousands of random comparisons with PyTorch a run: shapes down to size 1, any arguments, outputs and all gradients.

test_against_torch.py compares at chosen points; here chance chooses, from the seeds that a failure prints.
In float32 either side may lose digits: beyond the bound, ours must be no further from float64 than three times theirs.
"""

import numpy as np
import pytest

import chainrule as cr
from test_against_torch import BOUNDS, by_rows, conv2d, cross_entropy, log_probabilities, pinball, pool2d, tensor, torch

functional = torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")  # PyTorch: it will be slower
torch.set_num_threads(1)  # arrays this small gain nothing from a second
DRAWS = 100  # of every kind in every dtype


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def size(rng, least=1):
    """Small, and often as small as it can be."""
    return least if rng.random() < 0.2 else int(rng.integers(least, 14))


def leading(rng):
    """The axes of an example before its last: none, one or two."""
    return tuple(size(rng) for _ in range(rng.integers(3)))


def by_torch(theirs, x, parameters, dy, dtype):
    """The output, dx and the gradient of every parameter, computed in this dtype."""
    x, *parameters = (tensor(array.astype(dtype), learns=True) for array in (x, *parameters))
    y = theirs(x, *parameters)
    y.backward(tensor(dy.astype(dtype)))
    return [part.detach().numpy() for part in (y, x.grad, *(parameter.grad for parameter in parameters))]


def error(ours, theirs, came_in):
    """|ours - theirs| / |theirs|, or / |came in| if that is more: where terms cancel, what is left has no digits."""
    assert ours.shape == theirs.shape
    return np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), np.linalg.norm(came_in))


# Layers and networks --------------------------------------------------------------------------------------------------

POINTWISE = {  # nothing to choose but the shape
    "ReLU()": functional.relu,
    "Sigmoid()": torch.sigmoid,
    "Tanh()": torch.tanh,
    "Softmax()": lambda x: torch.softmax(x, -1),
    "GELU()": functional.gelu,
    "GELU('tanh')": lambda x: functional.gelu(x, approximate="tanh"),
    "SiLU()": functional.silu,
    "Softplus()": lambda x: functional.softplus(x, threshold=50),  # by itself PyTorch gives x from 20 on
    "Flatten()": lambda x: torch.flatten(x, 1),
}


def pointwise(code):
    return lambda rng: (code, (*leading(rng), size(rng)), POINTWISE[code])


def leaky_relu(rng):
    slope = rng.uniform(-0.5, 1.5)
    return f"LeakyReLU({slope})", (*leading(rng), size(rng)), lambda x: functional.leaky_relu(x, slope)


def elu(rng):
    alpha = rng.uniform(0, 3)
    return f"ELU({alpha})", (*leading(rng), size(rng)), lambda x: functional.elu(x, alpha)


def linear(rng):
    into, out = size(rng), size(rng)
    return f"Linear({into}, {out})", (*leading(rng), into), lambda x, W, b: functional.linear(x, W.T, b)


def layer_norm(rng):
    width, epsilon = size(rng), 10 ** rng.uniform(-3, -1)
    return (
        f"LayerNorm({epsilon})",
        (*leading(rng), width),
        lambda x, gamma, beta: functional.layer_norm(x, (width,), gamma, beta, eps=epsilon),
    )


def rms_norm(rng):
    width, epsilon = size(rng), 10 ** rng.uniform(-3, -1)
    return (
        f"RMSNorm({epsilon})",
        (*leading(rng), width),
        lambda x, gamma: functional.rms_norm(x, (width,), gamma, eps=epsilon),
    )


def batch_normalization(rng):
    width, epsilon = size(rng), 10 ** rng.uniform(-3, -1)

    def theirs(x, gamma, beta):
        rows = x.reshape(-1, width)
        return functional.batch_norm(rows, None, None, gamma, beta, training=True, eps=epsilon).reshape(x.shape)

    return f"BatchNorm(epsilon={epsilon})", (*leading(rng), width), theirs


def residual(rng):
    width, hidden = size(rng), size(rng)
    return (
        f"Residual(Linear({width}, {hidden}), Tanh(), Linear({hidden}, {width}))",
        (*leading(rng), width),
        lambda x, W1, b1, W2, b2: x + torch.tanh(x @ W1 + b1) @ W2 + b2,
    )


def concatenate(rng):
    width, out = size(rng), size(rng)
    return (
        f"Concatenate(Linear({width}, {out}), Identity(), Softplus())",
        (*leading(rng), width),
        lambda x, W, b: torch.cat([x @ W + b, x, POINTWISE["Softplus()"](x)], -1),
    )


def pair(rng, low, high):
    return tuple(int(value) for value in rng.integers(low, high, 2))


def place(rng, window, padding, dilation=(1, 1)):
    """A height and a width into which the window goes, often just so."""
    spans = ((k - 1) * d + 1 - 2 * p for k, p, d in zip(window, padding, dilation, strict=True))
    return tuple(max(1, span) + size(rng) - 1 for span in spans)


def convolution(rng):
    kernel, stride, padding, dilation = pair(rng, 1, 5), pair(rng, 1, 4), pair(rng, 0, 4), pair(rng, 1, 4)
    groups = int(rng.integers(1, 4))
    into, out = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 4))
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    code = f"Conv2D({into}, {out}, {kernel}, {', '.join(f'{name}={value}' for name, value in options.items())})"
    return code, (*place(rng, kernel, padding, dilation), into), lambda x, W, b: conv2d(x, W, b, **options)


def same_convolution(rng):
    kernel, dilation, into = pair(rng, 1, 5), pair(rng, 1, 4), size(rng)
    return (
        f"Conv2D({into}, 2, {kernel}, padding='same', dilation={dilation})",
        (size(rng), size(rng), into),
        lambda x, W, b: conv2d(x, W, b, padding="same", dilation=dilation),
    )


def pooling(ours, theirs, **options):
    def draw(rng):
        window, stride = pair(rng, 1, 5), pair(rng, 1, 4)
        padding = tuple(int(rng.integers(0, k // 2 + 1)) for k in window)  # PyTorch takes no more
        return (
            f"{ours}({window}, stride={stride}, padding={padding})",
            (*place(rng, window, padding), size(rng)),
            lambda x: pool2d(theirs, x, window, stride, padding, **options),
        )

    return draw


def perceptron(rng):
    """One to three layers of weights, with any activation between them."""
    widths = [size(rng) for _ in range(rng.integers(2, 5))]
    codes = rng.choice([code for code in POINTWISE if code != "Flatten()"], len(widths) - 2)
    layers = [f"Linear({widths[0]}, {widths[1]})"]
    for code, into, out in zip(codes, widths[1:], widths[2:], strict=False):
        layers += [str(code), f"Linear({into}, {out})"]

    def theirs(x, *parameters):
        x = x @ parameters[0] + parameters[1]
        for code, W, b in zip(codes, parameters[2::2], parameters[3::2], strict=True):
            x = POINTWISE[str(code)](x) @ W + b
        return x

    return f"Chain({', '.join(layers)})", (*leading(rng), widths[0]), theirs


LAYERS = {code: pointwise(code) for code in POINTWISE} | {
    draw.__name__: draw
    for draw in (
        *(leaky_relu, elu, linear, layer_norm, rms_norm, batch_normalization),
        *(residual, concatenate, perceptron, convolution, same_convolution),
    )
}
LAYERS["max_pooling"] = pooling("MaxPool2D", functional.max_pool2d)
LAYERS["avg_pooling"] = pooling("AvgPool2D", functional.avg_pool2d, count_include_pad=False)


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("kind", LAYERS)
def test_layers_agree_in_output_dx_and_every_parameter(kind, dtype):
    worst = 0.0
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        code, in_shape, theirs = LAYERS[kind](rng)
        n = size(rng, 3 if "BatchNorm" in code else 1)  # two rows alone leave no digits of dx
        x = (rng.uniform(0.5, 3) * rng.standard_normal((n, *in_shape)) + rng.uniform(-1, 1)).astype(dtype)
        layer = eval(code, vars(cr))
        network = cr.Network(layer, in_shape=in_shape, dtype=dtype)
        network.params += 0.3 * rng.standard_normal(network.params.shape).astype(dtype)
        y, cache = layer.forward(x, train=True)
        assert y.dtype == x.dtype
        dy = rng.standard_normal(y.shape).astype(dtype)
        dx = layer.backward(dy.copy(), cache)

        learned = [(inner, name) for inner in layer.walk() for name in inner.parameter_names]
        given = x, [getattr(inner, name).copy() for inner, name in learned], dy
        ours = [y, dx, *(getattr(inner, f"d{name}") for inner, name in learned)]
        names = ["y", "dx", *(f"{inner!r}.d{name}" for inner, name in learned)]
        for name, a, b in zip(names, ours, by_torch(theirs, *given, dtype), strict=True):
            came_in = x if name == "y" else dy
            off = error(a, b, came_in)
            if off > BOUNDS[dtype] and dtype == "float32":
                truth = by_torch(theirs, *given, "float64")[names.index(name)]
                assert error(a, truth, came_in) <= 3 * error(b, truth, came_in), (f"seed {seed}", code, x.shape, name)
            else:
                assert off <= BOUNDS[dtype], (f"seed {seed}", code, x.shape, name)
                worst = max(worst, off)
    print(f"{kind} {dtype}: {DRAWS} draws, largest error {worst:.1e}")


# Losses ---------------------------------------------------------------------------------------------------------------


def labels(rng, n, k):
    return rng.integers(0, k, n)


def soft(rng, n, k):
    return rng.dirichlet(np.ones(k), n)


def values(rng, n, k):
    return rng.standard_normal((n, k))


def poisson(rng, n, k):
    return rng.poisson(2.0, (n, k))


def binary_cross_entropy(z, t):
    return functional.binary_cross_entropy_with_logits(z, t, reduction="none").mean(-1)


poisson_nll = by_rows(functional.poisson_nll_loss, full=True)


def chance_in(low, high):
    return lambda rng: rng.uniform(low, high)


# kind -> (how to draw an argument, code, how to draw targets, the loss of each row in PyTorch)
LOSSES = {
    "labels": (chance_in(0, 0.9), "CrossEntropy(label_smoothing={})", labels, cross_entropy),
    "soft rows": (chance_in(0, 0.9), "CrossEntropy(label_smoothing={})", soft, cross_entropy),
    "plain labels": (chance_in(0, 1), "CrossEntropy()", labels, lambda _: cross_entropy()),
    "probabilities": (
        chance_in(0, 1),
        "CrossEntropy(from_probabilities=True)",
        labels,
        lambda _: log_probabilities,
    ),
    "yes or no": (chance_in(0, 1), "BinaryCrossEntropy()", soft, lambda _: binary_cross_entropy),
    "squares": (chance_in(0, 1), "SquaredError()", values, lambda _: by_rows(functional.mse_loss)),
    "distances": (chance_in(0, 1), "AbsoluteError()", values, lambda _: by_rows(functional.l1_loss)),
    "Huber": (chance_in(0.1, 3), "Huber({})", values, lambda d: by_rows(functional.huber_loss, delta=d)),
    "quantile": (chance_in(0.01, 0.99), "Quantile({})", values, pinball),
    "counts": (chance_in(0, 1), "Poisson(full=True)", poisson, lambda _: poisson_nll),
}


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("kind", LOSSES)
def test_losses_agree_in_value_and_gradient(kind, dtype):
    worst = 0.0
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        argument, code, targets_of, theirs = LOSSES[kind]
        argument = argument(rng)
        code = code.format(argument)
        n, k = size(rng), size(rng, 2 if "CrossEntropy(" in code and "Binary" not in code else 1)
        targets = targets_of(rng, n, k)
        targets = targets if targets_of is labels else targets.astype(dtype)
        outputs = (rng.uniform(0.5, 3) * rng.standard_normal((n, k))).astype(dtype)
        outputs = cr.softmax(outputs) if "from_probabilities" in code else outputs
        weights = None if rng.random() < 0.5 else rng.integers(0, 4, n) + (np.arange(n) == 0)
        ones = np.ones(n) if weights is None else weights.astype(float)
        loss, gradient = eval(code, vars(cr))(outputs, targets, weights)
        outputs_t = tensor(outputs, learns=True)
        rows_t = theirs(argument)(outputs_t, tensor(targets))
        loss_t = (rows_t * tensor(ones.astype(dtype))).sum() / ones.sum()
        loss_t.backward()
        errors = {
            "loss": abs(loss - loss_t.item()) / max(1e-2, abs(loss_t.item())),
            "gradient": error(gradient, outputs_t.grad.numpy(), 1 / n),
        }
        assert max(errors.values()) <= BOUNDS[dtype], (f"seed {seed}", code, outputs.shape, errors)
        worst = max(worst, *errors.values())
    print(f"{kind} {dtype}: {DRAWS} draws, largest error {worst:.1e}")


def test_there_are_five_thousand_comparisons():
    assert DRAWS * (len(LAYERS) + len(LOSSES)) * len(BOUNDS) >= 5000
