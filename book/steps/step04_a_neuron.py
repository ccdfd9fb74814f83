"""Step 4: a neuron. A bend after the sum turns a number into yes or no.

It learns AND. The chain is longer by one link: w moves z, z moves a, a moves the loss.
"""

import numpy as np

x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
wanted = np.array([0.0, 0.0, 0.0, 1.0])
w, b = np.zeros(2), 0.0
learning_rate = 2.0


def sigmoid(z):
    e = np.exp(-np.abs(z))  # never above 1, so nothing overflows
    return np.where(z >= 0, 1, e) / (1 + e)


print("Expect: at first 0.5 everywhere, at the end more than 0.5 for (1, 1) alone.")
print("before:", sigmoid(x @ w + b))
for _ in range(1000):
    z = x @ w + b
    a = sigmoid(z)
    da = 2 * (a - wanted) / len(x)
    dz = da * a * (1 - a)  # the slope of the sigmoid
    dw = dz @ x
    db = dz.sum()
    w, b = w - learning_rate * dw, b - learning_rate * db
a = sigmoid(x @ w + b)
print("after: ", a.round(3))

assert ((a > 0.5) == wanted).all()
print(f"So: w = {w.round(2)}, b = {b:.2f}: one input alone does not outweigh b.")
# Next: a better loss, which does not stand still where the neuron is sure and wrong.
