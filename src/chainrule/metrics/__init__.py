"""Numbers that say how good the answers are: each is a function of the targets and of what a network answers.

    metrics.f1(y, network.predict(x))
    metrics.roc_auc(y, network.predict_proba(x))
    Trainer(network, "cross_entropy", metrics=[metrics.f1, metrics.roc_auc])    # measured on the validation data

Every value is that of scikit-learn's function of the same, or nearly the same, name. Targets may have the forms that
the losses take: labels (N,), a column (N, 1) of yes or no, rows (N, K) that are one-hot, soft or several answers each.

A metric of one's own is one small function, metric(y_true, answers) -> number. Its answers are what `network.predict`
gives, unless `wants` says otherwise; an option is bound the same way:

    >>> from chainrule.metrics import top_k_accuracy, wants
    >>> @wants("probabilities")
    ... def top_3(y_true, probabilities):
    ...     return top_k_accuracy(y_true, probabilities, k=3)
    >>> top_3.wants
    'probabilities'
"""

from chainrule.metrics.arguments import wants as wants
from chainrule.metrics.classification import (
    accuracy as accuracy,
    balanced_accuracy as balanced_accuracy,
    f1 as f1,
    precision as precision,
    recall as recall,
    wilson_interval as wilson_interval,
)
from chainrule.metrics.confusion import (
    Confusion as Confusion,
    confusion_matrix as confusion_matrix,
    most_confused as most_confused,
)
from chainrule.metrics.ranking import roc_auc as roc_auc, top_k_accuracy as top_k_accuracy
from chainrule.metrics.regression import mae as mae, r2 as r2, rmse as rmse
