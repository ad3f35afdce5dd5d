"""Planted faults in the proof of models whose drifting numbers have their values listed: what is seen is left out,
values are taken to look the same, lists are not closed.
"""

from .fault import Fault

_RECIPES, _STEPS = "verify/checkpoints/recipes.py", "verify/checkpoints/listed_steps.py"
_VALUES, _SEARCH = "verify/checkpoints/listed_values.py", "verify/checkpoints/listed_numbers.py"
_ZERO, _STATE = "verify/checkpoints/divided_by_zero.py", "verify/checkpoints/followed_state.py"
_TESTS = "tests/test_listed_numbers.py"
_QUOTIENT = f"{_TESTS}::test_a_quotient_that_passes_a_threshold_some_day_is_never_proved"
_NARROW = f"{_TESTS}::test_what_is_seen_may_be_wrong_of_one_value_alone"
_SEEN = f"{_TESTS}::test_whatever_reads_a_listed_number_otherwise_has_seen_it"
_IDLE = f"{_TESTS}::test_idle_numbers_are_those_that_nothing_reads"
_FINITE = f"{_TESTS}::test_numbers_that_are_not_finite_are_not_looked_into"
_BEHIND = f"{_TESTS}::test_listed_numbers_are_made_of_what_has_seen_none"
_READ = f"{_TESTS}::test_outputs_are_read_above_the_threshold_off_logits_alone"
_CLASSES = f"{_TESTS}::test_values_are_in_one_class_where_all_recipes_show_the_same"
_LIST = f"{_TESTS}::test_a_list_has_all_values_and_no_others"
_DIVIDED = f"{_TESTS}::test_a_division_by_zero_is_seen_though_nothing_shows_it"

