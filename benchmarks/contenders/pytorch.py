"""PyTorch as a careful user runs it on a CPU: data in RAM, batches by index_select, which beats a DataLoader."""

import os

os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # else the first turn would not tell what compiling takes

import torch  # it reads the environment when it is imported
from torch import nn

from contenders import Turns

LAYERS = {
    "linear": nn.Linear,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "conv": nn.Conv2d,
    "pool": nn.MaxPool2d,
    "flatten": nn.Flatten,
}


def eager(work, data, threads):
    return trained(work, data, threads, lambda function: function)


def compiled(work, data, threads):
    # Two graphs, one for full batches and one for the last: a graph for any number of rows is slower.
    return trained(work, data, threads, lambda function: torch.compile(function, dynamic=False))


def trained(work, data, threads, prepared):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = nn.Sequential(*[LAYERS[kind](*sizes) for kind, *sizes in work.layers])
    for layer in network:
        if hasattr(layer, "weight"):  # He's, as the others': from its own start deep networks learn late
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    if work.convolves:
        network = network.to(memory_format=torch.channels_last)  # faster on a CPU than channels first
    # fused: its fastest on a CPU, ahead of foreach and of the plain loop over parameters
    optimizer = torch.optim.SGD(network.parameters(), lr=work.rate, fused=True)
    loss_function = nn.CrossEntropyLoss()
    x, y = enter(data, data.x), torch.tensor(data.y).long()
    forward, answer = lambda x, y: loss_function(network(x), y), lambda x: network(x).argmax(dim=1)
    if work.predict:
        answer = prepared(answer)
    else:
        forward = prepared(forward)

    def epoch():
        for rows in torch.randperm(len(x)).split(work.batch):
            loss = forward(x.index_select(0, rows), y.index_select(0, rows))  # twice as fast as x[rows]
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    @torch.inference_mode()
    def predict(x):
        return answer(x).numpy()

    return Turns(epoch, lambda rows: enter(data, rows), predict)


def enter(data, rows):
    """Floats, and images as (N, C, H, W) in the memory order of (N, H, W, C)."""
    x = torch.tensor(rows).float() * data.scale
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x
