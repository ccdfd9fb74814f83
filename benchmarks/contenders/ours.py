"""This library as its README uses it: uint8 images in, scaled by the network batch by batch."""

import chainrule as cr
from contenders import Turns

LAYERS = {
    "linear": cr.Linear,
    "relu": cr.ReLU,
    "tanh": cr.Tanh,
    "conv": cr.Conv2D,
    "pool": cr.MaxPool2D,
    "flatten": cr.Flatten,
}


def trainer(work, data, threads):
    layers = [LAYERS[kind](*sizes) for kind, *sizes in work.layers]
    if data.scale != 1:
        layers = [cr.Rescale(data.scale), *layers]
    network = cr.Network(*layers, in_shape=data.x.shape[1:], output="softmax", seed=0)
    optimizer = cr.SGD(learning_rate=work.rate)
    trainer = cr.Trainer(network, loss=cr.CrossEntropy(), optimizer=optimizer, batch_size=work.batch, seed=0)

    def epoch():
        for _ in trainer.steps(data.x, data.y, epochs=1):
            pass

    return Turns(epoch, lambda x: x, network.predict)
