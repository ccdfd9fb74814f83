"""Makes the pictures of docs/gallery.md, each by the very line of Python that is shown above it.

python docs/gallery/make.py [NAME ...]     all of them, or those whose file has one of the names
"""

import re
import sys
from pathlib import Path

import numpy as np

import chainrule as cr

HERE = Path(__file__).parent
SHOWN = re.compile(r"```python\n(?P<line>[^`]+)```\n+!\[[^\]]*\]\((?P<file>[^)]+)\)")
DOTS_PER_INCH = 80


def pictures():
    """The lines of Python in the gallery, and the file that each one makes."""
    text = (HERE.parent / "gallery.md").read_text(encoding="utf-8")
    return [(match["line"], HERE.parent / match["file"]) for match in SHOWN.finditer(text)]


def trained(network, data, loss, optimizer, epochs, batch_size=32):
    """The trainer, after its work."""
    trainer = cr.Trainer(network, loss, optimizer, batch_size=batch_size)
    trainer.fit(data.train.x, data.train.y, epochs=epochs, validation=data.validation or data.test)
    return trainer


def toy(data, epochs=100):
    """A network that has learned one of the sets of points in the plane."""
    network = cr.MLP([2, 32, 32, 2], class_names=data.class_names)
    return trained(network, data, "cross_entropy", cr.Adam(cr.OneCycle(0.02)), epochs).network


def names():
    """What the lines speak of."""
    digits = cr.datasets.mnist()
    network = cr.MLP([784, 64, 32, 10], scale=1 / 255)
    few = cr.datasets.Dataset(
        train=cr.datasets.Split(digits.train.x[:2000], digits.train.y[:2000]),
        validation=cr.datasets.Split(digits.validation.x[:2000], digits.validation.y[:2000]),
        test=digits.test,
    )
    trainer = trained(
        network, digits, "cross_entropy", cr.SGD(cr.OneCycle(0.15), momentum=0.9), epochs=4, batch_size=64
    )
    doubtful = np.flatnonzero(network.predict_proba(digits.test.x[:1000]).max(axis=1) < 0.6)[:10]
    xor, circles, spirals, surface = (getattr(cr.datasets, name)() for name in ("xor", "circles", "spirals", "surface"))
    moons = cr.datasets.moons(noise=0.2)
    clover = three_classes()
    bowl = cr.Network(cr.Linear(2, 10), cr.Tanh(), cr.Linear(10, 1), output="identity")
    return {
        "cr": cr,
        "digits": digits,
        "augmented": augmented(digits.train.x[:5].astype(np.float32)),
        "network": network,
        "trainer": trainer,
        "beginner": cr.Trainer(
            cr.MLP([784, 64, 32, 10], scale=1 / 255), "cross_entropy", cr.SGD(momentum=0.9), batch_size=64
        ),
        "x": digits.test.x[doubtful],
        "y": digits.test.y[doubtful],
        "xor_network": trained(cr.MLP([2, 4, 2], "tanh"), xor, "cross_entropy", cr.Adam(0.05), 200).network,
        "circles": circles,
        "circles_network": toy(circles),
        "moons": moons,
        "moons_network": trained(
            cr.MLP([2, 8, 1], "tanh", class_names=moons.class_names), moons, "binary_cross_entropy", cr.Adam(0.02), 60
        ).network,
        "spirals": spirals,
        "spirals_network": toy(spirals),
        "clover": clover,
        "clover_network": trained(
            cr.MLP([2, 16, 3], class_names=clover.class_names), clover, "cross_entropy", cr.Adam(0.02), 60
        ).network,
        "surface_network": trained(bowl, surface, "squared_error", cr.Adam(cr.OneCycle(0.03)), 200).network,
        "convolutional": trained(
            convolutional(), few, "cross_entropy", cr.Adam(cr.OneCycle(0.01)), epochs=5, batch_size=50
        ).network,
        "untrained": cr.MLP([784] + [64] * 6 + [10], "sigmoid", scale=1 / 255),
        "saturated": saturated(),
        "accuracies": {
            rate: [explored(few, rate, seed) for seed in range(5)] for rate in (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
        },
    }


def three_classes():
    """Three clouds of points that overlap."""
    rng = np.random.default_rng(0)
    label = np.arange(180) % 3
    angle = 2 * np.pi * label / 3
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.45 * rng.standard_normal((180, 2))
    split = cr.datasets.Split(points, label)
    return cr.datasets.Dataset(train=split, validation=None, test=split, class_names=("a", "b", "c"))


def convolutional():
    """One convolution, and a layer that decides by what it found."""
    return cr.Network(
        cr.Rescale(1 / 255),
        cr.Reshape(28, 28, 1),
        cr.Conv2D(1, 8, 5),
        cr.MaxPool2D(),
        cr.ReLU(),
        cr.Flatten(),
        cr.Linear(12 * 12 * 8, 10),
        in_shape=(784,),
        output="softmax",
    )


def saturated():
    """A network whose weights were started much too large."""
    return cr.Network(
        cr.Rescale(1 / 255),
        cr.Linear(784, 64, initializer=cr.Normal(1.0), bias=-6.0),
        cr.ReLU(),
        cr.Linear(64, 32, initializer=cr.Normal(1.0)),
        cr.Tanh(),
        cr.Linear(32, 10),
        output="softmax",
    )


def augmented(x):
    """Rows of ten: each image, and nine that were made of it by chance."""
    rng = np.random.default_rng(0)
    copies = x.repeat(10, axis=0)
    changed = cr.RandomElastic()(cr.RandomAffine()(copies, rng), rng)
    changed[::10] = x
    return changed


def explored(data, rate, seed):
    """The validation accuracy of one short training; NaN if it diverged."""
    network = cr.MLP([784, 32, 10], scale=1 / 255, seed=seed)
    try:
        return trained(network, data, "cross_entropy", cr.SGD(rate), epochs=3).history["validation_accuracy"][-1]
    except cr.DivergenceError:
        return float("nan")


def main():
    """Draw and save."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from PIL import Image

    known = names()
    for line, file in pictures():
        if len(sys.argv) == 1 or any(name in file.name for name in sys.argv[1:]):
            exec(line, known)
            plt.savefig(file, dpi=DOTS_PER_INCH)
            plt.close("all")
            with Image.open(file) as image:  # 256 colours are enough, and a third of the size
                image.convert("RGB").quantize().save(file, optimize=True)
            print(f"{file.name:30s} {file.stat().st_size / 1000:6.1f} kB")


if __name__ == "__main__":
    main()
