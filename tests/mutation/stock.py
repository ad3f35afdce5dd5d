"""Planted faults in reading and running stock models: what lets attention, positions or formats go unseen."""

from .fault import Fault

_RUNNING = "constructions/stock/running.py"
_LOADING = "constructions/stock/loading.py"
_SOUND = "tests/test_stock_soundness.py"
_NUMBERS, _FOLLOWED = "constructions/mamba/numbers_alone.py", "constructions/mamba/followed_tokens.py"
_OPERATIONS = "tests/test_operations.py"
_TOKENS = f"{_OPERATIONS}::test_what_may_depend_on_more_than_the_numbers_of_a_token_is_refused"
_COUNTING, _LSTM = "verify/checkpoints/counting.py", "tests/test_counting_lstm.py"
_RUNS, _WAYS = "constructions/mamba/other_runs.py", "verify/checkpoints/ways.py"

FAULTS = [
    Fault(
        _RUNNING,
        'and "Delta" not in kind]',
        'and "Delta" not in kind and "Linear" not in kind]',
        f"{_SOUND}::test_every_weight_of_every_attention_layer_must_be_zero",
        "the name of a family says nothing of a layer",
    ),
    Fault(
        _RUNNING,
        'if "norm" not in name and bool',
        'if "v_proj" in name and bool',
        f"{_SOUND}::test_every_weight_of_every_attention_layer_must_be_zero",
        "queries and keys can make an infinity that stays",
    ),
    Fault(
        _RUNNING,
        "            if bool((layer.keys != 0).any()) or bool((layer.values != 0).any()):\n",
        "            if False:\n",
        f"{_SOUND}::test_keys_and_values_must_stay_zero",
        "a zero times infinity is no zero",
    ),
    Fault(
        _RUNNING,
        "        _check_positions(model)\n",
        "",
        f"{_SOUND}::test_positions_must_stay_finite",
        "a step is taken at position 1, whatever its position",
    ),
    Fault(
        _LOADING,
        "        if not torch.equal(tensor, tensors[name].to(tensor.dtype)):\n",
        "        if False:\n",
        f"{_SOUND}::test_tied_weights_that_differ_are_read_as_the_library_reads_them",
        "the model has the numbers of the file",
    ),
    Fault(
        _RUNS,
        "yield OtherAnswer(FORWARD, at, given, torch.equal(given, logits[at - 1]))",
        "yield OtherAnswer(FORWARD, at, given, True)",
        "tests/test_ways.py::test_a_full_forward_that_is_wrong_refutes_though_the_steps_are_proved",
        "a full forward is another program",
    ),
    Fault(
        _RUNS,
        "torch.equal(given, logits[last - 1]) and _same(runner.caches(), states[last - 1])",
        "torch.equal(given, logits[last - 1])",
        "tests/test_ways.py::test_a_prefill_that_leaves_another_state_is_followed_to_where_it_is_wrong",
        "later steps start from the state",
    ),
    Fault(
        _WAYS,
        "    for name in (FORWARD, PREFILL):\n",
        "    for name in (FORWARD,):\n",
        "tests/test_ways.py::test_a_prefill_that_is_wrong_refutes_though_the_steps_are_proved",
        "a wrong prefill is a wrong model",
    ),
    Fault(
        _FOLLOWED,
        "            if bool((wrong | ((other >= _OUTSIDE) & inside)).any()):\n",
        "            if False:\n",
        _TOKENS,
        "a number of a token far away is a function of no state",
    ),
    Fault(
        _FOLLOWED,
        "            if bool(((found >= 0) & (found != out.reshape(found.shape[:-1])[..., None])).any()):\n",
        "            if False:\n",
        _TOKENS,
        "a sum over tokens has another number of terms at every position",
    ),
    Fault(
        _FOLLOWED,
        "        if (known[1][keys] != rows).any():\n",
        "        if False:\n",
        _TOKENS,
        "what a position adds is in no transition",
    ),
    Fault(
        _FOLLOWED,
        "        if bool(((ids != own) & (ids != _CONSTANT)).any()):\n",
        "        if False:\n",
        _TOKENS,
        "logits of other tokens are compared with nothing",
    ),
    Fault(
        _NUMBERS,
        '            if name != "add" or other is None or not greatest < abs(other) * eps / 4:\n',
        '            if name != "add" or other is None:\n',
        _TOKENS,
        "a rounded mean depends on the order",
    ),
    Fault(
        _NUMBERS,
        "        if wrong:\n            raise Refusal(wrong)\n        self.largest",
        "        self.largest",
        f"{_OPERATIONS}::test_a_sum_that_may_be_rounded_is_refused_by_name",
        "a rounded sum depends on the order",
    ),
    Fault(
        _NUMBERS,
        "            if known[value] != given:\n",
        "            if False:\n",
        f"{_OPERATIONS}::test_a_function_whose_bits_depend_on_the_place_is_refused",
        "a kernel's last places are computed otherwise",
    ),
    Fault(
        _FOLLOWED,
        "            if self._time < 2 or not np.logical_or.reduce([ids == one for one in wanted]).all():\n",
        "            if False:\n",
        f"{_OPERATIONS}::test_what_a_state_keeps_belongs_to_the_last_two_tokens",
        "steps start from the state",
    ),
    Fault(
        "constructions/compile/factorings.py",
        "key=lambda one: one.met)[:_KEPT]",
        "key=lambda one: -one.met)[:_KEPT]",
        "tests/test_permutations.py::test_levels_meet_few_permutations",
        "those that meet few permutations are kept",
    ),
    Fault(
        _COUNTING,
        "    alone = ~reads.any(axis=(0, 2))\n",
        "    alone = np.ones(units, dtype=bool)\n",
        f"{_LSTM}::test_a_gate_that_reads_the_state_is_no_counter",
        "a gate that reads more than the token was run with nothing else",
    ),
    Fault(
        _COUNTING,
        "holds = alone & (steps[1] - steps[0] == 1).all(axis=0)",
        "holds = alone",
        f"{_LSTM}::test_a_gate_that_is_hardly_less_than_1_is_no_counter",
        "a gate below 1 forgets",
    ),
    Fault(
        _COUNTING,
        "after[1, 0][:, self.cells] * self.scales != wanted\n",
        "np.zeros(wanted.shape, dtype=bool)\n",
        f"{_LSTM}::test_the_horizon_ends_before_the_first_count_that_is_rounded",
        "a count that is rounded is another one",
    ),
    Fault(
        _COUNTING,
        "                wrong[:, counter] |= ~small & (gives[:, counter] != beyond)\n",
        "",
        f"{_LSTM}::test_the_horizon_ends_before_the_first_count_that_looks_different",
        "only counts that look alike are one",
    ),
    Fault(
        _COUNTING,
        "found.greatest = min(greatest",
        "found.greatest = max(greatest",
        f"{_LSTM}::test_the_horizon_ends_before_the_first_count_that_is_rounded",
        "every token has to count",
    ),
    Fault(
        _COUNTING,
        "(found.greatest - start) // fastest",
        "found.greatest",
        f"{_LSTM}::test_counter_languages_are_proved_up_to_a_horizon",
        "a symbol may add more than 1",
    ),
    Fault(
        _COUNTING,
        "            if all((part == part[:, :, :1]).all() for part in kept):\n",
        "            if self.small == 9:\n",
        f"{_LSTM}::test_only_so_many_counts_may_look_different",
        "what differs is told apart",
    ),
    Fault(
        _COUNTING,
        "if (state[1, 0, 0, self.counts.cells] * self.counts.scales != values).any() or max",
        "if max",
        f"{_LSTM}::test_a_count_that_begins_elsewhere_is_refuted",
        "the cells begin where the machine's counters do",
    ),
    Fault(
        _COUNTING,
        "for k in range(back + 1)])",
        "for k in range(max(1, back))])",
        f"{_LSTM}::test_every_kind_of_count_is_stepped_from",
        "a large count may stay large when something is taken from it",
    ),
    Fault(
        _COUNTING,
        "        if (after[1, 0, : len(steps)][:, cells] * counts.scales != reached).any():\n",
        "        if False:\n",
        f"{_LSTM}::test_a_cell_that_counts_otherwise_beside_other_numbers_is_no_counter",
        "counts were run alone",
    ),
    Fault(
        _COUNTING,
        "        if (after[0, 0, : len(steps)][:, cells] != gives).any():\n",
        "        if False:\n",
        f"{_LSTM}::test_a_cell_that_gives_something_else_beside_other_numbers_is_no_counter",
        "what a cell gives was run alone",
    ),
    Fault(
        _COUNTING,
        "        if found is None and search.steps <= _ALONE:\n",
        "        if False:\n",
        f"{_LSTM}::test_single_rows_are_run_besides",
        "what is claimed of one string at a time is run so",
    ),
    Fault(
        _COUNTING,
        "        if len(amounts) != 1:\n",
        "        if not amounts:\n",
        f"{_LSTM}::test_a_machine_that_adds_by_its_control_is_not_covered",
        "the machine has to add what the cell does",
    ),
    Fault(
        _COUNTING,
        "limit=min(limit, UNCLOSED), length=exact",
        "limit=limit, length=exact",
        "tests/test_stock_targets.py::test_a_search_over_counters_ends_and_says_why",
        "a search over counters never closes",
    ),
    Fault(
        _COUNTING,
        "limit=min(limit, UNCLOSED), length=exact",
        "limit=min(limit, UNCLOSED), length=None",
        "tests/test_stock_targets.py::test_bfloat16_counts_below_256_and_no_further",
        "what a format certainly counts is proved, and no more",
    ),
]
