"""Pictures of training and of what was learned: each function draws on the Axes it is given and returns it.

Without `ax` (or `axes`, where there are several panels) a new pyplot figure is opened, which a notebook shows by
itself. With it pyplot is not even imported. Nothing here calls `plt.show()` or touches rcParams, and right and wrong
are told apart by words and marks, not by colour alone. All of them are on show in docs/gallery.md.
"""

from chainrule.plots.diagram import network_diagram as network_diagram
from chainrule.plots.functions import (
    activation as activation,
    decision_boundary as decision_boundary,
    surface as surface,
)
from chainrule.plots.images import (
    digits as digits,
    feature_maps as feature_maps,
    features as features,
    predictions as predictions,
)
from chainrule.plots.insides import activation_histograms as activation_histograms, gradient_flow as gradient_flow
from chainrule.plots.mistakes import confusion as confusion, most_confused as most_confused
from chainrule.plots.training import history as history, learning_rates as learning_rates, range_test as range_test
