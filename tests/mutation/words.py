"""Planted faults in what readers are shown: runs, legends, relations in words, pictures, the notebooks' bound."""

from .fault import Fault

_TRACING = "verify/show/tracing.py"
_LEGEND = "verify/show/legend.py"
_ROUTES = "verify/show/pictures/routes.py"
_RUNS = "verify/show/pictures/runs.py"
_STRUCTURES = "verify/show/pictures/structures.py"
_DRAWING = "verify/show/pictures/drawing.py"
_MEMORY = "verify/show/memory.py"
_RELATION = "verify/methods/induction/relation.py"
_TRACE = "tests/test_trace.py"
_PICTURES = "tests/test_pictures.py"

FAULTS = [
    Fault(
        _TRACING,
        "        if not machine.legal(state):\n            return step",
        "        if not machine.legal(state):\n            return step + 1",
        f"{_TRACE}::test_a_string_leaves_the_language_at_the_step_after_which_nothing_leads_to_a_word",
        "the step at which a string leaves is the first after which nothing is legal",
    ),
    Fault(
        _TRACING,
        "if symbol not in outputs[step - 1]), None)",
        "if symbol not in outputs[step]), None)",
        f"{_TRACE}::test_without_its_construction_a_predictors_own_answers_say_when_a_string_left",
        "a symbol is compared with what was legal before it",
    ),
    Fault(
        _TRACING,
        "    gone = left is not None and step >= left\n",
        "    gone = left is not None and step == left\n",
        f"{_TRACE}::test_a_string_leaves_the_language_at_the_step_after_which_nothing_leads_to_a_word",
        "no plausible set is shown after a string has left",
    ),
    Fault(
        _TRACING,
        "{0: 0, 1: 0, one: 1, one + 1: 1}",
        "{0: 0, 1: 1, one: 1, one + 1: 1}",
        f"{_TRACE}::test_a_previous_digit_is_not_part_of_the_value",
        "the digit before is not the digit",
    ),
    Fault(
        _LEGEND,
        "            if cascade.mode == PREDICTIVE and not dfa.live[target]:\n                continue\n",
        "",
        f"{_TRACE}::test_a_legend_says_the_states_that_go_with_each_value",
        "of a predictor only prefixes of words count",
    ),
    Fault(
        _LEGEND,
        "(set(), words[here], (place, value)))[0].add(here[1])",
        "({here[1]}, words[here], (place, value)))",
        f"{_TRACE}::test_a_legend_says_the_states_that_go_with_each_value",
        "all states that go with a value are named, not the first alone",
    ),
    Fault(
        "constructions/cascade.py",
        "if isinstance(item, Reset) and len(item.words) not in (0, item.values):",
        "if False:",
        f"{_TRACE}::test_words_are_for_readers_alone",
        "every value has its word, or none has",
    ),
    Fault(
        _RELATION,
        'f"slot {j} holds the type of the bracket opened at depth {j}, {code}"',
        'f"slot {j} holds the type of the bracket opened at depth {j + 1}, {code}"',
        "tests/test_induction.py::test_the_relation_of_a_stack_is_said_in_words",
        "the slot is that of its depth",
    ),
    Fault(
        _ROUTES,
        "            return 10 * crossed + self._along(free) + abs(bend - first)",
        "            return self._along(free) + abs(bend - first)",
        f"{_PICTURES}::test_no_edge_runs_through_a_state_that_it_does_not_join_and_no_label_is_covered",
        "an edge makes way for a state",
    ),
    Fault(
        _STRUCTURES,
        '"linestyle": "--" if before else "-",',
        '"linestyle": "-",',
        f"{_PICTURES}::test_every_reading_of_a_cascade_is_an_arrow_from_box_to_box",
        "what is read as it was before the step is dashed",
    ),
    Fault(
        _RUNS,
        "dead = trace.left is not None and step >= trace.left and trace.order != (ACCEPT,)",
        "dead = False",
        f"{_PICTURES}::test_a_run_that_leaves_the_language_is_crossed_out_from_there",
        "a picture says that nothing is asked any more",
    ),
    Fault(
        _MEMORY,
        "            previous += bits * (register.name in cascade.read_before)\n",
        "",
        f"{_PICTURES}::test_memory_is_drawn_to_scale",
        "digits before the step are memory too",
    ),
    Fault(
        "verify/commands/pipeline.py",
        "draw_file(task.construction, args.draw_what, args.draw)",
        "draw_file(task.machine, args.draw_what, args.draw)",
        f"{_PICTURES}::test_the_cascade_that_is_drawn_is_the_one_that_is_compiled",
        "the cascade that is drawn is the one that is compiled",
    ),
]
