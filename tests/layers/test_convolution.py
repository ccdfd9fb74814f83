"""Conv2D by its definition, the sizes of its outputs, and what it says to images that do not fit."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.layers import convolution
from chainrule.layers.patches import Window


def built(layer, *in_shape):
    return layer.build(in_shape, np.random.default_rng(0))


def test_each_output_is_the_kernel_laid_on_one_patch():
    network = cr.Network(cr.Conv2D(3, 2, (2, 3), stride=(1, 2), bias=0.5), in_shape=(4, 7, 3), dtype="float64")
    (layer,), x = network.layers, np.random.default_rng(1).standard_normal((2, 4, 7, 3))
    y = layer(x)
    assert y.shape == (2, 3, 3, 2)
    for n, i, j, f in np.ndindex(y.shape):
        assert y[n, i, j, f] == pytest.approx((x[n, i : i + 2, 2 * j : 2 * j + 3] * layer.W[..., f]).sum() + 0.5)


def test_a_window_of_one_pixel_is_a_linear_layer_on_every_pixel():
    layer, x = cr.Conv2D(3, 2, 1), np.random.default_rng(1).standard_normal((2, 4, 5, 3))
    built(layer, 4, 5, 3)
    np.testing.assert_allclose(layer(x), x @ layer.W[0, 0] + layer.b, rtol=1e-12)


def test_a_shifted_image_gives_a_shifted_answer():
    layer, x = cr.Conv2D(2, 3), np.random.default_rng(1).standard_normal((1, 8, 8, 2))
    built(layer, 8, 8, 2)
    np.testing.assert_allclose(layer(x[:, 1:, 2:]), layer(x)[:, 1:, 2:], rtol=1e-12)


def test_groups_do_not_see_each_other():
    layer, x = cr.Conv2D(4, 6, groups=2), np.random.default_rng(1).standard_normal((1, 5, 5, 4))
    built(layer, 5, 5, 4)
    other = x.copy()
    other[..., 2:] += 1
    unchanged = (layer(x) == layer(other)).all(axis=(0, 1, 2))
    assert unchanged.tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("F", [2, 16])  # few enough to be gathered at stride 1, and too many for that
@pytest.mark.parametrize(
    "window",
    [
        Window((3, 2), padding=((1, 0), (0, 1))),
        Window((3, 2), dilation=(2, 1)),
        Window((2, 1), padding=((0, 0), (1, 0))),  # more padding than a window of one column can be framed with
        Window((3, 2), stride=(2, 1), padding=((1, 1), (0, 1))),
    ],
)
def test_scatter_is_the_adjoint_of_correlate(window, F, groups):
    rng, shape = np.random.default_rng(0), (3, 7, 6, 4)
    x, W = rng.standard_normal(shape), rng.standard_normal((*window.size, 4 // groups, F))
    y = convolution.correlate(x, W, window, groups)
    dy = rng.standard_normal(y.shape)
    dx = convolution.scatter(dy, W, shape, window, groups)
    assert np.vdot(y, dy) == pytest.approx(np.vdot(x, dx), rel=1e-12)


SIZES = {  # arguments after the channels -> what becomes of 7 x 10
    "": (5, 8),
    "(2, 5)": (6, 6),
    "stride=2": (3, 4),
    "padding='same'": (7, 10),
    "padding='same', stride=(2, 3)": (4, 4),
    "padding='same', dilation=4": (7, 10),
    "padding=(2, 0)": (9, 8),
    "dilation=(3, 2)": (1, 6),
    "kernel_size=(7, 10)": (1, 1),
    "1, stride=10": (1, 1),
}


@pytest.mark.parametrize("arguments", SIZES)
def test_the_size_of_the_output_is_known_when_it_is_built(arguments):
    layer = eval(f"cr.Conv2D(3, 5, {arguments})")
    assert built(layer, 7, 10, 3) == (*SIZES[arguments], 5)
    assert layer(np.zeros((2, 7, 10, 3))).shape == (2, *SIZES[arguments], 5)


def test_the_starting_weights_know_how_many_inputs_each_output_has():
    layer = cr.Conv2D(32, 64, 5, groups=4)
    built(layer, 9, 9, 32)
    assert layer.W.shape == (5, 5, 8, 64)
    assert layer.W.var() * 5 * 5 * 8 == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("block", [1, 400, 1000, 1 << 30])
def test_how_many_images_are_worked_on_at_a_time_changes_nothing_but_rounding(block, monkeypatch):
    network = cr.Network(cr.Conv2D(2, 4, groups=2), in_shape=(6, 5, 2), dtype="float64")
    (layer,), rng = network.layers, np.random.default_rng(1)
    x, dy = rng.standard_normal((7, 6, 5, 2)), rng.standard_normal((7, 4, 3, 4))

    def everything():
        y, cache = layer.forward(x)
        return [y, layer.backward(dy, cache), network.grads.copy()]

    expected = everything()
    monkeypatch.setattr(convolution, "BLOCK", block)
    for ours, other in zip(everything(), expected, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-11, atol=1e-13)


def test_a_network_with_images_learns_saves_and_explains(tmp_path):
    """Whether a stripe lies or stands, wherever it is."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = 0.1 * rng.standard_normal((200, 6, 6, 1))
    for image, standing, at in zip(x, y, rng.integers(0, 6, 200), strict=True):
        image[(slice(None), at) if standing else (at,)] += 1
    network = cr.Network(
        cr.Conv2D(1, 4, padding="same"), cr.BatchNorm(), cr.ReLU(), cr.MaxPool2D(), cr.Conv2D(4, 4), cr.ReLU(),
        cr.GlobalAvgPool2D(), cr.Linear(4, 2),
    )  # fmt: skip
    cr.Trainer(network, "cross_entropy", cr.Adam(0.02), batch_size=20).fit(x[:150], y[:150], epochs=10)
    assert network.accuracy(x[150:], y[150:]) > 0.95
    cr.save(network, tmp_path / "stripes.safetensors")
    np.testing.assert_array_equal(cr.load(tmp_path / "stripes.safetensors")(x), network(x))
    assert "Conv2D(1, 4, padding='same')" in network.summary()
    told = str(cr.explain(network, x[:1], y[:1]))
    assert "y = P W + b" in told and "GlobalAvgPool2D #6" in told


