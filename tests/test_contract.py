"""The contract of layers/layer.py, rule by rule, over every layer there is. A new layer adds one line to the table.

Shapes are distinct primes, so that a wrong ratio or a swapped axis names its cause.
"""

import copy
import inspect
import pickle

import numpy as np
import pytest

import chainrule as cr
from chainrule.configurable import from_json, to_json
from chainrule.layers.layer import Layer

N = 7
CASES = {  # the code that makes the layer -> the shape of one example
    "Linear(5, 3)": (5,),
    "Linear(out_features=3, initializer='lecun', bias=0.5)": (5,),
    "Linear(5, 2)": (3, 5),
    "Identity()": (5,),
    "ReLU()": (5,),
    "LeakyReLU(0.2)": (3, 5),
    "Sigmoid()": (5,),
    "Tanh()": (2, 5),
    "Softmax()": (5,),
    "Softmax() ": (3, 5),
    "Rescale(0.25)": (5,),
    "Standardize()": (5,),
    "Flatten()": (2, 3, 5),
    "Dropout(0.3)": (5,),
    "Dropout(0)": (5,),
    "BatchNorm()": (5,),
    "BatchNorm(momentum=0.3, epsilon=0.01)": (2, 3, 5),
    "LayerNorm()": (5,),
    "LayerNorm(0.01)": (2, 3, 5),
    "RMSNorm()": (5,),
    "RMSNorm(0.01)": (2, 3, 5),
    "GELU()": (5,),
    "GELU('tanh')": (3, 5),
    "SiLU()": (5,),
    "ELU()": (5,),
    "ELU(0.3)": (3, 5),
    "Softplus()": (5,),
    "Reshape(5, 2, -1)": (2, 3, 5),
    "Reshape(15)": (3, 5),
    "Chain(Linear(5, 3), Tanh(), Linear(3, 2))": (5,),
    "Chain(Standardize(), Dropout(0.3))": (3, 5),
    "Chain(BatchNorm(), Dropout(0.3), LayerNorm())": (3, 5),
    "Residual(Linear(5, 3), Tanh(), Linear(3, 5))": (5,),
    "Residual(ReLU())": (3, 5),
    "Residual(BatchNorm(), Dropout(0.3), Residual(Linear(5, 5, bias=0.1)))": (5,),
    "Concatenate(Identity(), Linear(5, 3), Chain(Linear(5, 7), BatchNorm(), Dropout(0.2)))": (5,),
    "Concatenate(Residual(Tanh()), Concatenate(Sigmoid(), LayerNorm()))": (2, 3, 5),
    "Concatenate(Identity())": (5,),
    "Conv2D(2, 3)": (5, 3, 2),
    "Conv2D(out_channels=3, kernel_size=(2, 3), stride=(2, 1), padding='same', bias=0.5)": (5, 3, 2),
    "Conv2D(4, 2, (3, 1), stride=2, padding=(2, 1), dilation=(2, 1), groups=2, initializer='lecun')": (5, 3, 4),
    "Conv2D(2, 3, 1)": (2, 3, 2),
    "MaxPool2D()": (5, 3, 2),
    "MaxPool2D((3, 2), stride=(1, 2), padding=(1, 1))": (5, 3, 2),
    "AvgPool2D()": (5, 3, 2),
    "AvgPool2D((3, 2), stride=2, padding='same')": (5, 3, 2),
    "GlobalAvgPool2D()": (5, 3, 2),
}
PUBLIC = dict(vars(cr))
LAYERS = {
    name: cls for name, cls in PUBLIC.items() if isinstance(cls, type) and issubclass(cls, Layer) and cls is not Layer
}


@pytest.fixture(params=CASES, ids=str.strip)
def case(request):
    return request.param


def make(case: str) -> Layer:
    layer = eval(case, dict(LAYERS))
    assert isinstance(layer, Layer)
    return layer


