"""PyTorch as the second opinion on a step: optimizers, coupled decay, clipping, averages and schedules.

Both sides get the same gradients for 100 steps; errors are norm-wise over the way travelled since the start.
"""

import math

import numpy as np
import pytest

import chainrule as cr

torch = pytest.importorskip("torch")
scheduler = torch.optim.lr_scheduler

STEPS, SIZE = 100, 211
BOUND = 1e-10  # measured 2e-14


@pytest.fixture(autouse=True)
def _nothing_overflows():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def gradients():
    """Of very different sizes, some as small as epsilon."""
    chance = np.random.default_rng(0)
    return chance.standard_normal((STEPS, SIZE)) * 10.0 ** chance.integers(-4, 3, SIZE)


def error(ours, theirs):
    theirs = theirs.detach().numpy()
    assert np.shape(ours) == theirs.shape
    assert np.linalg.norm(theirs) > 0, "zero agrees with everything that vanishes: choose other numbers"
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def assert_same_way(optimizer, theirs, w_t, penalty=None, decays=None):
    """Ours, from the same start, stays beside `theirs`, which moves the tensors w_t, step by step."""
    w = torch.cat(w_t).detach().numpy().copy()
    start = w.copy()
    for g in gradients():
        parts = torch.tensor(g).split([len(part) for part in w_t])
        for part, gradient in zip(w_t, parts, strict=True):
            part.grad = gradient.clone()
        if penalty is not None:
            penalty.add(w, g)
        optimizer.step(w, g, decays=decays)
        theirs.step()
        assert error(w - start, torch.cat(w_t) - torch.tensor(start)) <= BOUND


def weights(*sizes):
    whole = torch.tensor(np.random.default_rng(1).standard_normal(SIZE))
    return [part.clone().requires_grad_() for part in whole.split(sizes or [SIZE])]


OPTIMIZERS = {  # the code that makes the optimizer -> the same in PyTorch
    "SGD(0.05)": ("SGD", {"lr": 0.05}),
    "SGD(0.05, momentum=0.9)": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "SGD(0.05, momentum=0.9, nesterov=True)": ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "RMSProp(0.02, rho=0.99)": ("RMSprop", {"lr": 0.02}),
    "RMSProp(0.02, rho=0.8, epsilon=0.001)": ("RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 0.001}),
    "RMSProp(0.02, momentum=0.9)": ("RMSprop", {"lr": 0.02, "alpha": 0.9, "momentum": 0.9}),
    "RMSProp(0.02, centered=True)": ("RMSprop", {"lr": 0.02, "alpha": 0.9, "centered": True}),
    "RMSProp(0.02, momentum=0.5, centered=True)": (
        "RMSprop",
        {"lr": 0.02, "alpha": 0.9, "momentum": 0.5, "centered": True},
    ),
    "Adagrad()": ("Adagrad", {}),
    "Adagrad(0.1, epsilon=0.001)": ("Adagrad", {"lr": 0.1, "eps": 0.001}),
    "Adagrad(0.1, initial_accumulator=0.3)": ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.3}),
    "Adagrad(InverseTime(0.1, decay=0.05))": ("Adagrad", {"lr": 0.1, "lr_decay": 0.05}),
    "Adagrad(InverseTime(0.1, decay=0.05), initial_accumulator=0.3)": (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 0.3},
    ),
    "Adam()": ("Adam", {}),
    "Adam(0.03, beta1=0.8, beta2=0.99, epsilon=1e-3)": ("Adam", {"lr": 0.03, "betas": (0.8, 0.99), "eps": 1e-3}),
    "Adam(0.03, beta1=0, beta2=0)": ("Adam", {"lr": 0.03, "betas": (0.0, 0.0)}),
    "Adam(0.03, beta2=0.9, amsgrad=True)": ("Adam", {"lr": 0.03, "betas": (0.9, 0.9), "amsgrad": True}),
}
DECOUPLED = {
    "AdamW()": ("AdamW", {}),
    "AdamW(0.03, weight_decay=0.2)": ("AdamW", {"lr": 0.03, "weight_decay": 0.2}),
    "AdamW(0.03, beta2=0.9, epsilon=1e-3, amsgrad=True, weight_decay=0.2)": (
        "AdamW",
        {"lr": 0.03, "betas": (0.9, 0.9), "eps": 1e-3, "amsgrad": True, "weight_decay": 0.2},
    ),
    "Adam(0.03, weight_decay=0.2)": ("AdamW", {"lr": 0.03, "weight_decay": 0.2}),
}


@pytest.mark.parametrize("code", OPTIMIZERS | DECOUPLED)
def test_an_optimizer_agrees_at_every_one_of_100_steps(code):
    (name, options), w_t = (OPTIMIZERS | DECOUPLED)[code], weights()
    assert_same_way(eval(code, vars(cr)), getattr(torch.optim, name)(w_t, **options), w_t)


@pytest.mark.parametrize("code", OPTIMIZERS)
def test_their_weight_decay_is_our_l2(code):
    (name, options), w_t = OPTIMIZERS[code], weights()
    theirs = getattr(torch.optim, name)(w_t, **options, weight_decay=0.2)
    assert_same_way(eval(code, vars(cr)), theirs, w_t, penalty=cr.L2(0.2))


@pytest.mark.parametrize("code", DECOUPLED)
def test_weights_decay_and_biases_do_not_as_with_two_groups_of_parameters(code):
    (name, options), w_t = DECOUPLED[code], weights(100, SIZE - 100)
    groups = [{"params": w_t[:1]}, {"params": w_t[1:], "weight_decay": 0.0}]
    assert_same_way(eval(code, vars(cr)), getattr(torch.optim, name)(groups, **options), w_t, decays=100)


