#!/usr/bin/env python3
"""Checks a proof certificate again: python3 -I -S checker.py [--work N] FILE

One file, Python 3.8 or newer, nothing but the standard library.  It shares no code with what writes certificates; the
format, and what each claim means, are described in docs/certificates.md.  One line is printed:

    VERIFIED and the claim, in words of this program's own          status 0
    FAILED and the first reason with its place                      status 1
    on stderr, why the file is no certificate                       status 2

Read it from top to bottom: the file; numbers; models and their steps; languages as register machines; regular
expressions; a section for each kind of evidence; the claims; the command line.
"""

import sys

if __name__ == "__main__" and not sys.flags.isolated:
    del sys.path[0]  # no file beside this one stands in for a part of the standard library

import gzip  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402
import math  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import struct  # noqa: E402
import unicodedata  # noqa: E402
import zlib  # noqa: E402
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
    if not condition:
        raise Failed(text % values)


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
        raise Rejected("cannot be read (%s)" % error) from None
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
        raise Rejected("is nested too deeply") from None
    except ValueError as error:
        raise Rejected("is not the JSON of a certificate (%s)" % error) from None
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
    need(type(value) is dict, "%s is no object", place)
    for name in names:
        need(name in value, "%s has no entry %s", place, name)
    for name in value:
        need(name in names, "%s has an unknown entry %s", place, show(name))
    return [value[name] for name in names]


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
        if type(n) is not int or not low <= n <= high:
            raise Failed("%s[%d] is not an integer from %d to %d" % (place, i, low, high))
    return value


def symbols(value, place):
    """Different non-empty strings without blanks and control characters, none of them reserved."""
    for name in array(value, place):
        right = type(name) is str and name and name not in (_ACCEPT, _EOS, _BOS)
        need(right, "%s: %s cannot be a symbol", place, show(name))
        need(
            not any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in name),
            "%s: %s has a blank, a control character or half a character",
            place,
            show(name),
        )
    need(value and len(set(value)) == len(value), "%s: symbols are missing, or one occurs twice", place)
    return value


def show(value):
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def some_of(names):
    return " ".join(map(show, names[:8])) + (" ..." if len(names) > 8 else "")


