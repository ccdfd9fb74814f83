"""scikit-learn's MLPClassifier, the network most people meet first, with every extra of its defaults turned off."""

import numpy as np
from sklearn.neural_network import MLPClassifier

from contenders import Turns


def mlp_classifier(work, data, threads):
    x, _ = data.floats()
    classes = np.unique(data.y)
    classifier = MLPClassifier(
        hidden_layer_sizes=work.widths[1:-1],
        activation=work.activation,
        solver="sgd",
        alpha=0,  # the others have no weight decay
        batch_size=work.batch,
        learning_rate_init=work.rate,
        momentum=0,
        nesterovs_momentum=False,
        random_state=0,
    )

    def epoch():
        classifier.partial_fit(x, data.y, classes=classes)  # one pass over x in shuffled batches

    return Turns(epoch, lambda rows: np.multiply(rows, data.scale, dtype=np.float32), classifier.predict)
