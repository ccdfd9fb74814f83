"""The doctor: names the mistake in a hand-written backward, and what is wrong with a network that will not learn."""

from chainrule.doctor.checking import checkup as checkup
from chainrule.doctor.gradients import gradients as gradients
from chainrule.doctor.items import Checkup as Checkup, Item as Item
from chainrule.doctor.learners_file import examine_file as examine_file
from chainrule.doctor.report import CAUSES as CAUSES, Report as Report, Row as Row
from chainrule.doctor.watching import Finding as Finding, Watch as Watch
