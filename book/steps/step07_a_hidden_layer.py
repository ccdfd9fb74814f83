"""Step 7: a hidden layer. The slopes go on backwards, through the second layer into the first.

XOR: no straight line parts its corners. Sixteen neurons with ReLU come before the last two. The weights begin random,
with the variance 2 / inputs (He): so the numbers grow no larger or smaller from layer to layer.
"""

import numpy as np

rng = np.random.default_rng(0)
x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
labels = np.array([0, 1, 1, 0])
N = len(x)
W1, b1 = rng.normal(size=(2, 16)) * np.sqrt(2 / 2), np.zeros(16)  # random, or all sixteen would stay the same
W2, b2 = rng.normal(size=(16, 2)) * np.sqrt(2 / 16), np.zeros(2)
learning_rate = 0.5


def softmax(y):
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


print("Expect: all four corners right, and a loss below 0.01.")
for step in range(1001):
    z = x @ W1 + b1
    h = np.maximum(z, 0)
    p = softmax(h @ W2 + b2)
    loss = -np.log(p[np.arange(N), labels]).mean()
    if step % 250 == 0:
        print(f"step {step:4}: loss = {loss:.4f}, right = {(p.argmax(axis=1) == labels).sum()} of 4")
    dy = p.copy()
    dy[np.arange(N), labels] -= 1
    dy /= N
    dW2, db2 = h.T @ dy, dy.sum(axis=0)
    dh = dy @ W2.T  # h goes into every neuron of the last layer, so all of them send their slope back
    dz = dh * (z > 0)  # an open valve lets it through, a shut one does not
    dW1, db1 = x.T @ dz, dz.sum(axis=0)
    W1, b1 = W1 - learning_rate * dW1, b1 - learning_rate * db1
    W2, b2 = W2 - learning_rate * dW2, b2 - learning_rate * db2

assert (p.argmax(axis=1) == labels).all() and loss < 0.01
print("So: two layers and a bend part what one could not.")
# Next: are these slopes right? The loss would have fallen with slightly wrong ones too.
