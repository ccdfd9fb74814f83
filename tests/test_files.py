"""Model files: what is saved comes back to the bit, for ever, and nothing else gets in, whatever its bytes.

`python tests/test_files.py` writes the golden file. Do that for a new format version only, under a new name: the old
ones stay, and must load.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule import safetensors_format
from chainrule.errors import CheckpointError, ConfigurationError, NotBuiltError

GOLDEN = Path(__file__).parent / "golden" / "mlp_float32_v1.safetensors"
ZEROS = "0" * 64


class Scale(cr.Layer):
    """A layer of one's own, with one gain, starting at `start` plus what `noise` draws."""

    parameter_names = ("gain",)
    any_shape = True

    def __init__(self, start=1.0, *, noise=None):
        self.start, self.noise = start, noise

    def build(self, in_shape, rng):
        self.gain = np.full((1, 1), self.start) + (self.noise(rng, (1, 1)) if self.noise else 0)
        return in_shape

    def forward(self, x, train=False, rng=None):
        return x * self.gain, (x,)

    def backward(self, dy, cache, need_dx=True):
        (x,) = cache
        self.dgain[...] = (dy * x).sum()
        return dy * self.gain


class Tenth(cr.Initializer):
    def variance(self, fan_in, fan_out):
        return 0.01


def golden_network():
    """Weights by formula, so that no generator of random numbers has a say in it."""
    network = cr.Network(
        cr.Rescale(0.25),
        cr.Linear(3, 5),
        cr.BatchNorm(),
        cr.ReLU(),
        cr.Dropout(0.25),
        cr.Linear(5, 2, initializer=cr.Glorot("uniform"), bias=0.5),
        output="softmax",
        class_names=["cat", "dög 🐕"],
        seed=7,
    )
    for vector, start in ((network.params, 0), (network.state, 50)):
        vector[...] = np.cos(np.arange(start, start + vector.size)) + (vector is network.state)
    return network


GOLDEN_LOGITS = [  # of golden_network() for rows (1, 2, 3), (-4, 0, 8), (0.5, 0.25, -1); computed in float64
    [-2.0699401390600882, -0.5009989163596815],
    [0.027901584383251632, -1.2603863011831145],
    [-2.3733237857491516, -1.0257027352278245],
]


def randomized(network):
    """The same network with every parameter and state off its starting value."""
    rng = np.random.default_rng(3)
    network.params[...] = rng.normal(size=network.params.size)
    network.state[...] = rng.uniform(0.5, 2, network.state.size)
    return network


def late_built():
    network = cr.Network(cr.Flatten(), cr.Linear(out_features=3), cr.LeakyReLU(0.2))
    network.build((2, 5))
    return network


NETWORKS = {
    "linear": lambda: cr.MLP([2, 3]),
    "mlp": lambda: cr.MLP([7, 5, 3], scale=1 / 255, class_names=["a", "b", "c"], output="softmax", seed=11),
    "float64": lambda: cr.MLP([7, 5, 3], "tanh", dtype="float64", output="identity"),
    "rates": lambda: cr.MLP([7, 5, 3], output="exp"),
    "golden": golden_network,
    "standardize": lambda: cr.Network(cr.Standardize(), cr.Linear(4, 1, initializer="normal"), output="sigmoid"),
    "late built": late_built,
    "initializers": lambda: cr.Network(
        *(cr.Linear(3, 3, initializer=kind) for kind in (cr.He(), cr.LeCun("uniform"), cr.Normal(0.02), "xavier"))
    ),
    "no parameters": lambda: cr.Network(cr.Flatten(), cr.Softmax(), in_shape=(2, 3)),
    "activations": lambda: cr.Network(cr.Linear(3, 2), cr.Identity(), cr.Sigmoid(), cr.Tanh(), cr.Softmax()),
    "rows and bends": lambda: cr.Network(
        cr.Linear(6, 4),
        cr.LayerNorm(0.01),
        cr.GELU(),
        cr.GELU("tanh"),
        cr.RMSNorm(),
        cr.SiLU(),
        cr.ELU(0.5),
        cr.Softplus(),
    ),
    "containers": lambda: cr.Network(
        cr.Residual(cr.BatchNorm(), cr.Dropout(0.1), cr.Residual(cr.Linear(6, 6), cr.SiLU())),
        cr.Concatenate(cr.Identity(), cr.Chain(cr.Linear(6, 5), cr.LayerNorm(), cr.Concatenate(cr.Linear(5, 2)))),
        cr.Reshape(2, -1),
        cr.Residual(cr.Reshape(8), cr.RMSNorm(), cr.Reshape(2, 4)),
        cr.Flatten(),
        output="identity",
    ),
    "images": lambda: cr.Network(
        cr.Reshape(5, 4, 2),
        cr.Conv2D(2, 4, (2, 3), stride=(1, 2), padding="same", groups=2),
        cr.BatchNorm(),
        cr.MaxPool2D((2, 1), stride=1, padding=(1, 0)),
        cr.Conv2D(out_channels=3, kernel_size=1, bias=0.5, initializer=cr.Glorot()),
        cr.AvgPool2D(2, padding="same"),
        cr.GlobalAvgPool2D(),
        in_shape=(40,),
    ),
    "a container that must be told its width": lambda: cr.Network(
        cr.Concatenate(cr.Chain(cr.Standardize(), cr.Tanh()), cr.ReLU()), cr.Linear(6, 2), in_shape=(3,)
    ),
    "huge seed": lambda: cr.MLP([2, 2], seed=2**127),
}


