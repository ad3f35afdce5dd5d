"""A fuzz of the provers: saved models are edited at random, and no verdict about them may be false.

``languages``   what is true: each language as an automaton of a few lines, written for this purpose alone
``slow_model``  what a saved model does: its step from the definition, on the arrays as they lie on disk
``families``    the models that are edited, and the checks that can be made of each
``edits``       what is done to the files
``judge``       whether a verdict is true, by brute force
``__main__``    the loop, the table, and smaller reproductions of what was found

``make fuzz SECONDS=60 SEED=0``, or ``python -m tests.fuzz --help``.
"""
