"""Planted faults in the range of a model's numbers, in the engine's bounds, and in the boxes that hold every number."""

from .fault import Fault

_INTEGERS = "constructions/ssm/integers.py"
_SSM, _LAYERS = "constructions/ssm/weights.py", "constructions/ssm/layers.py"
_STORAGE = "constructions/ssm/storage.py"
_FORMATS = "constructions/ssm/number_formats.py"
_RECURRENCE = "constructions/ssm/recurrence.py"
_BOXES = "constructions/ssm/box_arithmetic.py"
_PIECES, _BY_PIECES = "constructions/ssm/pieces.py", "tests/test_pieces.py"
_EXTREME = "tests/test_extreme_numbers.py"
_NUMBERS = "tests/test_model_numbers.py"

FAULTS = [
    Fault(
        _INTEGERS,
        "(array > LARGEST_INTEGER) | (array < -LARGEST_INTEGER)",
        "np.abs(array) > LARGEST_INTEGER",
        _NUMBERS,
        "the least integer is compared, not its absolute value",
    ),
    Fault(_INTEGERS, "MOST_PLACES = 62", "MOST_PLACES = 63", _NUMBERS, "an exponent of 63 is refused"),
    Fault(
        _INTEGERS,
        "wrong, expected = ~(array == np.floor(array)), ",
        "wrong, expected = np.isnan(array), ",
        _NUMBERS,
        "a fraction is no integer",
    ),
    Fault(_INTEGERS, " and not isinstance(value, bool)", "", _NUMBERS, "true is no number"),
    Fault(
        _INTEGERS,
        "np.maximum(53 - lowest - exponent, 0)",
        "np.maximum(52 - lowest - exponent, 0)",
        _NUMBERS,
        "floats keep their last binary place",
    ),
    Fault(
        _LAYERS,
        "if (sizes.data >= LARGEST_INTEGER).any():",
        "if False:",
        _NUMBERS,
        "the parts of one weight do not wrap together",
    ),
    Fault(
        _LAYERS,
        '            whole_numbers("start value", self.initial)\n',
        "            pass\n",
        _NUMBERS,
        "start values are checked",
    ),
    Fault(
        "constructions/ssm/engine.py",
        "        ssm.check_numbers()\n",
        "",
        f"{_EXTREME}::test_arrays_edited_after_the_model_was_made_are_checked_by_the_engine",
        "arrays edited later are checked",
    ),
    Fault(
        _SSM,
        '        whole_numbers("embedding", self.embedding)\n',
        "",
        _NUMBERS,
        "the embedding is checked",
    ),
    Fault(
        _SSM,
        "    if len(names) != expected:",
        "    if len(names) > expected:",
        "tests/test_storage.py",
        "every coordinate has a name",
    ),
    Fault(
        _STORAGE,
        "    if len(entries) < len(pairs):",
        "    if False:",
        "tests/test_storage.py",
        "no entry is given twice",
    ),
    Fault(
        _STORAGE,
        'repr(description.get("format")) != repr(MODEL_FORMAT)',
        'description.get("format") != MODEL_FORMAT',
        "tests/test_storage.py",
        "true is no format",
    ),
    Fault(
        _STORAGE,
        '        whole_numbers(f"{path}: array {name!r}", array)\n',
        "",
        "tests/test_storage.py",
        "a loaded array is named with its file",
    ),
    Fault(
        _FORMATS,
        "return max(int(integers.max(initial=0)), -int(integers.min(initial=0)))",
        "return int(integers.max(initial=0))",
        f"{_EXTREME}::test_a_product_that_64_bits_would_take_for_0_is_refused",
        "a bound counts negative numbers",
    ),
    Fault(
        _FORMATS,
        "        if once and largest_gate * reach + largest >= 1 << 62:",
        "        if once and largest_gate * reach >= 1 << 62:",
        f"{_EXTREME}::test_what_is_added_counts_in_the_bound_of_a_step",
        "the increment counts in the 62 bits of a step",
    ),
    Fault(
        _FORMATS,
        "reach = size + (steps - 1) * ((largest >> b) + 1)",
        "reach = size",
        f"{_EXTREME}::test_additions_over_a_long_word_stay_within_the_bound",
        "a state grows by an increment at every step",
    ),
    Fault(
        _FORMATS,
        "_shift(_shift(gates * h, a - exponent) + increments, exponent)",
        "_shift(gates * h, a) + _shift(increments, exponent)",
        f"{_EXTREME}::test_a_step_rounds_once",
        "the sum of a step is rounded, not its terms",
    ),
    Fault(
        _FORMATS,
        "product.stays_below(self.limit, scaled, 4.0)",
        "product.stays_below(self.limit, scaled, 1.0)",
        f"{_EXTREME}::test_a_sum_of_floats_counts_its_bias_in_full",
        "the bias counts in full in the bound on a sum of floats",
    ),
    Fault(
        _FORMATS,
        "            check_bound(max(low, -high), self.limit, self.arithmetic)\n",
        "",
        f"{_EXTREME}::test_a_clip_to_numbers_beyond_the_bound_is_refused",
        "a clip cannot give numbers beyond the bound",
    ),
    Fault(
        _RECURRENCE,
        "check_bound(largest_size(h) + time * largest_size(added), ",
        "check_bound(largest_size(h) + largest_size(added), ",
        f"{_EXTREME}::test_sums_over_a_long_word_stay_within_the_bound",
        "what is added counts at every step",
    ),
    Fault(
        "verify/numbers/sparse_rows.py",
        "        check_bound(largest_size(affine.bias) * unit, numbers.limit, numbers.arithmetic)\n",
        "",
        f"{_EXTREME}::test_a_bias_that_wraps_with_its_unit_is_refused_on_sparse_rows",
        "a bias times its unit is bounded before it is computed",
    ),
    Fault(
        "verify/numbers/boxes.py",
        "(ssm.embedding, *(affine.bias for _, affine in ssm.affines()))",
        "(ssm.embedding,)",
        f"{_EXTREME}::test_boxes_do_not_speak_about_numbers_that_they_cannot_hold",
        "a bias that float32 rounds is not covered",
    ),
    Fault(
        "constructions/ssm/ranges.py",
        "        np.where(falls, 0.0, relu_low),\n",
        "        relu_low,\n",
        f"{_EXTREME}::test_a_falling_ray_does_not_pass_a_relu",
        "a ray that falls comes down to 0",
    ),
    Fault(
        _BOXES,
        "if known else np.ones_like(size, dtype=bool)",
        "if known else np.zeros_like(size, dtype=bool)",
        f"{_EXTREME}::test_sums_on_an_unknown_grid_round",
        "a sum on an unknown grid may round",
    ),
    Fault(
        _BOXES,
        "    inexact |= infinite\n",
        "",
        f"{_EXTREME}::test_an_infinite_weight_meets_zero_in_no_box",
        "a weight that overflows meets a zero",
    ),
    Fault(
        "constructions/ssm/horizon.py",
        "return max(0, least - 1)",
        "return least",
        f"{_EXTREME}::test_the_exact_length_counts_bos",
        "BOS is a step",
    ),
    Fault(
        "constructions/ssm/horizon.py",
        "        if not (np.isfinite(x.low).all() and np.isfinite(x.high).all()):\n            return np.inf\n",
        "",
        f"{_EXTREME}::test_an_infinite_embedding_has_no_exact_length",
        "an infinite input is beyond every bound",
    ),
    Fault(
        "verify/methods/translation.py",
        "        if largest_size(times) * largest_size(self.translation) + largest_size(state) >= 1 << 62:",
        "        if False:",
        f"{_EXTREME}::test_a_translation_is_not_followed_beyond_62_bits",
        "a state modulo a translation stays within 62 bits",
    ),
    Fault(
        "verify/methods/bounded_search.py",
        "    if rows.dtype == object:\n",
        "    if False:\n",
        f"{_EXTREME}::test_pairs_of_fractions_have_the_keys_of_their_values",
        "states of fractions are told apart by their values",
    ),
    Fault(
        "verify/methods/bounded_search.py",
        "pair_keys(numbers, np.ascontiguousarray(rows))",
        "[(n, row.tobytes()) for n, row in zip(numbers.tolist(), rows)]",
        f"{_EXTREME}::test_a_bounded_search_tells_fractions_apart_by_their_values",
        "pairs of fractions are told apart by their values",
    ),
    Fault(
        _PIECES,
        "if not numbers.sums_exactly(self._products[1], self._layer.phi[1].affine, columns):",
        "if False:",
        _BY_PIECES,
        "sums that could round or be too large are not taken apart",
    ),
    Fault(
        _PIECES,
        "[*numbered, _labels(features, self._read_later).take(ids)]",
        "[*numbered, np.zeros_like(ids)]",
        _BY_PIECES,
        "what later mixes read tells positions apart",
    ),
    Fault(
        _PIECES,
        "label = _labels(features, self._features[piece.neurons].any(axis=0))",
        "label = np.zeros(len(features), dtype=np.intp)",
        _BY_PIECES,
        "what the neurons of a piece read tells positions apart",
    ),
    Fault(
        _RECURRENCE,
        "    if len(left):\n        _, first",
        "    if False:\n        _, first",
        _BY_PIECES,
        "rows with the same hash are held against each other",
    ),
    Fault(
        _RECURRENCE,
        "now[words] = np.where(begins, now[words], start)",
        "now[words] = start",
        "tests/test_recurrence.py",
        "a word may begin with a change",
    ),
]