def path_with(folder, content, name="model.safetensors"):
    path = folder / name
    path.write_bytes(content)
    return path


def saved(network, folder):
    path = folder / "saved.safetensors"
    cr.save(network, path)
    return path.read_bytes()


def sealed(content: bytes) -> bytes:
    before, key, after = content.partition(b'"sha256"')
    return before + key + after.replace(ZEROS.encode(), hashlib.sha256(content).hexdigest().encode(), 1)


# What is saved comes back ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_a_loaded_network_is_the_saved_one_to_the_bit(make, tmp_path):
    network = randomized(make())
    content = saved(network, tmp_path)
    again = cr.load(tmp_path / "saved.safetensors")
    assert repr(again) == repr(network)
    assert again.class_names == network.class_names
    for name in ("params", "state", "grads"):
        assert getattr(again, name).dtype == np.dtype(network.dtype)
    np.testing.assert_array_equal(again.params, network.params)
    np.testing.assert_array_equal(again.state, network.state)
    x = np.random.default_rng(0).normal(size=(4, *network.in_shape))
    np.testing.assert_array_equal(again(x), network(x))
    assert saved(again, tmp_path) == content
    assert os.listdir(tmp_path) == ["saved.safetensors"]


def test_the_data_are_the_parameters_and_then_the_state(tmp_path):
    network = randomized(golden_network())
    content = saved(network, tmp_path)
    assert content.endswith(network.params.tobytes() + network.state.tobytes())
    assert (8 + int.from_bytes(content[:8], "little")) % 8 == 0


def test_layers_are_views_and_training_goes_on(tmp_path):
    saved(golden_network(), tmp_path)
    network = cr.load(tmp_path / "saved.safetensors")
    network.layers[1].W = np.zeros((3, 5))
    assert not network.params[:15].any()


@pytest.mark.parametrize("names", [("1",), ("1.W", "2.gamma"), ()])
def test_frozen_parameters_stay_frozen(names, tmp_path):
    network = golden_network()
    network.freeze(*names)
    saved(network, tmp_path)
    again = cr.load(tmp_path / "saved.safetensors")
    assert [row.trainable for row in again.parameters] == [row.trainable for row in network.parameters]


def test_layers_of_ones_own(tmp_path):
    network = randomized(cr.Network(cr.Linear(2, 3, initializer=Tenth()), Scale(noise=Tenth("uniform"))))
    path = tmp_path / "own.safetensors"
    cr.save(network, path)
    again = cr.load(path, layers=[Scale, Tenth])
    assert repr(again) == repr(network)
    np.testing.assert_array_equal(again.params, network.params)
    with pytest.raises(CheckpointError, match=r"own.safetensors: .*'Scale', 'Tenth'.*load\(path, layers=\[MyLayer\]\)"):
        cr.load(path)
    impostor = type("Linear", (cr.Layer,), {})
    for layers, words in (([Scale()], "expected classes"), ([str], "expected classes"), ([impostor], "called Linear")):
        with pytest.raises(ConfigurationError, match=words):
            cr.load(path, layers=layers)


def test_training_goes_on_in_another_process(tmp_path):
    program = """if True:
        import sys, numpy as np, chainrule as cr
        def train(network):
            rng = np.random.default_rng(0)
            x, y = rng.normal(size=(50, 3)), rng.integers(0, 2, 50)
            cr.Trainer(network, "cross_entropy", cr.SGD(0.1, momentum=0.9), batch_size=8).fit(x, y, epochs=3)
            return network.params.tobytes().hex() + network.state.tobytes().hex()
        if __name__ == "__main__":
            print(train(cr.load(sys.argv[1])))
    """
    scope = {"__name__": "here"}
    exec(program, scope)
    network = golden_network()
    scope["train"](network)
    saved(network, tmp_path)
    there = run(program, tmp_path / "saved.safetensors")
    assert there.strip() == scope["train"](network)


