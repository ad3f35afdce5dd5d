#!/usr/bin/env python3
"""Checks a proof certificate again: python3 -I -S checker.py [--work N] FILE

One file, Python 3.8 or newer, nothing but the standard library.  It shares no code with what writes certificates;
the format and what each claim means are described in docs/certificates.md.  Printed is

    VERIFIED and the claim, in words of this program's own          status 0
    FAILED and the first reason with its place                      status 1
    one line on stderr, when the file is no certificate             status 2

Read from top to bottom: the file; numbers; models and their steps; languages as register machines; regular
expressions; then one section for each kind of evidence, the claims, and the command line.
"""

import sys

if __name__ == "__main__" and not sys.flags.isolated:
    del sys.path[0]  # so that no file beside this one stands in for a part of the standard library

import gzip
import hashlib
import json
import math
import os
import re
import struct
import unicodedata
import zlib
from fractions import Fraction

FORMAT = "ssm-certificate 1"
TEXT_LIMIT = 32 << 20  # bytes, after decompression
LARGEST = 1 << 62
_MOST_PLACES = 62
LARGEST_STATE = 1 << 4096
WORK = 10**9
_ACCEPT, _EOS, _BOS = "<accept>", "<eos>", "<bos>"
INFINITY, NAN = math.inf, math.nan


class Failed(Exception):
    """The file does not show its claim; the text says why and where."""


class Rejected(Exception):
    """The file is none."""


class Work:
    """Operations and stored numbers, counted: a hostile file ends with a reason."""

    limit = left = WORK


def spend(amount):
    Work.left -= amount
    if Work.left < 0:
        raise Failed("more than %d operations: --work N raises this bound" % Work.limit)


# -- the file ---------------------------------------------------------------------------------------------------------


def _read(path):
    """The JSON object of a file, its text strict and bounded."""
    try:
        if not os.path.isfile(path):
            raise Rejected("is not a file" if os.path.exists(path) else "no such file")
        with open(path, "rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = (gzip.GzipFile(fileobj=file) if compressed else file).read(TEXT_LIMIT + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Rejected("cannot be read (%s)" % error)
    if len(data) > TEXT_LIMIT:
        raise Rejected("holds more than %d bytes of text" % TEXT_LIMIT)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_whole,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise Rejected("is nested too deeply")
    except ValueError as error:
        raise Rejected("is not the JSON of a certificate (%s)" % error)
    if type(value) is not dict or value.get("format") != FORMAT:
        raise Rejected("is not of the format %r" % FORMAT)
    return value


def _once(pairs):
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry is given twice")
    return entries


def _whole(text):
    if len(text) > 20:
        raise ValueError("a number of %d digits" % len(text))
    return int(text)


def _no_number(text):
    raise ValueError("%.20s is no integer" % text)


def keys(value, names, place):
    """The values of an object that has exactly these keys, in this order."""
    if type(value) is not dict:
        raise Failed("%s is no object" % place)
    for name in value:
        if name not in names:
            raise Failed("%s has an unknown entry %s" % (place, show(name)))
    for name in names:
        if name not in value:
            raise Failed("%s has no entry %r" % (place, name))
    return [value[name] for name in names]


def one_key(value, names, place):
    """(key, value) of an object with one key, out of these."""
    if type(value) is not dict or len(value) != 1 or next(iter(value)) not in names:
        raise Failed("%s is no object with one entry out of %s" % (place, ", ".join(names)))
    return next(iter(value.items()))


def array(value, place, length=None):
    if type(value) is not list:
        raise Failed("%s is no array" % place)
    if length is not None and len(value) != length:
        raise Failed("%s has %d entries, expected %d" % (place, len(value), length))
    spend(len(value))
    return value


def integer(value, low, high, place):
    if type(value) is not int or not low <= value <= high:
        raise Failed("%s is not an integer from %d to %d" % (place, low, high))
    return value


def integers(value, place, length=None, low=-LARGEST, high=LARGEST):
    for i, n in enumerate(array(value, place, length)):
        if type(n) is not int or not low <= n <= high:
            raise Failed("%s[%d] is not an integer from %d to %d" % (place, i, low, high))
    return value


def exponent(value, place):
    return integer(value, 0, _MOST_PLACES, place + ".exponent")


def symbols(value, place):
    """Different non-empty strings without blanks and control characters, none of them reserved."""
    for name in array(value, place):
        if type(name) is not str or not name or name in (_ACCEPT, _EOS, _BOS):
            raise Failed("%s: %s cannot be a symbol" % (place, show(name)))
        if any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in name):
            raise Failed("%s: %s has a blank, a control character or half a character" % (place, show(name)))
    if not value or len(set(value)) < len(value):
        raise Failed("%s: symbols are missing, or one occurs twice" % place)
    return value


