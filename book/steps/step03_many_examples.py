"""Step 3: many examples and a bias. What each of them wants is added up.

The machine is y = w x + b. The loss is the mean over all examples, so each has a share of 1/N in the slope.
"""

import numpy as np

rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, 50)
wanted = 3 * x - 1 + 0.1 * rng.normal(size=50)  # a line, measured badly
w, b = 0.0, 0.0
learning_rate = 0.5

print("Expect: w near 3, b near -1, and the same line as the formula of least squares.")
for step in range(101):
    y = w * x + b
    loss = ((y - wanted) ** 2).mean()
    dy = 2 * (y - wanted) / len(x)
    dw = (dy * x).sum()  # every example has its say
    db = dy.sum()  # b is added to every y as it is
    if step % 25 == 0:
        print(f"step {step:3}: w = {w:.4f}, b = {b:.4f}, loss = {loss:.4f}")
    w, b = w - learning_rate * dw, b - learning_rate * db

slope, offset = np.polyfit(x, wanted, 1)
assert abs(w - slope) < 1e-6 and abs(b - offset) < 1e-6
print(f"So: y = {w:.4f} x + {b:.4f}; least squares says {slope:.4f} x + {offset:.4f}.")
# Next: not a number but yes or no.
