"""Planted faults in the proof of models some of whose numbers are known by bounds alone: bounds that are too narrow,
numbers that are taken to be the same, states that are left out.
"""

from .fault import Fault

_RULES, _STEPS = "verify/checkpoints/bounds_of_operations.py", "verify/checkpoints/bounds_of_steps.py"
_TABLE, _SEARCH = "verify/checkpoints/loose_table.py", "verify/checkpoints/loose_numbers.py"
_DRIFTING = "verify/checkpoints/drifting_states.py"
_OF_STEPS, _OF_SEARCH = "tests/test_bounds_of_steps.py", "tests/test_loose_numbers.py"
_LIES = f"{_OF_STEPS}::test_whatever_is_made_of_a_state_in_a_box_lies_within_the_bounds"
_CHOSEN = f"{_OF_STEPS}::test_a_number_is_chosen_only_where_it_is_the_greater_one"
_SAME = f"{_OF_STEPS}::test_the_same_operation_on_the_same_number_makes_the_same_number"
_PAIRS = f"{_OF_STEPS}::test_of_two_that_count_it_is_known_how_they_stay_beside_each_other"
_NOT_PAIRS = f"{_OF_STEPS}::test_nothing_is_known_of_two_that_do_not_count_beside_each_other"
_CUT_OFF = f"{_OF_STEPS}::test_states_that_pairs_do_not_allow_are_cut_off"
_REFUSED = f"{_OF_STEPS}::test_what_is_not_known_is_refused"
_CANCEL = f"{_OF_STEPS}::test_a_mean_in_which_numbers_cancel_vanishes_beside_a_great_one"
_COUNT = f"{_OF_SEARCH}::test_a_count_that_is_read_some_day_is_never_proved"
_FADES = f"{_OF_SEARCH}::test_a_memory_that_fades_is_proved_where_all_of_it_may"
_MEAN = f"{_OF_SEARCH}::test_a_mean_whose_numbers_both_count_is_proved_by_how_they_stay_beside_each_other"
_PLACES = f"{_OF_SEARCH}::test_each_state_of_the_machine_has_boxes_of_its_own"
_READ = f"{_OF_SEARCH}::test_outputs_are_read_above_the_threshold_off_logits_alone"
_ONCE = f"{_OF_SEARCH}::test_parts_of_a_box_have_all_its_states_once"
_FINITE = f"{_OF_SEARCH}::test_numbers_that_are_not_finite_are_not_looked_into"

