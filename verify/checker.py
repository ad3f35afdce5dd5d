#!/usr/bin/env python3
"""Checks a proof certificate again: python3 -I -S checker.py [--work N] FILE

One file, Python 3.8 or newer, the standard library alone; docs/certificates.md says what it reads and what that means.
One line is printed: VERIFIED and the claim in its own words (status 0), FAILED and the first reason with its place (1),
or on stderr why the file is no certificate (2).
"""
import sys

if __name__ == "__main__" and not sys.flags.isolated:
    del sys.path[0]  # no file beside this one stands in for a part of the standard library

import gzip, hashlib, json, math, os, re, struct, unicodedata, zlib  # noqa: E401, E402, I001
from fractions import Fraction  # noqa: E402

FORMAT, _ACCEPT, _EOS, _BOS = "ssm-certificate 1", "<accept>", "<eos>", "<bos>"
TEXT_LIMIT = 16 << 20  # bytes, after decompression
LARGEST, _MOST_PLACES = 1 << 62, 62  # of the file's integers and exponents
LARGEST_STATE = 1 << 4096
INFINITY, NAN = math.inf, math.nan

class Failed(Exception):
    """The file does not show its claim; the text says why and where."""

class Rejected(Exception):
    """The file is none."""

class Work:
    """Operations and stored numbers, counted: a hostile file ends with a reason."""
    limit = left = 10**9

def need(condition, text, *values):
    """Fails with this reason, unless the condition holds."""
    if not condition: raise Failed(text % values)

def spend(amount):
    Work.left -= amount
    if Work.left < 0: raise Failed("more than %d operations: --work N raises this bound" % Work.limit)

# -- the file ---------------------------------------------------------------------------------------------------------

def _load(path):
    """The JSON object of a file, its text strict and bounded."""
    try:
        if not os.path.isfile(path): raise Rejected("is not a file" if os.path.exists(path) else "no such file")
        with open(path, "rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = (gzip.GzipFile(fileobj=file) if compressed else file).read(TEXT_LIMIT + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Rejected("cannot be read (%s)" % error) from None
    if len(data) > TEXT_LIMIT: raise Rejected("holds more than %d bytes of text" % TEXT_LIMIT)
    numbers = {"parse_int": _whole, "parse_float": _no_number, "parse_constant": _no_number}
    try: value = json.loads(data.decode("utf-8"), object_pairs_hook=_once, **numbers)
    except RecursionError: raise Rejected("is nested too deeply") from None
    except ValueError as error: raise Rejected("is not the JSON of a certificate (%s)" % error) from None
    if type(value) is not dict or value.get("format") != FORMAT: raise Rejected("is not of the format %r" % FORMAT)
    return value

def _once(pairs):
    entries = dict(pairs)
    if len(entries) < len(pairs): raise ValueError("an entry is given twice")
    return entries

def _whole(text):
    if len(text) > 20: raise ValueError("a number of %d digits" % len(text))
    return int(text)

def _no_number(text): raise ValueError("%.20s is no integer" % text)

class Record:
    """An object of the file: its entries are attributes."""
    def __init__(self, **entries): self.__dict__.update(entries)

def read(value, shape, place=""):
    """The value, of this shape: {key: shape}, which becomes a Record; [shape], an array; (low, high), an integer, or
    (low, high, None), or null; str, a text, and a set, one of these texts; None, which is read elsewhere."""
    if type(shape) is dict:
        whole, inside = place or "the certificate", place + "." if place else ""
        need(type(value) is dict, "%s is no object", whole)
        for name in [*shape, *value] if value.keys() != shape.keys() else ():
            need(name in value, "%s has no entry %s", whole, name)
            need(name in shape, "%s has an unknown entry %s", whole, show(name))
        return Record(**{name: read(value[name], shape[name], inside + name) for name in shape})
    if type(shape) is list and type(shape[0]) is tuple: return integers(value, place, None, *shape[0])
    if type(shape) is list:
        return [read(part, shape[0], "%s[%d]" % (place, i)) for i, part in enumerate(array(value, place))]
    if type(shape) is tuple: return None if value is None and None in shape else integer(value, *shape[:2], place)
    need(shape is None or type(value) is str, "%s is %s, no text", place, show(value))
    need(shape in (None, str) or value in shape, "%s is %s, which is not known", place, show(value))
    return value

def one_key(value, names, place):
    """(key, value) of an object with one key, out of these."""
    right = type(value) is dict and len(value) == 1 and next(iter(value)) in names
    need(right, "%s is no object with one entry out of %s", place, ", ".join(names))
    return next(iter(value.items()))

def array(value, place, length=None):
    need(type(value) is list, "%s is no array", place)
    need(length in (None, len(value)), "%s has %d entries, expected %s", place, len(value), length)
    spend(len(value))
    return value

def integer(value, low, high, place):
    need(type(value) is int and low <= value <= high, "%s is not an integer from %d to %d", place, low, high)
    return value

def integers(value, place, length=None, low=-LARGEST, high=LARGEST):
    for i, n in enumerate(array(value, place, length)):
        if type(n) is not int or not low <= n <= high: integer(n, low, high, "%s[%d]" % (place, i))
    return value

def check_symbols(names, place):
    """Different non-empty strings without blanks and control characters, none of them reserved."""
    for name in names:
        need(name and name not in (_ACCEPT, _EOS, _BOS), "%s: %s cannot be a symbol", place, show(name))
        odd = any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in name)
        need(not odd, "%s: %s has a blank, a control character or half a character", place, show(name))
    need(names and len(set(names)) == len(names), "%s: symbols are missing, or one occurs twice", place)

def show(value):
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."

def some_of(names): return " ".join(map(show, names[:8])) + (" ..." if len(names) > 8 else "")

