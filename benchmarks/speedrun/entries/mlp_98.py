"""196-384-10 on images of 14 x 14, two epochs, one-cycle."""

import numpy as np

import chainrule as cr

BAR = 98


def run(x, y, test_x, seed):
    network = cr.MLP([196, 384, 10], seed=seed)
    optimizer = cr.SGD(cr.OneCycle(0.3, warmup=0.2), momentum=0.9)
    cr.Trainer(network, "cross_entropy", optimizer, batch_size=128, seed=seed).fit(halved(x), y, epochs=2)
    return network.predict(halved(test_x))


def halved(x):
    """Each square of 2 x 2 pixels as one, their mean, in 0..1."""
    x = x.reshape(-1, 14, 2, 14, 2)
    total = x[:, :, 0, :, 0].astype(np.float32)
    for i, j in ((0, 1), (1, 0), (1, 1)):
        total += x[:, :, i, :, j]
    total *= 1 / (4 * 255)
    return total.reshape(len(x), 196)
