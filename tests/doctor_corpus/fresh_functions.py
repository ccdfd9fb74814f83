"""Plain functions of a week's homework: (out, cache) pairs, columns after a course, slopes, arrays in a closure."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal, of_pair


def fc_forward(X, W, b):
    """X (N, ...), W (D, M), b (M,)."""
    flat = X.reshape(len(X), -1)
    return flat @ W + b, (flat, X.shape, W)


def fc_backward(dout, cache):
    flat, shape, W = cache
    return (dout @ W.T).reshape(shape), flat.T @ dout, np.sum(dout, 0)


def fc(backward=fc_backward, shape=(9, 4), out=6, forward=fc_forward):
    X = normal(101, *shape)
    W, b = normal(102, X[0].size, out), normal(103, out)
    handed = {"x": X.copy(), "parameters": {"W": W.copy(), "b": b.copy()}}
    return (forward, backward), handed, of_pair(forward, backward, X, W, b)


@case(RIGHT)
def blind_fc():
    return fc()


@case(RIGHT)
def blind_fc_of_small_images():
    return fc(shape=(6, 2, 2, 3), out=4)


@case(RIGHT)
def blind_fc_with_everything_square():
    return fc(shape=(6, 6), out=6)


@case(WRONG, "transposed")
def blind_fc_square_forgets_to_turn_w():
    def backward(dout, cache):
        flat, _, W = cache
        return dout @ W, flat.T @ dout, dout.sum(axis=0)

    return fc(backward, shape=(8, 5), out=5)


@case(WRONG, "bias-axis")
def blind_fc_db_is_one_number():
    def backward(dout, cache):
        dX, dW, _ = fc_backward(dout, cache)
        return dX, dW, np.sum(dout)

    return fc(backward)


@case(WRONG, "mean-for-sum")
def blind_fc_db_is_averaged():
    def backward(dout, cache):
        dX, dW, _ = fc_backward(dout, cache)
        return dX, dW, dout.mean(axis=0)

    return fc(backward)


@case(WRONG, "input-gradient")
def blind_fc_dx_is_left_none():
    def backward(dout, cache):
        _, dW, db = fc_backward(dout, cache)
        return None, dW, db

    return fc(backward)


@case(WRONG, "input-gradient")
def blind_fc_dx_stays_flat():
    def backward(dout, cache):
        flat, _, W = cache
        return dout @ W.T, flat.T @ dout, dout.sum(axis=0)

    return fc(backward, shape=(5, 3, 2, 2), out=4)


@case(WRONG, "raised")
def blind_fc_multiplies_the_wrong_way_round():
    def backward(dout, cache):
        flat, shape, W = cache
        return (dout @ W.T).reshape(shape), flat @ dout, dout.sum(axis=0)

    return fc(backward)


@case(WRONG, "raised")
def blind_fc_cache_lacks_the_shape():
    def forward(X, W, b):
        flat = X.reshape(len(X), -1)
        return flat @ W + b, (flat, W)

    return fc(fc_backward, forward=forward)


@case(WRONG, "overwritten")
def blind_fc_scales_the_callers_x():
    def forward(X, W, b):
        X /= 2.0  # to the range of the weights
        return X @ W + b, (X, W)

    def backward(dout, cache):
        X, W = cache
        return dout @ W.T / 2.0, X.T @ dout, dout.sum(axis=0)

    return fc(backward, forward=forward)


def fc_tanh_forward(X, W, b):
    z, cache = fc_forward(X, W, b)
    return np.tanh(z), (cache, z)


def fc_tanh(backward):
    return fc(backward, forward=fc_tanh_forward)


@case(RIGHT)
def blind_fc_tanh():
    return fc_tanh(lambda dout, cache: fc_backward(dout * (1 - np.tanh(cache[1]) ** 2), cache[0]))


@case(WRONG, "at-input")
def blind_fc_tanh_squares_z():
    return fc_tanh(lambda dout, cache: fc_backward(dout * (1 - cache[1] ** 2), cache[0]))


@case(WRONG, "missing-derivative")
def blind_fc_tanh_without_its_slope():
    return fc_tanh(lambda dout, cache: fc_backward(dout, cache[0]))


@case(WRONG, "at-output")
def blind_fc_tanh_of_tanh():
    def backward(dout, cache):
        A = np.tanh(cache[1])
        return fc_backward(dout * (1 - np.tanh(A) ** 2), cache[0])

    return fc_tanh(backward)


# Columns --------------------------------------------------------------------------------------------------------------


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def linear_activation_forward(A_prev, W, b):
    Z = W @ A_prev + b
    return sigmoid(Z), ((A_prev, W, b), Z)


def linear_activation_backward(dA, cache):
    (A_prev, W, _), Z = cache
    s = sigmoid(Z)
    dZ = dA * s * (1 - s)
    return W.T @ dZ, dZ @ A_prev.T, np.sum(dZ, axis=1, keepdims=True)


def columns(backward, n_in=4, n_out=3):
    A, W, b = normal(111, n_in, 10), normal(112, n_out, n_in), normal(113, n_out, 1)
    evidence = of_pair(linear_activation_forward, backward, A, W, b)
    return (linear_activation_forward, backward), {"x": A, "parameters": {"W": W, "b": b}}, evidence


@case(RIGHT)
def blind_columns_sigmoid():
    return columns(linear_activation_backward)


@case(RIGHT)
def blind_columns_sigmoid_square():
    return columns(linear_activation_backward, 4, 4)


@case(WRONG, "transposed")
def blind_columns_dw_lies_on_its_side():
    def backward(dA, cache):
        dA_prev, dW, db = linear_activation_backward(dA, cache)
        return dA_prev, dW.T, db

    return columns(backward, 4, 4)


@case(WRONG, "extra-derivative")
def blind_columns_slope_once_more():
    def backward(dA, cache):
        s = sigmoid(cache[1])
        return linear_activation_backward(dA * s * (1 - s), cache)

    return columns(backward)


@case(WRONG, "bias-axis")
def blind_columns_db_summed_over_the_neurons():
    def backward(dA, cache):
        (A_prev, W, _), Z = cache
        dZ = dA * sigmoid(Z) * (1 - sigmoid(Z))
        return W.T @ dZ, dZ @ A_prev.T, np.sum(dZ, axis=0, keepdims=True)

    return columns(backward)


# Slopes ---------------------------------------------------------------------------------------------------------------


def slope(f, derivative, given_output=False, seed=121):
    x = normal(seed, 12)
    return (
        (f, derivative),
        {"x": x},
        Evidence(lambda: f(x).sum(), lambda: [derivative(f(x) if given_output else x)], [x]),
    )


@case(RIGHT)
def blind_slope_of_tanh():
    def tanh_prime(x):
        return 1 - np.tanh(x) ** 2

    return slope(np.tanh, tanh_prime)


@case(RIGHT)
def blind_slope_of_relu():
    def relu(x):
        return np.maximum(0, x)

    def relu_derivative(x):
        return (x > 0).astype(float)

    return slope(relu, relu_derivative)


@case(RIGHT)
def blind_slope_of_tanh_by_its_output():
    def dtanh(y):
        return 1 - y * y

    return slope(np.tanh, dtanh, given_output=True)


@case(WRONG, "factor")
def blind_slope_of_a_square_without_its_two():
    def square(x):
        return x**2

    def square_prime(x):
        return x

    return slope(square, square_prime)


@case(WRONG, "unknown")
def blind_slope_of_softplus_lacks_its_denominator():
    def softplus(x):
        return np.log(1 + np.exp(x))

    def softplus_prime(x):
        return np.exp(x)

    return slope(softplus, softplus_prime)


@case(WRONG, "unknown")
def blind_slope_of_gelu_without_the_product():
    def gelu(x):
        return x * sigmoid(1.702 * x)

    def gelu_grad(x):
        return sigmoid(1.702 * x) + 1.702 * sigmoid(1.702 * x)

    return slope(gelu, gelu_grad)
