"""Functions and closures: caches as dicts, tuples and ctx, gradients in any order, slopes by lambda."""

import numpy as np

from .case import BESIDE, RIGHT, WRONG, case
from .evidence import Evidence, labels, normal, of_pair, one_hot


def slope(f, prime, x, at_output=False):
    """f and a function of its derivative, of x or of f(x)."""
    evidence = Evidence(lambda: f(x).sum(), lambda: [prime(f(x) if at_output else x)], [x])
    return (f, prime), {"x": x}, evidence


@case(RIGHT)
def lambda_tanh():
    return slope(np.tanh, lambda x: 1 - np.tanh(x) ** 2, normal(1, 7, 5))


@case(RIGHT)
def lambda_sigmoid_of_its_output():
    return slope(lambda x: 1 / (1 + np.exp(-x)), lambda s: s * (1 - s), normal(2, 7), at_output=True)


@case(RIGHT)
def swish_of_a_vector():
    def swish(z):
        return z / (1 + np.exp(-z))

    def swish_prime(z):
        s = 1 / (1 + np.exp(-z))
        return s + z * s * (1 - s)

    return slope(swish, swish_prime, normal(3, 11))


@case(RIGHT)
def selu_and_its_slope():
    a, s = 1.6732632423543772, 1.0507009873554805
    return slope(
        lambda x: s * np.where(x > 0, x, a * (np.exp(x) - 1)),
        lambda x: s * np.where(x > 0, 1, a * np.exp(x)),
        normal(4, 7, 3),
    )


@case(RIGHT)
def relu_of_integers():
    def relu(x):
        return np.maximum(0, x)

    def relu_derivative(x):
        return np.where(x > 0, 1, 0)

    x = np.array([[3, -2, 5], [-1, 4, -7]])
    evidence = Evidence(lambda: relu(floats).sum(), lambda: [relu_derivative(floats)], [floats := x.astype(float)])
    return (relu, relu_derivative), {"x": x}, evidence


@case(WRONG, "at-output")
def tanh_derivative_given_tanh():
    return slope(np.tanh, lambda x: 1 - np.tanh(np.tanh(x)) ** 2, normal(5, 7, 5))


@case(WRONG, "at-input")
def tanh_derivative_of_the_output_given_x():
    return slope(np.tanh, lambda x: 1 - x**2, normal(6, 7, 5))


@case(WRONG, "factor")
def tanh_derivative_of_half_the_size():
    return slope(np.tanh, lambda x: 0.5 * (1 - np.tanh(x) ** 2), normal(7, 7, 5))


@case(WRONG, "missing-derivative")
def sigmoid_derivative_is_one_minus_s():
    return slope(lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 - 1 / (1 + np.exp(-x)), normal(8, 7, 5))


@case(WRONG, "unknown")
def leaky_relu_with_another_leak():
    return slope(lambda x: np.where(x > 0, x, 0.1 * x), lambda x: np.where(x > 0, 1, 0.37), normal(9, 7, 5))


# ctx and dictionaries -------------------------------------------------------------------------------------------------


def affine_relu(x, params):
    z = x @ params["W"] + params["b"]
    return np.maximum(z, 0), {"x": x, "z": z, "W": params["W"]}


def affine_relu_grad(dout, cache):
    dz = dout * (cache["z"] > 0)
    return {"x": dz @ cache["W"].T, "W": cache["x"].T @ dz, "b": dz.sum(axis=0)}


def of_dict(backward, n=7, d=5, k=3):
    x, params = normal(11, n, d), {"W": normal(12, d, k), "b": normal(13, k)}
    dy = normal(99, n, k)

    def gradients():
        grads = backward(dy.copy(), affine_relu(x, params)[1])
        return [grads[name] for name in ("x", "W", "b")]

    evidence = Evidence(lambda: (affine_relu(x, params)[0] * dy).sum(), gradients, [x, *params.values()])
    return (affine_relu, backward), {"x": x, "parameters": params}, evidence


@case(RIGHT)
def dict_affine_relu():
    return of_dict(affine_relu_grad)


@case(RIGHT)
def dict_affine_relu_square():
    return of_dict(affine_relu_grad, 5, 5, 5)


