"""Classroom functions: forward with a cache, backward with it, and slopes of activations."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal, of_pair


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout.dot(w.T).reshape(x.shape)
    return dx, x.reshape(x.shape[0], -1).T.dot(dout), dout.sum(axis=0)


def affine(backward, x, k=3):
    w, b = normal(91, x[0].size, k), normal(92, k)
    args = affine_forward, backward
    return args, {"x": x, "parameters": {"w": w, "b": b}}, of_pair(*args, x, w, b)


@case(RIGHT)
def bl_affine_images():
    return affine(affine_backward, normal(93, 5, 2, 3))


@case(RIGHT)
def bl_affine_plain():
    return affine(affine_backward, normal(94, 6, 4))


@case(WRONG, "transposed")
def bl_affine_dw_flipped():
    def backward(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return dx, dw.T, db

    return affine(backward, normal(95, 6, 3))


@case(WRONG, "input-gradient")
def bl_affine_dx_left_flat():
    def backward(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return dx.reshape(len(dx), -1), dw, db

    return affine(backward, normal(93, 5, 2, 3))


@case(WRONG, "bias-axis")
def bl_affine_db_axis_one():
    def backward(dout, cache):
        dx, dw, _ = affine_backward(dout, cache)
        return dx, dw, dout.sum(axis=1)

    return affine(backward, normal(96, 3, 4))


def relu_forward(x):
    return np.maximum(0, x), x


def relu(backward):
    x = normal(97, 5, 6)
    return (relu_forward, backward), {"x": x}, of_pair(relu_forward, backward, x)


@case(RIGHT)
def bl_relu_functions():
    def relu_backward(dout, cache):
        return np.where(cache > 0, dout, 0)

    return relu(relu_backward)


@case(WRONG, "wrong-mask")
def bl_relu_masks_by_upstream():
    def relu_backward(dout, cache):
        return dout * (dout > 0)

    return relu(relu_backward)


@case(WRONG, "missing-derivative")
def bl_relu_copies_dout():
    def relu_backward(dout, cache):
        return np.array(dout, copy=True)

    return relu(relu_backward)


def layernorm_forward(x, gamma, beta):
    mu, std = x.mean(axis=1, keepdims=True), np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    xhat = (x - mu) / std
    return gamma * xhat + beta, (xhat, std, gamma)


def layernorm_backward(dout, cache):
    xhat, std, gamma = cache
    g = dout * gamma
    dx = (g - g.mean(axis=1, keepdims=True) - xhat * (g * xhat).mean(axis=1, keepdims=True)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def layernorm(backward):
    x, gamma, beta = normal(98, 6, 5), 1 + 0.2 * normal(88, 5), normal(89, 5)
    args = layernorm_forward, backward
    return args, {"x": x, "parameters": {"gamma": gamma, "beta": beta}}, of_pair(*args, x, gamma, beta)


@case(RIGHT)
def bl_layernorm_functions():
    return layernorm(layernorm_backward)


@case(WRONG, "norm-terms")
def bl_layernorm_functions_no_mean_path():
    def backward(dout, cache):
        xhat, std, gamma = cache
        _, dgamma, dbeta = layernorm_backward(dout, cache)
        g = dout * gamma
        return (g - xhat * (g * xhat).mean(axis=1, keepdims=True)) / std, dgamma, dbeta

    return layernorm(backward)


def slope_of(f, prime, at_output=False):
    x = normal(87, 9)
    return (f, prime), {"x": x}, Evidence(lambda: f(x).sum(), lambda: [prime(f(x) if at_output else x)], [x])


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


@case(RIGHT)
def bl_sigmoid_prime():
    def sigmoid_prime(x):
        return sigmoid(x) * (1 - sigmoid(x))

    return slope_of(sigmoid, sigmoid_prime)


@case(RIGHT)
def bl_sigmoid_prime_of_output():
    def sigmoid_derivative(a):
        return a * (1 - a)

    return slope_of(sigmoid, sigmoid_derivative, at_output=True)


@case(WRONG, "at-input")
def bl_sigmoid_prime_of_x_without_sigmoid():
    def sigmoid_prime(x):
        return x * (1 - x)

    return slope_of(sigmoid, sigmoid_prime)


@case(WRONG, "factor")
def bl_tanh_prime_sign():
    def tanh(x):
        return np.tanh(x)

    def tanh_prime(x):
        return np.tanh(x) ** 2 - 1

    return slope_of(tanh, tanh_prime)