def network_of(case: str, dtype: str = "float64") -> cr.Network:
    """The layer alone in a network, its parameters and state anything but their starting values."""
    network = cr.Network(make(case), in_shape=CASES[case], dtype=dtype, seed=3)
    rng = np.random.default_rng(1)
    network.params += 0.3 * rng.standard_normal(network.params.shape)
    network.state += np.abs(rng.standard_normal(network.state.shape))
    return network


def batch(shape, dtype="float64", seed=2):
    return np.random.default_rng(seed).standard_normal((N, *shape)).astype(dtype)


def snapshot(layer: Layer) -> dict[str, bytes]:
    return {name: pickle.dumps(value) for name, value in vars(layer).items()}


def pieces(cache) -> list[object]:
    """What lies in the cache, and in the caches within it."""
    return [piece for item in cache for piece in (pieces(item) if isinstance(item, tuple) else [item])]


def arrays_of(cache):
    return [piece for piece in pieces(cache) if isinstance(piece, np.ndarray)]


def test_every_public_layer_and_loss_is_in_a_table():
    from test_losses import CASES as LOSS_CASES

    assert {case.split("(")[0] for case in CASES} == set(LAYERS) - {"Layer"}
    losses = {
        cls for cls in PUBLIC.values() if isinstance(cls, type) and issubclass(cls, cr.Loss) and cls is not cr.Loss
    }
    assert {type(eval(case, dict(PUBLIC))) for case in LOSS_CASES} == losses


@pytest.mark.parametrize("train", [True, False])
def test_1_forward_writes_neither_to_x_nor_to_the_layer(case, train):
    layer, x = network_of(case).layers[0], batch(CASES[case])
    kept = x.copy()
    x.flags.writeable = False
    before = snapshot(layer)
    layer.forward(x, train, np.random.default_rng(0))
    assert snapshot(layer) == before
    np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("train", [True, False])
def test_2_chance_comes_from_rng_alone(case, train):
    layer, x = network_of(case).layers[0], batch(CASES[case])
    generators = [np.random.default_rng(seed) for seed in (5, 5, 6)]
    first, again, other = (layer.forward(x, train, rng)[0] for rng in generators)
    np.testing.assert_array_equal(first, again)
    drew = generators[0].bit_generator.state != np.random.default_rng(5).bit_generator.state
    draws = any(inner.draws and getattr(inner, "probability", 1) > 0 for inner in layer.walk())
    assert drew == (draws and train)
    assert drew == (not np.array_equal(first, other))


