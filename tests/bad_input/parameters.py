"""Rows 71 to 90, options and use: a number out of its range or a misspelt name is refused where it is written."""

import chainrule as cr
from bad_input.row import refused, right, row, warned

ROWS = [
    row(
        71,
        "a learning rate that moves nothing, or anything",
        refused("fit(optimizer=cr.SGD(-0.1))", cr.ConfigurationError, "learning_rate", "-0.1"),
        refused("fit(optimizer=cr.SGD(float('nan')))", cr.ConfigurationError, "learning_rate", "nan"),
        refused("fit(optimizer=cr.Adam(float('inf')))", cr.ConfigurationError, "learning_rate", "inf"),
        refused("fit(optimizer=cr.SGD('0.1'))", cr.ConfigurationError, "learning_rate", "'0.1'"),
        warned("len(fit(optimizer=cr.SGD(0.0))) == 1", cr.ChainruleWarning, "learning_rate is 0", "network.freeze"),
        elsewhere=("test_odd_but_right_input.py::test_71_rate_zero_changes_nothing",),
    ),
    row(
        72,
        "no epochs, or fewer",
        refused("fit(epochs=-1)", cr.ConfigurationError, "epochs", "received -1"),
        refused("fit(epochs=1.5)", cr.ConfigurationError, "epochs", "whole number"),
        right("len(fit(epochs=0)) == 0"),
        refused("fit(epochs=None)", cr.ConfigurationError, "epochs", "received None"),
    ),
    row(
        73,
        "a dropout of everything, or less than nothing",
        refused("cr.Dropout(1.0)", cr.ConfigurationError, "Dropout: probability", "[0, 1)", "1.0"),
        refused("cr.Dropout(-0.1)", cr.ConfigurationError, "[0, 1)"),
        refused("cr.Dropout(float('nan'))", cr.ConfigurationError, "nan"),
    ),
    row(
        74,
        "momentum and the like out of range",
        refused("cr.SGD(0.1, momentum=1)", cr.ConfigurationError, "momentum", "[0, 1)"),
        refused("cr.Adam(beta1=1)", cr.ConfigurationError, "beta1", "[0, 1)"),
        refused("cr.Adam(epsilon=0)", cr.ConfigurationError, "epsilon", "(0, inf)"),
        refused("cr.Huber(0)", cr.ConfigurationError, "delta", "(0, inf)", "received 0"),
        refused("cr.Huber(float('nan'))", cr.ConfigurationError, "delta", "nan"),
        refused("cr.Quantile(1)", cr.ConfigurationError, "quantiles", "(0, 1)", "received 1"),
        refused("cr.Quantile(90)", cr.ConfigurationError, "quantiles", "(0, 1)", "received 90"),
        refused("cr.Quantile((0.1, 1.0))", cr.ConfigurationError, "quantiles", "(0, 1)", "received 1.0"),
        refused("cr.Quantile(())", cr.ConfigurationError, "at least one quantile", "(0.1, 0.9)"),
        refused("cr.Quantile('0.5')", cr.ConfigurationError, "quantiles", "received '0.5'"),
        refused("cr.Quantile(None)", cr.ConfigurationError, "quantiles", "received None"),
    ),
    row(
        75,
        "an unknown name",
        refused(
            "cr.MLP([4, 3, 2], 'rleu')", cr.ConfigurationError, "activation 'rleu'", "Did you mean 'relu'?", "tanh"
        ),
        refused("cr.Network(cr.Linear(4, 3, initializer='hee'))", cr.ConfigurationError, "Did you mean 'he'?", "lecun"),
        refused("cr.Network(cr.Linear(4, 3, initializer=5))", cr.ConfigurationError, "initializer"),
        refused("cr.MLP([4, 3, 2], cr.Tanh)", cr.ConfigurationError, "activation", "Tanh", "Add brackets"),
        refused("fit(optimizer='adma')", cr.ConfigurationError, "Did you mean 'adam'?", "sgd"),
        refused("fit(loss='crossentropy')", cr.ConfigurationError, "Did you mean 'cross_entropy'?"),
        refused("fit(loss=cr.CrossEntropy)", cr.ConfigurationError, "loss", "CrossEntropy", "Add brackets"),
        refused("fit(optimizer=cr.SGD)", cr.ConfigurationError, "optimizer", "SGD", "Add brackets"),
        refused("fit(optimizer=None)", cr.ConfigurationError, "optimizer"),
        refused("fit(assign={'loss': 'mse'})", cr.ShapeError, "SquaredError", "(20, 3)", "(20,)"),
        refused("fit(assign={'loss': 'msee'})", cr.ConfigurationError, "Did you mean 'mse'?"),
        refused("fit(assign={'optimizer': 0.1})", cr.ConfigurationError, "optimizer", "received 0.1"),
        refused("cr.Trainer([cr.Linear(4, 3)], 'mse')", cr.ConfigurationError, "expected a network", "[Linear(4, 3)]"),
        refused("net(output='soft')", cr.ConfigurationError, "Did you mean 'softmax'?"),
        refused("fit(loss='poison')", cr.ConfigurationError, "Did you mean 'poisson'?"),
        right("len(fit(X, Y, net(activation='ReLU'), 'Cross_Entropy', optimizer='SGD')) == 1"),
        refused("fit(metrics=5)", cr.ConfigurationError, "metrics: expected functions", "received 5"),
        refused("fit(callbacks=5)", cr.ConfigurationError, "callbacks must be Callback objects", "received 5"),
        refused("fit(callbacks=cr.Callback)", cr.ConfigurationError, "callbacks must be Callback objects"),
    ),
    row(
        76,
        "a misspelt argument",
        refused("cr.MLP([4, 3], activaton='relu')", cr.ConfigurationError, "Did you mean 'activation'?"),
        refused("fit(batchsize=3)", cr.ConfigurationError, "Did you mean 'batch_size'?"),
        refused("fit(validation=(X, Y, Y, Y))", cr.ChainruleError, "validation"),
        refused("fit(validation=0.2)", cr.ChainruleError, "validation"),
        refused("cr.Poisson(False)", TypeError, "positional"),
        later="estimators: set_params",
    ),
    row(
        77,
        "use before training",
        refused("unbuilt().predict(X)", cr.NotBuiltError, "not built", "Linear(784, 128)", "fit"),
        refused("net().predict_proba(X)", cr.ConfigurationError, "does not know its task", "output='softmax'"),
        refused("cr.Linear(4, 3)(X)", cr.NotBuiltError, "build"),
        refused("cr.BatchNorm()(X)", cr.NotBuiltError, "build"),
        refused("unbuilt().forward(X)", cr.NotBuiltError, "not built", "Linear(784, 128)"),
        later="estimators: NotFittedError",
    ),
    row(
        78,
        "backward without its forward",
        refused("net().backward(np.zeros((20, 3)), [])", cr.ChainruleError, "forward"),
        refused(
            "net().backward(np.zeros((20, 3)), None)",
            cr.ConfigurationError,
            "expected 3 caches of a forward",
            "None",
        ),
        refused(
            "(n := net()).backward(np.zeros((20, 7)), n.forward(X)[1])",
            cr.ShapeError,
            "backward: expected dy",
            "(N, 3)",
            "(20, 7)",
        ),
        elsewhere=("test_contract.py::test_3_backward_leaves_the_cache_and_answers_twice_the_same",),
    ),
    row(
        79,
        "one layer in two places",
        elsewhere=("test_building.py::test_a_layer_in_two_places_is_refused",),
    ),
    row(
        80,
        "softmax or sigmoid twice",
        refused(
            "fit(X, Y, of(cr.Linear(4, 3), cr.Softmax()))", cr.ConfigurationError, "softmax again", "drop the layer"
        ),
        refused("fit(loss=cr.CrossEntropy(from_probabilities=True))", cr.ConfigurationError, "Softmax()", "add it"),
        refused(
            "fit(X, Y > 0, of(cr.Linear(4, 1), cr.Sigmoid()), 'binary_cross_entropy')",
            cr.ConfigurationError,
            "Sigmoid",
            "logits",
            "drop the layer",
        ),
        refused(
            "fit(X, np.eye(3)[Y], of(cr.Linear(4, 3), cr.Softmax()), 'binary_cross_entropy')",
            cr.ConfigurationError,
            "Softmax",
        ),
        refused(
            "fit(X, T ** 2, of(cr.Linear(4, 1), cr.Sigmoid()), 'poisson')", cr.ConfigurationError, "log rates", "drop"
        ),
    ),
    row(
        81,
        "softmax over one output, sigmoid for many classes",
        refused("fit(X, Y, net(4, 1))", cr.ShapeError, "softmax over 1 output is always 1", "BinaryCrossEntropy"),
        refused("yes_no(Y)", cr.LabelError, "0..2", "CrossEntropy"),
    ),
    row(
        82,
        "as many outputs as there are no classes",
        refused("fit(X, Y, net(4, 2))", cr.LabelError, "0..1 for 2 outputs", "received 0..2"),
        refused("fit(X, Y, net(output='sigmoid'))", cr.ConfigurationError, "'sigmoid'", "'softmax'"),
        refused("fit(X, T, net(4, 1, output='exp'), 'mse')", cr.ConfigurationError, "'exp'", "teaches 'identity'"),
        refused(
            "fit(X, T, net(4, 1, output='identity'), 'poisson')", cr.ConfigurationError, "'identity'", "teaches 'exp'"
        ),
    ),
    row(
        83,
        "a callback that raises",
        elsewhere=(
            "test_callbacks.py::test_an_exception_in_a_callback_leaves_the_trainer_usable",
            "test_odd_but_right_input.py::test_83_84_an_interruption_leaves_whole_steps_and_training_goes_on",
        ),
    ),
    row(
        84,
        "Ctrl-C",
        elsewhere=(
            "test_cli.py::test_stopping_keeps_what_was_finished",
            "test_odd_but_right_input.py::test_83_84_an_interruption_leaves_whole_steps_and_training_goes_on",
            "test_checkpoint_callback.py::test_a_training_broken_off_between_leaves_a_checkpoint_of_its_last_step",
        ),
    ),
    row(
        85,
        "copies and pickles",
        elsewhere=(
            "test_building.py::test_copies_are_equal_bound_and_independent",
            "test_configurable.py::test_a_clone_shares_nothing_that_learns",
        ),
        later="estimators: joblib",
    ),
    row(
        86,
        "several threads on one network",
        elsewhere=(
            "test_network.py::test_eight_threads_predict_what_one_does",
            "test_odd_but_right_input.py::test_86_a_second_loop_on_one_trainer_is_refused",
        ),
    ),
    row(
        87,
        "a fork behind the threads of the BLAS",
        elsewhere=("test_surroundings.py::test_a_fork_predicts_what_its_parent_does",),
    ),
    row(
        88,
        "worker processes that each start threads",
        because="nothing here starts a process: test_surroundings.py",
        later="estimators: n_jobs",
    ),
    row(
        89,
        "a share of the data for validation",
        refused("fit(validation=1.5)", cr.ConfigurationError, "a pair (x, y)"),
        elsewhere=("datasets/test_mnist.py::test_a_senseless_split_is_refused",),
        later="estimators: validation_fraction",
    ),
    row(
        90,
        "a monitor that no epoch will have",
        refused(
            "fit(callbacks=[cr.callbacks.EarlyStopping('val_los')])",
            cr.ConfigurationError,
            "monitor 'val_los' is unknown",
            "Known: epoch, loss",
        ),
        refused("fit(callbacks=[cr.callbacks.EarlyStopping()])", cr.ConfigurationError, "There is no validation data"),
    ),
]