FAULTS = [
    Fault(
        _RECIPES,
        "        if not all(np.isfinite(row).all() for row in rows):\n",
        "        if False:\n",
        _FINITE,
        "0 times infinity is not 0",
    ),
    Fault(
        _RECIPES,
        "        if value != np.float32(run):\n",
        "        if False:\n",
        f"{_TESTS}::test_what_is_run_is_what_was_written_down",
        "what is written down is what is run",
    ),
    Fault(
        _RECIPES,
        "            return of[2][0] if of[1][1] else of[0][0]\n",
        "            return of[0][0]\n",
        f"{_TESTS}::test_a_number_is_filled_where_the_mask_says",
        "a number is filled",
    ),
    Fault(
        _RECIPES,
        "*(rows[row] > threshold for row, _ in self.answers)",
        "",
        _QUOTIENT,
        "a logit that is followed is given",
    ),
    Fault(
        _STEPS,
        "        self._see([part.ids[behind] for part in operands])\n",
        "",
        f"{_TESTS}::test_what_is_brought_together_with_what_has_seen_others_is_seen",
        "what is behind reads what it is brought together with",
    ),
    Fault(_STEPS, "~behind & ~more & (count == 1)", "~behind & (count == 1)", _SEEN, "a sum of two is no product"),
    Fault(
        _STEPS,
        " & ~(heard[0] & heard[1]).any(axis=-1)",
        "",
        _SEEN,
        "a square is no product with what is clean",
    ),
    Fault(
        _STEPS,
        "            self._see([part.ids[on & ~alone[..., None]]])\n",
        "            pass\n",
        _SEEN,
        "a sum has seen its terms",
    ),
    Fault(
        _STEPS,
        "        plain = not any(value not in (None, 1) for value in kwargs.values())\n",
        "        plain = True\n",
        _SEEN,
        "a multiple is added",
    ),
    Fault(
        _STEPS,
        "        if name not in _LOOKED_INTO or tensors_in(kwargs):\n",
        "        if tensors_in(kwargs):\n",
        _BEHIND,
        "what an operation does is known",
    ),
    Fault(
        _STEPS,
        "        if (ids[listed] == _BEHIND).any():\n",
        "        if False:\n",
        _BEHIND,
        "what is behind is another number for other values",
    ),
    Fault(
        _STEPS,
        "        table.seen |= set(elsewhere[elsewhere >= 0].tolist())\n",
        "",
        f"{_TESTS}::test_what_is_left_elsewhere_is_seen",
        "what is left among other numbers is seen in the next step",
    ),
    Fault(_STEPS, " & (by.values == 0) for one, by in", " for one, by in", _IDLE, "only what 0 silences is idle"),
    Fault(
        _STEPS,
        "(one.ids >= 0) & (by.ids == NOBODY) & (by.values == 0)",
        "(one.ids >= 0) & (by.values == 0)",
        _IDLE,
        "what is 0 now may be another number",
    ),
    Fault(
        _STEPS,
        "if idle[source] and not idle[place]]",
        "if False]",
        _IDLE,
        "what is moved to where it is read is read",
    ),
    Fault(
        _STEPS,
        "            idle[given[given >= 0]] = False\n",
        "",
        f"{_TESTS}::test_idle_numbers_may_take_any_values",
        "a logit is read",
    ),
    Fault(_STEPS, "        if self._divisions.seen():\n", "        if False:\n", _DIVIDED, "the sign of a 0 matters"),
    Fault(
        _ZERO,
        "        if torch.get_num_threads() != 1:\n",
        "        if False:\n",
        _DIVIDED,
        "another thread divides",
    ),
    Fault(
        _ZERO,
        "        if not self._bits:\n",
        "        if False:\n",
        f"{_TESTS}::test_a_processor_without_notes_is_not_relied_on",
        "nothing is noted",
    ),
    Fault(
        _STATE,
        "    if bool((ids == UNKNOWN).any()):\n",
        "    if False:\n",
        "tests/test_bounds_of_steps.py::test_what_is_not_known_is_refused",
        "memory that nothing has written is read",
    ),
    Fault(
        _STATE,
        "        if any(len(tensor) != 1 for tensor in state):\n",
        "        if False:\n",
        "tests/test_bounds_of_steps.py::test_other_formats_and_several_rows_are_refused",
        "a state is one row",
    ),
    Fault(
        _STATE,
        "any(tensor.dtype != torch.float32 for tensor in state)",
        "False",
        "tests/test_bounds_of_steps.py::test_other_formats_and_several_rows_are_refused",
        "ends are rounded to float32",
    ),
    Fault(
        _VALUES,
        "        if not _among(left, keys).all():\n",
        "        if False:\n",
        f"{_TESTS}::test_a_list_that_is_not_closed_is_refused",
        "a list is closed",
    ),
    Fault(
        _VALUES, "                    waiting.append(chain)\n", "", _LIST, "what a chain has leads on by all recipes"
    ),
    Fault(
        _VALUES,
        "        new = left[: wrong[0] if len(wrong) else leap]\n",
        "        new = guessed[1:]\n",
        _LIST,
        "a count ends where the recipe says so",
    ),
    Fault(
        _VALUES,
        "(parts[1:] != parts[:-1]).any(axis=1)",
        "(parts[1:] != parts[:-1]).all(axis=1)",
        _CLASSES,
        "one number that is seen tells values apart",
    ),
    Fault(
        _VALUES,
        "before is None or (parts[0] != before).any()",
        "before is None",
        _CLASSES,
        "values that are looked at apart may look different",
    ),
    Fault(
        _SEARCH,
        "                for values in self.classes.next[number][joint.values]:\n",
        "                for values in self.classes.next[number][joint.values][-1:]:\n",
        _QUOTIENT,
        "a class leads into several",
    ),
    Fault(
        _SEARCH,
        "symbol, self.classes.shown[recipe][joint.values].tobytes()",
        'symbol, b""',
        _NARROW,
        "each class is stepped",
    ),
    Fault(
        _SEARCH,
        "            if found or len(self._known) == known:\n",
        "            if True:\n",
        f"{_TESTS}::test_how_listed_numbers_are_treated_may_depend_on_other_numbers",
        "steps that treat listed numbers in another way are taken",
    ),
    Fault(
        _SEARCH,
        "        if not np.isfinite(state).all():\n",
        "        if False:\n",
        _FINITE,
        "an idle number that is infinite is not silenced",
    ),
    Fault(
        _SEARCH,
        "                if not self._right(target, step.given):\n",
        "                if False:\n",
        (_QUOTIENT, _NARROW),
        "what is given is compared",
    ),
    Fault(
        _SEARCH,
        "        if not self._right(0, given > self._model.reading.threshold):\n",
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
        "self._model.vocabulary.answers] > self._model.reading.threshold\n            self._done",
        "self._model.vocabulary.answers] > 0\n            self._done",
        _READ,
        "outputs are read above a threshold",
    ),
]
