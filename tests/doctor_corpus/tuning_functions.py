"""Plain functions: forward gives (out, cache), backward takes (dout, cache); slopes; arrays read by a closure."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal, of_pair


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def affine(backward, x=None, out=3):
    x = normal(1, 7, 5) if x is None else x
    w, b = normal(2, x[0].size, out), normal(3, out)
    parameters = {"w": w, "b": b}
    return (affine_forward, backward), {"x": x, "parameters": parameters}, of_pair(affine_forward, backward, x, w, b)


@case(RIGHT)
def cs231n_affine():
    return affine(affine_backward)


@case(RIGHT)
def cs231n_affine_of_images():
    return affine(affine_backward, normal(4, 7, 2, 3))


@case(RIGHT)
def cs231n_affine_square():
    return affine(affine_backward, normal(4, 5, 5), out=5)


@case(WRONG, "mean-for-sum")
def cs231n_affine_db_is_a_mean():
    def backward(dout, cache):
        dx, dw, _ = affine_backward(dout, cache)
        return dx, dw, np.mean(dout, axis=0)

    return affine(backward)


@case(WRONG, "raised")
def cs231n_affine_unpacks_too_few():
    def backward(dout, cache):
        x, w = cache
        return dout.dot(w.T), x.T.dot(dout), dout.sum(axis=0)

    return affine(backward)


@case(WRONG, "accumulated")
def cs231n_affine_gradients_in_a_default_argument():
    def backward(dout, cache, grads={}):
        dx, dw, db = affine_backward(dout, cache)
        grads["dw"] = grads.get("dw", 0) + dw
        grads["db"] = grads.get("db", 0) + db
        return dx, grads["dw"], grads["db"]

    return affine(backward)


@case(WRONG, "overwritten")
def cs231n_affine_decays_w_in_backward():
    def backward(dout, cache):
        _, w, _ = cache
        grads = affine_backward(dout, cache)
        w *= 0.99  # weight decay
        return grads

    return affine(backward)


@case(WRONG, "updated-first")
def affine_steps_before_it_gives_dx():
    def forward(x, W, b):
        return x @ W + b, (x, W, b)

    def backward(dout, cache):
        x, W, b = cache
        dW, db = x.T @ dout, dout.sum(axis=0)
        W -= 0.1 * dW
        b -= 0.1 * db
        return dout @ W.T, dW, db

    x, W, b = normal(5, 7, 5), normal(6, 5, 3), normal(7, 3)
    return (forward, backward), {"x": x, "parameters": {"W": W, "b": b}}, of_pair(forward, backward, x, W, b)


def relu_forward(x):
    return np.maximum(x, 0), x


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    return affine_backward(dout * (relu_cache > 0), fc_cache)


def affine_relu(backward):
    x, w, b = normal(11, 7, 5), normal(12, 5, 3), normal(13, 3)
    evidence = of_pair(affine_relu_forward, backward, x, w, b)
    return (affine_relu_forward, backward), {"x": x, "parameters": {"w": w, "b": b}}, evidence


@case(RIGHT)
def cs231n_affine_relu():
    return affine_relu(affine_relu_backward)


@case(WRONG, "missing-derivative")
def cs231n_affine_relu_without_the_mask():
    def backward(dout, cache):
        return affine_backward(dout, cache[0])

    return affine_relu(backward)


# Columns --------------------------------------------------------------------------------------------------------------


def linear_forward(A, W, b):
    return np.dot(W, A) + b, (A, W, b)


def linear_backward(dZ, cache):
    A_prev, W, _ = cache
    dW = np.dot(dZ, A_prev.T)
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def columns(backward):
    A, W, b = normal(21, 5, 7), normal(22, 3, 5), normal(23, 3, 1)
    evidence = of_pair(linear_forward, backward, A, W, b)
    return (linear_forward, backward), {"x": A, "parameters": {"W": W, "b": b}}, evidence


@case(RIGHT)
def columns_linear():
    return columns(linear_backward)


@case(WRONG, "bias-axis")
def columns_db_is_not_summed():
    def backward(dZ, cache):
        dA_prev, dW, _ = linear_backward(dZ, cache)
        return dA_prev, dW, dZ

    return columns(backward)


# Slopes ---------------------------------------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slope(f, derivative, x, given_output=False):
    evidence = Evidence(lambda: f(x).sum(), lambda: [derivative(f(x) if given_output else x)], [x])
    return (f, derivative), {"x": x}, evidence


@case(RIGHT)
def sigmoid_derivative_of_its_input():
    def sigmoid_derivative(z):
        s = sigmoid(z)
        return s * (1 - s)

    return slope(sigmoid, sigmoid_derivative, normal(31, 11))


@case(RIGHT)
def sigmoid_derivative_of_its_output():
    def sigmoid_derivative(a):
        return a * (1 - a)

    return slope(sigmoid, sigmoid_derivative, normal(32, 7, 5), given_output=True)


@case(RIGHT)
def leaky_relu_derivative_as_a_where():
    def leaky_relu(x):
        return np.where(x > 0, x, 0.1 * x)

    def leaky_relu_derivative(x):
        return np.where(x > 0, 1.0, 0.1)

    return slope(leaky_relu, leaky_relu_derivative, normal(33, 7, 5))


@case(WRONG, "at-input")
def sigmoid_derivative_x_times_one_minus_x():
    def sigmoid_derivative(x):
        return x * (1 - x)

    return slope(sigmoid, sigmoid_derivative, normal(34, 7, 5))


@case(WRONG, "unknown")
def swish_derivative_without_the_product_rule():
    def swish(x):
        return x * sigmoid(x)

    def swish_prime(x):
        return sigmoid(x)

    return slope(swish, swish_prime, normal(35, 7, 5))


# Arrays ---------------------------------------------------------------------------------------------------------------


def regression():
    X, t = normal(41, 11, 3), normal(42, 11)
    return X, t, {"w": normal(43, 3), "b": np.array([0.3])}


@case(RIGHT)
def arrays_of_a_linear_regression():
    X, t, p = regression()

    def f():
        return np.mean((X @ p["w"] + p["b"] - t) ** 2)

    def gradient():
        error = X @ p["w"] + p["b"] - t
        return {"w": 2 * X.T @ error / len(t), "b": np.array([2 * error.mean()])}

    evidence = Evidence(f, lambda: list(gradient().values()), [p["w"], p["b"]])
    return (f,), {"parameters": p, "analytic": gradient()}, evidence


@case(WRONG, "penalty")
def arrays_of_a_ridge_regression_without_its_penalty():
    X, t, p = regression()

    def f(w, b):
        return np.mean((X @ w + b - t) ** 2) + 0.7 * np.sum(w**2)

    def gradient():
        error = X @ p["w"] + p["b"] - t
        return {"w": 2 * X.T @ error / len(t), "b": np.array([2 * error.mean()])}

    evidence = Evidence(lambda: f(**p), lambda: list(gradient().values()), [p["w"], p["b"]])
    return (f,), {"parameters": p, "analytic": gradient()}, evidence