def bits(numbers, size):
    """A set of numbers below the size, as an integer with a bit for each."""
    data = bytearray(size // 8 + 1)
    for n in numbers:
        data[n >> 3] |= 1 << (n & 7)
    spend(size // 50)
    return int.from_bytes(data, "little")


def sha256(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


# -- numbers ----------------------------------------------------------------------------------------------------------

# Significant bits, binary places of the least number, and struct's code.
FLOATS = {"float16": (11, 24, "e"), "float32": (24, 149, "f"), "float64": (53, 1074, "d")}


class _Arithmetic:
    """What a model's numbers are: kind "exact", "fixed", "wrap" or "float"; bits are P, or the significant ones."""

    def __init__(self, name, place):
        need(type(name) is str, "%s is no text", place)
        match = re.match(r"(fixed|wrap):(0|[1-9][0-9]?)\Z", name)
        self.name, self.kind, self.bits = name, "exact", 0
        if match:
            self.kind, self.bits = match[1], int(match[2])
            least, most = (0, 32) if self.kind == "fixed" else (1, 52)
            need(least <= self.bits <= most, "%s: %s has not from %d to %d bits", place, name, least, most)
        elif name in FLOATS:
            self.kind, self.bits = "float", FLOATS[name][0]
        else:
            need(name == "exact", "%s %s is not known", place, show(name))
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
    if name == "float64":
        return lambda x: x
    form, known = struct.Struct("<" + FLOATS[name][2]), {}

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
        self.exponent, self.bias, rows = keys(value, ("exponent", "bias", "rows"), place)
        integer(self.exponent, 0, _MOST_PLACES, place + ".exponent")
        integers(self.bias, place + ".bias", outputs)
        self.rows = []
        for r, row in enumerate(array(rows, place + ".rows", len(self.bias))):
            columns, weights = integers(row, "%s.rows[%d]" % (place, r))[0::2], row[1::2]
            need(len(columns) == len(weights) and 0 not in weights, "%s.rows[%d]: a weight is missing or 0", place, r)
            ascending = all(i < j for i, j in zip([-1] + columns, columns + [inputs]))
            need(ascending, "%s.rows[%d]: columns do not ascend from 0 to less than %d", place, r, inputs)
            self.rows.append(list(zip(columns, weights)))


class Stage:
    """One stage of phi: activation(affine([z; x]))."""

    def __init__(self, value, place, previous, features):
        affine, self.activation, self.low, self.high = keys(value, ("affine", "activation", "low", "high"), place)
        self.affine = _Affine(affine, place + ".affine", None, previous + features)
        need(self.activation in ("relu", "linear", "clip"), "%s.activation is not known", place)
        integer(self.low, -LARGEST, LARGEST, place + ".low")
        integer(self.high, self.low, LARGEST, place + ".high")
        need(self.activation == "clip" or (self.low, self.high) == (0, 0), "%s has bounds, and does not clip", place)


class _Layer:
    def __init__(self, value, place, features):
        initial, gate, increment, phi = keys(value, ("initial", "gate", "increment", "phi"), place)
        self.initial_exponent, self.initial = keys(initial, ("exponent", "values"), place + ".initial")
        integer(self.initial_exponent, 0, _MOST_PLACES, place + ".initial.exponent")
        self.width, self.inputs, self.phi = len(integers(self.initial, place + ".initial.values")), features, []
        self.gate = _Affine(gate, place + ".gate", self.width, features)
        self.increment = _Affine(increment, place + ".increment", self.width, features)
        self.features = self.width
        for j, stage in enumerate(array(phi, place + ".phi")):
            self.phi.append(Stage(stage, "%s.phi[%d]" % (place, j), self.features, features))
            self.features = len(self.phi[-1].affine.bias)
        need(1 <= len(self.phi) <= 64, "%s.phi has not from 1 to 64 stages", place)


class _Model:
    """Weights, as the file gives them; what a step is, ExactSteps and FloatSteps say."""

    def __init__(self, value, place="model"):
        names = ("arithmetic", "symbols", "outputs", "embedding", "layers", "readout")
        arithmetic, self.symbols, self.outputs, embedding, layers, readout = keys(value, names, place)
        self.sha256, self.arithmetic = sha256(value), _Arithmetic(arithmetic, place + ".arithmetic")
        symbols(self.symbols, place + ".symbols")
        need(
            self.outputs in ([_ACCEPT], self.symbols + [_EOS]),
            "%s.outputs are neither %s nor the symbols and %s",
            place,
            _ACCEPT,
            _EOS,
        )
        self.embedding_exponent, self.embedding = keys(embedding, ("exponent", "rows"), place + ".embedding")
        integer(self.embedding_exponent, 0, _MOST_PLACES, place + ".embedding.exponent")
        array(self.embedding, place + ".embedding.rows", len(self.symbols) + 1)
        self.features = features = len(array(self.embedding[0], place + ".embedding.rows[0]"))
        for i, row in enumerate(self.embedding):
            integers(row, "%s.embedding.rows[%d]" % (place, i), features)
        self.layers = []
        for i, layer in enumerate(array(layers, place + ".layers")):
            self.layers.append(_Layer(layer, "%s.layers[%d]" % (place, i), features))
            features = self.layers[-1].features
        need(self.layers, "%s.layers is empty", place)
        self.readout = _Affine(readout, place + ".readout", len(self.outputs), features)

    def steps(self):
        return FloatSteps(self) if self.arithmetic.kind == "float" else ExactSteps(self)

    def __str__(self):
        return "the model of sha256 %s (%d layers, %d state coordinates, %s arithmetic)" % (
            self.sha256,
            len(self.layers),
            sum(layer.width for layer in self.layers),
            self.arithmetic.name,
        )


class ExactSteps:
    """Layers in exact numbers: ints in units of 2^-unit_bits; or Fractions, in exact arithmetic with fractions.

    A state is a tuple of numbers; features are pairs (place, number) of those that are not 0.
    """

    def __init__(self, model):
        arithmetic = model.arithmetic
        self.unit_bits, self.modulus = arithmetic.unit_bits, None
        if arithmetic.kind == "wrap":
            self.modulus = (1 << arithmetic.bits) - 1
        exponents = [model.embedding_exponent] + [layer.initial_exponent for layer in model.layers]
        exponents += [a.exponent for layer in model.layers for a in (layer.gate, layer.increment)]
        exponents += [stage.affine.exponent for layer in model.layers for stage in layer.phi]
        self.fractions = arithmetic.kind == "exact" and any(exponents)
        rows = [[self.stored(n, model.embedding_exponent) for n in row] for row in model.embedding]
        self.embedding = [tuple((i, v) for i, v in enumerate(row) if v) for row in rows]
        self.initial, self.layers, self.shared, self.kept = [], [], {}, 0
        for layer in model.layers:
            h, stages, previous = [self.stored(n, layer.initial_exponent) for n in layer.initial], [], layer.width
            self.initial.append(tuple(h if self.modulus is None else [v & self.modulus for v in h]))
            for stage in layer.phi:
                e, bias, columns = self.columns(stage.affine, previous + layer.inputs)
                low, high = (self.stored(n, stage.affine.exponent) for n in (stage.low, stage.high))
                silent = _active(enumerate(bias), e, stage.activation, low, high)  # what is active by its bias alone
                stages.append((e, bias, columns[:previous], columns[previous:], stage.activation, low, high, silent))
                previous = len(bias)
            gate, increment = (self.columns(affine, layer.inputs) for affine in (layer.gate, layer.increment))
            self.layers.append((gate, increment, stages))
        self.readout = self.columns(model.readout, previous)
        self.silent_outputs = [r for r, b in enumerate(self.readout[1]) if b > 0]

    def stored(self, n, e):
        return _quotient(n, e) if self.fractions else n << self.unit_bits >> e

    def columns(self, affine, inputs):
        """(exponent, bias, for each input its (row, weight) pairs); sums are over 2^(exponent + unit_bits)."""
        spend(60 * inputs)
        columns, e = [[] for _ in range(inputs)], affine.exponent
        for r, row in enumerate(affine.rows):
            for column, weight in row:
                columns[column].append((r, _quotient(weight, e) if self.fractions else weight))
        if self.fractions:
            return 0, [_quotient(b, e) for b in affine.bias], columns
        return e, [b << self.unit_bits for b in affine.bias], columns

    def prepared(self, number, x):
        """Of layer and features: (gates, increments, places to drop, and for each stage the sums that x makes)."""
        (e, bias, gate_columns), (f, increment_bias, columns), stages = self.layers[number]
        gates, increments, parts = bias[:], increment_bias[:], []
        for i, v in x:
            for r, weight in gate_columns[i]:
                gates[r] += weight * v
            for r, weight in columns[i]:
                increments[r] += weight * v
            spend(len(gate_columns[i]) + len(columns[i]))
        # In units, gate / 2^(e + p) times h plus increment / 2^f: both over 2^(e + p + f).
        drop = e + self.unit_bits + f
        if drop:
            gates, increments = [g << f for g in gates], [b << drop - f for b in increments]
        while drop and not any(n & 1 for n in gates + increments):
            gates, increments, drop = [g >> 1 for g in gates], [b >> 1 for b in increments], drop - 1
        for _, bias, _, columns, _, _, _, _ in stages:
            out = {}
            for i, v in x:
                for r, weight in columns[i]:
                    out[r] = (out[r] if r in out else bias[r]) + weight * v
                spend(2 * len(columns[i]))
            spend(20 * len(out))
            parts.append(out)
        spend(10 * len(gates) + 50)
        return gates, increments, drop, parts

    def advance(self, number, prepared, h):
        """The new state of a layer."""
        gates, increments, drop, _ = prepared
        if drop:
            new = tuple([g * v + b >> drop for g, v, b in zip(gates, h, increments)])
        else:
            new = tuple([g * v + b for g, v, b in zip(gates, h, increments)])
        return new if self.modulus is None else tuple([v & self.modulus for v in new])

    def first(self, number, prepared, h):
        """What the first stage makes of a new state."""
        return tuple(self.stage(self.layers[number][2][0], prepared[3][0], [(i, v) for i, v in enumerate(h) if v]))

    def rest(self, number, prepared, z):
        """The features that the other stages make of it, in order.  What z makes without x is shared by many x."""
        for j, (stage, part) in enumerate(zip(self.layers[number][2][1:], prepared[3][1:])):
            e, bias, columns, _, activation, low, high, silent = stage
            if (number, j, z) not in self.shared:
                sums = {}
                for i, v in z:
                    spend(2 * len(columns[i]))
                    for r, weight in columns[i]:
                        sums[r] = sums.get(r, 0) + weight * v
                alone = _active([(r, bias[r] + v) for r, v in sums.items()], e, activation, low, high)
                spend(20 * len(sums) + 100)
                self.kept += len(sums) + 10
                if self.kept > 1000000:
                    self.shared, self.kept = {}, len(sums)
                self.shared[number, j, z] = sums, alone + [pair for pair in silent if pair[0] not in sums]
            sums, alone = self.shared[number, j, z]
            spend(len(part) + len(alone) + 20)
            both = _active([(r, v + sums.get(r, 0)) for r, v in part.items()], e, activation, low, high)
            z = tuple(both + [pair for pair in alone if pair[0] not in part])
        return tuple(sorted(z))

    def stage(self, stage, part, z):
        e, bias, columns, _, activation, low, high, silent = stage
        out, count = dict(part), 20
        for i, v in z:
            column = columns[i]
            count += len(column)
            for r, weight in column:
                out[r] = (out[r] if r in out else bias[r]) + weight * v
        spend(count + len(out))
        z = _active(out.items(), e, activation, low, high)
        return z + [pair for pair in silent if pair[0] not in out] if silent else z

    def given(self, z):
        """The outputs that are positive, as bits."""
        _, bias, columns = self.readout
        out = {}
        for i, v in z:
            for r, weight in columns[i]:
                out[r] = (out[r] if r in out else bias[r]) + weight * v
        spend(3 * len(out) + 5)
        positive = [r for r, total in out.items() if total > 0]
        return bits(positive + [r for r in self.silent_outputs if r not in out], len(bias))

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

    def __init__(self, model):
        self.round = rounder(model.arithmetic.name)
        self.embedding = [tuple(self.stored(n, model.embedding_exponent) for n in row) for row in model.embedding]
        self.initial, self.layers, self.readout = [], [], self.rows(model.readout)
        for layer in model.layers:
            self.initial.append(tuple(self.stored(n, layer.initial_exponent) for n in layer.initial))
            ends = [[self.stored(n, stage.affine.exponent) for n in (stage.low, stage.high)] for stage in layer.phi]
            stages = [(self.rows(stage.affine), stage.activation, *pair) for stage, pair in zip(layer.phi, ends)]
            self.layers.append((self.rows(layer.gate), self.rows(layer.increment), stages))

    def stored(self, n, e):
        return self.round(math.ldexp(float(n), -e))

    def rows(self, affine):
        e = affine.exponent
        rows = [[(column, self.stored(weight, e)) for column, weight in row] for row in affine.rows]
        return [(self.stored(bias, e), row) for bias, row in zip(affine.bias, rows)]

    def affine(self, rows, x):
        rounded, results, count = self.round, [], 5 + len(x) // 10
        for bias, row in rows:
            total = 0.0
            for column, weight in row:
                total = rounded(total + rounded(weight * x[column]))
            results.append(rounded(total + bias))
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

    def first(self, number, prepared, h):
        return self.stage(self.layers[number][2][0], h, prepared[3])

    def rest(self, number, prepared, z):
        for stage in self.layers[number][2][1:]:
            z = self.stage(stage, z, prepared[3])
        return z

    def stage(self, stage, z, x):
        rows, activation, low, high = stage
        z = self.affine(rows, z + x)
        if activation == "relu":
            z = [0.0 if v < 0 else v for v in z]
        elif activation == "clip":
            z = [low if v < low else high if v > high else v for v in z]
        return tuple([v if v == v else NAN for v in z])

    def given(self, z):
        return bits([r for r, v in enumerate(self.affine(self.readout, z)) if v > 0], len(self.readout))

    def value(self, v):
        need(v == v and abs(v) != INFINITY, "a state is infinite or no number")
        return simplest(Fraction(v))


class Run:
    """A model that reads symbols.  States and features of each layer are numbered as they occur."""

    def __init__(self, model):
        self.model, self.steps, self.last = model, model.steps(), len(model.layers) - 1
        self.number, self.states, self.ready, self.known, self.after, self.features, self.rows = (
            [kind() for _ in model.layers] for kind in (dict, list, dict, dict, dict, dict, list)
        )
        self.rows[0] = self.steps.embedding

    def begin(self):
        """(state, outputs) after BOS; a state has a number for each layer, outputs are bits."""
        start = tuple(self.numbered(number, h) for number, h in enumerate(self.steps.initial))
        return self.step(start, len(self.model.symbols))

    def step(self, state, symbol):
        """(state, outputs) after a symbol."""
        x, new = symbol, []
        for number, here in enumerate(state):
            found = self.known[number].get((x, here))
            if found is None:
                found = self.layer(number, x, here)
                if number < self.last:
                    spend(200)
                    self.known[number][x, here] = found
            new.append(found[0])
            x = found[1]
        return tuple(new), x

    def layer(self, number, x, here):
        """(number of the new state, number of the features), of the last layer the outputs instead."""
        steps, ready = self.steps, self.ready[number].get(x)
        if ready is None:
            ready = self.ready[number][x] = steps.prepared(number, self.rows[number][x])
        h = steps.advance(number, ready, self.states[number][here])
        first = steps.first(number, ready, h)
        found = self.after[number].get((x, first))
        if found is None:
            z = steps.rest(number, ready, first)
            spend(400 + 40 * (len(first) + len(z)))
            if number == self.last:
                found = steps.given(z)
            else:
                check_size(z)
                found = self.features[number + 1].setdefault(z, len(self.features[number + 1]))
                self.rows[number + 1] += [z] * (found == len(self.rows[number + 1]))
            self.after[number][x, first] = found
        return self.numbered(number, h), found

    def numbered(self, number, h):
        found = self.number[number].get(h)
        if found is None:
            check_size(h)
            found = self.number[number][h] = len(self.states[number])
            self.states[number].append(h)
        return found

    def values(self, state):
        """The numbers of a state as ints and Fractions, first layer first."""
        return [self.steps.value(v) for number, h in enumerate(state) for v in self.states[number][h]]


def check_size(values):
    """Fails where a number of a state, or of features, is too large to go on with; pays for keeping them."""
    spend(300 + 40 * len(values))
    for v in values:
        v = v[1] if type(v) is tuple else v
        if type(v) is not float:
            small = -LARGEST_STATE <= v <= LARGEST_STATE and (type(v) is int or v.denominator <= LARGEST_STATE)
            need(small, "a state needs more than 4096 bits")


# -- languages, as register machines ----------------------------------------------------------------------------------

_ZERO, _POSITIVE, _SAME = "zero", "positive", "the type of the symbol"
_PAIRS = ("()", "[]", "{}", "<>", "+-", "ab")


class _Machine:
    """Controls, registers and moves.  A state is (control, registers); None is dead.

    A register is a counter, or a cell with the type of a bracket.  A family is a list of symbols that differ in
    their type only, 0, 1, ...; a control and family have at most one move (tests, target, changes).  Tests are
    (register, _ZERO | _POSITIVE | _SAME), changes are (register, amount | _SAME), and a control accepts under tests.
    Every state that is reached has a way to acceptance, so that "has a move" is "may come next".
    """

    def __init__(self, text, families, moves, accepting, start=(0, ()), cells=0):
        self.text, self.families, self.moves, self.accepting, self.start = text, families, moves, accepting, start
        self.cells = cells  # 0: registers are counters; k: they are cells of k values
        self.bits = max(cells - 1, 0).bit_length()

    def arrange(self, order):
        """Symbols become their numbers in this order, which must be of the same symbols."""
        number, named = {name: i for i, name in enumerate(order)}, [name for family in self.families for name in family]
        need(set(named) == set(order), "the model's symbols are not those of %s", self.text)
        self.symbols, self.families = order, [[number[name] for name in family] for family in self.families]
        self.place = {symbol: (f, kind) for f, family in enumerate(self.families) for kind, symbol in enumerate(family)}

    def step(self, state, symbol):
        if state is None:
            return None
        family, kind = self.place[symbol]
        move = self.moves.get(state[0], {}).get(family)
        spend(5 + len(state[1]) // 4)
        return self.moved(state[1], move, kind) if move and holds(move[0], state[1], kind) else None

    def moved(self, registers, move, kind):
        if move[2]:
            registers = list(registers)
            for register, change in move[2]:
                registers[register] = kind if change is _SAME else registers[register] + change
            registers = tuple(registers)
        return move[1], registers

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
        if mode == "recognise":
            return int(self.accepts(state))
        end = [len(self.symbols)] * self.accepts(state)
        return bits([symbol for symbol, _ in self.following(state)] + end, len(self.symbols) + 1)

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
        text, dfa = value["regex"], value["dfa"]
        need(type(text) is str and len(text) <= 100000, "%s.regex is no text of at most 100000 characters", place)
        machine = automaton(dfa, place + ".dfa", "the regular expression %s" % ascii(text))
        machine.text += " over the %d symbols %s" % (len(dfa["symbols"]), some_of(dfa["symbols"]))
        check_expression(text, dfa, place + ".regex")
        return machine
    kind, given = one_key(value, ("name", "dyck", "dfa"), place)
    if kind == "dfa":
        return automaton(given, place + ".dfa", "the automaton of sha256 %s" % sha256(given))
    if kind == "dyck":
        k, h = integers(given, place + ".dyck", 2, 0, 100000)
        need(k > 0, "%s.dyck has no bracket type", place)
        return _bounded_dyck(k, h)
    names = r"(shuffle|boolean)-([1-9][0-9]?)\Z|(flip-flop|dyck-1|anbn|anbncn|anbncndn)\Z"
    match = re.match(names, given) if type(given) is str else None
    known = match and (not match[1] or int(match[2]) <= {"shuffle": 64, "boolean": 5}[match[1]])
    need(known, "%s.name is %s, which is not known", place, show(given))
    if given == "flip-flop":
        return _flip_flop()
    if match[1] == "boolean":
        return boolean(int(match[2]))
    return _runs(given) if given[0] == "a" else shuffle(given, int(match[2] or 1))


def _type_name(number):
    """a, b, ..., z, aa, ab, ..."""
    name, number = "", number + 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("a") + letter) + name
    return name


def _bounded_dyck(k, h):
    """Control: the depth.  Cell j: the type opened last at depth j + 1; closing a bracket leaves it as it is."""
    moves, names = {depth: {} for depth in range(h + 1)}, [_type_name(i) for i in range(k)]
    for depth in range(h):
        moves[depth][0] = (), depth + 1, ((depth, _SAME),)
        moves[depth + 1][1] = ((depth, _SAME),), depth, ()
    families = [["(" + name for name in names], [name + ")" for name in names]]
    text = "Dyck(%d, %d), brackets of %d types nested at most %d deep" % (k, h, k, h)
    return _Machine(text, families, moves, {0: ()}, (0, (0,) * h), k)


def shuffle(name, k):
    """Counter i: how many brackets of pair i are open."""
    pairs = _PAIRS[:k] if k <= len(_PAIRS) else [("(" + _type_name(i), _type_name(i) + ")") for i in range(k)]
    moves = {2 * i: ((), 0, ((i, 1),)) for i in range(k)}
    moves.update((2 * i + 1, (((i, _POSITIVE),), 0, ((i, -1),))) for i in range(k))
    accepting = {0: tuple((i, _ZERO) for i in range(k))}
    text = "%s, shuffles of balanced brackets of %d pairs" % (name, k)
    return _Machine(text, [[bracket] for pair in pairs for bracket in pair], {0: moves}, accepting, (0, (0,) * k))


def boolean(n):
    """Counter 0: how many expressions are still to come."""
    moves = {i: (((0, _POSITIVE),), 0, ((0, amount),)) for i, amount in enumerate([*range(n), -1, -1])}
    text = "boolean-%d, expressions in prefix notation with operators of arity 1 to %d" % (n, n)
    return _Machine(text, [[c] for c in "~+>*^"[:n] + "01"], {0: moves}, {0: ((0, _ZERO),)}, (0, (1,)))


def _runs(name):
    """Control: which run we are in.  Counter i: letters number i that the next letter has not matched yet."""
    letters = name[0::2]
    moves, last = {control: {} for control in range(len(letters) + 1)}, len(letters) - 1
    moves[0][0] = moves[1][0] = (), 1, ((0, 1),)
    for i in range(1, len(letters)):
        tests = ((i - 1, _POSITIVE),) + (((i - 2, _ZERO),) if i > 1 else ())
        moves[i][i] = moves[i + 1][i] = tests, i + 1, ((i - 1, -1),) + (((i, 1),) if i < last else ())
    text, accepting = "%s, equal runs of %s" % (name, ", ".join(letters)), {last + 1: ((last - 1, _ZERO),)}
    return _Machine(text, [[letter] for letter in letters], moves, accepting, (0, (0,) * last))


def _flip_flop():
    """Instructions w, r, i and bits in turn; the bit after r is that after the last w; the first instruction is w."""
    go = [
        {"w": 1},
        {"0": 2, "1": 3},
        {"w": 1, "r": 4, "i": 6},
        {"w": 1, "r": 5, "i": 7},
        {"0": 2},
        {"1": 3},
        {"0": 2, "1": 2},
        {"0": 3, "1": 3},
    ]
    moves = {q: {"wri01".index(symbol): ((), target, ()) for symbol, target in row.items()} for q, row in enumerate(go)}
    return _Machine("flip-flop", [[c] for c in "wri01"], moves, {0: (), 2: (), 3: ()})


def automaton(value, place, text):
    """Controls are the states; moves to states from which no word is possible are left out."""
    names, table, accepting, start = keys(value, ("symbols", "table", "accepting", "start"), place)
    states = len(array(table, place + ".table"))
    symbols(names, place + ".symbols")
    integer(start, 0, states - 1, place + ".start")
    alive, before = set(integers(accepting, place + ".accepting", None, 0, states - 1)), [[] for _ in range(states)]
    for q, row in enumerate(table):
        for target in integers(row, "%s.table[%d]" % (place, q), len(names), 0, states - 1):
            before[target].append(q)
    waiting = list(alive)
    while waiting:
        found = [q for q in before[waiting.pop()] if q not in alive]
        waiting += set(found)
        alive.update(found)
    moves = {q: {i: ((), t, ()) for i, t in enumerate(row) if t in alive} for q, row in enumerate(table) if q in alive}
    first = (start, ()) if start in alive else None
    return _Machine(text, [[name] for name in names], moves, {q: () for q in accepting}, first)


# -- regular expressions ----------------------------------------------------------------------------------------------

_LETTERS, _EMPTY, _CONCATENATION, _REPETITION, _UNION, _COMPLEMENT = range(6)
NESTING = 1000
_MARKED = re.compile(r"<((?:\\(?:_|[^\w\s])|[^\\>\s])+)>|'((?:\\(?:_|[^\w\s])|[^\\'\s])+)'|\\(_|[^\w\s])")
_COUNTS = re.compile(r"\{\s*(?:([0-9]{1,18})\s*(?:(,)\s*([0-9]{1,18})?\s*)?|,\s*([0-9]{1,18})\s*)\}")


class Terms:
    """Expressions in a normal form, as numbers.  A term is (operator, parts); its parts have smaller numbers.

    letters: a frozenset of symbols; concatenation: (first, rest), to the right; repetition: (term, least, most or
    None); union: a frozenset; complement: (term,).  So there are finitely many derivatives (Brzozowski 1964).
    """

    def __init__(self):
        self.number, self.terms, self.nullable, self.derivatives = {}, [], [], {}
        self.nothing, self.empty = self.letters(()), self.term(_EMPTY, (), True)
        self.everything = self.complement(self.nothing)

    def term(self, operator, parts, nullable):
        key = operator, parts
        if key not in self.number:
            spend(300 + 20 * len(parts))
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
        spend(5 * len(factors) + 5)
        for factor in reversed(factors + [left]):
            if right == self.empty:
                right = factor
            elif factor != self.empty:
                right = self.term(_CONCATENATION, (factor, right), self.nullable[factor] and self.nullable[right])
        return right

    def union(self, terms):
        members = set()
        for term in terms:
            members.update(self.terms[term][1] if self.terms[term][0] == _UNION else (term,))
        letters = {term for term in members if self.terms[term][0] == _LETTERS}
        spend(10 + len(members) + sum(len(self.terms[term][1]) for term in letters))
        if self.everything in members:
            return self.everything
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
            one = operator == _REPETITION or operator == _CONCATENATION and not self.nullable[parts[0]]
            needed = () if operator in (_LETTERS, _EMPTY) else parts[:1] if one else parts
            missing = [part for part in needed if part not in known]
            spend(40 + len(needed))
            if missing:
                stack += missing
            else:
                known[stack.pop()] = self.derived(operator, parts, symbol, known)
        return known[term]

    def derived(self, operator, parts, symbol, known):
        if operator in (_LETTERS, _EMPTY):
            return self.empty if symbol in parts else self.nothing
        if operator == _UNION:
            return self.union([known[part] for part in parts])
        if operator == _COMPLEMENT:
            return self.complement(known[parts[0]])
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

    def need(self, condition, reason):
        need(condition, "%s, column %d: %s", self.place, self.at + 1, reason)

    def peek(self):
        """The next character that is not blank; blanks are skipped."""
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1
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
        terms, more = [], False
        while more or not terms:
            if not anchored and (self.peek() == "|" or more and self.peek() in (")", "")):
                terms.append(self.terms.empty)
            else:
                terms.append(self.operand(anchored))
                while self.take("&"):
                    both = self.terms.complement(terms.pop()), self.terms.complement(self.operand(anchored))
                    terms.append(self.terms.complement(self.terms.union(both)))
            more = self.take("|")
        self.depth -= 1
        return self.terms.union(terms) if len(terms) > 1 else terms[0]

    def operand(self, anchored):
        """A concatenation, from the right."""
        self.need(not anchored or self.take("^"), "anchors are not around every alternative")
        factors = [] if anchored and self.peek() == "$" else [self.factor()]
        while self.peek() not in ("", "|", "&", ")", "$"):
            factors.append(self.factor())
        self.need(not anchored or self.take("$"), "anchors are not around every alternative")
        term = self.terms.empty
        for factor in reversed(factors):
            term = self.terms.concatenation(factor, term)
        return term

    def factor(self):
        """An atom with its repetitions, and complements of it."""
        negated = False
        while self.take("~"):
            negated = not negated
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
        if c and c in "<'\\":
            return self.choice({self.marked()})
        self.at += 1
        if c == "(":
            plain = self.text[self.at : self.at + 1] != "?"
            self.need(plain or self.text.startswith("?:", self.at), "a group is ( ) or (?: )")
            self.at += 0 if plain else 2
            term = self.terms.empty if self.peek() == ")" else self.union()
            self.need(self.take(")"), "')' is expected")
            return term
        if c == "[":
            return self.symbol_set()
        if c and c in ".\u03b5\u2205":
            return self.terms.empty if c == "\u03b5" else self.choice((), c == ".")
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
        if c in "<'\\":
            return self.marked()
        self.at += 1
        return c

    def choice(self, chosen, negated=False):
        self.need(self.alphabet.issuperset(chosen), "a symbol is not one of the automaton")
        spend(len(self.alphabet) if negated else 1)
        self.classes.add(frozenset(chosen))
        return self.terms.letters(self.alphabet - set(chosen) if negated else chosen)


def check_expression(text, dfa, place):
    """Every pair (derivative, state) that a string leads to agrees on the empty word."""
    names, table, accepting = dfa["symbols"], dfa["table"], set(dfa["accepting"])
    parser = _Parser(text, names, place)
    seen, alike = {(parser.whole(), dfa["start"])}, {}
    for i, name in enumerate(names):  # symbols that no set of the expression tells apart, and no column of the table
        spend(10 * (len(parser.classes) + len(table)))
        alike.setdefault((tuple(name in c for c in parser.classes), tuple(row[i] for row in table)), (i, name))
    waiting = list(seen)
    for term, q in waiting:
        right = parser.terms.nullable[term] == (q in accepting)
        need(right, "%s: expression and automaton differ in state %d", place, q)
        for i, name in alike.values():
            pair = parser.terms.derivative(term, name), table[q][i]
            if pair not in seen:
                spend(300)
                seen.add(pair)
                waiting.append(pair)


# -- closed: every pair of a machine's and a model's state ------------------------------------------------------------


def check_closed(claim, evidence):
    most, dead = keys(evidence, ("states", "dead"), "evidence.closed")
    integer(most, 1, LARGEST, "evidence.closed.states")
    model, machine, mode, relation = claim.model, claim.machine, claim.mode, None
    if dead is not None:
        need(mode == "recognise", "evidence.closed.dead: in predictive mode nothing is asked of dead strings")
        relation = Relation(claim, [{"control": None, "ranges": [], "state": dead}], "evidence.closed.dead")
        relation.check_dead()
    numbers, states, known, everything = {machine.start: 0}, [machine.start], {}, range(len(model.symbols))

    def answers(q):
        """What is wanted in machine state q, and the symbols that are followed with the states they lead to."""
        if q not in known:
            pairs = machine.following(states[q])
            if mode == "recognise":
                pairs = sorted({**dict.fromkeys(everything), **dict(pairs)}.items())
            for _, target in pairs:
                if target not in numbers:
                    spend(300)
                    numbers[target] = len(states)
                    states.append(target)
            spend(100 + 20 * len(pairs))
            known[q] = machine.wanted(states[q], mode), [(symbol, numbers[target]) for symbol, target in pairs]
        return known[q]

    run = Run(model)
    state, given = run.begin()
    compare(claim, given, answers(0)[0], "closed: after BOS")
    seen, layer, length = {(0, *state)}, [(0, *state)], 0
    while layer and length != claim.horizon:
        length, following = length + 1, []
        for q, *state in layer:
            for symbol, target in answers(q)[1]:
                new, given = run.step(state, symbol)
                if given != answers(target)[0]:
                    last = show(model.symbols[symbol])
                    place = "closed: after a string of %d symbols that ends with %s" % (length, last)
                    compare(claim, given, answers(target)[0], place)
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


def named(claim, mask):
    return "{%s}" % some_of([name for i, name in enumerate(claim.model.outputs) if mask >> i & 1])


# -- relation: what holds in each control, for any values of the registers --------------------------------------------


class _Form:
    """constant + the sum of coefficient times parameter; parameters are integers, coefficients not 0."""

    __slots__ = ("constant", "terms")

    def __init__(self, constant, terms):
        self.constant, self.terms = constant, terms


def form(constant, terms):
    terms = {p: a for p, a in terms.items() if a}
    return _Form(constant, terms) if terms else constant


def coefficients(v):
    """The numbers that a number or form is made of."""
    return (v.constant, *v.terms.values()) if type(v) is _Form else (v,)


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
    """Ranges of parameters: the case's (base), but for some (own); what is known on them; the box it was cut from."""

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
        spend(20 + len(self.own))
        least, most = max(low, least), min(high, most)
        return None if least > most else _Box(self.base, {**self.own, p: (least, most)}, {}, self)

    def bounds(self, v):
        """The least and the greatest value; a form attains them."""
        if type(v) is not _Form:
            return v, v
        spend(2 * len(v.terms))
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
        need(width < INFINITY, "a relu, clip or product depends on two unbounded numbers")
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
        right = control is not None or self.claim.mode == "recognise"
        need(right, "%s: in predictive mode nothing is asked of dead strings", place)
        need(control not in self.entries, "%s: its control has an entry already", place)
        registers, limits = len(self.machine.start[1]) if control is not None else 0, []
        for i, pair in enumerate(array(ranges, place + ".ranges", registers)):
            where = "%s.ranges[%d]" % (place, i)
            if self.machine.cells:
                need(pair is None, "%s is not null, the range of a cell", where)
            else:
                low, high = array(pair, where, 2)
                integer(low, 0, LARGEST, where)
                limits.append((low, INFINITY if high is None else integer(high, low, LARGEST, where)))
        e, layers = keys(state, ("exponent", "layers"), place + ".state")
        integer(e, 0, _MOST_PLACES, place + ".state.exponent")
        array(layers, place + ".state.layers", len(self.model.layers))
        for number, (terms, layer) in enumerate(zip(layers, self.model.layers)):
            for c, term in enumerate(array(terms, "%s.state.layers[%d]" % (place, number), layer.width)):
                right = self.is_term(term, registers)
                need(right, "%s.state.layers[%d][%d] is no term that machine, mode and horizon allow", place, number, c)
        self.entries[control] = limits, e, [term for terms in layers for term in terms]

    def is_term(self, term, registers):
        if type(term) is not list or not term:
            return type(term) is int and abs(term) <= LARGEST
        kind, numbers = term[0], term[1:]
        if kind == "any" and None in numbers:
            return len(numbers) == 2 and all(n is None or type(n) is int and abs(n) <= LARGEST for n in numbers)
        if not all(type(n) is int and abs(n) <= LARGEST for n in numbers):
            return False
        if kind == "any":
            growing = len(numbers) == 4 and self.horizon is not None and min(numbers[2:]) >= 0
            return (len(numbers) == 2 or growing) and numbers[0] <= numbers[1]
        if self.machine.cells:
            right = kind == "b" and len(numbers) == 2
            return right and 0 <= numbers[0] < registers and 0 <= numbers[1] < self.machine.bits
        return kind == "r" and len(numbers) == 1 and 0 <= numbers[0] < registers

    # The model's numbers, as wires: each is computed from other wires.

    def compile(self):
        self.wires, model = [], self.model

        def new(*wire):
            self.wires.append(wire)
            spend(10)
            return len(self.wires) - 1

        def sums(affine, wires):
            spend(3 * sum(map(len, affine.rows)) + len(wires))
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
        e = model.embedding_exponent
        self.embedding = [[self.stored(_quotient(n, e), None) for n in row] for row in model.embedding]
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
        if all(type(n) is int or unit % n.denominator == 0 for n in coefficients(v)):
            return v
        folded = box.fold(v)
        if type(folded) is _Form:
            raise box.cut(folded)
        return self.stored(folded, box)

    def value(self, wire, box):
        """The number or form on a wire, on all of the box, or a Cut.  What is known of a larger box holds here, too."""
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
            self.bounded(end, box)
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
                spend(len(v.terms))
                constant += weight * v.constant
                for p, a in v.terms.items():
                    terms[p] = terms.get(p, 0) + weight * a
            elif v:
                constant += weight * v
            if self.precision:
                spend(30)
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
                need(finite, "a gate and a state are both unbounded")
                raise box.cut(finite[0])
        v, w = (w, v) if type(v) is _Form else (v, w)
        return self.bounded(plus(0, w, v), box)

    def bounded(self, v, box):
        """v, where floats hold every value that it has in the box."""
        if self.precision:
            digits, places = self.precision
            unit, (low, high) = max(1 if type(n) is int else n.denominator for n in coefficients(v)), box.bounds(v)
            exact = unit <= 1 << places and -(1 << digits) <= low * unit <= high * unit <= 1 << digits
            need(exact, "a number that is up to %s may not be exact in %s", max(high, -low), self.arithmetic.name)
        return v

    # Templates.

    def opened(self, control):
        """(box, registers, what each parameter can be as time goes on): the template with its parameters."""
        limits, e, terms = self.entries[control]
        base, registers, times, memo = [], [], [], {}
        steps = None if self.horizon is None else max(self.horizon - 1, 0)

        def parameter(low, high, down=0, up=0):
            times.append((low, high, down, up))
            base.append((low - (steps or 0) * down, high + (steps or 0) * up))
            return _Form(0, {len(base) - 1: 1})

        if control is not None and self.machine.cells:
            for _ in self.machine.start[1]:
                registers.append([parameter(0, 1) for _ in range(self.machine.bits)])
        elif control is not None:
            for i, (low, high) in enumerate(limits):
                v = parameter(low, high)
                if steps is not None:
                    times[-1] = low, max(self.machine.start[1][i], low), 0, self.machine.fastest(i)
                    base[-1] = low, min(high, self.machine.start[1][i] + steps * self.machine.fastest(i))
                registers.append(v)
        for wire, term in zip(self.before, terms):
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
        return plus(0, parameter(low, high, *term[3:]), _quotient(1, e))

    def lands(self, term, e, v, registers, box, times, t, place):
        """Checks that the number or form v is what the term says, after t symbols, or one step later for forms."""
        if type(term) is int or term[0] != "any":
            difference = box.bounds(plus(v, self.term(term, e, registers, None), -1))
            return need(difference == (0, 0), "%s is not what the template says", place)
        low = -INFINITY if term[1] is None else _quotient(term[1], e)
        high = INFINITY if term[2] is None else _quotient(term[2], e)
        down, up = (_quotient(n, e) for n in term[3:] or (0, 0))
        whole = all(type(n) is int or (1 << e) % n.denominator == 0 for n in coefficients(v))
        need(whole, "%s is no multiple of the template's unit", place)
        least, most = box.bounds(v)
        if low - t * down <= least and most <= high + t * up:
            return None
        for p, a in v.terms.items() if type(v) is _Form and len(term) > 3 else ():
            # A parameter, times a, that stays within these bounds as they move, and what is added to it in one step.
            first, last, falls, rises = (a * n for n in times[p])
            first, last, falls, rises = (first, last, falls, rises) if a > 0 else (last, first, -rises, -falls)
            least, most = box.bounds(plus(v, _Form(0, {p: a}), -1))
            if low <= first and last <= high and falls <= down and rises <= up and -down <= least and most <= up:
                return None
        raise Failed("%s is not within the range of the template" % place)

    def arrives(self, control, values, registers, box, times, t, place):
        """Checks that new values (wires, or numbers) lie in the entry of a control, with these registers."""
        need(control in self.entries, "%s: there is no entry for control %s", place, control)
        limits, e, terms = self.entries[control]
        for i, (low, high) in enumerate(limits):
            least, most = box.bounds(registers[i])
            inside = low <= least and most <= high
            need(inside, "%s: counter %d may be outside of its range in control %s", place, i, control)
        for c, (term, v) in enumerate(zip(terms, values)):
            where = "%s: coordinate %d" % (place, c)
            if box.base is None:
                self.lands(term, e, v, registers, box, times, t, where)
            else:
                everywhere(
                    box,
                    lambda b, term=term, v=v, where=where: self.lands(
                        term, e, self.value(v, b), registers, b, times, t, where
                    ),
                )

    def covers(self, values, length):
        """Whether a dead state, after a string of this length, lies in the template of the entry null."""
        try:
            self.arrives(None, values, (), _Box(None, {}, {}), (), length, "")
            return True
        except Failed:
            spend(50)
            return False

    # Steps.

    def check(self):
        machine, run = self.machine, Run(self.model)
        state, given = run.begin()
        compare(self.claim, given, machine.wanted(machine.start, self.claim.mode), "relation: after BOS")
        control, registers = machine.start
        if machine.cells:
            registers = [[0] * machine.bits for _ in registers]
        self.arrives(control, run.values(state), registers, _Box(None, {}, {}), (), 0, "relation: after BOS")
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
        own = [kind >> b & 1 for b in range(width)] if kind is not None else []
        if kind is None:
            own = [_Form(0, {len(box.base) + b: 1}) for b in range(width)]
            box.base += [(0, 1)] * width
            times += [(0, 1, 0, 0)] * width
        if move:
            bits = cell if kind is None and cell else own
            inside = satisfied(box, registers, tests, bits)
            if inside is not None:
                after = list(registers)
                for r, change in move[2]:
                    after[r] = bits if change is _SAME else plus(after[r], change)
                self.check_case(f, kind, bits, box.memo, inside, move[1], after, times, place)
        if self.claim.mode == "recognise":
            for part in filter(None, violated(box, registers, tests, own) if move else [box]):
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
        spend(100 + 5 * len(memo))
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
        wire, name = self.outputs[output], show(self.model.outputs[output])

        def positive(b):
            need(b.bounds(self.value(wire, b))[0] > 0, "%s: output %s may be missing", place, name)

        def silent(b):
            need(b.bounds(self.value(wire, b))[1] <= 0, "%s: output %s may be given", place, name)

        if tests is None:
            return everywhere(box, silent)
        bits = [kind >> b & 1 for b in range(self.machine.bits)] if kind is not None else ()
        inside = satisfied(box, registers, tests, bits)
        if inside is not None:
            everywhere(inside, positive)
        for part in filter(None, violated(box, registers, tests, bits)):
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
    """Parts of the box, or None, that together are all of it where some test does not hold."""
    for r, test in tests:
        if test is _SAME:
            for v, bit in zip(registers[r], bits):
                for one in (0, 1):
                    part = between(box, v, 1 - one, 1 - one)
                    yield part and between(part, bit, one, one)
        else:
            low, high = (-INFINITY, 0) if test is _POSITIVE else (1, INFINITY)
            yield between(box, registers[r], low, high)


def between(box, v, low, high):
    """The part of the box where low <= v <= high, for a number or a parameter plus a number; or None."""
    if type(v) is not _Form:
        return box if low <= v <= high else None
    ((p, _),) = v.terms.items()
    return box.within(p, low - v.constant, high - v.constant)


# -- levels: digits that name sets of states --------------------------------------------------------------------------


def check_levels(claim, evidence):
    place, model, machine, predictive = "evidence.levels", claim.model, claim.machine, claim.mode == "predictive"
    digits, root, sets = keys(evidence, ("digits", "root", "sets"), place)
    right = claim.dfa is not None and claim.horizon is None and model.arithmetic.kind != "float"
    need(right, "%s is for automata, without a horizon, and not for floats", place)
    for number, coordinates in enumerate(array(digits, place + ".digits", len(model.layers))):
        integers(coordinates, "%s.digits[%d]" % (place, number), None, 0, model.layers[number].width - 1)
        need(len(set(coordinates)) == len(coordinates), "%s.digits[%d] has a coordinate twice", place, number)
    table, start = claim.dfa["table"], claim.dfa["start"]
    masks, level, tiles = read_chart(sets, root, len(table), sum(map(bool, digits)), place)
    alive, column = bits(machine.moves, len(table)), {name: i for i, name in enumerate(claim.dfa["symbols"])}
    letters = {}  # symbols with one row of the embedding and one column of the table are one letter
    for symbol, name in enumerate(model.symbols):
        spend(10 * len(table))
        letters.setdefault((tuple(model.embedding[symbol]), tuple(row[column[name]] for row in table)), symbol)
    action = {symbol: images for (_, images), symbol in letters.items()}
    steps, images = model.steps(), {}

    def image(s, symbol):
        if (s, symbol) not in images:
            states = members(masks[s])
            spend(len(states) + len(table) // 10 + 200)
            images[s, symbol] = bits([action[symbol][q] for q in states], len(table))
        return images[s, symbol]

    def digit(h, coordinates, where):
        number = 0
        for i, c in enumerate(coordinates):
            bit = h[c] >> steps.unit_bits if not steps.fractions else math.floor(h[c])
            need(bit in (0, 1), "levels, layer %d: coordinate %d is no bit after some symbol", where, c)
            number |= bit << i
        return number

    rows = [steps.embedding[symbol] for symbol in action]  # the features of this layer
    facts = {(x, root, root, symbol) for x, symbol in enumerate(action)}
    bos, here, depth = steps.embedding[len(model.symbols)], root, 0
    for number, coordinates in enumerate(digits):
        prepared, ready = [steps.prepared(number, x) for x in rows], steps.prepared(number, bos)
        h = steps.advance(number, ready, steps.initial[number])
        bos = steps.rest(number, ready, steps.first(number, ready, h))
        named, states = {}, [h]  # the digit of each state of this layer, from all features that occur
        for h in states:
            if h not in named:
                check_size(h)
                named[h] = digit(h, coordinates, number)
                states += [steps.advance(number, x, h) for x in prepared]
                spend(len(prepared) * (len(h) + 5))
        if coordinates and level[here] == depth:
            need(named[states[0]] < len(tiles[here]), "levels, layer %d: after BOS the digit names no tile", number)
            here = tiles[here][named[states[0]]]
        features, following, groups = {}, set(), {}
        for x, *fact in facts:
            groups.setdefault(x, []).append(fact)
        for x, group in groups.items():
            # What this layer does with the features x: from each digit before to each digit and features after.
            ways, after_first = {}, {}
            for h, d in named.items():
                new = steps.advance(number, prepared[x], h)
                first = steps.first(number, prepared[x], new)
                if first not in after_first:
                    z = steps.rest(number, prepared[x], first)
                    check_size(z)
                    after_first[first] = features.setdefault(z, len(features))
                ways.setdefault(d, {})[named[new], after_first[first]] = None
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
                            known = new < len(tiles[after])
                            need(known, "levels, layer %d: digit %d names no tile of set %d", number, new, after)
                            goal = tiles[after][new]
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


def members(mask):
    return [q for q, bit in enumerate(reversed(bin(mask)[2:])) if bit == "1"]


def read_chart(sets, root, states, levels, place):
    """(sets as bits, their levels, their tiles): sets that nest, down to single states at the last level."""
    masks, level, tiles = [], [], []
    for s, entry in enumerate(array(sets, place + ".sets")):
        where = "%s.sets[%d]" % (place, s)
        chosen, depth, parts = keys(entry, ("states", "level", "tiles"), where)
        masks.append(bits(integers(chosen, where + ".states", None, 0, states - 1), states))
        level.append(integer(depth, 0, levels, where + ".level"))
        tiles.append(integers(parts, where + ".tiles", None, 0, len(sets) - 1))
    integer(root, 0, len(sets) - 1, place + ".root")
    need(masks[root] == (1 << states) - 1, "%s: the root is not the set of all states", place)
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


def check_word(claim, evidence):
    """Runs model and machine; rounds are skipped once both are where they have been."""
    (parts,) = keys(evidence, ("parts",), "evidence.word")
    number = {name: i for i, name in enumerate(claim.model.symbols)}
    run, state = Run(claim.model), claim.machine.start
    (here, given), length = run.begin(), 0
    for i, part in enumerate(array(parts, "evidence.word.parts")):
        names, times = array(part, "evidence.word.parts[%d]" % i, 2)
        word = spelled(names, number, "evidence.word.parts[%d]" % i)
        need(word, "evidence.word.parts[%d] has no symbols", i)
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
    right = claim.mode == "recognise" or state is not None
    need(right, "word: the string is no prefix of a word, and nothing is asked of it")
    wanted = claim.machine.wanted(state, claim.mode)
    need(given != wanted, "word: the model is right after this string")
    text = " ".join("(%s)%s" % (" ".join(names), "^%d" % times if times > 1 else "") for names, times in parts)
    text = text if len(text) <= 200 else text[:200] + " ..."
    claim.text += ": after the string of %d symbols %s it gives %s, not %s" % (
        length,
        text,
        named(claim, given),
        named(claim, wanted),
    )


def spelled(names, number, place):
    word = []
    for name in array(names, place):
        need(type(name) is str and name in number, "%s: %s is no symbol", place, show(name))
        word.append(number[name])
    return word


def check_cycle(claim, evidence):
    machine, place = claim.machine, "evidence.cycle"
    u, w, v, period = keys(evidence, ("u", "w", "v", "period"), place)
    number = {name: i for i, name in enumerate(machine.symbols)}
    u, w, v = (spelled(names, number, place) for names in (u, w, v))
    integer(period, 2, LARGEST, place + ".period")

    def after(state, word):
        for symbol in word:
            state = machine.step(state, symbol)
        return state

    first = state = after(machine.start, u)
    found = set()
    for _ in range(period):
        found.add(machine.accepts(after(state, v)))
        state = after(state, w)
        spend(20)
    need(state == first, "cycle: the machine is not back after %d rounds", period)
    need(len(found) == 2, "cycle: all of these strings are words, or none")


def _check_bound(claim, evidence):
    (most,) = keys(evidence, ("states",), "evidence.bound")
    integer(most, 1, LARGEST, "evidence.bound.states")
    model = claim.model
    need(model.arithmetic.kind != "wrap", "bound: numbers that wrap do not keep their order")
    steps = model.steps()
    rows, bos = set(steps.embedding[:-1]), steps.embedding[-1]
    for number in range(len(model.layers)):
        ready = steps.prepared(number, bos)
        waiting = [steps.advance(number, ready, steps.initial[number])]
        bos = steps.rest(number, ready, steps.first(number, ready, waiting[0]))
        prepared, states, rows = [steps.prepared(number, x) for x in rows], set(), set()
        for gates, _, _, _ in prepared:
            right = all(0 <= gate < INFINITY for gate in gates)
            need(right, "bound: a gate of layer %d is negative or not finite", number)
        for h in waiting:
            if h not in states:
                check_size(h)
                need(all(-INFINITY < v < INFINITY for v in h), "bound: a state of layer %d is not finite", number)
                states.add(h)
                for x in prepared:
                    waiting.append(steps.advance(number, x, h))
                    z = steps.rest(number, x, steps.first(number, x, waiting[-1]))
                    if z not in rows:
                        check_size(z)
                        rows.add(z)
                    spend(len(h) + 200)
                large = len(states) > most or len(rows) > most
                need(not large, "bound: layer %d has more than %d states or features", number, most)


# -- claims -----------------------------------------------------------------------------------------------------------

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
        need(type(kind) is str and kind in _KINDS, "claim is %s, expected one of %s", show(kind), ", ".join(_KINDS))
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
            need(self.mode in ("predictive", "recognise"), "mode is %s", show(self.mode))
            right = (self.model.outputs == [_ACCEPT]) == (self.mode == "recognise")
            need(right, "model.outputs are not those of the mode %s", self.mode)
            right = self.mode == "recognise" or self.machine.start is not None
            need(right, "the language has no word, so in predictive mode nothing is asked")
        self.text = self.sentence()  # evidence may add to it

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
            need(self.machine.start is not None, "relation: the language has no word")
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
    sys.setrecursionlimit(6000)
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
