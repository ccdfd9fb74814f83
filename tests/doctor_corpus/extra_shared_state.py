"""What one pass leaves for the next: sums that grow, caches shared, masks kept, arrays overwritten."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, of_layer, one_hot


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dy):
        return dy * (1 - self.out**2)


class Linear:
    def __init__(self, n_in, n_out, seed=1):
        self.w, self.b = normal(seed, n_in, n_out), normal(seed + 1, n_out)
        self.dw, self.db = np.zeros_like(self.w), np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dy):
        self.dw, self.db = self.x.T @ dy, dy.sum(0)
        return dy @ self.w.T


class Sequential:
    """backward(dy) returns dx; the parameters lie in the layers."""

    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def linears(self):
        return list(dict.fromkeys(layer for layer in self.layers if hasattr(layer, "w")))


def sequence(net, shape=(7, 5), clear=lambda: None):
    x = normal(3, *shape)
    dy = normal(4, *net.forward(x).shape)

    def gradients():
        clear()
        net.forward(x)
        dx = net.backward(dy)
        return [dx, *(g for layer in net.linears() for g in (layer.dw, layer.db))]

    places = [x, *(p for layer in net.linears() for p in (layer.w, layer.b))]
    return (net,), {"x": x}, Evidence(lambda: (net.forward(x) * dy).sum(), gradients, places)


@case(RIGHT)
def sequential_of_three():
    return sequence(Sequential(Linear(5, 4), Tanh(), Linear(4, 3, 7)))


@case(RIGHT)
def sequential_of_linears_alone():
    return sequence(Sequential(Linear(5, 4), Linear(4, 3, 7)))


@case(RIGHT)
def sequential_square():
    return sequence(Sequential(Linear(4, 4), Tanh(), Linear(4, 4, 7), Tanh()), (4, 4))


@case(WRONG, ("cache-overwritten", "wrong-mask"))
def sequential_with_one_tanh_twice():
    tanh = Tanh()
    return sequence(Sequential(Linear(5, 4), tanh, Linear(4, 4, 7), tanh, Linear(4, 3, 9)))


@case(WRONG, ("cache-overwritten", "unknown", "wrong-input"))
def sequential_with_one_linear_twice():
    linear = Linear(5, 5)
    return sequence(Sequential(linear, Tanh(), linear))


@case(WRONG, ("cache-overwritten", "wrong-mask"))
def layer_with_one_activation_for_two_branches():
    class Branches:
        def __init__(self):
            self.act = Tanh()
            self.u, self.v = normal(11, 5, 3), normal(12, 5, 3)

        def forward(self, x):
            self.x = x
            return self.act.forward(x @ self.u) + self.act.forward(x @ self.v)

        def backward(self, dy):
            dz = self.act.backward(dy)
            self.du, self.dv = self.x.T @ dz, self.x.T @ dz
            return dz @ self.u.T + dz @ self.v.T

    layer, x = Branches(), normal(13, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "u du", "v dv")


@case(WRONG, "accumulated")
def sequential_that_adds_up_in_its_biases():
    class Adding(Linear):
        def backward(self, dy):
            self.dw = self.x.T @ dy
            self.db = self.db + dy.sum(0)
            return dy @ self.w.T

    return sequence(Sequential(Adding(5, 4), Tanh(), Linear(4, 3, 7)))


@case(WRONG, "accumulated")
def gradients_in_a_list_that_grow():
    class Growing:
        def __init__(self):
            self.params = [normal(14, 5, 3), normal(15, 3)]
            self.grads = [np.zeros((5, 3)), np.zeros(3)]

        def forward(self, x):
            self.x = x
            return np.dot(x, self.params[0]) + self.params[1]

        def backward(self, dout):
            self.grads[0] += np.dot(self.x.T, dout)
            self.grads[1] += np.sum(dout, axis=0)
            return np.dot(dout, self.params[0].T)

    layer, x, dy = Growing(), normal(16, 7, 5), normal(17, 7, 3)

    def gradients():
        layer.forward(x)
        dx = layer.backward(dy)
        return [dx, *layer.grads]

    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, [x, *layer.params])


@case(WRONG, "overwritten")
def relu_in_place_on_its_input():
    class InPlace:
        def forward(self, x):
            x[x < 0] = 0
            self.y = x
            return x

        def backward(self, dy):
            return dy * (self.y > 0)

    layer, x, dy = InPlace(), normal(18, 7, 5), normal(19, 7, 5)

    def gradients():
        layer.forward(x)
        return [layer.backward(dy)]

    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * dy).sum(), gradients, [x])


@case(WRONG, "overwritten")
def weights_normalized_in_place_in_forward():
    class Unit(Linear):
        def forward(self, x):
            self.w /= np.linalg.norm(self.w)
            return super().forward(x)

    class Once(Sequential):
        pass

    net, x = Unit(5, 3), normal(20, 7, 5)
    return (net,), {"x": x}, Evidence(lambda: 0, lambda: [net.forward(x)][:0], [], kept=[net.w])


@case(WRONG, "wrong-mask")
def relu_mask_of_the_first_batch():
    class Stale:
        mask = None

        def forward(self, x):
            if self.mask is None:
                self.mask = x > 0
            return np.maximum(x, 0)

        def backward(self, dy):
            return dy * self.mask

    layer, x = Stale(), normal(21, 7, 5)
    layer.forward(normal(22, 7, 5))
    return (layer,), {"x": x}, of_layer(layer, x)


@case(WRONG, "wrong-mask")
def relu_mask_the_wrong_way_round():
    class Reversed:
        def forward(self, x):
            self.mask = x < 0
            return np.where(self.mask, 0, x)

        def backward(self, dy):
            return dy * self.mask

    return (layer := Reversed(),), {"x": (x := normal(23, 7, 5))}, of_layer(layer, x)


@case(RIGHT)
def two_rows_two_features_two_outputs():
    return sequence(Sequential(Linear(2, 2), Tanh(), Linear(2, 2, 5)), (2, 2))


@case(BESIDE, "beside-loss")
def sequential_ends_in_a_softmax_that_hands_on():
    class Softmax:
        def forward(self, z):
            e = np.exp(z - z.max(axis=-1, keepdims=True))
            self.p = e / e.sum(axis=-1, keepdims=True)
            return self.p

        def backward(self, dz):
            return dz

    layer, z, t = Softmax(), normal(24, 7, 3), one_hot(labels(25, 7, 3), 3)

    def gradients():
        return [layer.backward(layer.forward(z) - t)]

    together = Evidence(lambda: -(t * np.log(layer.forward(z))).sum(), gradients, [z])
    return (layer,), {"x": z}, of_layer(layer, z), together


@case(WRONG, "updated-first")
def linear_steps_before_it_hands_down():
    class Stepping(Linear):
        def backward(self, dy, lr=0.1):
            self.dw, self.db = self.x.T @ dy, dy.sum(0)
            self.w -= lr * self.dw
            self.b -= lr * self.db
            return dy @ self.w.T

    layer, x = Stepping(5, 3), normal(26, 7, 5)
    return (layer,), {"x": x}, of_layer(layer, x, "w dw", "b db")
