"""neuralnetlib, a library in NumPy with layers by hand as ours has, by its `fit`, in float32 and without clipping."""

import numpy as np
from neuralnetlib.layers import Activation, Conv2D, Dense, Flatten, Input, MaxPooling2D
from neuralnetlib.losses import CategoricalCrossentropy
from neuralnetlib.models import Sequential
from neuralnetlib.optimizers import SGD

from contenders import Turns

LAYERS = {
    "linear": lambda D, H: Dense(H, "he_normal"),
    "relu": lambda: Activation("relu"),
    "tanh": lambda: Activation("tanh"),
    "conv": lambda C, F, size: Conv2D(F, size, weights_init="he"),
    "pool": MaxPooling2D,
    "flatten": Flatten,
}


def sequential(work, data, threads):
    x, _ = data.floats()
    y = np.eye(work.widths[-1], dtype=np.float32)[data.y]
    model = Sequential(gradient_clip_threshold=0, random_state=0)
    model.add(Input(x.shape[1] if x.ndim == 2 else x.shape[1:]))
    for kind, *sizes in work.layers:
        model.add(LAYERS[kind](*sizes))
    model.add(Activation("softmax"))
    model.compile(CategoricalCrossentropy(), SGD(work.rate / work.batch))  # it sums gradients where others average
    model.forward_pass(x[:1])  # makes the weights, in float64
    for layer in model.layers:
        if getattr(layer, "weights", None) is not None:
            layer.weights, layer.bias = layer.weights.astype(np.float32), layer.bias.astype(np.float32)

    def epoch():
        model.fit(x, y, epochs=1, batch_size=work.batch, verbose=False)

    def predict(x):
        return model.forward_pass(x, training=False).argmax(axis=1)

    return Turns(epoch, lambda rows: np.multiply(rows, data.scale, dtype=np.float32), predict)
