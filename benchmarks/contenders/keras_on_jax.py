"""Keras 3 on JAX, its fastest backend for networks of this size, by `fit`, as its documentation does it."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras  # it reads the environment when it is imported
import numpy as np

from contenders import Turns

LAYERS = {
    "linear": lambda D, H: keras.layers.Dense(H),
    "relu": keras.layers.ReLU,
    "tanh": lambda: keras.layers.Activation("tanh"),
    "conv": lambda C, F, size: keras.layers.Conv2D(F, size),
    "pool": keras.layers.MaxPooling2D,
    "flatten": keras.layers.Flatten,
}


def fit(work, data, threads):
    keras.utils.set_random_seed(0)
    x, _ = data.floats()
    y = data.y.astype(np.int32)
    layers = [LAYERS[kind](*sizes) for kind, *sizes in work.layers]
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    model.compile(
        optimizer=keras.optimizers.SGD(work.rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True,
        steps_per_execution=20,  # as many steps in one call, for the same weights in three quarters of the time
    )

    def epoch():
        model.fit(x, y, batch_size=work.batch, epochs=1, verbose=0)

    def predict(x):
        return np.asarray(model.predict_on_batch(x)).argmax(axis=1)  # faster than predict, and than a call of the model

    return Turns(epoch, lambda rows: np.multiply(rows, data.scale, dtype=np.float32), predict)
