"""The learning rate as a function of the step: `schedule.py` is the contract."""

from chainrule.schedules.falling import (
    Cosine as Cosine,
    Exponential as Exponential,
    InverseSquareRoot as InverseSquareRoot,
    InverseTime as InverseTime,
    StepDecay as StepDecay,
    Warmup as Warmup,
)
from chainrule.schedules.schedule import (
    Constant as Constant,
    OneCycle as OneCycle,
    Schedule as Schedule,
    as_schedule as as_schedule,
)

SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "one_cycle": OneCycle,
    "step_decay": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "inverse_time": InverseTime,
    "inverse_square_root": InverseSquareRoot,
    "warmup": Warmup,
}
