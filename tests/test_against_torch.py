"""PyTorch as the second opinion: every layer and loss, and twenty steps of a real training run.

Both sides get the same numbers; errors are norm-wise, |ours - theirs| / |theirs|, because single entries near zero have
no digits to compare. Measured on one machine (torch 2.13.0, CPU), the largest of all cases: see each bound.
"""

from functools import partial

import numpy as np
import pytest

import chainrule as cr
from chainrule import datasets

torch = pytest.importorskip("torch")
functional = torch.nn.functional
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")  # PyTorch: it will be slower

N = 11
BOUNDS = {"float64": 1e-12, "float32": 2e-6}  # DESIGN.md section 4; measured 6e-16 and 2e-7


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@pytest.fixture(params=BOUNDS)
def dtype(request):
    return request.param


def error(ours, theirs):
    theirs = theirs.detach().numpy()
    assert np.shape(ours) == theirs.shape
    assert np.asarray(ours).dtype == theirs.dtype
    assert np.linalg.norm(theirs) > 0, "zero agrees with everything that vanishes: choose other numbers"
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def tensor(array, learns=False):
    return torch.tensor(np.asarray(array), requires_grad=learns)


def normals(shape, dtype, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def batch_norm(x, gamma, beta):
    flat = functional.batch_norm(x.reshape(-1, x.shape[-1]), None, None, gamma, beta, training=True)
    return flat.reshape(x.shape)


def layer_norm(x, gamma, beta):
    return functional.layer_norm(x, x.shape[-1:], gamma, beta, eps=1e-5)


def residual(x, W, b):
    return x + torch.tanh(functional.linear(x, W.T, b))


def conv2d(x, W, b, **options):
    """Images (N, H, W, C) and a kernel (R, S, C / groups, F), as ours."""
    return functional.conv2d(x.permute(0, 3, 1, 2), W.permute(3, 2, 0, 1), b, **options).permute(0, 2, 3, 1)


def pool2d(theirs, x, *arguments, **options):
    return theirs(x.permute(0, 3, 1, 2), *arguments, **options).permute(0, 2, 3, 1)


# Layers ---------------------------------------------------------------------------------------------------------------

LAYERS = {  # the code that makes the layer -> (the shape of one example, the same in PyTorch)
    "Linear(5, 7)": ((5,), lambda x, W, b: functional.linear(x, W.T, b)),
    "Linear(5, 7) ": ((3, 5), lambda x, W, b: functional.linear(x, W.T, b)),
    "Identity()": ((5,), lambda x: x * 1),
    "ReLU()": ((5,), functional.relu),
    "LeakyReLU(0.2)": ((5,), lambda x: functional.leaky_relu(x, 0.2)),
    "Sigmoid()": ((5,), torch.sigmoid),
    "Tanh()": ((3, 5), torch.tanh),
    "Softmax()": ((5,), lambda x: torch.softmax(x, -1)),
    "Softmax() ": ((3, 5), lambda x: torch.softmax(x, -1)),
    "BatchNorm()": ((5,), batch_norm),
    "BatchNorm() ": ((2, 3, 5), batch_norm),
    "LayerNorm()": ((5,), layer_norm),
    "LayerNorm() ": ((2, 3, 5), layer_norm),
    "LayerNorm(0.01)": ((5,), lambda x, gamma, beta: functional.layer_norm(x, (5,), gamma, beta, eps=0.01)),
    "RMSNorm()": ((3, 5), lambda x, gamma: functional.rms_norm(x, (5,), gamma, eps=1e-5)),
    "RMSNorm(0.01)": ((5,), lambda x, gamma: functional.rms_norm(x, (5,), gamma, eps=0.01)),
    "GELU()": ((5,), functional.gelu),
    "GELU('tanh')": ((3, 5), lambda x: functional.gelu(x, approximate="tanh")),
    "SiLU()": ((5,), functional.silu),
    "ELU()": ((5,), functional.elu),
    "ELU(0.3)": ((3, 5), lambda x: functional.elu(x, alpha=0.3)),
    "Softplus()": ((5,), functional.softplus),  # theirs is z itself above 20, where no value here is
    "Flatten()": ((2, 3, 5), lambda x: torch.flatten(x, 1)),
    "Reshape(5, 2, -1)": ((2, 3, 5), lambda x: x.reshape(-1, 5, 2, 3)),
    "Chain(Linear(5, 3), Tanh())": ((5,), lambda x, W, b: torch.tanh(functional.linear(x, W.T, b))),
    "Residual(Linear(5, 5), Tanh())": ((3, 5), residual),
    "Residual(Linear(5, 3), ReLU(), Linear(3, 5))": (
        (5,),
        lambda x, W1, b1, W2, b2: x + functional.linear(torch.relu(functional.linear(x, W1.T, b1)), W2.T, b2),
    ),
    "Concatenate(Linear(5, 3), Identity(), Chain(LayerNorm(), Linear(5, 7)))": (
        (5,),
        lambda x, W1, b1, gamma, beta, W2, b2: torch.cat(
            [functional.linear(x, W1.T, b1), x, functional.linear(layer_norm(x, gamma, beta), W2.T, b2)], -1
        ),
    ),
    "Conv2D(2, 3)": ((7, 5, 2), conv2d),
    "Conv2D(2, 3, padding='same')": ((7, 5, 2), partial(conv2d, padding="same")),
    "Conv2D(2, 3, (2, 4), padding='same', dilation=(3, 1))": (
        (7, 5, 2),
        partial(conv2d, padding="same", dilation=(3, 1)),
    ),
    "Conv2D(6, 4, (2, 3), stride=(3, 2), padding=(1, 2), dilation=(2, 1), groups=2)": (
        (7, 5, 6),
        partial(conv2d, stride=(3, 2), padding=(1, 2), dilation=(2, 1), groups=2),
    ),
    "Conv2D(3, 6, padding=1, groups=3)": ((7, 5, 3), partial(conv2d, padding=1, groups=3)),
    "Conv2D(3, 2, 1)": ((7, 5, 3), conv2d),
    "MaxPool2D()": ((7, 5, 3), lambda x: pool2d(functional.max_pool2d, x, 2)),
    "MaxPool2D((3, 2), stride=(2, 1), padding=(1, 0))": (
        (7, 5, 3),
        lambda x: pool2d(functional.max_pool2d, x, (3, 2), (2, 1), (1, 0)),
    ),
    "AvgPool2D()": ((7, 5, 3), lambda x: pool2d(functional.avg_pool2d, x, 2)),
    "AvgPool2D(3, stride=2, padding=1)": (
        (7, 5, 3),
        lambda x: pool2d(functional.avg_pool2d, x, 3, 2, 1, count_include_pad=False),
    ),
    "GlobalAvgPool2D()": ((7, 5, 3), lambda x: x.mean((1, 2))),
    "Rescale(0.25)": ((5,), lambda x: x * 0.25),
    "Dropout(0.3)": ((5,), lambda x: functional.dropout(x, 0.3, training=False)),
}


def network_of(code, in_shape, dtype):
    """The layer alone in a network, with no parameter at its starting value."""
    network = cr.Network(eval(code, vars(cr)), in_shape=in_shape, dtype=dtype)
    network.params += normals(network.params.shape, dtype, 1)
    return network


@pytest.mark.parametrize("code", LAYERS, ids=str.strip)
def test_a_layer_agrees_in_output_dx_and_every_parameter(code, dtype):
    in_shape, theirs = LAYERS[code]
    network = network_of(code, in_shape, dtype)
    (layer,) = network.layers
    x = normals((N, *in_shape), dtype, 2) * 2 + 1
    y, cache = layer.forward(x, train=not layer.draws)
    dy = normals(y.shape, dtype, 3)
    dx = layer.backward(dy.copy(), cache)

    x_t = tensor(x, learns=True)
    learned = [(inner, name) for inner in layer.walk() for name in inner.parameter_names]
    parameters_t = [tensor(getattr(inner, name), learns=True) for inner, name in learned]
    y_t = theirs(x_t, *parameters_t)
    y_t.backward(tensor(dy))
    assert error(y, y_t) <= BOUNDS[dtype]
    assert error(dx, x_t.grad) <= BOUNDS[dtype]
    for (inner, name), parameter_t in zip(learned, parameters_t, strict=True):
        assert error(getattr(inner, f"d{name}"), parameter_t.grad) <= BOUNDS[dtype], (inner, name)


def test_batch_norm_agrees_over_several_updates_and_in_use(dtype):
    """Batches of different sizes, far from mean 0 and variance 1; then the running statistics answer."""
    network = network_of("BatchNorm(momentum=0.3, epsilon=0.01)", (5,), dtype)
    (layer,) = network.layers
    theirs = torch.nn.BatchNorm1d(5, eps=0.01, momentum=0.3, dtype=getattr(torch, dtype))
    with torch.no_grad():
        theirs.weight.copy_(tensor(layer.gamma))
        theirs.bias.copy_(tensor(layer.beta))
    for i, rows in enumerate((2, 7, 13, 3, 11)):
        x = normals((rows, 5), dtype, i) * (1 + i) + 3
        y, caches = network.forward(x, train=True)
        network.update_state(caches)
        assert error(y, theirs(tensor(x))) <= BOUNDS[dtype]
        assert error(layer.running_mean, theirs.running_mean) <= BOUNDS[dtype]
        assert error(layer.running_variance, theirs.running_var) <= BOUNDS[dtype]
    theirs.eval()
    x, dy = normals((N, 5), dtype, 8), normals((N, 5), dtype, 9)
    x_t = tensor(x, learns=True)
    y_t = theirs(x_t)
    y_t.backward(tensor(dy))
    y, cache = layer.forward(x)
    assert error(y, y_t) <= BOUNDS[dtype]
    assert error(layer.backward(dy.copy(), cache), x_t.grad) <= BOUNDS[dtype]
    assert error(layer.dgamma, theirs.weight.grad) <= BOUNDS[dtype]
    assert error(layer.dbeta, theirs.bias.grad) <= BOUNDS[dtype]


def test_dropout_agrees_under_our_mask(dtype):
    """The masks themselves cannot agree; that ours is 0 or 1 / (1 - p) makes it PyTorch's formula."""
    layer = cr.Dropout(0.3)
    x, dy = normals((N, 5), dtype, 2), normals((N, 5), dtype, 3)
    y, cache = layer.forward(x, train=True, rng=np.random.default_rng(4))
    (mask,) = cache
    survivor = mask.dtype.type(1 / (1 - 0.3))
    assert set(np.unique(mask)) == {0, survivor}
    x_t = tensor(x, learns=True)
    y_t = x_t * tensor(mask)
    y_t.backward(tensor(dy))
    assert error(y, y_t) <= BOUNDS[dtype]
    assert error(layer.backward(dy.copy(), cache), x_t.grad) <= BOUNDS[dtype]


def test_max_pooling_breaks_ties_alike(dtype):
    """Of three values alone, so that most patches hold their largest more than once."""
    x = np.random.default_rng(0).integers(0, 3, (N, 7, 6, 2)).astype(dtype)
    layer, x_t = cr.MaxPool2D(3, stride=2, padding=1), tensor(x, learns=True)
    y, cache = layer.forward(x)
    dy = normals(y.shape, dtype, 1)
    pool2d(functional.max_pool2d, x_t, 3, 2, 1).backward(tensor(dy))
    assert error(layer.backward(dy.copy(), cache), x_t.grad) <= BOUNDS[dtype]


# Losses ---------------------------------------------------------------------------------------------------------------

K = 5
CHANCE = np.random.default_rng(0)
LABELS = CHANCE.integers(0, K, N)
SOFT = CHANCE.dirichlet(np.ones(K), N)
BITS = CHANCE.integers(0, 2, (N, K))
VALUES = CHANCE.standard_normal((N, K))
COUNTS = CHANCE.poisson(2.0, (N, K)).astype(float)


def cross_entropy(smoothing=0.0):
    return lambda z, t: functional.cross_entropy(z, t, reduction="none", label_smoothing=smoothing)


def log_probabilities(p, t):
    return functional.nll_loss(torch.log(p), t, reduction="none")


def by_rows(theirs, **options):
    return lambda y, t: theirs(y, t, reduction="none", **options).mean(-1)


def pinball(*quantiles):
    q = np.array(quantiles)
    return lambda y, t: torch.maximum((t - y) * tensor(q).to(y.dtype), (y - t) * tensor(1 - q).to(y.dtype)).mean(-1)


LOSSES = {  # the code that makes the loss -> (targets, one loss for each row in PyTorch)
    "CrossEntropy()": (LABELS, cross_entropy()),
    "CrossEntropy() ": (np.eye(K)[LABELS], cross_entropy()),
    "CrossEntropy()  ": (SOFT, cross_entropy()),
    "CrossEntropy(label_smoothing=0.1)": (LABELS, cross_entropy(0.1)),
    "CrossEntropy(label_smoothing=0.1) ": (SOFT, cross_entropy(0.1)),
    "CrossEntropy(from_probabilities=True)": (LABELS, log_probabilities),
    "BinaryCrossEntropy()": (
        BITS.astype(float),
        lambda z, t: functional.binary_cross_entropy_with_logits(z, t, reduction="none").mean(-1),
    ),
    "BinaryCrossEntropy() ": (
        SOFT,
        lambda z, t: functional.binary_cross_entropy_with_logits(z, t, reduction="none").mean(-1),
    ),
    "SquaredError()": (VALUES, by_rows(functional.mse_loss)),
    "AbsoluteError()": (VALUES, by_rows(functional.l1_loss)),
    "Huber()": (VALUES, by_rows(functional.huber_loss)),
    "Huber(0.3)": (VALUES, by_rows(functional.huber_loss, delta=0.3)),
    "Huber(2.5)": (VALUES, lambda y, t: 2.5 * by_rows(functional.smooth_l1_loss, beta=2.5)(y, t)),
    "Quantile()": (VALUES, pinball(0.5)),
    "Quantile(0.9)": (VALUES, pinball(0.9)),
    "Quantile((0.05, 0.25, 0.5, 0.8, 0.99))": (VALUES[:, :1], pinball(0.05, 0.25, 0.5, 0.8, 0.99)),
    "Poisson()": (COUNTS, by_rows(functional.poisson_nll_loss)),
    "Poisson(full=True)": (COUNTS, by_rows(functional.poisson_nll_loss, full=True)),
    "Poisson(log_input=False)": (COUNTS, by_rows(functional.poisson_nll_loss, log_input=False)),
    "Poisson(log_input=False, full=True)": (COUNTS, by_rows(functional.poisson_nll_loss, log_input=False, full=True)),
}


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted rows"])
@pytest.mark.parametrize("code", LOSSES, ids=str.strip)
def test_a_loss_agrees_in_value_and_gradient(code, weighted, dtype):
    targets, theirs = LOSSES[code]
    if targets.dtype.kind == "f":
        targets = targets.astype(dtype)
    outputs = 3 * normals((N, K), dtype, 1)
    if "from_probabilities" in code:
        outputs = cr.softmax(outputs)
    elif "log_input=False" in code:
        outputs = np.exp(outputs)
    weights = np.arange(N).astype(dtype) / 3 if weighted else np.ones(N, dtype)
    loss, gradient = eval(code, vars(cr))(outputs, targets, weights if weighted else None)
    outputs_t = tensor(outputs, learns=True)
    loss_t = (theirs(outputs_t, tensor(targets)) * tensor(weights)).sum() / weights.sum()
    loss_t.backward()
    assert loss == pytest.approx(loss_t.item(), rel=BOUNDS[dtype])
    assert error(gradient, outputs_t.grad) <= BOUNDS[dtype]


BY_DEFAULT = {
    "cross_entropy": (cr.CrossEntropy(), LABELS),
    "binary_cross_entropy_with_logits": (cr.BinaryCrossEntropy(), BITS),
    "mse_loss": (cr.SquaredError(), VALUES),
    "l1_loss": (cr.AbsoluteError(), VALUES),
    "huber_loss": (cr.Huber(), VALUES),
    "poisson_nll_loss": (cr.Poisson(), COUNTS),
}


@pytest.mark.parametrize("theirs", BY_DEFAULT)
def test_the_average_is_the_one_pytorch_takes_by_default(theirs, dtype):
    """No option named on either side: the mean over rows, and for all but the first over the outputs too."""
    ours, targets = BY_DEFAULT[theirs]
    if targets is not LABELS:
        targets = targets.astype(dtype)
    z = normals((N, K), dtype, 1)
    expected = getattr(functional, theirs)(tensor(z), tensor(targets)).item()
    assert ours(z, targets)[0] == pytest.approx(expected, rel=BOUNDS[dtype])


@pytest.mark.parametrize("size", [30.0, 300.0, 3000.0])
def test_large_logits_agree_and_nothing_overflows(size, dtype):
    z = normals((N, K), dtype, 1) * np.asarray(size, dtype)
    for ours, theirs, targets in (
        (cr.CrossEntropy(), functional.cross_entropy, LABELS),
        (cr.BinaryCrossEntropy(), functional.binary_cross_entropy_with_logits, BITS.astype(dtype)),
    ):
        z_t = tensor(z, learns=True)
        loss_t = theirs(z_t, tensor(targets))
        loss_t.backward()
        loss, gradient = ours(z, targets)
        assert loss == pytest.approx(loss_t.item(), rel=BOUNDS[dtype])
        assert error(gradient, z_t.grad) <= BOUNDS[dtype]


# Training -------------------------------------------------------------------------------------------------------------

STEPS, ROWS = 20, 50


def triangle(step):
    """OneCycle(0.1) over STEPS steps, written out: up to the peak in the first fifth, then down to 0."""
    t = (step + 0.5) / STEPS
    return 0.1 * min(t / 0.2, (1 - t) / 0.8)


@pytest.mark.parametrize(
    ("dtype", "bound"),
    # Measured 4e-16 and 3e-7. In float32 a sum of 784 products taken in another order differs by 1e-7, and every step
    # builds on the last; another BLAS may take yet another order, hence a bound of more than ten times that.
    [("float64", 1e-12), ("float32", 2e-6)],
)
def test_twenty_steps_on_digits_leave_the_same_trace(dtype, bound):
    """784-32-10, momentum, a rate that goes up and down: the same start, the same batches, the same losses."""
    digits = datasets.mnist().train
    x, y = digits.x[: STEPS * ROWS], digits.y[: STEPS * ROWS]
    network = cr.MLP([784, 32, 10], scale=1 / 255, seed=0, dtype=dtype)
    parameters_t = [tensor(getattr(row.layer, row.attribute).copy(), learns=True) for row in network.parameters]
    W1, W2, b1, b2 = parameters_t
    theirs = torch.optim.SGD(parameters_t, momentum=0.9, lr=0.0)
    optimizer = cr.SGD(cr.OneCycle(0.1), momentum=0.9)
    trainer = cr.Trainer(network, cr.CrossEntropy(), optimizer, batch_size=ROWS)
    trace, trace_t = [], []
    for i, step in enumerate(trainer.steps(x, y)):
        theirs.param_groups[0]["lr"] = triangle(i)
        images = tensor(x[step.rows]).to(getattr(torch, dtype)) / 255
        hidden = torch.relu(images @ W1 + b1)
        loss_t = functional.cross_entropy(hidden @ W2 + b2, tensor(y[step.rows]))
        theirs.zero_grad()
        loss_t.backward()
        theirs.step()
        trace.append(step.loss)
        trace_t.append(loss_t.item())
    assert len(trace) == STEPS
    assert trace_t[-1] < 0.5 * trace_t[0], "the run must get somewhere, or agreement means little"
    np.testing.assert_allclose(trace, trace_t, rtol=bound, atol=0)
    for row, parameter_t in zip(network.parameters, parameters_t, strict=True):
        assert error(getattr(row.layer, row.attribute), parameter_t) <= bound, row.name
