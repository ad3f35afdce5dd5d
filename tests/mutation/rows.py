"""Planted faults in what no weights do, in copying by content, and in reading folders of stock models."""

from .fault import Fault

_ENDINGS = "verify/impossible/endings.py"
_HEADS = "constructions/attention/induction_heads.py"
_DECIDE = "tests/test_decide.py::test_strings_that_end_alike_exactly_where_no_window_decides"
_COPIED = "tests/test_told_once.py::test_two_layers_of_attention_copy_every_word_without_equal_grams_and_no_other"
_INPUTS = "tests/test_stock_inputs.py"

_MODELS = "tests/test_random_models.py"
_GIVEN = "tests/test_given_model.py"
_POWERS = "verify/impossible/random_models.py"
_QUASI = "automata/algebra/quasi_aperiodic.py"
_APERIODIC = "automata/algebra/aperiodic.py"
_OF_EACH = f"{_MODELS}::test_quasi_aperiodic_are_those_that_no_length_of_words_permutes"

_KEPT = "tests/test_decide.py::test_an_interrupted_table_goes_on_where_it_was"

FAULTS = [
    Fault(
        "verify/decided.py",
        '        if found["asked"] != asdict(asked):\n',
        "        if False:\n",
        _KEPT,
        "an answer that is kept is about what is asked",
    ),
    Fault(
        "verify/decided.py",
        "    except (OSError, ValueError, TypeError, KeyError, RecursionError):\n",
        "    except (OSError, TypeError, KeyError, RecursionError):\n",
        _KEPT,
        "half of a file counts as not there",
    ),
    Fault(
        "verify/decided.py",
        ' and decided["answer"] in ANSWERS and',
        " and",
        "tests/test_decide.py::test_a_kept_answer_that_is_none_counts_as_not_there",
        "an answer is one of three",
    ),
    Fault(
        _POWERS,
        "        if max(alike) == models:\n",
        "        if True:\n",
        f"{_MODELS}::test_more_powers_are_tried_where_few_do_not_settle",
        "more powers are tried where few do not settle",
    ),
    Fault(
        _POWERS,
        "        if max(alike) == models:\n",
        "        alike[0] = models\n        if True:\n",
        f"{_MODELS}::test_strings_are_the_first_that_all_models_answer_alike",
        "only models that answer both strings alike are counted",
    ),
    Fault(
        _POWERS,
        "    return Failures(tuple(strings), made, models, int(wrong.sum()))\n",
        "    return Failures(tuple(strings), made, models, models)\n",
        f"{_MODELS}::test_a_model_may_be_right_on_given_strings",
        "a model that is right on all strings is not counted",
    ),
    Fault(
        _POWERS,
        " if n % cycle.period in cycle.residues]",
        "]",
        f"{_MODELS}::test_strings_of_which_both_or_none_are_words_show_nothing",
        "just one of the two strings is in the language",
    ),
    Fault(
        _POWERS,
        "        left &= ~wrong[:, chosen[-1]]\n",
        "        left[:] = False\n",
        f"{_MODELS}::test_few_strings_catch_every_model_that_any_of_the_short_ones_does",
        "one string does not catch every model",
    ),
    Fault(
        _QUASI,
        "    shared = spheres[first + (stable - first) % period]\n",
        "    shared = spheres[first]\n",
        _OF_EACH,
        "words of the least length that repeats are not those of all multiples of a length",
    ),
    Fault(
        _APERIODIC,
        "            if there[1] == 0:\n",
        "            if True:\n",
        f"{_MODELS}::test_words_of_a_length_that_a_number_divides_permute_where_symbols_are_counted",
        "the length of w is a multiple of the order of the gates",
    ),
    Fault(
        _APERIODIC,
        "                    if apart % len(cycle):\n",
        "                    if len(cycle) > 1:\n",
        f"{_MODELS}::test_signed_gates_are_shown_a_period_that_is_no_power_of_two",
        "signed gates have periods that are powers of two",
    ),
    Fault(
        "verify/decision.py",
        " and not _quasi_aperiodic(language):\n",
        ":\n",
        f"{_MODELS}::test_what_no_theorem_forbids_clocks_is_open",
        "gates that never change tell positions modulo a number",
    ),
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
    Fault(
        _POWERS,
        'enumerate(getattr(model, "alphabet", alphabet))',
        "enumerate(alphabet)",
        f"{_GIVEN}::test_its_symbols_are_found_by_their_names",
        "a saved model has an order of symbols of its own",
    ),
    Fault(
        "verify/commands/given_model.py",
        "    if mode != RECOGNISE:\n",
        "    if False:\n",
        f"{_GIVEN}::test_what_cannot_be_run_is_one_line",
        "a model that predicts accepts nothing",
    ),
    Fault(
        "verify/commands/decide.py",
        '"wrong": bool(failures.wrong)',
        '"wrong": not failures.wrong',
        f"{_GIVEN}::test_a_model_is_run_on_strings_that_its_architecture_gets_wrong",
        "what the given model answered is what is told",
    ),
]
