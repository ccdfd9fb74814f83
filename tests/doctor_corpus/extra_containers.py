"""Networks that keep their layers as dicts in a list, or as attributes; the loss within, or a pair of functions."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal


class LayersAsDicts:
    """A list of dicts, {"W": ..., "b": ...}; backward returns a list of dicts; the loss is an object within."""

    class Loss:
        def forward(self, p, y):
            return 0.5 * np.mean(np.sum((p - y) ** 2, axis=1))

        def backward(self, p, y):
            return (p - y) / len(y)

    def __init__(self, sizes=(5, 4, 3)):
        self.layers = [
            {"W": normal(20 + i, n_in, n_out), "b": normal(30 + i, n_out), "dW": None, "db": None}
            for i, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:]))
        ]
        self.loss = self.Loss()

    def forward(self, x):
        self.a = [x]
        for i, layer in enumerate(self.layers):
            z = self.a[-1] @ layer["W"] + layer["b"]
            self.a.append(np.tanh(z) if i < len(self.layers) - 1 else z)
        return self.a[-1]

    def backward(self, y):
        d = self.loss.backward(self.a[-1], y)
        for i in reversed(range(len(self.layers))):
            layer = self.layers[i]
            layer["dW"], layer["db"] = self.a[i].T @ d, d.sum(axis=0)
            d = (d @ layer["W"].T) * self.slope(i)

    def slope(self, i):
        return 1 - self.a[i] ** 2


def dicts(net):
    x, y = normal(14, 7, 5), normal(15, 7, 3)

    def gradients():
        net.forward(x)
        net.backward(y)
        return [layer["d" + name] for layer in net.layers for name in "Wb"]

    places = [layer[name] for layer in net.layers for name in "Wb"]
    evidence = Evidence(lambda: net.loss.forward(net.forward(x), y), gradients, places, kept=[x, y])
    return (net,), {"x": x, "y": y}, evidence


@case(RIGHT)
def layers_as_dicts():
    return dicts(LayersAsDicts())


@case(WRONG, "wrong-mask")
def layers_as_dicts_take_the_slope_of_the_layer_above():
    class Wrong(LayersAsDicts):
        def slope(self, i):
            return 1 - self.a[2 if i == 1 else i] ** 2

    return dicts(Wrong((5, 4, 4, 3)))


class Nested:
    """Attributes fc1, act, fc2; backward takes the gradient of the loss, which is a pair of functions."""

    class FC:
        def __init__(self, seed, n_in, n_out):
            self.W, self.b = normal(seed, n_in, n_out), normal(seed + 1, n_out)

        def forward(self, x):
            self.x = x
            return x @ self.W + self.b

        def backward(self, g):
            self.W_grad, self.b_grad = self.x.T @ g, g.sum(0)
            return g @ self.W.T

    class LeakyReLU:
        slope = 0.2

        def forward(self, x):
            self.x = x
            return np.maximum(x, self.slope * x)

        def backward(self, g):
            return np.where(self.x > 0, g, self.slope * g)

    def __init__(self):
        self.fc1, self.act, self.fc2 = self.FC(40, 5, 4), self.LeakyReLU(), self.FC(50, 4, 3)

    def __call__(self, x):
        return self.fc2.forward(self.act.forward(self.fc1.forward(x)))

    def backward(self, grad):
        return self.fc1.backward(self.act.backward(self.fc2.backward(grad)))


def ce(logits, y):
    z = logits - logits.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


def ce_grad(logits, y):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


def nested(net, gradient=ce_grad):
    x, y = normal(16, 7, 5), labels(17, 7, 3)

    def gradients():
        net.backward(gradient(net(x), y))
        return [g for fc in (net.fc1, net.fc2) for g in (fc.W_grad, fc.b_grad)]

    places = [p for fc in (net.fc1, net.fc2) for p in (fc.W, fc.b)]
    return (
        (net,),
        {"x": x, "y": y, "loss": (ce, gradient)},
        Evidence(lambda: ce(net(x), y), gradients, places, kept=[x, y]),
    )


@case(RIGHT)
def nested_modules():
    return nested(Nested())


@case(WRONG, "forgot-n")
def nested_modules_whose_loss_gradient_is_a_sum():
    return nested(Nested(), lambda logits, y: ce_grad(logits, y) * len(y))


@case(WRONG, "missing-derivative")
def nested_modules_whose_activation_passes_everything():
    net = Nested()
    net.act.backward = lambda g: g
    return nested(net)
