"""One batch's way through a network and back with every number of it: `explain` is the only name to know."""

from chainrule.explaining.explanation import Explanation as Explanation, explain as explain
