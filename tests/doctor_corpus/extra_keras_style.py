"""Layers as small frameworks of one's own have them: Parameter objects, kernels, activations by name."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, of_layer


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = np.zeros_like(data)


class Module:
    def parameters(self):
        return [p for p in vars(self).values() if isinstance(p, Parameter)]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = np.zeros_like(p.data)


class Linear(Module):
    """PyTorch's layout: weight is (out, in)."""

    def __init__(self, in_features, out_features):
        self.weight = Parameter(normal(1, out_features, in_features))
        self.bias = Parameter(normal(2, out_features))

    def forward(self, input):
        self.saved = input
        return input @ self.weight.data.T + self.bias.data

    def backward(self, grad_output):
        self.weight.grad += grad_output.T @ self.saved
        self.bias.grad += grad_output.sum(0)
        return grad_output @ self.weight.data


def module(layer, n=7, d=5):
    x = normal(3, n, d)
    dy = normal(4, *layer.forward(x).shape)

    def gradients():
        layer.zero_grad()
        layer.forward(x)
        return [layer.backward(dy.copy()), *(p.grad for p in layer.parameters())]

    places = [x, *(p.data for p in layer.parameters())]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, places)


@case(RIGHT)
def parameter_objects_linear():
    return module(Linear(5, 3))


@case(RIGHT)
def parameter_objects_linear_of_two_rows():
    return module(Linear(2, 2), n=2, d=2)


@case(RIGHT)
def parameter_objects_linear_square():
    return module(Linear(4, 4), n=4, d=4)


@case(WRONG, "transposed")
def parameter_objects_weight_grad_is_turned():
    class Wrong(Linear):
        def backward(self, grad_output):
            dx = super().backward(grad_output)
            self.weight.grad = self.saved.T @ grad_output
            return dx

    return module(Wrong(4, 4), n=7, d=4)


@case(WRONG, "transposed")
def parameter_objects_dx_through_the_turned_weight():
    class Wrong(Linear):
        def backward(self, grad_output):
            super().backward(grad_output)
            return grad_output @ self.weight.data.T

    return module(Wrong(3, 3), n=5, d=3)


@case(WRONG, "bias-axis")
def parameter_objects_bias_summed_over_axis_1():
    class Wrong(Linear):
        def backward(self, grad_output):
            dx = super().backward(grad_output)
            self.bias.grad = grad_output.sum(1)
            return dx

    return module(Wrong(6, 5), n=5, d=6)


@case(WRONG, "bias-axis")
def parameter_objects_bias_gets_the_last_row():
    class Wrong(Linear):
        def backward(self, grad_output):
            dx = super().backward(grad_output)
            for row in grad_output:
                self.bias.grad = row.copy()
            return dx

    return module(Wrong(5, 3))


@case(WRONG, "mean-for-sum")
def parameter_objects_weight_grad_is_averaged():
    class Wrong(Linear):
        def backward(self, grad_output):
            dx = super().backward(grad_output)
            self.weight.grad = self.weight.grad / len(grad_output)
            return dx

    return module(Wrong(5, 3))


@case(WRONG, "input-gradient")
def parameter_objects_dx_is_averaged():
    class Wrong(Linear):
        def backward(self, grad_output):
            return super().backward(grad_output) / grad_output.shape[0]

    return module(Wrong(5, 3))


@case(WRONG, "input-gradient")
def parameter_objects_dx_is_summed_over_the_rows():
    class Wrong(Linear):
        def backward(self, grad_output):
            return super().backward(grad_output).sum(axis=0)

    return module(Wrong(5, 3))


@case(WRONG, "accumulated")
def parameter_objects_that_nobody_clears():
    class Wrong(Linear):
        def zero_grad(self):
            pass

    return module(Wrong(5, 3))


# Dense with an activation by name -------------------------------------------------------------------------------------


