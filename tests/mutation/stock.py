"""Planted faults in reading and running stock models: what lets attention, positions or formats go unseen."""

from .fault import Fault

_RUNNING = "constructions/stock/running.py"
_LOADING = "constructions/stock/loading.py"
_SOUND = "tests/test_stock_soundness.py"
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
]
