"""10. A step downhill, with momentum.

The slope points uphill, so a step goes the other way: v = momentum v - learning_rate slope, then W = W + v. The
velocity v remembers the earlier steps. With momentum 0 this is plain gradient descent.

Step 11 of the ladder.
"""

import numpy as np


def step(parameters, slopes, velocities, learning_rate, momentum):
    """Change every array of the lists `velocities` and `parameters` in place (+=, *=); give nothing back."""
    ### BEGIN SOLUTION
    for W, slope, v in zip(parameters, slopes, velocities, strict=True):
        v *= momentum
        v -= learning_rate * slope
        W += v
    ### END SOLUTION