def bits(numbers, size):
    """A set of numbers below the size, as an integer with a bit for each."""
    data = bytearray(size // 8 + 1)
    for n in numbers: data[n >> 3] |= 1 << (n & 7)
    spend(size // 50)
    return int.from_bytes(data, "little")

def sha256(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()

# -- numbers ----------------------------------------------------------------------------------------------------------

# Significant bits, binary places of the least number, and struct's code.
FLOATS = {"float16": (11, 24, "e"), "float32": (24, 149, "f"), "float64": (53, 1074, "d")}

def arithmetic_of(name, place):
    """What a model's numbers are: kind "exact", "fixed", "wrap" or "float"; bits are P, or the significant ones."""
    match = re.match(r"(fixed|wrap):(0|[1-9][0-9]?)\Z", name)
    need(match or name in FLOATS or name == "exact", "%s %s is not known", place, show(name))
    if not match:
        return Record(name=name, kind="float" if name in FLOATS else name, bits=FLOATS.get(name, (0,))[0], unit_bits=0)
    kind, count, (least, most) = match[1], int(match[2]), (0, 32) if match[1] == "fixed" else (1, 52)
    need(least <= count <= most, "%s: %s has not from %d to %d bits", place, name, least, most)
    return Record(name=name, kind=kind, bits=count, unit_bits=count if kind == "fixed" else 0)

def _quotient(n, e):
    """n / 2^e exactly, an int where it is whole."""
    return n >> e if n & ((1 << e) - 1) == 0 else Fraction(n, 1 << e)

def simplest(value): return value.numerator if value.denominator == 1 else value

def rounder(name):
    """x -> the float of this format that is nearest, ties to even; x is a float64 that one operation gave: sums and
    products of two numbers of up to 24 bits, rounded to 53 and then to 24 or 11, are as rounded once."""
    if name not in ("float16", "float32"): return float
    form, known = struct.Struct("<" + FLOATS[name][2]), {}
    def rounded(x):
        found = known.get(x)
        if found is None:
            if x != x: return NAN
            try: found = form.unpack(form.pack(x))[0]
            except OverflowError: found = math.copysign(INFINITY, x)
            if len(known) > 100000: known.clear()
            known[x] = found
        return found
    return rounded

# -- models -----------------------------------------------------------------------------------------------------------

_EXPONENT, _NUMBER, _NATURAL, _COUNT = (0, _MOST_PLACES), (-LARGEST, LARGEST), (0, LARGEST), (1, LARGEST)
_AFFINE = {"exponent": _EXPONENT, "bias": [_NUMBER], "rows": [[_NUMBER]]}  # x -> (rows x + bias) / 2^exponent
_STAGE = {"affine": _AFFINE, "activation": {"relu", "linear", "clip"}, "low": _NUMBER, "high": _NUMBER}
_INITIAL = {"exponent": _EXPONENT, "values": [_NUMBER]}
_LAYER = {"initial": _INITIAL, "gate": _AFFINE, "increment": _AFFINE, "phi": [_STAGE]}
_EMBEDDING = {"exponent": _EXPONENT, "rows": [[_NUMBER]]}
_MODEL = {"arithmetic": str, "symbols": [str], "outputs": [str], "embedding": _EMBEDDING, "layers": [_LAYER],
          "readout": _AFFINE}

def check_affine(affine, place, outputs, inputs):
    """Sizes and columns are right; a row becomes a list of (column, weight)."""
    array(affine.bias, place + ".bias", outputs)
    for r, row in enumerate(array(affine.rows, place + ".rows", outputs)):
        columns, weights = row[0::2], row[1::2]
        need(len(columns) == len(weights) and 0 not in weights, "%s.rows[%d]: a weight is missing or 0", place, r)
        ascending = all(i < j for i, j in zip([-1] + columns, columns + [inputs]))
        need(ascending, "%s.rows[%d]: columns do not ascend from 0 to less than %d", place, r, inputs)
        affine.rows[r] = list(zip(columns, weights))

class _Model(Record):
    """Weights, as the file gives them; what a step is, Steps and FloatSteps say."""
    def __init__(self, value, place="model"):
        super().__init__(**vars(read(value, _MODEL, place)))
        self.sha256, self.arithmetic = sha256(value), arithmetic_of(self.arithmetic, place + ".arithmetic")
        check_symbols(self.symbols, place + ".symbols")
        right = self.outputs in ([_ACCEPT], self.symbols + [_EOS])
        need(right, "%s.outputs are neither %s nor the symbols and %s", place, _ACCEPT, _EOS)
        rows = array(self.embedding.rows, place + ".embedding.rows", len(self.symbols) + 1)
        self.features = features = len(rows[0])
        for i, row in enumerate(rows): array(row, "%s.embedding.rows[%d]" % (place, i), features)
        need(self.layers, "%s.layers is empty", place)
        for i, layer in enumerate(self.layers):
            here, layer.inputs, layer.width = "%s.layers[%d]" % (place, i), features, len(layer.initial.values)
            check_affine(layer.gate, here + ".gate", layer.width, features)
            check_affine(layer.increment, here + ".increment", layer.width, features)
            need(1 <= len(layer.phi) <= 64, "%s.phi has not from 1 to 64 stages", here)
            features = layer.width
            for j, stage in enumerate(layer.phi):
                at, rows = "%s.phi[%d]" % (here, j), len(stage.affine.bias)
                check_affine(stage.affine, at + ".affine", rows, features + layer.inputs)
                integer(stage.high, stage.low, LARGEST, at + ".high")
                right = stage.activation == "clip" or (stage.low, stage.high) == (0, 0)
                need(right, "%s has bounds, and does not clip", at)
                features = rows
        check_affine(self.readout, place + ".readout", len(self.outputs), features)
    def steps(self): return FloatSteps(self) if self.arithmetic.kind == "float" else Steps(self)
    def __str__(self):
        size = len(self.layers), sum(layer.width for layer in self.layers)
        text = "the model of sha256 %s (%d layers, %d state coordinates, %s arithmetic)"
        return text % (self.sha256, *size, self.arithmetic.name)

class Steps:
    """Layers in exact numbers: ints in units of 2^-unit_bits; or Fractions, in exact arithmetic with fractions.
    A state is a tuple of numbers; features are pairs (place, number) of those that are not 0, in order."""
    def __init__(self, model):
        self.unit_bits, wraps = model.arithmetic.unit_bits, model.arithmetic.kind == "wrap"
        self.modulus = (1 << model.arithmetic.bits) - 1 if wraps else None
        self.round = rounder(model.arithmetic.name)
        scaled = [model.embedding] + [stage.affine for layer in model.layers for stage in layer.phi]
        scaled += [part for layer in model.layers for part in (layer.initial, layer.gate, layer.increment)]
        self.fractions = model.arithmetic.kind == "exact" and any(part.exponent for part in scaled)
        e = model.embedding.exponent
        self.embedding = [self.features([self.stored(n, e) for n in row]) for row in model.embedding.rows]
        self.initial, self.layers, self.shared, self.kept = [], [], {}, 0
        for layer in model.layers:
            h, stages, width = [self.stored(n, layer.initial.exponent) for n in layer.initial.values], [], layer.width
            self.initial.append(tuple([v & self.modulus for v in h] if wraps else h))
            for stage in layer.phi:
                ends = [self.stored(n, stage.affine.exponent) for n in (stage.low, stage.high)]
                stages.append(self.compiled(stage.affine, width, layer.inputs, stage.activation, *ends))
                width = len(stage.affine.bias)
            gate, increment = (self.compiled(affine, 0, layer.inputs) for affine in (layer.gate, layer.increment))
            self.layers.append((gate, increment, stages))
        self.readout = self.compiled(model.readout, width, 0)
    def stored(self, n, e): return _quotient(n, e) if self.fractions else n << self.unit_bits >> e
    def features(self, values): return tuple([(i, v) for i, v in enumerate(values) if v])
    def compiled(self, affine, width, inputs, *activation):
        """(exponent, bias, columns of z, columns of x, activation, what is active by its bias alone).
        A column has an input's (row, weight) pairs; sums are over 2^(exponent + unit_bits)."""
        spend(60 * (width + inputs))
        columns, e = [[] for _ in range(width + inputs)], affine.exponent
        for r, row in enumerate(affine.rows):
            for c, weight in row: columns[c].append((r, _quotient(weight, e) if self.fractions else weight))
        bias = [_quotient(b, e) if self.fractions else b << self.unit_bits for b in affine.bias]
        e = 0 if self.fractions else e
        silent = active(enumerate(bias), e, *activation) if activation else ()
        return e, bias, columns[:width], columns[width:], activation, silent
    def prepared(self, number, x):
        """Of layer and features: (gates, increments, places to drop, and for each stage the sums that x makes)."""
        (e, gates, _, columns, _, _), (f, increments, _, others, _, _), stages = self.layers[number]
        gate_sums, sums = total(columns, x), total(others, x)
        gates = [b + gate_sums.get(r, 0) for r, b in enumerate(gates)]
        increments = [b + sums.get(r, 0) for r, b in enumerate(increments)]
        # In units, gate / 2^(e + p) times h plus increment / 2^f: both over 2^(e + p + f).
        drop = e + self.unit_bits + f
        if drop: gates, increments = [g << f for g in gates], [b << drop - f for b in increments]
        while drop and not any(n & 1 for n in gates + increments):
            gates, increments, drop = [g >> 1 for g in gates], [b >> 1 for b in increments], drop - 1
        parts = [total(columns, x) for _, _, _, columns, _, _ in stages]
        spend(10 * len(gates) + 50 + 20 * sum(map(len, parts)))
        return gates, increments, drop, parts
    def advance(self, number, prepared, h):
        """The new state of a layer."""
        gates, increments, drop, _ = prepared
        if drop: new = tuple([g * v + b >> drop for g, v, b in zip(gates, h, increments)])
        else: new = tuple([g * v + b for g, v, b in zip(gates, h, increments)])
        return new if self.modulus is None else tuple([v & self.modulus for v in new])
    def first(self, number, prepared, h):
        """What the first stage makes of a new state."""
        e, bias, columns, _, activation, silent = self.layers[number][2][0]
        sums = total(columns, self.features(h), dict(prepared[3][0]))
        z = active([(r, bias[r] + v) for r, v in sums.items()], e, *activation)
        return tuple(z + [pair for pair in silent if pair[0] not in sums] if silent else z)
    def rest(self, number, prepared, z):
        """The features that the other stages make of it."""
        for j in range(1, len(self.layers[number][2])): z = self.stage(number, j, prepared, z)
        return z
    def stage(self, number, j, prepared, z):
        """What a stage makes of z and the features of prepared.  What z makes without them is shared by many."""
        (e, bias, columns, _, activation, silent), part = self.layers[number][2][j], prepared[3][j]
        found = self.shared.get((number, j, z))
        if found is None:
            sums = {r: bias[r] + v for r, v in total(columns, z).items()}
            alone = active(sums.items(), e, *activation) + [pair for pair in silent if pair[0] not in sums]
            spend(20 * len(sums) + 100)
            self.kept += len(sums) + 10
            if self.kept > 1000000: self.shared, self.kept = {}, len(sums)
            found = self.shared[number, j, z] = sums, alone
        sums, alone = found
        spend(len(part) + len(alone) + 20)
        both = active([(r, v + (sums[r] if r in sums else bias[r])) for r, v in part.items()], e, *activation)
        return tuple(sorted(both + [pair for pair in alone if pair[0] not in part]))
    def given(self, z):
        """The outputs that are positive, as bits."""
        bias, sums = self.readout[1], total(self.readout[2], z)
        spend(len(bias) + 5)
        return bits([r for r, b in enumerate(bias) if b + sums.get(r, 0) > 0], len(bias))
    def value(self, v):
        """A number of a state, as an int or Fraction."""
        return v if self.fractions else _quotient(v, self.unit_bits)

def total(columns, x, sums=None):
    """What the features add to the sums, by row; rows in which none of them has a weight are left out."""
    sums, count = {} if sums is None else sums, 5
    for i, v in x:
        column = columns[i]
        count += 2 * len(column)
        for r, weight in column: sums[r] = (sums[r] if r in sums else 0) + weight * v
    spend(count + len(sums))
    return sums

def active(sums, e, activation, low, high):
    """Stored and activated sums: the pairs (row, number) that are not 0."""
    if e: sums = [(r, v >> e) for r, v in sums]
    if activation == "relu": return [(r, v) for r, v in sums if v > 0]
    if activation == "clip": sums = [(r, low if v < low else high if v > high else v) for r, v in sums]
    return [(r, v) for r, v in sums if v]

class FloatSteps(Steps):
    """Layers in floats, every operation rounded, in the order of the definition.  Features are all numbers."""
    def stored(self, n, e): return self.round(math.ldexp(float(n), -e))
    def features(self, values): return tuple(values)
    def compiled(self, affine, width, inputs, *activation):
        """(rows, activation); a row is (bias, (column, weight) pairs)."""
        e = affine.exponent
        rows = [[(column, self.stored(weight, e)) for column, weight in row] for row in affine.rows]
        return [(self.stored(bias, e), row) for bias, row in zip(affine.bias, rows)], activation
    def affine(self, compiled, x):
        rounded, results, count = self.round, [], 5 + len(x) // 10
        for bias, row in compiled[0]:
            value = 0.0
            for column, weight in row: value = rounded(value + rounded(weight * x[column]))
            results.append(rounded(value + bias))
            count += 2 + 6 * len(row)
        spend(count)
        return results
    def prepared(self, number, x):
        gate, increment, _ = self.layers[number]
        return self.affine(gate, x), self.affine(increment, x), None, x
    def advance(self, number, prepared, h):
        rounded = self.round
        new = [rounded(rounded(g * v) + b) for g, v, b in zip(prepared[0], h, prepared[1])]
        return tuple([v if v == v else NAN for v in new])
    def first(self, number, prepared, h): return self.stage(number, 0, prepared, h)
    def stage(self, number, j, prepared, z):
        compiled = self.layers[number][2][j]
        z, (activation, low, high) = self.affine(compiled, z + prepared[3]), compiled[1]
        if activation == "relu": z = [0.0 if v < 0 else v for v in z]
        elif activation == "clip": z = [low if v < low else high if v > high else v for v in z]
        return tuple([v if v == v else NAN for v in z])
    def given(self, z):
        return bits([r for r, v in enumerate(self.affine(self.readout, z)) if v > 0], len(self.readout[0]))
    def value(self, v):
        need(v == v and abs(v) != INFINITY, "a state is infinite or no number")
        return simplest(Fraction(v))

class Run:
    """A model that reads symbols.  States and features of each layer are numbered as they occur."""
    def __init__(self, model):
        self.steps, self.symbols, layers = model.steps(), len(model.symbols), range(len(model.layers))
        self.states, self.numbers, self.features = [[] for _ in layers], [{} for _ in layers], [{} for _ in layers]
        self.known, self.after, self.rows = [{} for _ in layers], [{} for _ in layers], [[] for _ in layers]
        self.rows[0], self.ready = self.steps.embedding, [{} for _ in layers]
    def begin(self):
        """(state, outputs) after BOS; a state has a number for each layer, outputs are bits."""
        parts = zip(self.numbers, self.states, self.steps.initial)
        return self.step([numbered(*part) for part in parts], self.symbols)
    def step(self, state, symbol):
        """(state, outputs) after a symbol."""
        x, new, last = symbol, [], len(state) - 1
        for number, here in enumerate(state):
            found = self.known[number].get((x, here))
            if found is None:
                found = self.layer(number, x, here, number == last)
                if number < last:
                    spend(200)
                    self.known[number][x, here] = found
            new.append(found[0])
            x = found[1]
        return tuple(new), x
    def layer(self, number, x, here, last):
        """(number of the new state, number of the features), of the last layer the outputs instead."""
        steps, ready = self.steps, self.ready[number].get(x)
        if ready is None: ready = self.ready[number][x] = steps.prepared(number, self.rows[number][x])
        h = steps.advance(number, ready, self.states[number][here])
        first = steps.first(number, ready, h)
        found = self.after[number].get((x, first))
        if found is None:
            z = steps.rest(number, ready, first)
            spend(400 + 40 * (len(first) + len(z)))
            found = steps.given(z) if last else numbered(self.features[number + 1], self.rows[number + 1], z)
            self.after[number][x, first] = found
        return numbered(self.numbers[number], self.states[number], h), found
    def values(self, state):
        """The numbers of a state as ints and Fractions, first layer first."""
        return [self.steps.value(v) for number, h in enumerate(state) for v in self.states[number][h]]

def numbered(numbers, values, value):
    """The number of a value, which is the next one when it is new."""
    found = numbers.get(value)
    if found is None:
        check_size(value)
        found = numbers[value] = len(values)
        values.append(value)
    return found

def check_size(values):
    """Fails where a number of a state, or of features, is too large to go on with; pays for keeping them."""
    spend(300 + 40 * len(values))
    for v in values:
        v = v[1] if type(v) is tuple else v
        small = type(v) is float or -LARGEST_STATE <= v <= LARGEST_STATE and v.denominator <= LARGEST_STATE
        need(small, "a state needs more than 4096 bits")

# -- languages, as register machines ----------------------------------------------------------------------------------

_ZERO, _POSITIVE, _SAME = "zero", "positive", "the type of the symbol"
_PAIRS = ("()", "[]", "{}", "<>", "+-", "ab")

class _Machine:
    """Controls, registers and moves.  A state is (control, registers); None is dead.

    A register is a counter, or a cell with the type of a bracket.  A family is a list of symbols that differ in
    their type only, 0, 1, ...; a control and family have at most one move (tests, target, changes).  Tests are
    (register, _ZERO | _POSITIVE | _SAME), changes are (register, amount | _SAME), and a control accepts under tests.
    Every state that is reached has a way to acceptance, so that "has a move" is "may come next"."""
    def __init__(self, text, families, moves, accepting, start=(0, ()), cells=0):
        self.text, self.families, self.moves, self.accepting, self.start = text, families, moves, accepting, start
        self.cells, self.bits = cells, max(cells - 1, 0).bit_length()  # cells of so many values; 0: counters
    def arrange(self, order):
        """Symbols become their numbers in this order, which must be of the same symbols."""
        number, named = {name: i for i, name in enumerate(order)}, [name for family in self.families for name in family]
        need(set(named) == set(order), "the model's symbols are not those of %s", self.text)
        self.symbols, self.families = order, [[number[name] for name in family] for family in self.families]
        self.place = {symbol: (f, kind) for f, family in enumerate(self.families) for kind, symbol in enumerate(family)}
    def step(self, state, symbol):
        family, kind = self.place[symbol]
        move = self.moves.get(state[0], {}).get(family) if state else None
        spend(5 + len(state[1] if state else ()) // 4)
        return self.moved(state[1], move, kind) if move and holds(move[0], state[1], kind) else None
    def moved(self, registers, move, kind):
        registers = list(registers) if move[2] else registers
        for r, change in move[2]: registers[r] = kind if change is _SAME else registers[r] + change
        return move[1], tuple(registers)
    def following(self, state):
        """All pairs (symbol, state after it) but for dead ones."""
        pairs = []
        for f, move in self.moves.get(state[0], {}).items() if state else ():
            same = [register for register, test in move[0] if test is _SAME]
            for kind in (state[1][same[0]],) if same else range(len(self.families[f])):
                if holds(move[0], state[1], kind):
                    pairs.append((self.families[f][kind], self.moved(state[1], move, kind)))
            spend(5 + len(pairs) + len(state[1]))
        return pairs
    def accepts(self, state):
        return state is not None and state[0] in self.accepting and holds(self.accepting[state[0]], state[1], None)
    def wanted(self, state, mode):
        """The outputs that should be given in this state, as bits."""
        if mode == "recognise": return int(self.accepts(state))
        end = [len(self.symbols)] * self.accepts(state)
        return bits([symbol for symbol, _ in self.following(state)] + end, len(self.symbols) + 1)
    def fastest(self, register):
        """The most that a move adds to a counter."""
        moves = [move for row in self.moves.values() for move in row.values()]
        return max([0] + [change for move in moves for r, change in move[2] if r == register])

def holds(tests, registers, kind):
    for register, test in tests:
        value = registers[register]
        if not (value == kind if test is _SAME else value > 0 if test is _POSITIVE else value == 0): return False
    return True

def _machine_of(value, place="language"):
    """The machine that a language object stands for, its symbols still names."""
    if type(value) is dict and sorted(value) == ["dfa", "regex"]:
        text, dfa = value["regex"], value["dfa"]
        need(type(text) is str and len(text) <= 100000, "%s.regex is no text of at most 100000 characters", place)
        machine = automaton(dfa, place + ".dfa", "the regular expression %s" % ascii(text))
        machine.text += " over the %d symbols %s" % (len(dfa["symbols"]), some_of(dfa["symbols"]))
        check_expression(text, dfa, place + ".regex")
        return machine
    kind, given = one_key(value, ("name", "dyck", "dfa"), place)
    if kind == "dfa": return automaton(given, place + ".dfa", "the automaton of sha256 %s" % sha256(given))
    if kind == "dyck": return _bounded_dyck(*integers(given, place + ".dyck", 2, 0, 100000))
    names = r"(shuffle|boolean)-([1-9][0-9]?)\Z|(flip-flop|dyck-1|anbn|anbncn|anbncndn)\Z"
    match = re.match(names, given) if type(given) is str else None
    known = match and int(match[2] or 1) <= {"shuffle": 64, "boolean": 5}.get(match[1], 1)
    need(known, "%s.name is %s, which is not known", place, show(given))
    make = _boolean if match[1] == "boolean" else {"f": _flip_flop, "a": _runs}.get(given[0], _shuffle)
    return make(given, int(match[2] or 1))

def _type_name(number):
    """a, b, ..., z, aa, ab, ..."""
    return (_type_name(number // 26 - 1) if number > 25 else "") + chr(ord("a") + number % 26)

def _bounded_dyck(k, h):
    """Control: the depth.  Cell j: the type opened last at depth j + 1; closing a bracket leaves it as it is."""
    need(k > 0, "language.dyck has no bracket type")
    moves, names = {depth: {} for depth in range(h + 1)}, [_type_name(i) for i in range(k)]
    for depth in range(h):
        moves[depth][0] = (), depth + 1, ((depth, _SAME),)
        moves[depth + 1][1] = ((depth, _SAME),), depth, ()
    families = [["(" + name for name in names], [name + ")" for name in names]]
    text = "Dyck(%d, %d), brackets of %d types nested at most %d deep" % (k, h, k, h)
    return _Machine(text, families, moves, {0: ()}, (0, (0,) * h), k)

def _shuffle(name, k):
    """Counter i: how many brackets of pair i are open."""
    pairs = _PAIRS[:k] if k <= len(_PAIRS) else [("(" + _type_name(i), _type_name(i) + ")") for i in range(k)]
    moves = {2 * i: ((), 0, ((i, 1),)) for i in range(k)}
    moves.update((2 * i + 1, (((i, _POSITIVE),), 0, ((i, -1),))) for i in range(k))
    text, accepting = "%s, shuffles of balanced brackets of %d pairs" % (name, k), tuple((i, _ZERO) for i in range(k))
    return _Machine(text, [[c] for pair in pairs for c in pair], {0: moves}, {0: accepting}, (0, (0,) * k))

def _boolean(name, n):
    """Counter 0: how many expressions are still to come."""
    moves = {i: (((0, _POSITIVE),), 0, ((0, amount),)) for i, amount in enumerate([*range(n), -1, -1])}
    text = "%s, expressions in prefix notation with operators of arity 1 to %d" % (name, n)
    return _Machine(text, [[c] for c in "~+>*^"[:n] + "01"], {0: moves}, {0: ((0, _ZERO),)}, (0, (1,)))

def _runs(name, _):
    """Control: which run we are in.  Counter i: letters number i that the next letter has not matched yet."""
    letters, last = name[0::2], len(name) // 2 - 1
    moves = {control: {} for control in range(last + 2)}
    moves[0][0] = moves[1][0] = (), 1, ((0, 1),)
    for i in range(1, last + 1):
        tests = ((i - 1, _POSITIVE),) + (((i - 2, _ZERO),) if i > 1 else ())
        moves[i][i] = moves[i + 1][i] = tests, i + 1, ((i - 1, -1),) + (((i, 1),) if i < last else ())
    text, accepting = "%s, equal runs of %s" % (name, ", ".join(letters)), {last + 1: ((last - 1, _ZERO),)}
    return _Machine(text, [[letter] for letter in letters], moves, accepting, (0, (0,) * last))

def _flip_flop(name, _):
    """Instructions w, r, i and bits in turn; the bit after r is that after the last w; the first instruction is w."""
    go = [{"w": 1}, {"0": 2, "1": 3}, {"w": 1, "r": 4, "i": 6}, {"w": 1, "r": 5, "i": 7}]
    go += [{"0": 2}, {"1": 3}, {"0": 2, "1": 2}, {"0": 3, "1": 3}]
    moves = {q: {"wri01".index(symbol): ((), target, ()) for symbol, target in row.items()} for q, row in enumerate(go)}
    return _Machine(name, [[c] for c in "wri01"], moves, {0: (), 2: (), 3: ()})

_DFA = {"symbols": [str], "table": [None], "accepting": [_NATURAL], "start": _NATURAL}

def automaton(value, place, text):
    """Controls are the states; moves to states from which no word is possible are left out."""
    dfa = read(value, _DFA, place)
    most, before = len(dfa.table) - 1, [[] for _ in dfa.table]
    check_symbols(dfa.symbols, place + ".symbols")
    integer(dfa.start, 0, most, place + ".start")
    alive = set(integers(dfa.accepting, place + ".accepting", None, 0, most))
    for q, row in enumerate(dfa.table):
        for target in integers(row, "%s.table[%d]" % (place, q), len(dfa.symbols), 0, most): before[target].append(q)
    waiting = list(alive)
    while waiting:
        found = {q for q in before[waiting.pop()] if q not in alive}
        waiting += found
        alive |= found
    rows = [{i: ((), t, ()) for i, t in enumerate(row) if t in alive} for row in dfa.table]
    moves, first = {q: rows[q] for q in sorted(alive)}, (dfa.start, ()) if dfa.start in alive else None
    return _Machine(text, [[name] for name in dfa.symbols], moves, {q: () for q in dfa.accepting}, first)

# -- regular expressions ----------------------------------------------------------------------------------------------

_LETTERS, _EMPTY, _CONCATENATION, _REPETITION, _UNION, _COMPLEMENT = range(6)
NESTING = 1000
_MARKED = re.compile(r"<((?:\\(?:_|[^\w\s])|[^\\>\s])+)>|'((?:\\(?:_|[^\w\s])|[^\\'\s])+)'|\\(_|[^\w\s])")
_COUNTS = re.compile(r"\{\s*(?:([0-9]{1,18})\s*(?:(,)\s*([0-9]{1,18})?\s*)?|,\s*([0-9]{1,18})\s*)\}")

class Terms:
    """Expressions in a normal form, as numbers.  A term is (operator, parts); its parts have smaller numbers.

    letters: a frozenset of symbols; concatenation: (first, rest), to the right; repetition: (term, least, most or
    None); union: a frozenset; complement: (term,).  So there are finitely many derivatives (Brzozowski 1964)."""
    def __init__(self):
        self.number, self.terms, self.nullable, self.derivatives = {}, [], [], {}
        self.nothing, self.empty = self.letters(()), self.term(_EMPTY, (), True)
        self.everything = self.complement(self.nothing)
    def term(self, operator, parts, nullable):
        if (operator, parts) not in self.number:
            spend(300 + 20 * len(parts))
            self.number[operator, parts] = len(self.terms)
            self.terms.append((operator, parts))
            self.nullable.append(nullable)
        return self.number[operator, parts]
    def letters(self, chosen): return self.term(_LETTERS, frozenset(chosen), False)
    def concatenation(self, left, right):
        factors = []
        while self.terms[left][0] == _CONCATENATION:
            first, left = self.terms[left][1]
            factors.append(first)
        spend(5 * len(factors) + 5)
        for factor in reversed(factors + [left]):
            if self.nothing in (factor, right): right = self.nothing
            elif right == self.empty: right = factor
            elif factor != self.empty:
                right = self.term(_CONCATENATION, (factor, right), self.nullable[factor] and self.nullable[right])
        return right
    def union(self, terms):
        members, letters = set(), set()
        for term in terms: members.update(self.terms[term][1] if self.terms[term][0] == _UNION else (term,))
        for term in [term for term in members if self.terms[term][0] == _LETTERS]:
            spend(10 + len(self.terms[term][1]))
            letters |= self.terms[term][1]
            members.remove(term)
        spend(10 + len(members))
        if self.everything in members: return self.everything
        if letters or not members: members.add(self.letters(letters))
        nullable = any(self.nullable[term] for term in members)
        return members.pop() if len(members) == 1 else self.term(_UNION, frozenset(members), nullable)
    def complement(self, term):
        operator, parts = self.terms[term]
        return parts[0] if operator == _COMPLEMENT else self.term(_COMPLEMENT, (term,), not self.nullable[term])
    def repetition(self, term, least, most):
        if most == 0 or term == self.empty or term == self.nothing and not least: return self.empty
        if (least, most) == (1, 1) or term in (self.everything, self.nothing): return term
        least = 0 if self.nullable[term] else least  # fewer can be filled up with empty words
        return self.term(_REPETITION, (term, least, most), least == 0)
    def derivative(self, term, symbol):
        """What may follow the symbol; parts first, on a stack of our own."""
        known, stack = self.derivatives.setdefault(symbol, {}), [term]
        while stack:
            operator, parts = self.terms[stack[-1]]
            one = operator == _REPETITION or operator == _CONCATENATION and not self.nullable[parts[0]]
            needed = () if operator in (_LETTERS, _EMPTY) else parts[:1] if one else parts
            missing = [part for part in needed if part not in known]
            spend(40 + len(needed))
            if missing: stack += missing
            else: known[stack.pop()] = self.derived(operator, parts, symbol, known)
        return known[term]
    def derived(self, operator, parts, symbol, known):
        if operator in (_LETTERS, _EMPTY): return self.empty if symbol in parts else self.nothing
        if operator == _UNION: return self.union([known[part] for part in parts])
        if operator == _COMPLEMENT: return self.complement(known[parts[0]])
        if operator == _REPETITION:
            part, least, most = parts
            return self.concatenation(known[part], self.repetition(part, max(least - 1, 0), most and most - 1))
        after = self.concatenation(known[parts[0]], parts[1])
        return self.union((after, known[parts[1]])) if self.nullable[parts[0]] else after

class _Parser:
    """Recursive descent: union, intersection, concatenation, complement, repetition, atom."""
    def __init__(self, text, alphabet, place):
        self.text, self.at, self.place, self.depth = text, 0, place, 0
        self.terms, self.alphabet, self.classes = Terms(), frozenset(alphabet), set()
    def need(self, condition, reason): need(condition, "%s, column %d: %s", self.place, self.at + 1, reason)
    def peek(self):
        """The next character that is not blank; blanks are skipped."""
        while self.text[self.at : self.at + 1].isspace(): self.at += 1
        return self.text[self.at : self.at + 1]
    def take(self, character):
        found = self.peek() == character
        self.at += found
        return found
    def whole(self):
        self.need(self.peek(), "nothing is written")
        term = self.union(self.peek() == "^")
        self.need(not self.peek(), "an operator or the end is expected")
        return term
    def union(self, anchored=False):
        """Alternatives; one that is left out is the empty word.  Anchored: each operand of | and & in ^ and $."""
        self.depth += 1
        self.need(self.depth <= NESTING, "nested too deeply")
        terms, complement = [], self.terms.complement
        while not terms or self.take("|"):
            left_out = not anchored and self.peek() in (("|", ")", "") if terms else ("|",))
            terms.append(self.terms.empty if left_out else self.operand(anchored))
            while not left_out and self.take("&"):
                both = complement(terms.pop()), complement(self.operand(anchored))
                terms.append(complement(self.terms.union(both)))
        self.depth -= 1
        return self.terms.union(terms) if len(terms) > 1 else terms[0]
    def operand(self, anchored):
        """A concatenation, from the right."""
        self.need(not anchored or self.take("^"), "anchors are not around every alternative")
        factors, term = [] if anchored and self.peek() == "$" else [self.factor()], self.terms.empty
        while self.peek() not in ("", "|", "&", ")", "$"): factors.append(self.factor())
        self.need(not anchored or self.take("$"), "anchors are not around every alternative")
        for factor in reversed(factors): term = self.terms.concatenation(factor, term)
        return term
    def factor(self):
        """An atom with its repetitions, and complements of it."""
        negated = False
        while self.take("~"): negated = not negated
        term = self.atom()
        while self.peek() and self.peek() in "*+?{":
            counts = _COUNTS.match(self.text, self.at)
            self.need(counts or self.peek() != "{", "a repetition is {m}, {m,n}, {m,} or {,n}")
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek(), (0, 0))
            if counts:
                end = counts[4] or counts[3] or (None if counts[2] else counts[1])
                least, most = int(counts[1] or 0), None if end is None else int(end)
            self.need(most is None or least <= most, "a repetition from more to less")
            self.at = counts.end() if counts else self.at + 1
            term = self.terms.repetition(term, least, most)
            self.need(not self.peek() or self.peek() not in "?+", "what is repeated twice needs parentheses")
        return self.terms.complement(term) if negated else term
    def atom(self):
        c = self.peek()
        if c and c in "<'\\": return self.choice({self.marked()})
        self.at += 1
        if c == "(":
            plain = self.text[self.at : self.at + 1] != "?"
            self.need(plain or self.text.startswith("?:", self.at), "a group is ( ) or (?: )")
            self.at += 0 if plain else 2
            term = self.terms.empty if self.peek() == ")" else self.union()
            self.need(self.take(")"), "')' is expected")
            return term
        if c == "[": return self.symbol_set()
        if c and c in ".\u03b5\u2205": return self.terms.empty if c == "\u03b5" else self.choice((), c == ".")
        self.need(c and c not in "]}>)|&*+?{^$~", "a symbol is expected")
        return self.choice({c})
    def marked(self):
        """<open>, 'open' or \\*: a backslash before what is no letter, digit or blank."""
        match = _MARKED.match(self.text, self.at)
        self.need(match, "no symbol of this notation")
        self.at = match.end()
        return match[3] or re.sub(r"(?s)\\(.)", r"\1", match[1] or match[2])
    def symbol_set(self):
        negated, chosen = self.take("^"), set()
        while not self.take("]"):
            blank, first, ended = self.text[self.at - 1].isspace(), self.member(), self.at
            if self.peek() != "-" or self.text[self.at + 1 :].lstrip()[:1] == "]":
                self.need(not blank or first != "-" or self.peek() in ("", "]"), "a range from a blank")
                chosen.add(first)
                continue
            blank = ended != self.at or self.text[self.at + 1 : self.at + 2].isspace()
            self.at += 1
            last = self.member()
            self.need(not blank and len(first) == len(last) == 1 and first <= last, "a range that is none")
            spend(ord(last) - ord(first))
            chosen.update(chr(n) for n in range(ord(first), ord(last) + 1) if not chr(n).isspace())
        return self.choice(chosen, negated)
    def member(self):
        c = self.peek()
        self.need(c and not self.text.startswith("[:", self.at), "']' or a symbol is expected")
        self.at += c not in "<'\\"
        return self.marked() if c in "<'\\" else c
    def choice(self, chosen, negated=False):
        self.need(self.alphabet.issuperset(chosen), "a symbol is not one of the automaton")
        spend(len(self.alphabet) if negated else 1)
        self.classes.add(frozenset(chosen))
        return self.terms.letters(self.alphabet - set(chosen) if negated else chosen)

def check_expression(text, dfa, place):
    """Every pair (derivative, state) that a string leads to agrees on the empty word."""
    names, table, accepting, alike = dfa["symbols"], dfa["table"], set(dfa["accepting"]), {}
    parser = _Parser(text, names, place)
    waiting = [(parser.whole(), dfa["start"])]
    seen, terms = set(waiting), parser.terms
    for i, name in enumerate(names):  # symbols that no set of the expression tells apart, and no column of the table
        spend(10 * (len(parser.classes) + len(table)))
        alike.setdefault((tuple(name in c for c in parser.classes), tuple(row[i] for row in table)), (i, name))
    for term, q in waiting:
        right = terms.nullable[term] == (q in accepting)
        need(right, "%s: expression and automaton differ in state %d", place, q)
        found = {(terms.derivative(term, name), table[q][i]) for i, name in alike.values()} - seen
        spend(300 * len(found))
        seen |= found
        waiting += found

# -- closed: every pair of a machine's and a model's state ------------------------------------------------------------

def check_closed(claim, evidence):
    model, machine, recognise, relation = claim.model, claim.machine, claim.mode == "recognise", None
    if evidence.dead is not None:
        need(recognise, "evidence.closed.dead: in predictive mode nothing is asked of dead strings")
        relation = Relation(claim, [{"control": None, "ranges": [], "state": evidence.dead}], "evidence.closed.dead")
        relation.check_control(None)
    numbers, states, known, everything = {machine.start: 0}, [machine.start], {}, range(len(model.symbols))
    def answers(q):
        """What is wanted in machine state q, and the symbols that are followed with the states they lead to."""
        if q not in known:
            pairs = machine.following(states[q])
            if recognise: pairs = sorted({**dict.fromkeys(everything), **dict(pairs)}.items())
            for _, target in pairs:
                if target not in numbers:
                    spend(300)
                    numbers[target] = len(states)
                    states.append(target)
            spend(100 + 20 * len(pairs))
            known[q] = machine.wanted(states[q], claim.mode), [(symbol, numbers[target]) for symbol, target in pairs]
        return known[q]
    run = Run(model)
    state, given = run.begin()
    compare(claim, given, answers(0)[0], "closed: after BOS")
    seen, layer, length, most = {(0, *state)}, [(0, *state)], 0, evidence.states
    while layer and length != claim.horizon:
        length, following = length + 1, []
        for q, *state in layer:
            for symbol, target in answers(q)[1]:
                new, given = run.step(state, symbol)
                if given != answers(target)[0]:
                    place = "closed: after a string of %d symbols that ends with %s"
                    compare(claim, given, answers(target)[0], place % (length, show(model.symbols[symbol])))
                pair, dead = (target, *new), relation and states[target] is None
                if pair not in seen and not (dead and relation.covers(run.values(new), length)):
                    need(len(seen) < most, "closed: there are more than the %d pairs that are announced", most)
                    spend(300)
                    seen.add(pair)
                    following.append(pair)
        layer = following

def compare(claim, given, wanted, place):
    if given != wanted:
        raise Failed("%s the outputs are %s, expected %s" % (place, named(claim, given), named(claim, wanted)))

def named(claim, mask): return "{%s}" % some_of([name for i, name in enumerate(claim.model.outputs) if mask >> i & 1])

# -- relation: what holds in each control, for any values of the registers --------------------------------------------

class _Form:
    """constant + the sum of coefficient times parameter; parameters are integers, coefficients not 0."""
    __slots__ = ("constant", "terms")
    def __init__(self, constant, terms): self.constant, self.terms = constant, terms

def form(constant, terms):
    terms = {p: a for p, a in terms.items() if a}
    return _Form(constant, terms) if terms else constant

def coefficients(v):
    """The numbers that a number or form is made of."""
    return (v.constant, *v.terms.values()) if type(v) is _Form else (v,)

def plus(v, w, factor=1):
    """v + factor w, numbers or forms."""
    constant, terms = (v.constant, dict(v.terms)) if type(v) is _Form else (v, {})
    if type(w) is not _Form: return form(constant + factor * w, terms)
    for p, a in w.terms.items(): terms[p] = terms.get(p, 0) + factor * a
    return form(constant + factor * w.constant, terms)

class Cut(Exception):
    """The parameter's range must be cut after this value."""

class _Box:
    """Ranges of parameters: the case's (base), but for some (own); what is known on them; the box it was cut from."""
    def __init__(self, base, own, memo, parent=None):
        self.base, self.own, self.memo, self.parent = base, own, memo, parent
        self.open = {}  # why a value is not known on all of this box
    def range(self, p): return self.own.get(p) or self.base[p]
    def within(self, p, low, high):
        """The part of the box in which the parameter lies in this range; None when there is none."""
        least, most = self.range(p)
        if low <= least and most <= high: return self
        spend(20 + len(self.own))
        least, most = max(low, least), min(high, most)
        return None if least > most else _Box(self.base, {**self.own, p: (least, most)}, {}, self)
    def bounds(self, v):
        """The least and the greatest value; a form attains them."""
        if type(v) is not _Form: return v, v
        spend(2 * len(v.terms))
        low = high = v.constant
        for p, a in v.terms.items():
            least, most = self.own.get(p) or self.base[p]
            low, high = (low + a * least, high + a * most) if a > 0 else (low + a * most, high + a * least)
        return low, high
    def fold(self, v):
        """The form without the parameters that have one value here."""
        fixed = [p for p in v.terms for least, most in [self.range(p)] if least == most] if type(v) is _Form else ()
        if not fixed: return v
        constant = v.constant + sum(v.terms[p] * self.range(p)[0] for p in fixed)
        return form(constant, {p: a for p, a in v.terms.items() if p not in fixed})
    def cut(self, v, level=0):
        """A Cut that helps to decide on which side of the level the form is."""
        v = self.fold(v)
        width, p = min((most - least, p) for p in v.terms for least, most in [self.range(p)])
        least, most = self.range(p)
        if len(v.terms) == 1:
            at = (level - v.constant) // v.terms[p]  # up to here a p + constant is <= the level, for a < 0 >= it
            if least <= at < most: return Cut(p, at)
        need(width < INFINITY, "a relu, clip or product depends on two unbounded numbers")
        return Cut(p, least + width // 2)

def everywhere(box, check):
    """The check on all of the box, cut where the check asks for it."""
    waiting = [box]
    while waiting:
        box = waiting.pop()
        spend(20)
        try: check(box)
        except Cut as cut:
            (p, at), (least, most) = cut.args, box.range(cut.args[0])
            waiting += [box.within(p, at + 1, most), box.within(p, least, at)]

_ENTRY = {"control": (0, LARGEST, None), "ranges": [None], "state": {"exponent": _EXPONENT, "layers": [[None]]}}

class Relation:
    """Entries, each a template of the model's state in a control, that every step keeps."""
    def __init__(self, claim, entries, place):
        self.claim, self.model, self.machine, self.horizon = claim, claim.model, claim.machine, claim.horizon
        self.arithmetic, self.entries = self.model.arithmetic, {}
        self.precision = FLOATS[self.arithmetic.name][:2] if self.arithmetic.kind == "float" else None
        self.grain = {"fixed": self.arithmetic.unit_bits, "wrap": 0}.get(self.arithmetic.kind)
        for i, entry in enumerate(array(entries, place)): self.add(entry, "%s[%d]" % (place, i))
        self.compile()
    def add(self, value, place):
        """Checks the form of an entry: what its terms may be depends on machine, mode and horizon."""
        entry, limits, model = read(value, _ENTRY, place), [], self.model
        need(entry.control not in self.entries, "%s: its control has an entry already", place)
        right = entry.control is not None or self.claim.mode == "recognise"
        need(right, "%s: in predictive mode nothing is asked of dead strings", place)
        registers = len(self.machine.start[1]) if entry.control is not None else 0
        for i, pair in enumerate(array(entry.ranges, place + ".ranges", registers)):
            where = "%s.ranges[%d]" % (place, i)
            need(not self.machine.cells or pair is None, "%s is not null, the range of a cell", where)
            if not self.machine.cells:
                low, high = array(pair, where, 2)
                integer(low, 0, LARGEST, where)
                limits.append((low, INFINITY if high is None else integer(high, low, LARGEST, where)))
        place += ".state.layers"
        for number, terms in enumerate(array(entry.state.layers, place, len(model.layers))):
            for c, term in enumerate(array(terms, "%s[%d]" % (place, number), model.layers[number].width)):
                right = self.is_term(term, registers)
                need(right, "%s[%d][%d] is no term that machine, mode and horizon allow", place, number, c)
        self.entries[entry.control] = limits, entry.state.exponent, sum(entry.state.layers, [])
    def is_term(self, term, registers):
        if type(term) is not list or not term: return type(term) is int and abs(term) <= LARGEST
        (kind, *numbers), machine = term, self.machine
        unbounded = kind == "any" and len(numbers) == 2 and None in numbers
        if not all(unbounded and n is None or type(n) is int and abs(n) <= LARGEST for n in numbers): return False
        if kind == "any":
            growing = len(numbers) == 4 and self.horizon is not None and min(numbers[2:]) >= 0
            return unbounded or (len(numbers) == 2 or growing) and numbers[0] <= numbers[1]
        sizes = (registers, machine.bits) if machine.cells else (registers,)
        right = kind == ("b" if machine.cells else "r") and len(numbers) == len(sizes)
        return right and all(0 <= n < size for n, size in zip(numbers, sizes))
    def compile(self):
        """The model's numbers as wires, each computed from other wires."""
        self.wires, model = [], self.model
        def new(*wire):
            self.wires.append(wire)
            spend(10)
            return len(self.wires) - 1
        def sums(affine, wires):
            spend(3 * sum(map(len, affine.rows)) + len(wires))
            e, rows = affine.exponent, zip(affine.bias, affine.rows)
            return [new("sum", _quotient(b, e), [(wires[c], _quotient(w, e)) for c, w in row]) for b, row in rows]
        x = self.inputs = [new("given") for _ in range(model.features)]
        self.before, self.after = [], []
        for layer in model.layers:
            before = [new("given") for _ in range(layer.width)]
            z = after = [new("state", *part) for part in zip(before, sums(layer.gate, x), sums(layer.increment, x))]
            for stage in layer.phi:
                low, high = (self.stored(_quotient(n, stage.affine.exponent), None) for n in (stage.low, stage.high))
                z = [new(stage.activation, wire, low, high) for wire in sums(stage.affine, z + x)]
            x, self.before, self.after = z, self.before + before, self.after + after
        self.outputs, e = sums(model.readout, x), model.embedding.exponent
        self.embedding = [[self.stored(_quotient(n, e), None) for n in row] for row in model.embedding.rows]
        self.bits = [self.bits_of(family) for family in self.machine.families]
    def bits_of(self, family):
        """(row of type 0, for each bit what it adds) where the rows of a family are affine in the type's bits."""
        if len(family) < 2: return None
        rows = [self.embedding[symbol] for symbol in family]
        added = [[v - w for v, w in zip(rows[1 << b], rows[0])] for b in range((len(rows) - 1).bit_length())]
        spend(len(rows) * len(rows[0]) * (1 + len(added)))
        for kind, row in enumerate(rows):
            chosen = [delta for b, delta in enumerate(added) if kind >> b & 1]
            if row != [w + sum(delta[i] for delta in chosen) for i, w in enumerate(rows[0])]: return None
        return rows[0], added
    def stored(self, v, box):
        """Rounded down to the grain of fixed and wrap; a form that this changes is cut until it does not."""
        if self.grain is None or type(v) is int: return v
        unit = 1 << self.grain
        if all(unit % n.denominator == 0 for n in coefficients(v)): return v
        v = v if box is None else box.fold(v)
        if type(v) is _Form: raise box.cut(v)
        return simplest(Fraction(math.floor(v * unit), unit))
    def value(self, wire, box):
        """The number or form on a wire, on all of the box, or a Cut.  What is known of a larger box holds here, too."""
        v = box.memo.get(wire)
        if v is None:
            if wire in box.open: raise box.open[wire][0](*box.open[wire][1])
            try: v = self.value(wire, box.parent) if box.parent else None
            except (Cut, Failed): pass
            try: v = box.memo[wire] = self.computed(self.wires[wire], box) if v is None else v
            except (Cut, Failed) as stop:
                box.open[wire] = type(stop), stop.args
                raise
        return v
    def computed(self, wire, box):
        kind = wire[0]
        if kind == "sum": return self.sum(wire[1], wire[2], box)
        if kind == "state":
            h, gate, increment = (self.value(part, box) for part in wire[1:])
            return self.wrapped(self.stored(self.bounded(plus(self.product(gate, h, box), increment), box), box), box)
        v = self.stored(self.value(wire[1], box), box)
        for end, least in {"linear": (), "relu": ((0, True),), "clip": ((wire[2], True), (wire[3], False))}[kind]:
            low, high = box.bounds(v)
            self.bounded(end, box)
            if low < end < high: raise box.cut(v, end)
            v = end if (high <= end if least else low >= end) else v
        return v
    def wrapped(self, v, box):
        """Modulo 2^P in wrap arithmetic; a form that leaves the range is cut until it is a number."""
        if self.arithmetic.kind != "wrap": return v
        (low, high), modulus = box.bounds(v), 1 << self.arithmetic.bits
        if 0 <= low and high < modulus: return v
        v = box.fold(v)
        if type(v) is _Form: raise box.cut(v, -1 if low < 0 <= high else modulus - 1)
        return v % modulus
    def sum(self, bias, weights, box):
        constant, terms, memo = 0, {}, box.memo
        spend(len(weights) + 1)
        for wire, weight in weights:
            v = memo.get(wire)
            if v is None: v = self.value(wire, box)
            if type(v) is _Form:
                spend(len(v.terms))
                constant += weight * v.constant
                for p, a in v.terms.items(): terms[p] = terms.get(p, 0) + weight * a
            elif v: constant += weight * v
            if self.precision:
                spend(30)
                for part in (weight, plus(0, v, weight), form(constant, terms)): self.bounded(part, box)
        self.bounded(bias, box)
        return self.bounded(form(constant + bias, terms) if terms else constant + bias, box)
    def product(self, v, w, box):
        if type(v) is _Form and type(w) is _Form: v, w = box.fold(v), box.fold(w)
        if type(v) is _Form and type(w) is _Form:
            finite = [u for u in (v, w) if all(box.range(p)[1] - box.range(p)[0] < INFINITY for p in u.terms)]
            need(finite, "a gate and a state are both unbounded")
            raise box.cut(finite[0])
        return self.bounded(plus(0, v, w) if type(v) is _Form else plus(0, w, v), box)
    def bounded(self, v, box):
        """v, where floats hold every value that it has in the box."""
        if self.precision:
            digits, places = self.precision
            unit, (low, high) = max(n.denominator for n in coefficients(v)), box.bounds(v)
            exact = unit <= 1 << places and -(1 << digits) <= low * unit <= high * unit <= 1 << digits
            need(exact, "a number that is up to %s may not be exact in %s", max(high, -low), self.arithmetic.name)
        return v
    def opened(self, control):
        """(box, registers, what each parameter can be as time goes on): a template with its parameters."""
        limits, e, terms = self.entries[control]
        base, registers, times, start = [], [], [], self.machine.start[1] if control is not None else ()
        steps = 0 if self.horizon is None else max(self.horizon - 1, 0)
        def parameter(low, high, down=0, up=0):
            times.append((low, high, down, up))
            base.append((low - steps * down, high + steps * up))
            return _Form(0, {len(base) - 1: 1})
        if self.machine.cells: registers = [[parameter(0, 1) for _ in range(self.machine.bits)] for _ in start]
        for i, (low, high) in enumerate(limits):
            registers.append(parameter(low, high))
            if self.horizon is not None:
                rate = self.machine.fastest(i)
                times[-1], base[-1] = (low, max(start[i], low), 0, rate), (low, min(high, start[i] + steps * rate))
        memo = {wire: self.term(term, e, registers, parameter) for wire, term in zip(self.before, terms)}
        spend(20 * len(base) + 5 * len(self.before))
        return None if any(low > high for low, high in base) else _Box(base, {}, memo), registers, times
    def term(self, term, e, registers, parameter):
        if type(term) is int: return _quotient(term, e)
        if term[0] != "any": return registers[term[1]] if term[0] == "r" else registers[term[1]][term[2]]
        return plus(0, parameter(*ends(term), *term[3:]), _quotient(1, e))
    def lands(self, term, e, v, registers, box, times, t, place):
        """Checks that the number or form v is what the term says, after t symbols, or one step later for forms."""
        if type(term) is int or term[0] != "any":
            difference = box.bounds(plus(v, self.term(term, e, registers, None), -1))
            return need(difference == (0, 0), "%s is not what the template says", place)
        low, high = (n if abs(n) == INFINITY else _quotient(n, e) for n in ends(term))
        down, up = (_quotient(n, e) for n in term[3:] or (0, 0))
        whole = all((1 << e) % n.denominator == 0 for n in coefficients(v))
        need(whole, "%s is no multiple of the template's unit", place)
        least, most = box.bounds(v)
        if low - t * down <= least and most <= high + t * up: return
        for p, a in v.terms.items() if type(v) is _Form and len(term) > 3 else ():
            # A parameter, times a, that stays within these bounds as they move, and what is added to it in one step.
            first, last, falls, rises = (a * n for n in times[p])
            first, last, falls, rises = (first, last, falls, rises) if a > 0 else (last, first, -rises, -falls)
            least, most = box.bounds(plus(v, _Form(0, {p: a}), -1))
            if low <= first and last <= high and falls <= down and rises <= up and -down <= least and most <= up: return
        raise Failed("%s is not within the range of the template" % place)
    def arrives(self, control, registers, box, times, t, place):
        """Checks that the state after a step lies in the entry of a control, with these registers."""
        need(control in self.entries, "%s: there is no entry for control %s", place, control)
        limits, e, terms = self.entries[control]
        for i, (low, high) in enumerate(limits):
            least, most = box.bounds(registers[i])
            inside = low <= least and most <= high
            need(inside, "%s: counter %d may be outside of its range in control %s", place, i, control)
        for c, (term, wire) in enumerate(zip(terms, self.after)):
            where = "%s: coordinate %d" % (place, c)
            everywhere(box, lambda b: self.lands(term, e, self.value(wire, b), registers, b, times, t, where))
    def known(self, values):
        """The box of a state of numbers."""
        return _Box([], {}, dict(zip(self.after, values)))
    def covers(self, values, length):
        """Whether a dead state, after a string of this length, lies in the template of the entry null."""
        try: self.arrives(None, (), self.known(values), (), length, "")
        except Failed:
            spend(50)
            return False
        return True
    def check(self):
        machine, run, place = self.machine, Run(self.model), "relation: after BOS"
        state, given = run.begin()
        compare(self.claim, given, machine.wanted(machine.start, self.claim.mode), place)
        control, registers = machine.start
        registers = [[0] * machine.bits for _ in registers] if machine.cells else registers
        self.arrives(control, registers, self.known(run.values(state)), (), 0, place)
        for control in self.entries if self.horizon != 0 else (): self.check_control(control)
    def check_control(self, control):
        """A step by each family of symbols: all types at once where that can be, else one by one."""
        for f, family in enumerate(self.machine.families):
            if self.bits[f]:
                try:
                    self.check_symbol(control, f, None)
                    continue
                except Failed:  # where the bits stand for the types and nothing else, there is no more to find out
                    if len(family) & (len(family) - 1) == 0: raise
            for kind in range(len(family)): self.check_symbol(control, f, kind)
    def check_symbol(self, control, f, kind):
        """One step from an entry by one symbol, or by all of the family, its type as bits."""
        machine, family = self.machine, self.machine.families[f]
        name = show(self.model.symbols[family[kind or 0]]) + (" and all of its family" if kind is None else "")
        place = "relation: in control %s, after %s" % ("null" if control is None else control, name)
        box, registers, times = self.opened(control)
        if box is None: return
        move = None if control is None else machine.moves.get(control, {}).get(f)
        tests, own = move[0] if move else (), [kind >> b & 1 for b in range(machine.bits)] if kind is not None else []
        if kind is None:
            own = [_Form(0, {len(box.base) + b: 1}) for b in range(len(self.bits[f][1]))]
            box.base += [(0, 1)] * len(own)
            times += [(0, 1, 0, 0)] * len(own)
        if move:  # a whole family is tested against a cell: the symbol's bits are those of the cell
            typed = next((registers[r] for r, test in tests if test is _SAME and kind is None), None) or own
            inside, after = satisfied(box, registers, tests, typed), list(registers)
            for r, change in move[2]: after[r] = typed if change is _SAME else plus(after[r], change)
            if inside is not None: self.check_case(f, kind, typed, box.memo, inside, move[1], after, times, place)
        if self.claim.mode == "recognise":
            for part in violated(box, registers, tests, own) if move else [box]:
                self.check_case(f, kind, own, box.memo, part, None, (), times, place + " without a move")
    def check_case(self, f, kind, typed, given, box, target, registers, times, place):
        """One step in a box: where it leads, and what is given there."""
        x, added = self.bits[f] if kind is None else (self.embedding[self.machine.families[f][kind]], ())
        for bit, delta in zip(typed, added): x = [plus(v, bit, d) if d else v for v, d in zip(x, delta)]
        memo = {**given, **dict(zip(self.inputs, x))}
        spend(100 + 5 * len(memo))
        box = _Box(box.base, box.own, memo)
        for v in memo.values() if self.precision else (): self.bounded(v, box)
        self.arrives(target, registers, box, times, 0, place)
        accepting = None if target is None else self.machine.accepting.get(target)
        self.check_output(len(self.outputs) - 1, accepting, None, registers, box, place)
        moves = self.machine.moves.get(target, {})
        for g, family in enumerate(self.machine.families if self.claim.mode == "predictive" else ()):
            for kind, symbol in enumerate(family):
                self.check_output(symbol, moves[g][0] if g in moves else None, kind, registers, box, place)
    def check_output(self, output, tests, kind, registers, box, place):
        """The output is positive exactly where the tests hold; nowhere, where they are None."""
        wire, name = self.outputs[output], show(self.model.outputs[output])
        def positive(b): need(b.bounds(self.value(wire, b))[0] > 0, "%s: output %s may be missing", place, name)
        def silent(b): need(b.bounds(self.value(wire, b))[1] <= 0, "%s: output %s may be given", place, name)
        if tests is None: return everywhere(box, silent)
        typed = [kind >> b & 1 for b in range(self.machine.bits)] if kind is not None else ()
        inside = satisfied(box, registers, tests, typed)
        if inside is not None: everywhere(inside, positive)
        for part in violated(box, registers, tests, typed): everywhere(part, silent)

def ends(term):
    """The range of a term "any"."""
    return -INFINITY if term[1] is None else term[1], INFINITY if term[2] is None else term[2]

def satisfied(box, registers, tests, typed):
    """The part of the box where all tests hold of the registers and the bits of the symbol's type, or None."""
    for r, test in tests:
        for v, bit in zip(registers[r], typed) if test is _SAME else [(registers[r], None)]:
            low, high = (1, INFINITY) if test is _POSITIVE else (0, 0) if test is _ZERO else (bit, bit)
            if box is not None and v is not bit: box = between(box, v, low, high)  # else the type is that of the cell
    return box

def violated(box, registers, tests, typed):
    """Parts of the box that together are all of it where some test does not hold."""
    parts = []
    for r, test in tests:
        low, high = (-INFINITY, 0) if test is _POSITIVE else (1, INFINITY)
        if test is not _SAME: parts.append(between(box, registers[r], low, high))
        for v, bit in zip(registers[r], typed) if test is _SAME else ():
            for one, part in ((0, between(box, v, 1, 1)), (1, between(box, v, 0, 0))):
                parts.append(part and between(part, bit, one, one))
    return [part for part in parts if part]

def between(box, v, low, high):
    """The part of the box where low <= v <= high, for a number or a parameter plus a number; or None."""
    if type(v) is not _Form: return box if low <= v <= high else None
    ((p, _),) = v.terms.items()
    return box.within(p, low - v.constant, high - v.constant)

# -- levels: digits that name sets of states --------------------------------------------------------------------------

def check_levels(claim, evidence):
    place, model, machine, predictive = "evidence.levels", claim.model, claim.machine, claim.mode == "predictive"
    right = claim.dfa is not None and claim.horizon is None and model.arithmetic.kind != "float"
    need(right, "%s is for automata, without a horizon, and not for floats", place)
    for number, coordinates in enumerate(array(evidence.digits, place + ".digits", len(model.layers))):
        integers(coordinates, "%s.digits[%d]" % (place, number), None, 0, model.layers[number].width - 1)
        need(len(set(coordinates)) == len(coordinates), "%s.digits[%d] has a coordinate twice", place, number)
    table, start = claim.dfa["table"], claim.dfa["start"]
    masks, level, tiles = read_chart(evidence, len(table), sum(map(bool, evidence.digits)), place)
    alive, column = bits(machine.moves, len(table)), {name: i for i, name in enumerate(claim.dfa["symbols"])}
    letters, steps, known = {}, model.steps(), {}
    for symbol, name in enumerate(model.symbols):  # one row of the embedding and one column of the table: one letter
        spend(10 * len(table))
        images = tuple(row[column[name]] for row in table)
        letters.setdefault((tuple(model.embedding.rows[symbol]), images), symbol)
    action = {symbol: images for (_, images), symbol in letters.items()}
    def image(s, symbol):
        if (s, symbol) not in known:
            states = members(masks[s])
            spend(len(states) + len(table) // 10 + 200)
            known[s, symbol] = bits([action[symbol][q] for q in states], len(table))
        return known[s, symbol]
    def digit(h):
        name = 0
        for i, c in enumerate(coordinates):
            bit = math.floor(h[c]) >> steps.unit_bits
            need(bit in (0, 1), "levels, layer %d: coordinate %d is no bit after some symbol", number, c)
            name |= bit << i
        return name
    def refined(s, d, text, *values):
        """The set that the digit makes of a set: a tile of it, where this is the level of the set."""
        if not coordinates or level[s] != depth: return s
        need(d < len(tiles[s]), "levels, layer %d: " + text, number, *values)
        return tiles[s][d]
    rows = [steps.embedding[symbol] for symbol in action]  # the features of this layer
    facts = {(x, evidence.root, evidence.root, symbol) for x, symbol in enumerate(action)}
    bos, here, depth = steps.embedding[len(model.symbols)], evidence.root, 0
    for number, coordinates in enumerate(evidence.digits):
        first, bos = after_bos(steps, number, bos)
        prepared, digits, states = [steps.prepared(number, x) for x in rows], {}, [first]
        for h in states:  # the digit of each state of this layer, from all features that occur
            if h not in digits:
                check_size(h)
                digits[h] = digit(h)
                states += [steps.advance(number, x, h) for x in prepared]
                spend(len(prepared) * (len(h) + 5))
        here = refined(here, digits[first], "after BOS the digit names no tile")
        features, following, groups = {}, set(), {}
        for x, *fact in facts: groups.setdefault(x, []).append(fact)
        for x, group in groups.items():
            # What this layer does with the features x: from each digit before to each digit and features after.
            ways, after_first = {}, {}
            for h, d in digits.items():
                new = steps.advance(number, prepared[x], h)
                z = steps.first(number, prepared[x], new)
                if z not in after_first:
                    after = steps.rest(number, prepared[x], z)
                    check_size(after)
                    after_first[z] = features.setdefault(after, len(features))
                ways.setdefault(d, {})[digits[new], after_first[z]] = None
            anywhere = {way: None for row in ways.values() for way in row}
            for before, after, symbol in group:
                parted = coordinates and level[before] == depth
                for d, source in enumerate(tiles[before]) if parted else [(None, before)]:
                    to = image(source, symbol)
                    spend(20)
                    for new, z in () if predictive and not to & alive else ways.get(d, ()) if parted else anywhere:
                        goal = refined(after, new, "digit %d names no tile of set %d", new, after)
                        right = not to & ~masks[goal]
                        need(right, "levels, layer %d: from set %d to %d by symbol %d", number, source, goal, symbol)
                        if (z, source, goal, symbol) not in following:
                            spend(200)
                            following.add((z, source, goal, symbol))
        used = {z: i for i, z in enumerate(sorted({fact[0] for fact in following}))}
        rows, depth = [z for i, z in enumerate(features) if i in used], depth + bool(coordinates)
        facts = {(used[z], *fact) for z, *fact in following}
    need(masks[here] == 1 << start, "levels: after BOS the digits do not name the start state")
    compare(claim, steps.given(bos), machine.wanted(machine.start, claim.mode), "levels: after BOS")
    outputs = [steps.given(z) for z in rows]
    wanted = [machine.wanted((q, ()) if q in machine.moves else None, claim.mode) for q in range(len(table))]
    for z, source, goal, symbol in facts:
        (q,), (target,) = members(masks[source]), members(masks[goal])
        need(action[symbol][q] == target, "levels: the digits lead from state %d to %d by symbol %d", q, target, symbol)
        compare(claim, outputs[z], wanted[target], "levels: in state %d after symbol %d" % (target, symbol))

def after_bos(steps, number, x):
    """(state, features) of a layer after BOS."""
    ready = steps.prepared(number, x)
    h = steps.advance(number, ready, steps.initial[number])
    return h, steps.rest(number, ready, steps.first(number, ready, h))

def members(mask): return [q for q, bit in enumerate(reversed(bin(mask)[2:])) if bit == "1"]

def read_chart(chart, states, levels, place):
    """(sets as bits, their levels, their tiles): sets that nest, down to single states at the last level."""
    masks, level, tiles = [], [], []
    for s, entry in enumerate(chart.sets):
        where = "%s.sets[%d]" % (place, s)
        masks.append(bits(integers(entry.states, where + ".states", None, 0, states - 1), states))
        level.append(integer(entry.level, 0, levels, where + ".level"))
        tiles.append(integers(entry.tiles, where + ".tiles", None, 0, len(chart.sets) - 1))
    integer(chart.root, 0, len(chart.sets) - 1, place + ".root")
    need(masks[chart.root] == (1 << states) - 1, "%s: the root is not the set of all states", place)
    for s, parts in enumerate(tiles):
        union = 0
        for t in parts:
            part = masks[t] and not masks[t] & ~masks[s] and level[t] > level[s]
            need(part, "%s.sets[%d]: set %d is empty, no part of it, or not of a greater level", place, s, t)
            union |= masks[t]
        whole = union == masks[s] if level[s] < levels else not parts and len(members(masks[s])) == 1
        need(whole, "%s.sets[%d]: its tiles are not all of it, or at the last level it is not one state", place, s)
    return masks, level, tiles

# -- the other claims -------------------------------------------------------------------------------------------------

def check_relation(claim, evidence):
    need(claim.machine.start is not None, "relation: the language has no word")
    Relation(claim, evidence.entries, "evidence.relation.entries").check()

def check_word(claim, evidence):
    """Runs model and machine; rounds are skipped once both are where they have been."""
    machine, run, state, text, length = claim.machine, Run(claim.model), claim.machine.start, [], 0
    here, given = run.begin()
    for i, part in enumerate(evidence.parts):
        place = "evidence.word.parts[%d]" % i
        names, times = array(part, place, 2)
        word = spelled(names, claim.model.symbols, place)
        need(word, "%s has no symbols", place)
        length += integer(times, 1, LARGEST, place + " times") * len(word)
        text.append("(%s)%s" % (" ".join(names), "^%d" % times if times > 1 else ""))
        done, seen = 0, {}
        while done < times:
            if (state, here) in seen:
                done, seen = times - (times - done) % (done - seen[state, here]), {}
                continue
            seen[state, here] = done
            spend(300)
            for symbol in word: (here, given), state = run.step(here, symbol), machine.step(state, symbol)
            done += 1
    right = claim.mode == "recognise" or state is not None
    need(right, "word: the string is no prefix of a word, and nothing is asked of it")
    wanted, text = machine.wanted(state, claim.mode), " ".join(text)
    need(given != wanted, "word: the model is right after this string")
    text = text if len(text) <= 200 else text[:200] + " ..."
    outputs = named(claim, given), named(claim, wanted)
    claim.text += ": after the string of %d symbols %s it gives %s, not %s" % (length, text, *outputs)

def spelled(names, symbols, place):
    number = {name: i for i, name in enumerate(symbols)}
    for name in read(names, [str], place): need(name in number, "%s: %s is no symbol", place, show(name))
    return [number[name] for name in names]

def check_cycle(claim, evidence):
    machine, found = claim.machine, set()
    u, w, v = (spelled(word, machine.symbols, "evidence.cycle") for word in (evidence.u, evidence.w, evidence.v))
    def after(state, word):
        for symbol in word: state = machine.step(state, symbol)
        return state
    first, seen = after(machine.start, u), set()
    state = first
    while len(seen) < evidence.period and state not in seen:  # no more rounds than there are states
        seen.add(state)
        found.add(machine.accepts(after(state, v)))
        state = after(state, w)
        spend(20 * (1 + len(v) + len(w)))
    need(len(found) == 2, "cycle: all of these strings are words, or none")
    need(state == first and len(seen) == evidence.period, "cycle: not back after %d rounds", evidence.period)

def check_bound(claim, evidence):
    """Gates that are not negative, and finitely many states: each coordinate of each layer moves monotonely."""
    model, most, steps = claim.model, evidence.states, claim.model.steps()
    need(model.arithmetic.kind != "wrap", "bound: numbers that wrap do not keep their order")
    rows, bos = set(steps.embedding[:-1]), steps.embedding[-1]
    for number in range(len(model.layers)):
        first, bos = after_bos(steps, number, bos)
        prepared, waiting, states, rows = [steps.prepared(number, x) for x in rows], [first], set(), set()
        for gates, _, _, _ in prepared:
            right = all(0 <= gate < INFINITY for gate in gates)
            need(right, "bound: a gate of layer %d is negative or not finite", number)
        for h in waiting:
            if h in states: continue
            check_size(h)
            need(all(-INFINITY < v < INFINITY for v in h), "bound: a state of layer %d is not finite", number)
            states.add(h)
            for x in prepared:
                waiting.append(steps.advance(number, x, h))
                z = steps.rest(number, x, steps.first(number, x, waiting[-1]))
                if z not in rows: check_size(z)
                rows.add(z)
                spend(len(h) + 200)
            large = len(states) > most or len(rows) > most
            need(not large, "bound: layer %d has more than %d states or features", number, most)

# -- claims -----------------------------------------------------------------------------------------------------------

_SET = {"states": [_NATURAL], "level": _NATURAL, "tiles": [_NATURAL]}
_LEVELS = {"digits": [[_NATURAL]], "root": _NATURAL, "sets": [_SET]}
_CYCLE = {"u": [str], "w": [str], "v": [str], "period": (2, LARGEST)}
_MODES, _HORIZON = {"predictive", "recognise"}, (0, LARGEST, None)
_KINDS = {  # of each claim: what its file holds besides format, claim and evidence; of its evidence the shape and check
    "computes": ({"language": None, "model": None, "mode": _MODES, "horizon": _HORIZON}, {
        "closed": ({"states": _COUNT, "dead": None}, check_closed), "levels": (_LEVELS, check_levels),
        "relation": ({"entries": [None]}, check_relation)}),
    "is wrong about": ({"language": None, "model": None, "mode": _MODES}, {"word": ({"parts": [None]}, check_word)}),
    "not star-free": ({"language": None}, {"cycle": (_CYCLE, check_cycle)}),
    "at most star-free": ({"model": None}, {"bound": ({"states": _COUNT}, check_bound)}),
}

class _Claim:
    """What a file claims, its parts read and checked for form; check() checks the evidence."""
    mode = horizon = dfa = model = None
    def __init__(self, value):
        self.kind = read(value.get("claim"), set(_KINDS), "claim")
        parts, kinds = _KINDS[self.kind]
        self.__dict__.update(vars(read(value, {"format": str, "claim": str, "evidence": None, **parts})))
        evidence, details = one_key(self.evidence, kinds, "evidence")
        shape, self.checks = kinds[evidence]
        self.evidence = read(details, shape, "evidence." + evidence)
        if "model" in parts: self.model = _Model(self.model)
        if "language" in parts:
            self.machine, self.dfa = _machine_of(self.language), self.language.get("dfa")
            self.machine.arrange(self.model.symbols if self.model else [n for f in self.machine.families for n in f])
        if self.mode is not None:
            right = (self.model.outputs == [_ACCEPT]) == (self.mode == "recognise")
            need(right, "model.outputs are not those of the mode %s", self.mode)
            right = self.mode == "recognise" or self.machine.start is not None
            need(right, "the language has no word, so in predictive mode nothing is asked")
        self.text = self.sentence()  # evidence may add to it
    def sentence(self):
        if self.kind == "not star-free": return "%s is not star-free" % self.machine.text
        if self.kind == "at most star-free":
            return ("for each output of %s, the strings after which it is given are a star-free language; "
                    "so is whatever it recognises or predicts" % self.model)
        verb = "recognise" if self.mode == "recognise" else "predict"
        if self.kind == "is wrong about": return "%s does not %s %s" % (self.model, verb, self.machine.text)
        text = "it gives %s after a string exactly when that is a word" % _ACCEPT
        if self.mode == "predictive":
            text = "after every prefix of a word it gives exactly the symbols that may come next, "
            text += "and %s exactly after words" % _EOS
        reach = "" if self.horizon is None else ", on all strings of at most %d symbols" % self.horizon
        return "%s %ss %s: %s%s" % (self.model, verb, self.machine.text, text, reach)
    def check(self): self.checks(self, self.evidence)

def main(arguments):
    sys.setrecursionlimit(6000)
    if arguments[:1] == ["--work"] and len(arguments) == 3 and re.match("[1-9][0-9]{0,17}\\Z", arguments[1]):
        Work.limit = Work.left = int(arguments[1])
        arguments = arguments[2:]
    if len(arguments) != 1 or arguments[0].startswith("--"): return report(2, "usage: checker.py [--work N] FILE")
    try: value = _load(arguments[0])
    except Rejected as reason: return report(2, "%s: %s" % (arguments[0], reason))
    except MemoryError: return report(2, "%s: does not fit into memory" % arguments[0])
    try:
        claim = _Claim(value)
        claim.check()
    except Failed as reason: return report(1, "FAILED: %s" % reason)
    except (MemoryError, RecursionError, OverflowError) as error:
        return report(1, "FAILED: beyond the checker's means (%s)" % type(error).__name__)
    return report(0, "VERIFIED: %s." % claim.text)

def report(status, text):
    """Prints one line, in ASCII, and gives the status: 2 where it cannot be printed."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text).encode("ascii", "backslashreplace").decode()
    try:
        file = sys.stderr if status == 2 else sys.stdout
        file.write(text + "\n")
        file.flush()
    except (OSError, ValueError, AttributeError): return 2
    return status

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
