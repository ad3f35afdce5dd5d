"""When does a model that reads the same period for ever stop changing, and after how many periods at the latest?

One channel at a time (:mod:`~verify.impossible.transients.channels`,
:mod:`~verify.impossible.transients.float_channels`), and then all layers of a model, one after the other
(:mod:`~verify.impossible.transients.settling`).
"""
