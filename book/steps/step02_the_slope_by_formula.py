"""Step 2: the slope by the chain rule, without pushing.

w moves y, and y moves the loss. How much the first moves the last is the product of the two slopes.
"""

x, wanted = 3.0, 6.0
w = 0.0
learning_rate = 0.02


def loss(w):
    return (w * x - wanted) ** 2


print("Expect: the same walk as in step 1, and both slopes alike.")
for step in range(21):
    y = w * x
    dy = 2 * (y - wanted)  # loss = (y - wanted)^2
    dw = dy * x  # y = w x
    h = 1e-6
    pushed = (loss(w + h) - loss(w - h)) / (2 * h)
    assert abs(dw - pushed) < 1e-6
    if step % 5 == 0:
        print(f"step {step:2}: w = {w:.4f}, slope = {dw:9.4f}, by pushing {pushed:9.4f}")
    w -= learning_rate * dw

assert abs(w - 2) < 1e-3
print(f"So: w = {w:.4f}.")
# Next: one example is too easy. Many examples, and a bias.
