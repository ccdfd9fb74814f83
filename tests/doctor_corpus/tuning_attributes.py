"""Gradients that lie on the object: dinputs beside inputs, lists beside lists; and a mode that is a word."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal, of_layer


class Layer_Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.1 * normal(1, n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases
        return self.output

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


class Activation_ReLU:
    def forward(self, inputs):
        self.inputs = inputs
        self.output = np.maximum(0, inputs)
        return self.output

    def backward(self, dvalues):
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


def on_itself(layer, x, *names):
    dvalues = normal(2, *layer.forward(x).shape)

    def gradients():
        layer.forward(x)
        layer.backward(dvalues)
        return [getattr(layer, "d" + name) for name in ("inputs", *names)]

    places = [x, *((layer, name) for name in names)]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dvalues).sum(), gradients, places)


@case(RIGHT)
def dense_with_dinputs():
    return on_itself(Layer_Dense(5, 3), normal(3, 7, 5), "weights", "biases")


@case(RIGHT)
def relu_with_dinputs():
    return on_itself(Activation_ReLU(), normal(4, 7, 5))


@case(WRONG, "missing-derivative")
def relu_with_dinputs_forgets_its_mask():
    class Wrong(Activation_ReLU):
        def backward(self, dvalues):
            self.dinputs = dvalues.copy()

    return on_itself(Wrong(), normal(4, 7, 5))


class ListNetwork:
    """Sigmoids all the way; half squares averaged over the rows."""

    def __init__(self, sizes):
        self.weights = [normal(i, n_in, n_out) for i, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:]))]
        self.biases = [normal(i + 9, 1, n_out) for i, n_out in enumerate(sizes[1:])]

    def forward(self, x):
        self.activations = [x]
        for w, b in zip(self.weights, self.biases):
            x = 1 / (1 + np.exp(-(x @ w + b)))
            self.activations.append(x)
        return x

    def cost(self, a, y):
        return np.sum((a - y) ** 2) / (2 * len(y))

    def backward(self, x, y):
        a = self.activations
        delta = (a[-1] - y) / len(y) * a[-1] * (1 - a[-1])
        self.grad_weights = [None] * len(self.weights)
        self.grad_biases = [None] * len(self.biases)
        for i in reversed(range(len(self.weights))):
            self.grad_weights[i] = a[i].T @ delta
            self.grad_biases[i] = delta.sum(axis=0, keepdims=True)
            if i > 0:
                delta = self.through(delta @ self.weights[i].T, a[i])

    def through(self, d, a):
        return d * a * (1 - a)


def lists(net):
    X, y = normal(21, 11, 3), normal(22, 11, 2)

    def gradients():
        net.forward(X)
        net.backward(X, y)
        return [*net.grad_weights, *net.grad_biases]

    evidence = Evidence(lambda: net.cost(net.forward(X), y), gradients, [*net.weights, *net.biases], kept=[X, y])
    return (net,), {"x": X, "y": y}, evidence


@case(RIGHT)
def list_network():
    return lists(ListNetwork([3, 7, 5, 2]))


@case(WRONG, "at-output")
def list_network_takes_the_slope_of_a_for_the_slope_of_z():
    def sigmoid_prime(z):
        s = 1 / (1 + np.exp(-z))
        return s * (1 - s)

    class Wrong(ListNetwork):
        def through(self, d, a):
            return d * sigmoid_prime(a)

    return lists(Wrong([3, 7, 5, 2]))


class BatchNormalization:
    """`mode` is "train" or "test", as in an assignment that many have done."""

    def __init__(self, D, momentum=0.9):
        self.gamma, self.beta = np.ones(D), np.zeros(D)
        self.momentum = momentum
        self.running_mean, self.running_var = np.zeros(D), np.ones(D)

    def forward(self, x, mode="train"):
        if mode == "train":
            mu, var = x.mean(axis=0), x.var(axis=0)
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mu
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        elif mode == "test":
            mu, var = self.running_mean, self.running_var
        else:
            raise ValueError("mode is train or test")
        self.ivar = 1 / np.sqrt(var + 1e-5)
        self.xhat = (x - mu) * self.ivar
        return self.gamma * self.xhat + self.beta

    def backward(self, dout):
        N = dout.shape[0]
        self.dgamma = np.sum(dout * self.xhat, axis=0)
        self.dbeta = np.sum(dout, axis=0)
        dxhat = dout * self.gamma
        return self.ivar / N * (N * dxhat - dxhat.sum(axis=0) - self.xhat * np.sum(dxhat * self.xhat, axis=0))


@case(RIGHT)
def batchnorm_whose_mode_is_a_word():
    layer, x = BatchNormalization(5), normal(31, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "gamma dgamma", "beta dbeta")


@case(WRONG, "norm-terms")
def batchnorm_whose_mode_is_a_word_misses_the_variance():
    class Wrong(BatchNormalization):
        def backward(self, dout):
            super().backward(dout)
            dxhat = dout * self.gamma
            return self.ivar * (dxhat - dxhat.mean(axis=0))

    layer, x = Wrong(5), normal(31, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "gamma dgamma", "beta dbeta")
