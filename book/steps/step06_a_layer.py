"""Step 6: a layer. Several neurons are a matrix, and softmax makes their scores into probabilities.

Three clouds of points in the plane, three neurons, one for each. Examples are rows: y = x W + b.
"""

import numpy as np

rng = np.random.default_rng(0)
N = 150
labels = np.arange(N) % 3
x = np.array([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]])[labels] + 0.5 * rng.normal(size=(N, 2))
W, b = np.zeros((2, 3)), np.zeros(3)
learning_rate = 0.5


def softmax(y):
    e = np.exp(y - y.max(axis=1, keepdims=True))  # a shift changes no probability
    return e / e.sum(axis=1, keepdims=True)


print("Expect: the loss begins at log 3 = 1.0986, for nothing is known yet, and all points end up in their cloud.")
for step in range(101):
    p = softmax(x @ W + b)
    loss = -np.log(p[np.arange(N), labels]).mean()
    if step == 0:
        assert np.isclose(loss, np.log(3))
    if step % 25 == 0:
        print(f"step {step:3}: loss = {loss:.4f}, right = {(p.argmax(axis=1) == labels).mean():.1%}")
    dy = p.copy()
    dy[np.arange(N), labels] -= 1  # what was said minus what is true
    dy /= N
    dW = x.T @ dy  # y = x W
    db = dy.sum(axis=0)
    W, b = W - learning_rate * dW, b - learning_rate * db

assert (p.argmax(axis=1) == labels).mean() > 0.99
print("So: three straight borders. One layer draws nothing else.")
# Next: what no straight border can part.
