"""Lesson 003: its activations, loss, neuron, layer and network, as they stand there."""

import numpy as np


def add_dimension_optional(arr):
    new_arr = arr
    if new_arr.ndim == 1:
        new_arr = arr[:, None]
    return new_arr


class Identity:
    def forward(self, x):
        return x

    def backward(self, x):
        return np.ones_like(x)


class Sigmoid:
    def forward(self, x):
        return 1 / (1 + np.exp(-x))

    def backward(self, x):
        f = self.forward(x)
        return f * (1 - f)


class MSE:
    def forward(self, y_pred, y):
        return np.mean((y_pred - y) ** 2)

    def backward(self, y_pred, y):
        return 2 * (y_pred - y)


class Neuron:
    def __init__(self, n_inputs, activation=Identity()):
        self.activation = activation
        self.w = 0.1 * np.random.randn(n_inputs).reshape(n_inputs, -1)
        self.b = 1.0
        self.z = None
        self.db = None
        self.dw = None

    def forward(self, x):
        # Linear part + activation
        self.z = np.dot(x, self.w) + self.b
        a = self.activation.forward(self.z)
        return a

    def backward(self, da, a_prev):
        da = add_dimension_optional(da)
        dz = da * self.activation.backward(self.z)

        # Gradients
        self.dw = np.dot(a_prev.T, dz)
        self.db = np.sum(dz, axis=0, keepdims=True)

        # Gradient for previous layer
        da_prev = np.dot(dz, self.w.T)
        return da_prev

    def step(self, l_r):
        # Gradient descent update
        self.w -= l_r * self.dw
        self.b -= l_r * self.db


class Layer:
    def __init__(self, n_inputs, n_neurons, activation=Identity()):
        self.neurons = [Neuron(n_inputs, activation) for _ in range(n_neurons)]
        self.A = None  # layer activations

    def forward(self, x):
        self.A = np.column_stack([n.forward(x) for n in self.neurons])
        return self.A

    def backward(self, da, a_prev):
        da_prev = np.array([n.backward(da[:, i], a_prev) for i, n in enumerate(self.neurons)])
        da_prev = np.sum(da_prev, axis=0)
        return da_prev

    def step(self, l_r):
        for n in self.neurons:
            n.step(l_r)


class NeuralNetwork:
    def __init__(self, layer_sizes, activation=Identity()):
        self.layers = []
        self._init_layers(layer_sizes, activation)

    def _init_layers(self, layer_sizes, activation):
        for n_in, n_out in zip(layer_sizes[:-1], layer_sizes[1:]):
            self.layers.append(Layer(n_in, n_out, activation))

    def forward(self, x):
        out = x
        for layer in self.layers:
            out = layer.forward(out)
        return out

    def backward(self, X, da):
        grad = da
        for i, layer in reversed(list(enumerate(self.layers))):
            a_prev = X if i == 0 else self.layers[i - 1].A
            grad = layer.backward(grad, a_prev)
        return grad

    def step(self, l_r):
        for layer in self.layers:
            layer.step(l_r)

    def predict(self, x):
        return self.forward(x)
