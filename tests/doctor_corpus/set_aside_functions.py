"""Plain functions: parameters one by one or in a dictionary, gradients as a tuple or a dictionary; slopes; arrays."""

import math

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal


def pair(forward, backward, order, tupled=True, **arrays):
    """backward(dy, x, **parameters) -> a tuple in `order`, or a dictionary."""
    x = arrays.pop("x")
    dy = normal(201, *forward(x, *arrays.values()).shape)

    def gradients():
        answer = backward(dy, x, *arrays.values())
        return answer if tupled else [answer["d" + name] for name in order]

    evidence = Evidence(lambda: (forward(x, *arrays.values()) * dy).sum(), gradients, [x, *arrays.values()])
    return (forward, backward), {"x": x, "parameters": arrays}, evidence


def bilinear(x, W, b):
    return np.dot(x, W) + b


def bilinear_back(dy, x, W, b):
    return {"dx": np.dot(dy, W.T), "dW": np.dot(x.T, dy), "db": dy.sum(axis=0)}


def of_dictionary(backward, n=7, d=2, k=5, bias=None):
    b = normal(204, k) if bias is None else bias
    return pair(bilinear, backward, "xWb", tupled=False, x=normal(202, n, d), W=normal(203, d, k), b=b)


@case(RIGHT)
def dictionary_of_gradients():
    return of_dictionary(bilinear_back)


@case(RIGHT)
def dictionary_of_gradients_with_a_bias_row():
    def back(dy, x, W, b):
        return {"db": np.ones((1, len(dy))) @ dy, "dW": x.T @ dy, "dx": dy @ W.T}

    return of_dictionary(back, n=11, d=3, k=2, bias=normal(204, 1, 2))


@case(WRONG, "transposed")
def dictionary_dW_of_the_transposed_product():
    def back(dy, x, W, b):
        return bilinear_back(dy, x, W, b) | {"dW": dy.T @ x}

    return of_dictionary(back, n=5, d=5, k=5)


@case(WRONG, "mean-for-sum")
def dictionary_db_is_the_mean_of_dy():
    def back(dy, x, W, b):
        return bilinear_back(dy, x, W, b) | {"db": dy.sum(axis=0) / dy.shape[0]}

    return of_dictionary(back, n=13, d=2, k=3)


@case(WRONG, "raised")
def dictionary_transposes_as_another_library_does():
    def back(dy, x, W, b):
        return bilinear_back(dy, x, W, b) | {"dW": x.t() @ dy}

    return of_dictionary(back)


def neuron_forward(x, w, b):
    return np.tanh(x @ w + b)


def neuron_backward(dy, x, w, b):
    y = neuron_forward(x, w, b)
    dz = dy * (1 - y * y)
    return np.outer(dz, w), x.T @ dz, np.array([dz.sum()])


def neuron(backward):
    return pair(neuron_forward, backward, "xwb", x=normal(205, 11, 3), w=normal(206, 3), b=normal(207, 1))


@case(RIGHT)
def vector_of_outputs_of_one_neuron():
    return neuron(neuron_backward)


@case(WRONG, "bias-axis")
def one_neuron_keeps_a_bias_gradient_for_every_example():
    def backward(dy, x, w, b):
        dx, dw, _ = neuron_backward(dy, x, w, b)
        return dx, dw, dy * (1 - neuron_forward(x, w, b) ** 2)

    return neuron(backward)


@case(WRONG, "at-output")
def one_neuron_takes_tanh_prime_of_its_answer():
    def tanh_prime(z):
        return 1 / np.cosh(z) ** 2

    def backward(dy, x, w, b):
        dz = dy * tanh_prime(neuron_forward(x, w, b))
        return np.outer(dz, w), x.T @ dz, dz.sum(keepdims=True)

    return neuron(backward)


# One dictionary of parameters, examples in columns --------------------------------------------------------------------


def hidden_forward(A, params):
    Z = params["W"].dot(A) + params["b"]
    return 1 / (1 + np.exp(-Z)), {"A_prev": A, "Z": Z}


def hidden_backward(dA, cache, params):
    S = 1 / (1 + np.exp(-cache["Z"]))
    dZ = dA * S * (1 - S)
    return {
        "dA_prev": params["W"].T.dot(dZ),
        "dW": dZ.dot(cache["A_prev"].T),
        "db": dZ.dot(np.ones((dZ.shape[1], 1))),
    }


def hidden(backward, d=3, k=2, n=7):
    A, params = normal(211, d, n), {"W": normal(212, k, d), "b": normal(213, k, 1)}
    dA = normal(214, k, n)

    def gradients():
        grads = backward(dA, hidden_forward(A, params)[1], params)
        return [grads["dA_prev"], grads["dW"], grads["db"]]

    evidence = Evidence(lambda: (hidden_forward(A, params)[0] * dA).sum(), gradients, [A, params["W"], params["b"]])
    return (hidden_forward, backward), {"x": A, "parameters": params, "examples": "columns"}, evidence


