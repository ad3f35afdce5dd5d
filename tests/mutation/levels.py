"""Planted faults in the proof by levels, the audit, translations, refutations and the algebra below them."""

from .fault import Fault

_LEVELS, _CHART = "verify/methods/levelwise.py", "constructions/compile/pair_graph.py"
_AUDIT, _TRANSLATION = "verify/impossible/upper_bound.py", "verify/methods/translation.py"
_REFUTE, _CHANNELS, _SETTLING = (
    "verify/impossible/refuter.py",
    "verify/impossible/transients/channels.py",
    "verify/impossible/transients/settling.py",
)
_ENCLOSED = "verify/impossible/transients/enclosed.py"
_TEST_LEVELS, _TEST_ALGEBRA = "tests/test_levelwise.py", "tests/test_krohn_rhodes.py"
_TEST_AUDIT, _TEST_RUNS = "tests/test_upper_bound.py", "tests/test_audit_by_runs.py"
_READOUTS, _TABLES, _PARTS = (
    "verify/methods/readouts.py",
    "automata/algebra/tables.py",
    "verify/census/parts.py",
)
_TEST_CENSUS = "tests/test_census.py"
_HALF = f"{_TEST_CENSUS}::test_a_half_written_part_is_never_read"
_NEST = f"{_TEST_LEVELS}::test_a_chart_has_to_nest"
_BOUNDS = f"{_TEST_RUNS}::test_what_bounds_a_channel"
_FAULTY_MODELS = f"{_TEST_LEVELS}::test_faults_in_every_kind_of_array_are_refuted_by_both"
_EXACT_CHANNELS = "tests/test_settling.py::test_exact_channels_stay_where_their_fate_says"
_HELD = "tests/test_refute.py::test_a_run_between_bounds_holds_the_fractions"
_LIMITS = (
    "tests/test_refute.py::test_exact_models_answer_as_their_limit_from_where_they_are_said_to",
    "tests/test_refute.py::test_a_limit_of_zero_or_beside_it_is_refuted_all_the_same",
)