@pytest.mark.parametrize("train", [True, False])
def test_3_backward_leaves_the_cache_and_answers_twice_the_same(case, train):
    network, x = network_of(case), batch(CASES[case])
    layer = network.layers[0]
    y, cache = layer.forward(x, train, np.random.default_rng(0))
    dy = np.random.default_rng(4).standard_normal(y.shape)
    kept = copy.deepcopy(cache)
    for array in arrays_of(cache):
        array.flags.writeable = False
    first = layer.backward(dy.copy(), cache)
    assert first is not None
    assert not any(np.shares_memory(first, array) for array in arrays_of(cache))
    grads = network.grads.copy()
    network.grads[:] = np.nan  # overwritten, not added to
    second = layer.backward(dy.copy(), cache)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(network.grads, grads)
    for before, after in zip(pieces(kept), pieces(cache), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("train", [True, False])
def test_3_backward_uses_its_own_cache_and_not_the_last_forward(case, train):
    network, x = network_of(case), batch(CASES[case])
    layer = network.layers[0]
    y, cache = layer.forward(x, train, np.random.default_rng(0))
    dy = np.random.default_rng(4).standard_normal(y.shape)
    expected, grads = layer.backward(dy.copy(), cache), network.grads.copy()
    layer.forward(batch(CASES[case], seed=9)[: N - 2], train, np.random.default_rng(8))
    np.testing.assert_array_equal(layer.backward(dy.copy(), cache), expected)
    np.testing.assert_array_equal(network.grads, grads)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("seed", [0, 1])
def test_4_backward_is_the_derivative_for_random_upstream(case, train, seed):
    network = network_of(case)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        report = cr.check_gradients(network, batch(CASES[case], seed=seed), train=train, seed=seed, show=False)
    assert report.passed, report
    assert {row.name for row in report.rows} == {"x", *(row.name for row in network.parameters)}
    assert sum(row.set_aside for row in report.rows) <= 1


@pytest.mark.parametrize("train", [True, False])
def test_4_the_full_jacobian_is_right(case, train):
    """Every output against every input and parameter, one upstream entry at a time, by two-point differences."""
    network, x = network_of(case), batch(CASES[case])[:3]
    layer = network.layers[0]

    def forward():
        return layer.forward(x, train, np.random.default_rng(0))

    y, cache = forward()
    h = 1e-6
    columns = {}
    for name, array in {"x": x, "params": network.params}.items():
        flat, slopes = array.reshape(-1), []
        for i in range(flat.size):
            kept = flat[i]
            flat[i] = kept + h
            up = forward()[0].copy()  # Flatten and Identity hand x itself on
            flat[i] = kept - h
            slopes.append((up - forward()[0]).ravel() / (2 * h))
            flat[i] = kept
        columns[name] = np.array(slopes).reshape(flat.size, y.size)
    for k in range(y.size):
        dy = np.zeros(y.size)
        dy[k] = 1
        dx = layer.backward(dy.reshape(y.shape), cache)
        np.testing.assert_allclose(dx.ravel(), columns["x"][:, k], atol=2e-7, rtol=1e-6)
        np.testing.assert_allclose(network.grads, columns["params"][:, k], atol=2e-7, rtol=1e-6)


def test_5_need_dx_false_saves_dx_and_nothing_else(case):
    network, x = network_of(case), batch(CASES[case])
    layer = network.layers[0]
    y, cache = layer.forward(x, True, np.random.default_rng(0))
    dy = np.random.default_rng(4).standard_normal(y.shape)
    full, grads = layer.backward(dy.copy(), cache), network.grads.copy()
    network.grads[:] = np.nan
    without = layer.backward(dy.copy(), cache, need_dx=False)
    np.testing.assert_array_equal(network.grads, grads)
    if network.parameters:
        assert without is None
    else:
        assert without is None or np.array_equal(without, full)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("train", [True, False])
def test_6_dtype_in_is_dtype_out(case, dtype, train):
    network, x = network_of(case, dtype), batch(CASES[case], dtype)
    layer = network.layers[0]
    y, cache = layer.forward(x, train, np.random.default_rng(0))
    dx = layer.backward(np.ones_like(y), cache)
    assert y.dtype == dx.dtype == network.params.dtype == network.grads.dtype == np.dtype(dtype)
    assert dx.shape == x.shape
    assert y.shape == (N, *network.out_shapes[-1])
    assert all(array.dtype in (np.dtype(dtype), np.bool_) for array in arrays_of(cache))


def test_6_numpy_scalars_as_arguments_do_not_widen():
    x = batch((5,), "float32")
    for layer in (
        cr.Rescale(np.float64(2)),
        cr.LeakyReLU(np.float64(0.1)),
        cr.ELU(np.float64(0.1)),
        cr.Dropout(np.float64(0.5)),
    ):
        assert layer.forward(x, True, np.random.default_rng(0))[0].dtype == np.float32


def test_7_the_constructor_makes_the_layer_again(case):
    layer = make(case)
    again = eval(repr(layer), dict(LAYERS))
    described = from_json(to_json(layer), LAYERS)
    for other in (again, described, layer.clone()):
        assert type(other) is type(layer)
        assert to_json(other) == to_json(layer)
        assert repr(other) == repr(layer)


def test_7_building_changes_no_constructor_argument(case):
    network = network_of(case)
    assert to_json(network.layers[0]) == to_json(make(case))


@pytest.mark.parametrize("cls", LAYERS.values(), ids=LAYERS)
def test_8_no_layer_inherits_from_another(cls):
    assert [base for base in cls.__mro__[1:] if issubclass(base, Layer)] == [Layer]


@pytest.mark.parametrize("cls", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("method", ["forward", "backward"])
def test_forward_and_backward_take_what_the_contract_says(cls, method):
    ours, contract = (inspect.signature(getattr(owner, method)).parameters.values() for owner in (cls, Layer))
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in contract]


def test_inference_answers_each_row_by_itself(case):
    network, x = network_of(case), batch(CASES[case])
    together = network.layers[0].forward(x)[0]
    alone = np.concatenate([network.layers[0].forward(x[i : i + 1])[0] for i in range(N)])
    np.testing.assert_allclose(together, alone, rtol=1e-13, atol=1e-14)


def test_copies_compute_the_same_with_arrays_of_their_own(case):
    network, x = network_of(case), batch(CASES[case])
    expected = network(x)
    for other in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network), network.copy()):
        np.testing.assert_array_equal(other(x), expected)
        assert not np.shares_memory(other.params, network.params)
        for row in other.parameters:
            assert np.shares_memory(getattr(row.layer, row.attribute), other.params)
            assert np.shares_memory(getattr(row.layer, f"d{row.attribute}"), other.grads)


