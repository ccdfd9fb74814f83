"""Right in ways a clumsy check would accuse: gradients under other names, velocities, lists, float32."""

import numpy as np

import chainrule as cr

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal


class LayerDense:
    """backward answers nothing: dinputs, dweights and dbiases lie on the object."""

    def __init__(self, n_inputs, n_neurons):
        self.weights = 0.3 * normal(701, n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))
        self.weight_momentums = np.zeros_like(self.weights)

    def forward(self, inputs):
        self.inputs = inputs
        return np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues):
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


def on_the_object(layer, x, *names):
    d = normal(702, *layer.forward(x).shape)

    def gradients():
        layer.forward(x)
        layer.backward(d.copy())
        return [layer.dinputs, *(getattr(layer, "d" + name) for name in names)]

    places = [x, *((layer, name) for name in names)]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * d).sum(), gradients, places)


@case(RIGHT)
def dense_leaves_dinputs_on_itself():
    return on_the_object(LayerDense(3, 5), normal(703, 7, 3), "weights", "biases")


class Elman:
    """A recurrent layer over three times; its weights serve at every time, so their gradients add up inside."""

    def __init__(self):
        self.Wx, self.Wh, self.bh = normal(704, 2, 3), 0.5 * normal(705, 3, 3), normal(706, 3)

    def forward(self, x):
        self.x, self.h = x, [np.zeros((len(x), 3))]
        for t in range(x.shape[1]):
            self.h.append(np.tanh(x[:, t] @ self.Wx + self.h[-1] @ self.Wh + self.bh))
        return self.h[-1]

    def backward(self, dh):
        self.dWx, self.dWh, self.dbh = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.bh)
        dx = np.zeros_like(self.x)
        for t in reversed(range(self.x.shape[1])):
            da = dh * (1 - self.h[t + 1] ** 2)
            self.dWx += self.x[:, t].T @ da
            self.dWh += self.h[t].T @ da
            self.dbh += da.sum(axis=0)
            dx[:, t] = da @ self.Wx.T
            dh = da @ self.Wh.T
        return dx


def over_time(layer):
    x = normal(707, 5, 3, 2)
    d = normal(708, 5, 3)

    def gradients():
        layer.forward(x)
        return [layer.backward(d), layer.dWx, layer.dWh, layer.dbh]

    places = [x, (layer, "Wx"), (layer, "Wh"), (layer, "bh")]
    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * d).sum(), gradients, places)


@case(RIGHT)
def recurrent_layer_adds_up_over_time():
    return over_time(Elman())


@case(WRONG, "wrong-input")
def recurrent_layer_multiplies_by_the_state_it_made():
    class Faulty(Elman):
        def backward(self, dh):
            dx = super().backward(dh)
            g = np.zeros_like(self.Wh)
            for t in reversed(range(self.x.shape[1])):
                da = dh * (1 - self.h[t + 1] ** 2)
                g += self.h[t + 1].T @ da
                dh = da @ self.Wh.T
            self.dWh = g
            return dx

    return over_time(Faulty())


# Classifiers ----------------------------------------------------------------------------------------------------------


class Logistic:
    """With its velocities, which have no gradient, and gradients that add up until zero_grad."""

    def __init__(self, d):
        self.w, self.b = normal(711, d, 1), np.array([[0.4]])
        self.velocity_w, self.velocity_b = np.ones((d, 1)), np.ones((1, 1))
        self.zero_grad()

    def zero_grad(self):
        self.grads = {"w": np.zeros_like(self.w), "b": np.zeros_like(self.b)}

    def forward(self, X):
        self.p = 1 / (1 + np.exp(-(X @ self.w + self.b)))
        return self.p

    def loss(self, p, y):
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def backward(self, X, y):
        d = (self.p - y) / len(y)
        self.grads["w"] += X.T @ d
        self.grads["b"] += d.sum(axis=0, keepdims=True)
        return self.grads


@case(RIGHT)
def logistic_regression_with_velocities_and_zero_grad():
    net, X, y = Logistic(3), normal(712, 13, 3), labels(713, 13, 2).reshape(-1, 1)

    def gradients():
        net.zero_grad()
        net.forward(X)
        grads = net.backward(X, y)
        return [grads["w"], grads["b"]]

    evidence = Evidence(lambda: net.loss(net.forward(X), y), gradients, [net.w, net.b], kept=[X, y])
    return (net,), {"x": X, "y": y}, evidence


