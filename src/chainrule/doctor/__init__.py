"""The doctor: names the mistake in a hand-written backward, and what is wrong with a network that will not learn."""

from chainrule.doctor.gradients import gradients as gradients
from chainrule.doctor.report import CAUSES as CAUSES, Report as Report
