"""Lesson 004: its layers, loss and network, as they stand there."""

from typing import List

import numpy as np


class Linear:
    """
    Fully-connected linear layer.

    ELI5: A Linear layer is like a voting committee. Each input feature
    is a voter, and each weight represents how much we trust that voter.
    The bias is a starting opinion before any votes come in.
    """

    def __init__(self, in_features: int, out_features: int, init: str = 'he'):
        """
        Initialize the linear layer.

        Args:
            in_features: Number of input features
            out_features: Number of output features (neurons)
            init: Initialization method ('he' for ReLU, 'xavier' for tanh/sigmoid)
        """
        self.in_features = in_features
        self.out_features = out_features

        # Initialize weights using He initialization (optimal for ReLU)
        if init == 'he':
            std = np.sqrt(2.0 / in_features)
        else:  # xavier
            std = np.sqrt(2.0 / (in_features + out_features))

        self.W = np.random.randn(in_features, out_features) * std
        self.b = np.zeros(out_features)

        # Cache for backward pass
        self.cache = {}

        # Gradients
        self.dW = None
        self.db = None

    def forward(self, X: np.ndarray) -> np.ndarray:
        """
        Forward pass: Z = X @ W + b

        Args:
            X: Input of shape (batch_size, in_features)

        Returns:
            Output of shape (batch_size, out_features)
        """
        # Save input for backward pass
        self.cache['X'] = X

        # Linear transformation
        Z = X @ self.W + self.b
        return Z

    def backward(self, dZ: np.ndarray) -> np.ndarray:
        """
        Backward pass: compute gradients.

        Args:
            dZ: Gradient from above, shape (batch_size, out_features)

        Returns:
            Gradient to pass to previous layer, shape (batch_size, in_features)
        """
        X = self.cache['X']
        batch_size = X.shape[0]

        # Gradient for weights: X^T @ dZ, averaged over batch
        self.dW = X.T @ dZ / batch_size

        # Gradient for bias: sum over batch dimension
        self.db = np.mean(dZ, axis=0)

        # Gradient for input (to pass to previous layer)
        dX = dZ @ self.W.T

        return dX

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return self.forward(X)


class ReLU:
    """
    Rectified Linear Unit activation.

    ELI5: ReLU is like a one-way valve. Positive values flow through
    unchanged, but negative values get blocked (become zero).
    This creates "sparsity" - many neurons output zero, which is efficient!
    """

    def __init__(self):
        self.cache = {}

    def forward(self, Z: np.ndarray) -> np.ndarray:
        """
        Forward pass: A = max(0, Z)
        """
        self.cache['Z'] = Z
        return np.maximum(0, Z)

    def backward(self, dA: np.ndarray) -> np.ndarray:
        """
        Backward pass: gradient is 1 where Z > 0, else 0.
        """
        Z = self.cache['Z']
        # Gradient flows through where Z was positive
        dZ = dA * (Z > 0).astype(float)
        return dZ

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        return self.forward(Z)


class Softmax:
    """
    Softmax activation for classification.

    ELI5: Softmax is like converting exam scores to class rankings.
    It makes sure all probabilities sum to 1 (100%), with higher
    scores getting higher probabilities.
    """

    def __init__(self):
        self.cache = {}

    def forward(self, Z: np.ndarray) -> np.ndarray:
        """
        Compute softmax probabilities.

        Note: We subtract max for numerical stability (prevents overflow).
        """
        # Subtract max for numerical stability
        Z_shifted = Z - np.max(Z, axis=1, keepdims=True)
        exp_Z = np.exp(Z_shifted)
        probs = exp_Z / np.sum(exp_Z, axis=1, keepdims=True)
        self.cache['probs'] = probs
        return probs

    def __call__(self, Z: np.ndarray) -> np.ndarray:
        return self.forward(Z)


class CrossEntropyLoss:
    """
    Cross-entropy loss for classification.

    ELI5: Cross-entropy measures how "surprised" we are by the predictions.
    - Confident correct prediction: Low surprise, low loss
    - Confident WRONG prediction: High surprise, high loss
    """

    def __init__(self, epsilon: float = 1e-10):
        self.epsilon = epsilon  # Prevent log(0)
        self.cache = {}

    def forward(self, probs: np.ndarray, targets: np.ndarray) -> float:
        """
        Compute cross-entropy loss.

        Args:
            probs: Softmax probabilities, shape (batch_size, num_classes)
            targets: True labels as indices, shape (batch_size,)

        Returns:
            Scalar loss value
        """
        batch_size = probs.shape[0]

        # Clip probabilities for numerical stability
        probs_clipped = np.clip(probs, self.epsilon, 1 - self.epsilon)

        # Get probability of correct class for each sample
        correct_probs = probs_clipped[np.arange(batch_size), targets]

        # Negative log likelihood
        loss = -np.mean(np.log(correct_probs))

        # Save for backward
        self.cache['probs'] = probs
        self.cache['targets'] = targets

        return loss

    def backward(self) -> np.ndarray:
        """
        Compute gradient of loss with respect to logits (pre-softmax).

        The beautiful result: gradient = softmax_output - one_hot_targets
        """
        probs = self.cache['probs']
        targets = self.cache['targets']
        batch_size = probs.shape[0]

        # Start with softmax output
        grad = probs.copy()

        # Subtract 1 from the correct class probability
        grad[np.arange(batch_size), targets] -= 1

        return grad

    def __call__(self, probs: np.ndarray, targets: np.ndarray) -> float:
        return self.forward(probs, targets)


class MLP:
    """
    Multi-Layer Perceptron for classification.

    Architecture: Input -> Linear -> ReLU -> Linear -> ReLU -> Linear -> Softmax
    """

    def __init__(self, layer_sizes: List[int]):
        """
        Initialize the MLP.

        Args:
            layer_sizes: List of layer sizes, e.g., [784, 256, 128, 10]
        """
        self.layers = []
        self.activations = []

        # Create layers
        for i in range(len(layer_sizes) - 1):
            self.layers.append(Linear(layer_sizes[i], layer_sizes[i + 1]))
            # Add ReLU for all layers except the last
            if i < len(layer_sizes) - 2:
                self.activations.append(ReLU())

        # Softmax for output
        self.softmax = Softmax()

        print(f"Created MLP: {' -> '.join(map(str, layer_sizes))}")
        print(f"Total parameters: {self.count_parameters():,}")

    def count_parameters(self) -> int:
        """Count total trainable parameters."""
        total = 0
        for layer in self.layers:
            total += layer.W.size + layer.b.size
        return total

    def forward(self, X: np.ndarray) -> np.ndarray:
        """
        Forward pass through the network.
        """
        # First n-1 layers: Linear + ReLU
        out = X
        for i in range(len(self.layers) - 1):
            out = self.layers[i](out)
            out = self.activations[i](out)

        # Last layer: Linear + Softmax
        out = self.layers[-1](out)
        out = self.softmax(out)

        return out

    def backward(self, grad: np.ndarray) -> None:
        """
        Backward pass through the network.
        """
        # Last layer (no ReLU backward needed, softmax+CE gradient already computed)
        grad = self.layers[-1].backward(grad)

        # Hidden layers in reverse order
        for i in range(len(self.layers) - 2, -1, -1):
            grad = self.activations[i].backward(grad)
            grad = self.layers[i].backward(grad)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Get class predictions (argmax of probabilities)."""
        probs = self.forward(X)
        return np.argmax(probs, axis=1)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return self.forward(X)