FAULTS = [
    Fault(
        _RULES,
        "other.largest <= _smallest(one) * 2.0**-26",
        "other.largest <= _smallest(one) * 2.0**-20",
        _CHOSEN,
        "what is near enough is added",
    ),
    Fault(
        _RULES,
        "chosen = [(x, x.low >= y.high), (y, y.low >= x.high)]",
        "chosen = [(x, x.low >= y.low), (y, y.low > x.low)]",
        _CHOSEN,
        "a number is the greater one in all of a box, or may be the other",
    ),
    Fault(
        _RULES,
        "chosen=[(x, x.low >= 0)])]\n\n\ndef _greater",
        "chosen=[(x, x.high >= 0)])]\n\n\ndef _greater",
        _LIES,
        "a relu is what it reads where that is not negative",
    ),
    Fault(_RULES, "same = x.loose & (x.rows == y.rows)", "same = x.loose & y.loose", _LIES, "two numbers are not one"),
    Fault(
        _RULES,
        "(other.low == 1) & (other.high == 1)",
        "(other.low == 1) | (other.high == 1)",
        _LIES,
        "a product is what it reads where the other factor is 1",
    ),
    Fault(
        _RULES,
        "    if zero.any():\n        raise WideBounds",
        "    if False:\n        raise WideBounds",
        f"{_OF_STEPS}::test_what_may_be_infinite_is_looked_into_of_smaller_boxes",
        "a divisor may be 0 within its bounds",
    ),
    Fault(
        _RULES,
        "    return np.where((x.low <= 0) & (x.high >= 0), 0, ",
        "    return np.where(False, 0, ",
        _LIES,
        "what may be 0 has a square that may be",
    ),
    Fault(
        _RULES,
        "return [MadeWithin(-x.high, -x.low, each=[x])]",
        "return [MadeWithin(-x.low, -x.high, each=[x])]",
        _LIES,
        "signs turn",
    ),
    Fault(
        _RULES,
        "np.where(x.high <= SETTLED_ZERO, 0.0, np.where(x.high <= 0",
        "np.where(x.low <= SETTLED_ZERO, 0.0, np.where(x.high <= 0",
        _LIES,
        "exp is 0 where its greatest number is settled",
    ),
    Fault(
        _RULES,
        "    low = np.where(x.low >= SETTLED_ONE, 1.0, np.maximum(found.low, 0.0))",
        "    low = np.where(x.high >= SETTLED_ONE, 1.0, np.maximum(found.low, 0.0))",
        _LIES,
        "a gate is open where its least number is settled",
    ),
    Fault(
        _RULES,
        "np.where(x.high <= -SETTLED_ONE, -1.0",
        "np.where(x.low <= -SETTLED_ONE, -1.0",
        _LIES,
        "tanh is -1 where its greatest number is settled",
    ),
    Fault(
        _RULES,
        "    found = to_float32(low - off[0], high + off[1])\n",
        "    found = to_float32(low, high)\n",
        _LIES,
        "sums are rounded in any order",
    ),
    Fault(
        _RULES,
        "(near[0] >= 0).all(axis=1), np.maximum",
        "(near[0] >= 0).any(axis=1), np.maximum",
        _LIES,
        "a term of another sign takes something off",
    ),
    Fault(
        _RULES,
        "    heard = [x.loose & (y.loose | (y.low != 0)), y.loose & (x.loose | (x.low != 0))]",
        "    heard = [x.loose & (y.low > 0), y.loose & (x.low > 0)]",
        _LIES,
        "what is multiplied by a negative number is heard",
    ),
    Fault(
        _RULES,
        "    off = 16 * ROUNDING * x.largest.sum(axis=-1) + TINY\n",
        "    off = 0 * x.largest.sum(axis=-1)\n",
        _LIES,
        "a mean is rounded",
    ),
    Fault(
        _RULES,
        "np.maximum(least - off, 0), greatest + off",
        "np.maximum(greatest - off, 0), greatest + off",
        _LIES,
        "a variance is between bounds",
    ),
    Fault(
        _RULES,
        "Bounds(x.low - centre.high, x.high - centre.low)",
        "Bounds(x.low - centre.low, x.high - centre.high)",
        _LIES,
        "a mean is between bounds",
    ),
    Fault(
        _RULES,
        "        if more or (first & second).any() or not (first | second).any():\n",
        "        if more or not (first | second).any():\n",
        _LIES,
        "a product of two loose numbers is no multiple",
    ),
    Fault(_RULES, "    if parts[1:] != [2]:\n", "    if False:\n", _REFUSED, "a cube is no square"),
    Fault(
        _RULES,
        'kwargs.get("alpha", 1) != 1 or ',
        "",
        f"{_OF_STEPS}::test_multiples_and_whole_quotients_are_refused",
        "a multiple is added",
    ),
    Fault(
        _RULES,
        ' or kwargs.get("rounding_mode") is not None',
        "",
        f"{_OF_STEPS}::test_multiples_and_whole_quotients_are_refused",
        "a quotient is cut to a whole number",
    ),
    Fault(
        _RULES,
        "        if parts[1:] not in ([], [1, 20], [1.0, 20.0]):\n",
        "        if False:\n",
        _REFUSED,
        "another softplus",
    ),
    Fault(_RULES, '    if kwargs.get("correction") != 0 or ', "    if ", _REFUSED, "another variance"),
    Fault(
        _STEPS,
        "        if not ((low <= run) & (run <= high))[loose].all():\n",
        "        if False:\n",
        _MEAN,
        "what is run lies within the bounds",
        equivalent="it is looked at besides: a bound that is right has what is run",
    ),
    Fault(
        _STEPS,
        "        infinite = loose & ~(np.isfinite(low) & np.isfinite(high))\n",
        "        infinite = loose & False\n",
        f"{_OF_STEPS}::test_what_may_be_infinite_is_looked_into_of_smaller_boxes",
        "0 times infinity is not 0",
    ),
    Fault(
        _TABLE,
        "_above(ends, y, ends[0][x] / greatest) if greatest > 0 else _below",
        "_above(ends, y, ends[0][x] / greatest) if greatest < 0 else _below",
        _CUT_OFF,
        "a negative ratio turns the order",
    ),
    Fault(
        _TABLE,
        "        _below(ends, x, float((greatest * of_y).max()))\n",
        "        _below(ends, x, float((greatest * of_y).min()))\n",
        _CUT_OFF,
        "the greatest denominator allows the greatest numerator",
    ),
    Fault(
        _TABLE,
        "(a.name, a.rule) == (b.name, b.rule)",
        "a.rule == b.rule",
        _NOT_PAIRS,
        "different operations say nothing of a ratio",
    ),
    Fault(
        _TABLE,
        'if a.name == "mul" and first[1] == second[1] > 0:',
        'if a.name == "mul":',
        _NOT_PAIRS,
        "both are multiplied by the same number",
    ),
    Fault(
        _TABLE,
        "    return min(low, least), max(high, greatest)\n",
        "    return low, high\n",
        _PAIRS,
        "what is added has a ratio of its own",
    ),
    Fault(
        _TABLE,
        "(low if f >= 0 else NOTHING_KNOWN[0]), (high if f <= 0 else NOTHING_KNOWN[1])",
        "low, high",
        _PAIRS,
        "a numerator that counts alone leaves every ratio",
    ),
    Fault(
        _TABLE,
        "_beside(self._ratio(x, second[0], deep - 1), 0.0, second[1])",
        "self._ratio(x, second[0], deep - 1)",
        _PAIRS,
        "a denominator that counts alone comes near 0",
    ),
    Fault(
        _TABLE,
        "terms[symbol] = terms.get(symbol, 0.0) + multiple * by",
        "terms[symbol] = multiple * by",
        (_CANCEL, _LIES),
        "a number is in a sum as often as it is added",
    ),
    Fault(
        _SEARCH,
        "        if not self._right(0, given, given).all():\n",
        "        if False:\n",
        _READ,
        "what is given before the first symbol",
    ),
    Fault(
        _SEARCH,
        'if model.reading.kind != LOGIT or not hasattr(model.runner, "counts_of_steps"):',
        'if not hasattr(model.runner, "counts_of_steps"):',
        _READ,
        "a probability is no logit",
    ),
    Fault(
        _SEARCH,
        "threshold = self._model.reading.threshold\n",
        "threshold = 0\n",
        _READ,
        "outputs are read above a threshold",
    ),
    Fault(
        _SEARCH,
        "return np.where(wanted, low > threshold, ~(high > threshold))",
        "return np.where(wanted, high > threshold, ~(high > threshold))",
        (_COUNT, _FADES),
        "each state of a box accepts",
    ),
    Fault(
        _SEARCH,
        "return np.where(wanted, low > threshold, ~(high > threshold))",
        "return np.where(wanted, low > threshold, ~(low > threshold))",
        _PLACES,
        "each state of a box rejects",
    ),
    Fault(
        _SEARCH,
        "            self._waiting.extend((place, part) for part in _beyond(grown, box))\n",
        "            pass\n",
        (_COUNT, _FADES),
        "what a box has grown by has images, too",
    ),
    Fault(
        _SEARCH,
        "        if (grown.ratios != box.ratios).any():\n",
        "        if False:\n",
        "tests/test_loose_numbers.py::test_a_box_of_which_less_is_known_is_stepped_as_a_whole",
        "of what is known less the images are others",
    ),
    Fault(
        _SEARCH,
        "        if not np.isfinite(state).all():\n",
        "        if False:\n",
        _FINITE,
        "infinity times 0 is no number",
    ),
    Fault(
        _SEARCH,
        "        if inner.high[along] < high[along]:\n",
        "        if False:\n",
        (_ONCE, _COUNT),
        "what lies above a box is beyond it",
    ),
    Fault(
        _SEARCH,
        "        low[along], high[along] = inner.low[along], inner.high[along]\n",
        "        low[:], high[:] = inner.low, inner.high\n",
        _ONCE,
        "along each number something lies beyond",
    ),
    Fault(
        _SEARCH,
        "_number(middle), _number(middle + 1)",
        "_number(middle), _number(middle + 2)",
        _ONCE,
        "halves have all states",
    ),
    Fault(
        _DRIFTING,
        "    for rows in dict.fromkeys((model.batch, 1)):\n",
        "    for rows in (model.batch,):\n",
        "tests/test_drifting_states.py::test_a_row_alone_has_words_of_its_own",
        "a row alone has words of its own",
    ),
]
