"""Planted faults in proofs by boxes: the semantics of float32, the steps on intervals, the two finders, the check."""

from .fault import Fault

_FLOAT32 = "verify/learned/float32.py"
_STEP = "verify/learned/abstract_step.py"
_WEIGHTS = "verify/learned/weights.py"
_WINDOWS = "verify/learned/windows.py"
_MERGING = "verify/learned/merging.py"
_RECHECK = "verify/learned/recheck.py"
_PLAIN = "verify/learned/plain_step.py"
_INVARIANT = "verify/learned/invariant.py"
_ANSWERS = "verify/learned/answers.py"
_PLAIN_ANSWERS = "verify/learned/plain_answers.py"
_SEMANTICS = "verify/learned/semantics.py"
_OPERATIONS = "tests/test_learned_float32.py"
_STEPS = "tests/test_learned_step.py"
_PROOFS = "tests/test_learned_invariant.py"
_CONVENTIONS = "tests/test_learned_answers.py"
_DECIDED = f"{_CONVENTIONS}::test_what_is_decided_is_so_at_every_point"
_CONDITIONS = f"{_PROOFS}::test_every_condition_of_a_proof_is_checked"

FAULTS = [
    # -- what is assumed of float32
    Fault(_SEMANTICS, "ULPS = 4", "ULPS = 1", _OPERATIONS, "silu of torch errs by more than 2 units"),
    Fault(_SEMANTICS, "TINY = 2.0**-120", "TINY = 2.0**-126", _OPERATIONS, "silu loses 2^-121 where exp overflows"),
    Fault(
        _SEMANTICS,
        "SOFTPLUS_ZERO = -105.0",
        "SOFTPLUS_ZERO = -103.0",
        _OPERATIONS,
        "softplus is not yet 0 there, in torch",
    ),
    # -- operations of the finders
    Fault(
        _FLOAT32,
        "    apart = to_float32(rounded.low + increment.low, rounded.high + increment.high)\n",
        "    apart = fused\n",
        _OPERATIONS,
        "a product may be rounded before the sum",
    ),
    Fault(
        _FLOAT32,
        "    low = np.where((x.low <= where) & (where <= x.high), lowest, np.minimum(*ends))\n",
        "    low = np.minimum(*ends)\n",
        _OPERATIONS,
        "silu is least between the ends",
    ),
    Fault(
        _FLOAT32,
        "    zero = x.high <= SOFTPLUS_ZERO\n",
        "    zero = x.low <= SOFTPLUS_ZERO\n",
        _OPERATIONS,
        "an interval that only begins where softplus is 0",
    ),
    Fault(
        _FLOAT32,
        "    one = x.high == 0\n",
        "    one = x.low == 0\n",
        _OPERATIONS,
        "a gate that may be 1 and may be less",
    ),
    Fault(
        _FLOAT32,
        "(terms + 2) * (ROUNDING + _FLOAT64) * sizes",
        "(terms + 2) * _FLOAT64 * sizes",
        _OPERATIONS,
        "sums are rounded in float32",
    ),
    Fault(
        _FLOAT32,
        "    high = np.where(x.high >= 0, scaled(x.high, fewest), scaled(x.high, most))\n",
        "    high = scaled(x.high, fewest)\n",
        _OPERATIONS,
        "a negative number is nearest to 0 where the others are largest",
    ),
    Fault(_FLOAT32, "SLACK = 2.0", "SLACK = 1.0", _OPERATIONS, "the finders must be wider than the check"),
    # -- a step
    Fault(
        _STEP,
        "        increments = multiplied(inputs, x[..., None])\n",
        "        increments = inputs\n",
        _STEPS,
        "what is added is dt B x",
    ),
    Fault(
        _STEP,
        "            shifted = concatenated([past, u[:, None, :]], 1)[:, 1:]\n",
        "            shifted = past\n",
        _STEPS,
        "the convolution's cache moves on",
    ),
    Fault(
        _STEP,
        "        gains = self.gains[first] - taken * self.gains[second]\n",
        "        gains = model.head[first] - taken * model.head[second]\n",
        _STEPS,
        "the last norm has a gain",
    ),
    # -- what is covered
    Fault(_WEIGHTS, "    if config.use_mambapy:\n", "    if False:\n", _STEPS, "another order of the scan"),
    Fault(_WEIGHTS, '        if str(tensor.dtype) != "torch.float32":\n', "        if False:\n", _STEPS, "bfloat16"),
    Fault(_WEIGHTS, '    if config.hidden_act != "silu":\n', "    if False:\n", _STEPS, "another activation"),
    Fault(
        _WEIGHTS,
        '        digest.update(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())\n',
        "",
        _STEPS,
        "a digest of names alone",
    ),
    # -- the finders
    Fault(
        _WINDOWS,
        "    low[0], high[0] = first.low[0], first.high[0]\n    if len(graph.targets):\n",
        "    low[0], high[0] = 0, 0\n    if len(graph.targets):\n",
        _PROOFS,
        "the first box has the caches after BOS",
    ),
    Fault(
        _MERGING,
        "            inside = ((lows <= low) & (high <= highs)).all(1)\n",
        "            inside = ((lows <= low) & (high <= highs)).any(1)\n",
        _PROOFS,
        "a box that has the image in all numbers",
    ),
    # -- the check
    Fault(_RECHECK, "    if proof.digest != model.digest:\n", "    if False:\n", _CONDITIONS, "other weights"),
    Fault(_RECHECK, "    if proof.semantics != CONSTANTS:\n", "    if False:\n", _CONDITIONS, "another float32"),
    Fault(_RECHECK, "    if proof.answer != reading.option:\n", "    if False:\n", _CONDITIONS, "another convention"),
    Fault(_RECHECK, "    _check_automaton(proof, machine)\n", "", _CONDITIONS, "another automaton"),
    Fault(
        _RECHECK,
        "            elif states[target] != after:\n",
        "            elif False:\n",
        _CONDITIONS,
        "an edge of the table that leads elsewhere",
    ),
    Fault(
        _RECHECK,
        "            if not 0 <= target < count:\n",
        "            if target >= count:\n",
        _CONDITIONS,
        "a legal symbol that the table does not follow",
    ),
    Fault(
        _RECHECK,
        "        if not _inside(caches, proof, 0) or proof.states[0] != 0:\n",
        "        if False:\n",
        _CONDITIONS,
        "the start lies elsewhere",
    ),
    Fault(
        _RECHECK,
        "                if not _inside(caches, proof, successor):\n",
        "                if False:\n",
        _CONDITIONS,
        "an image that leaves its box",
    ),
    Fault(
        _RECHECK,
        " or proof.states[successor] != target:\n",
        ":\n",
        _CONDITIONS,
        "a successor of another state of the automaton",
    ),
    Fault(
        _RECHECK,
        "        for output in np.flatnonzero(~(margins > 0)).tolist():\n",
        "        for output in np.flatnonzero(margins < -1e3).tolist():\n",
        f"{_PROOFS}::test_an_output_that_is_not_decided_is_no_proof",
        "an output that is not decided",
    ),
    Fault(
        _RECHECK,
        " or not (np.maximum(-proof.low, proof.high) <= LARGEST_NUMBER).all():\n",
        ":\n",
        _CONDITIONS,
        "a box without an end",
    ),
    Fault(
        _PLAIN,
        "    if not (sizes <= LARGEST_NUMBER).all():\n",
        "    if False:\n",
        _STEPS,
        "numbers that could overflow",
    ),
    Fault(
        _PLAIN,
        "    apart = _add(_rounded(least, greatest), increment)\n",
        "    apart = fused\n",
        _OPERATIONS,
        "a product may be rounded before the sum",
    ),
    Fault(
        _PLAIN,
        "    return _function(np.where(turns, -0.278464542761074, low), high)\n",
        "    return _function(low, high)\n",
        _OPERATIONS,
        "silu is least between the ends",
    ),
    Fault(
        _PLAIN,
        "    zero = x[1] <= SOFTPLUS_ZERO\n",
        "    zero = x[0] <= SOFTPLUS_ZERO\n",
        _OPERATIONS,
        "an interval that only begins where softplus is 0",
    ),
    Fault(_PLAIN, "    one = x[1] == 0\n", "    one = x[0] == 0\n", _OPERATIONS, "a gate that may be less than 1"),
    Fault(
        _PLAIN,
        "    error = (count + 2) * (ROUNDING + _FLOAT64) * sizes + (count + 2) * TINY\n",
        "    error = (count + 2) * _FLOAT64 * sizes\n",
        _OPERATIONS,
        "sums are rounded in float32",
    ),
    Fault(
        _PLAIN,
        "    error = FUNCTION + _FLOAT64\n",
        "    error = _FLOAT64\n",
        _OPERATIONS,
        "functions err",
    ),
    Fault(
        _PLAIN,
        "    return low.astype(np.float32).astype(np.float64), high.astype(np.float32).astype(np.float64)\n",
        "    return low, high\n",
        _OPERATIONS,
        "one operation is rounded",
    ),
    Fault(
        _PLAIN,
        "            caches += [(seen[0][1:].ravel(), seen[1][1:].ravel()), (after[0].ravel(), after[1].ravel())]\n",
        "            caches += [(seen[0][:-1].ravel(), seen[1][:-1].ravel()), (after[0].ravel(), after[1].ravel())]\n",
        _STEPS,
        "the convolution's cache moves on",
    ),
    Fault(
        _RECHECK,
        "            if not constant + least_value(weights, last.after) > 0:\n",
        "            if False:\n",
        _CONDITIONS,
        "a half-space that does not hold after BOS",
    ),
    Fault(
        _RECHECK,
        "                    if not self._implied(box, last, *pulled_back(last, weights, constant)):\n",
        "                    if False:\n",
        _CONDITIONS,
        "a half-space that a step leaves",
    ),
    Fault(
        _PLAIN_ANSWERS,
        "        self.signs = reading == Reading(LOGIT, 0.0)\n",
        "        self.signs = True\n",
        f"{_PROOFS}::test_half_spaces_decide_what_boxes_do_not",
        "half-spaces speak of signs, not of other numbers",
    ),
    Fault(
        _MERGING,
        "        shape = count, self.search.behaviour.symbols\n",
        "        shape = count, -1\n",
        _PROOFS,
        "a search that ends before its first box",
    ),
    Fault(
        _PLAIN,
        "    lost = (np.abs(weights) * (radius * state + rounding)).sum()\n",
        "    lost = 0.0\n",
        _STEPS,
        "a gate is an interval, and the update is rounded",
    ),
    Fault(
        _PLAIN,
        "        constant -= ((high - low) / 2 * reached).sum() * (1 + _NOISE)\n",
        "",
        _STEPS,
        "the coefficients of a form are intervals",
    ),
    # -- conventions
    Fault(
        _ANSWERS,
        "        least, greatest = least * (1 - relative) - SLACK * TINY, greatest * (1 + relative) + SLACK * TINY\n",
        "",
        _DECIDED,
        "the check adds what softmax errs, and the finders more",
    ),
    Fault(
        _ANSWERS,
        "(1 / self._odds(-end).sum(-1) for end in (low, high))",
        "(1 / self._odds(-end).sum(-1) for end in (high, low))",
        _DECIDED,
        "a probability is least where the output is least ahead",
    ),
    Fault(
        _ANSWERS,
        "        rivals[:, 0, self.outputs] = ~wanted\n",
        "        rivals[:, 0, self.outputs] = False\n",
        _DECIDED,
        "an output that is not expected may be the likeliest",
    ),
    Fault(
        _ANSWERS,
        "        greatest = np.where(rivals[:, 0], nearest, np.inf).min(-1, keepdims=True)\n",
        "        greatest = least\n",
        _DECIDED,
        "what is not decided right is not yet wrong",
    ),
    Fault(
        _PLAIN_ANSWERS,
        "            least = 1 / (1 + sum(np.exp(-a) for a, _ in ahead.values()))\n",
        "            least = 1 / (1 + sum(np.exp(-b) for _, b in ahead.values()))\n",
        _DECIDED,
        "a probability is least where the output is least ahead",
    ),
    Fault(
        _PLAIN_ANSWERS,
        "        greatest = 1 / (1 + sum(np.exp(-b) for _, b in ahead.values()))\n",
        "        greatest = 1 / (1 + sum(np.exp(-a) for a, _ in ahead.values()))\n",
        _DECIDED,
        "and greatest where it is most ahead",
    ),
    Fault(
        _PLAIN_ANSWERS,
        "for token, (a, _) in ahead[output].items() if token not in wanted)",
        "for token, (_, a) in ahead[output].items() if token not in wanted)",
        _DECIDED,
        "an output has to be ahead everywhere in the box",
    ),
    Fault(
        _PLAIN_ANSWERS,
        "            margins.append(min(a for a, _ in others) if wanted else max(-b for _, b in others))\n",
        "            margins.append(min(a for a, _ in others) if wanted else max(-a for a, _ in others))\n",
        _DECIDED,
        "one token has to be ahead of the end everywhere",
    ),
    Fault(
        _PLAIN_ANSWERS,
        "        for output in wanted:\n",
        "        for output in ahead:\n",
        _DECIDED,
        "the likeliest token has to be one that is expected",
    ),
    Fault(
        _SEMANTICS,
        "    return (tokens + 160) * PROBABILITY\n",
        "    return 2 * PROBABILITY\n",
        f"{_CONVENTIONS}::test_a_probability_is_within_its_error",
        "exponents are rounded",
    ),
    Fault(
        _PLAIN,
        "        both = np.array([np.abs(first) + np.abs(other) for first, other in self.heads])\n",
        "        both = np.array([np.abs(first - other) for first, other in self.heads])\n",
        _STEPS,
        "both logits of a difference are rounded",
    ),
    Fault(
        _STEP,
        "        sizes = np.abs(self.gains[first]) + taken * np.abs(self.gains[second])\n",
        "        sizes = np.abs(gains)\n",
        _STEPS,
        "both logits of a difference are rounded",
    ),
    # -- what is said
    Fault(
        "verify/commands/box_proofs.py",
        "        checked = recheck_boxes(proof, trained_mamba(model.runner.model), machine, model.vocabulary, "
        "model.reading)\n",
        "        from verify.learned.recheck import Checked\n\n"
        "        checked = Checked(len(proof.states), proof.edges, 1.0)\n",
        "tests/test_box_proofs_cli.py",
        "a file is believed",
    ),
    Fault(
        _INVARIANT,
        "            checked = recheck_boxes(proof, self.model, self.machine, vocabulary, self.answers.reading)\n",
        "            checked = Checked(len(proof.states), proof.edges, 60.0)\n",
        _PROOFS,
        "nothing is proved that was not checked again",
    ),
    Fault(
        _INVARIANT,
        "        if run.outcome == REFUTED:\n",
        "        if True:\n",
        _PROOFS,
        "a string is run in the model before it is shown",
    ),
]
