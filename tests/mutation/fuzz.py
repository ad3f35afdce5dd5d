"""Planted faults in the provers that the fuzz has to see by itself, on models that are near a false verdict."""

from .fault import Fault

_FUZZ = "tests/test_fuzz.py::test_no_verdict_about_a_model_that_is_near_a_false_one"

FAULTS = [
    Fault(
        "verify/methods/bisimulation.py",
        "wanted[cases // rows] != outputs.table[cases % rows]",
        "wanted[cases // rows] & ~outputs.table[cases % rows]",
        _FUZZ,
        "an output that is given and not expected: the brute force finds the string",
    ),
    Fault(
        "verify/methods/levelwise.py",
        "            if given[x] != self._wanted(state):",
        "            if not given[x] >= self._wanted(state):",
        _FUZZ,
        "an output that is given and not expected, level by level",
    ),
    Fault(
        "verify/methods/induction/prove.py",
        "    verdict = _verdict(induction.ssm, PROVED, reason, result, horizon=length, relation=aloud)\n",
        "    verdict = _verdict(induction.ssm, PROVED, reason, result, horizon=None, relation=aloud)\n",
        _FUZZ,
        "in floats the proof reaches as far as the counters are exact: a deep nest is wrong",
    ),
    Fault(
        "verify/impossible/upper_bound.py",
        'if mix.activation != "clip":\n            for i in np.flatnonzero((weights',
        'if mix.activation == "clip":\n            for i in np.flatnonzero((weights',
        _FUZZ,
        "no fraction of an unbounded number is rounded: a model of PARITY is called star-free",
    ),
    Fault(
        "constructions/ssm/horizon.py",
        "/ 2.0**layer.initial_exponent + length * step)",
        "/ 2.0**layer.initial_exponent)",
        _FUZZ,
        "a state grows by the increment with every symbol: floats leave the exact run",
    ),
    Fault(
        "verify/impossible/upper_bound.py",
        "    if least < 0 and not invariant:",
        "    if False:",
        _FUZZ,
        "a negative gate that depends on the input: a model of PARITY gets a bound",
    ),
]
