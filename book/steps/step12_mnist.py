"""Step 12: all together, on all of MNIST, beside the library. Same start, same batches: the same numbers.

784 pixels, 128 hidden neurons with ReLU, 10 digits; cross-entropy; batches of 64; momentum 0.9. What the library does
in three lines stands here in full.
"""

import numpy as np

import chainrule as cr

digits = cr.datasets.mnist()
x, labels = digits.train.x, digits.train.y

network = cr.MLP([784, 128, 10], scale=1 / 255, dtype="float64", seed=0)
trainer = cr.Trainer(network, cr.CrossEntropy(), cr.SGD(0.1, momentum=0.9), batch_size=64, seed=0)

theirs = [array for layer in (network.layers[1], network.layers[3]) for array in (layer.W, layer.b)]
W1, b1, W2, b2 = parameters = [array.copy() for array in theirs]
velocities = [np.zeros_like(array) for array in parameters]


def forward(x):
    x = x * (1 / 255)
    z = x @ W1 + b1
    h = np.maximum(z, 0)
    return x, z, h, h @ W2 + b2


def step_of_ours(rows):
    x_batch, z, h, y = forward(x[rows])
    y -= y.max(axis=1, keepdims=True)
    p = np.exp(y)
    p /= p.sum(axis=1, keepdims=True)
    places = np.arange(len(rows)), labels[rows]
    loss = -np.log(p[places]).mean()
    p[places] -= 1
    dy = p / len(rows)
    dz = dy @ W2.T * (z > 0)
    slopes = x_batch.T @ dz, dz.sum(axis=0), h.T @ dy, dy.sum(axis=0)
    for array, v, slope in zip(parameters, velocities, slopes, strict=True):
        v *= 0.9
        v += slope
        array -= 0.1 * v
    return loss


print("Expect: the same loss in every step, the same weights at the end, and more than 95 % of the test images right.")
for step in trainer.steps(x, labels, epochs=1):
    loss = step_of_ours(step.rows)
    assert np.isclose(loss, step.loss, rtol=1e-6)
    if step.index % 200 == 1:
        print(f"step {step.index:3}: loss here {loss:.6f}, in the library {step.loss:.6f}")

apart = max(np.abs(a - b).max() for a, b in zip(parameters, theirs, strict=True))
accuracy = (forward(digits.test.x)[-1].argmax(axis=1) == digits.test.y).mean()
print(f"weights apart by at most {apart:.0e}; test accuracy here {accuracy:.2%}", end="")
print(f", in the library {network.accuracy(*digits.test):.2%}")
assert apart < 1e-6 and accuracy > 0.95
print("So: you have seen all of it. Now read src/chainrule/layers/linear.py.")
