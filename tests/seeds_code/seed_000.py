"""Lesson 000: its activations, loss and network, as they stand there."""

import numpy as np


def relu(z):
    """ReLU activation."""
    return np.maximum(0, z)


def relu_derivative(z):
    """Gradient of ReLU."""
    return (z > 0).astype(float)


def softmax(z):
    """Softmax activation (numerically stable)."""
    exp_z = np.exp(z - z.max(axis=1, keepdims=True))
    return exp_z / exp_z.sum(axis=1, keepdims=True)


def cross_entropy_loss(probs, y):
    """
    Cross-entropy loss.

    Args:
        probs: (batch_size, num_classes) softmax probabilities
        y: (batch_size,) integer class labels
    """
    batch_size = len(y)
    correct_probs = probs[np.arange(batch_size), y]
    return -np.log(correct_probs + 1e-10).mean()


class NeuralNetwork:
    """
    Two-layer neural network for classification.

    Architecture:
        Input → Linear → ReLU → Linear → Softmax → Output
    """

    def __init__(self, input_dim, hidden_dim, output_dim):
        """
        Initialize with He initialization for ReLU.
        """
        # Layer 1: input → hidden
        self.W1 = np.random.randn(input_dim, hidden_dim) * np.sqrt(2 / input_dim)
        self.b1 = np.zeros(hidden_dim)

        # Layer 2: hidden → output
        self.W2 = np.random.randn(hidden_dim, output_dim) * np.sqrt(2 / hidden_dim)
        self.b2 = np.zeros(output_dim)

    def forward(self, X):
        """
        Forward pass. Store intermediates for backprop.

        Args:
            X: (batch_size, input_dim)

        Returns:
            probs: (batch_size, output_dim) softmax probabilities
        """
        # Store input for backprop
        self.X = X

        # Layer 1
        self.z1 = X @ self.W1 + self.b1  # (batch, hidden)
        self.a1 = relu(self.z1)           # (batch, hidden)

        # Layer 2
        self.z2 = self.a1 @ self.W2 + self.b2  # (batch, output)
        self.probs = softmax(self.z2)          # (batch, output)

        return self.probs

    def backward(self, y):
        """
        Backward pass. Compute gradients.

        Args:
            y: (batch_size,) integer class labels

        Returns:
            Dictionary of gradients
        """
        batch_size = len(y)

        # Output layer gradient (softmax + cross-entropy combined)
        # dL/dz2 = probs - one_hot(y)
        dz2 = self.probs.copy()
        dz2[np.arange(batch_size), y] -= 1
        dz2 /= batch_size  # Average over batch

        # Layer 2 gradients
        dW2 = self.a1.T @ dz2        # (hidden, output)
        db2 = dz2.sum(axis=0)        # (output,)

        # Backprop through layer 2
        da1 = dz2 @ self.W2.T        # (batch, hidden)

        # Backprop through ReLU
        dz1 = da1 * relu_derivative(self.z1)  # (batch, hidden)

        # Layer 1 gradients
        dW1 = self.X.T @ dz1         # (input, hidden)
        db1 = dz1.sum(axis=0)        # (hidden,)

        return {'W1': dW1, 'b1': db1, 'W2': dW2, 'b2': db2}

    def update(self, grads, learning_rate):
        """
        Update parameters with gradient descent.
        """
        self.W1 -= learning_rate * grads['W1']
        self.b1 -= learning_rate * grads['b1']
        self.W2 -= learning_rate * grads['W2']
        self.b2 -= learning_rate * grads['b2']

    def predict(self, X):
        """
        Predict class labels.
        """
        probs = self.forward(X)
        return np.argmax(probs, axis=1)

    def accuracy(self, X, y):
        """
        Compute classification accuracy.
        """
        predictions = self.predict(X)
        return (predictions == y).mean()
