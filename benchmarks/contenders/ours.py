"""This library as its README uses it: uint8 images in, scaled by the network batch by batch."""

import chainrule as cr
from contenders import BATCH_SIZE, LEARNING_RATE, WIDTHS


def trainer(digits, threads):
    network = cr.MLP(list(WIDTHS), scale=1 / 255, seed=0)
    optimizer = cr.SGD(learning_rate=LEARNING_RATE)
    trainer = cr.Trainer(network, loss=cr.CrossEntropy(), optimizer=optimizer, batch_size=BATCH_SIZE, seed=0)

    def epoch():
        for _ in trainer.steps(digits.train.x, digits.train.y, epochs=1):
            pass

    return epoch, lambda: network.accuracy(digits.test.x, digits.test.y)
