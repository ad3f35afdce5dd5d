"""Planted faults in reading and running stock models: what lets attention, positions or formats go unseen."""

from .fault import Fault

_RUNNING = "constructions/stock/running.py"
_LOADING = "constructions/stock/loading.py"
_SOUND = "tests/test_stock_soundness.py"
_RECORDED, _OPERATIONS = "constructions/mamba/recorded.py", "tests/test_operations.py"
_TOKENS = f"{_OPERATIONS}::test_what_may_depend_on_more_than_the_numbers_of_a_token_is_refused"
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
        _RECORDED,
        "            if bool((wrong | ((other >= _OUTSIDE) & inside)).any()):\n",
        "            if False:\n",
        _TOKENS,
        "a number of a token far away is a function of no state",
    ),
    Fault(
        _RECORDED,
        "            if bool(((found >= 0) & (found != out.reshape(found.shape[:-1])[..., None])).any()):\n",
        "            if False:\n",
        _TOKENS,
        "a sum over tokens has another number of terms at every position",
    ),
    Fault(
        _RECORDED,
        "        if (known[1][keys] != rows).any():\n",
        "        if False:\n",
        _TOKENS,
        "what a position adds is in no transition",
    ),
    Fault(
        _RECORDED,
        "        if bool(((ids != own) & (ids != _CONSTANT)).any()):\n",
        "        if False:\n",
        _TOKENS,
        "logits of other tokens are compared with nothing",
    ),
    Fault(
        _RECORDED,
        '            if name != "add" or other is None or not greatest < abs(other) * eps / 4:\n',
        '            if name != "add" or other is None:\n',
        _TOKENS,
        "a rounded mean depends on the order",
    ),
    Fault(
        _RECORDED,
        "        if wrong:\n            raise Refusal(wrong)\n        self.largest",
        "        self.largest",
        f"{_OPERATIONS}::test_a_sum_that_may_be_rounded_is_refused_by_name",
        "a rounded sum depends on the order",
    ),
    Fault(
        _RECORDED,
        "            if known[value] != given:\n",
        "            if False:\n",
        f"{_OPERATIONS}::test_a_function_whose_bits_depend_on_the_place_is_refused",
        "a kernel's last places are computed otherwise",
    ),
    Fault(
        _RECORDED,
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
]