class Dense:
    """kernel is (in, out); the activation is a pair of functions."""

    def __init__(self, units, activation, derivative, input_dim=5):
        self.kernel = 0.5 * normal(5, input_dim, units)
        self.bias = normal(6, units)
        self.activation, self.derivative = activation, derivative
        self.kernel_grad = self.bias_grad = None

    def call(self, inputs):
        self.inputs = inputs
        self.pre = np.dot(inputs, self.kernel) + self.bias
        self.outputs = self.activation(self.pre)
        return self.outputs

    __call__ = call

    def slope(self):
        return self.derivative(self.pre)

    def backward(self, output_grad):
        grad = output_grad * self.slope()
        self.kernel_grad = np.dot(self.inputs.T, grad)
        self.bias_grad = grad.sum(axis=0)
        return np.dot(grad, self.kernel.T)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_derivative(z):
    return sigmoid(z) * (1 - sigmoid(z))


def gelu(z):
    return 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))


def gelu_derivative(z):
    t = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)


def dense(layer, n=7):
    x = normal(7, n, layer.kernel.shape[0])
    dy = normal(8, n, layer.kernel.shape[1])

    def gradients():
        layer(x)
        return [layer.backward(dy), layer.kernel_grad, layer.bias_grad]

    places = [x, layer.kernel, layer.bias]
    return (layer,), {"x": x}, Evidence(lambda: (layer(x) * dy).sum(), gradients, places)


@case(RIGHT)
def keras_dense_sigmoid():
    return dense(Dense(3, sigmoid, sigmoid_derivative))


@case(RIGHT)
def keras_dense_gelu():
    return dense(Dense(3, gelu, gelu_derivative))


@case(WRONG, "extra-derivative")
def keras_dense_with_the_slope_squared():
    return dense(Dense(3, sigmoid, lambda z: sigmoid_derivative(z) ** 2))


@case(WRONG, "at-output")
def keras_dense_with_the_slope_at_the_outputs():
    class Wrong(Dense):
        def slope(self):
            return self.derivative(self.outputs)

    return dense(Wrong(3, sigmoid, sigmoid_derivative))


@case(WRONG, "at-input")
def keras_dense_tanh_with_one_minus_z_squared():
    return dense(Dense(3, np.tanh, lambda z: 1 - z**2))


@case(WRONG, "missing-derivative")
def keras_dense_gelu_passes_the_gradient():
    return dense(Dense(3, gelu, np.ones_like))


@case(WRONG, "wrong-input")
def keras_dense_kernel_grad_from_its_own_outputs():
    class Wrong(Dense):
        def backward(self, output_grad):
            dx = super().backward(output_grad)
            self.kernel_grad = self.outputs.T @ (output_grad * self.slope())
            return dx

    return dense(Wrong(5, sigmoid, sigmoid_derivative))


@case(BESIDE, "beside-loss")
def parameter_objects_average_for_a_loss_that_sums():
    class Averaging(Linear):
        def backward(self, grad_output):
            dx = super().backward(grad_output)
            self.weight.grad /= len(grad_output)
            self.bias.grad /= len(grad_output)
            return dx

    args, kwargs, alone = module(Averaging(5, 3))
    layer, x, y = args[0], kwargs["x"], labels(9, 7, 3)
    n = len(y)

    def loss():
        z = layer.forward(x)
        return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(n), y])

    def gradients():
        layer.zero_grad()
        z = layer.forward(x)
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        p[np.arange(n), y] -= 1
        layer.backward(p)
        return [layer.weight.grad, layer.bias.grad]

    return args, kwargs, alone, Evidence(loss, gradients, [layer.weight.data, layer.bias.data])


@case(RIGHT)
def flatten_object():
    class Flatten:
        def forward(self, x):
            self.shape = x.shape
            return x.reshape(len(x), -1)

        def backward(self, dy):
            return dy.reshape(self.shape)

    layer, x = Flatten(), normal(9, 3, 2, 5)
    return (layer,), {"x": x}, of_layer(layer, x)
