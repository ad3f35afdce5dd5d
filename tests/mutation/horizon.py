"""Planted faults in the proof of counters up to a horizon, by states that were guessed."""

from .fault import Fault

_STEPS = "verify/checkpoints/guessed_states.py"
_PROOF = "verify/checkpoints/counted_horizon.py"
_LINES = "verify/checkpoints/lines_of_counts.py"
_TESTS = "tests/test_counted_horizon.py"

FAULTS = [
    Fault(
        _STEPS,
        "    if (outputs.dense()[0, 0] != states.table()[states.expected_at(np.zeros(1, dtype=np.intp))[0]]).any():\n",
        "    if False:\n",
        f"{_TESTS}::test_the_empty_word_is_compared",
        "the outputs after the empty word are compared",
    ),
    Fault(
        _STEPS,
        "np.where(right, found, _WRONG)",
        "found",
        f"{_TESTS}::test_what_is_wrong_at_one_count_after_one_symbol_is_found",
        "the outputs of every step are compared",
    ),
    Fault(
        _STEPS,
        "outputs.dense()[:, 0] == wanted)",
        "outputs.dense()[:, 0] >= wanted)",
        f"{_TESTS}::test_what_is_given_besides_is_wrong_too",
        "what is given and not expected is wrong",
    ),
    Fault(
        _STEPS,
        "np.nonzero(targets >= 0)",
        "np.nonzero((targets >= 0) & (np.arange(targets.shape[1]) > 0))",
        f"{_TESTS}::test_what_is_wrong_at_one_count_after_one_symbol_is_found",
        "every symbol is followed",
    ),
    Fault(
        _STEPS,
        "self.pairs.number([target, *stepped.T])",
        "self.pairs.number([target, *held[source].T])",
        f"{_TESTS}::test_a_count_that_sticks_ends_the_horizon",
        "the cache after a step is the one that is stepped next",
    ),
    Fault(
        _STEPS,
        "self.pairs.number([target, *stepped.T])",
        "self.pairs.number([machine[source], *stepped.T])",
        _TESTS,
        "the machine's state after a step is the one that is asked next",
    ),
    Fault(
        _STEPS,
        "(levels >= 0) & ~stepped,",
        "(levels < 0) & ~stepped,",
        f"{_TESTS}::test_a_count_that_sticks_ends_the_horizon",
        "what was not stepped ends the horizon",
    ),
    Fault(
        _STEPS,
        "int(levels[ends | mistaken].min())",
        "int(levels[ends | mistaken].max())",
        f"{_TESTS}::test_two_counters_are_proved_and_a_mistake_at_two_counts_is_found",
        "the nearest end is the horizon",
    ),
    Fault(
        _STEPS,
        "int(levels[ends | mistaken].min())",
        "int(levels[ends].min(initial=10**6))",
        f"{_TESTS}::test_a_mistake_that_only_a_batch_makes_refutes_nothing",
        "a mistake ends the horizon, too",
    ),
    Fault(
        _STEPS,
        "search.least_count(ends | mistaken)",
        "search.least_count(ends)",
        f"{_TESTS}::test_a_mistake_that_only_a_batch_makes_refutes_nothing",
        "longer strings must not come to a mistake",
    ),
    Fault(
        _STEPS,
        "min(max(counts) for _, counts in found)",
        "max(max(counts) for _, counts in found)",
        f"{_TESTS}::test_a_count_that_sticks_ends_the_horizon",
        "longer strings must not come to any state that was not stepped",
    ),
    Fault(
        _STEPS,
        "if not found or None in found else",
        "if not (found := [one for one in found if one is not None]) else",
        f"{_TESTS}::test_recognition_counts_on_where_nothing_is_a_word_any_more",
        "where the machine has no counters any more, they bound nothing",
    ),
    Fault(
        _STEPS,
        "    begin = int(search.pairs.number([np.zeros(1, dtype=np.intp), *first.T])[0][0])\n",
        "    begin = 0\n",
        f"{_TESTS}::test_the_way_begins_where_the_model_does",
        "strings begin where the model does",
    ),
    Fault(
        _STEPS,
        "        there = np.arange(known, len(search.pairs))\n",
        "        there = np.arange(0)\n",
        f"{_TESTS}::test_states_off_the_lines_are_stepped_when_they_come",
        "states off the lines are stepped, too",
    ),
    Fault(
        _PROOF,
        "runs_wrong(machine, model.with_batch(1), mode, followed.wrong)",
        "runs_wrong(machine, model.with_batch(2), mode, followed.wrong)",
        f"{_TESTS}::test_a_mistake_that_only_a_batch_makes_refutes_nothing",
        "a witness is wrong when it is run alone",
    ),
    Fault(
        _PROOF,
        "                apart.glance(False)\n",
        "",
        f"{_TESTS}::test_stock_models_are_proved_one_string_at_a_time",
        "what is claimed of one string alone is looked at",
    ),
    Fault(
        _PROOF,
        "        if found.length is not None and found.length <= longest + 1 and found.wrong is None:\n",
        "        if False:\n",
        f"{_TESTS}::test_without_lines_nothing_is_said",
        "lines that lead nowhere are no proof",
    ),
    Fault(
        _LINES,
        "        if steps > most:\n",
        "        if steps > 3 * most:\n",
        f"{_TESTS}::test_what_counts_is_proved_up_to_a_length_and_to_a_count",
        "the limit is one of steps",
    ),
    Fault(
        _LINES,
        "yield number, gone if target is None else target",
        "yield number, (None, counts) if target is None else target",
        f"{_TESTS}::test_recognition_counts_on_where_nothing_is_a_word_any_more",
        "a model counts on where the machine does not",
    ),
    Fault(
        "verify/decision.py",
        "verdict.horizon < _LEAST_HORIZON",
        "False",
        "tests/test_decide.py::test_a_proof_of_short_strings_alone_decides_nothing",
        "a proof of a few symbols does not say that an architecture has a language",
    ),
    Fault(
        "verify/checkpoints/search.py",
        "min(both, default=None)",
        "lines.horizon",
        f"{_TESTS}::test_other_ways_to_run_a_mamba_are_proved_as_far_as_its_certificate_goes",
        "other ways to run it are alike as long as counters are exact",
    ),
]