@case(RIGHT)
def columns_hidden_layer_of_functions():
    return hidden(hidden_backward)


@case(WRONG, "at-input")
def columns_hidden_layer_takes_z_for_its_logistic():
    def backward(dA, cache, params):
        Z = cache["Z"]
        dZ = dA * Z * (1 - Z)
        return {"dA_prev": params["W"].T @ dZ, "dW": dZ @ cache["A_prev"].T, "db": dZ.sum(1, keepdims=True)}

    return hidden(backward)


@case(BESIDE, "beside-loss")
def columns_hidden_layer_divides_by_m():
    def backward(dA, cache, params):
        grads = hidden_backward(dA, cache, params)
        m = cache["A_prev"].shape[1]
        return {**grads, "dW": grads["dW"] / m, "db": grads["db"] / m}

    args, kwargs, alone = hidden(backward, d=5, k=3, n=11)
    A, params = kwargs["x"], kwargs["parameters"]
    Y = np.eye(3)[:, labels(215, 11, 3)]

    def cost():
        P = hidden_forward(A, params)[0]
        return -(Y * np.log(P) + (1 - Y) * np.log(1 - P)).sum() / 11

    def gradients():
        P, cache = hidden_forward(A, params)
        grads = backward(-Y / P + (1 - Y) / (1 - P), cache, params)
        return [grads["dW"], grads["db"]]

    return args, kwargs, alone, Evidence(cost, gradients, [params["W"], params["b"]])


# Slopes ---------------------------------------------------------------------------------------------------------------


def derivative_pair(f, prime, x, of_output=False):
    return (f, prime), {"x": x}, Evidence(lambda: np.sum(f(x)), lambda: [prime(f(x) if of_output else x)], [x])


@case(RIGHT)
def tanh_slope_of_the_activation():
    return derivative_pair(np.tanh, lambda activation: 1 - activation * activation, normal(221, 13), of_output=True)


@case(RIGHT)
def gelu_slope_of_its_input():
    c = math.sqrt(2 / math.pi)

    def gelu(z):
        return 0.5 * z * (1 + np.tanh(c * (z + 0.044715 * z**3)))

    def d_gelu(z):
        t = np.tanh(c * (z + 0.044715 * z**3))
        return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * c * (1 + 3 * 0.044715 * z**2)

    return derivative_pair(gelu, d_gelu, normal(222, 3, 7))


@case(RIGHT)
def step_of_a_relu_with_zeros():
    z = np.array([-1.5, 0.0, 2.0, 0.0, 0.3, -0.1])
    return derivative_pair(lambda z: z * (z > 0), lambda z: np.heaviside(z, 0.0), z)


@case(WRONG, "factor")
def half_square_slope_keeps_the_two():
    return derivative_pair(lambda z: 0.5 * z**2, lambda z: 2 * z, normal(223, 11))


@case(WRONG, "unknown")
def arctan_slope_without_its_square():
    return derivative_pair(np.arctan, lambda z: 1 / (1 + np.abs(z)), normal(224, 7, 2))


# Arrays ---------------------------------------------------------------------------------------------------------------


def logistic_regression():
    X, t = normal(231, 17, 3), labels(232, 17, 2)
    return X, t, normal(233, 3)


@case(RIGHT)
def array_moved_in_place():
    X, t, w = logistic_regression()
    s = 2 * t - 1

    def objective():
        return np.log1p(np.exp(-s * (X @ w))).sum()

    def gradient():
        return X.T @ (-s / (1 + np.exp(s * (X @ w))))

    return (
        (objective,),
        {"parameters": {"w": w}, "analytic": {"w": gradient()}},
        Evidence(objective, lambda: [gradient()], [w]),
    )


@case(WRONG, "penalty")
def array_with_a_penalty_of_twice_the_gradient():
    X, t, w = logistic_regression()

    def objective(w):
        z = X @ w
        return np.mean(np.log1p(np.exp(z)) - t * z) + 0.2 * np.sum(w * w)

    def gradient():
        p = 1 / (1 + np.exp(-X @ w))
        return X.T @ (p - t) / len(t) + 0.2 * w

    evidence = Evidence(lambda: objective(w), lambda: [gradient()], [w])
    return (objective,), {"parameters": {"w": w}, "analytic": {"w": gradient()}}, evidence


@case(WRONG, "forgot-n")
def array_of_a_mean_with_the_gradient_of_a_sum():
    X, t, w = logistic_regression()

    def objective():
        z = X @ w
        return np.mean(np.logaddexp(0, z) - t * z)

    def gradient():
        return X.T @ (1 / (1 + np.exp(-X @ w)) - t)

    return (
        (objective,),
        {"parameters": {"w": w}, "analytic": {"w": gradient()}},
        Evidence(objective, lambda: [gradient()], [w]),
    )
