"""The average of the weights: formula, warm-up, blocks. PyTorch has its say in test_optimizers_against_torch.py."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.optimizers import optimizer as contract


def trail(steps=50, size=23):
    return np.random.default_rng(0).standard_normal((steps, size)).cumsum(axis=0)


def averages(ema, ws):
    average, seen = ws[0].copy(), []
    for step, w in enumerate(ws, 1):
        ema.update(average, w, step)
        seen.append(average.copy())
    return np.array(seen)


def test_the_first_update_of_a_copy_is_the_copy_to_the_bit():
    ws = trail()
    for ema in (cr.EMA(0.3, warmup=False), cr.EMA(0.3)):
        np.testing.assert_array_equal(averages(ema, ws[:1])[0], ws[0])


def test_what_lies_k_steps_back_weighs_decay_to_the_k():
    ws, d = trail(), 0.9
    weights = (1 - d) * d ** np.arange(50)[::-1]
    weights[0] = d**49  # the first average was the first w
    np.testing.assert_allclose(averages(cr.EMA(d, warmup=False), ws)[-1], weights @ ws, rtol=1e-12)


def test_the_warm_up_keeps_less_of_the_first_weights():
    """step 2 keeps 3/12, step 3 keeps 4/13, and from step 7 on 8/17 is above 0.46 and decay holds."""
    w = np.array([[1.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0]])
    kept = averages(cr.EMA(0.46), w)[:, 0]
    np.testing.assert_allclose(kept[1:] / kept[:-1], [3 / 12, 4 / 13, 5 / 14, 6 / 15, 7 / 16, 0.46, 0.46], rtol=1e-12)


def test_blocks_change_nothing_and_params_are_only_read(monkeypatch):
    ws = trail()
    whole = averages(cr.EMA(0.9), ws)
    monkeypatch.setattr(contract, "BLOCK", 4)
    ws.flags.writeable = False
    np.testing.assert_array_equal(averages(cr.EMA(0.9), ws), whole)


def test_float32_stays_float32():
    ws = trail().astype(np.float32)
    seen = averages(cr.EMA(np.float64(0.9)), ws)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen[-1], averages(cr.EMA(0.9), ws.astype("float64"))[-1], rtol=0, atol=1e-5)


def test_an_average_is_the_code_that_makes_it():
    assert repr(cr.EMA().clone()) == "EMA()"
    assert repr(cr.EMA(0.9, warmup=False).clone()) == "EMA(0.9, warmup=False)"


@pytest.mark.parametrize("decay", [1, -0.1, "a", float("nan")])
def test_a_decay_that_makes_no_sense_is_refused(decay):
    with pytest.raises(cr.ConfigurationError, match=r"EMA: decay must be a number in \[0, 1\)"):
        cr.EMA(decay)


def test_the_average_of_a_short_run_is_as_good_as_its_last_weights():
    """94 steps, after which an average without warm-up is still near the first weights (decision 15)."""
    digits = cr.datasets.mnist()
    x, y = digits.train.x[:3000], digits.train.y[:3000]
    network = cr.MLP([784, 32, 10], scale=1 / 255)
    trainer = cr.Trainer(network, "cross_entropy", cr.SGD(0.1, momentum=0.9), average=cr.EMA())
    history = trainer.fit(x, y, validation=(digits.validation.x[:1000], digits.validation.y[:1000]))
    last = network.accuracy(digits.validation.x[:1000], digits.validation.y[:1000])
    assert last > 0.85
    assert history["validation_accuracy"][-1] >= last - 0.02