@pytest.mark.parametrize("nesterov", [False, True])
def test_rates_that_move_agree_too(nesterov):
    """What is multiplied by the rate, and when: PyTorch remembers gradients, not steps."""
    (w_t,) = weights()
    w = w_t.detach().numpy().copy()
    optimizer = cr.SGD(0.1, momentum=0.9, nesterov=nesterov)
    theirs = torch.optim.SGD([w_t], lr=0.1, momentum=0.9, nesterov=nesterov)
    for step, g in enumerate(gradients()):
        optimizer.learning_rate = theirs.param_groups[0]["lr"] = 0.1 * (1 - step / STEPS)
        w_t.grad = torch.tensor(g)
        optimizer.step(w, g)
        theirs.step()
    assert error(w, w_t) <= BOUND


# Clipping and averages ------------------------------------------------------------------------------------------------


def clipped(clip, theirs, dtype):
    """Three stretches of a gradient, clipped by us and by them."""
    g = gradients()[0].astype(dtype)
    parts_t = [torch.zeros(n, dtype=getattr(torch, dtype), requires_grad=True) for n in (50, 60, 101)]
    for part, gradient in zip(parts_t, torch.tensor(g).split([50, 60, 101]), strict=True):
        part.grad = gradient.clone()
    theirs(parts_t)
    clip.apply([g[:50], g[50:110], g[110:]])
    return g, torch.cat([part.grad for part in parts_t])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_by_value_is_the_same_to_the_bit(dtype):
    g, g_t = clipped(cr.ClipValue(0.3), lambda parts: torch.nn.utils.clip_grad_value_(parts, 0.3), dtype)
    np.testing.assert_array_equal(g, g_t.numpy())


@pytest.mark.parametrize(("limit", "bound"), [(0.3, 2e-6 / 200), (1e9, 0)])
def test_clipping_by_the_global_norm_is_the_same_but_for_their_1e_6(limit, bound):
    """They scale by limit / (norm + 1e-6), that is by 1 - 1e-6 / norm of ours; the norm is above 200 here."""
    g, g_t = clipped(cr.ClipNorm(limit), lambda parts: torch.nn.utils.clip_grad_norm_(parts, limit), "float64")
    assert np.linalg.norm(gradients()[0]) > 200
    assert error(g, g_t) <= bound


@pytest.mark.parametrize("decay", [0.0, 0.75, 0.999])
def test_the_average_is_that_of_their_averaged_model(decay):
    module = torch.nn.Linear(SIZE, 1, bias=False, dtype=torch.float64)
    average_t = torch.optim.swa_utils.AveragedModel(
        module, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay)
    )
    average, ema = np.empty(0), cr.EMA(decay, warmup=False)
    for step, w in enumerate(gradients(), 1):
        module.weight.data = torch.tensor(w[None])
        average_t.update_parameters(module)
        if step == 1:
            average = w.copy()
        ema.update(average, w, step)
        assert error(average, average_t.module.weight[0]) <= 1e-12


# Schedules ------------------------------------------------------------------------------------------------------------


def root(step):
    return min((step + 1) / 8, math.sqrt(8 / (step + 1)))


def warmed(optimizer, then):
    """From 1/6 of the rate to all of it in five steps, then another schedule."""
    line = scheduler.LinearLR(optimizer, start_factor=1 / 6, total_iters=5)
    return scheduler.SequentialLR(optimizer, [line, then], milestones=[5])


SCHEDULES = {  # the code that makes the schedule -> the same in PyTorch, around an optimizer of rate 0.4
    "Constant(0.4)": lambda o: scheduler.LambdaLR(o, lambda step: 1.0),
    "StepDecay(0.4, every=7)": lambda o: scheduler.StepLR(o, 7),
    "StepDecay(0.4, every=0.1, factor=0.5)": lambda o: scheduler.StepLR(o, 10, gamma=0.5),
    "Exponential(0.4, factor=0.95)": lambda o: scheduler.ExponentialLR(o, 0.95),
    "Exponential(0.4, factor=0.2, every=0.25)": lambda o: scheduler.ExponentialLR(o, 0.2 ** (1 / 25)),
    "Cosine(0.4)": lambda o: scheduler.CosineAnnealingLR(o, STEPS),
    "Cosine(0.4, end=0.1, length=100)": lambda o: scheduler.CosineAnnealingLR(o, STEPS, eta_min=0.1),
    "InverseTime(0.4, decay=0.3)": lambda o: scheduler.LambdaLR(o, lambda step: 1 / (1 + 0.3 * step)),
    "InverseSquareRoot(0.4, warmup=8)": lambda o: scheduler.LambdaLR(o, root),
    "InverseSquareRoot(0.4, warmup=0.08)": lambda o: scheduler.LambdaLR(o, root),
    "Warmup(0.4, steps=5)": lambda o: scheduler.LinearLR(o, start_factor=1 / 6, total_iters=5),
    "Warmup(Cosine(0.4), steps=0.05)": lambda o: warmed(o, scheduler.CosineAnnealingLR(o, STEPS - 5)),
    "Warmup(StepDecay(0.4, every=9), steps=5)": lambda o: warmed(o, scheduler.StepLR(o, 9)),
}


@pytest.mark.parametrize("code", SCHEDULES)
def test_a_schedule_gives_the_same_rate_at_every_step(code):
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    schedule_t = SCHEDULES[code](theirs)
    optimizer = cr.SGD(eval(code, vars(cr)))
    optimizer.plan(STEPS)
    for step in range(STEPS):
        assert optimizer.step(np.zeros(1), np.zeros(1)) == pytest.approx(schedule_t.get_last_lr()[0], rel=1e-10), step
        theirs.step()
        schedule_t.step()
