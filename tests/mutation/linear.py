"""Planted faults in exact linear recurrences: a matrix that is not of its family, a number that is not exact."""

from .fault import Fault

_WEIGHTS = "constructions/linear/weights.py"
_ENGINE = "constructions/linear/engine.py"
_RING = "constructions/linear/cyclotomic.py"
_TESTS = "tests/test_linear.py"
_ARRAYS = f"{_TESTS}::test_weights_that_are_not_of_their_family_are_refused"
_MET = f"{_TESTS}::test_gates_that_are_not_of_their_family_are_refused_where_they_are_met"
_BROKEN = f"{_TESTS}::test_broken_arrays_are_named"
_COUNTERS = "tests/test_linear_counters.py"
_DRIFT, _DRIFTS = "verify/methods/drift.py", "tests/test_drift.py"
_BEYOND = f"{_DRIFTS}::test_numbers_beyond_the_bound_go_on"
_ALONE, _RECURRENCES = f"{_COUNTERS}::test_a_bit_is_left_alone", "verify/methods/relation/recurrences.py"

FAULTS = [
    Fault(_WEIGHTS, "and (row != column).any():", "and False:", _ARRAYS, "a diagonal matrix is diagonal"),
    Fault(_WEIGHTS, "and read.any():", "and False:", _ARRAYS, "gates that never change read nothing"),
    Fault(_WEIGHTS, "        self._check_constant()\n", "", _ARRAYS, "the first coordinate is always 1"),
    Fault(_WEIGHTS, "identity = fixed.sum() == cells and", "identity =", _ARRAYS, "1 + A has all of the 1"),
    Fault(_WEIGHTS, "!= self.ring.root(0)).any():", "!= self.ring.root(0)).all():", _ARRAYS, "1 + A has ones"),
    Fault(_WEIGHTS, "if not 1 <= self.order <= (most or 10_000):", "if False:", _ARRAYS, "roots that a family has"),
    Fault(_WEIGHTS, "(self.places >= np.array(shape)).any()", "False", _BROKEN, "places are inside"),
    Fault(_WEIGHTS, "if len(np.unique(self.places, axis=0)) < rows:", "if False:", _BROKEN, "a place has one value"),
    Fault(_ENGINE, "        self._check_matrix(u)\n", "", _MET, "gates are looked at where they are met"),
    Fault(_ENGINE, "if self.family.shape == ONE_PER_COLUMN and", "if False and", _MET, "one number in each column"),
    Fault(_ENGINE, "        if wrong.any():", "        if False:", _MET, "a gate is 0 or a root of unity"),
    Fault(
        _ENGINE,
        "        if (whole.astype(np.float32) != after).any():",
        "        if False:",
        f"{_TESTS}::test_longhorn_forgets_by_rounding_and_not_with_a_smaller_key",
        "what goes on is what float32 holds",
    ),
    Fault(
        _RING,
        "            if self._irrational_is_positive(doubled[row]):",
        "            if doubled[row, 0] > 0:",
        f"{_TESTS}::test_a_real_part_within_any_float_of_nothing_has_its_sign",
        "a real part is no first coefficient",
    ),
    Fault(
        "constructions/linear/lowering.py",
        "set(every) == {1}:",
        "set(every) <= {0, 1}:",
        f"{_TESTS}::test_what_a_family_cannot_have_names_register_and_group",
        "a gate that never changes turns at every symbol",
    ),
    Fault(
        "constructions/compile/rotations.py",
        "    if prime is None:\n        return None",
        "    if prime is None:\n        prime = index",
        f"{_TESTS}::test_what_a_family_cannot_have_names_register_and_group",
        "a group without quotients of prime order is not solvable",
    ),
    Fault(
        "constructions/compile/compiler.py",
        "    alone = [rule.when[0] for rule in register.rules if len(rule.when) == 1]\n",
        "    return True\n    alone = []\n",
        f"{_TESTS}::test_what_is_held_for_some_symbols_is_no_window",
        "a register that some symbol leaves alone is held",
    ),
    Fault(
        "constructions/program/planner.py",
        "        return covered == prod(sizes.values())\n",
        "        return True\n",
        f"{_TESTS}::test_what_is_held_for_some_symbols_is_no_window",
        "what is read off a step has a case at every step",
    ),
    Fault(
        "constructions/compile/compiler.py",
        "for rule in register.rules):\n                found.setdefault(RESET",
        "for rule in ()):\n                found.setdefault(RESET",
        "tests/test_decide.py::test_what_is_decided_contradicts_no_theorem[lru]",
        "a register that is permuted and set has to forget",
    ),
    Fault(
        _RECURRENCES,
        "least < -1 or most > 1",
        "least < -1",
        f"{_COUNTERS}::test_a_gate_of_3_is_no_gate_of_the_family",
        "a proof shows of every gate that it is one of the family",
    ),
    Fault(
        _RECURRENCES,
        "(proof.first(), *proof.steps())",
        "(*proof.steps(),)",
        f"{_COUNTERS}::test_a_gate_of_3_is_no_gate_of_the_family",
        "the step on BOS has gates too",
    ),
    Fault(
        "constructions/linear/as_ssm.py",
        "    if (column >= columns).any():",
        "    if False:",
        f"{_COUNTERS}::test_what_is_no_ssm_is_said",
        "what was read one step ago is not read by an SSM",
    ),
    Fault(
        "constructions/linear/as_ssm.py",
        "    bias[row[always]] = values[always]\n",
        "",
        f"{_COUNTERS}::test_the_ssm_has_the_same_numbers",
        "the gate that is the same at every step",
    ),
    Fault(
        "constructions/compile/set_once.py",
        "rule.then == Set(1)",
        "rule.then != Copy('bit')",
        _ALONE,
        "a bit that is taken back counts nothing",
    ),
    Fault("constructions/compile/set_once.py", " and register.name not in copied", "", _ALONE, "a copy needs the bit"),
    Fault(
        "constructions/compile/set_once.py",
        "negated=literal.value == 0",
        "negated=False",
        f"{_COUNTERS}::test_counted_bits_give_the_same",
        "0 is never set",
    ),
    Fault(_DRIFT, "                found[_ABOVE] = None\n", "                pass\n", _BEYOND, "what rises beyond T"),
    Fault(_DRIFT, "                found[_BELOW] = None\n", "                pass\n", _BEYOND, "what falls below -T"),
    Fault(_DRIFT, "(self.most + 1, None)", "(self.most + 1, self.most + 1)", _BEYOND, "any number above"),
    Fault(
        _DRIFT,
        "if output in given and (least is None or least <= 0):",
        "if False:",
        _BEYOND,
        "an output that is missing",
    ),
    Fault(
        _DRIFT,
        "if output not in given and (most is None or most > 0):",
        "if False:",
        f"{_DRIFTS}::test_a_bit_that_is_never_set_is_missed",
        "an output that is given",
    ),
    Fault(
        _DRIFT,
        "        if may_be_foreign(step, number, i):",
        "        if False:",
        f"{_DRIFTS}::test_a_gate_of_3_is_no_gate_of_the_family",
        "a gate that is none of the family",
    ),
    Fault(
        "constructions/compile/extensive.py",
        "return (*first, *(Is(names[state], 0, before) for state in order[place + 1 : below]))",
        "return first",
        f"{_DRIFTS}::test_random_automata_that_never_come_back",
        "the last of the bits",
    ),
    Fault(
        _DRIFT,
        ' or verdict.explored["joint states"] > limit:',
        ":",
        f"{_DRIFTS}::test_great_numbers_end_at_once",
        "a greater bound is not tried after too many pairs",
    ),
]