class Lists:
    """Weights and biases, and their gradients, in lists; logits out, the loss is a function."""

    def __init__(self, *sizes):
        ends = list(zip(sizes, sizes[1:], strict=False))
        self.weights = [normal(720 + i, *end) / np.sqrt(end[0]) for i, end in enumerate(ends)]
        self.biases = [0.2 * normal(730 + i, end[1]) for i, end in enumerate(ends)]

    def forward(self, a):
        self.activations = [a]
        for w, b in zip(self.weights, self.biases, strict=True):
            a = a @ w + b
            a = np.tanh(a) if w is not self.weights[-1] else a
            self.activations.append(a)
        return a

    def backward(self, delta):
        self.dweights, self.dbiases = [], []
        for w, a in zip(self.weights[::-1], self.activations[-2::-1], strict=True):
            self.dweights.insert(0, a.T @ delta)
            self.dbiases.insert(0, delta.sum(axis=0))
            delta = delta @ w.T * (1 - a**2)
        return None


@case(RIGHT)
def network_keeps_its_weights_in_lists():
    net, X, y = Lists(3, 7, 5, 2), normal(714, 11, 3), normal(715, 11, 2)

    class Half:
        def forward(self, out, y):
            return 0.5 * np.sum((out - y) ** 2) / len(y)

        def backward(self, out, y):
            return (out - y) / len(y)

    loss = Half()

    def gradients():
        net.backward(loss.backward(net.forward(X), y))
        return [*net.dweights, *net.dbiases]

    evidence = Evidence(lambda: loss.forward(net.forward(X), y), gradients, [*net.weights, *net.biases], kept=[X, y])
    return (net,), {"x": X, "y": y, "loss": loss}, evidence


@case(RIGHT)
def projection_used_on_both_ends():
    def forward(x, E):
        return np.tanh(x @ E) @ E.T

    def backward(dy, x, E):
        h = np.tanh(x @ E)
        dz = (dy @ E) * (1 - h * h)
        return {"dx": dz @ E.T, "dE": x.T @ dz + dy.T @ h}

    x, E, d = normal(716, 5, 7), 0.5 * normal(717, 7, 2), normal(718, 5, 7)
    evidence = Evidence(lambda: (forward(x, E) * d).sum(), lambda: list(backward(d, x, E).values()), [x, E])
    return (forward, backward), {"x": x, "parameters": {"E": E}}, evidence


@case(RIGHT)
def our_own_loss():
    loss, x, y = cr.CrossEntropy(), normal(621, 7, 3), labels(622, 7, 3)
    return (loss,), {"x": x, "y": y}, Evidence(lambda: loss(x, y)[0], lambda: [loss(x, y)[1]], [x])


@case(WRONG, "softmax-diagonal")
def attention_weights_without_their_cross_terms():
    class Weights:
        def forward(self, scores):
            e = np.exp(scores - scores.max(axis=-1, keepdims=True))
            self.w = e / e.sum(axis=-1, keepdims=True)
            return self.w

        def backward(self, d):
            return d * (self.w - np.square(self.w))

    layer, x, d = Weights(), normal(623, 5, 7), normal(624, 5, 7)

    def gradients():
        layer.forward(x)
        return [layer.backward(d)]

    return (layer,), {"x": x}, Evidence(lambda: (layer.forward(x) * d).sum(), gradients, [x])


@case(RIGHT)
def float32_activations_and_weights():
    class Single:
        def __init__(self):
            self.M = np.asarray(normal(625, 3, 5), dtype="float32")

        def forward(self, x):
            self.x, self.a = x, np.tanh(x.astype("float32") @ self.M)
            return self.a

        def backward(self, d):
            d = (d * (1 - self.a * self.a)).astype("float32")
            self.dM = self.x.astype("float32").T @ d
            return d @ self.M.T

    layer, x, d = Single(), normal(626, 7, 3).astype("float32"), normal(627, 7, 5)

    def gradients():
        layer.forward(x)
        return [layer.backward(d), layer.dM]

    evidence = Evidence(lambda: (layer.forward(x) * d).sum(), gradients, [x, (layer, "M")], h=0.01, tolerance=1e-2)
    return (layer,), {"x": x}, evidence
