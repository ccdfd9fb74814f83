"""Networks with something more: a penalty, tied weights, a step at once, parameters in a dictionary; and our own."""

from copy import deepcopy

import numpy as np

import chainrule as cr

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal
from .tuning_networks import NeuralNetwork, cross_entropy_loss, of_network


class Ridge(NeuralNetwork):
    lam = 0.3

    def loss(self, probs, y):
        return cross_entropy_loss(probs, y) + 0.5 * self.lam * (np.sum(self.W1**2) + np.sum(self.W2**2))

    def backward(self, y):
        grads = super().backward(y)
        grads["W1"] += self.lam * self.W1
        grads["W2"] += self.lam * self.W2
        return grads


def ridge(net):
    X, y = normal(29, 7, 5), labels(28, 7, 3)
    return of_network(net, X, y, net.loss)


@case(RIGHT)
def network_with_l2_in_loss_and_gradient():
    return ridge(Ridge(5, 11, 3, seed=20))


@case(WRONG, "penalty")
def network_with_l2_in_the_gradient_alone():
    class Wrong(Ridge):
        def loss(self, probs, y):
            return cross_entropy_loss(probs, y)

    return ridge(Wrong(5, 11, 3, seed=20))


class TiedAutoencoder:
    def __init__(self, seed=30):
        self.W = 0.5 * normal(seed, 5, 2)
        self.b1, self.b2 = normal(seed + 1, 1, 2), normal(seed + 2, 1, 5)

    def forward(self, X):
        self.X = X
        self.h = np.tanh(X @ self.W + self.b1)
        self.out = self.h @ self.W.T + self.b2
        return self.out

    def mse(self, out, y):
        return ((out - y) ** 2).mean()

    def backward(self, y):
        dout = 2 * (self.out - y) / y.size
        dz = (dout @ self.W) * (1 - self.h**2)
        dW = self.X.T @ dz + dout.T @ self.h
        return {"dW": dW, "db1": dz.sum(axis=0, keepdims=True), "db2": dout.sum(axis=0, keepdims=True)}


@case(RIGHT)
def autoencoder_with_tied_weights():
    net, X = TiedAutoencoder(), normal(39, 7, 5)
    return of_network(net, X, X.copy(), net.mse, names="W b1 b2")


@case(WRONG, "unknown")
def autoencoder_forgets_one_use_of_its_tied_weights():
    class Wrong(TiedAutoencoder):
        def backward(self, y):
            grads = super().backward(y)
            dout = 2 * (self.out - y) / y.size
            return {**grads, "dW": dout.T @ self.h}

    net, X = Wrong(), normal(39, 7, 5)
    return of_network(net, X, X.copy(), net.mse, names="W b1 b2")


class StepsAtOnce(NeuralNetwork):
    def backward(self, X, y, learning_rate=0.1):
        grads = super().backward(y)
        for name in grads:
            setattr(self, name, getattr(self, name) - learning_rate * grads[name])


def stepping(net):
    X, y = normal(49, 7, 5), labels(48, 7, 3)

    def gradients(lr=0.1):
        after = deepcopy(net)
        after.forward(X)
        after.backward(X, y, learning_rate=lr)
        return [(getattr(net, name) - getattr(after, name)) / lr for name in ("W1", "b1", "W2", "b2")]

    args, kwargs, evidence = of_network(net, X, y, cross_entropy_loss, given=True)
    evidence.gradients = gradients
    return args, kwargs, evidence


@case(RIGHT)
def network_steps_at_once():
    return stepping(StepsAtOnce(5, 11, 3, seed=40))


@case(WRONG, "updated-first")
def network_steps_with_W2_before_it_goes_back_through_it():
    class Wrong(NeuralNetwork):
        def backward(self, X, y, learning_rate=0.1):
            dz2 = self.probs.copy()
            dz2[range(len(y)), y] -= 1
            dz2 /= len(y)
            self.W2 = self.W2 - learning_rate * self.a1.T @ dz2
            self.b2 = self.b2 - learning_rate * dz2.sum(axis=0)
            dz1 = dz2 @ self.W2.T * (self.z1 > 0)
            self.W1 = self.W1 - learning_rate * X.T @ dz1
            self.b1 = self.b1 - learning_rate * dz1.sum(axis=0)

    return stepping(Wrong(5, 11, 3, seed=40))


class ThreeLayers:
    """Two hidden layers of one width, so that their masks fit each other."""

    def __init__(self):
        self.params = {}
        for i, (n_in, n_out) in enumerate([(3, 5), (5, 5), (5, 2)], 1):
            self.params[f"W{i}"] = normal(i, n_in, n_out)
            self.params[f"b{i}"] = normal(i + 20, n_out)

    def forward(self, X):
        self.a = [X]
        self.z = [None]
        for i in (1, 2, 3):
            self.z.append(self.a[-1] @ self.params[f"W{i}"] + self.params[f"b{i}"])
            self.a.append(np.maximum(0, self.z[-1]) if i < 3 else self.z[-1])
        return self.a[-1]

    def mask(self, i):
        return self.z[i] > 0

    def backward(self, X, y):
        grads, d = {}, 2 * (self.a[-1] - y) / y.size
        for i in (3, 2, 1):
            grads[f"dW{i}"] = self.a[i - 1].T @ d
            grads[f"db{i}"] = d.sum(axis=0)
            if i > 1:
                d = d @ self.params[f"W{i}"].T * self.mask(i - 1)
        return grads


def three_layers(net):
    X, y = normal(31, 7, 3), normal(32, 7, 2)

    def mse_loss(out, target):
        return np.mean((out - target) ** 2)

    def gradients():
        net.forward(X)
        grads = net.backward(X, y)
        return [grads["d" + name] for name in net.params]

    evidence = Evidence(lambda: mse_loss(net.forward(X), y), gradients, [(net.params, name) for name in net.params])
    return (net,), {"x": X, "y": y, "loss": mse_loss}, evidence


@case(RIGHT)
def three_layers_with_a_dictionary_of_parameters():
    return three_layers(ThreeLayers())


@case(WRONG, "wrong-mask")
def three_layers_take_the_mask_of_the_other_hidden_layer():
    class Wrong(ThreeLayers):
        def mask(self, i):
            return self.z[3 - i] > 0

    return three_layers(Wrong())


# Our own -------------------------------------------------------------------------------------------------------------


@case(RIGHT)
def our_own_network():
    net = cr.MLP([5, 7, 3], seed=0, dtype="float64")
    X, y, loss = normal(41, 11, 5), labels(42, 11, 3), cr.CrossEntropy()

    def gradients():
        out, caches = net.forward(X)
        net.backward(loss(out, y)[1], caches)
        return [net.grads]

    return (
        (net,),
        {"x": X, "y": y, "loss": loss},
        Evidence(lambda: loss(net.forward(X)[0], y)[0], gradients, [net.params]),
    )
