"""The mistakes that learners make in a backward, as wrong pieces of a chain: one line each, with its name and its cure.

A mistake is tried by putting its piece into the right backward. If all the learner's numbers come out, that is it. The
order is that of the list: what is common and simple stands first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chainrule.doctor.naming.chain import Act, Affine, Chain, LossStep, Mask, Norm, SoftmaxStep
from chainrule.doctor.naming.joint import Joint, joint
from chainrule.doctor.naming.mistake import Circumstances, Mistake
from chainrule.doctor.naming.mistakes_in_blocks import mask, norm
from chainrule.doctor.naming.mistakes_in_layers import act, affine, softmax_step
from chainrule.doctor.naming.mistakes_in_losses import fused, loss

TABLE: dict[type, Callable[[int, Chain, Circumstances], Iterator[Mistake]]] = {
    Affine: affine,
    Joint: joint,
    Act: act,
    SoftmaxStep: softmax_step,
    Norm: norm,
    Mask: mask,
    LossStep: loss,
}


def mistakes(chain: Chain, around: Circumstances) -> Iterator[Mistake]:
    """All single mistakes on this chain; where several steps are alike, also the same mistake made in all of them."""
    if len(chain.steps) > 1:
        yield from fused(chain, around)
    alike: dict[str, list[Mistake]] = {}
    for i, step in enumerate(chain.steps):
        for mistake in TABLE[type(step)](i, chain, around) if type(step) in TABLE else ():
            alike.setdefault(mistake.says, []).append(mistake)
            yield mistake
    for group in alike.values():
        if len(group) > 1:
            pieces: dict[tuple[int, str], Any] = {key: piece for m in group for key, piece in m.pieces.items()}
            yield Mistake(group[0].cause, group[0].says, group[0].write, pieces)
