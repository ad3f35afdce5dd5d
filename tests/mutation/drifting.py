"""Planted faults in the proof of cells whose numbers drift: bounds that are too narrow, steps that are left out."""

from .fault import Fault

_BOXES, _SEARCH = "verify/checkpoints/cell_boxes.py", "verify/checkpoints/drifting_states.py"
_OF_BOXES, _DRIFTING = "tests/test_cell_boxes.py", "tests/test_drifting_states.py"
_STAYS = f"{_OF_BOXES}::test_a_step_from_a_box_stays_in_the_box_after_it"
_ORDER = f"{_OF_BOXES}::test_a_sum_is_bounded_whatever_its_order"
_SMALL = f"{_OF_BOXES}::test_small_beside_great_is_rounded_away_only_where_it_is"
_BOTH = f"{_OF_BOXES}::test_where_both_signs_may_overflow_a_sum_may_be_no_number"
_NONE = f"{_OF_BOXES}::test_what_is_no_number_makes_none_of_all_that_reads_it"
_WITHIN = f"{_OF_BOXES}::test_a_box_has_another_only_with_all_its_numbers_and_none"
_INFINITE = f"{_OF_BOXES}::test_infinite_numbers_are_looked_into_in_relu_alone"
_LATE = f"{_DRIFTING}::test_what_comes_to_matter_is_never_proved"
_REJECTS = f"{_DRIFTING}::test_what_is_no_number_rejects"
_EXACT = f"{_OF_BOXES}::test_the_functions_of_torch_are"

_RWKV, _IDLE = "constructions/stock/rwkv.py", "tests/test_idle_channels.py"
_LEFT = f"{_IDLE}::test_a_channel_that_may_give_something_is_left_alone"

