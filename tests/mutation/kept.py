"""What the engine keeps of rows, slots and pieces from one chunk to the next, and what it takes for the same."""

from .fault import Fault

_SLOTS, _TESTS_OF_SLOTS = "constructions/ssm/slots.py", "tests/test_slots.py"
_KEPT, _TESTS_OF_KEPT = "constructions/ssm/kept_pieces.py", "tests/test_kept_pieces.py"
_ENGINE, _GROWING = "constructions/ssm/engine.py", "constructions/growing.py"
_RECURRENCE, _RELEVANCE = "constructions/ssm/recurrence.py", "constructions/ssm/relevance.py"

FAULTS = [
    Fault(
        _SLOTS,
        "        if bits is None or not np.array_equal(bits.levels, self._arrangement.levels):\n",
        "        if bits is None:\n",
        _TESTS_OF_SLOTS,
        "a row that sets a third state keeps to no slots",
    ),
    Fault(
        _SLOTS,
        "        if not whole.all() or not (~matters | (arrangement.slot == read[:, None])).all():\n",
        "        if not whole.all():\n",
        _TESTS_OF_SLOTS,
        "a row reads no more than one slot",
    ),
    Fault(
        _SLOTS,
        "        if not whole.all() or not (",
        "        if not (",
        _TESTS_OF_SLOTS,
        "a row writes one slot as a whole, or none",
    ),
    Fault(
        _SLOTS,
        "        self._write.append(np.where(changed, write, arrangement.slots))\n",
        "        self._write.append(write)\n",
        _TESTS_OF_SLOTS,
        "a row that writes nothing keeps all slots",
    ),
    Fault(
        _SLOTS,
        "arrangement is None or not ((h == arrangement.levels[:, 0]) | (h == arrangement.levels[:, 1])).all():",
        "arrangement is None:",
        _TESTS_OF_SLOTS,
        "words begin with one of the two states of each coordinate",
    ),
    Fault(
        _SLOTS,
        "        self._found += 1\n",
        "",
        _TESTS_OF_SLOTS,
        "slots that were found anew have another name",
    ),
    Fault(
        _SLOTS,
        "        found &= self._mask.rows.take(steps)\n",
        "",
        _TESTS_OF_SLOTS,
        "bits that do not matter are put to their lesser state",
    ),
    Fault(
        _SLOTS,
        "        return Digits(place + self.ids, self.combinations)\n",
        "        return Digits(self.ids, self.combinations)\n",
        _TESTS_OF_SLOTS,
        "the same number in another slot is another state",
    ),
    Fault(
        _SLOTS,
        "    if max(map(len, slots.values())) > _LARGEST:\n        return None\n",
        "",
        _TESTS_OF_SLOTS,
        "a slot that is too large for a byte is none",
    ),
    Fault(
        _RECURRENCE,
        "        if not self._only_set.all():\n            return None\n",
        "",
        _TESTS_OF_SLOTS,
        "what adds to a state is no bit",
    ),
    Fault(
        _RECURRENCE,
        "        return found if len(found.coordinates) == self._layer.width else None\n",
        "        return found\n",
        _TESTS_OF_SLOTS,
        "a coordinate of three states is no bit",
    ),
    Fault(
        _ENGINE,
        "        for slots in self._slots[number + 1 :]:\n            slots.forget()\n",
        "",
        (_TESTS_OF_SLOTS, _TESTS_OF_KEPT),
        "slots of rows that are forgotten are forgotten",
    ),
    Fault(
        _ENGINE,
        "            if kept is not None:\n                kept.forget()\n",
        "            pass\n",
        (_TESTS_OF_SLOTS, _TESTS_OF_KEPT),
        "what is kept of pieces has the numbers of rows that are forgotten",
    ),
    Fault(
        _KEPT,
        " or not self._sums_exactly(parts):",
        ":",
        _TESTS_OF_KEPT,
        "sums that could leave the exact range are not taken apart",
    ),
    Fault(
        _KEPT,
        "        self._least, self._greatest = _wider(self._least, self._greatest, new)\n",
        "",
        _TESTS_OF_KEPT,
        "features are part of the sums",
    ),
    Fault(
        _KEPT,
        "        self.least, self.greatest = _wider(self.least, self.greatest, neurons)\n",
        "        self.least, self.greatest = _wider(neurons[0], neurons[0], neurons)\n",
        _TESTS_OF_KEPT,
        "what was met before is kept in mind",
    ),
    Fault(
        _KEPT,
        "        self._first = _Labels(self._pieces.read_first, self._numbers.dtype)\n",
        "        self._first = _Labels(self._pieces.read_later, self._numbers.dtype)\n",
        _TESTS_OF_KEPT,
        "a piece is told by the features that the first mix reads",
    ),
    Fault(
        _KEPT,
        "        self._later = _Labels(self._pieces.read_later, self._numbers.dtype)\n",
        "        self._later = _Labels(self._pieces.read_first, self._numbers.dtype)\n",
        _TESTS_OF_KEPT,
        "what is given is told by the features that later mixes read",
    ),
    Fault(
        _KEPT,
        "            key.append(told[i][1:])\n",
        "            key.append(told[i].base)\n",
        _TESTS_OF_KEPT,
        "states that mean something else have a table of their own",
    ),
    Fault(
        _KEPT,
        "        key: list[Hashable] = [size]\n",
        "        key: list[Hashable] = []\n",
        _TESTS_OF_KEPT,
        "more features that are read have a table of their own",
    ),
    Fault(
        _KEPT,
        "        for mix, product in zip(mixes, products):\n",
        "        for mix, product in ():\n",
        _TESTS_OF_KEPT,
        "all mixes are applied",
    ),
    Fault(
        _GROWING,
        "    if not np.array_equal(narrow, rows):\n",
        "    if False:\n",
        "tests/test_growing.py",
        "a number that is too large for a byte is not taken for another",
    ),
    Fault(
        "constructions/ssm/distinct_rows.py",
        "    if np.array_equal(rows[shown[others]], rows[others]):\n",
        "    if True:\n",
        "tests/test_pieces.py",
        "rows with the same weighted sum are taken for the same only when they are",
    ),
    Fault(
        _RELEVANCE,
        "    return grouped(features[:, fixed.any(axis=0)])\n",
        "    return grouped(features[:, fixed.all(axis=0)])\n",
        "tests/test_given.py",
        "rows are the same where all that is read of them is",
    ),
]