FAULTS = [
    # -- level by level
    Fault(
        _LEVELS,
        "        if (fault := chart.fault(dfa.states)) is not None:\n            raise NotCovered(fault)\n",
        "",
        f"{_TEST_LEVELS}::test_a_chart_whose_tiles_are_no_parts_of_their_set_proves_nothing",
        "the chart of a proof nests",
    ),
    Fault(_CHART, "if self.root != (1 << states) - 1:", "if self.root >> states:", _NEST, "the root is all states"),
    Fault(_CHART, "if not 0 < tile or tile & ~stage:", "if not 0 < tile:", _NEST, "a tile is a part of its set"),
    Fault(_CHART, "if not 0 < tile or tile & ~stage:", "if tile & ~stage:", _NEST, "a tile is not empty"),
    Fault(
        _CHART,
        "if self.level.get(tile, -1) <= level:",
        "if self.level.get(tile, -1) < level:",
        _NEST,
        "a tile lies on a lower level",
    ),
    Fault(_CHART, "if level < self.levels and union != stage:", "if False:", _NEST, "tiles cover their set"),
    Fault(
        _LEVELS,
        "(goal < 0) | ~self.sets.includes(goal, refined, move)",
        "(goal < 0) | (bool(level) & ~self.sets.includes(goal, refined, move))",
        f"{_TEST_LEVELS}::test_one_level_has_to_include_the_image",
        "the image lies in the new set at the first level too",
        equivalent=(
            "after the last layer the digits have to name the image of the one "
            "state left; only the failing step is named later"
        ),
    ),
    Fault(
        _LEVELS,
        (
            '        if here != 1 << self.dfa.initial:\n            raise _Failure(f"after BOS the digits name '
            '{_show(here)}, expected state {self.dfa.initial}")\n'
        ),
        "",
        f"{_TEST_LEVELS}::test_the_digits_after_bos_name_the_initial_state",
        "the digits after BOS name the initial state",
    ),
    Fault(
        _LEVELS,
        "        if given != self._wanted(self.dfa.initial):\n",
        "        if given - self._wanted(self.dfa.initial):\n",
        f"{_TEST_LEVELS}::test_outputs_after_bos_are_compared",
        "the outputs after BOS are compared",
    ),
    Fault(
        _LEVELS,
        "            if given[x] != self._wanted(state):\n",
        "            if given[x] - self._wanted(state):\n",
        _FAULTY_MODELS,
        "missing outputs are faults",
    ),
    Fault(
        _LEVELS,
        "        while done < len(states):\n",
        "        while done < 1:\n",
        _FAULTY_MODELS,
        "new states of a layer are followed",
    ),
    Fault(
        _LEVELS,
        "self.ssm.embedding[a].tobytes(), tuple(columns[self.dfa.index[symbol]])",
        'b"", tuple(columns[self.dfa.index[symbol]])',
        f"{_TEST_LEVELS}::test_symbols_that_act_alike_are_told_apart_by_their_embedding",
        "symbols of one action have their own features",
    ),
    Fault(
        "verify/methods/chart_sets.py",
        "        return (self._image(stage, move) & self.live).any(axis=1)\n",
        "        return ~(self._image(stage, move) & ~self.live).any(axis=1)\n",
        _FAULTY_MODELS,
        "only facts that lead to dead states alone are dropped",
    ),
    Fault(
        "verify/numbers/sparse_rows.py",
        "        check_bound(float(sums.max(initial=0)), self.numbers.limit, self.numbers.arithmetic)\n",
        "",
        f"{_TEST_LEVELS}::test_sums_beyond_the_exact_range_are_refused",
        "sums of a sparse map stay in the exact range",
    ),
    # -- many languages at once
    Fault(
        _READOUTS,
        "        if (ends.states < 0).any():\n",
        "        if False:\n",
        f"{_TEST_CENSUS}::test_states_that_nothing_tells_apart_are_no_readout",
        "one row of features stands for one state",
    ),
    Fault(
        _READOUTS,
        "            if len(wrong):\n",
        "            if len(wrong) == ends.rows.size:\n",
        f"{_TEST_CENSUS}::test_a_readout_that_is_wrong_in_one_state_is_seen",
        "every readout is right in every state",
    ),
    Fault(
        _TABLES,
        "        for a in range(letters):\n            more |=",
        "        for a in range(1):\n            more |=",
        f"{_TEST_CENSUS}::test_many_at_once_as_one_by_one",
        "states are told apart by what any letter makes of them",
    ),
    Fault(
        _TABLES,
        "        first[owners[unmet]] = found[once[unmet]]\n",
        "        first[owners] = found[once]\n",
        f"{_TEST_CENSUS}::test_maps_by_number_and_by_their_images",
        "the word with a cycle is the first",
    ),
    Fault(
        _PARTS,
        "    if entry.languages != int(entry.accepting, 16).bit_count():\n",
        "    if False:\n",
        _HALF,
        "an entry has as many languages as accepting sets",
    ),
    Fault(_PARTS, "lines[0] != asdict(part)", "False", _HALF, "a file is about its part"),
    Fault(
        _PARTS,
        "    return entries if lines[-1] == last else None\n",
        "    return entries\n",
        _HALF,
        "a part has its last line",
    ),
    Fault(
        "verify/census/running.py",
        "        if entries is None:\n            raise",
        "        if False:\n            raise",
        f"{_TEST_CENSUS}::test_an_answer_about_another_part_is_refused",
        "an answer is about the part that was asked for",
    ),
    Fault(
        "verify/census/summary.py",
        "        if part.first < ends.get((part.letters, part.states), 0):\n",
        "        if False:\n",
        f"{_TEST_CENSUS}::test_a_census_that_is_not_done_is_undecided",
        "no table is counted twice",
    ),
    # -- pair graph and emulation
    Fault(
        _CHART,
        "                if self._image(refined, symbol) & ~goal:\n",
        "                if depth and self._image(refined, symbol) & ~goal:\n",
        f"{_TEST_ALGEBRA}::test_one_level_has_to_include_the_image",
        "the image lies in the new set at the first level too",
    ),
    Fault(
        _CHART,
        "if start.outputs != self._wanted(self.dfa.initial):",
        "if start.outputs - self._wanted(self.dfa.initial):",
        f"{_TEST_ALGEBRA}::test_outputs_that_are_missing_after_bos_are_a_fault",
        "outputs that are missing after BOS are a fault",
    ),
    Fault(
        "constructions/compile/emulation.py",
        "            if outputs != wanted[target]:\n",
        "            if live[target] and outputs != wanted[target]:\n",
        f"{_TEST_ALGEBRA}::test_what_a_recogniser_gives_in_the_dead_state_is_compared",
        "what a recogniser gives in dead states is compared",
    ),
    # -- the audit
    Fault(
        _AUDIT,
        "np.maximum(np.abs(gates.low), np.abs(gates.high)).max(axis=0, initial=0) < 1)",
        "gates.high.max(axis=0, initial=0) < 1)",
        f"{_TEST_RUNS}::test_a_counter_whose_last_digit_is_read_does_parity_and_has_no_bound",
        "a gate of -1 bounds nothing",
    ),
    Fault(
        _AUDIT,
        "np.maximum(np.abs(gates.low), np.abs(gates.high)).max(axis=0, initial=0) < 1)",
        "np.maximum(np.abs(gates.low), np.abs(gates.high)).max(axis=0, initial=0) <= 1)",
        f"{_TEST_RUNS}::test_a_counter_whose_last_digit_is_read_does_parity_and_has_no_bound",
        "a gate of 1 bounds nothing",
    ),
    Fault(
        _AUDIT,
        '        if mix.activation != "clip":\n            for i in',
        '        if mix.activation == "linear":\n            for i in',
        f"{_TEST_RUNS}::test_a_relu_that_rounds_half_of_a_counter_does_parity_and_has_no_bound",
        "a relu may not round a fraction of a counter",
    ),
    Fault(
        _AUDIT,
        'grown = weights.any(axis=1) & (mix.activation != "clip")',
        'grown = weights.any(axis=1) & (mix.activation == "clip")',
        f"{_TEST_RUNS}::test_a_second_stage_that_rounds_a_fraction_of_a_counter_has_no_bound",
        "what a stage makes of a counter grows with it",
    ),
    Fault(
        _AUDIT,
        "& np.isin(gates.low, (-1, 0, 1))",
        "& np.isin(gates.low, (-2, -1, 0, 1))",
        _BOUNDS,
        "what grows is not doubled",
    ),
    Fault(
        _AUDIT, '(ssm.arithmetic.kind == "exact")\n', "False\n", _BOUNDS, "an exact channel has gates of -1, 0 and 1"
    ),
    Fault(_AUDIT, "~((-1 <= least) & (greatest <= 1))", "~(greatest <= 1)", _BOUNDS, "float gates are not below -1"),
    Fault(
        _AUDIT,
        "sizes = [x, size, layer.gate.largest,",
        "sizes = [size, layer.gate.largest,",
        _BOUNDS,
        "features are finite",
    ),
    Fault(
        _AUDIT,
        "sizes = [x, size, layer.gate.largest,",
        "sizes = [x, layer.gate.largest,",
        _BOUNDS,
        "start values are finite",
    ),
    Fault(_AUDIT, "sizes += [size, mix.affine.largest]", "sizes += [size]", _BOUNDS, "weights of phi are finite"),
    Fault(
        _AUDIT,
        "    if least < 0 and not invariant:\n",
        "    if least < -1 and not invariant:\n",
        (_BOUNDS, _TEST_AUDIT + "::test_models_of_known_power"),
        "negative gates do not depend on the input",
    ),
    # -- translations
    Fault(
        _TRANSLATION,
        "if h is None or _sees(layer.gate, x):",
        "if h is None:",
        f"{_TEST_RUNS}::test_a_gate_that_sees_the_movement_allows_no_translation",
        "no gate sees the translation",
    ),
    Fault(
        _TRANSLATION,
        "affine.matrix.toarray().astype(object) @ x",
        "affine.matrix @ x.astype(np.int64)",
        f"{_TEST_RUNS}::test_a_movement_that_only_wraps_round_is_seen",
        "movements do not wrap round",
    ),
    Fault(
        _TRANSLATION,
        "_constant(first.gate) & (first.gate.bias == 1 << first.gate.exponent)",
        "first.gate.bias == 1 << first.gate.exponent",
        f"{_TEST_RUNS}::test_no_random_model_sees_its_translation",
        "the gate is 1 whatever the input",
    ),
    Fault(
        _TRANSLATION,
        "return None if (raw % (1 << affine.exponent)).any() else raw >> affine.exponent",
        "return raw >> affine.exponent",
        f"{_TEST_RUNS}::test_no_random_model_sees_its_translation",
        "mixes move by whole units",
    ),
    Fault(
        _TRANSLATION,
        'if image is None or (mix.activation != "linear" and image.any()):',
        'if z is None or (mix.activation == "clip" and z.any()):',
        "tests/test_parity.py::test_only_what_nothing_sees_is_a_translation",
        "a relu does not move",
    ),
    Fault(
        _TRANSLATION,
        "if added is None or added[~forgets].any():",
        "if added is None:",
        "tests/test_parity.py::test_only_what_nothing_sees_is_a_translation",
        "a layer that keeps its state does not move",
    ),
    Fault(
        _TRANSLATION,
        "    if _product(ssm.readout, x).any():\n        return None\n",
        "",
        "tests/test_parity.py::test_only_what_nothing_sees_is_a_translation",
        "the readout does not move",
    ),
    # -- settling and refuting
    Fault(
        _CHANNELS,
        "bottom = least / (1 - (smallest if least >= 0 else largest))",
        "bottom = least / (1 - (largest if least >= 0 else smallest))",
        _EXACT_CHANNELS,
        "the least limit has the gate that makes it least",
    ),
    Fault(
        _CHANNELS,
        "return Fate(bottom - min(below, tolerance), top + min(above, tolerance), periods)",
        "return Fate(bottom, top, periods)",
        _EXACT_CHANNELS,
        "a limit is only approached",
    ),
    Fault(
        _CHANNELS,
        "math.ceil(digits * Fraction(math.log(2) * (1 + 1e-9)) / (1 - gate)) + 1",
        "math.ceil(digits * Fraction(math.log(2) * (1 + 1e-9)) / 4) + 1",
        _EXACT_CHANNELS,
        "a gate near 1 is waited for longer",
    ),
    Fault(
        _CHANNELS,
        "low, high = (a if low >= 0 else c) * low + b, (c if high >= 0 else a) * high + d",
        "low, high = a * low + b, c * high + d",
        _EXACT_CHANNELS,
        "of a negative state the greater gate makes less",
    ),
    Fault(
        _SETTLING,
        "            if self.numbers.is_exact and low <= 0 < high:\n",
        "            if False:\n",
        _LIMITS,
        "an exact output whose limit may be 0 is not decided",
    ),
    Fault(
        _ENCLOSED,
        "return Intervals(low >> self.exponent, -(-high >> self.exponent))",
        "return Intervals(low >> self.exponent, high >> self.exponent)",
        _HELD,
        "upper bounds are rounded up",
    ),
    Fault(
        _ENCLOSED,
        "if any(least <= 0 < greatest for",
        "if any(least < 0 < greatest for",
        "tests/test_refute.py::test_a_sign_that_is_not_certain_is_no_answer",
        "a sign has to be certain",
    ),
    Fault(
        _SETTLING,
        "        gates, increments = self.updates(always)\n        if (gates.high > self.one).any():\n",
        "        gates, increments = self.updates(always)\n        if False:\n",
        "tests/test_settling.py::test_a_gate_above_one_below_a_transient_is_not_bounded",
        "a state has no reach under gates above 1",
    ),
    Fault(
        _REFUTE,
        "(self.run - 1) % self.cycle.period in self.cycle.residues",
        "True",
        "tests/test_refute.py::test_strings_answered_alike_that_may_be_are_no_refutation",
        "the two strings have different right answers",
    ),
    Fault(
        "verify/impossible/cycles.py",
        "if None not in (p, q) and here != there)",
        "if None not in (p, q))",
        "tests/test_refute.py::test_right_answers_never_settle_on_the_strings",
        "the right answers of two strings differ",
    ),
]
