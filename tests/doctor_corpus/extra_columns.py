"""Examples as columns: a course's functions with caches in tuples, lists of matrices, one column at a time."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, of_pair


def linear_forward(A_prev, W, b):
    Z = np.dot(W, A_prev) + b
    return Z, (A_prev, W, b)


def linear_backward(dZ, cache):
    A_prev, W, _b = cache
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T), np.sum(dZ, axis=1, keepdims=True)


def linear(backward, d=5, units=3, m=7):
    A, W, b = normal(1, d, m), normal(2, units, d), normal(3, units, 1)
    evidence = of_pair(linear_forward, backward, A, W, b)
    return (linear_forward, backward), {"x": A, "parameters": {"W": W, "b": b}}, evidence


@case(RIGHT)
def columns_linear_functions():
    return linear(linear_backward)


@case(RIGHT)
def columns_linear_functions_square():
    return linear(linear_backward, 4, 4, 4)


@case(WRONG, ("beside-loss", "mean-for-sum", "twice-n"))
def columns_linear_functions_with_the_course_s_one_over_m_in_dW_alone():
    def backward(dZ, cache):
        dA, dW, db = linear_backward(dZ, cache)
        return dA, dW / dZ.shape[1], db

    return linear(backward)


@case(WRONG, "bias-axis")
def columns_linear_functions_sum_db_over_the_units():
    def backward(dZ, cache):
        dA, dW, _ = linear_backward(dZ, cache)
        return dA, dW, np.sum(dZ, axis=0, keepdims=True)

    return linear(backward)


@case(WRONG, "transposed")
def columns_linear_functions_dA_through_W():
    def backward(dZ, cache):
        _, dW, db = linear_backward(dZ, cache)
        return cache[1] @ dZ, dW, db

    return linear(backward, 4, 4)


# L layers, a dict of parameters, a list of caches ---------------------------------------------------------------------


def L_model_forward(X, parameters):
    caches, A, L = [], X, len(parameters) // 2
    for l in range(1, L):
        A_prev = A
        Z = parameters[f"W{l}"] @ A_prev + parameters[f"b{l}"]
        A = np.maximum(0, Z)
        caches.append(((A_prev, parameters[f"W{l}"], parameters[f"b{l}"]), Z))
    Z = parameters[f"W{L}"] @ A + parameters[f"b{L}"]
    caches.append(((A, parameters[f"W{L}"], parameters[f"b{L}"]), Z))
    return 1 / (1 + np.exp(-Z)), caches


def compute_cost(AL, Y):
    m = Y.shape[1]
    return np.squeeze(-1 / m * np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)))


def L_model_backward(AL, Y, caches, divide=lambda db, m: db, mask=lambda Z, A: Z > 0, delta=None):
    grads, m = {}, AL.shape[1]
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL)) / m
    dZ = dAL * AL * (1 - AL) if delta is None else delta(dAL, AL)
    for l in range(len(caches), 0, -1):
        (A_prev, W, _b), Z = caches[l - 1]
        if l < len(caches):
            dZ = grads["dA" + str(l)] * mask(Z, A_prev)
        grads["dA" + str(l - 1)] = W.T @ dZ
        grads["dW" + str(l)] = dZ @ A_prev.T
        grads["db" + str(l)] = divide(np.sum(dZ, axis=1, keepdims=True), m)
    return grads


def L_model(m=7, sizes=(5, 4, 3, 1), **wrong):
    X, Y = normal(11, sizes[0], m), labels(12, m, 2).reshape(1, m)
    parameters = {}
    for l, (n_in, n_out) in enumerate(zip(sizes[:-1], sizes[1:]), 1):
        parameters[f"W{l}"], parameters[f"b{l}"] = normal(20 + l, n_out, n_in), 0.1 * normal(30 + l, n_out, 1)

    def backward(AL, Y, caches):
        return L_model_backward(AL, Y, caches, **wrong)

    def gradients():
        AL, caches = L_model_forward(X, parameters)
        grads = backward(AL, Y, caches)
        return [grads["d" + name] for name in parameters]

    evidence = Evidence(
        lambda: compute_cost(L_model_forward(X, parameters)[0], Y), gradients, list(parameters.values()), kept=[X, Y]
    )
    given = {"x": X, "y": Y, "parameters": parameters, "loss": compute_cost}
    return (L_model_forward, backward), given, evidence


@case(RIGHT)
def columns_L_layers():
    return L_model()


@case(RIGHT)
def columns_L_layers_all_of_four():
    return L_model(m=4, sizes=(4, 4, 4, 1))


@case(WRONG, ("mean-for-sum", "twice-n"))
def columns_L_layers_average_db_once_more():
    return L_model(divide=lambda db, m: db / m)


@case(WRONG, "missing-derivative")
def columns_L_layers_without_relu_backward():
    return L_model(mask=lambda Z, A: np.ones_like(Z))


@case(WRONG, "forgot-n")
def columns_L_layers_with_AL_minus_Y_not_averaged():
    return L_model(delta=lambda dAL, AL: dAL * AL * (1 - AL) * AL.shape[1])


@case(WRONG, "missing-derivative")
def columns_L_layers_take_dAL_for_dZ():
    return L_model(delta=lambda dAL, AL: dAL)


@case(WRONG, "extra-derivative")
def columns_L_layers_multiply_the_sigmoid_slope_in_twice():
    return L_model(delta=lambda dAL, AL: dAL * (AL * (1 - AL)) ** 2)


# Lists of matrices and nablas -----------------------------------------------------------------------------------------


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


class Network:
    """Quadratic cost, summed over the columns; backprop(x, y) returns (nabla_b, nabla_w)."""

    def __init__(self, sizes):
        self.sizes, self.num_layers = sizes, len(sizes)
        self.biases = [normal(40 + i, n, 1) for i, n in enumerate(sizes[1:])]
        self.weights = [normal(50 + i, n, m) for i, (m, n) in enumerate(zip(sizes[:-1], sizes[1:]))]

    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = sigmoid(np.dot(w, a) + b)
        return a

    def cost(self, output, y):
        return 0.5 * np.sum((output - y) ** 2)

    def output_delta(self, z, activation, y):
        return (activation - y) * sigmoid_prime(z)

    def hidden_slope(self, z, activation):
        return sigmoid_prime(z)

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = self.output_delta(zs[-1], activations[-1], y)
        nabla_b[-1] = delta.sum(axis=1, keepdims=True)
        nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for l in range(2, self.num_layers):
            delta = np.dot(self.weights[-l + 1].transpose(), delta) * self.hidden_slope(zs[-l], activations[-l])
            nabla_b[-l] = delta.sum(axis=1, keepdims=True)
            nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
        return nabla_b, nabla_w


def nielsen(net, m=7):
    X, Y = normal(61, net.sizes[0], m), sigmoid(normal(62, net.sizes[-1], m))

    def gradients():
        nabla_b, nabla_w = net.backprop(X, Y)
        return [*nabla_b, *nabla_w]

    places = [*net.biases, *net.weights]
    return (net,), {"x": X, "y": Y}, Evidence(lambda: net.cost(net.feedforward(X), Y), gradients, places, kept=[X, Y])


@case(RIGHT)
def columns_backprop_of_nablas():
    return nielsen(Network([5, 4, 2]))


@case(RIGHT)
def columns_backprop_of_nablas_for_one_example():
    return nielsen(Network([5, 4, 3]), m=1)


@case(RIGHT)
def columns_backprop_of_nablas_three_deep():
    return nielsen(Network([3, 4, 5, 2]))


@case(WRONG, "missing-derivative")
def columns_backprop_with_the_delta_of_cross_entropy():
    class Wrong(Network):
        def output_delta(self, z, activation, y):
            return activation - y

    return nielsen(Wrong([5, 4, 2]))


@case(WRONG, "at-output")
def columns_backprop_calls_sigmoid_prime_with_activations():
    class Wrong(Network):
        def hidden_slope(self, z, activation):
            return sigmoid_prime(activation)

    return nielsen(Wrong([5, 4, 2]))


@case(WRONG, "twice-n")
def columns_backprop_averages_though_the_cost_is_a_sum():
    class Wrong(Network):
        def backprop(self, x, y):
            nabla_b, nabla_w = super().backprop(x, y)
            return [b / x.shape[1] for b in nabla_b], [w / x.shape[1] for w in nabla_w]

    return nielsen(Wrong([5, 4, 2]))


@case(WRONG, "at-input")
def columns_backprop_with_z_times_one_minus_z():
    class Wrong(Network):
        def hidden_slope(self, z, activation):
            return z * (1 - z)

    return nielsen(Wrong([5, 4, 2]))
