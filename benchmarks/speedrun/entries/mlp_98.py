"""196-320-10 on images of 14 x 14, three epochs, one-cycle."""

import numpy as np

import chainrule as cr

BAR = 98


def run(x, y, test_x, seed):
    network = cr.MLP([196, 320, 10], scale=1 / 340, seed=seed)
    optimizer = cr.SGD(cr.OneCycle(0.3, warmup=0.1), momentum=0.8)
    cr.Trainer(network, "cross_entropy", optimizer, batch_size=96, seed=seed).fit(halved(x), y, epochs=3)
    return network.predict(halved(test_x))


def halved(x):
    """Each square of 2 x 2 pixels as one, their sum: 0 to 1020."""
    rows = x.reshape(-1, 14, 2, 28)
    pairs = np.add(rows[:, :, 0], rows[:, :, 1], dtype=np.uint16).reshape(-1, 196, 2)
    return pairs[..., 0] + pairs[..., 1]
