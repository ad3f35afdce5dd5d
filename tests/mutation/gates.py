"""Planted faults in what gates allow: thresholds of float32, clamps, motions, and the exit status."""

from .fault import Fault

_GATES = "constructions/stock/gates.py"
_ALLOWED = "verify/allowed.py"
_COMMAND = "verify/commands/gates.py"
_KINDS = "constructions/stock/layer_kinds.py"
_TEST = "tests/test_gates.py"
_COUNTED = f"{_TEST}::test_layers_with_gates_are_those_of_the_configuration"

FAULTS = [
    Fault(
        _GATES,
        "    least = in_float32(math.exp(below)) if cap < _ALL_GONE else 0.0\n",
        "    least = 0.0\n",
        f"{_TEST}::test_thresholds_are_those_of_torch",
        "a capped gate is not exactly 0",
    ),
    Fault(
        _GATES,
        "    greatest = in_float32(math.exp(above))\n",
        "    greatest = math.exp(above)\n",
        f"{_TEST}::test_thresholds_are_those_of_torch",
        "a gate is exactly 1 in float32, not over the reals",
    ),
    Fault(
        _GATES,
        "least == 0 and greatest == 1, kept",
        "True, kept",
        f"{_TEST}::test_every_family_by_its_default_configuration_in_one_line",
        "a gate that is neither 0 nor 1 does not switch",
    ),
    Fault(
        _GATES,
        "_ALL_GONE, _ALL_KEPT = 104.0, 2.0**-25\n",
        "_ALL_GONE, _ALL_KEPT = 104.0, 2.0**-24\n",
        f"{_TEST}::test_a_clamp_allows_both_only_where_it_is_wide",
        "exp(-2^-24) is below 1",
    ),
    Fault(
        _GATES,
        "    switches = least * rate <= _ALL_KEPT\n",
        "    switches = True\n",
        f"{_TEST}::test_configurations",
        "a clamp that is narrow leaves no gate both 0 and 1",
    ),
    Fault(
        _GATES,
        "    if not greatest > 0:\n",
        "    if False:\n",
        f"{_TEST}::test_a_clamp_allows_both_only_where_it_is_wide",
        "a delta of 0 never forgets",
    ),
    Fault(
        _GATES,
        "    if least > greatest:\n",
        "    if False:\n",
        f"{_TEST}::test_bad_configurations_are_one_line",
        "two numbers in the wrong order are no interval",
    ),
    Fault(
        _GATES,
        "isinstance(found, bool) or not",
        "not",
        f"{_TEST}::test_bad_configurations_are_one_line",
        "true is no number",
    ),
    Fault(
        _ALLOWED,
        "        if gates is not None and not gates.switches:\n",
        "        if False:\n",
        f"{_TEST}::test_configurations",
        "a gate that does not switch is not known to allow star-free languages",
    ),
    Fault(
        _ALLOWED,
        "        if {PERMUTE, TRANSFORM} & target.abilities and motion == target.motion:\n",
        "        if {PERMUTE, TRANSFORM} & target.abilities:\n",
        f"{_TEST}::test_configurations",
        "a reflection that the configuration does not allow is none",
    ),
    Fault(
        _ALLOWED,
        '        if ADD not in target.abilities or dtype != "float32":\n',
        "        if ADD not in target.abilities:\n",
        f"{_TEST}::test_configurations",
        "counters are exact in float32 only",
    ),
    Fault(
        _ALLOWED,
        "        elif gates is not None and gates.greatest < 1:\n",
        "        elif False:\n",
        f"{_TEST}::test_configurations",
        "a gate below 1 does not add up",
    ),
    Fault(
        _ALLOWED,
        "    if dtype not in exact:\n",
        "    if False:\n",
        f"{_TEST}::test_configurations",
        "nothing is known of a format in which no weights are exact",
    ),
    Fault(
        _ALLOWED,
        "    switches = one and least <= 0 and not time_invariant\n",
        "    switches = one and least <= 0\n",
        f"{_TEST}::test_ranges",
        "a gate that depends on no input switches nothing",
    ),
    Fault(
        _ALLOWED,
        "    motion = MONOTONE if least >= 0 else FIXED_SIGN if time_invariant else SIGNED\n",
        "    motion = MONOTONE\n",
        f"{_TEST}::test_ranges",
        "a negative gate turns the order over",
    ),
    Fault(
        _COMMAND,
        "    status = int(args.needs is not None and args.needs not in found.allows)\n",
        "    status = 0\n",
        f"{_TEST}::test_every_family_by_its_default_configuration_in_one_line",
        "what is not allowed ends in status 1",
    ),
    Fault(
        _ALLOWED,
        "    if kinds is None or kinds.gated:\n",
        "    if True:\n",
        _COUNTED,
        "a model without a gate allows nothing by its gates",
    ),
    Fault(
        _KINDS, '_GATED = ("linear_attention", "hybrid")', '_GATED = ("linear_attention",)', _COUNTED, "hybrid layers"
    ),
    Fault(
        _KINDS,
        "isinstance(value, int) and value > _MOST_LAYERS",
        "False",
        _COUNTED,
        "no list of very many layers is made",
    ),
    Fault(
        _KINDS,
        "        return None\n    if kind not in",
        "        raise\n    if kind not in",
        f"{_TEST}::test_without_transformers_no_layer_is_counted",
        "a configuration is read without transformers too",
    ),
    Fault(_KINDS, "value < (name in _AT_LEAST_ONE)", "value < 0", _COUNTED, "a model has a layer"),
    Fault(
        _KINDS,
        "        with quiet():\n",
        "        if True:\n",
        f"{_TEST}::test_what_transformers_remarks_on_a_configuration_is_not_printed",
        "one line says all",
    ),
]
