"""Layers whose caller holds the cache, with `parameters` and `gradients` in dictionaries; activations in one table."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, normal


class FullyConnected:
    def __init__(self, fan_in, fan_out, seed=100):
        g = np.random.default_rng(seed)
        self.parameters = {"kernel": g.normal(0, 1, (fan_out, fan_in)), "offset": g.normal(0, 1, (1, fan_out))}
        self.gradients = {}

    def forward(self, inputs):
        flat = inputs.reshape(len(inputs), -1)
        return flat @ self.parameters["kernel"].T + self.parameters["offset"], (inputs.shape, flat)

    def backward(self, upstream, cache):
        shape, flat = cache
        self.gradients["kernel"] = self.kernel_gradient(upstream, flat)
        self.gradients["offset"] = self.offset_gradient(upstream)
        return self.to_inputs(upstream, shape)

    def kernel_gradient(self, upstream, flat):
        return np.einsum("no,ni->oi", upstream, flat)

    def offset_gradient(self, upstream):
        return upstream.sum(0, keepdims=True)

    def to_inputs(self, upstream, shape):
        return (upstream @ self.parameters["kernel"]).reshape(shape)


def block(layer, *shape, given=None):
    x = normal(101, *shape) if given is None else given
    up = normal(102, *layer.forward(x)[0].shape)

    def gradients():
        cache = layer.forward(x)[1]
        dx = layer.backward(up.copy(), cache)
        return [dx, *(layer.gradients[name] for name in getattr(layer, "parameters", {}))]

    places = [x, *((layer.parameters, name) for name in getattr(layer, "parameters", {}))]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x)[0] * up).sum(), gradients, places)


@case(RIGHT)
def fully_connected():
    return block(FullyConnected(7, 2), 5, 7)


@case(RIGHT)
def fully_connected_on_maps():
    return block(FullyConnected(12, 5), 3, 2, 3, 2)


@case(RIGHT)
def fully_connected_square():
    return block(FullyConnected(4, 4), 4, 4)


@case(RIGHT)
def fully_connected_to_one_output():
    return block(FullyConnected(3, 1), 13, 3)


@case(WRONG, "transposed")
def fully_connected_sends_back_through_the_kernel_the_wrong_way_round():
    class Faulty(FullyConnected):
        def to_inputs(self, upstream, shape):
            return np.matmul(upstream, self.parameters["kernel"].T)

    return block(Faulty(7, 7), 7, 7)


@case(WRONG, "bias-axis")
def fully_connected_offset_summed_over_units():
    class Faulty(FullyConnected):
        def offset_gradient(self, upstream):
            return upstream.sum(1).reshape(1, -1)

    return block(Faulty(5, 5), 5, 5)


@case(WRONG, "input-gradient")
def fully_connected_returns_dx_flat():
    class Faulty(FullyConnected):
        def to_inputs(self, upstream, shape):
            return upstream @ self.parameters["kernel"]

    return block(Faulty(6, 5), 3, 2, 3)


@case(WRONG, "input-gradient")
def fully_connected_dx_divided_by_the_batch():
    class Faulty(FullyConnected):
        def to_inputs(self, upstream, shape):
            n = shape[0]
            return super().to_inputs(upstream, shape) * (1.0 / n)

    return block(Faulty(3, 2), 11, 3)


@case(WRONG, "accumulated")
def fully_connected_kernel_gradient_piles_up():
    class Faulty(FullyConnected):
        def kernel_gradient(self, upstream, flat):
            return self.gradients.get("kernel", 0) + super().kernel_gradient(upstream, flat)

    return block(Faulty(7, 3), 5, 7)


@case(WRONG, "raised")
def fully_connected_misspells_a_key():
    class Faulty(FullyConnected):
        def to_inputs(self, upstream, shape):
            return upstream @ self.parameters["kernal"]

    return block(Faulty(7, 3), 5, 7)


@case(WRONG, "factor")
def fully_connected_has_a_minus_for_descent():
    class Faulty(FullyConnected):
        def backward(self, upstream, cache):
            dx = super().backward(upstream, cache)
            self.gradients = {name: -gradient for name, gradient in self.gradients.items()}
            return -dx

    return block(Faulty(5, 2), 7, 5)


class Averaged(FullyConnected):
    def kernel_gradient(self, upstream, flat):
        return super().kernel_gradient(upstream, flat) / len(upstream)

    def offset_gradient(self, upstream):
        return upstream.mean(0, keepdims=True)


@case(BESIDE, "beside-loss")
def fully_connected_takes_means():
    args, kwargs, alone = block(Averaged(5, 3), 11, 5)
    layer, x = args[0], kwargs["x"]
    target = normal(103, 11, 3)

    def gradients():
        y, cache = layer.forward(x)
        layer.backward(y - target, cache)  # its own loss: half the squares of a row, the mean left to the layer
        return [layer.gradients["kernel"], layer.gradients["offset"]]

    def value():
        return 0.5 * ((layer.forward(x)[0] - target) ** 2).sum(1).mean()

    return args, kwargs, alone, Evidence(value, gradients, alone.places[1:])


# Activations ----------------------------------------------------------------------------------------------------------


def softplus(v):
    return np.log1p(np.exp(-np.abs(v))) + np.maximum(v, 0)


def logistic(v):
    return 0.5 * (1 + np.tanh(v / 2))


class Activation:
    """`derivative(v, f)` may use the input, the output, or both."""

    def __init__(self, function, derivative):
        self.function, self.derivative = function, derivative

    def forward(self, v):
        f = self.function(v)
        return f, (v, f)

    def backward(self, upstream, cache):
        return upstream * self.derivative(*cache)


@case(RIGHT)
def activation_softplus():
    return block(Activation(softplus, lambda v, f: logistic(v)), 7, 3)


@case(RIGHT)
def activation_silu():
    def derivative(v, f):
        s = logistic(v)
        return s + f * (1 - s)

    return block(Activation(lambda v: v * logistic(v), derivative), 5, 5)


@case(RIGHT)
def activation_hard_tanh_with_values_at_its_corner():
    v = normal(104, 7, 3)
    v[0], v[3, 1] = 1, 1
    return block(Activation(lambda v: np.clip(v, -1, 1), lambda v, f: np.abs(v) < 1), given=v)


@case(WRONG, "at-output")
def activation_softplus_slope_of_its_output():
    return block(Activation(softplus, lambda v, f: logistic(f)), 7, 3)


@case(WRONG, "at-input")
def activation_tanh_slope_one_minus_input_squared():
    return block(Activation(np.tanh, lambda v, f: 1 - v**2), 7, 3)


@case(WRONG, "missing-derivative")
def activation_tanh_passes_upstream_on():
    return block(Activation(np.tanh, lambda v, f: np.ones_like(v)), 7, 3)


@case(WRONG, "extra-derivative")
def activation_logistic_slope_squared():
    return block(Activation(logistic, lambda v, f: (f - f * f) ** 2), 7, 3)


@case(WRONG, "unknown")
def activation_elu_slope_is_a_constant_below_zero():
    return block(Activation(lambda v: np.where(v > 0, v, np.expm1(v)), lambda v, f: np.where(v > 0, 1, 0.37)), 7, 3)


class LeakyReLU:
    def __init__(self, leak=0.2):
        self.leak = leak
        self.slopes = None

    def forward(self, v):
        self.slopes = np.where(v < 0, self.leak, 1.0)
        return v * self.slopes, None

    def backward(self, upstream, cache):
        return upstream * self.slopes


@case(RIGHT)
def leaky_relu_that_keeps_slopes():
    v = normal(105, 3, 7)
    v[1] = 0
    return block(LeakyReLU(), given=v)


@case(WRONG, "wrong-mask")
def leaky_relu_slopes_of_the_first_batch():
    class Faulty(LeakyReLU):
        def forward(self, v):
            if self.slopes is None:
                return super().forward(v)
            return np.where(v < 0, self.leak * v, v), None

    layer = Faulty()
    layer.forward(normal(106, 5, 3))
    return block(layer, 5, 3)


@case(WRONG, "overwritten")
def relu_with_out_into_its_input():
    class InPlace:
        def forward(self, v):
            positive = v > 0
            return np.maximum(v, 0, out=v), positive

        def backward(self, upstream, cache):
            return upstream * cache

    x = normal(107, 7, 5)
    up = normal(108, 7, 5)
    layer = InPlace()

    def gradients():
        _, cache = layer.forward(x)
        return [layer.backward(up, cache)]

    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x)[0] * up).sum(), gradients, [x])
