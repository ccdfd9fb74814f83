"""Functions that take data and parameters and answer with a number; activations whose backward is a slope."""

import numpy as np

from .case import RIGHT, WRONG, case
from .evidence import Evidence, normal


def objective(x, y, V, c, u):
    """One hidden layer of softplus units, one output, logistic loss summed; y is -1 or 1."""
    z = np.einsum("nd,dh->nh", x, V) + c
    margin = y * (np.logaddexp(0, z) @ u)
    return np.logaddexp(0, -margin).sum(), {"z": z, "margin": margin}


def rate(z):
    return 0.5 + 0.5 * np.tanh(0.5 * z)


def derivatives(x, y, V, c, u, cache):
    z = cache["z"]
    d = -y * rate(-cache["margin"])
    dz = np.outer(d, u) * rate(z)
    return {"x": dz @ V.T, "u": np.logaddexp(0, z).T @ d, "V": x.T @ dz, "c": dz.sum(axis=0)}


def scored(backward, n=13, d=3, h=5):
    x, y = normal(801, n, d), np.sign(normal(802, n))
    p = {"V": normal(803, d, h), "c": normal(804, h), "u": normal(805, h)}

    def gradients():
        grads = backward(x, y, **p, cache=objective(x, y, **p)[1])
        return [grads[name] for name in ("x", *p)]

    evidence = Evidence(lambda: objective(x, y, **p)[0], gradients, [x, *p.values()], kept=[y])
    return (objective, backward), {"x": x, "y": y, "parameters": p}, evidence


@case(RIGHT)
def objective_of_margins():
    return scored(derivatives)


@case(RIGHT)
def objective_of_margins_square():
    return scored(derivatives, n=5, d=5, h=5)


@case(WRONG, "missing-derivative")
def objective_of_margins_leaves_the_hidden_slope_out():
    def backward(x, y, V, c, u, cache):
        dz = np.outer(-y * rate(-cache["margin"]), u)
        return derivatives(x, y, V, c, u, cache) | {"x": dz @ V.T, "V": x.T @ dz, "c": dz.sum(axis=0)}

    return scored(backward)


@case(WRONG, "wrong-input")
def objective_of_margins_takes_z_for_the_hidden_units():
    def backward(x, y, V, c, u, cache):
        d = -y * rate(-cache["margin"])
        return derivatives(x, y, V, c, u, cache) | {"u": cache["z"].T @ d}

    return scored(backward, n=7, d=2, h=3)


@case(WRONG, "twice-n")
def objective_of_margins_is_a_sum_and_its_gradient_a_mean():
    def backward(x, y, V, c, u, cache):
        return {name: g / len(y) for name, g in derivatives(x, y, V, c, u, cache).items()}

    return scored(backward, n=11)


class Bend:
    """backward is the slope, and says by its argument's name where it wants to be evaluated."""

    def forward(self, z):
        return np.arcsinh(z)

    def backward(self, z):
        return 1 / np.sqrt(1 + z * z)


class BendOfOutput(Bend):
    def backward(self, output):
        return 1 / np.cosh(output)


def bent(activation, at):
    z = normal(806, 3, 11)
    evidence = Evidence(lambda: np.sum(activation.forward(z)), lambda: [activation.backward(at(z))], [z])
    return (activation,), {"x": z}, evidence


@case(RIGHT)
def bend_by_its_input():
    return bent(Bend(), lambda z: z)


@case(RIGHT)
def bend_by_its_output():
    return bent(BendOfOutput(), np.arcsinh)


@case(WRONG, "at-output")
def bend_by_its_input_evaluated_at_its_output():
    class Faulty(Bend):
        def backward(self, z):
            return super().backward(self.forward(z))

    return bent(Faulty(), lambda z: z)


@case(WRONG, "at-input")
def bend_by_its_output_evaluated_at_its_input():
    class Faulty(Bend):
        def backward(self, z):
            return 1 / np.cosh(z)

    return bent(Faulty(), lambda z: z)
