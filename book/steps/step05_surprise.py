"""Step 5: cross-entropy. The cost of an answer is how surprising the truth is to it: -log of what it gave the truth.

Now the slope of the sigmoid cancels: dL/dz is what was said minus what is true.
"""

import numpy as np

x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
wanted = np.array([0.0, 0.0, 0.0, 1.0])


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def steps_until_right(dz_of, b):
    w = np.zeros(2)
    for step in range(5000):
        a = sigmoid(x @ w + b)
        if ((a > 0.5) == wanted).all():
            return step
        dz = dz_of(a) / len(x)
        w, b = w - dz @ x, b - dz.sum()
    return step


def squared_error(a):
    return 2 * (a - wanted) * a * (1 - a)


def cross_entropy(a):
    return a - wanted


print("Expect: from a start that is sure and wrong (b = 10), cross-entropy needs far fewer steps.")
slow, fast = steps_until_right(squared_error, b=10.0), steps_until_right(cross_entropy, b=10.0)
print(f"squared error: {slow} steps, cross-entropy: {fast} steps")

z, h = np.array([0.7, -1.2, 3.0, -0.1]), 1e-6  # pushed: -log(a) where yes is right, -log(1 - a) where no is
pushed = [np.log(sigmoid(z - h)) - np.log(sigmoid(z + h)), np.log(1 - sigmoid(z - h)) - np.log(1 - sigmoid(z + h))]
assert np.allclose(np.where(wanted == 1, *pushed) / (2 * h), cross_entropy(sigmoid(z)), atol=1e-8)
assert fast < slow / 5
print("So: a - wanted, with no slope of the sigmoid in it, does not get stuck.")
# Next: more answers than yes and no.
