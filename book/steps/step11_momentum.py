"""Step 11: momentum. A step remembers the ones before it, like a ball that rolls downhill.

v = 0.9 v + slope, w = w - rate v. In a long narrow valley the sideways pushes cancel, and those along it add up.
"""

import numpy as np

steepness = np.array([1.0, 100.0])  # loss = (w1^2 + 100 w2^2) / 2: a valley 100 times as steep across as along


def walk(momentum, learning_rate=0.015, steps=100):
    w, v = np.array([1.0, 1.0]), np.zeros(2)
    path = [w]
    for _ in range(steps):
        slope = steepness * w
        v = momentum * v + slope
        w = w - learning_rate * v
        path.append(w)
    return np.array(path)


def loss(w):
    return 0.5 * (steepness * w**2).sum(axis=-1)


print("Expect: with the same rate and number of steps, momentum comes far nearer to the bottom.")
plain, rolling = walk(0.0), walk(0.9)
for step in range(0, 101, 25):
    print(f"step {step:3}: plain {loss(plain[step]):.6f}, with momentum {loss(rolling[step]):.6f}")
assert loss(rolling[-1]) < loss(plain[-1]) / 10

too_fast = walk(0.0, learning_rate=0.021)  # above 2 / 100 the steep direction overshoots more each time
assert loss(too_fast[-1]) > loss(too_fast[0])
print("So: the steepest direction limits the rate, and momentum makes up for it along the others.")
# Next: all of it together.
