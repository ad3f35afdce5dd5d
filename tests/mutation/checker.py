"""Planted faults in the checker of certificates."""

from .fault import Fault

_CHECKER, _TESTS = "verify/checker.py", "tests/test_checker.py"
_CONDITIONS = f"{_TESTS}::test_each_condition_is_checked"
_LOOKS = f"{_TESTS}::test_what_a_layer_looks_at_changes_with_the_numbers"
_LANES = f"{_TESTS}::test_what_does_not_fit_into_a_lane"


def _fault(old: str, new: str, why: str, test: str = _CONDITIONS) -> Fault:
    return Fault(_CHECKER, old, new, test, why)


FAULTS = [
    _fault("if len(dict(pairs)) < len(pairs):", "if False:", "no entry is given twice",
           f"{_TESTS}::test_what_is_no_certificate"),
    _fault("if len(data) > TEXT_LIMIT:", "if False:", "a file is bounded", f"{_TESTS}::test_what_is_no_certificate"),
    _fault("all([type(n) is int and part[0] <= n <= part[1] for n in value])",
           "all([part[0] <= n <= part[1] for n in value])", "numbers are integers",
           f"{_TESTS}::test_any_part_may_be_anything"),
    _fault("LARGEST, _MOST_PLACES = 1 << 62, 62", "LARGEST, _MOST_PLACES = 1 << 63, 62", "numbers have 62 bits"),
    _fault("and 0 not in weights", "", "no weight is 0"),
    _fault("all([i < j for i, j in", "all([i <= j for i, j in", "columns ascend"),
    _fault("form.unpack(form.pack(x))[0] if x == x", "x if x == x", "floats are rounded",
           f"{_TESTS}::test_rounding_is_to_nearest_even"),
    _fault("arity 1 to %d\" % k, (0,), (1,)", "arity 1 to %d\" % k, (0,), (0,)",
           "an expression is still to come at first",
           f"{_TESTS}::test_named_languages_are_the_programs"),
    _fault("enumerate(dfa.table[q]) if t in alive}", "enumerate(dfa.table[q])}", "moves to dead states are no moves",
           f"{_TESTS}::test_what_is_true_is_verified"),
    _fault("least = 0 if self.nullable[term] else least", "least = least", "what may be empty may be left out",
           f"{_TESTS}::test_expressions_mean_what_the_program_reads"),
    _fault('need(right, "%s: expression and automaton differ in state %d", place, q)', "",
           "expression and automaton agree"),
    _fault('need(len(seen) < most, "closed: there are more', 'need(True, "closed: there are more',
           "pairs are announced"),
    _fault("while layer and length != claim.horizon:", "while layer and length < 1:", "a search goes on to its end",
           f"{_TESTS}::test_each_condition_is_checked"),
    _fault("or (least, most) == (low, low), \"%s is not what", "or True, \"%s is not what",
           "a step leads to the template"),
    _fault('need(inside, "%s: counter %d may be outside', 'need(True, "%s: counter %d may be outside',
           "ranges are kept"),
    _fault('raise Failed("%s is not within the range of the template" % place)', "return None", "terms any are kept"),
    _fault("right = low > 0 if said", "right = high > 0 if said",
           "an output is given everywhere it should be",
           f"{_TESTS}::test_an_output_may_be_missing_in_a_part_of_the_box"),
    _fault("else high <= 0\n", "else low <= 0\n",
           "an output is given nowhere else"),
    _fault('need(exact, "a number that is up to', 'need(True, "a number that is up to', "floats are exact"),
    _fault("falls <= down and rises <= up", "falls <= down", "what drifts, drifts no faster upwards",
           f"{_TESTS}::test_what_drifts_may_not_come_from_what_drifts_faster"),
    _fault("            self.bounded(number(end), box)\n", "", "a clip's bounds are floats",
           f"{_TESTS}::test_a_bound_of_a_clip_is_a_float_too"),
    _fault('need(width < INFINITY, "a relu', 'need(True, "a relu', "two unbounded numbers are not compared",
           f"{_TESTS}::test_two_unbounded_counters_are_not_compared"),
    _fault("part = masks[t] and not masks[t] & ~masks[s] and level[t] > level[s]", "part = level[t] > level[s]",
           "a chart nests", f"{_TESTS}::test_a_chart_that_does_not_nest_is_refused"),
    _fault('need(bit in (0, 1), "levels', 'need(True, "levels', "a digit's coordinates are bits"),
    _fault('need(given != wanted, "word', 'need(True, "word', "a witness is one"),
    _fault('q != MASK, "word: the string is no prefix', 'True, "word: the string is no prefix',
           "a witness is a prefix in predictive mode", f"{_TESTS}::test_words_in_predictive_mode_are_prefixes"),
    _fault('need(state == first and len(seen) == evidence.period, "cycle', 'need(True, "cycle', "a cycle comes back"),
    _fault('need(len(found) == 2, "cycle', 'need(True, "cycle', "a cycle changes membership"),
    _fault("right = all([0 <= gate < INFINITY for gate in node.way.gates])", "right = True", "no gate is negative"),
    _fault('need(claim.model.arithmetic.kind != "wrap", "bound', 'need(True, "bound', "wrapping is not monotone"),
    _fault("if len(ends) < 2 or ends[0] != ends[1]: seen", "if len(ends) < 2: seen",
           "a layer looks at what its sums depend on",
           _LOOKS),
    _fault("        if ranges != self.ranges:\n", "        if False:\n",
           "what may be left out is found anew for new numbers",
           _LOOKS),
    _fault("        if not wraps and all([floored(", "        if all([floored(", "states wrap",
           f"{_TESTS}::test_a_step_of_forms_is_the_definition_where_all_is_known"),
    _fault("= min(low, v, far), max(high, v, far)", "= min(low, far), max(high, far)", "ranges hold what was met",
           f"{_TESTS}::test_what_a_layer_looks_at_changes_with_the_numbers"),
    _fault("            need(len(numbers) < MASK,", "            need(True,", "lanes are wide enough", _LANES),
    _fault("need(max(registers, default=0) < MASK - 64,", "need(True,", "registers fit into lanes", _LANES),
]  # fmt: skip
