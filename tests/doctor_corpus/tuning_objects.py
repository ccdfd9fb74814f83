"""Networks made of objects: neurons in layers and layers in a list."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, one_hot


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
        return 2 * (y_pred - y) / y.size


class Neuron:
    def __init__(self, n_inputs, activation, seed):
        self.activation = activation
        self.w = normal(seed, n_inputs, 1)
        self.b = 1.0
        self.z = self.dw = self.db = None

    def forward(self, x):
        self.z = np.dot(x, self.w) + self.b
        return self.activation.forward(self.z)

    def backward(self, da, a_prev):
        dz = da.reshape(-1, 1) * self.activation.backward(self.z)
        self.dw = np.dot(a_prev.T, dz)
        self.db = np.sum(dz, axis=0, keepdims=True)
        return np.dot(dz, self.w.T)


class Layer:
    def __init__(self, n_inputs, n_neurons, activation, make=Neuron):
        self.neurons = [make(n_inputs, activation, seed) for seed in range(n_neurons)]
        self.A = None

    def forward(self, x):
        self.A = np.column_stack([n.forward(x) for n in self.neurons])
        return self.A

    def backward(self, da, a_prev):
        return sum(n.backward(da[:, i], a_prev) for i, n in enumerate(self.neurons))


class Neurons:
    def __init__(self, sizes, activation, last=None, make=Neuron):
        activations = [activation] * (len(sizes) - 2) + [last or activation]
        self.layers = [Layer(*parts, make) for parts in zip(sizes[:-1], sizes[1:], activations, strict=True)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, X, da):
        for i in reversed(range(len(self.layers))):
            da = self.layers[i].backward(da, self.layers[i - 1].A if i else X)
        return da


def of_neurons(net, loss, n=11):
    X, y = normal(1, n, len(net.layers[0].neurons[0].w)), normal(2, n, len(net.layers[-1].neurons))
    neurons = [neuron for layer in net.layers for neuron in layer.neurons]

    def gradients():
        out = net.forward(X)
        dX = net.backward(X, loss.backward(out, y))
        return [dX, *(g for neuron in neurons for g in (neuron.dw, neuron.db))]

    places = [X, *((neuron, name) for neuron in neurons for name in "wb")]
    return (net,), {"x": X, "y": y, "loss": loss}, Evidence(lambda: loss.forward(net.forward(X), y), gradients, places)


@case(RIGHT)
def slope_object_sigmoid():
    layer, x = Sigmoid(), normal(3, 7, 5)
    return (layer,), {"x": x}, Evidence(lambda: layer.forward(x).sum(), lambda: [layer.backward(x)], [x])


@case(RIGHT)
def one_neuron():
    neuron, x, dy = Neuron(3, Sigmoid(), 4), normal(4, 7, 3), normal(5, 7, 1)

    def gradients():
        neuron.forward(x)
        return [neuron.backward(dy, x), neuron.dw, neuron.db]

    evidence = Evidence(lambda: (neuron.forward(x) * dy).sum(), gradients, [x, (neuron, "w"), (neuron, "b")])
    return (neuron,), {"x": x}, evidence


@case(RIGHT)
def network_of_neurons():
    return of_neurons(Neurons([2, 3, 1], Sigmoid()), MSE())


@case(RIGHT)
def network_of_neurons_with_linear_output():
    return of_neurons(Neurons([3, 5, 2], Sigmoid(), last=Identity()), MSE(), n=7)


@case(WRONG, "forgot-n")
def network_of_neurons_beside_a_loss_without_n():
    class Wrong(MSE):
        def backward(self, y_pred, y):
            return 2 * (y_pred - y)

    return of_neurons(Neurons([2, 3, 1], Sigmoid()), Wrong())


@case(WRONG, "extra-derivative")
def neuron_multiplies_its_slope_in_twice():
    class Wrong(Neuron):
        def backward(self, da, a_prev):
            return super().backward(da.reshape(-1, 1) * self.activation.backward(self.z), a_prev)

    return of_neurons(Neurons([2, 3, 1], Sigmoid(), make=Wrong), MSE())


# Layers in a list -----------------------------------------------------------------------------------------------------


class Linear:
    averages = False

    def __init__(self, n_in, n_out, seed):
        self.W, self.b = normal(seed, n_in, n_out) / np.sqrt(n_in), 0.1 * normal(seed + 50, n_out)

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dZ):
        n = len(dZ) if self.averages else 1
        self.dW = self.X.T @ dZ / n
        self.db = dZ.sum(axis=0) / n
        return dZ @ self.W.T


class ReLU:
    def forward(self, Z):
        self.Z = Z
        return np.maximum(0, Z)

    def backward(self, dA):
        return dA * (self.Z > 0)


class MLP:
    """Ends in a softmax that backward leaves out: the loss gives the gradient by the logits."""

    def __init__(self, sizes, linear=Linear, relu=None):
        self.layers = []
        for i, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            self.layers += [linear(n_in, n_out, i), relu or ReLU()]
        self.layers.pop()

    def forward(self, X):
        for layer in self.layers:
            X = layer.forward(X)
        e = np.exp(X - X.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)


class CrossEntropyLoss:
    averages = True

    def forward(self, probs, targets):
        self.probs, self.targets = probs, targets
        return -np.mean(np.log(probs[np.arange(len(targets)), targets]))

    def backward(self):
        grad = self.probs - one_hot(self.targets, self.probs.shape[1])
        return grad / len(grad) if self.averages else grad


def of_layers(net, loss, n=7):
    linears = [layer for layer in net.layers if hasattr(layer, "W")]
    X, y = normal(11, n, linears[0].W.shape[0]), labels(12, n, linears[-1].W.shape[1])

    def gradients():
        loss.forward(net.forward(X), y)
        net.backward(loss.backward())
        return [g for layer in linears for g in (layer.dW, layer.db)]

    places = [(layer, name) for layer in linears for name in "Wb"]
    evidence = Evidence(lambda: loss.forward(net.forward(X), y), gradients, places, kept=[X, y])
    return (net,), {"x": X, "y": y, "loss": loss}, evidence


@case(RIGHT)
def layers_in_a_list():
    return of_layers(MLP([5, 11, 7, 3]), CrossEntropyLoss())


@case(RIGHT)
def layers_average_because_their_loss_does_not():
    class Averaging(Linear):
        averages = True

    class Summing(CrossEntropyLoss):
        averages = False

    return of_layers(MLP([5, 11, 3], linear=Averaging), Summing())


@case(WRONG, "twice-n")
def layers_average_and_so_does_their_loss():
    class Averaging(Linear):
        averages = True

    return of_layers(MLP([5, 11, 3], linear=Averaging), CrossEntropyLoss())


@case(WRONG, ("cache-overwritten", "wrong-mask"))
def layers_share_one_relu_object():
    return of_layers(MLP([3, 5, 5, 2], relu=ReLU()), CrossEntropyLoss())
