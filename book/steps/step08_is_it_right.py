"""Step 8: a gradient check. Every weight is pushed once, and the two slopes are compared.

Everything is random, so that no two mistakes cancel, and the sizes are different primes, so that no axes are mixed up.
"""

import numpy as np

rng = np.random.default_rng(0)
N, D, H, K = 7, 5, 11, 3
x, labels = rng.normal(size=(N, D)), rng.integers(0, K, N)
parameters = [rng.normal(size=shape) for shape in [(D, H), (H,), (H, K), (K,)]]


def softmax(y):
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_and_gradients(W1, b1, W2, b2, mistake=False):
    z = x @ W1 + b1
    h = np.maximum(z, 0)
    p = softmax(h @ W2 + b2)
    loss = -np.log(p[np.arange(N), labels]).mean()
    dy = p.copy()
    dy[np.arange(N), labels] -= 1
    dy /= N
    dz = (dy @ W2.T) * (1 if mistake else z > 0)  # the mistake: valves are forgotten on the way back
    return loss, [x.T @ dz, dz.sum(axis=0), h.T @ dy, dy.sum(axis=0)]


def largest_error(mistake):
    _, gradients = loss_and_gradients(*parameters, mistake=mistake)
    errors = []
    for array, gradient in zip(parameters, gradients, strict=True):
        pushed = np.zeros_like(array)
        for place in np.ndindex(*array.shape):
            kept, h = array[place], 1e-5
            array[place] = kept + h
            up = loss_and_gradients(*parameters)[0]
            array[place] = kept - h
            down = loss_and_gradients(*parameters)[0]
            array[place] = kept
            pushed[place] = (up - down) / (2 * h)
        errors.append(np.linalg.norm(gradient - pushed) / np.linalg.norm(pushed))
    return max(errors)


print("Expect: an error below 1e-7 as it is, and above 0.1 with a mistake.")
right, wrong = largest_error(False), largest_error(True)
print(f"as it is {right:.1e}, with a mistake {wrong:.1e}")
assert right < 1e-7 and wrong > 0.1
print("So: right and wrong are far apart. There is no need to guess.")
# Next: three layers would make this function long. Each layer becomes a thing of its own.
