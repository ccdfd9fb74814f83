"""PyTorch as a careful user runs it on a CPU: data in RAM, batches by indexing a tensor, which beats a DataLoader."""

import torch
from torch import nn

from contenders import BATCH_SIZE, LEARNING_RATE, WIDTHS


def eager(digits, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    D, H, K = WIDTHS
    network = nn.Sequential(nn.Linear(D, H), nn.ReLU(), nn.Linear(H, K))
    loss_function = nn.CrossEntropyLoss()
    # fused: its fastest on a CPU, ahead of foreach and of the plain loop over parameters
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, fused=True)
    (x, y), (test_x, test_y) = (
        (torch.tensor(part.x).float() / 255, torch.tensor(part.y).long()) for part in (digits.train, digits.test)
    )

    def epoch():
        for rows in torch.randperm(len(x)).split(BATCH_SIZE):
            loss = loss_function(network(x[rows]), y[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    @torch.no_grad()
    def accuracy():
        return float((network(test_x).argmax(dim=1) == test_y).float().mean())

    return epoch, accuracy
