"""Names what is wrong: with data and a network before training (checkup), and with a training under way (Watch)."""

from chainrule.doctor.checking import checkup as checkup
from chainrule.doctor.items import Checkup as Checkup, Item as Item
from chainrule.doctor.watching import Finding as Finding, Watch as Watch