def run(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_golden_file_loads_for_ever():
    network = cr.load(GOLDEN)
    assert repr(network) == repr(golden_network())
    assert network.class_names == ("cat", "dög 🐕")
    np.testing.assert_allclose(network.params, golden_network().params, rtol=1e-6)
    np.testing.assert_allclose(network([[1, 2, 3], [-4, 0, 8], [0.5, 0.25, -1]]), GOLDEN_LOGITS, rtol=2e-6, atol=1e-6)


def test_the_safetensors_package_reads_ours_and_we_read_its(tmp_path):
    numpy_side, package = pytest.importorskip("safetensors.numpy"), pytest.importorskip("safetensors")
    network = randomized(golden_network())
    path = tmp_path / "ours.safetensors"
    cr.save(network, path)
    tensors = numpy_side.load_file(path)
    rows = {row.name: network.params[row.slice].reshape(row.shape) for row in network.parameters}
    rows |= {row.name: network.state[row.slice].reshape(row.shape) for row in network.states}
    assert tensors.keys() == rows.keys()
    for name, array in rows.items():
        np.testing.assert_array_equal(tensors[name], array)
        assert tensors[name].dtype == array.dtype
    with package.safe_open(path, "numpy") as file:
        metadata = file.metadata()

    theirs = tmp_path / "theirs.safetensors"
    numpy_side.save_file(tensors, theirs, metadata | {"sha256": ZEROS})  # in another order than ours
    theirs.write_bytes(sealed(theirs.read_bytes()))
    np.testing.assert_array_equal(cr.load(theirs).params, network.params)
    numpy_side.save_file(tensors, theirs, metadata)
    with pytest.raises(CheckpointError, match="seal is broken"):
        cr.load(theirs)
    numpy_side.save_file({"a": np.zeros(3, "float16"), "b": np.zeros(2)}, theirs)
    with pytest.raises(
        CheckpointError, match=r"theirs.safetensors: .*tensors ('a', 'b'|'b', 'a') but no chainrule architecture"
    ):
        cr.load(theirs)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8"])
def test_the_format_takes_any_memory_layout_and_byte_order(dtype, tmp_path):
    whole = np.arange(60, dtype=dtype).reshape(3, 4, 5)
    tensors = {
        "F": whole.T,
        "strided": whole[::2, :, 1::2],
        "backwards": whole[::-1],
        "scalar": whole[0, 0, 1:2].reshape(()),
    }
    safetensors_format.write(tmp_path / "a", tensors, {})
    back, words = safetensors_format.read(tmp_path / "a")
    assert (words["format"], words["format_version"]) == ("chainrule", "1")
    for name, array in tensors.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype.newbyteorder("<")


# What could not be loaded is not saved -----------------------------------------------------------------------------


def keeps_no_arguments():
    class Forgetful(cr.Layer):
        def __init__(self, width):
            self.twice = 2 * width

    return cr.Network(cr.Linear(2, 3), Forgetful(3))


def changes_arguments():
    class Doubles(cr.Layer):
        parameter_names = ("a",)

        def __init__(self, width):
            self.width = 2 * width

        def build(self, in_shape, rng):
            self.a = np.zeros(self.width)
            return in_shape

    return cr.Network(cr.Linear(2, 3), Doubles(3))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: cr.Network(cr.Linear(out_features=3)), NotBuiltError, "build"),
        (lambda: "a.safetensors", ConfigurationError, "expected a network and a path"),
        (
            lambda: cr.Network(cr.Linear(2, 3), Scale(noise=lambda rng, shape: np.zeros(shape))),
            ConfigurationError,
            "lambda",
        ),
        (lambda: cr.Network(cr.Linear(2, 3), Scale(float("nan"))), ConfigurationError, "JSON"),
        (lambda: cr.Network(cr.Linear(2, 3), Scale(noise={})), ConfigurationError, "could not be loaded again"),
        (keeps_no_arguments, ConfigurationError, "no attribute 'width'.*under their own names"),
        (changes_arguments, ConfigurationError, r"'1.a': expected float32 \(12,\), the file has float32 \(6,\)"),
        (
            lambda: cr.Network(cr.Linear(2, 3), type("Linear", (cr.Layer,), {})()),
            ConfigurationError,
            "two classes are called Linear",
        ),
        (lambda: type("Mine", (cr.Network,), {})(cr.Linear(2, 3)), ConfigurationError, "else than a Network"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(make, error, words, tmp_path):
    with pytest.raises(error, match=words):
        cr.save(make(), tmp_path / "a")
    assert os.listdir(tmp_path) == []


if __name__ == "__main__":
    cr.save(golden_network(), GOLDEN)
    double = golden_network().astype("float64")
    print(double([[1, 2, 3], [-4, 0, 8], [0.5, 0.25, -1]]).tolist())
