"""A class taught with chainrule: exercises whose tests name the misconception, as files, pytest tests and notebooks."""

from chainrule.teaching.exercise import Exercise as Exercise, exercises as exercises
from chainrule.teaching.grading import agree as agree, examine as examine, points as points
from chainrule.teaching.handing_out import FORMS as FORMS, hand_out as hand_out
