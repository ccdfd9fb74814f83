"""scikit-learn's MLPClassifier, the network most people meet first, with every extra of its defaults turned off."""

import numpy as np
from sklearn.neural_network import MLPClassifier

from contenders import BATCH_SIZE, LEARNING_RATE, WIDTHS


def mlp_classifier(digits, threads):
    x, test_x = (part.x.astype(np.float32) / 255 for part in (digits.train, digits.test))
    classifier = MLPClassifier(
        hidden_layer_sizes=WIDTHS[1:-1],
        solver="sgd",
        alpha=0,  # the others have no weight decay
        batch_size=BATCH_SIZE,
        learning_rate_init=LEARNING_RATE,
        momentum=0,
        nesterovs_momentum=False,
        random_state=0,
    )

    def epoch():
        classifier.partial_fit(x, digits.train.y, classes=np.arange(10))  # one pass over x in shuffled batches

    return epoch, lambda: float(classifier.score(test_x, digits.test.y))
