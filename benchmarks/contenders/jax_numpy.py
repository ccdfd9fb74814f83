"""JAX: a jitted step called from a loop, and the whole epoch as one jitted scan, its fastest way."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from contenders import Turns


def step_by_step(work, data, threads):
    x, y, params, _ = prepared(work, data)
    rng = np.random.default_rng(0)
    # x and y are arguments: as constants of the function they would be compiled into it, for seconds
    step = jax.jit(lambda params, x, y, rows: update(work, params, x[rows], y[rows]), donate_argnums=0)

    def epoch():
        nonlocal params
        order = rng.permutation(len(x))
        for start in range(0, len(x), work.batch):
            params, _loss = step(params, x, y, order[start : start + work.batch])
        jax.block_until_ready(params)

    return Turns(epoch, entering(data), predicting(work, lambda: params))


def whole_epoch(work, data, threads):
    x, y, params, key = prepared(work, data)
    full = len(x) // work.batch * work.batch

    @partial(jax.jit, donate_argnums=0)
    def run(params, x, y, key):
        order = jax.random.permutation(key, len(x))
        batches = order[:full].reshape(-1, work.batch)
        params, losses = lax.scan(lambda params, rows: update(work, params, x[rows], y[rows]), params, batches)
        if full < len(x):
            params, _loss = update(work, params, x[order[full:]], y[order[full:]])
        return params, losses

    def epoch():
        nonlocal params, key
        key, now = jax.random.split(key)
        params, _losses = jax.block_until_ready(run(params, x, y, now))

    return Turns(epoch, entering(data), predicting(work, lambda: params))


def prepared(work, data):
    """x, y, parameters and a key, all in JAX's memory."""
    key, *keys = jax.random.split(jax.random.key(0), 1 + len(work.layers))
    params = [weights(layer, each) for layer, each in zip(work.layers, keys, strict=True)]
    return jnp.asarray(data.x, jnp.float32) * data.scale, jnp.asarray(data.y), params, key


def weights(layer, key):
    kind, *sizes = layer
    if kind not in ("linear", "conv"):
        return ()
    shape = sizes if kind == "linear" else (sizes[2], sizes[2], *sizes[:2])
    scale = (2 / np.prod(shape[:-1])) ** 0.5
    return scale * jax.random.normal(key, shape, jnp.float32), jnp.zeros(shape[-1], jnp.float32)


def forward(work, params, x):
    for (kind, *sizes), p in zip(work.layers, params, strict=True):
        if kind == "linear":
            x = x @ p[0] + p[1]
        elif kind == "conv":
            x = lax.conv_general_dilated(x, p[0], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + p[1]
        elif kind == "pool":
            window = (1, *sizes, *sizes, 1)
            x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
        elif kind == "relu":
            x = jax.nn.relu(x)
        elif kind == "tanh":
            x = jnp.tanh(x)
        else:
            x = x.reshape(len(x), -1)
    return x


def update(work, params, x, y):
    def loss(params):
        logits = jax.nn.log_softmax(forward(work, params, x))
        return -jnp.take_along_axis(logits, y[:, None], axis=1).mean()

    value, grads = jax.value_and_grad(loss)(params)
    return jax.tree.map(lambda p, g: p - work.rate * g, params, grads), value


def entering(data):
    return lambda rows: jnp.asarray(rows, jnp.float32) * data.scale


def predicting(work, params):
    answer = jax.jit(lambda params, x: forward(work, params, x).argmax(axis=1))
    return lambda x: np.asarray(answer(params(), x))
