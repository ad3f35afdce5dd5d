"""Planted faults in features, the lowering, the builders of cascades, random strings, limits and progress."""

from .fault import Fault

_FEATURES = "constructions/ssm/features.py"
_LOWERING = "constructions/ssm/lowering.py"
_SAMPLING = "verify/evidence/sampling.py"
_BATCHES, _BATCHES_TESTS = "verify/evidence/batches.py", "tests/test_batches.py"
_LONG_RUNS, _LONG_WORDS = "verify/evidence/long_runs.py", "verify/evidence/long_words.py"
_LONG_TESTS = "tests/test_long_words.py"
_CHOICES = "verify/evidence/choices.py"
_HOLONOMY = "constructions/compile/krohn_rhodes.py"
_HOLONOMY_TESTS = "tests/test_krohn_rhodes.py"
_SIZES = "tests/test_sizes.py"
_LOWERING_TESTS = "tests/test_lowering.py"

FAULTS = [
    Fault(
        _FEATURES,
        "slot -= 1 if slot % 2 or feature.ready == slot - 1 else 2",
        "slot -= 1 if slot % 2 else 2",
        [f"{_SIZES}::test_a_second_mix_of_the_same_layer_has_a_coordinate_carried_by_the_first"],
        "a second mix reads a raw coordinate through the first mix of its layer",
    ),
    Fault(
        _FEATURES,
        "expression = self._carried[place, feature] = self.neuron",
        "expression = self.neuron",
        [f"{_SIZES}::test_a_feature_is_carried_down_ten_thousand_layers_and_once_only"],
        "what was carried already is found again",
        equivalent="an equal neuron of a slot is used again, so only time is lost",
    ),
    Fault(
        _FEATURES,
        "        if slot < feature.ready:\n            raise",
        "        if slot < feature.ready - 1:\n            raise",
        [f"{_SIZES}::test_a_feature_cannot_be_read_before_it_is_ready"],
        "a feature is not read before it is ready",
    ),
    Fault(
        _FEATURES,
        "        key = (slot, expression)\n",
        "        key = expression\n",
        [f"{_SIZES}::test_equal_neurons_of_one_slot_are_one"],
        "neurons of different slots differ",
    ),
    Fault(
        _FEATURES,
        "        constant = 1 - len(literals)\n",
        "        constant = 2 - len(literals)\n",
        [_LOWERING_TESTS],
        "an AND asks for all of its literals",
    ),
    Fault(
        _FEATURES,
        "            constant += value.constant if positive else 1 - value.constant\n",
        "            constant += value.constant\n",
        ["tests/test_counters.py"],
        "a negated literal is one minus the feature",
    ),
    Fault(
        _FEATURES,
        "        return support if positive else frozenset(range(self.symbols)) - support\n",
        "        return support\n",
        ["tests/test_sizes.py::test_a_negated_set_of_symbols"],
        "a negated set of symbols is its complement",
    ),
    Fault(
        _LOWERING,
        "(3 * k - 1, -1), (3 * k, 1), (3 * k, 1)]",
        "(3 * k - 1, -1), (3 * k, 1)]",
        [_LOWERING_TESTS],
        "the value before a step that set the register: its last corner",
    ),
    Fault(
        _LOWERING,
        "[(target - 1, 1), (target, -2), (target + 1, 1)]",
        "[(target - 1, 1), (target, -1)]",
        [_LOWERING_TESTS],
        "a counter that equals a number is no greater",
    ),
    Fault(
        _LOWERING,
        "            last = max(last + 1, (latest + 1) // 2 + 1)\n",
        "            last = last + 1\n",
        [f"{_SIZES}::test_a_register_waits_for_a_chain_of_signals"],
        "what gates and increments read has left the layer above",
    ),
    Fault(
        _LOWERING,
        "(ballast + bit) * unit + bit * kept,",
        "ballast * unit + bit * kept,",
        [f"{_SIZES}::test_a_register_starts_at_its_initial_value"],
        "a register starts at its initial value",
    ),
    Fault(
        _LOWERING,
        "                value = value - self.placement.read_output(event, 2 * layer - 2) * rule.then.amount\n",
        "                value = value + self.placement.read_output(event, 2 * layer - 2) * rule.then.amount\n",
        ["tests/test_counters.py"],
        "a counter before a step is its value minus the step",
    ),
    Fault(
        "constructions/paper/counters.py",
        (
            "for place, (reason, _) in enumerate(reasons):\n            wrong.append((In({letter}), *(negation for _, "
            "negation in reasons[:place]), reason))"
        ),
        (
            "for place, (reason, _) in enumerate(reasons[:1]):\n            "
            "wrong.append((In({letter}), *(negation for _, "
            "negation in reasons[:place]), reason))"
        ),
        ["tests/test_counters.py"],
        "each reason for a wrong letter counts, not only the first",
    ),
    Fault(
        "constructions/paper/bounded_dyck.py",
        '        (In(opening), AtLeast("depth", depth + 1)),\n',
        '        (In(opening), AtLeast("depth", depth + 2)),\n',
        ["tests/test_constructions.py"],
        "an opening bracket beyond the greatest depth is a violation",
    ),
    Fault(
        "constructions/paper/bounded_dyck.py",
        'AtLeast("depth", 0), AtLeast("depth", depth, negated=True))',
        'AtLeast("depth", 1), AtLeast("depth", depth, negated=True))',
        ["tests/test_constructions.py"],
        "the outermost closing bracket is compared with the one that it closes",
    ),
    Fault(
        "constructions/paper/flip_flop.py",
        '        *((In(_BITS), Is("last", v, before=True)) for v in (none, a_bit)),\n',
        '        *((In(_BITS), Is("last", v, before=True)) for v in (a_bit,)),\n',
        ["tests/test_constructions.py"],
        "a string does not begin with a bit",
    ),
    Fault(
        "constructions/paper/parity_models.py",
        "    half = 1 << (arithmetic.bits - 1)\n",
        "    half = 1 << arithmetic.bits\n",
        ["tests/test_parity.py"],
        "two halves are the whole that wraps to 0",
    ),
    Fault(
        _BATCHES,
        "        if mode == PREDICTIVE:\n            move = runs",
        "        if mode != PREDICTIVE:\n            move = runs",
        [_BATCHES_TESTS],
        "nothing is asked after a dead prefix of words that were drawn together",
    ),
    Fault(
        _BATCHES,
        "        self._place = np.maximum(place, self._first[: len(symbols)], out=place)\n",
        "        self._place = np.abs(place)\n",
        [_BATCHES_TESTS],
        "a dead stack stays dead",
    ),
    Fault(
        _BATCHES,
        "    removed = (kinds == 2) & ~inserted\n",
        "    removed = np.zeros_like(inserted)\n",
        [_BATCHES_TESTS],
        "symbols are removed, not only inserted and replaced",
    ),
    Fault(
        _BATCHES,
        "            lengths[going.words[:left][ended]] = time\n",
        "",
        [_BATCHES_TESTS],
        "a walk ends where no symbol is legal",
    ),
    Fault(
        _BATCHES,
        "                kept = np.flatnonzero(asked)\n",
        "                kept = np.arange(np.count_nonzero(asked))\n",
        [_BATCHES_TESTS],
        "words of which nothing is asked any more are let go of, and no others",
    ),
    Fault(
        _BATCHES,
        "        self._values = self._values[words]\n",
        "        self._values = self._values[: len(words)]\n",
        [_BATCHES_TESTS],
        "counters stay with their words",
    ),
    Fault(
        _BATCHES,
        "        self._have(controls + signs.astype(np.intp))\n",
        "        self._have(controls)\n",
        [_BATCHES_TESTS],
        "the signs of the counters decide which move applies",
    ),
    Fault(
        _BATCHES,
        "np.int16 if largest < 1 << 15 else np.int64",
        "np.int16",
        [_BATCHES_TESTS],
        "a counter that grows fast does not wrap",
    ),
    Fault(
        _CHOICES,
        "            if len(again):\n",
        "            if len(again) > len(drawn):\n",
        [_BATCHES_TESTS],
        "a symbol that is drawn among all and is not legal is drawn again",
    ),
    Fault(
        _CHOICES,
        "        sums = self._weights.take(words, axis=1)\n",
        "        sums = np.ones_like(self._weights).take(words, axis=1)\n",
        [_BATCHES_TESTS],
        "what is drawn again is drawn by the weights of its word",
    ),
    Fault(
        _CHOICES,
        "(self._bounds.take(drawn + (step - 1)) <= random) * step",
        "(self._bounds.take(drawn + (step - 1)) < 1) * step",
        [_BATCHES_TESTS],
        "symbols are drawn by their weights",
    ),
    Fault(
        _CHOICES,
        "            np.copyto(drawn, self._extra.take(situations), where=alone)\n",
        "",
        [_BATCHES_TESTS],
        "the symbol beside the core is drawn, too",
    ),
    Fault(
        _CHOICES,
        "alone + sums[legal.core]",
        "alone + sums[0]",
        [_BATCHES_TESTS],
        "how often the symbol beside the core is drawn depends on the core",
    ),
    Fault(
        _BATCHES,
        "        if len(states) * len(machine.alphabet) > _MOST_TRANSITIONS:\n            return None\n",
        "",
        [f"{_BATCHES_TESTS}::test_what_is_run_step_by_step"],
        "machines with many states are not tabulated",
    ),
    Fault(
        _SAMPLING,
        "                self._compare(batch, words, time + 1, wanted[:, time + 1 : until + 1], outputs)\n",
        "                self._compare(batch, range(256), time + 1, wanted[:, time + 1 : until + 1], outputs)\n",
        [_BATCHES_TESTS],
        "a witness is a prefix of the word that was wrong, whichever group it was run in",
    ),
    *(
        Fault(_LONG_RUNS, before, after, [f"{_LONG_TESTS}::{test}"], what)
        for before, after, test, what in (
            (
                "        other |= ~view.stays.take(symbols)\n",
                "",
                "test_situations_are_those_of_single_steps",
                "symbols are read at once no further than to another control",
            ),
            (
                "        other = ((after > 0) != view.positive).any(axis=1)\n",
                "        other = np.zeros(len(symbols), dtype=bool)\n",
                "test_situations_are_those_of_single_steps",
                "symbols are read at once no further than to other signs",
            ),
            (
                "            symbols = symbols[: allowed.argmin()]\n",
                "            symbols = symbols[allowed]\n",
                "test_situations_are_those_of_single_steps",
                "what is not legal is not passed over",
            ),
            (
                "                if mode != PREDICTIVE:\n                    run.die()\n",
                "                if mode != PREDICTIVE:\n",
                "test_situations_are_those_of_single_steps",
                "a dead word is rejected to its end",
            ),
            (
                "            along[place, column] = now()\n",
                "            along[place, column] = before\n",
                "test_situations_are_those_of_single_steps",
                "the symbol that changes the view is judged by the new one",
            ),
        )
    ),
    Fault(
        _LONG_WORDS,
        "        yield drawn[:read]\n",
        "        yield drawn\n",
        [f"{_LONG_TESTS}::test_walks_take_legal_symbols_and_end_where_a_word_may"],
        "symbols that were drawn for another view are dropped",
    ),
    Fault(
        _LONG_WORDS,
        "(word[place] + rng.integers(1, k)) % k",
        "rng.integers(k)",
        [f"{_LONG_TESTS}::test_every_third_word_has_one_symbol_changed"],
        "a symbol that is changed is another",
    ),
    Fault(
        _LONG_WORDS,
        "        legal = run.view.allowed.nonzero()[0]\n",
        "        legal = run.view.allowed.nonzero()[0][:1]\n",
        [f"{_LONG_TESTS}::test_walks_are_distributed_as_if_drawn_one_by_one"],
        "whoever wanders may take any legal symbol",
    ),
    Fault(
        _SAMPLING,
        "            over = left & np.array([len(part) < step for part in parts])\n",
        "            over = left & np.array([len(part) <= step for part in parts])\n",
        [f"{_SIZES}::test_counts_over_chunks_of_time"],
        "a word goes on after the first chunk",
    ),
    Fault(
        _SAMPLING,
        "                time += longest\n",
        "",
        [f"{_SIZES}::test_counts_over_chunks_of_time", "tests/test_sampling.py"],
        "the place of a disagreement counts from the start of the word",
    ),
    Fault(
        _SAMPLING,
        "if mode == PREDICTIVE and (answer is None or symbol not in answer):",
        "if mode == PREDICTIVE and symbol not in (answer or ()) and answer is not None:",
        [f"{_SIZES}::test_nothing_is_asked_after_a_dead_prefix_even_of_symbols_that_were_legal_before"],
        "nothing is asked after a dead prefix, for ever",
    ),
    Fault(
        _SAMPLING,
        "    replaced = None if kind == 0 else next(walk, None)\n",
        "    replaced = None\n",
        [f"{_SIZES}::test_the_error_is_anywhere_in_a_walk_that_ends_early"],
        "a symbol is replaced or removed, not only inserted",
    ),
    Fault(
        _SAMPLING,
        "        length = len(begun)  # it may have ended early; a longer one is taken to go on\n",
        "        pass\n",
        [f"{_SIZES}::test_the_error_is_anywhere_in_a_walk_that_ends_early"],
        "the place of the error is in the walk, which may have ended early",
    ),
    Fault(
        "verify/progress.py",
        "            self.advance(0)\n",
        "            pass\n",
        [f"{_SIZES}::test_a_phase_that_counts_nothing_shows_its_name_and_is_erased"],
        "the line moves where the work says nothing",
    ),
    Fault(
        "automata/dfa.py",
        "        most = min(limit, limit * TRANSITIONS_PER_STATE // symbols)\n",
        "        most = limit\n",
        [f"{_SIZES}::test_symbols_beyond_a_hundred_count_as_states"],
        "transitions are limited, not states alone",
    ),
    Fault(
        "constructions/compile/smaller.py",
        "    if skeleton.levels > levels:\n",
        "    if skeleton.levels >= levels:\n",
        [f"{_SIZES}::test_too_many_levels_are_refused_by_name"],
        "as many levels as the limit are allowed",
    ),
    Fault(
        "verify/proving.py",
        ' and verdict.explored.get("joint states", 0) > limit:',
        ":",
        [f"{_SIZES}::test_a_search_that_gave_up_says_which_option_takes_it_further"],
        "--limit is named only where it was the limit",
    ),
    Fault(
        _HOLONOMY,
        "before = any(_is_lost(step) for step in steps)",
        "before = False",
        [_HOLONOMY_TESTS],
        "a digit that a step overwrites is read as it was before",
    ),
    Fault(
        _HOLONOMY,
        "before = any(_is_lost(step) for step in steps)",
        "before = True",
        [_HOLONOMY_TESTS],
        "a register whose digits are never lost is read after the step, and needs no second digit",
    ),
    Fault(
        _HOLONOMY,
        "return len(step.next) > 1 and isinstance(step.action, int)",
        "return isinstance(step.action, int)",
        [_HOLONOMY_TESTS],
        "a step that sets a digit nobody goes on by loses nothing",
    ),
    Fault(
        _HOLONOMY,
        "    return tuple(there for _, there in sorted(zip(step.action, step.next)))\n",
        "    return step.next\n",
        [_HOLONOMY_TESTS],
        "after a permutation the walk goes on by the permuted digit",
    ),
    Fault(
        "constructions/compile/pair_graph.py",
        "value = digit if literal.before else written",
        "value = digit",
        [_HOLONOMY_TESTS],
        "the proof by levels reads a digit after the step where the rule does",
    ),
    Fault(
        "constructions/compile/pair_graph.py",
        "value = digit if literal.before else written",
        "value = written",
        [_HOLONOMY_TESTS],
        "the proof by levels reads a digit before the step where the rule does",
    ),
]