REFUSED = {  # code -> (shape of an example, words of the message)
    "cr.Conv2D(1, 8, 5)": (
        (4, 9, 1),
        ["Conv2D: a window of 5 x 5", "images of 4 x 9", "would be 0 x 5", "same"],
    ),
    "cr.Conv2D(1, 8, 3, dilation=4)": ((7, 9, 1), ["spread over 9 x 9", "images of 7 x 9"]),
    "cr.Conv2D(1, 8, 9, padding=1)": ((5, 5, 1), ["9 x 9", "with padding 1", "0 x 0"]),
    "cr.Conv2D(3, 8)": ((3, 9, 9), ["channels first", "x.transpose(0, 2, 3, 1)", "(N, H, W, 3)", "(N, 3, 9, 9)"]),
    "cr.Conv2D(3, 8) ": ((9, 9, 4), ["(3 -> 8)", "The layer before gives 4 channels"]),
    "cr.Conv2D(out_channels=8)": ((1, 9, 9), ["window of 3 x 3", "channels first", "x.transpose(0, 2, 3, 1)"]),
    "cr.Conv2D(1, 8)": ((9, 9), ["(N, H, W, C)", "(N, 9, 9)", "x[..., None]"]),
    "cr.Conv2D(1, 8) ": ((784,), ["(N, 784)", "Reshape(28, 28, 1)"]),
    "cr.Conv2D(out_channels=8, groups=2)": ((9, 9, 3), ["3 channels", "2 groups"]),
    "cr.MaxPool2D(4)": ((3, 9, 2), ["MaxPool2D: a window of 4 x 4", "output would be 0 x 2"]),
    "cr.AvgPool2D()": ((28, 28), ["AvgPool2D", "x[..., None]"]),
    "cr.GlobalAvgPool2D()": ((28,), ["GlobalAvgPool2D", "(N, 28)", "Reshape"]),
}


@pytest.mark.parametrize("code", REFUSED, ids=str.strip)
def test_images_that_do_not_fit_are_refused_with_the_size_and_the_way_out(code):
    in_shape, words = REFUSED[code]
    for use in (lambda layer: built(layer, *in_shape), lambda layer: cr.Network(layer, in_shape=in_shape)):
        with pytest.raises(cr.ShapeError) as refusal:
            use(eval(code))
        message = str(refusal.value).replace(" #0", "")
        assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize(
    ("layers", "advice"),
    [
        ([cr.Conv2D(1, 16, 5), cr.MaxPool2D(), cr.Conv2D(12, 32)], "The layer before gives 16 channels"),
        ([cr.Conv2D(1, 4, 5), cr.MaxPool2D(6), cr.Conv2D(4, 4, 5)], "Choose a smaller window"),
    ],
)
def test_what_the_layers_before_make_is_not_taken_for_images_with_the_channels_first(layers, advice):
    with pytest.raises(cr.ShapeError, match=advice) as refusal:
        cr.Network(*layers, in_shape=(28, 28, 1))
    assert "channels first" not in str(refusal.value)


@pytest.mark.parametrize("layer", [cr.Conv2D(1, 2), cr.AvgPool2D(), cr.MaxPool2D(padding="same"), cr.GlobalAvgPool2D()])
def test_a_layer_called_by_itself_takes_whole_numbers(layer):
    x = np.arange(2 * 5 * 5).reshape(2, 5, 5, 1)
    built(layer, 5, 5, 1)
    for whole in (x, x.astype(np.uint8)):
        np.testing.assert_array_equal(layer(whole), layer(x.astype(float)))


def test_a_linear_layer_that_misses_its_flatten_says_so():
    with pytest.raises(cr.ShapeError, match=r"received \(N, 26, 26, 8\)\. Put Flatten\(\) before it\."):
        cr.Network(cr.Conv2D(1, 8), cr.Linear(5408, 10), in_shape=(28, 28, 1))


WRONG = {
    "cr.Conv2D(3)": "both numbers of channels",
    "cr.Conv2D(0, 3)": "in_channels",
    "cr.Conv2D(1, 2.0)": "out_channels",
    "cr.Conv2D(1, 2, 0)": "kernel_size",
    "cr.Conv2D(1, 2, (3, 3, 3))": r"kernel_size must be .* pair",
    "cr.Conv2D(1, 2, stride=0)": "stride",
    "cr.Conv2D(1, 2, padding=-1)": "padding",
    "cr.Conv2D(1, 2, padding='full')": "'valid'.*'same'",
    "cr.Conv2D(1, 2, dilation=(1, 0))": "dilation",
    "cr.Conv2D(3, 4, groups=2)": "multiples of groups=2",
    "cr.Conv2D(4, 3, groups=2)": "multiples of groups=2",
    "cr.Conv2D(1, 2, initializer='hee')": "Did you mean 'he'",
    "cr.Conv2D(1, 2, kernel=3)": "unknown.*kernel_size",
}


@pytest.mark.parametrize("code", WRONG)
def test_arguments_that_make_no_sense_are_refused(code):
    with pytest.raises(cr.ConfigurationError, match=WRONG[code]):
        eval(code)
