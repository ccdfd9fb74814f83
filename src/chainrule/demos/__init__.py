"""Problems small enough to see, solved in about a second, and how many starts do solve them.

    outcome = demos.find("xor").run()               # a trained network, and how far it has come
    print(demos.find("xor", "4-relu").python())     # the same in lines of Python

The table of them is demos/table.py.
"""

from chainrule.demos.demo import Demo as Demo, Outcome as Outcome, Promise as Promise
from chainrule.demos.table import DEMOS as DEMOS, QUESTIONS as QUESTIONS, find as find