def show(value):
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def sha256(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


# -- numbers ----------------------------------------------------------------------------------------------------------

# Significant bits, binary places of the least number, and struct's code.
FLOATS = {"float16": (11, 24, "e"), "float32": (24, 149, "f"), "float64": (53, 1074, "d")}


class _Arithmetic:
    """What a model's numbers are: kind "exact", "fixed", "wrap" or "float"; bits are P, or the significant ones."""

    def __init__(self, name, place):
        match = re.match(r"(fixed|wrap):(0|[1-9][0-9]?)\Z", name) if type(name) is str else None
        self.name = name
        if name == "exact":
            self.kind, self.bits = "exact", 0
        elif match and (0 if match[1] == "fixed" else 1) <= int(match[2]) <= (32 if match[1] == "fixed" else 52):
            self.kind, self.bits = match[1], int(match[2])
        elif type(name) is str and name in FLOATS:
            self.kind, self.bits = "float", FLOATS[name][0]
        else:
            raise Failed("%s %s is not known" % (place, show(name)))
        self.unit_bits = self.bits if self.kind == "fixed" else 0


def _quotient(n, e):
    """n / 2^e exactly, an int where it is whole."""
    return n >> e if n & ((1 << e) - 1) == 0 else Fraction(n, 1 << e)


def simplest(value):
    """A Fraction as an int where it is whole."""
    return value.numerator if value.denominator == 1 else value


def rounder(name):
    """x -> the float of this format that is nearest, ties to even; x is a float64 that one operation gave.

    Sums and products of two numbers of up to 24 bits, rounded to 53 and then to 24 or 11, are as rounded once.
    """
    code = FLOATS[name][2]
    if code == "d":
        return lambda x: x
    form, known = struct.Struct("<" + code), {}

    def rounded(x):
        found = known.get(x)
        if found is None:
            if x != x:
                return NAN
            try:
                found = form.unpack(form.pack(x))[0]
            except OverflowError:
                found = math.copysign(INFINITY, x)
            if len(known) > 100000:
                known.clear()
            known[x] = found
        return found

    return rounded


# -- models -----------------------------------------------------------------------------------------------------------


class _Affine:
    """x -> (rows x + bias) / 2^exponent; a row is a list of (column, weight)."""

    def __init__(self, value, place, outputs, inputs):
        e, bias, rows = keys(value, ("exponent", "bias", "rows"), place)
        self.exponent = exponent(e, place)
        self.bias = integers(bias, place + ".bias", outputs)
        self.rows = []
        for r, row in enumerate(array(rows, place + ".rows", len(self.bias))):
            row_place = "%s.rows[%d]" % (place, r)
            columns, weights = integers(row, row_place)[0::2], row[1::2]
            last = -1
            for column in columns:
                if not last < column < inputs:
                    raise Failed("%s: column %d is not ascending and below %d" % (row_place, column, inputs))
                last = column
            if len(columns) != len(weights) or 0 in weights:
                raise Failed("%s: a weight is missing or 0" % row_place)
            self.rows.append(list(zip(columns, weights)))


class Stage:
    """One stage of phi: activation(affine([z; x]))."""

    def __init__(self, value, place, previous, features):
        affine, self.activation, low, high = keys(value, ("affine", "activation", "low", "high"), place)
        self.affine = _Affine(affine, place + ".affine", None, previous + features)
        if self.activation not in ("relu", "linear", "clip"):
            raise Failed("%s.activation is %s" % (place, show(self.activation)))
        self.low = integer(low, -LARGEST, LARGEST, place + ".low")
        self.high = integer(high, self.low, LARGEST, place + ".high")
        if self.activation != "clip" and (low, high) != (0, 0):
            raise Failed("%s has bounds, and does not clip" % place)


class _Layer:
    def __init__(self, value, place, features):
        initial, gate, increment, phi = keys(value, ("initial", "gate", "increment", "phi"), place)
        e, values = keys(initial, ("exponent", "values"), place + ".initial")
        self.initial_exponent = exponent(e, place + ".initial")
        self.initial = integers(values, place + ".initial.values")
        self.width, self.inputs = len(values), features
        self.gate = _Affine(gate, place + ".gate", self.width, features)
        self.increment = _Affine(increment, place + ".increment", self.width, features)
        self.phi, previous = [], self.width
        for j, stage in enumerate(array(phi, place + ".phi")):
            self.phi.append(Stage(stage, "%s.phi[%d]" % (place, j), previous, features))
            previous = len(self.phi[-1].affine.bias)
        if not self.phi:
            raise Failed("%s.phi has no stage" % place)
        self.features = previous


class _Model:
    """Weights, as the file gives them; what a step is, :class:`ExactSteps` and :class:`FloatSteps` say."""

    def __init__(self, value, place="model"):
        names = ("arithmetic", "symbols", "outputs", "embedding", "layers", "readout")
        arithmetic, self.symbols, self.outputs, embedding, layers, readout = keys(value, names, place)
        self.sha256 = sha256(value)
        self.arithmetic = _Arithmetic(arithmetic, place + ".arithmetic")
        symbols(self.symbols, place + ".symbols")
        if self.outputs not in ([_ACCEPT], self.symbols + [_EOS]):
            raise Failed("%s.outputs are neither [%s] nor the symbols and %s" % (place, _ACCEPT, _EOS))
        e, rows = keys(embedding, ("exponent", "rows"), place + ".embedding")
        self.embedding_exponent = exponent(e, place + ".embedding")
        self.embedding = array(rows, place + ".embedding.rows", len(self.symbols) + 1)
        self.features = features = len(array(rows[0], place + ".embedding.rows[0]"))
        for i, row in enumerate(rows):
            integers(row, "%s.embedding.rows[%d]" % (place, i), features)
        self.layers = []
        for i, layer in enumerate(array(layers, place + ".layers")):
            self.layers.append(_Layer(layer, "%s.layers[%d]" % (place, i), features))
            features = self.layers[-1].features
        if not self.layers:
            raise Failed("%s.layers is empty" % place)
        self.readout = _Affine(readout, place + ".readout", len(self.outputs), features)

    def steps(self):
        return FloatSteps(self) if self.arithmetic.kind == "float" else ExactSteps(self)

    def __str__(self):
        width = sum(layer.width for layer in self.layers)
        return "the model of sha256 %s (%d layers, %d state coordinates, %s arithmetic)" % (
            self.sha256,
            len(self.layers),
            width,
            self.arithmetic.name,
        )


class ExactSteps:
    """Layers in exact numbers: ints in units of 2^-unit_bits; or Fractions, in exact arithmetic with fractions.

    A state is a tuple of numbers; features are pairs (place, number) of those that are not 0, in order.
    """

    def __init__(self, model):
        kind, self.unit_bits = model.arithmetic.kind, model.arithmetic.unit_bits
        parts = [(layer.initial_exponent, layer.gate.exponent, layer.increment.exponent) for layer in model.layers]
        parts += [tuple(stage.affine.exponent for stage in layer.phi) for layer in model.layers]
        self.fractions = kind == "exact" and bool(model.embedding_exponent or any(map(any, parts)))
        self.modulus = (1 << model.arithmetic.bits) - 1 if kind == "wrap" else None
        self.embedding = [
            tuple((i, v) for i, v in enumerate(self.stored(n, model.embedding_exponent) for n in row) if v)
            for row in model.embedding
        ]
        self.initial = []
        for layer in model.layers:
            values = [self.stored(n, layer.initial_exponent) for n in layer.initial]
            self.initial.append(tuple(v & self.modulus for v in values) if self.modulus is not None else tuple(values))
        self.layers = [
            (
                self.columns(layer.gate, layer.inputs),
                self.columns(layer.increment, layer.inputs),
                [
                    (self.columns(stage.affine, previous + layer.inputs), previous, stage)
                    for stage, previous in zip(layer.phi, [layer.width] + [len(s.affine.bias) for s in layer.phi])
                ],
            )
            for layer in model.layers
        ]
        for _, _, stages in self.layers:
            for i, ((e, bias, columns), previous, stage) in enumerate(stages):
                low, high = (self.stored(n, stage.affine.exponent) for n in (stage.low, stage.high))
                silent = _active(enumerate(bias), e, stage.activation, low, high)
                stages[i] = (e, bias, columns[:previous], columns[previous:], stage.activation, low, high, silent)
        self.readout = self.columns(model.readout, model.layers[-1].features)
        self.silent_outputs = sum(1 << r for r, b in enumerate(self.readout[1]) if b > 0)

    def stored(self, n, e):
        return _quotient(n, e) if self.fractions else n << self.unit_bits >> e

    def columns(self, affine, inputs):
        """(exponent, bias, for each input its (row, weight) pairs); raw sums are over 2^(exponent + unit_bits)."""
        columns, e = [[] for _ in range(inputs)], affine.exponent
        for r, row in enumerate(affine.rows):
            for column, weight in row:
                columns[column].append((r, _quotient(weight, e) if self.fractions else weight))
        if self.fractions:
            return 0, [_quotient(b, e) for b in affine.bias], columns
        return e, [b << self.unit_bits for b in affine.bias], columns

    def prepared(self, number, x):
        """Of layer and features: (gates, increments, places to drop, and of each stage the sums that x makes)."""
        (gate_e, bias, gate_columns), (e, increment_bias, columns), stages = self.layers[number]
        gates, increments = bias[:], increment_bias[:]
        for i, v in x:
            for r, weight in gate_columns[i]:
                gates[r] += weight * v
            for r, weight in columns[i]:
                increments[r] += weight * v
            spend(len(gate_columns[i]) + len(columns[i]))
        # gate / 2^(gate_e + p) * h + increment / 2^e, in units: over 2^(gate_e + p + e) in all
        drop = gate_e + self.unit_bits + e
        gates, increments = [g << e if e else g for g in gates], [b << drop - e if drop > e else b for b in increments]
        while drop and not any(n & 1 for n in gates) and not any(n & 1 for n in increments):
            gates, increments, drop = [g >> 1 for g in gates], [b >> 1 for b in increments], drop - 1
        sums = []
        for _, bias, _, columns, _, _, _, _ in stages:
            out = {}
            for i, v in x:
                for r, weight in columns[i]:
                    out[r] = (out[r] if r in out else bias[r]) + weight * v
                spend(len(columns[i]))
            sums.append(out)
        spend(2 * len(gates) + sum(map(len, sums)) + 50)
        return gates, increments, drop, sums

    def advance(self, number, prepared, h):
        """The new state of a layer."""
        gates, increments, drop, _ = prepared
        if drop:
            new = tuple([g * v + b >> drop for g, v, b in zip(gates, h, increments)])
        else:
            new = tuple([g * v + b for g, v, b in zip(gates, h, increments)])
        return new if self.modulus is None else tuple([v & self.modulus for v in new])

    def phi(self, number, prepared, h):
        """The features that the new state h gives."""
        z, count = [(i, v) for i, v in enumerate(h) if v], len(h) + 20
        for (e, bias, columns, _, activation, low, high, silent), sums in zip(self.layers[number][2], prepared[3]):
            out = dict(sums)
            for i, v in z:
                column = columns[i]
                count += len(column)
                for r, weight in column:
                    out[r] = (out[r] if r in out else bias[r]) + weight * v
            count += len(out)
            z = _active(out.items(), e, activation, low, high)
            if silent:
                z += [pair for pair in silent if pair[0] not in out]
        spend(count)
        z.sort()
        return tuple(z)

    def given(self, z):
        """The outputs that are positive, as bits."""
        _, bias, columns = self.readout
        out, mask = {}, self.silent_outputs
        for i, v in z:
            for r, weight in columns[i]:
                out[r] = (out[r] if r in out else bias[r]) + weight * v
        for r, total in out.items():
            mask = mask | 1 << r if total > 0 else mask & ~(1 << r)
        spend(2 * len(out) + 5)
        return mask

    def value(self, v):
        """A number of a state, as an int or Fraction."""
        return v if self.fractions else _quotient(v, self.unit_bits)


def _active(sums, e, activation, low, high):
    """Stored and activated sums: the pairs (row, number) that are not 0."""
    if e:
        sums = [(r, v >> e) for r, v in sums]
    if activation == "relu":
        return [(r, v) for r, v in sums if v > 0]
    if activation == "clip":
        sums = [(r, low if v < low else high if v > high else v) for r, v in sums]
    return [(r, v) for r, v in sums if v]


class FloatSteps:
    """Layers in floats, every operation rounded, in the order of the definition.  Features are tuples of numbers."""

    fractions = False

    def __init__(self, model):
        self.round = rounder(model.arithmetic.name)
        self.embedding = [tuple(self.stored(n, model.embedding_exponent) for n in row) for row in model.embedding]
        self.initial = [tuple(self.stored(n, layer.initial_exponent) for n in layer.initial) for layer in model.layers]
        self.layers = [
            (
                self.rows(layer.gate),
                self.rows(layer.increment),
                [
                    (
                        self.rows(stage.affine),
                        stage.activation,
                        self.stored(stage.low, stage.affine.exponent),
                        self.stored(stage.high, stage.affine.exponent),
                    )
                    for stage in layer.phi
                ],
            )
            for layer in model.layers
        ]
        self.readout = self.rows(model.readout)

    def stored(self, n, e):
        return self.round(math.ldexp(float(n), -e))

    def rows(self, affine):
        return [
            (self.stored(bias, affine.exponent), [(c, self.stored(weight, affine.exponent)) for c, weight in row])
            for bias, row in zip(affine.bias, affine.rows)
        ]

    def affine(self, rows, x):
        rounded, results, count = self.round, [], 5
        for bias, row in rows:
            total = 0.0
            for column, weight in row:
                total = rounded(total + rounded(weight * x[column]))
            results.append(rounded(total + bias))
            count += 2 + 4 * len(row)
        spend(count)
        return results

    def prepared(self, number, x):
        gate, increment, _ = self.layers[number]
        return self.affine(gate, x), self.affine(increment, x), None, x

    def advance(self, number, prepared, h):
        rounded = self.round
        new = [rounded(rounded(g * v) + b) for g, v, b in zip(prepared[0], h, prepared[1])]
        return tuple([v if v == v else NAN for v in new])

    def phi(self, number, prepared, h):
        z, x = h, prepared[3]
        for rows, activation, low, high in self.layers[number][2]:
            z = self.affine(rows, z + x)
            if activation == "relu":
                z = [0.0 if v < 0 else v for v in z]
            elif activation == "clip":
                z = [low if v < low else high if v > high else v for v in z]
            z = tuple([v if v == v else NAN for v in z])
        return z

    def given(self, z):
        return sum(1 << r for r, v in enumerate(self.affine(self.readout, z)) if v > 0)

    def value(self, v):
        if v != v or abs(v) == INFINITY:
            raise Failed("a state is infinite or no number")
        return simplest(Fraction(v))


class Run:
    """A model that reads symbols.  States and features of each layer are numbered as they occur."""

    def __init__(self, model):
        self.model, self.steps, layers = model, model.steps(), len(model.layers)
        self.number, self.states = [{} for _ in range(layers)], [[] for _ in range(layers)]
        self.features = [{} for _ in range(layers)]
        self.rows = [list(self.steps.embedding)] + [[] for _ in range(layers - 1)]
        self.ready = [{} for _ in range(layers)]
        self.known = [{} for _ in range(layers)]

    def begin(self):
        """(state, outputs) after BOS."""
        start = tuple(self.numbered(number, h) for number, h in enumerate(self.steps.initial))
        return self.step(start, len(self.model.symbols))

    def step(self, state, symbol):
        """(state, outputs) after a symbol; a state has a number for each layer."""
        steps, x, new, last = self.steps, symbol, [], len(state) - 1
        for number in range(last):
            found = self.known[number].get((x, state[number]))
            if found is None:
                prepared = self.prepared(number, x)
                h = steps.advance(number, prepared, self.states[number][state[number]])
                z = steps.phi(number, prepared, h)
                features = self.features[number + 1]
                if z not in features:
                    spend(300 + 20 * len(z))
                    features[z] = len(features)
                    self.rows[number + 1].append(z)
                found = self.known[number][x, state[number]] = self.numbered(number, h), features[z]
                spend(300)
            new.append(found[0])
            x = found[1]
        prepared = self.prepared(last, x)
        h = steps.advance(last, prepared, self.states[last][state[last]])
        new.append(self.numbered(last, h))
        return tuple(new), steps.given(steps.phi(last, prepared, h))

    def prepared(self, number, x):
        found = self.ready[number].get(x)
        if found is None:
            found = self.ready[number][x] = self.steps.prepared(number, self.rows[number][x])
        return found

    def numbered(self, number, h):
        found = self.number[number].get(h)
        if found is None:
            check_size(h)
            spend(300 + 20 * len(h))
            found = self.number[number][h] = len(self.states[number])
            self.states[number].append(h)
        return found

    def values(self, state):
        """The numbers of a state, layer by layer, as ints and Fractions."""
        return [[self.steps.value(v) for v in self.states[number][h]] for number, h in enumerate(state)]


def check_size(h):
    for v in h:
        if type(v) is Fraction and (v.denominator > LARGEST_STATE or abs(v.numerator) > LARGEST_STATE):
            raise Failed("a state needs more than 4096 bits")
        if type(v) is int and not -LARGEST_STATE <= v <= LARGEST_STATE:
            raise Failed("a state needs more than 4096 bits")


# -- languages, as register machines ----------------------------------------------------------------------------------

_ZERO, _POSITIVE, _SAME = "zero", "positive", "the type of the symbol"
_PAIRS = ("()", "[]", "{}", "<>", "+-", "ab")


class _Machine:
    """Controls, registers and moves.  A state is (control, registers); None is dead.

    A register is a counter, or a cell with the type of a bracket.  A family is a list of symbols that differ in their
    type only, 0, 1, ...; for each control and family there is at most one move (tests, target, changes).  Tests are pairs
    (register, ZERO | POSITIVE | SAME), changes are pairs (register, amount | SAME), and a control accepts under tests.
    Every state that is reached has a way to acceptance, so that "has a move" is "may come next".
    """

    def __init__(self, text, families, moves, accepting, start=(0, ()), cells=0):
        self.text, self.families, self.moves, self.accepting, self.start = text, families, moves, accepting, start
        self.cells = cells  # 0: registers are counters; k: they are cells of k values
        self.bits = max(cells - 1, 0).bit_length()

    def arrange(self, order):
        """Symbols become their numbers in this order, which must be of the same symbols."""
        number = {name: i for i, name in enumerate(order)}
        named = [name for family in self.families for name in family]
        if len(named) != len(order) or any(name not in number for name in named):
            raise Failed("the model's symbols are not those of %s" % self.text)
        self.symbols, self.place = order, {}
        for f, family in enumerate(self.families):
            self.families[f] = [number[name] for name in family]
            self.place.update((symbol, (f, kind)) for kind, symbol in enumerate(self.families[f]))
        return self

    def step(self, state, symbol):
        if state is None:
            return None
        control, registers = state
        family, kind = self.place[symbol]
        spend(5 + len(registers) // 4)
        move = self.moves.get(control, {}).get(family)
        if move is None or not holds(move[0], registers, kind):
            return None
        if move[2]:
            registers = list(registers)
            for register, change in move[2]:
                registers[register] = kind if change is _SAME else registers[register] + change
            registers = tuple(registers)
        return move[1], registers

    def accepts(self, state):
        return state is not None and state[0] in self.accepting and holds(self.accepting[state[0]], state[1], None)

    def wanted(self, state, mode):
        """The outputs that should be given in this state, as bits."""
        if mode == "recognise":
            return int(self.accepts(state))
        mask = 1 << len(self.symbols) if self.accepts(state) else 0
        for symbol in range(len(self.symbols)):
            if self.step(state, symbol) is not None:
                mask |= 1 << symbol
        return mask

    def run(self, state, word):
        for symbol in word:
            state = self.step(state, symbol)
        return state

    def fastest(self, register):
        """The most that a move adds to a counter."""
        changes = [c for moves in self.moves.values() for move in moves.values() for r, c in move[2] if r == register]
        return max(changes + [0])


def holds(tests, registers, kind):
    for register, test in tests:
        value = registers[register]
        if not (value == kind if test is _SAME else value > 0 if test is _POSITIVE else value == 0):
            return False
    return True


def _machine_of(value, place="language"):
    """The machine that a language object stands for, its symbols still names."""
    if type(value) is dict and sorted(value) == ["dfa", "regex"]:
        dfa, text = value["dfa"], value["regex"]
        if type(text) is not str or len(text) > 100000:
            raise Failed("%s.regex is no text of at most 100000 characters" % place)
        machine = automaton(
            dfa,
            place + ".dfa",
            "the regular expression %s over %s"
            % (ascii(text), some_of(dfa.get("symbols") if type(dfa) is dict else ())),
        )
        check_expression(text, dfa, place + ".regex")
        return machine
    kind, given = one_key(value, ("name", "dyck", "dfa"), place)
    if kind == "dfa":
        return automaton(given, place + ".dfa", "the automaton of sha256 %s" % sha256(given))
    if kind == "dyck":
        k, h = integers(given, place + ".dyck", 2, 0, 100000)
        if not k:
            raise Failed("%s.dyck has no bracket type" % place)
        return _bounded_dyck(k, h)
    match = re.match(
        r"(shuffle|boolean)-([1-9][0-9]?)\Z|(flip-flop|dyck-1|anbn|anbncn|anbncndn)\Z",
        given if type(given) is str else "",
    )
    if not match or (match[1] and int(match[2]) > {"shuffle": 64, "boolean": 5}[match[1]]):
        raise Failed("%s.name is %s, which is not known" % (place, show(given)))
    if given == "flip-flop":
        return _flip_flop()
    if match[1] == "boolean":
        return boolean(int(match[2]))
    return _runs(given) if given[0] == "a" else shuffle(given, int(match[2] or 1))


def some_of(names):
    return "%d symbols (%s)" % (len(names), " ".join(map(show, names[:8])) + (" ..." if len(names) > 8 else ""))


def _type_name(number):
    """a, b, ..., z, aa, ab, ..."""
    name, number = "", number + 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("a") + letter) + name
    return name


def _bounded_dyck(k, h):
    """Control: the depth.  Cell j: the type opened last at depth j + 1; closing a bracket leaves it as it is."""
    names = [_type_name(i) for i in range(k)]
    moves = {depth: {} for depth in range(h + 1)}
    for depth in range(h):
        moves[depth][0] = (), depth + 1, ((depth, _SAME),)
        moves[depth + 1][1] = ((depth, _SAME),), depth, ()
    text = "Dyck(%d, %d), brackets of %d types nested at most %d deep" % (k, h, k, h)
    families = [["(" + name for name in names], [name + ")" for name in names]]
    return _Machine(text, families, moves, {0: ()}, (0, (0,) * h), k)


def shuffle(name, k):
    """Counter i: how many brackets of pair i are open."""
    pairs = _PAIRS[:k] if k <= len(_PAIRS) else [("(" + _type_name(i), _type_name(i) + ")") for i in range(k)]
    moves = {}
    for i in range(k):
        moves[2 * i] = (), 0, ((i, 1),)
        moves[2 * i + 1] = ((i, _POSITIVE),), 0, ((i, -1),)
    text = "%s, shuffles of balanced brackets of %d pairs" % (name, k)
    accepting = {0: tuple((i, _ZERO) for i in range(k))}
    return _Machine(text, [[bracket] for pair in pairs for bracket in pair], {0: moves}, accepting, (0, (0,) * k))


def boolean(n):
    """Counter 0: how many expressions are still to come."""
    amounts = list(range(n)) + [-1, -1]
    moves = {i: (((0, _POSITIVE),), 0, ((0, amount),)) for i, amount in enumerate(amounts)}
    text = "boolean-%d, expressions in prefix notation with operators of arity 1 to %d" % (n, n)
    return _Machine(text, [[c] for c in "~+>*^"[:n] + "01"], {0: moves}, {0: ((0, _ZERO),)}, (0, (1,)))


def _runs(name):
    """Control: which run we are in.  Counter i: letters number i that the next letter has not matched yet."""
    letters = name[0::2]
    moves = {control: {} for control in range(len(letters) + 1)}
    moves[0][0] = moves[1][0] = (), 1, ((0, 1),)
    for i in range(1, len(letters)):
        tests = ((i - 1, _POSITIVE),) + (((i - 2, _ZERO),) if i > 1 else ())
        changes = ((i - 1, -1),) + (((i, 1),) if i < len(letters) - 1 else ())
        moves[i][i] = moves[i + 1][i] = tests, i + 1, changes
    text = "%s, equal runs of %s" % (name, ", ".join(letters))
    accepting = {len(letters): ((len(letters) - 2, _ZERO),)}
    return _Machine(text, [[letter] for letter in letters], moves, accepting, (0, (0,) * (len(letters) - 1)))


def _flip_flop():
    """Instructions w, r, i and bits in turn; the bit after r is the bit after the last w; the first instruction is w."""
    w, r, i, zero, one = range(5)
    go = {
        0: {w: 1},
        1: {zero: 2, one: 3},
        2: {w: 1, r: 4, i: 6},
        3: {w: 1, r: 5, i: 7},
        4: {zero: 2},
        5: {one: 3},
        6: {zero: 2, one: 2},
        7: {zero: 3, one: 3},
    }
    moves = {control: {symbol: ((), target, ()) for symbol, target in row.items()} for control, row in go.items()}
    return _Machine("flip-flop", [[c] for c in "wri01"], moves, {0: (), 2: (), 3: ()})


def automaton(value, place, text):
    """Controls are the states; moves to states from which no word is possible are left out."""
    names, table, accepting, start = keys(value, ("symbols", "table", "accepting", "start"), place)
    symbols(names, place + ".symbols")
    states = len(array(table, place + ".table"))
    integer(start, 0, states - 1, place + ".start")
    integers(accepting, place + ".accepting", None, 0, states - 1)
    before = [[] for _ in range(states)]
    for q, row in enumerate(table):
        for target in integers(row, "%s.table[%d]" % (place, q), len(names), 0, states - 1):
            before[target].append(q)
    alive, waiting = set(accepting), list(accepting)
    while waiting:
        for q in before[waiting.pop()]:
            if q not in alive:
                alive.add(q)
                waiting.append(q)
    moves = {q: {i: ((), t, ()) for i, t in enumerate(row) if t in alive} for q, row in enumerate(table) if q in alive}
    return _Machine(
        text, [[name] for name in names], moves, dict.fromkeys(accepting, ()), (start, ()) if start in alive else None
    )


# -- regular expressions ----------------------------------------------------------------------------------------------

_LETTERS, _EMPTY, _CONCATENATION, _REPETITION, _UNION, _COMPLEMENT = range(6)
NESTING = 1000


class Terms:
    """Expressions in a normal form, as numbers.  A term is (operator, parts); its parts have smaller numbers.

    letters: a frozenset of symbols; concatenation: (first, rest), to the right; repetition: (term, least, most or None);
    union: a frozenset; complement: (term,).  Under these laws there are finitely many derivatives (Brzozowski 1964).
    """

    def __init__(self, alphabet):
        self.number, self.terms, self.nullable, self.derivatives = {}, [], [], {}
        self.every = frozenset(alphabet)
        self.nothing, self.empty = self.term(_LETTERS, frozenset(), False), self.term(_EMPTY, (), True)
        self.everything = self.complement(self.nothing)

    def term(self, operator, parts, nullable):
        key = operator, parts
        if key not in self.number:
            spend(200 + 10 * len(parts))
            self.number[key] = len(self.terms)
            self.terms.append(key)
            self.nullable.append(nullable)
        return self.number[key]

    def letters(self, chosen):
        return self.term(_LETTERS, frozenset(chosen), False)

    def concatenation(self, left, right):
        if self.nothing in (left, right):
            return self.nothing
        factors = []
        while self.terms[left][0] == _CONCATENATION:
            first, left = self.terms[left][1]
            factors.append(first)
        for factor in reversed(factors + [left]):
            spend(2)
            if right == self.empty:
                right = factor
            elif factor != self.empty:
                right = self.term(_CONCATENATION, (factor, right), self.nullable[factor] and self.nullable[right])
        return right

    def union(self, terms):
        members = set()
        for term in terms:
            members.update(self.terms[term][1] if self.terms[term][0] == _UNION else (term,))
        spend(5 + len(members))
        if self.everything in members:
            return self.everything
        letters = {term for term in members if self.terms[term][0] == _LETTERS}
        members -= letters
        letters = self.letters(frozenset().union(*(self.terms[term][1] for term in letters)))
        if letters != self.nothing or not members:
            members.add(letters)
        if len(members) == 1:
            return members.pop()
        return self.term(_UNION, frozenset(members), any(self.nullable[term] for term in members))

    def complement(self, term):
        operator, parts = self.terms[term]
        return parts[0] if operator == _COMPLEMENT else self.term(_COMPLEMENT, (term,), not self.nullable[term])

    def intersection(self, left, right):
        return self.complement(self.union((self.complement(left), self.complement(right))))

    def repetition(self, term, least, most):
        if most == 0 or term == self.empty:
            return self.empty
        if term == self.nothing:
            return self.nothing if least else self.empty
        if (least, most) == (1, 1) or term == self.everything:
            return term
        least = 0 if self.nullable[term] else least  # fewer can be filled up with empty words
        return self.term(_REPETITION, (term, least, most), least == 0)

    def derivative(self, term, symbol):
        """What may follow the symbol; parts first, on a stack of our own."""
        known, stack = self.derivatives.setdefault(symbol, {}), [term]
        while stack:
            operator, parts = self.terms[stack[-1]]
            needed = ()
            if operator in (_UNION, _COMPLEMENT):
                needed = parts
            elif operator == _REPETITION or operator == _CONCATENATION and not self.nullable[parts[0]]:
                needed = parts[:1]
            elif operator == _CONCATENATION:
                needed = parts
            missing = [part for part in needed if part not in known]
            spend(20 + len(needed))
            if missing:
                stack += missing
            else:
                known[stack.pop()] = self.derived(operator, parts, symbol, known)
        return known[term]

    def derived(self, operator, parts, symbol, known):
        if operator == _LETTERS:
            return self.empty if symbol in parts else self.nothing
        if operator == _EMPTY:
            return self.nothing
        if operator == _UNION:
            return self.union([known[part] for part in parts])
        if operator == _COMPLEMENT:
            return self.complement(known[parts[0]])
        if operator == _REPETITION:
            part, least, most = parts
            rest = self.repetition(part, max(least - 1, 0), None if most is None else most - 1)
            return self.concatenation(known[part], rest)
        after = self.concatenation(known[parts[0]], parts[1])
        return self.union((after, known[parts[1]])) if self.nullable[parts[0]] else after


class _Parser:
    """Recursive descent: union, intersection, concatenation, complement, repetition, atom."""

    def __init__(self, text, alphabet, place):
        self.text, self.at, self.place, self.depth = text, 0, place, 0
        self.terms, self.alphabet, self.classes = Terms(alphabet), frozenset(alphabet), set()

    def wrong(self, reason):
        return Failed("%s, column %d: %s" % (self.place, self.at + 1, reason))

    def peek(self):
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
        return self.text[self.at : self.at + 1]

    def take(self, text):
        self.peek()
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def whole(self):
        if not self.peek():
            raise self.wrong("nothing is written")
        term = self.union(anchored=self.peek() == "^")
        if self.peek():
            raise self.wrong("%s is not expected" % show(self.peek()))
        return term

    def union(self, anchored=False):
        """Alternatives; one that is left out is the empty word.  Anchored: each operand of | and & in ^ and $."""
        self.depth += 1
        if self.depth > NESTING:
            raise self.wrong("nested too deeply")
        terms, some = [], False
        while True:
            if not anchored and self.peek() in ("|", ")", ""):
                if self.peek() != "|" and not some:
                    raise self.wrong("an operand is missing")
                terms.append(self.terms.empty)
            else:
                term = self.operand(anchored)
                while self.take("&"):
                    term = self.terms.intersection(term, self.operand(anchored))
                terms.append(term)
            some = True
            if not self.take("|"):
                self.depth -= 1
                return self.terms.union(terms) if len(terms) > 1 else terms[0]

    def operand(self, anchored):
        if not anchored:
            return self.concatenation()
        if not self.take("^"):
            raise self.wrong("anchors are not around every alternative")
        term = self.terms.empty if self.peek() == "$" else self.concatenation()
        if not self.take("$"):
            raise self.wrong("anchors are not around every alternative")
        return term

    def concatenation(self):
        factors = [self.complement()]
        while self.peek() not in ("", "|", "&", ")", "$"):
            factors.append(self.complement())
        term = factors.pop()
        while factors:
            term = self.terms.concatenation(factors.pop(), term)
        return term

    def complement(self):
        count = 0
        while self.take("~"):
            count += 1
        term = self.repetition()
        return self.terms.complement(term) if count % 2 else term

    def repetition(self):
        term = self.atom()
        while self.peek() in ("*", "+", "?", "{") and self.peek():
            c = self.text[self.at]
            self.at += 1
            least, most = self.counts() if c == "{" else {"*": (0, None), "+": (1, None), "?": (0, 1)}[c]
            term = self.terms.repetition(term, least, most)
            if self.peek() in ("?", "+"):
                raise self.wrong("a repetition of a repetition needs parentheses")
        return term

    def counts(self):
        if self.take(","):
            least, most = 0, self.count()
        else:
            least = most = self.count()
            if self.take(","):
                most = None if self.peek() == "}" else self.count()
        if not self.take("}") or (most is not None and most < least):
            raise self.wrong("a repetition that is not {m}, {m,n}, {m,} or {,n}")
        return least, most

    def count(self):
        self.peek()
        digits = re.compile("[0-9]{1,18}(?![0-9])").match(self.text, self.at)
        if not digits:
            raise self.wrong("a number of at most 18 digits is expected")
        self.at = digits.end()
        return int(digits[0])

    def atom(self):
        c = self.peek()
        if c in ("<", "'", "\\"):
            return self.choice({self.marked()})
        self.at += 1
        if c == "(":
            if self.text.startswith("?", self.at):
                if not self.text.startswith("?:", self.at):
                    raise self.wrong("no group of this notation")
                self.at += 2
            if self.take(")"):
                return self.terms.empty
            term = self.union()
            if not self.take(")"):
                raise self.wrong("')' is expected")
            return term
        if c == "[":
            return self.symbol_set()
        if c == ".":
            return self.choice((), True)
        if c == "\u03b5":
            return self.terms.empty
        if c == "\u2205":
            return self.choice(())
        if not c or c in "]}>)|&*+?{^$~":
            raise self.wrong("a symbol is expected")
        return self.choice({c})

    def marked(self):
        """<open>, 'open' or \\*: a backslash before what is no letter, digit or blank."""
        opening = self.peek()
        if opening == "\\":
            return self.escaped()
        closing, symbol = ">" if opening == "<" else "'", ""
        self.at += 1
        while self.text[self.at : self.at + 1] != closing:
            c = self.text[self.at : self.at + 1]
            if not c or c.isspace():
                raise self.wrong("a symbol is not closed, or has a blank")
            symbol += self.escaped() if c == "\\" else c
            self.at += c != "\\"
        self.at += 1
        return symbol

    def escaped(self):
        self.at += 2
        c = self.text[self.at - 1 : self.at]
        if not c or c.isspace() or c.isalnum():
            raise self.wrong("this cannot be escaped")
        return c

    def symbol_set(self):
        negated, chosen = self.take("^"), set()
        while not self.take("]"):
            blank, first = self.text[self.at - 1].isspace(), self.member()
            ended = self.at
            if self.peek() != "-" or self.text[self.at + 1 :].lstrip()[:1] == "]":
                if blank and first == "-" and self.peek() not in ("", "]"):
                    raise self.wrong("a range from a blank")
                chosen.add(first)
                continue
            self.at += 1
            if ended != self.at - 1 or self.text[self.at : self.at + 1].isspace():
                raise self.wrong("a blank in a range")
            last = self.member()
            if len(first) != 1 or len(last) != 1 or first > last:
                raise self.wrong("a range that is none")
            spend(ord(last) - ord(first))
            chosen.update(chr(n) for n in range(ord(first), ord(last) + 1) if not chr(n).isspace())
        return self.choice(chosen, negated)

    def member(self):
        c = self.peek()
        if not c or self.text.startswith("[:", self.at):
            raise self.wrong("']' is expected" if not c else "a class of characters is not of this notation")
        if c in ("<", "'", "\\"):
            return self.marked()
        self.at += 1
        return c

    def choice(self, chosen, negated=False):
        for symbol in chosen:
            if symbol not in self.alphabet:
                raise self.wrong("%s is not a symbol of the automaton" % show(symbol))
        spend(len(self.alphabet) if negated else 1)
        self.classes.add(frozenset(chosen))
        return self.terms.letters(self.alphabet - set(chosen) if negated else chosen)


def check_expression(text, dfa, place):
    """Every pair (derivative, state) that a string leads to agrees on the empty word."""
    names, table, accepting = dfa["symbols"], dfa["table"], set(dfa["accepting"])
    parser = _Parser(text, names, place)
    term = parser.whole()
    alike = {}  # symbols that no set of the expression tells apart, and no column of the table
    for i, name in enumerate(names):
        spend(len(parser.classes) + len(table))
        alike.setdefault((tuple(name in c for c in parser.classes), tuple(row[i] for row in table)), (i, name))
    seen, waiting = {(term, dfa["start"])}, [(term, dfa["start"])]
    for term, q in waiting:
        if parser.terms.nullable[term] != (q in accepting):
            raise Failed("%s: the expression and state %d of the automaton differ on a word" % (place, q))
        for i, name in alike.values():
            pair = parser.terms.derivative(term, name), table[q][i]
            if pair not in seen:
                spend(300)
                seen.add(pair)
                waiting.append(pair)


# -- closed: every pair of a machine's and a model's state --------------------------------------------------------------


def check_closed(claim, evidence):
    most, dead = keys(evidence, ("states", "dead"), "evidence.closed")
    integer(most, 1, LARGEST, "evidence.closed.states")
    model, machine, mode, horizon = claim.model, claim.machine, claim.mode, claim.horizon
    relation = None
    if dead is not None:
        if mode != "recognise":
            raise Failed("evidence.closed.dead: in predictive mode nothing is asked of dead strings")
        relation = Relation(claim, [{"control": None, "ranges": [], "state": dead}], "evidence.closed.dead")
        relation.check_dead()
    run = Run(model)
    state, given = run.begin()
    numbers, states, moves, wanted = {machine.start: 0}, [machine.start], [], []

    def answers(q):
        """What is wanted in machine state q, and the symbols that are followed with where they lead."""
        while len(moves) <= q:
            state = states[len(moves)]
            row = []
            for symbol in range(len(model.symbols)):
                target = machine.step(state, symbol)
                if target is not None or mode == "recognise":
                    if target not in numbers:
                        spend(300)
                        numbers[target] = len(states)
                        states.append(target)
                    row.append((symbol, numbers[target]))
            spend(3 * len(row))
            moves.append(row)
            wanted.append(machine.wanted(state, mode))
        return wanted[q]

    if given != answers(0):
        raise Failed("closed: after BOS the outputs are %s" % differ(claim, given, wanted[0]))
    seen, layer, length = {(0, state)}, [(0, state)], 0
    while layer and length != horizon:
        length, following = length + 1, []
        for q, state in layer:
            answers(q)
            for symbol, target in moves[q]:
                new, given = run.step(state, symbol)
                if given != (wanted[target] if target < len(wanted) else answers(target)):
                    raise Failed(
                        "closed: after a string of %d symbols that ends with %s the outputs are %s"
                        % (length, show(model.symbols[symbol]), differ(claim, given, wanted[target]))
                    )
                pair = target, new
                if pair not in seen:
                    if states[target] is None and relation and relation.covers(run.values(new), length):
                        continue
                    if len(seen) >= most:
                        raise Failed("closed: there are more than the %d pairs that are announced" % most)
                    spend(200)
                    seen.add(pair)
                    following.append(pair)
        layer = following


def differ(claim, given, wanted):
    def names(mask):
        given = [claim.model.outputs[i] for i in range(len(claim.model.outputs)) if mask >> i & 1]
        return "{%s}" % (", ".join(map(show, given[:8])) + (", ..." if len(given) > 8 else ""))

    return "%s, expected %s" % (names(given), names(wanted))


# -- relation: what holds in each control, for any values of the registers ------------------------------------------------


class _Form:
    """constant + the sum of coefficient times parameter; parameters are integers, coefficients not 0."""

    __slots__ = ("constant", "terms")

    def __init__(self, constant, terms):
        self.constant, self.terms = constant, terms


def form(constant, terms):
    terms = {p: a for p, a in terms.items() if a}
    return _Form(constant, terms) if terms else constant


def plus(v, w, factor=1):
    """v + factor w, numbers or forms."""
    constant, terms = (v.constant, dict(v.terms)) if type(v) is _Form else (v, {})
    if type(w) is not _Form:
        return form(constant + factor * w, terms)
    for p, a in w.terms.items():
        terms[p] = terms.get(p, 0) + factor * a
    return form(constant + factor * w.constant, terms)


class Cut(Exception):
    """The parameter's range must be cut after this value."""


class _Box:
    """Ranges of parameters: those of the case, but for some; what is computed on them; and the box that it was cut from."""

    __slots__ = ("base", "own", "memo", "parent", "open")

    def __init__(self, base, own, memo, parent=None):
        self.base, self.own, self.memo, self.parent = base, own, memo, parent
        self.open = {}  # why a value is not known on all of this box

    def range(self, p):
        return self.own.get(p) or self.base[p]

    def within(self, p, low, high):
        """The part of the box in which the parameter lies in this range; None when there is none."""
        least, most = self.range(p)
        if low <= least and most <= high:
            return self
        least, most = max(low, least), min(high, most)
        return None if least > most else _Box(self.base, {**self.own, p: (least, most)}, {}, self)

    def bounds(self, v):
        """The least and the greatest value; a form attains them."""
        if type(v) is not _Form:
            return v, v
        low = high = v.constant
        for p, a in v.terms.items():
            least, most = self.own.get(p) or self.base[p]
            low, high = (low + a * least, high + a * most) if a > 0 else (low + a * most, high + a * least)
        return low, high

    def fold(self, v):
        """The form without the parameters that have one value here."""
        if type(v) is not _Form:
            return v
        constant, terms = v.constant, {}
        for p, a in v.terms.items():
            least, most = self.range(p)
            if least == most:
                constant += a * least
            else:
                terms[p] = a
        return form(constant, terms)

    def cut(self, v, level=0):
        """A Cut that helps to decide on which side of the level the form is."""
        v = self.fold(v)
        free = [(most - least, p) for p in v.terms for least, most in [self.range(p)]]
        if len(free) == 1:
            p, a = next(iter(v.terms.items()))
            least, most = self.range(p)
            at = (level - v.constant) // a  # a p + constant <= level up to here for a > 0, >= level for a < 0
            if least <= at < most:
                return Cut(p, at)
        width, p = min(free)
        if width == INFINITY:
            raise Failed("a relu or clip compares two unbounded numbers")
        return Cut(p, self.range(p)[0] + width // 2)


def everywhere(box, check):
    """The check on all of the box, cut where the check asks for it."""
    waiting = [box]
    while waiting:
        box = waiting.pop()
        spend(20)
        try:
            check(box)
        except Cut as cut:
            p, at = cut.args
            least, most = box.range(p)
            waiting += [box.within(p, at + 1, most), box.within(p, least, at)]


class Relation:
    """Entries, each a template of the model's state in a control, that every step keeps."""

    def __init__(self, claim, entries, place):
        self.claim, self.model, self.machine, self.place = claim, claim.model, claim.machine, place
        self.arithmetic, self.horizon, self.entries = self.model.arithmetic, claim.horizon, {}
        kind = self.arithmetic.kind
        self.precision = FLOATS[self.arithmetic.name][:2] if kind == "float" else None
        self.grain = {"fixed": self.arithmetic.unit_bits, "wrap": 0}.get(kind)
        for i, entry in enumerate(array(entries, place)):
            self.add(entry, "%s[%d]" % (place, i))
        self.compile()

    # The file's entries.

    def add(self, entry, place):
        control, ranges, state = keys(entry, ("control", "ranges", "state"), place)
        if control is not None:
            integer(control, 0, LARGEST, place + ".control")
        elif self.claim.mode != "recognise":
            raise Failed("%s: in predictive mode nothing is asked of dead strings" % place)
        if control in self.entries:
            raise Failed("%s: control %s has an entry already" % (place, control))
        registers = len(self.machine.start[1]) if control is not None else 0
        limits = []
        for i, pair in enumerate(array(ranges, place + ".ranges", registers)):
            if self.machine.cells:
                if pair is not None:
                    raise Failed("%s.ranges[%d] is not null, the range of a cell" % (place, i))
            else:
                low, high = array(pair, "%s.ranges[%d]" % (place, i), 2)
                integer(low, 0, LARGEST, "%s.ranges[%d]" % (place, i))
                limits.append((low, INFINITY if high is None else integer(high, low, LARGEST, place + ".ranges")))
        e, layers = keys(state, ("exponent", "layers"), place + ".state")
        exponent(e, place + ".state")
        array(layers, place + ".state.layers", len(self.model.layers))
        for number, (terms, layer) in enumerate(zip(layers, self.model.layers)):
            for c, term in enumerate(array(terms, "%s.state.layers[%d]" % (place, number), layer.width)):
                self.check_term(term, registers, "%s.state.layers[%d][%d]" % (place, number, c))
        self.entries[control] = limits, e, layers

    def check_term(self, term, registers, place):
        kind, rest = (term[0], term[1:]) if type(term) is list and term else ("", ())
        whole = all(type(n) is int and abs(n) <= LARGEST for n in rest if n is not None)
        if kind == "r" and len(rest) == 1 and whole and not self.machine.cells:
            right = rest[0] is not None and 0 <= rest[0] < registers
        elif kind == "b" and len(rest) == 2 and whole and None not in rest and self.machine.cells:
            right = 0 <= rest[0] < registers and 0 <= rest[1] < self.machine.bits
        elif kind == "any" and whole and len(rest) == 2:
            right = None in rest or rest[0] <= rest[1]
        elif kind == "any" and whole and len(rest) == 3:
            right = None not in rest and rest[0] <= rest[1] and rest[2] >= 0 and self.horizon is not None
        else:
            right = type(term) is int and abs(term) <= LARGEST
        if not right:
            raise Failed("%s is no term that this machine, mode and horizon allow" % place)

    # The model's numbers, as wires: each is computed from other wires.

    def compile(self):
        self.wires, model = [], self.model

        def new(*wire):
            self.wires.append(wire)
            spend(10)
            return len(self.wires) - 1

        def sums(affine, wires):
            spend(3 * sum(map(len, affine.rows)))
            return [
                new("sum", _quotient(b, affine.exponent), [(wires[c], _quotient(w, affine.exponent)) for c, w in row])
                for b, row in zip(affine.bias, affine.rows)
            ]

        x = self.inputs = [new("given") for _ in range(model.features)]
        self.before, self.after = [], []
        for layer in model.layers:
            before = [new("given") for _ in range(layer.width)]
            parts = zip(before, sums(layer.gate, x), sums(layer.increment, x))
            z = after = [new("state", *part) for part in parts]
            for stage in layer.phi:
                e = stage.affine.exponent
                low, high = (self.stored(_quotient(n, e), None) for n in (stage.low, stage.high))
                z = [new(stage.activation, wire, low, high) for wire in sums(stage.affine, z + x)]
            x = z
            self.before += before
            self.after += after
        self.outputs = sums(model.readout, x)
        self.embedding = [
            [self.stored(_quotient(n, model.embedding_exponent), None) for n in row] for row in model.embedding
        ]
        self.bits = [self.bits_of(family) for family in self.machine.families]

    def bits_of(self, family):
        """(row of type 0, for each bit what it adds) where the rows of a family are affine in the type's bits."""
        if len(family) < 2:
            return None
        rows = [self.embedding[symbol] for symbol in family]
        added = [[v - w for v, w in zip(rows[1 << b], rows[0])] for b in range((len(rows) - 1).bit_length())]
        spend(len(rows) * len(rows[0]) * (1 + len(added)))
        for kind, row in enumerate(rows):
            chosen = [delta for b, delta in enumerate(added) if kind >> b & 1]
            if any(v != w + sum(delta[i] for delta in chosen) for i, (v, w) in enumerate(zip(row, rows[0]))):
                return None
        return rows[0], added

    def stored(self, v, box):
        """Rounded down to the grain of fixed and wrap; a form that this changes is cut until it does not."""
        if self.grain is None or type(v) is int:
            return v
        unit = 1 << self.grain
        if type(v) is not _Form:
            return simplest(Fraction(math.floor(v * unit), unit))
        if all(type(n) is int or unit % n.denominator == 0 for n in (v.constant, *v.terms.values())):
            return v
        folded = box.fold(v)
        if type(folded) is _Form:
            raise box.cut(folded)
        return self.stored(folded, box)

    def value(self, wire, box):
        """The number or form on a wire, for all of the box, or a Cut.  What is known of a larger box holds here, too."""
        v = box.memo.get(wire)
        if v is None:
            if wire in box.open:
                kind, arguments = box.open[wire]
                raise kind(*arguments)
            if box.parent is not None:
                try:
                    v = self.value(wire, box.parent)
                except (Cut, Failed):
                    pass
            try:
                v = self.computed(self.wires[wire], box) if v is None else v
            except (Cut, Failed) as stop:
                box.open[wire] = type(stop), stop.args
                raise
            box.memo[wire] = v
        return v

    def computed(self, wire, box):
        kind = wire[0]
        if kind == "sum":
            return self.sum(wire[1], wire[2], box)
        if kind == "state":
            h, gate, increment = (self.value(part, box) for part in wire[1:])
            return self.wrapped(self.stored(self.bounded(plus(self.product(gate, h, box), increment), box), box), box)
        v = self.stored(self.value(wire[1], box), box)
        for end, least in {"linear": (), "relu": ((0, True),), "clip": ((wire[2], True), (wire[3], False))}[kind]:
            low, high = box.bounds(v)
            if low < end < high:
                raise box.cut(v, end)
            v = end if (high <= end if least else low >= end) else v
        return v

    def wrapped(self, v, box):
        """Modulo 2^P in wrap arithmetic; a form that leaves the range is cut until it is a number."""
        if self.arithmetic.kind != "wrap":
            return v
        low, high = box.bounds(v)
        modulus = 1 << self.arithmetic.bits
        if 0 <= low and high < modulus:
            return v
        v = box.fold(v)
        if type(v) is _Form:
            raise box.cut(v, -1 if low < 0 <= high else modulus - 1)
        return v % modulus

    def sum(self, bias, weights, box):
        constant, terms, memo = 0, {}, box.memo
        spend(len(weights) + 1)
        for wire, weight in weights:
            v = memo.get(wire)
            if v is None:
                v = self.value(wire, box)
            if type(v) is _Form:
                constant += weight * v.constant
                for p, a in v.terms.items():
                    terms[p] = terms.get(p, 0) + weight * a
            elif v:
                constant += weight * v
            if self.precision:
                self.bounded(weight, box)
                self.bounded(plus(0, v, weight), box)
                self.bounded(form(constant, terms), box)
        self.bounded(bias, box)
        return self.bounded(form(constant + bias, terms) if terms else constant + bias, box)

    def product(self, v, w, box):
        if type(v) is _Form and type(w) is _Form:
            v, w = box.fold(v), box.fold(w)
            if type(v) is _Form and type(w) is _Form:
                finite = [u for u in (v, w) if all(box.range(p)[1] - box.range(p)[0] < INFINITY for p in u.terms)]
                if not finite:
                    raise Failed("a gate and a state are both unbounded")
                raise box.cut(finite[0])
        v, w = (w, v) if type(v) is _Form else (v, w)
        return self.bounded(plus(0, w, v), box)

    def bounded(self, v, box):
        """v, where floats hold every value that it has in the box."""
        if self.precision:
            digits, places = self.precision
            numbers = (v.constant, *v.terms.values()) if type(v) is _Form else (v,)
            unit = max(1 if type(n) is int else n.denominator for n in numbers)
            low, high = (v, v) if type(v) is not _Form else box.bounds(v)
            if unit > 1 << places or not -(1 << digits) <= low * unit <= high * unit <= 1 << digits:
                raise Failed(
                    "a number may not be exact in %s: it can be %s"
                    % (self.arithmetic.name, high if high > -low else low)
                )
        return v

    # Templates.

    def opened(self, control):
        """(box, registers, what each parameter can be as time goes on): the template with its parameters."""
        limits, e, layers = self.entries[control]
        base, registers, times, memo = [], [], [], {}
        steps = None if self.horizon is None else max(self.horizon - 1, 0)

        def parameter(low, high, growth=0, down=0):
            times.append((low, high, growth))
            more = 0 if steps is None else steps * growth
            base.append((low - (more if down else 0), high + more))
            return _Form(0, {len(base) - 1: 1})

        if control is not None and self.machine.cells:
            for _ in self.machine.start[1]:
                registers.append([parameter(0, 1) for _ in range(self.machine.bits)])
        elif control is not None:
            for i, (low, high) in enumerate(limits):
                v = parameter(low, high)
                if steps is not None:
                    times[-1] = low, max(self.machine.start[1][i], low), self.machine.fastest(i)
                    base[-1] = low, min(high, self.machine.start[1][i] + steps * self.machine.fastest(i))
                registers.append(v)
        for wire, term in zip(self.before, (term for terms in layers for term in terms)):
            memo[wire] = self.term(term, e, registers, parameter)
        empty = any(low > high for low, high in base)
        spend(20 * len(base) + 5 * len(self.before))
        return None if empty else _Box(base, {}, memo), registers, times

    def term(self, term, e, registers, parameter):
        if type(term) is int:
            return _quotient(term, e)
        if term[0] == "r":
            return registers[term[1]]
        if term[0] == "b":
            return registers[term[1]][term[2]]
        low, high = (-INFINITY if term[1] is None else term[1]), (INFINITY if term[2] is None else term[2])
        growth = term[3] if len(term) > 3 else 0
        return plus(0, parameter(low, high, growth, 1), _quotient(1, e))

    def lands(self, term, e, v, registers, box, times, t, place):
        """Checks that the number or form v is what the term says, after t symbols, or one step later for forms."""
        if type(term) is int or term[0] != "any":
            if box.bounds(plus(v, self.term(term, e, registers, None), -1)) != (0, 0):
                raise Failed("%s is not what the template says" % place)
            return
        low, high, growth = (*term[1:], 0)[:3]
        scale = 1 << e
        low, high = (
            (-INFINITY if low is None else _quotient(low, e)),
            (INFINITY if high is None else _quotient(high, e)),
        )
        growth = _quotient(growth, e)
        for n in (v.constant, *v.terms.values()) if type(v) is _Form else (v,):
            if type(n) is not int and scale % n.denominator:
                raise Failed("%s is no multiple of 2^-%d" % (place, e))
        least, most = box.bounds(v)
        if low - t * growth <= least and most <= high + t * growth:
            return
        if type(v) is _Form and growth:
            for p, a in v.terms.items():
                first, last, grown = times[p]
                first, last = (a * first, a * last) if a > 0 else (a * last, a * first)
                least, most = box.bounds(plus(v, _Form(0, {p: a}), -1))
                if low <= first and last <= high and abs(a) * grown <= growth and -growth <= least and most <= growth:
                    return
        raise Failed("%s is not within the range of the template" % place)

    def arrives(self, control, values, registers, box, times, t, place):
        """Checks that new values (wires, or numbers) lie in the entry of a control, with these registers."""
        if control not in self.entries:
            raise Failed("%s: there is no entry for control %s" % (place, "null" if control is None else control))
        limits, e, layers = self.entries[control]
        for i, (low, high) in enumerate(limits):
            least, most = box.bounds(registers[i])
            if least < low or most > high:
                raise Failed("%s: counter %d may be outside of its range in control %s" % (place, i, control))
        terms = (term for terms in layers for term in terms)
        for c, (term, v) in enumerate(zip(terms, values)):
            if box.base is None:
                self.lands(term, e, v, registers, box, times, t, "%s: coordinate %d" % (place, c))
            else:
                where = "%s: coordinate %d" % (place, c)
                everywhere(box, lambda b: self.lands(term, e, self.value(v, b), registers, b, times, t, where))

    def covers(self, values, length):
        """Whether a dead state, after a string of this length, lies in the template of the entry null."""
        try:
            self.arrives(None, [v for h in values for v in h], (), _Box(None, {}, {}), (), length, "")
            return True
        except Failed:
            spend(50)
            return False

    # Steps.

    def check(self):
        machine, run = self.machine, Run(self.model)
        state, given = run.begin()
        if given != machine.wanted(machine.start, self.claim.mode):
            wanted = machine.wanted(machine.start, self.claim.mode)
            raise Failed("relation: after BOS the outputs are %s" % differ(self.claim, given, wanted))
        control, registers = machine.start
        if machine.cells:
            registers = [[0] * machine.bits for _ in registers]
        values = [v for h in run.values(state) for v in h]
        self.arrives(control, values, registers, _Box(None, {}, {}), (), 0, "relation: after BOS")
        if self.horizon == 0:
            return
        for control in [c for c in self.entries if c is not None]:
            for f in range(len(machine.families)):
                self.check_family(control, f)
        if None in self.entries:
            self.check_dead()

    def check_dead(self):
        for f in range(len(self.machine.families)):
            self.check_family(None, f)

    def check_family(self, control, f):
        """One step by the symbols of a family: all types at once where that can be, else one by one."""
        family = self.machine.families[f]
        if self.bits[f]:
            try:
                return self.check_symbol(control, f, None)
            except Failed:
                if len(family) & (len(family) - 1) == 0:
                    raise  # the bits stand for the types and nothing else: there is no more to find out
        for kind in range(len(family)):
            self.check_symbol(control, f, kind)

    def check_symbol(self, control, f, kind):
        """One step from an entry by one symbol, or by all of the family, its type as bits."""
        machine = self.machine
        name = self.model.symbols[machine.families[f][kind or 0]]
        place = "relation: in control %s, after %s" % ("null" if control is None else control, show(name))
        place += " and all of its family" if kind is None else ""
        box, registers, times = self.opened(control)
        if box is None:
            return
        move = None if control is None else machine.moves.get(control, {}).get(f)
        tests = move[0] if move else ()
        cell = next((registers[r] for r, test in tests if test is _SAME), None)
        width = machine.bits if kind is not None else len(self.bits[f][1])
        own = (
            [_Form(0, {len(box.base) + b: 1}) for b in range(width)]
            if kind is None
            else [kind >> b & 1 for b in range(width)]
        )
        if kind is None:
            box.base += [(0, 1)] * width
            times += [(0, 1, 0)] * width
        if move:
            bits = cell if kind is None and cell else own
            inside = satisfied(box, registers, tests, bits)
            if inside is not None:
                after = list(registers)
                for r, change in move[2]:
                    after[r] = bits if change is _SAME else plus(after[r], change)
                self.check_case(f, kind, bits, box.memo, inside, move[1], after, times, place)
        if self.claim.mode == "recognise":
            for part in [box] if not move else violated(box, registers, tests, own):
                self.check_case(f, kind, own, box.memo, part, None, (), times, place + " without a move")

    def check_case(self, f, kind, bits, given, box, target, registers, times, place):
        if kind is None:
            first, added = self.bits[f]
            x = list(first)
            for bit, delta in zip(bits, added):
                x = [plus(v, bit, d) if d else v for v, d in zip(x, delta)]
        else:
            x = self.embedding[self.machine.families[f][kind]]
        memo = {**given, **dict(zip(self.inputs, x))}
        box = _Box(box.base, box.own, memo)
        if self.precision:
            for v in memo.values():
                self.bounded(v, box)
        self.arrives(target, self.after, registers, box, times, 0, place)
        self.check_outputs(target, registers, box, place)

    def check_outputs(self, target, registers, box, place):
        accepting = None if target is None else self.machine.accepting.get(target)
        if self.claim.mode == "recognise":
            self.check_output(0, accepting, None, registers, box, place)
            return
        self.check_output(len(self.outputs) - 1, accepting, None, registers, box, place)
        moves = self.machine.moves.get(target, {})
        for f, family in enumerate(self.machine.families):
            tests = moves[f][0] if f in moves else None
            for kind, symbol in enumerate(family):
                self.check_output(symbol, tests, kind, registers, box, place)

    def check_output(self, output, tests, kind, registers, box, place):
        """The output is positive exactly where the tests hold; nowhere, where they are None."""
        wire = self.outputs[output]

        def positive(b):
            if not b.bounds(self.value(wire, b))[0] > 0:
                raise Failed("%s: output %s may be missing" % (place, show(self.model.outputs[output])))

        def silent(b):
            if b.bounds(self.value(wire, b))[1] > 0:
                raise Failed("%s: output %s may be given" % (place, show(self.model.outputs[output])))

        if tests is None:
            return everywhere(box, silent)
        bits = [kind >> b & 1 for b in range(self.machine.bits)] if kind is not None else ()
        inside = satisfied(box, registers, tests, bits)
        if inside is not None:
            everywhere(inside, positive)
        for part in violated(box, registers, tests, bits):
            everywhere(part, silent)


def satisfied(box, registers, tests, bits):
    """The part of the box where all tests hold of the registers and the bits of the symbol's type, or None."""
    for r, test in tests:
        pairs = zip(registers[r], bits) if test is _SAME else [(registers[r], None)]
        for v, bit in pairs:
            low, high = (1, INFINITY) if test is _POSITIVE else (0, 0) if test is _ZERO else (bit, bit)
            if v is bit:
                continue  # the symbol's type is that of the cell
            box = between(box, v, low, high)
            if box is None:
                return None
    return box


def violated(box, registers, tests, bits):
    """Parts of the box that together are all of it where some test does not hold."""
    for r, test in tests:
        if test is _SAME:
            for v, bit in zip(registers[r], bits):
                for least in (0, 1):
                    part = between(box, v, 1 - least, 1 - least)
                    part = part and between(part, bit, least, least)
                    if part is not None:
                        yield part
        else:
            low, high = (-INFINITY, 0) if test is _POSITIVE else (1, INFINITY)
            part = between(box, registers[r], low, high)
            if part is not None:
                yield part


def between(box, v, low, high):
    """The part of the box where low <= v <= high, for a number or a parameter plus a number; None when there is none."""
    if type(v) is not _Form:
        return box if low <= v <= high else None
    ((p, _),) = v.terms.items()
    return box.within(p, low - v.constant, high - v.constant)


# -- levels: digits that name sets of states ------------------------------------------------------------------------------


def check_levels(claim, evidence):
    place, model, machine, predictive = "evidence.levels", claim.model, claim.machine, claim.mode == "predictive"
    digits, root, sets = keys(evidence, ("digits", "root", "sets"), place)
    if claim.dfa is None or claim.horizon is not None or model.arithmetic.kind == "float":
        raise Failed("%s: is for automata without a horizon, and not for floats" % place)
    for number, coordinates in enumerate(array(digits, place + ".digits", len(model.layers))):
        integers(coordinates, "%s.digits[%d]" % (place, number), None, 0, model.layers[number].width - 1)
        if len(set(coordinates)) < len(coordinates):
            raise Failed("%s.digits[%d] has a coordinate twice" % (place, number))
    table, start = claim.dfa["table"], claim.dfa["start"]
    masks, level, tiles = read_chart(sets, root, len(table), sum(map(bool, digits)), place)
    alive = sum(1 << q for q in machine.moves)
    columns = [claim.dfa["symbols"].index(name) for name in model.symbols]
    letters = {}  # symbols with one row of the embedding and one column of the table are one letter
    for symbol, column in enumerate(columns):
        spend(len(table))
        letters.setdefault((tuple(model.embedding[symbol]), tuple(row[column] for row in table)), symbol)
    action = {symbol: images for (_, images), symbol in letters.items()}
    steps, images = model.steps(), {}

    def image(s, symbol):
        if (s, symbol) not in images:
            states = members(masks[s])
            spend(len(states) + 100)
            mask = 0
            for q in states:
                mask |= 1 << action[symbol][q]
            images[s, symbol] = mask
        return images[s, symbol]

    def digit(h, coordinates, where):
        number = 0
        for i, c in enumerate(coordinates):
            bit = h[c] >> steps.unit_bits if not steps.fractions else math.floor(h[c])
            if bit not in (0, 1):
                raise Failed("levels, layer %d: coordinate %d is no bit %s" % (where, c, "after some symbol"))
            number |= bit << i
        return number

    rows = [steps.embedding[symbol] for symbol in action]  # the features of this layer
    facts = {(x, root, root, symbol) for x, symbol in enumerate(action)}
    bos, here, depth = steps.embedding[len(model.symbols)], root, 0
    for number, coordinates in enumerate(digits):
        prepared = [steps.prepared(number, x) for x in rows]
        first = steps.prepared(number, bos)
        h = steps.advance(number, first, steps.initial[number])
        bos = steps.phi(number, first, h)
        at = {}
        states = [h]  # of this layer, from all features that occur
        known = {h}
        for h in states:
            for x in prepared:
                new = steps.advance(number, x, h)
                spend(len(new) + 5)
                if new not in known:
                    check_size(new)
                    spend(300)
                    known.add(new)
                    states.append(new)
        named = [digit(h, coordinates, number) for h in states] if coordinates else [0] * len(states)
        if coordinates and level[here] == depth:
            if named[0] >= len(tiles[here]):
                raise Failed("levels, layer %d: after BOS digit %d names no tile" % (number, named[0]))
            here = tiles[here][named[0]]
        place_of = dict(zip(states, named))
        features, following, done = {}, set(), {}
        by_x = {}
        for x, before, after, symbol in facts:
            by_x.setdefault(x, []).append((before, after, symbol))
        for x, group in by_x.items():
            # What this layer does with the features x: from each digit before to each digit and features after.
            ways = {}
            for h, d in zip(states, named):
                new = steps.advance(number, prepared[x], h)
                if (x, new) not in done:
                    z = steps.phi(number, prepared[x], new)
                    if z not in features:
                        spend(300 + 20 * len(z))
                        features[z] = len(features)
                    done[x, new] = features[z]
                ways.setdefault(d, {})[place_of[new], done[x, new]] = None
            done.clear()
            anywhere = {way: None for row in ways.values() for way in row}
            for before, after, symbol in group:
                refined = coordinates and level[before] == depth
                for d in range(len(tiles[before])) if refined else (None,):
                    source = tiles[before][d] if refined else before
                    to = image(source, symbol)
                    spend(20)
                    if predictive and not to & alive:
                        continue
                    for new, z in ways.get(d, ()) if refined else anywhere:
                        goal = after
                        if coordinates and level[after] == depth:
                            if new >= len(tiles[after]):
                                raise Failed(
                                    "levels, layer %d: digit %d names no tile of set %d" % (number, new, after)
                                )
                            goal = tiles[after][new]
                        if to & ~masks[goal]:
                            raise Failed(
                                "levels, layer %d: after %s from set %d the digits say set %d, which is wrong"
                                % (number, show(model.symbols[symbol]), source, goal)
                            )
                        if (z, source, goal, symbol) not in following:
                            spend(200)
                            following.add((z, source, goal, symbol))
        rows, facts, depth = list(features), following, depth + bool(coordinates)
    if masks[here] != 1 << start:
        raise Failed("levels: after BOS the digits do not name the start state")
    if steps.given(bos) != machine.wanted(machine.start, claim.mode):
        raise Failed("levels: after BOS the outputs are wrong")
    outputs = [steps.given(z) for z in rows]
    wanted = [machine.wanted((q, ()) if q in machine.moves else None, claim.mode) for q in range(len(table))]
    for z, source, goal, symbol in facts:
        (q,), (target,) = members(masks[source]), members(masks[goal])
        if action[symbol][q] != target:
            raise Failed(
                "levels: the digits say state %d after %s in state %d" % (target, show(model.symbols[symbol]), q)
            )
        if outputs[z] != wanted[target]:
            raise Failed(
                "levels: in state %d after %s the outputs are %s"
                % (target, show(model.symbols[symbol]), differ(claim, outputs[z], wanted[target]))
            )


def members(mask):
    return [q for q, bit in enumerate(reversed(bin(mask)[2:])) if bit == "1"]


def read_chart(sets, root, states, levels, place):
    """(sets as bits, their levels, their tiles): sets that nest, down to single states at the last level."""
    masks, level, tiles = [], [], []
    for s, entry in enumerate(array(sets, place + ".sets")):
        where = "%s.sets[%d]" % (place, s)
        chosen, depth, parts = keys(entry, ("states", "level", "tiles"), where)
        mask = 0
        for q in integers(chosen, where + ".states", None, 0, states - 1):
            mask |= 1 << q
        masks.append(mask)
        level.append(integer(depth, 0, levels, where + ".level"))
        tiles.append(integers(parts, where + ".tiles", None, 0, len(sets) - 1))
    integer(root, 0, len(sets) - 1, place + ".root")
    if masks[root] != (1 << states) - 1:
        raise Failed("%s: the root is not the set of all states" % place)
    for s, parts in enumerate(tiles):
        union = 0
        for t in parts:
            if not masks[t] or masks[t] & ~masks[s] or level[t] <= level[s]:
                raise Failed("%s.sets[%d]: set %d is empty, no part of it, or not of a greater level" % (place, s, t))
            union |= masks[t]
        last = level[s] == levels
        if (parts or len(members(masks[s])) != 1) if last else union != masks[s]:
            raise Failed(
                "%s.sets[%d]: the tiles do not make up the set, or it is no single state at the last level" % (place, s)
            )
    return masks, level, tiles


# -- the other claims -----------------------------------------------------------------------------------------------------


def check_word(claim, evidence):
    """Runs model and machine; rounds are skipped once both are where they have been."""
    (parts,) = keys(evidence, ("parts",), "evidence.word")
    number = {name: i for i, name in enumerate(claim.model.symbols)}
    run, state = Run(claim.model), claim.machine.start
    (here, given), length = run.begin(), 0
    for i, part in enumerate(array(parts, "evidence.word.parts")):
        names, times = array(part, "evidence.word.parts[%d]" % i, 2)
        word = spelled(names, number, "evidence.word.parts[%d]" % i)
        integer(times, 1, LARGEST, "evidence.word.parts[%d] times" % i)
        length += times * len(word)
        done, seen = 0, {}
        while done < times:
            if (state, here) in seen:
                done = times - (times - done) % (done - seen[state, here])
                seen = {}
                continue
            seen[state, here] = done
            spend(300)
            for symbol in word:
                here, given = run.step(here, symbol)
                state = claim.machine.step(state, symbol)
            done += 1
    if claim.mode == "predictive" and state is None:
        raise Failed("word: the string is no prefix of a word, and nothing is asked of it")
    wanted = claim.machine.wanted(state, claim.mode)
    if given == wanted:
        raise Failed("word: the model is right after this string")
    text = " ".join("(%s)%s" % (" ".join(names), "^%d" % times if times > 1 else "") for names, times in parts)
    claim.text += ": after the string of %d symbols %s the outputs are %s" % (
        length,
        text if len(text) <= 200 else text[:200] + " ...",
        differ(claim, given, wanted),
    )


def spelled(names, number, place):
    word = []
    for name in array(names, place):
        if type(name) is not str or name not in number:
            raise Failed("%s: %s is no symbol" % (place, show(name)))
        word.append(number[name])
    if not word:
        raise Failed("%s has no symbols" % place)
    return word


def check_cycle(claim, evidence):
    machine, place = claim.machine, "evidence.cycle"
    u, w, v, period = keys(evidence, ("u", "w", "v", "period"), place)
    number = {name: i for i, name in enumerate(machine.symbols)}
    u, v = (spelled(names, number, place) if names else [] for names in (array(u, place), array(v, place)))
    w = spelled(w, number, place + ".w")
    integer(period, 2, LARGEST, place + ".period")
    first = state = machine.run(machine.start, u)
    found = set()
    for _ in range(period):
        found.add(machine.accepts(machine.run(state, v)))
        state = machine.run(state, w)
        spend(20 + len(v) + len(w))
    if state != first:
        raise Failed("cycle: the machine is not back after %d rounds" % period)
    if len(found) < 2:
        raise Failed("cycle: all of these strings are words, or none")


def _check_bound(claim, evidence):
    (most,) = keys(evidence, ("states",), "evidence.bound")
    integer(most, 1, LARGEST, "evidence.bound.states")
    model = claim.model
    if model.arithmetic.kind == "wrap":
        raise Failed("bound: numbers that wrap do not keep their order")
    steps = model.steps()
    rows, bos = set(steps.embedding[:-1]), steps.embedding[-1]
    for number in range(len(model.layers)):
        first = steps.prepared(number, bos)
        h = steps.advance(number, first, steps.initial[number])
        bos = steps.phi(number, first, h)
        prepared = [steps.prepared(number, x) for x in rows]
        for gates, _, _, _ in prepared:
            for c, gate in enumerate(gates):
                if not 0 <= gate < INFINITY:
                    raise Failed("bound: a gate of layer %d, coordinate %d, is negative or not finite" % (number, c))
        states, waiting, rows = {h}, [h], set()
        for h in waiting:
            for v in h:
                if not -INFINITY < v < INFINITY:
                    raise Failed("bound: a state of layer %d is not finite" % number)
            for x in prepared:
                new = steps.advance(number, x, h)
                rows.add(steps.phi(number, x, new))
                spend(len(new))
                if new not in states:
                    check_size(new)
                    spend(300 + 20 * len(new))
                    states.add(new)
                    waiting.append(new)
                if len(states) > most or len(rows) > most:
                    raise Failed("bound: layer %d has more than %d states or features" % (number, most))


# -- claims ---------------------------------------------------------------------------------------------------------------

_KINDS = {
    "computes": ("closed", "relation", "levels"),
    "is wrong about": ("word",),
    "not star-free": ("cycle",),
    "at most star-free": ("bound",),
}


class _Claim:
    """What a file claims, its parts read and checked for form; check() checks the evidence."""

    def __init__(self, value):
        kind = value.get("claim")
        if type(kind) is not str or kind not in _KINDS:
            raise Failed("claim is %s, expected one of %s" % (show(kind), ", ".join(_KINDS)))
        names = ["format", "claim", "evidence"] + ["language"] * (kind != "at most star-free")
        names += ["model"] * (kind != "not star-free") + ["mode"] * (kind in ("computes", "is wrong about"))
        names += ["horizon"] * (kind == "computes")
        given = dict(zip(names, keys(value, names, "the certificate")))
        self.kind, self.horizon, self.mode, self.dfa = kind, given.get("horizon"), given.get("mode"), None
        self.model = _Model(given["model"]) if "model" in given else None
        self.evidence, self.details = one_key(given["evidence"], _KINDS[kind], "evidence")
        if self.horizon is not None:
            integer(self.horizon, 0, LARGEST, "horizon")
        if "language" in given:
            self.machine = _machine_of(given["language"])
            self.dfa = given["language"].get("dfa")
            self.machine.arrange(self.model.symbols if self.model else [n for f in self.machine.families for n in f])
        if self.mode is not None:
            if self.mode not in ("predictive", "recognise"):
                raise Failed("mode is %s" % show(self.mode))
            if (self.model.outputs == [_ACCEPT]) != (self.mode == "recognise"):
                raise Failed("model.outputs are not those of the mode %s" % self.mode)
            if self.mode == "predictive" and self.machine.start is None:
                raise Failed("the language has no word, so in predictive mode nothing is asked")
        self.text = self.sentence()

    def sentence(self):
        if self.kind == "not star-free":
            return "%s is not star-free" % self.machine.text
        if self.kind == "at most star-free":
            return (
                "for each output of %s, the strings after which it is given are a star-free language; "
                "so is whatever it recognises or predicts" % self.model
            )
        if self.kind == "is wrong about":
            verb = "does not recognise" if self.mode == "recognise" else "does not predict"
            return "%s %s %s" % (self.model, verb, self.machine.text)
        reach = "" if self.horizon is None else ", on all strings of at most %d symbols" % self.horizon
        if self.mode == "recognise":
            return "%s recognises %s: it gives %s after a string exactly when that is a word%s" % (
                self.model,
                self.machine.text,
                _ACCEPT,
                reach,
            )
        return (
            "%s predicts %s: after every prefix of a word it gives exactly the symbols that may come next, "
            "and %s exactly after words%s" % (self.model, self.machine.text, _EOS, reach)
        )

    def check(self):
        if self.evidence == "relation":
            (entries,) = keys(self.details, ("entries",), "evidence.relation")
            if self.machine.start is None:
                raise Failed("relation: the language has no word")
            Relation(self, entries, "evidence.relation.entries").check()
        else:
            {
                "closed": check_closed,
                "levels": check_levels,
                "word": check_word,
                "cycle": check_cycle,
                "bound": _check_bound,
            }[self.evidence](self, self.details)


def main(arguments):
    if arguments[:1] == ["--work"] and len(arguments) == 3 and re.match("[1-9][0-9]{0,17}\\Z", arguments[1]):
        Work.limit = Work.left = int(arguments[1])
        arguments = arguments[2:]
    if len(arguments) != 1 or arguments[0].startswith("--"):
        return report(2, "usage: checker.py [--work N] FILE")
    try:
        value = _read(arguments[0])
    except Rejected as reason:
        return report(2, "%s: %s" % (arguments[0], reason))
    except MemoryError:
        return report(2, "%s: does not fit into memory" % arguments[0])
    try:
        claim = _Claim(value)
        claim.check()
    except Failed as reason:
        return report(1, "FAILED: %s" % reason)
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
    except (OSError, ValueError, AttributeError):
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