FAULTS = [
    Fault(_RWKV, "(mixes[0].any(dim=1) | mixes[1].any(dim=1))", "mixes[0].any(dim=1)", _LEFT, "a value is read off"),
    Fault(_RWKV, "(mixes[0].any(dim=1) | mixes[1].any(dim=1))", "mixes[1].any(dim=1)", _LEFT, "a key may be infinite"),
    Fault(_RWKV, " & (numerators[:, :, layer] == 0)", "", _LEFT, "a numerator may be no number, or given"),
    Fault(
        _RWKV,
        "            exponents[:, :, layer].masked_fill_(idle, 0.0)\n",
        "            exponents[:, :, layer].masked_fill_(idle, float('inf'))\n",
        f"{_IDLE}::test_the_library_alone_gives_the_same_at_every_step",
        "infinity less infinity is no number",
    ),
    Fault(
        _BOXES,
        "            lost |= box.lost.any() | ((matrix == 0) & infinite).any(axis=1)\n",
        "            lost |= box.lost.any()\n",
        (_NONE, _LATE),
        "0 times infinity is no number",
    ),
    Fault(
        _BOXES,
        "            lost |= box.lost.any() | ((matrix == 0) & infinite).any(axis=1)\n",
        "            lost |= ((matrix == 0) & infinite).any(axis=1)\n",
        _NONE,
        "what is no number makes none of each sum that it is in",
    ),
    Fault(
        _BOXES,
        "np.isinf(box.low) | np.isinf(box.high)\n",
        "np.isinf(box.low)\n",
        _NONE,
        "what may be infinite is, some day",
    ),
    Fault(_BOXES, "lost | (above & below))", "lost)", _BOTH, "infinity less infinity is no number"),
    Fault(
        _BOXES,
        "np.where(below | np.isnan(least), -np.inf, least)",
        "np.where(np.isnan(least), -np.inf, least)",
        (_BOTH, _ORDER),
        "a partial sum may overflow where the sum does not",
    ),
    Fault(
        _BOXES,
        "np.where(above | np.isnan(greatest), np.inf, greatest)",
        "np.where(np.isnan(greatest), np.inf, greatest)",
        (_BOTH, _ORDER),
        "a partial sum may overflow where the sum does not",
    ),
    Fault(
        _BOXES,
        "np.where(exact, 0, SLACK * count * (ROUNDING * sizes + TINY))",
        "np.zeros(len(sizes))",
        (_ORDER, _SMALL),
        "sums of float32 are rounded",
    ),
    Fault(_BOXES, "(sizes <= unit * _BITS)", "(sizes <= 4 * unit * _BITS)", (_SMALL, _ORDER), "2^24 + 1 may be 2^24"),
    Fault(
        _BOXES,
        "np.where(terms == 0, np.inf, units).min(axis=1)",
        "np.where(terms == 0, np.inf, units).max(axis=1)",
        (_SMALL, _ORDER),
        "the finest term says what a sum may lose",
    ),
    Fault(_BOXES, " & (unit >= _FINEST)", "", _SMALL, "products of small numbers underflow"),
    Fault(_BOXES, "matrix * ends[0], matrix * ends[1])", "matrix * ends[0], matrix * ends[0])", _STAYS, "signs turn"),
    Fault(
        _BOXES,
        "        if self.lost.any() or not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):\n",
        "        if False:\n",
        _INFINITE,
        "gates of infinite numbers are not looked into",
    ),
    Fault(
        _BOXES,
        'if runner.arithmetic != "float32" or layer.num_layers != 1:',
        "if layer.num_layers != 1:",
        f"{_OF_BOXES}::test_other_formats_and_more_layers_are_refused",
        "bfloat16 rounds more",
    ),
    Fault(
        _BOXES,
        'if runner.arithmetic != "float32" or layer.num_layers != 1:',
        'if runner.arithmetic != "float32":',
        f"{_OF_BOXES}::test_other_formats_and_more_layers_are_refused",
        "a second layer is not looked at",
    ),
    Fault(
        _BOXES,
        "        if layer.hidden_size + layer.input_size + 2 > _MOST_TERMS:\n",
        "        if False:\n",
        f"{_OF_BOXES}::test_sums_of_too_many_terms_are_refused",
        "errors of second order count in long sums",
    ),
    Fault(
        _BOXES,
        "    if not np.isfinite(found).all():\n",
        "    if False:\n",
        f"{_OF_BOXES}::test_weights_that_are_not_finite_are_refused",
        "an infinite weight makes no number of a 0",
    ),
    Fault(_BOXES, "np.where(shut, new.low, low - off)", "np.where(shut, new.low, low)", _STAYS, "a mean is rounded"),
    Fault(_BOXES, "shut = kept.high == 0", "shut = kept.low == 0", _STAYS, "a gate that may be 0 may be open"),
    Fault(_BOXES, "gates = kept.low, kept.high", "gates = kept.low, kept.low", _STAYS, "a gate is between its bounds"),
    Fault(
        _BOXES,
        "        added = Bounds(np.minimum(exact.low, rounded.low), np.maximum(exact.high, rounded.high))\n",
        "        added = Bounds(exact.high, exact.high)\n",
        _STAYS,
        "what a cell adds is between bounds",
    ),
    Fault(
        _BOXES,
        "x.low >= SETTLED_ONE, 1.0",
        "x.high >= SETTLED_ONE, 1.0",
        _STAYS,
        "a gate is settled where its least number is",
    ),
    Fault(
        _BOXES,
        "SETTLED_ZERO = 64.0, -120.0",
        "SETTLED_ZERO = 64.0, -60.0",
        f"{_EXACT}_settled_where_that_is_assumed",
        "exp(-60) is not 0",
    ),
    Fault(
        _BOXES,
        "SETTLED_ONE, SETTLED_ZERO = 64.0",
        "SETTLED_ONE, SETTLED_ZERO = 4.0",
        f"{_EXACT}_settled_where_that_is_assumed",
        "tanh(4) is not 1",
    ),
    Fault(_BOXES, " and (self.lost <= other.lost).all()", "", _WITHIN, "a box of numbers has none that is none"),
    Fault(_BOXES, "(self.high <= other.high).all()", "True", (_WITHIN, _LATE), "what grows leaves a box"),
    Fault(_BOXES, "(self.low >= other.low).all()", "True", (_WITHIN, _LATE), "what shrinks leaves a box"),
    Fault(
        _SEARCH,
        "        if box is None or not image.within(box):\n",
        "        if box is None:\n",
        _LATE,
        "an image may be beyond the box that is there",
    ),
    Fault(
        _SEARCH,
        "            if place not in self._waiting:\n",
        "            if box is None:\n",
        _LATE,
        "a box that has grown has other images",
    ),
    Fault(
        _SEARCH, "(logits.low > threshold) & ~logits.lost", "logits.low > threshold", _LATE, "no number accepts nothing"
    ),
    Fault(_SEARCH, "(logits.low > threshold)", "(logits.high > threshold)", _LATE, "each state of a box accepts"),
    Fault(_SEARCH, "~(logits.high > threshold)", "~(logits.low > threshold)", _REJECTS, "each state of a box rejects"),
    Fault(
        _SEARCH,
        "threshold = self._model.reading.threshold\n",
        "threshold = 0\n",
        f"{_DRIFTING}::test_an_output_is_given_above_the_threshold_alone",
        "outputs are read above a threshold",
    ),
    Fault(
        _SEARCH,
        "        if self._model.reading.kind != LOGIT:\n",
        "        if False:\n",
        f"{_DRIFTING}::test_an_output_is_given_above_the_threshold_alone",
        "a probability is no logit",
    ),
    Fault(
        _SEARCH,
        "        return BoxOfState(low, high, box.lost | image.lost)\n",
        "        return BoxOfState(low, high, box.lost)\n",
        f"{_DRIFTING}::test_what_a_search_leaves_undecided",
        "a box that has grown may have what is no number, or never closes",
    ),
    Fault(
        _SEARCH,
        "                if not self._arrive((target, symbol), *found):\n",
        "                if not self._arrive((place[0], symbol), *found):\n",
        f"{_DRIFTING}::test_each_state_of_the_machine_has_boxes_of_its_own",
        "what is expected is what the machine says after the symbol",
    ),
    Fault(
        _SEARCH,
        "        if not self._arrive((0, -1), *cell.step(cell.begin(), words.bos, words.answers)):\n",
        "        first = cell.step(cell.begin(), words.bos, words.answers)\n"
        "        self._arrive((0, -1), *first)\n"
        "        if False:\n",
        f"{_DRIFTING}::test_what_is_given_after_no_symbol_is_compared",
        "the empty string is a string",
    ),
    Fault(
        _SEARCH,
        "        if witness is not None:\n",
        "        witness = witness or words.witness\n        if True:\n",
        f"{_DRIFTING}::test_a_row_alone_has_words_of_its_own",
        "what refutes is wrong when it is run alone",
    ),
]
