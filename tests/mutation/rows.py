"""Planted faults in what no weights do, in copying by content, and in reading folders of stock models."""

from .fault import Fault

_ENDINGS = "verify/impossible/endings.py"
_HEADS = "constructions/attention/induction_heads.py"
_DECIDE = "tests/test_decide.py::test_strings_that_end_alike_exactly_where_no_window_decides"
_COPIED = "tests/test_told_once.py::test_two_layers_of_attention_copy_every_word_without_equal_grams_and_no_other"
_INPUTS = "tests/test_stock_inputs.py"

FAULTS = [
    Fault(
        _ENDINGS,
        "                if one != other:  # two",
        "                if True:  # two",
        _DECIDE,
        "two states that were led to one stay one",
    ),
    Fault(
        _ENDINGS,
        "    least = dfa.minimise()\n",
        "    least = dfa\n",
        "tests/test_decide.py::test_states_that_nothing_tells_apart_are_one",
        "equal states are told apart by no word",
    ),
    Fault(
        _ENDINGS,
        "if least.accepts(one) != least.accepts(other)",
        "if True",
        _DECIDE,
        "just one of the strings is a word",
    ),
    Fault(
        _HEADS,
        "        keys[row(_BOS), 3 * lag - 1] = -1\n",
        "",
        _COPIED,
        "BOS itself has nothing before it",
    ),
    Fault(
        _HEADS,
        "(HASH, _BOS, grams - lag + 1)",
        "(HASH, _BOS, 1)",
        _COPIED,
        "the beginning agrees with all that is further back",
    ),
    Fault(
        "constructions/stock/loading.py",
        "    tensors |= {name: tensors[source] for name, source in tied.items()"
        " if name not in tensors and source in tensors}\n",
        "",
        f"{_INPUTS}::test_a_tied_head_need_not_be_stored",
        "what is tied need not be stored",
    ),
    Fault(
        "constructions/stock/running.py",
        "    if architecture.name not in CONFIG_MAPPING:\n",
        "    if False:\n",
        f"{_INPUTS}::test_an_architecture_that_an_older_library_does_not_have",
        "an older library lacks architectures",
    ),
]
