"""Planted faults in the Mamba target: the certificate, the search through caches, reading a checkpoint, lowering."""

from .fault import Fault

_CERTIFICATE = "constructions/mamba/certificate.py"
_BLOCK = "constructions/mamba/block_certificate.py"
_STORED = "constructions/mamba/stored.py"
_LOADING = "constructions/mamba/loading.py"
_STEPPING = "constructions/mamba/stepping.py"
_SEARCH = "verify/checkpoints/checkpoint_search.py"
_LAYERWISE = "constructions/mamba/layerwise.py"
_FORESEEN = "constructions/mamba/foreseen.py"
_FORESEEN_TESTS = "tests/test_foreseen.py"
_BY_LAYERS = "tests/test_layerwise.py::test_layers_by_their_tables_visit_the_same_states_as_whole_steps"
_WHOLE = "tests/test_layerwise.py::test_whole_steps_that_give_something_else_are_what_is_searched"
_CERTIFIED = "tests/test_mamba_certificate.py"
_EACH = f"{_CERTIFIED}::test_each_constant_of_a_block_is_checked"
_ARRANGED = "tests/test_mamba_arrangement.py"
_INPUTS = "tests/test_mamba_inputs.py"
_LOWERING = "tests/test_mamba_lowering.py"

FAULTS = [
    # -- the certificate
    Fault(
        _BLOCK,
        "            if bias > 1:\n",
        "            if False:\n",
        _EACH,
        "a constant neuron is S, not a multiple",
    ),
    Fault(
        _BLOCK,
        "            if bias == 1:\n",
        "            if bias >= 0:\n",
        [_EACH, f"{_CERTIFIED}::test_a_counter_counts_ones"],
        "a constant neuron that is 0 is none",
    ),
    Fault(_BLOCK, "if a_log > _GREATEST_A_LOG:", "if False:", _EACH, "exp(A_log) is finite in every channel"),
    Fault(
        _BLOCK,
        'self.tensor["D"][0] * self.scale != 1 or gate != 1',
        "gate != 1",
        _EACH,
        "the constant channel's skip is what is always written",
    ),
    Fault(
        _BLOCK,
        " | (np.abs(matrix) > self.proof.limit)",
        "",
        f"{_CERTIFIED}::test_what_is_written_is_counted_before_it_becomes_an_integer",
        "what is written is small enough for an integer",
    ),
    Fault(
        _BLOCK,
        "                or a_log != 0\n",
        "",
        _EACH,
        "the gate of a cell that is overwritten is exp(-S)",
    ),
    Fault(
        _BLOCK,
        "if a_log > _NEGLIGIBLE_A_LOG or",
        "if",
        f"{_CERTIFIED}::test_a_counter_counts_ones",
        "a counter's gate is 1",
    ),
    Fault(
        _BLOCK,
        "            return at_bos, max(sizes.values(), default=0)\n",
        "            return at_bos, min(sizes.values(), default=0)\n",
        f"{_CERTIFIED}::test_the_horizon_is_that_of_the_arrays",
        "the fastest change bounds a counter",
    ),
    Fault(
        _BLOCK,
        "self.proof.movements.append((start + at_bos, fastest))",
        "self.proof.movements.append((start, fastest))",
        f"{_CERTIFIED}::test_what_bos_counts_is_part_of_the_horizon",
        "BOS may move a counter",
    ),
    Fault(
        _BLOCK,
        "if others and {channel: -int(row[channel]) for channel in others} != self.amounts:",
        "if False:",
        f"{_CERTIFIED}::test_the_value_before_is_the_counter_less_what_was_added",
        "the value before is the counter less what was added",
    ),
    Fault(
        _BLOCK,
        "if self.delayed[one] != self.delayed[other]:\n            return False",
        "if False:\n            return False",
        f"{_CERTIFIED}::test_cubes_of_different_positions_do_not_exclude_each_other",
        "cubes exclude each other at the same position only",
    ),
    Fault(
        _CERTIFICATE,
        "for coordinate in range(self.first_ballast):",
        "for coordinate in range(1, self.first_ballast):",
        _EACH,
        "no block writes the coordinate that is always 1",
    ),
    Fault(
        _CERTIFICATE,
        "if any(when and when != ready.get(coordinate, when) for when in writers):",
        "if False:",
        f"{_CERTIFIED}::test_a_coordinate_is_written_by_its_own_block",
        "a variable is written where it is checked",
    ),
    Fault(
        _CERTIFICATE,
        "if one[self.first_ballast :].any():",
        "if False:",
        f"{_CERTIFIED}::test_a_norm_lets_no_ballast_through",
        "the ballast is closed off by the norm's weight",
    ),
    Fault(
        _CERTIFICATE,
        "if PRECISIONS.get(format_.name) != format_:",
        "if False:",
        f"{_CERTIFIED}::test_only_measured_formats_are_certified",
        "the scale is one at which the nonlinearities were measured",
    ),
    Fault(_CERTIFICATE, "(digits == np.rint(digits)) & ", "", _EACH, "weights have no more digits than the format"),
    Fault(_CERTIFICATE, " & (grid == np.rint(grid))", "", _EACH, "weights are not so small that kernels drop them"),
    Fault(
        _CERTIFICATE,
        "limit = min(self.limit, int(self.weights.precision.greatest / quantum))",
        "limit = int(self.weights.precision.greatest / quantum)",
        f"{_CERTIFIED}::test_a_sum_has_as_many_units_as_the_format_has_digits_for",
        "a sum has at most as many units as the format has digits for",
    ),
    Fault(
        _CERTIFICATE,
        "min(self.limit, 2**_FLOAT32_DIGITS) if",
        "self.limit if",
        f"{_CERTIFIED}::test_counters_of_float64_are_those_of_float32",
        "norms and single steps compute in float32, in float64 too",
    ),
    # -- the search through caches
    Fault(
        _SEARCH,
        "bisimulation(machine, alone, mode, limit=limit, **how), alone.conditions",
        "verdict, alone.conditions",
        _ARRANGED,
        "what is claimed of one string at a time was run one at a time",
    ),
    Fault(
        _SEARCH,
        "        if witness is not None:\n",
        "        if True:\n            witness = verdict.witness\n",
        _ARRANGED,
        "a witness is wrong in a batch of one",
    ),
    Fault(
        _STEPPING,
        "for tensor in tensors], axis=1))",
        "for tensor in [tensors[0], 0 * tensors[1]]], axis=1))",
        "tests/test_state_table.py",
        "two caches are the same only when the scan states are, too",
    ),
    Fault(
        "constructions/joint_states.py",
        "(self._entries.rows[numbers] != rows).any(axis=1)",
        "np.zeros(len(rows), dtype=bool)",
        "tests/test_state_table.py::test_caches_whose_sums_are_alike_are_told_apart",
        "no sum alone decides that two caches are the same",
    ),
    # -- a layer at a time
    Fault(
        _LAYERWISE,
        "self._contexts.number([hidden, before[0], *views], below)",
        "self._contexts.number([hidden * 0, before[0], *views], below)",
        _BY_LAYERS,
        "a layer is run on each different input",
    ),
    Fault(
        _LAYERWISE,
        "self._contexts.number([hidden, before[0], *views], below)",
        "self._contexts.number([hidden, before[0] * 0, *views], below)",
        _BY_LAYERS,
        "a layer is run on each different scan state",
    ),
    Fault(
        _LAYERWISE,
        "np.flatnonzero(taps[:, place - 1])",
        "np.flatnonzero(taps[:, place] & False)",
        _BY_LAYERS,
        "a layer is run on each different earlier input that its convolution has weights for",
    ),
    Fault(
        _LAYERWISE,
        "        if not bool((cache.conv[:, :, :-1] == moved).all()):\n",
        "        if False:\n",
        "tests/test_layerwise.py::test_a_convolution_that_does_not_shift_its_inputs_is_run_by_whole_steps",
        "earlier inputs move on by one place",
    ),
    Fault(
        _LAYERWISE,
        "        if not same:\n",
        "        if False:\n",
        _WHOLE,
        "layers one by one are compared with whole steps",
    ),
    Fault(
        _LAYERWISE,
        "            same = same and all(bool((a == b).all()) for a, b in zip(found, expected))\n",
        "            pass\n",
        _WHOLE,
        "caches after a whole step are compared, too",
    ),
    Fault(
        _LAYERWISE,
        "        same = (given == self._given.rows[output]).all()\n",
        "        same = True\n",
        _WHOLE,
        "outputs of a whole step are compared, too",
    ),
    Fault(
        _LAYERWISE,
        "if self._calls >= self._next_compared and (len(symbols) >= _COMPARED or self._calls >= _SELDOM):\n",
        "if False:\n",
        "tests/test_layerwise.py::test_whole_steps_are_compared_now_and_then_and_once_at_least",
        "whole steps are compared while a search goes on",
    ),
    Fault(
        "verify/methods/bisimulation.py",
        "        model.settle()\n",
        "",
        "tests/test_layerwise.py::test_whole_steps_are_compared_now_and_then_and_once_at_least",
        "a search that is soon over is compared with whole steps, too",
    ),
    # -- what is foreseen
    Fault(
        _LAYERWISE,
        "if guess is not None and torch.equal(rows, self.tensor(guess)):",
        "if guess is not None:",
        f"{_FORESEEN_TESTS}::test_what_a_layer_gives_is_kept_and_not_what_was_guessed",
        "what a layer gives is compared with the guess, bit for bit",
    ),
    Fault(
        _FORESEEN,
        "    if not bool(guess.isfinite().all()):\n",
        "    if False:\n",
        f"{_FORESEEN_TESTS}::test_inputs_that_are_guessed_stand_in_for_none_where_they_are_not_read",
        "no infinity that was guessed is multiplied by 0",
    ),
    Fault(
        _FORESEEN,
        "        if steps > _MOST:\n",
        "        if False:\n",
        f"{_FORESEEN_TESTS}::test_only_what_closes_soon_is_foreseen",
        "states of layers that go on and on are not followed",
    ),
    Fault(
        _FORESEEN,
        "        if len(followed) * rows[0].shape[1] > _ASKED:\n            raise _NotForeseen\n",
        "        if len(followed) * rows[0].shape[1] > _ASKED:\n            break\n",
        f"{_FORESEEN_TESTS}::test_only_what_closes_soon_is_foreseen",
        "a machine that does not close soon is not followed",
    ),
    Fault(
        "constructions/mamba/huggingface.py",
        "return not bool(steps.weight.any()) and not",
        "return not",
        f"{_FORESEEN_TESTS}::test_each_layer_is_run_once_on_just_what_a_search_reads",
        "a layer that moves is not taken to be still",
    ),
    Fault(
        "constructions/mamba/huggingface.py",
        "return (delta * -mixer.A_log.float().exp()).exp(), added",
        "return (delta * mixer.A_log.float().exp()).exp(), added",
        f"{_FORESEEN_TESTS}::test_each_layer_is_run_once_on_just_what_a_search_reads",
        "a gate is guessed as the mixer makes it",
    ),
    Fault(
        "constructions/mamba/surroundings.py",
        "with quiet(), torch.backends.nnpack.flags(enabled=False):",
        "with quiet():",
        "tests/test_layerwise.py::test_convolutions_sum_their_products_without_onednn_too",
        "no convolution transforms its inputs",
    ),
    Fault(
        "verify/checkpoints/search.py",
        "if verdict.witness is None or runs_wrong(machine, model, mode, verdict.witness.word) == verdict.witness:",
        "if True:",
        "tests/test_layerwise.py::test_a_witness_that_whole_steps_do_not_confirm_refutes_nothing",
        "a witness found by layers is wrong in whole steps",
    ),
    Fault(
        "verify/checkpoints/search.py",
        "length = certificate.horizon\n",
        "length = None if finite else certificate.horizon\n",
        "tests/test_mamba_huggingface.py::test_every_length_takes_a_search_that_closes_within_the_horizon",
        "a search that closes says nothing of counters beyond the horizon",
    ),
    # -- reading a checkpoint
    Fault(
        _STORED,
        'if kind not in ("F64", "F32", "F16", "BF16"):',
        "if False:",
        f"{_INPUTS}::test_what_a_cast_would_change_is_refused_by_name",
        "only floating-point numbers are weights",
    ),
    Fault(
        _STORED,
        "if len(names) > 1:",
        "if False:",
        f"{_INPUTS}::test_formats_that_contradict_or_do_not_exist_are_refused",
        "dtype and torch_dtype say the same",
    ),
    Fault(
        _STORED,
        "dtype = names.pop() if names else next(iter(stored))",
        "dtype = next(iter(stored))",
        f"{_INPUTS}::test_the_configuration_names_the_format",
        "the claim is about the format that config.json names",
    ),
    Fault(
        _STORED,
        "        if plain in tensors:\n",
        "        if False:\n",
        f"{_INPUTS}::test_a_tensor_under_two_names_is_refused",
        "no tensor is given under two names",
    ),
    Fault(
        _STORED,
        'config["vocab_size"] = -(-config["vocab_size"] // multiple) * multiple',
        'config["vocab_size"] = config["vocab_size"] // multiple * multiple',
        f"{_INPUTS}::test_the_official_layout_is_read_and_proved",
        "the official package pads the vocabulary upwards",
    ),
    Fault(
        _LOADING,
        "not torch.equal(head, embedding)",
        "False",
        f"{_INPUTS}::test_heads_are_tied_as_the_configuration_says",
        "a tied head is the embedding",
    ),
    Fault(
        _LOADING,
        "bad = torch.nonzero(~torch.isfinite(cast))",
        "bad = []",
        f"{_INPUTS}::test_a_weight_that_the_format_does_not_reach_is_named",
        "a weight is finite after it was cast",
    ),
    Fault(
        "verify/checkpoints/other_reading.py",
        "if highest >= lowest:",
        "if highest > 1:",
        f"{_INPUTS}::test_no_reading_is_proposed_where_none_is_right",
        "a reading is proposed only where it is right on all strings",
    ),
    # -- lowering
    Fault(
        "constructions/mamba/ballast.py",
        "copies = 1 if width_exponent % 2 == 0 else 2",
        "copies = 1",
        f"{_LOWERING}::test_the_certificate_holds_in_every_format",
        "the ballast makes the mean square a power of 4",
    ),
    Fault(
        "constructions/mamba/blocks.py",
        "return not self.counts and not (isinstance(item, Total) and self.has_memory)",
        "return not self.counts",
        f"{_LOWERING}::test_random_cascades_with_counters",
        "a counter has a block without other memory",
    ),
    Fault(
        "constructions/conditions/network.py",
        "cuts.setdefault((literal.name, literal.before), set()).add(literal.bound)",
        "cuts.setdefault((literal.name, literal.before), set()).add(literal.bound + 1)",
        f"{_LOWERING}::test_a_window_with_distant_cuts",
        "a counter is compared with the bound itself",
    ),
    Fault(
        "verify/evidence/accuracy.py",
        "if len(wrong) and (result.witness is None or wrong[0] < len(result.witness.word)):",
        "if len(wrong) and result.witness is None:",
        f"{_INPUTS}::test_the_witness_is_the_shortest_wrong_prefix_of_all",
        "the witness of a random test is the shortest wrong prefix",
    ),
    Fault(
        "constructions/mamba/gates.py",
        "seen.least = min(seen.least, float(gates.min()))",
        "seen.least = float(gates.min())",
        f"{_INPUTS}::test_the_audit_remembers_the_least_and_the_greatest_gate",
        "the audit keeps the least gate over all positions",
    ),
]