def test_a_built_layer_survives_pickle_and_deepcopy_by_itself(case):
    layer, x = network_of(case).layers[0], batch(CASES[case])
    for other in (pickle.loads(pickle.dumps(layer)), copy.deepcopy(layer)):
        np.testing.assert_array_equal(other(x), layer(x))


@pytest.mark.parametrize("layout", ["fortran", "strided", "reversed", "read-only", "swapped"])
def test_memory_layout_does_not_matter(case, layout):
    network, x = network_of(case), batch(CASES[case])
    expected = network(x)
    odd = {
        "fortran": np.asfortranarray(x),
        "strided": np.repeat(x, 2, axis=0)[::2],
        "reversed": x[::-1].copy()[::-1],
        "read-only": x.copy(),
        "swapped": x.astype(">f8"),
    }[layout]
    odd.flags.writeable = layout != "read-only"
    np.testing.assert_allclose(network(odd), expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(odd, x)


def test_assigning_an_array_copies_it_into_the_view(case):
    network = network_of(case)
    for row in network.parameters + network.states:
        value = np.random.default_rng(5).standard_normal(row.shape)
        setattr(row.layer, row.attribute, value)
        vector = network.params if row in network.parameters else network.state
        np.testing.assert_array_equal(vector[row.slice], value.ravel())
        with pytest.raises(cr.ShapeError, match="same shape"):
            setattr(row.layer, row.attribute, np.zeros((1, *row.shape)))


def test_update_state_alone_moves_the_running_statistics(case):
    network, x = network_of(case), batch(CASES[case])
    layer, before = network.layers[0], network.state.copy()
    _, cache = layer.forward(x, True, np.random.default_rng(0))
    np.testing.assert_array_equal(network.state, before)
    layer.update_state(cache)
    moved = not np.array_equal(network.state, before)
    assert moved == any(isinstance(inner, cr.BatchNorm) for inner in layer.walk())


def test_5_the_trainer_never_asks_the_first_layer_that_learns_for_dx():
    """That product is a third of all multiply-adds of a 784-128-10 step, and nobody would use it."""
    asked = []

    class Recorded(Layer):
        parameter_names = ("W",)

        def build(self, in_shape, rng):
            self.W = rng.standard_normal((in_shape[0], 3))
            return (3,)

        def forward(self, x, train=False, rng=None):
            return x @ self.W, (x,)

        def backward(self, dy, cache, need_dx=True):
            asked.append((self.path, need_dx))
            self.dW = cache[0].T @ dy
            return dy @ self.W.T if need_dx else None

    network = cr.Network(cr.Rescale(2.0), Recorded(), cr.Tanh(), Recorded(), in_shape=(5,))
    cr.Trainer(network, "cross_entropy", "sgd", batch_size=N).fit(batch((5,)), np.arange(N) % 3)
    assert asked == [("3", True), ("1", False)]
