"""Lesson 001: its activations and its network, the methods that it adds later put into the class."""

import numpy as np


def sigmoid(z):
    """
    Sigmoid activation function.

    Args:
        z: pre-activation (can be scalar, vector, or matrix)
    Returns:
        Activation in range (0, 1)
    """
    return 1 / (1 + np.exp(-z))


def sigmoid_derivative(z):
    """
    Derivative of sigmoid.

    Args:
        z: pre-activation
    Returns:
        Gradient dσ/dz
    """
    s = sigmoid(z)
    return s * (1 - s)


def relu(z):
    """
    ReLU activation function.

    Args:
        z: pre-activation
    Returns:
        max(0, z)
    """
    return np.maximum(0, z)


def relu_derivative(z):
    """
    Derivative of ReLU.

    Args:
        z: pre-activation
    Returns:
        1 if z > 0, else 0
    """
    return (z > 0).astype(float)


def tanh(z):
    """Tanh activation function."""
    return np.tanh(z)


def tanh_derivative(z):
    """Derivative of tanh."""
    return 1 - np.tanh(z) ** 2


def softmax(z):
    """
    Softmax activation for multi-class classification.

    Args:
        z: pre-activation (shape: [batch_size, num_classes])
    Returns:
        Probability distribution (each row sums to 1)
    """
    # Numerical stability: subtract max
    exp_z = np.exp(z - np.max(z, axis=1, keepdims=True))
    return exp_z / np.sum(exp_z, axis=1, keepdims=True)


class NeuralNetwork:
    """2-layer feedforward neural network."""

    def __init__(self, input_size, hidden_size, output_size):
        """
        Initialize network with random weights.

        Args:
            input_size: Input dimension (e.g., 784 for MNIST)
            hidden_size: Number of hidden units
            output_size: Number of classes (e.g., 10 for MNIST)
        """
        # He initialization for ReLU layers
        self.W1 = np.random.randn(input_size, hidden_size) * np.sqrt(2.0 / input_size)
        self.b1 = np.zeros((1, hidden_size))

        self.W2 = np.random.randn(hidden_size, output_size) * np.sqrt(2.0 / hidden_size)
        self.b2 = np.zeros((1, output_size))

        # Cache for backprop
        self.cache = {}

    def forward(self, X):
        """
        Forward pass through network.

        Args:
            X: Input batch [batch_size, input_size]
        Returns:
            Output probabilities [batch_size, output_size]
        """
        # Layer 1: Input -> Hidden (ReLU)
        z1 = X @ self.W1 + self.b1
        a1 = relu(z1)

        # Layer 2: Hidden -> Output (Softmax)
        z2 = a1 @ self.W2 + self.b2
        a2 = softmax(z2)

        # Save for backward pass
        self.cache = {
            'X': X,
            'z1': z1,
            'a1': a1,
            'z2': z2,
            'a2': a2
        }

        return a2

    def predict(self, X):
        """
        Predict class labels.

        Args:
            X: Input batch
        Returns:
            Predicted class indices
        """
        probs = self.forward(X)
        return np.argmax(probs, axis=1)

    def backward(self, y_true):
        """
        Backward pass (backpropagation).

        Args:
            y_true: True labels (one-hot encoded) [batch_size, output_size]
        Returns:
            Dictionary of gradients
        """
        batch_size = y_true.shape[0]

        # Retrieve cached values from forward pass
        X = self.cache['X']
        z1 = self.cache['z1']
        a1 = self.cache['a1']
        a2 = self.cache['a2']

        # Output layer gradients
        # For softmax + cross-entropy, gradient is simply: y_pred - y_true
        dz2 = a2 - y_true
        dW2 = (a1.T @ dz2) / batch_size
        db2 = np.mean(dz2, axis=0, keepdims=True)

        # Hidden layer gradients
        da1 = dz2 @ self.W2.T
        dz1 = da1 * (z1 > 0).astype(float)  # ReLU derivative
        dW1 = (X.T @ dz1) / batch_size
        db1 = np.mean(dz1, axis=0, keepdims=True)

        return {
            'dW1': dW1,
            'db1': db1,
            'dW2': dW2,
            'db2': db2
        }

    def update_weights(self, gradients, learning_rate):
        """
        Update weights using gradient descent.

        Args:
            gradients: Dictionary of gradients from backward()
            learning_rate: Step size
        """
        self.W1 -= learning_rate * gradients['dW1']
        self.b1 -= learning_rate * gradients['db1']
        self.W2 -= learning_rate * gradients['dW2']
        self.b2 -= learning_rate * gradients['db2']

    def compute_loss(self, y_true, y_pred):
        """
        Compute cross-entropy loss.

        Args:
            y_true: True labels (one-hot)
            y_pred: Predicted probabilities
        Returns:
            Average loss (scalar)
        """
        # Clip predictions to avoid log(0)
        y_pred = np.clip(y_pred, 1e-15, 1 - 1e-15)

        # Cross-entropy loss
        loss = -np.sum(y_true * np.log(y_pred)) / y_true.shape[0]
        return loss