@case(WRONG, "wrong-mask")
def dict_affine_relu_masks_by_dout():
    def backward(dout, cache):
        return affine_relu_grad(
            dout * (cache["z"][::-1] > 0) / np.where(cache["z"] > 0, 1, 1), cache | {"z": cache["z"] * 0 + 1}
        )

    return of_dict(backward)


@case(WRONG, "missing-derivative")
def dict_affine_relu_masks_dx_alone():
    def backward(dout, cache):
        return affine_relu_grad(dout, cache) | {"W": cache["x"].T @ dout, "b": dout.sum(axis=0)}

    return of_dict(backward)


@case(WRONG, "input-gradient")
def dict_affine_relu_gives_dz_for_dx():
    def backward(dout, cache):
        return affine_relu_grad(dout, cache) | {"x": dout * (cache["z"] > 0)}

    return of_dict(backward, 7, 4, 4)


@case(WRONG, "bias-axis")
def dict_affine_relu_does_not_sum_db():
    def backward(dout, cache):
        return affine_relu_grad(dout, cache) | {"b": dout * (cache["z"] > 0)}

    return of_dict(backward)


@case(WRONG, "overwritten")
def dict_affine_relu_sorts_out_its_input():
    def forward(x, params):
        x -= x.mean(axis=0)
        return affine_relu(x, params)

    x, params = normal(14, 7, 5), {"W": normal(15, 5, 3), "b": normal(16, 3)}

    def gradients():
        forward(x, params)
        return []

    return (forward, affine_relu_grad), {"x": x, "parameters": params}, Evidence(lambda: 0, gradients, [], kept=[x])


@case(WRONG, "raised")
def dict_affine_relu_asks_for_another_key():
    def backward(dout, cache):
        return {"x": (dout * (cache["Z"] > 0)) @ cache["W"].T}

    return of_dict(backward)


@case(WRONG, "raised")
def dict_affine_relu_multiplies_shapes_that_do_not_fit():
    def backward(dout, cache):
        return affine_relu_grad(dout, cache) | {"W": cache["x"] @ dout}

    return of_dict(backward)


# Softmax as a function ------------------------------------------------------------------------------------------------


def softmax_forward(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, p


def softmax_backward(dp, p):
    return np.einsum("nij,nj->ni", np.einsum("ni,ij->nij", p, np.eye(p.shape[1])) - np.einsum("ni,nj->nij", p, p), dp)


def of_softmax(backward, forward=softmax_forward, shape=(7, 3)):
    z = normal(17, *shape)
    return (forward, backward), {"x": z}, of_pair(forward, backward, z)


@case(RIGHT)
def softmax_by_einsum():
    return of_softmax(softmax_backward)


@case(RIGHT)
def softmax_by_einsum_square():
    return of_softmax(softmax_backward, shape=(5, 5))


@case(WRONG, "softmax-diagonal")
def softmax_function_like_a_sigmoid():
    return of_softmax(lambda dp, p: dp * p * (1 - p))


@case(WRONG, "softmax-diagonal")
def softmax_function_without_its_diagonal():
    return of_softmax(lambda dp, p: -p * (dp * p).sum(axis=1, keepdims=True))


@case(WRONG, "softmax-axis")
def softmax_function_over_the_examples():
    def forward(z):
        e = np.exp(z)
        return e / e.sum(axis=0), e / e.sum(axis=0)

    z, dy = normal(18, 7, 3), normal(19, 7, 3)

    def gradients():  # of the softmax that it should be
        return [softmax_backward(dy, forward(z)[0])]

    return (forward, softmax_backward), {"x": z}, Evidence(lambda: (forward(z)[0] * dy).sum(), gradients, [z])


@case(BESIDE, "beside-loss")
def softmax_function_hands_on_what_it_gets():
    args, kwargs, alone = of_softmax(lambda dp, p: dp)
    z, t = kwargs["x"], one_hot(labels(20, 7, 3), 3)

    def gradients():
        p, cache = softmax_forward(z)
        return [args[1](p - t, cache)]

    return args, kwargs, alone, Evidence(lambda: -(t * np.log(softmax_forward(z)[0])).sum(), gradients, [z])
