"""Values that nobody means, and mutations of texts, bytes and JSON that were right."""

from __future__ import annotations

from random import Random

NUMBERS = (
    "0 1 2 3 5 007 -0 -1 +5 1_0 ٣ ½ ² 1e3 1.5 0x10 nan inf None True 65536 2147483648 9007199254740993 "
    "9223372036854775807 "
    "9223372036854775808 18446744073709551616 1000000000000 " + "9" * 30
).split() + ["", " ", " 5", "5 ", "9" * 60, "9" * 61, "9" * 5000]

TEXTS = [
    "", " ", "\n", "\t", "-", "--", "---", "a", "ab", "é", "🙂", "\x00"[:0] + "\x01", "\x1b[2J", "\ud800", "\u202e",
    "\ufeff", "\u2028", "%s%n", "../..",
    "{}", "[]", "()", "null", "$(x)", "'", '"', "\\", "x" * 300, "y" * 5000, "END", "<bos>", "end", "ε", "0", "1",
    "a b", "a,b", "*", "~", "&", "|", "]", "[", ")", "(",
]  # fmt: skip

INTEGERS = (
    0,
    1,
    -1,
    2,
    -2,
    3,
    63,
    64,
    255,
    1000,
    2**31,
    2**53,
    2**61,
    2**62,
    -(2**62),
    2**62 + 1,
    2**63 - 1,
    -(2**63),
    -(2**63) + 1,
)
"""For the tensors of a model; the last of them are the ends of the type."""

_LEAVES = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2**62,
    2**63,
    10**30,
    1.5,
    -0.0,
    1e308,
    "",
    "x",
    "\ud800",
    "é" * 200,
    [],
    {},
    [[]],
    [None],
    ["a", "a"],
    {"a": 1},
)


def text(random: Random, alphabet: str, most: int = 12) -> str:
    """Characters of an alphabet, and sometimes a wild one."""
    length = random.randint(0, most)
    found = "".join(random.choice(alphabet) for _ in range(length))
    return found if random.random() < 0.8 else found + random.choice(TEXTS)


def mutated_text(random: Random, given: str, times: int = 3) -> str:
    """The text with characters removed, repeated, exchanged, or wild text put in."""
    for _ in range(random.randint(1, times)):
        i, j = sorted(random.randint(0, len(given)) for _ in range(2))
        given = random.choice(
            [
                given[:i] + given[j:],
                given[:i] + given[i:j] * 2 + given[j:],
                given[:i] + random.choice(TEXTS) + given[i:],
                given[:i] + random.choice(NUMBERS) + given[i:],
                given[:i] + given[i:j][::-1] + given[j:],
                given[:i] + random.choice(given or "x") + given[i + 1 :],
            ]
        )
    return given


def mutated_bytes(random: Random, given: bytes) -> bytes:
    """The bytes cut short, with bits flipped, tokens exchanged, parts removed or repeated."""
    for _ in range(random.randint(1, 3)):
        i, j = sorted(random.randint(0, len(given)) for _ in range(2))
        what = random.randrange(8)
        if what == 0:
            given = given[:i]
        elif what == 1 and given:
            k = random.randrange(len(given))
            given = given[:k] + bytes([given[k] ^ (1 << random.randrange(8))]) + given[k + 1 :]
        elif what == 2:
            given = given[:i] + given[min(j, i + 20) :]
        elif what == 3:
            given = given[: min(j, i + 200)] + given[i:]
        elif what == 4:
            given = given[:i] + random.choice(TEXTS).encode("utf-8", "surrogatepass") + given[i:]
        elif what == 5:
            given = given[:i] + random.choice(NUMBERS).encode() + given[i:]
        elif what == 6:
            tokens = given.split(b" ")
            k, m = random.randrange(len(tokens)), random.randrange(len(tokens))
            tokens[k], tokens[m] = tokens[m], tokens[k]
            given = b" ".join(tokens)
        else:
            lines = given.split(b"\n")
            random.shuffle(lines)
            given = b"\n".join(lines)
    return given


def mutated_json(random: Random, value):
    """The value with one of its parts exchanged for a wild one, removed, or there twice."""
    value = _copy(value)
    places = list(_places(value))
    if not places:
        return random.choice(_LEAVES)
    holder, key = random.choice(places)
    what = random.randrange(5)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, list):
        holder.insert(key, holder[key])
    elif what == 2 and isinstance(holder, dict):
        holder[str(random.choice(TEXTS))] = holder.pop(key)
    elif what == 3:
        other, place = random.choice(places)
        holder[key] = _copy(other[place])
    else:
        holder[key] = random.choice(_LEAVES)
    return value


def _copy(value):
    if isinstance(value, dict):
        return {key: _copy(part) for key, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


def _places(value):
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(keys):
        yield value, key
        yield from _places(part)
