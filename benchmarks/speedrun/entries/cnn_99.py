"""Two convolutions of 5 x 5 with stride 2, 16 and 32 channels, batch norm; three epochs, one-cycle."""

import chainrule as cr

BAR = 99


def run(x, y, test_x, seed):
    network = cr.Network(
        *(cr.Rescale(1 / 255), cr.Reshape(28, 28, 1)),
        *(cr.Conv2D(1, 16, 5, stride=2), cr.BatchNorm(), cr.ReLU()),  # 12 x 12 pixels: a stride instead of pooling
        *(cr.Conv2D(16, 32, 5, stride=2), cr.BatchNorm(), cr.ReLU()),  # 4 x 4
        *(cr.Flatten(), cr.Linear(512, 128), cr.ReLU(), cr.Linear(128, 10)),
        in_shape=(784,),
        seed=seed,
    )
    optimizer = cr.SGD(cr.OneCycle(0.1, warmup=0.2), momentum=0.9)
    cr.Trainer(network, "cross_entropy", optimizer, batch_size=64, seed=seed).fit(x, y, epochs=3)
    return network.predict(test_x)
