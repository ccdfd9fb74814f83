"""Layer objects as beginners keep them: caches, gradient lists, updates inside backward, one object used twice."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, normal, of_layer


class FullyConnected:
    def __init__(self, n_in, n_out):
        self.W = normal(201, n_in, n_out) * 0.5
        self.b = normal(202, n_out) * 0.1

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad_output):
        self.dW = self.x.T @ grad_output
        self.db = grad_output.sum(axis=0)
        return grad_output @ self.W.T


def connected(layer, seed=203, shape=(9, 4), **options):
    x = normal(seed, *shape)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db", **options)


@case(RIGHT)
def blind_connected():
    return connected(FullyConnected(4, 6))


@case(RIGHT)
def blind_connected_square():
    return connected(FullyConnected(4, 4), shape=(4, 4))


@case(WRONG, "transposed")
def blind_connected_square_dw_is_turned():
    class Wrong(FullyConnected):
        def backward(self, grad_output):
            dx = super().backward(grad_output)
            self.dW = grad_output.T @ self.x
            return dx

    return connected(Wrong(5, 5), shape=(8, 5))


@case(RIGHT)
def blind_connected_in_float32():
    class Float32(FullyConnected):
        def __init__(self, n_in, n_out):
            super().__init__(n_in, n_out)
            self.W, self.b = self.W.astype(np.float32), self.b.astype(np.float32)

    x = normal(204, 6, 4).astype(np.float32)
    layer = Float32(4, 3)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db", h=1e-2, tolerance=1e-3)


@case(WRONG, "accumulated")
def blind_connected_adds_up_from_init():
    class Wrong(FullyConnected):
        def __init__(self, n_in, n_out):
            super().__init__(n_in, n_out)
            self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

        def backward(self, grad_output):
            self.dW += self.x.T @ grad_output
            self.db += grad_output.sum(axis=0)
            return grad_output @ self.W.T

    return connected(Wrong(4, 6))


@case(RIGHT)
def blind_connected_adds_up_but_can_be_zeroed():
    class Zeroed(FullyConnected):
        def __init__(self, n_in, n_out):
            super().__init__(n_in, n_out)
            self.zero_grad()

        def zero_grad(self):
            self.dW, self.db = np.zeros_like(self.W), np.zeros_like(self.b)

        def backward(self, grad_output):
            self.dW += self.x.T @ grad_output
            self.db += grad_output.sum(axis=0)
            return grad_output @ self.W.T

    layer, x = Zeroed(4, 6), normal(203, 9, 4)
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db", prepare=layer.zero_grad)


@case(WRONG, "accumulated")
def blind_connected_appends_to_a_running_sum_of_db():
    class Wrong(FullyConnected):
        db = 0

        def backward(self, grad_output):
            self.dW = self.x.T @ grad_output
            self.db = self.db + grad_output.sum(axis=0)
            return grad_output @ self.W.T

    return connected(Wrong(3, 5), shape=(8, 3))


@case(BESIDE, "beside-loss")
def blind_connected_averages_by_itself():
    class Averages(FullyConnected):
        def backward(self, grad_output):
            n = len(self.x)
            self.dW = self.x.T @ grad_output / n
            self.db = grad_output.sum(axis=0) / n
            return grad_output @ self.W.T

    layer, x = Averages(4, 6), normal(203, 9, 4)
    y = normal(205, 9, 6)

    def gradients():
        out = layer.forward(x)
        layer.backward(2 * (out - y))  # not divided: the layer does that
        return [layer.dW, layer.db]

    def loss():
        return np.sum((layer.forward(x) - y) ** 2) / len(x)

    together = Evidence(loss, gradients, [(layer, "W"), (layer, "b")])
    return (layer,), {"x": x}, of_layer(layer, x, "W dW", "b db"), together


@case(WRONG, "updated-first")
def blind_connected_learns_before_it_answers():
    class Wrong(FullyConnected):
        def backward(self, grad_output):
            self.dW = self.x.T @ grad_output
            self.db = grad_output.sum(axis=0)
            self.W -= 0.05 * self.dW
            self.b -= 0.05 * self.db
            return np.dot(grad_output, self.W.T)

    return connected(Wrong(4, 3))


class Updating:
    """backward takes the rate and updates at once."""

    def __init__(self, n_in, n_out):
        self.weights, self.bias = normal(211, n_in, n_out), normal(212, 1, n_out)

    def forward(self, input):
        self.input = input
        return np.dot(input, self.weights) + self.bias

    def backward(self, output_error, learning_rate):
        input_error = np.dot(output_error, self.weights.T)
        weights_error = np.dot(self.input.T, output_error)
        self.weights = self.weights - learning_rate * weights_error
        self.bias = self.bias - learning_rate * output_error.sum(axis=0, keepdims=True)
        return input_error


def updating(kind):
    layer, x = kind(4, 3), normal(213, 7, 4)
    dy = normal(214, 7, 3)

    def gradients():
        layer.forward(x)
        W, b = layer.weights.copy(), layer.bias.copy()
        dx = layer.backward(dy, 0.1)
        dW, db = (W - layer.weights) / 0.1, (b - layer.bias) / 0.1
        layer.weights, layer.bias = W, b
        return [dx, dW, db]

    places = [x, (layer, "weights"), (layer, "bias")]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, places)


@case(RIGHT)
def blind_updating_layer():
    return updating(Updating)


@case(WRONG, "updated-first")
def blind_updating_layer_uses_the_new_weights():
    class Wrong(Updating):
        def backward(self, output_error, learning_rate):
            super().backward(output_error, learning_rate)
            return np.dot(output_error, self.weights.T)

    return updating(Wrong)


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, grad):
        return grad * (1 - self.out**2)


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, grad):
        return grad * (self.x > 0)


class Sequential:
    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad


def chain(kind, *layers, shape=(8, 4), seed=221):
    net, x = kind(*layers), normal(seed, *shape)
    dy = normal(222, *net.forward(x).shape)
    weighted = [layer for layer in net.layers if hasattr(layer, "W")]

    def gradients():
        net.forward(x)
        return [net.backward(dy.copy()), *(g for layer in weighted for g in (layer.dW, layer.db))]

    places = [x, *((layer, name) for layer in weighted for name in ("W", "b"))]
    return (net,), {"x": x}, Evidence(lambda: (net.forward(x) * dy).sum(), gradients, places)


@case(RIGHT)
def blind_sequential():
    return chain(Sequential, FullyConnected(4, 5), Tanh(), FullyConnected(5, 3), ReLU(), FullyConnected(3, 2))


@case(WRONG, "cache-overwritten")
def blind_sequential_shares_one_tanh():
    tanh = Tanh()
    return chain(Sequential, FullyConnected(4, 4), tanh, FullyConnected(4, 4), tanh)


@case(WRONG, "cache-overwritten")
def blind_tied_layer_used_twice():
    layer = FullyConnected(4, 4)

    class Twice(Sequential):
        def forward(self, x):
            return layer.forward(np.tanh(layer.forward(x)))

        def backward(self, grad):
            hidden = np.tanh(layer.x)
            grad = layer.backward(grad)
            dW, db = layer.dW, layer.db
            grad = layer.backward(grad * (1 - hidden**2))
            layer.dW, layer.db = layer.dW + dW, layer.db + db
            return grad

    return chain(Twice, layer)


@case(WRONG, "missing-derivative")
def blind_sequential_skips_the_activations():
    class Wrong(Sequential):
        def backward(self, grad):
            for layer in reversed(self.layers):
                if hasattr(layer, "W"):
                    grad = layer.backward(grad)
            return grad

    return chain(Wrong, FullyConnected(4, 5), Tanh(), FullyConnected(5, 3))
