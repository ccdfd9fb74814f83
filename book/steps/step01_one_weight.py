"""Step 1: one weight learns one number, by being pushed.

The machine is y = w x. It shall answer 6 when it is shown 3. Nobody tells it that w must be 2: it tries a little more
and a little less, sees which of them makes the loss smaller, and moves that way.
"""

x, wanted = 3.0, 6.0
w = 0.0
learning_rate = 0.02


def loss(w):
    return (w * x - wanted) ** 2


print("Expect: the loss falls from 36 to nearly 0, and w comes to 2.")
for step in range(21):
    h = 1e-6
    slope = (loss(w + h) - loss(w - h)) / (2 * h)  # by how much the loss rises when w rises a little
    if step % 5 == 0:
        print(f"step {step:2}: w = {w:.4f}, loss = {loss(w):9.6f}, slope = {slope:9.4f}")
    w -= learning_rate * slope  # downhill

assert abs(w - 2) < 1e-3 and loss(w) < 1e-4
print(f"So: w = {w:.4f}.")
# Next: pushing needs two looks for every weight. The slope can be had by a formula.
