"""Planted faults in the inductive proofs, in float horizons, and in what is said of the time after a violation."""

from .fault import Fault

COUNTERS = "verify/methods/induction/counter_obligations.py"
HORIZON = "verify/methods/induction/counter_horizon.py"
GROWTH = "verify/methods/induction/float_growth.py"
STACKS = "verify/methods/induction/stack_obligations.py"
DEATH = "verify/methods/induction/stack_death.py"
RELATION = "verify/methods/induction/relation.py"
DEPTHS = "verify/methods/induction/depths.py"
STICKY = "verify/methods/sticky.py"

CLAIMS = "tests/test_float_claims.py"
CONDITIONS = "tests/test_induction_conditions.py"
INDUCTION = "tests/test_induction.py"

FAULTS = [
    # -- counters -----------------------------------------------------------------------------------------
    Fault(
        COUNTERS,
        'self._fact(case, known, self._any([bit == 0, bit == 1]), f"{name!r} is neither 0 nor 1")',
        "pass",
        [f"{CLAIMS}::test_latches_stay_bits_after_a_violation"],
        "latches after death may become anything",
    ),
    Fault(
        COUNTERS,
        'self._fact(case, known, h[number][i] == 1, "the dead register is not set although no word is possible")',
        "pass",
        [f"{CONDITIONS}::test_a_dead_register_of_counters_stays_1"],
        "the dead register may fall back",
    ),
    Fault(
        COUNTERS,
        (
            "        for value in case.step.outputs:\n            self._fact(case, "
            'known, value <= 0, "a dead string is accepted")'
        ),
        "",
        [f"{CONDITIONS}::test_nothing_is_accepted_after_a_violation"],
        "a dead string may be accepted",
    ),
    Fault(
        COUNTERS,
        'self._fact(case, known, h[number][i] == 0, "the dead register is set although a word is still possible")',
        "pass",
        [f"{CONDITIONS}::test_the_dead_register_of_counters_is_0_in_a_word"],
        "the dead register may be set while a word is possible",
    ),
    Fault(
        COUNTERS,
        "            self._in_death(case, [self._not(self._any(applies))])",
        "            pass",
        [f"{CONDITIONS}::test_what_no_move_reads_is_a_violation"],
        "where no move applies nothing is asked",
    ),
    Fault(
        COUNTERS,
        "        self._initial()\n        for case",
        "        for case",
        [f"{CONDITIONS}::test_the_start_is_an_obligation"],
        "the state after BOS is not looked at",
    ),
    Fault(
        COUNTERS,
        "assumptions.append(value > 0 if signs == {POSITIVE} else value >= 0)",
        "assumptions.append(value > 0)",
        [f"{CONDITIONS}::test_a_counter_at_0_is_a_case"],
        "counters at 0 are no case",
    ),
    Fault(
        COUNTERS,
        "            if len(signs) == 1:\n                right = value == 0 if signs == {ZERO} else value > 0",
        "            if signs == {POSITIVE}:\n                right = value == 0 if signs == {ZERO} else value > 0",
        [f"{INDUCTION}::test_the_relation_is_an_obligation_too"],
        "that a counter stays 0 in some controls is taken on trust",
    ),
    Fault(
        COUNTERS,
        "for latches in product((0, 1), repeat=len(self.relation.latches)):",
        "for latches in [(1,) * len(self.relation.latches)]:",
        [f"{CONDITIONS}::test_a_violation_may_come_before_a_latch"],
        "after a violation all latches are 1",
    ),
    # -- float horizons of counters -----------------------------------------------------------------------
    Fault(
        HORIZON,
        "for case in (induction.first_case(), *induction.cases()):",
        "for case in induction.cases():",
        [f"{CLAIMS}::test_a_step_on_bos_that_rounds_is_part_of_the_claim"],
        "the step on BOS may round",
    ),
    Fault(
        HORIZON,
        "        if not _exact_up_to(induction, case, bits, start):\n",
        "        if False:\n",
        [f"{CLAIMS}::test_a_horizon_is_not_taken_from_a_value_that_was_never_tested"],
        "the bisection starts from a value that was not tested",
    ),
    Fault(
        HORIZON,
        "    if any(isinstance(term, int) and abs(term) > 2**bits for term in case.step.sums):\n        return False\n",
        "",
        [f"{CLAIMS}::test_a_step_on_bos_that_rounds_is_part_of_the_claim"],
        "sums that depend on no counter may round",
    ),
    Fault(
        HORIZON,
        "z3.Or(term > 2**bits, term < -(2**bits))",
        "term > 2**bits",
        [f"{CLAIMS}::test_where_the_machine_does_not_count_up_the_model_may_count_down"],
        "negative sums may round",
    ),
    Fault(
        HORIZON,
        "    if induction.ssm.mode == PREDICTIVE:\n        return updates",
        "    return updates",
        [f"{CLAIMS}::test_a_letter_may_multiply_a_counter_after_a_violation"],
        "after a violation counters grow as the machine's",
    ),
    Fault(
        HORIZON,
        "            if not (isinstance(gate, int) and isinstance(increment, int)):",
        "            if not isinstance(gate, int):",
        [f"{CLAIMS}::test_a_counter_whose_growth_depends_on_others_is_not_proved"],
        "an increment that is not known adds nothing",
    ),
    Fault(
        HORIZON,
        '    if length == 0:\n        raise NotCovered(f"the first',
        '    if length == -1:\n        raise NotCovered(f"the first',
        [f"{CLAIMS}::test_a_horizon_of_no_symbol_is_no_proof"],
        "a horizon of no symbol is a proof",
    ),
    Fault(
        GROWTH,
        "        if abs(largest) > 1 << ssm.arithmetic.bits:",
        "        if largest > 1 << ssm.arithmetic.bits:",
        [f"{CLAIMS}::test_weights_that_a_float_does_not_have"],
        "negative weights may be too large for a float",
    ),
    Fault(
        GROWTH,
        'arrays += [(name, affine.matrix.data), (f"{name}.bias", affine.bias)]',
        "arrays += [(name, affine.matrix.data)]",
        [f"{CLAIMS}::test_every_weight_is_looked_at"],
        "biases may be too large for a float",
    ),
    Fault(
        GROWTH,
        "start if most_set <= factor * start + step else most_set",
        "start",
        [f"{CLAIMS}::test_growth_bounds_every_sequence_of_updates"],
        "what a gate of 0 sets is not counted",
    ),
    Fault(
        GROWTH,
        "sizes = [(abs(gate), abs(increment)) for gate, increment in updates]",
        "sizes = [(gate, abs(increment)) for gate, increment in updates]",
        [f"{CLAIMS}::test_growth_bounds_every_sequence_of_updates"],
        "a negative gate does not make a register larger",
    ),
    Fault(
        GROWTH,
        '    if not fits(0):\n        raise NotCovered("no symbol can be read for certain without rounding")\n',
        "",
        [f"{CLAIMS}::test_nothing_fits"],
        "the bisection starts from a length that was not tested",
    ),
    # -- stacks -------------------------------------------------------------------------------------------
    Fault(
        STACKS,
        "            right[:, closed] |= self._codes[:, bit[closed]] != old",
        "            right[:, closed] = True",
        [f"{CLAIMS}::test_a_closed_cell_stays_a_bit"],
        "the closed cell may become anything",
    ),
    Fault(
        STACKS,
        "            right = (image == 0) | (image == 1)\n",
        "            right = np.ones(image.shape, dtype=bool)\n",
        [f"{CONDITIONS}::test_a_stale_cell_stays_a_bit"],
        "stale cells may become anything",
    ),
    Fault(
        STACKS,
        "            right[:, fixed] = image[:, fixed] == old\n",
        "",
        [f"{CONDITIONS}::test_a_cell_that_stays_keeps_its_bits"],
        "cells that stay may change",
    ),
    Fault(
        STACKS,
        "            right[:, pushed] = image[:, pushed] == code\n",
        "",
        [f"{CONDITIONS}::test_a_pushed_cell_takes_the_type"],
        "the pushed cell may take any type",
    ),
    Fault(
        STACKS,
        (
            "        if not np.isin(state[0, slots], (0, 1)).all():\n        "
            '    self._note("a slot bit is neither 0 nor '
            '1", 0, BOS)\n'
        ),
        "",
        [f"{CONDITIONS}::test_slots_are_bits_after_bos"],
        "after BOS the slots may be anything",
    ),
    Fault(
        STACKS,
        "alive = (dead.low[:, 0] == 0) & (dead.high[:, 0] == 0)",
        "alive = dead.low[:, 0] == 0",
        [f"{CONDITIONS}::test_a_right_symbol_never_kills"],
        "a right symbol may kill for some contents of the stack",
    ),
    Fault(
        STACKS,
        "for row in np.flatnonzero(dead.low[:, 0] < 1).tolist():",
        "for row in np.flatnonzero(dead.high[:, 0] < 1).tolist():",
        [f"{CONDITIONS}::test_a_wrong_symbol_always_kills"],
        "a wrong symbol kills for some contents of the stack only",
    ),
    # -- stacks after a violation -------------------------------------------------------------------------
    Fault(
        DEATH,
        "            for image in steps.slot_images(features):\n",
        "            for image in ():\n",
        [f"{CONDITIONS}::test_slots_stay_bits_after_a_violation"],
        "after a violation slots may become anything",
    ),
    Fault(
        DEATH,
        "np.flatnonzero((gates < 0) | (gates + increments < 1))",
        "np.flatnonzero(gates + increments < 1)",
        [f"{CONDITIONS}::test_a_dead_register_that_flips"],
        "the dead register's gate may be negative",
    ),
    Fault(
        DEATH,
        "np.flatnonzero((gates < 0) | (gates + increments < 1))",
        "np.flatnonzero(gates < 0)",
        [f"{CONDITIONS}::test_a_dead_register_that_falls"],
        "the dead register may fall",
    ),
    Fault(
        DEATH,
        "    if not _silences(steps, hull):",
        "    if False:",
        [f"{CONDITIONS}::test_nothing_is_accepted_after_a_violation_of_brackets"],
        "the dead register need not silence the readout",
    ),
    Fault(
        DEATH,
        "if all(_settled(steps, end) for end in (depth, -depth)):",
        "if _settled(steps, depth):",
        [f"{CONDITIONS}::test_a_feature_that_changes_far_out"],
        "features may go on changing with negative depths",
    ),
    Fault(
        DEATH,
        "for depth in range(-farthest, farthest + 1):",
        "for depth in range(farthest + 1):",
        [f"{INDUCTION}::test_a_failure_at_a_negative_depth_has_words_too"],
        "negative depths are not looked at",
    ),
    Fault(
        DEATH,
        "Growth.of(0, [(1, 1), *steps.depth_updates(symbols)])",
        "Growth.of(0, [(1, 1)])",
        [f"{CLAIMS}::test_a_depth_that_doubles_after_a_violation"],
        "after a violation the depth moves by one",
    ),
    Fault(
        DEATH,
        "Growth.of(0, [(most[0], most[1])])",
        "Growth.of(0, [(1, most[1])])",
        [f"{CLAIMS}::test_a_dead_register_that_doubles"],
        "the dead register's gate is 1",
    ),
    Fault(
        DEATH,
        "            steps.maps.readout(layer.phi(Box.points([[sizes[1]]]), features))\n",
        "",
        [f"{CONDITIONS}::test_a_dead_register_that_is_read_with_weights"],
        "what reads the dead register may round",
    ),
    # -- the relation, and depths ---------------------------------------------------------------------------
    Fault(
        RELATION,
        '            if name in found:\n                raise NotCovered(f"two coordinates are named {name!r}")\n',
        "",
        [f"{CONDITIONS}::test_two_coordinates_of_one_name"],
        "two coordinates may have one name",
    ),
    Fault(
        RELATION,
        "if len(layers) != 1 or not depth[0] < min(layers)",
        "if len(layers) != 1",
        [f"{CONDITIONS}::test_a_depth_below_the_slots_is_not_covered"],
        "the depth may be in the slots' layer",
    ),
    Fault(
        DEPTHS,
        "        if not self._right(state, outputs, np.zeros(1, dtype=np.int64)).all():",
        "        if False:",
        [f"{CONDITIONS}::test_the_start_of_depths_is_an_obligation"],
        "the state after BOS is not looked at",
    ),
    Fault(
        DEPTHS,
        "return (state == self._states(depths)).all(axis=1) & (outputs",
        "return (outputs",
        [f"{CONDITIONS}::test_a_depth_that_is_off_and_not_yet_seen"],
        "the depth need not be the number of open brackets",
    ),
    Fault(
        DEPTHS,
        "right = self.sticky(state) & ~outputs.dense()[:, 0].any(axis=1)",
        "right = ~outputs.dense()[:, 0].any(axis=1)",
        [f"{CONDITIONS}::test_a_wrong_bracket_must_kill"],
        "a wrong bracket need not set the register that rejects for ever",
    ),
    # -- the sticky register --------------------------------------------------------------------------------
    Fault(
        STICKY,
        "    if horizon == 0:\n        return None\n",
        "",
        [f"{CONDITIONS}::test_a_sticky_register_of_no_symbol"],
        "a horizon of no symbol is one",
    ),
    Fault(
        STICKY,
        "np.flatnonzero(stays & (known.high[number] >= 1))",
        "np.flatnonzero(known.high[number] >= 1)",
        ["tests/test_sticky.py"],
        "the register need not stay at 1",
    ),
    Fault(
        STICKY,
        "if (outputs_when(ssm, known, number, coordinate, 1.0).high <= 0).all():",
        "if (outputs_when(ssm, known, number, coordinate, 1.0).high <= 0).any():",
        ["tests/test_sticky.py"],
        "some boxes of outputs may be positive",
    ),
    Fault(
        STICKY,
        "outputs_when(ssm, known, number, coordinate, 1.0)",
        "outputs_when(ssm, known, number, coordinate, 2.0)",
        ["tests/test_sticky.py"],
        "the readout is silenced from 2 on",
    ),
    Fault(
        STICKY,
        "    if not ssm.arithmetic.monotone:\n        return None\n",
        "",
        ["tests/test_sticky.py::test_wrapping_integers_keep_no_order_so_nothing_is_sticky"],
        "wrapping integers keep their order",
    ),
    Fault(
        "verify/methods/induction/stack_obligations.py",
        "        self.cleared &= not state[0, slots].any()\n",
        "",
        "tests/test_tight.py::test_a_slot_that_begins_at_1_is_not_cleared",
        "slots above the depth are 0 only if they begin so",
    ),
    Fault(
        "verify/methods/induction/stack_obligations.py",
        "np.where(was_one, from_1, from_0)[:, slot > batch.after]",
        "np.where(was_one, from_1, from_0)[:, closed]",
        "tests/test_tight.py::test_a_slot_above_the_depth_that_is_set_on_the_way_is_not_cleared",
        "every step leaves all slots above the depth at 0",
    ),
    Fault(
        "verify/methods/induction/stack_obligations.py",
        "np.where(was_one, from_1, from_0)[:, slot > batch.after]",
        "from_0[:, slot > batch.after]",
        "tests/test_tight.py::test_one_slot_that_is_not_cleared_is_enough",
        "a slot that held the type that is closed becomes 0",
    ),
    Fault(
        "constructions/paper/bounded_dyck.py",
        "    if tight and mode != PREDICTIVE:\n",
        "    if False:\n",
        "tests/test_tight.py::test_a_recogniser_has_no_tight_form_and_neither_have_other_languages",
        "a recogniser still reads the slot that a bracket closes",
    ),
]
