#!/usr/bin/env python3
"""Checks a proof certificate again: python3 -I -S checker.py [--work N] FILE

One file, Python 3.8 or newer, the standard library alone; docs/certificates.md says what it reads and what that means.
One line is printed: VERIFIED and the claim in its own words (status 0), FAILED and the first reason with its place (1),
or on stderr why the file is no certificate (2).
"""
import sys

if __name__ == "__main__" and not sys.flags.isolated:
    del sys.path[0]  # no file beside this one stands in for a part of the standard library
import gc, gzip, hashlib, io, json, math, operator, os, re, struct, unicodedata, zlib  # noqa: E401, E402, I001
from fractions import Fraction  # noqa: E402
from functools import lru_cache, reduce  # noqa: E402
FORMAT, _ACCEPT, _EOS, INFINITY, NAN = "ssm-certificate 2", "<accept>", "<eos>", math.inf, math.nan
TEXT_LIMIT = 16 << 20  # bytes, after decompression
LARGEST, LARGEST_STATE = 1 << 62, 1 << 4096  # of the file's integers, and of numerators and denominators in a state
class Failed(Exception): """The file does not show its claim; the text says why and where."""
class Rejected(Exception): """The file is none."""
class Work:
    """Operations and stored numbers, counted: a hostile file ends with a reason."""
    limit = left = 10**9
class Record:
    """What has these parts, as attributes."""
    def __init__(self, **parts): self.__dict__.update(parts)
def need(condition, text, *values):
    if not condition: raise Failed(text % values)
def paid(things, each, once=0):
    """The things, work on each of which is paid for."""
    Work.left -= each * len(things) + once
    if Work.left < 0: raise Failed("more than %d operations: --work N raises this bound" % Work.limit)
    return things
def spend(amount): paid((), 0, amount)
# -- the file ---------------------------------------------------------------------------------------------------------
def _load(path):
    """The JSON object of a file, its text strict and bounded."""
    try:
        if not os.path.isfile(path): raise Rejected("is not a file" if os.path.exists(path) else "no such file")
        with open(path, "rb") as file: data = file.read(TEXT_LIMIT + 1)
        if data[:2] == b"\x1f\x8b": data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(TEXT_LIMIT + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error: raise Rejected("cannot be read (%s)" % error) from None
    if len(data) > TEXT_LIMIT: raise Rejected("holds more than %d bytes of text" % TEXT_LIMIT)
    hooks = {"parse_int": _whole} if re.search(b"[0-9]{21}", data) else {}
    hooks.update(parse_float=_no_number, parse_constant=_no_number, object_pairs_hook=_once)
    try: value = json.loads(data.decode("utf-8"), **hooks)
    except RecursionError: raise Rejected("is nested too deeply") from None
    except ValueError as error: raise Rejected("is not the JSON of a certificate (%s)" % error) from None
    if type(value) is not dict or value.get("format") != FORMAT: raise Rejected("is not of the format %r" % FORMAT)
    return value
def _once(pairs):
    if len(dict(pairs)) < len(pairs): raise ValueError("an entry is given twice")
    return dict(pairs)
def _whole(text):
    if len(text) > 20: raise ValueError("a number of %d digits" % len(text))
    return int(text)
def _no_number(text): raise ValueError("%.20s is no integer" % text)
def read(value, shape, place=""):
    """The value, of this shape: {key: shape}, which becomes a Record; [shape] or [shape, length], an array; (low, high)
    or (low, high, None), an integer, or null; str, a text, and a set, one of these texts; None, read elsewhere; else a
    function of value and place."""
    if type(shape) is dict:
        whole, inside = place or "the certificate", place + "." if place else ""
        need(type(value) is dict, "%s is no object", whole)
        for name in [name for name in shape if name not in value]: raise Failed("%s has no entry %s" % (whole, name))
        for name in [name for name in value if name not in shape]:
            raise Failed("%s has an unknown entry %s" % (whole, show(name)))
        return Record(**{name: read(value[name], shape[name], inside + name) for name in shape})
    if type(shape) is list:
        need(type(value) is list, "%s is no array", place)
        if shape[1:]: need(len(value) == shape[1], "%s has %d entries, expected %s", place, len(value), shape[1])
        part = shape[0]
        whole = type(part) is tuple and all([type(n) is int and part[0] <= n <= part[1] for n in paid(value, 1)])
        if part is None or whole: return value
        return [read(one, part, "%s[%d]" % (place, i)) for i, one in enumerate(paid(value, 1))]
    if type(shape) is tuple:
        right = type(value) is int and shape[0] <= value <= shape[1] or value is None and None in shape
        need(right, "%s is not an integer from %d to %d", place, *shape[:2])
    elif shape is str or type(shape) is set:
        need(type(value) is str, "%s is %s, no text", place, show(value))
        need(shape is str or value in shape, "%s is %s, which is not known", place, show(value))
    return value if shape is None or shape is str or not callable(shape) else shape(value, place)
def one_of(value, shapes, place):
    """(key, value) of an object with one key, out of these."""
    right = type(value) is dict and len(value) == 1 and value.keys() <= shapes.keys()
    need(right, "%s is no object with one entry out of %s", place, ", ".join(shapes))
    return [(key, read(one, shapes[key], "%s.%s" % (place, key))) for key, one in value.items()][0]
def symbols_of(value, place):
    names = read(value, [str], place)
    for name in names:
        odd = any([c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in name])  # Cs: half a character
        need(not odd and name not in ("", _ACCEPT, _EOS, "<bos>"), "%s: %s cannot be a symbol", place, show(name))
    need(names and len(set(names)) == len(names), "%s: symbols are missing, or one occurs twice", place)
    return names
def show(value): return ascii(value) if len(ascii(value)) <= 60 else ascii(value)[:57] + "..."
def some_of(names): return " ".join(map(show, names[:8])) + (" ..." if len(names) > 8 else "")
def bits(numbers):
    """A set of numbers, as an integer with a bit for each."""
    size = max(numbers, default=0) // 8
    return reduce(operator.or_, (1 << n for n in paid(numbers, 1 + size // 500, 2 * size)), 0)
def sha256(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()
def reached(start, following, most=INFINITY, text=""):
    """{all that can be reached: after how many steps}, in the order of discovery; following(one, its steps)."""
    found, order = dict.fromkeys(start, 0), list(start)
    for here in order:
        for new in following(here, found[here]):
            if new in found: continue
            need(len(found) < most, text, most)
            found[new] = found[here] + 1
            order.append(new)
    return found
# -- numbers ----------------------------------------------------------------------------------------------------------
# Significant bits, binary places of the least number, and struct's code.
FLOATS = {"float16": (11, 24, "e"), "float32": (24, 149, "f"), "float64": (53, 1074, "d")}
ARITHMETICS = {"exact", *FLOATS, *["fixed:%d" % p for p in range(33)], *["wrap:%d" % p for p in range(1, 53)]}
def arithmetic_of(value, place):
    """What a model's numbers are: "exact", "fixed", "wrap" or floats; their binary places, where they have some; and
    how numbers of the file are read, added and multiplied, and states stored."""
    kind, _, count = read(value, ARITHMETICS, place).partition(":")
    places, modulus = {"fixed": int(count or 0), "wrap": 0}.get(kind), 1 << int(count) if kind == "wrap" else None
    here = Record(name=value, kind=kind, places=places, modulus=modulus, floats=kind in FLOATS)
    here.state = lambda v: floored(v, places) % modulus if modulus else floored(v, places)
    here.number, here.sum, here.mul = lambda v: v, sum, operator.mul
    if here.floats:
        rounded = rounder(kind)
        here.number, here.mul = lambda v: rounded(float(v)), lambda v, w: rounded(v * w)
        here.sum = lambda terms, v=0.0: reduce(lambda v, w: rounded(v + w), terms, v)
    return here
def quotient(n, e): return Fraction(n, 1 << e) if n & (1 << e) - 1 else n >> e
def floored(v, places):
    """Rounded down to a multiple of 2^-places, where there are places."""
    return v if type(v) is int or places is None else quotient(math.floor(v * (1 << places)), places)
def rounder(name):
    """x -> the float of this format that is nearest, ties to even; x is a float64 that one operation gave: sums and
    products of two numbers of up to 24 bits, rounded to 53 and then to 24 or 11, are as rounded once."""
    form = struct.Struct("<" + FLOATS[name][2])
    @lru_cache(100000)
    def rounded(x):
        try: return form.unpack(form.pack(x))[0] if x == x else NAN
        except OverflowError: return math.copysign(INFINITY, x)
    return rounded
# -- models -----------------------------------------------------------------------------------------------------------
_EXPONENT, _NUMBER, _NATURAL, _COUNT = (0, 62), (-LARGEST, LARGEST), (0, LARGEST), (1, LARGEST)
_MAP = {"exponent": _EXPONENT, "bias": [_NUMBER], "rows": [[_NUMBER]]}  # x -> (rows x + bias) / 2^exponent
_STAGE = {"affine": _MAP, "activation": {"relu", "linear", "clip"}, "low": _NUMBER, "high": _NUMBER}
_LAYER = {"initial": {"exponent": _EXPONENT, "values": [_NUMBER]}, "gate": _MAP, "increment": _MAP, "phi": [_STAGE]}
_MODEL = {"arithmetic": arithmetic_of, "symbols": symbols_of, "outputs": [str], "layers": [_LAYER], "readout": _MAP,
          "embedding": {"exponent": _EXPONENT, "rows": [[_NUMBER]]}}
def affine_map(affine, place, inputs, outputs):
    """Checks that it is of so many inputs and outputs, and makes numbers of it: in rows, pairs (column, weight), and in
    columns, pairs (row, weight)."""
    for name in ("bias", "rows"): read(vars(affine)[name], [None, outputs], "%s.%s" % (place, name))
    affine.columns, e = [[] for _ in paid(range(inputs), 60)], affine.exponent
    for r, row in enumerate(affine.rows):
        columns, weights = row[0::2], row[1::2]
        need(len(columns) == len(weights) and 0 not in weights, "%s.rows[%d]: a weight is missing or 0", place, r)
        right = all([i < j for i, j in zip([-1] + columns, columns + [inputs])])
        need(right, "%s.rows[%d]: columns do not ascend from 0 to less than %d", place, r, inputs)
        affine.rows[r] = [(c, quotient(weight, e)) for c, weight in zip(columns, weights)]
        for c, weight in affine.rows[r]: affine.columns[c].append((r, weight))
    affine.bias = [quotient(n, e) for n in affine.bias]
class _Model(Record):
    """Weights, as the file gives them; what a step is, Run says."""
    def __init__(self, value, place="model"):
        super().__init__(**vars(read(value, _MODEL, place)))
        need(self.outputs in ([_ACCEPT], self.symbols + [_EOS]), "%s.outputs are those of no mode", place)
        rows, e, places = self.embedding.rows, self.embedding.exponent, self.arithmetic.places
        features = len(rows[0]) if rows else 0
        read(rows, [[None, features], len(self.symbols) + 1], place + ".embedding.rows")
        self.embedding = [[floored(quotient(n, e), places) for n in row] for row in rows]
        need(self.layers, "%s.layers is empty", place)
        for i, layer in enumerate(self.layers):
            here, inputs, e = "%s.layers[%d]" % (place, i), features, layer.initial.exponent
            layer.initial = [self.arithmetic.state(quotient(n, e)) for n in layer.initial.values]
            layer.width = features = len(layer.initial)
            for name in ("gate", "increment"): affine_map(vars(layer)[name], "%s.%s" % (here, name), inputs, features)
            need(1 <= len(layer.phi) <= 64, "%s.phi has not from 1 to 64 stages", here)
            for j, stage in enumerate(layer.phi):
                at, ends, stage.width = "%s.phi[%d]" % (here, j), (stage.low, stage.high), features
                read(stage.high, (stage.low, LARGEST), at + ".high")
                need(stage.activation == "clip" or ends == (0, 0), "%s has bounds, and does not clip", at)
                features = len(stage.affine.bias)
                affine_map(stage.affine, at + ".affine", stage.width + inputs, features)
                ends = [floored(quotient(n, stage.affine.exponent), places) for n in ends]
                stage.ends = {"relu": (0, INFINITY), "linear": (-INFINITY, INFINITY), "clip": ends}[stage.activation]
        affine_map(self.readout, place + ".readout", features, len(self.outputs))
        self.text = "the model of sha256 %s (%d layers, %d state coordinates, %s arithmetic)" % (
            sha256(value), len(self.layers), sum([layer.width for layer in self.layers]), self.arithmetic.name)
# -- runs of models ---------------------------------------------------------------------------------------------------
LANE, MASK = 24, (1 << 24) - 1
class Run(Record):
    """A model that reads symbols, in ints and Fractions or in floats.  The numbers of a coordinate are counted as they
    occur; a state is an integer, a lane of bits for each coordinate, above lanes that are others'.  Features are pairs
    (place, number) in order, 0 left out.  A node is a layer with the features that it reads; nodes with the same gates,
    increments and shares of the first stage have one way: the lanes that it looks at, what it makes of their contents.
    """
    def __init__(self, model, lane=0):
        super().__init__(**vars(model.arithmetic))  # its numbers, sums and products
        self.values = [[0]] * lane + [[self.number(v)] for layer in model.layers for v in layer.initial]
        self.numbers, self.ranges = [{v: 0} for v, in self.values], [(v, v) for v, in self.values]
        self.layers, self.kept = [], 3 * len(self.values)  # what a state takes, and a step
        self.cost = 40 + 20 * len(model.layers) + len(self.values) // 4
        for layer in model.layers:
            here = Record(number=len(self.layers), lanes=range(lane, lane + layer.width), nodes={}, ways={}, made={})
            here.gate, here.increment = self.compiled(layer.gate), self.compiled(layer.increment)
            here.stages = [self.compiled(stage.affine, stage.width, shared={}, ends=[*map(self.number, stage.ends)])
                           for stage in layer.phi]
            self.layers.append(here)
            lane += layer.width
        self.readout = self.compiled(model.readout)
        self.roots = [self.node(0, self.features(map(self.number, row))) for row in model.embedding]  # the last: BOS
    def compiled(self, affine, width=0, **more):
        """An affine map: of its first inputs, so many, each row has a kind, pairs (input, weight) and the bias; of the
        others, the features, there are columns."""
        def numbers(pairs): return [(i, self.number(n)) for i, n in pairs] if self.floats else pairs
        before = [tuple([pair for pair in numbers(row) if pair[0] < width]) for row in affine.rows]
        columns = [*map(numbers, affine.columns[width:])]
        bias, kinds, more["size"] = [*map(self.number, affine.bias)], {}, sum(map(len, before))
        kind = [kinds.setdefault(key, len(kinds)) for key in zip(before, bias)]
        return Record(columns=columns, bias=bias, kinds=[*kinds], kind=kind, **more)
    def features(self, values): return tuple([(i, v) for i, v in enumerate(values) if v or self.floats])
    def products(self, columns, x):
        """{row: what the features add to it, in order}."""
        rows, mul = {}, self.mul
        for i, v in paid(x, 1, 5):
            for r, weight in paid(columns[i], 2): rows.setdefault(r, []).append(mul(weight, v))
        return rows
    def image(self, affine, x):
        rows = self.products(affine.columns, x)
        return tuple([self.sum([*rows.get(r, ()), bias]) for r, bias in enumerate(affine.bias)])
    def active(self, sums, low, high):
        """Stored and activated sums, as features; what is no number passes."""
        sums = [(r, floored(v, self.places)) for r, v in sums]
        sums = [(r, low if v < low else high if v > high else v) for r, v in sums]
        return sums if self.floats else [(r, v) for r, v in sums if v]
    def node(self, number, x):
        """The node of a layer that reads these features."""
        layer = self.layers[number]
        if x not in layer.nodes:
            check_size(paid([v for _, v in x], 0, 20 * len(layer.lanes)))
            gates, added = self.image(layer.gate, x), self.image(layer.increment, x)
            rows = [paid(self.products(stage.columns, x), 100).items() for stage in layer.stages]
            # Of each row that these features add to, what they add, and its bias.
            parts = [{r: (*adds, stage.bias[r]) for r, adds in some} for stage, some in zip(layer.stages, rows)]
            key = gates, added, tuple(sorted(parts[0].items()))
            if key not in layer.ways:
                layer.ways[key] = self.look(Record(layer=layer, gates=gates, added=added, part=parts[0]))
            layer.nodes[x] = Record(way=layer.ways[key], parts=parts[1:], after={})
        return layer.nodes[x]
    def look(self, way):
        """The way, what it looks at found anew: lanes that it changes, and those on which a sum of the first stage
        depends.  Each operation is monotone, so that a sum is between those of the ends of the coordinates' ranges."""
        way.changed = {c for c, gate, add in zip(way.layer.lanes, way.gates, way.added) if add or gate != 1}
        stage, seen, way.table = way.layer.stages[0], set(way.changed), {}
        for r, kind in enumerate(stage.kind):
            row, ends = [(way.layer.lanes[c], weight) for c, weight in stage.kinds[kind][0]], []
            for upper in (True, False):
                terms = [self.mul(weight, self.ranges[c][(weight > 0) == upper]) for c, weight in paid(row, 3, 3)]
                v = self.sum([*terms, *way.part.get(r, (stage.bias[r],))])
                if -INFINITY < v < INFINITY: ends.append(self.active([(r, v)], *stage.ends))
            if len(ends) < 2 or ends[0] != ends[1]: seen.update([c for c, _ in row])
        way.keep, way.looks = ~lanes(way.changed), lanes(seen)
        return way
    def learn(self, way, state):
        """(lanes to add, what the first stage makes) for all states that are the same where the way looks."""
        h, layer, ranges = self.content(way.layer, state), way.layer, self.ranges[:]
        new = [self.state(self.sum([self.mul(gate, v), b])) for gate, v, b in zip(way.gates, paid(h, 400), way.added)]
        added = sum([self.numbered(c, v) << LANE * c for c, v in zip(layer.lanes, new) if c in way.changed])
        if ranges != self.ranges:
            for other in layer.ways.values(): self.look(other)
        z = paid(self.stage(layer.stages[0], way.part, self.features(new)), 20, 2000 + len(self.values) ** 2 // 100)
        return way.table.setdefault(state & way.looks, (added, layer.made.setdefault(z, Record(z=z))))
    def numbered(self, c, v):
        """The number of a coordinate's number, which is the next one where it is new."""
        numbers, (low, high) = self.numbers[c], self.ranges[c]
        if v not in numbers:
            check_size([v])
            need(len(numbers) < MASK, "a coordinate has more than %d numbers", MASK)
            far = v if len(numbers) < 16 or low <= v <= high else 2 * v  # so that ranges do not grow often
            self.ranges[c] = (min(low, v, far), max(high, v, far)) if v == v else (NAN, NAN)  # which stays
            self.values[c].append(v)
            numbers[v] = len(numbers)
        return numbers[v]
    def stage(self, stage, part, z):
        """What a stage makes of z and the features' part.  What z makes without them is shared by many nodes."""
        if z not in stage.shared:
            given = dict(paid(z, 200, 200 * len(stage.bias) + 4 * stage.size))
            sums = [self.sum([self.mul(weight, given[c]) for c, weight in row if c in given]) for row, _ in stage.kinds]
            alone = enumerate([self.sum([v, bias]) for v, (_, bias) in zip(sums, stage.kinds)])
            alone = dict(self.active(alone, *stage.ends))
            if len(stage.shared) * len(stage.bias) > 200000: stage.shared = {}
            stage.shared[z] = sums, [(r, alone[k]) for r, k in enumerate(stage.kind if alone else ()) if k in alone]
        sums, alone = stage.shared[z]
        new = self.active([(r, self.sum(adds, sums[stage.kind[r]])) for r, adds in part.items()], *stage.ends)
        return tuple(sorted([pair for pair in paid(alone, 1, len(part) + 20) if pair[0] not in part] + new))
    def after(self, node, made):
        """The node of the next layer, or after the last one the outputs that are positive, as bits."""
        if made in node.after: return node.after[made]
        z, layer = made.z, node.way.layer
        for stage, part in zip(layer.stages[1:], node.parts): z = self.stage(stage, part, z)
        spend(200)
        if layer.number + 1 < len(self.layers): return node.after.setdefault(made, self.node(layer.number + 1, z))
        return node.after.setdefault(made, bits([r for r, v in enumerate(self.image(self.readout, z)) if v > 0]))
    def turn(self, way, state):
        """(state after a step of the way's layer, what its first stage makes)."""
        added, made = way.table.get(state & way.looks) or self.learn(way, state)
        return (state & way.keep) + added, made
    def step(self, state, symbol):
        """(state, outputs) after a symbol, and of state 0 after BOS, symbol -1."""
        node = self.roots[symbol]
        for _ in self.layers:
            way = node.way
            added, made = way.table.get(state & way.looks) or self.learn(way, state)
            state, node = (state & way.keep) + added, node.after[made] if made in node.after else self.after(node, made)
        return state, node
    def content(self, layer, state): return [self.values[c][state >> LANE * c & MASK] for c in layer.lanes]
    def explored(self, ways, first, most=INFINITY):
        """{state: {way: its turn there}} for all states that a layer reaches, where each goes on by ways(state)."""
        steps = {}
        def following(h, _):
            steps[h] = {way: self.turn(way, h) for way in paid(ways(h), 60 + self.kept // 12, 300 + self.kept)}
            return [new for new, _ in steps[h].values()]
        return reached([first], following, most, "a layer has more than %d states") and steps
def lanes(places): return MASK * bits([LANE * i for i in places])
def check_size(values):
    """Fails where a number of a state, or of features, is too large to go on with; pays for keeping them."""
    small = [type(v) is float or max(abs(v), v.denominator) <= LARGEST_STATE for v in paid(values, 40, 300)]
    need(all(small), "a state needs more than 4096 bits")
# -- languages, as register machines ----------------------------------------------------------------------------------
_ZERO, _POSITIVE, _SAME = "zero", "positive", "the type of the symbol"
class _Machine:
    """Controls, registers and moves.  A register is a counter, or a cell with the type of a bracket.  A family is a
    list of symbols that differ in their type only, 0, 1, ...; a control and family have at most one move: tests,
    target, changes.  Tests are (register, _ZERO | _POSITIVE | _SAME), changes are (register, amount | _SAME); a control
    accepts under tests.  Every state that is reached has a way to acceptance, so that "has a move" is "may come next".
    A state that runs is an integer, with a lane of bits for the control (MASK: dead) and for each register."""
    def __init__(self, text, families, moves, accepting, first=(0, ()), cells=0, dfa=None):
        self.text, self.families, self.moves, self.accepting, self.first = text, families, moves, accepting, first
        self.names = [name for family in families for name in family]
        self.cells, self.bits = cells, (cells - 1).bit_length() if cells else 1  # cells of so many values; 0: counters
        self.dfa, self.looks, (control, registers) = dfa, {}, first or (MASK, ())  # whose states are the controls
        self.start = control + sum([n << LANE * (r + 1) for r, n in enumerate(registers)])
        self.all = lanes(range(1 + len(registers)))
        for control, row in moves.items() if cells else ():  # cells that no move tests are not looked at
            self.looks[control] = lanes({0, *[r + 1 for tests, _, _ in row.values() for r, _ in tests]})
    def arrange(self, order, mode):
        """Symbols become their numbers in this order, which must be of the same symbols."""
        self.number, self.mode, self.symbols = {name: i for i, name in enumerate(order)}, mode, len(order)
        need(self.number.keys() == {*self.names}, "the model's symbols are not those of %s", self.text)
        self.families = [[self.number[name] for name in family] for family in self.families]
        self.dead = dict.fromkeys(range(len(order)) if mode == "recognise" else (), (~self.all, MASK))
        self.learn = lru_cache(None)(self.learn)
    def ways(self, state): return self.learn(state & self.looks.get(state & MASK, self.all))
    def learn(self, key):
        """(outputs wanted, as bits; {symbol: (lanes kept, lanes added)} of what is followed)."""
        control, *registers = [key >> i & MASK for i in range(0, self.all.bit_length(), LANE)]
        need(max(registers, default=0) < MASK - 64, "a counter is beyond %d", MASK - 64)
        followed = {}
        for f, (tests, target, changes) in self.moves.get(control, {}).items():
            keep = ~lanes([0] + [r + 1 for r, change in changes if change is _SAME])
            for kind in [registers[r] for r, test in tests if test is _SAME] or range(len(self.families[f])):
                added = sum([(kind if change is _SAME else change) << LANE * (r + 1) for r, change in changes])
                if holds(tests, registers, kind): followed[self.families[f][kind]] = keep, target + added
        accepts = control in self.accepting and holds(self.accepting[control], registers, None)
        wanted = int(accepts) if self.dead else bits(followed) | accepts << self.symbols
        return wanted, paid({**self.dead, **followed}, 120 + 4 * len(registers), 300 + 40 * len(registers))
    def step(self, state, symbol):
        """The state after a symbol; in predictive mode dead where none is asked for."""
        keep, added = self.ways(state)[1].get(symbol, (~self.all, MASK))
        return (state & keep) + added
def holds(tests, values, kind):
    return all([values[r] == kind if test is _SAME else (values[r] > 0) == (test is _POSITIVE) for r, test in tests])
_DFA = {"symbols": symbols_of, "table": [None], "accepting": [_NATURAL], "start": _NATURAL}
def automaton(value, place):
    """Controls are the states; moves to states from which no word is possible are left out."""
    dfa = read(value, _DFA, place)
    state, before = (0, len(dfa.table) - 1), [[] for _ in dfa.table]
    read(dfa.start, state, place + ".start")
    for q, row in enumerate(read(dfa.table, [[state, len(dfa.symbols)]], place + ".table")):
        for target in row: before[target].append(q)
    alive = reached(read(dfa.accepting, [state], place + ".accepting"), lambda q, _: before[q])
    moves = {q: {i: ((), t, ()) for i, t in enumerate(dfa.table[q]) if t in alive} for q in sorted(alive)}
    first, text = (dfa.start, ()) if dfa.start in alive else None, "the automaton of sha256 %s" % sha256(value)
    return _Machine(text, [[name] for name in dfa.symbols], moves, dict.fromkeys(dfa.accepting, ()), first, dfa=dfa)
def bounded_dyck(k, h):
    """Control: the depth.  Cell j: the type opened last at depth j + 1; closing a bracket leaves it as it is."""
    need(k > 0, "language.dyck has no bracket type")
    moves, text = {depth: {} for depth in range(h + 1)}, "Dyck(%d, %d), brackets of %d types nested at most %d deep"
    for depth in range(h):
        moves[depth][0] = (), depth + 1, ((depth, _SAME),)
        moves[depth + 1][1] = ((depth, _SAME),), depth, ()
    return _Machine(text % (k, h, k, h), [*map(list, zip(*brackets(k)))], moves, {0: ()}, (0, (0,) * h), k)
def brackets(k): return [("(" + name, name + ")") for name in map(_type_name, range(k))]
def _type_name(number):
    """a, b, ..., z, aa, ab, ..."""
    return (_type_name(number // 26 - 1) if number > 25 else "") + chr(ord("a") + number % 26)
# Moves are written "control symbol target changes": +i adds to counter i, -i takes from it where it can, =i: it is 0.
_FLIP_FLOP = "0 w 1,1 0 2,1 1 3,2 w 1,2 r 4,2 i 6,3 w 1,3 r 5,3 i 7,4 0 2,5 1 3,6 0 2,6 1 2,7 0 3,7 1 3"
_PAIRS = "()", "[]", "{}", "<>", "+-", "ab"
_NAMES = {"flip-flop", "dyck-1", "anbn", "anbncn", "anbncndn", *["shuffle-%d" % k for k in range(1, 65)],
          *["boolean-%d" % k for k in range(1, 6)]}
def named_language(name):
    """In flip-flop the bit after r is that after the last w.  Counters: letters that the next letter has not matched,
    brackets of a pair that are open, or expressions that are still to come; they accept when all are 0."""
    (kind, _, count), letters = name.partition("-"), name[0::2]
    if kind == "flip": text, written, accepting, start = "", _FLIP_FLOP, (0, 2, 3), ()
    elif kind == "boolean":
        text, accepting, start = ", expressions in prefix notation with operators of arity 1 to " + count, (0,), (1,)
        operators = [("0", 0), ("1", 0), *zip("~+>*^"[: int(count)], range(1, 6))]
        written = ",".join(["0 %s 0 -0%s" % (c, arity * " +0") for c, arity in operators])
    elif count:
        pairs = _PAIRS[: int(count)] if int(count) <= len(_PAIRS) else brackets(int(count))
        text, accepting, start = ", shuffles of balanced brackets of %s pairs" % count, (0,), (0,) * len(pairs)
        written = ",".join(["0 %s 0 +%d,0 %s 0 -%d" % (pair[0], i, pair[1], i) for i, pair in enumerate(pairs)])
    else:
        text, accepting, last = ", equal runs of " + ", ".join(letters), (len(letters),), len(letters) - 1
        start, runs = (0,) * last, [(q, c, i) for i, c in enumerate(letters) for q in (i, i + 1)]
        counts = [" +%d" % i * (i < last) + " -%d" % (i - 1) * (i > 0) + " =%d" % (i - 2) * (i > 1) for _, _, i in runs]
        written = ",".join(["%d %s %d%s" % (q, c, i + 1, count) for (q, c, i), count in zip(runs, counts)])
    families, moves = {}, {q: {} for q in accepting}
    for control, symbol, target, *changes in map(str.split, written.split(",")):
        changes = [(c[0], int(c[1:])) for c in changes]
        tests = [(r, _POSITIVE if sign == "-" else _ZERO) for sign, r in changes if sign != "+"]
        amounts = [(r, 1 if sign == "+" else -1) for sign, r in changes if sign != "="]
        moves.setdefault(int(control), {})[families.setdefault(symbol, len(families))] = tests, int(target), amounts
    empty = [(r, _ZERO) for r in range(len(start))]
    return _Machine(name + text, [[c] for c in families], moves, dict.fromkeys(accepting, empty), (0, start))
def _machine_of(value, place="language"):
    """The machine that a language object stands for, its symbols still names."""
    if type(value) is dict and value.keys() == {"dfa", "regex"}:
        machine = automaton(value["dfa"], place + ".dfa")
        machine.text = check_expression(value["regex"], machine.dfa, place + ".regex")
        return machine
    kind, given = one_of(value, {"name": _NAMES, "dyck": [(0, 100000), 2], "dfa": automaton}, place)
    return given if kind == "dfa" else bounded_dyck(*given) if kind == "dyck" else named_language(given)
# -- regular expressions ----------------------------------------------------------------------------------------------
class Terms:
    """Expressions in a normal form, as numbers.  A term is (operator, parts); its parts have smaller numbers.
    letters: a frozenset of symbols; concatenation: (first, rest); repetition: (term, least, most or None); union: a
    frozenset, of no unions; complement: (term,).  So there are finitely many derivatives (Brzozowski 1964)."""
    def __init__(self):
        self.number, self.terms, self.nullable, self.derivatives = {}, [], [], {}
        self.nothing, self.empty = self.letters(()), self.term("empty word", (), True)
    def term(self, operator, parts, nullable):
        if (operator, parts) not in self.number:
            self.number[operator, paid(parts, 100, 600)] = len(self.terms)
            self.terms.append((operator, parts))
            self.nullable.append(nullable)
        return self.number[operator, parts]
    def letters(self, chosen): return self.term("letters", frozenset(chosen), False)
    def concatenation(self, left, right):
        if self.nothing in (left, right): return self.nothing
        if self.empty in (left, right): return left if right == self.empty else right
        return self.term("concatenation", (left, right), self.nullable[left] and self.nullable[right])
    def union(self, *terms):
        """Of no unions, and not of nothing."""
        parts = [self.terms[term][1] if self.terms[term][0] == "union" else (term,) for term in terms]
        parts = {part for some in parts for part in paid(some, 10, 20)} - {self.nothing} or {self.nothing}
        nullable = any([self.nullable[term] for term in parts])
        return parts.pop() if len(parts) == 1 else self.term("union", frozenset(parts), nullable)
    def complement(self, term): return self.term("complement", (term,), not self.nullable[term])
    def intersection(self, *terms): return self.complement(self.union(*map(self.complement, terms)))
    def repetition(self, term, least, most):
        least = 0 if self.nullable[term] else least  # fewer can be filled up with empty words
        return self.empty if most == 0 else self.term("repetition", (term, least, most), least == 0)
    def derivative(self, term, symbol):
        """What may follow the symbol."""
        if (term, symbol) in self.derivatives: return self.derivatives[term, symbol]
        (operator, parts), after = self.terms[term], lambda part: self.derivative(part, symbol)
        if operator == "union": found = self.union(*[after(part) for part in paid(parts, 1)])
        elif operator == "complement": found = self.complement(after(parts[0]))
        elif operator == "repetition":
            part, least, most = parts
            found = self.concatenation(after(part), self.repetition(part, max(least - 1, 0), most and most - 1))
        elif operator == "concatenation":
            found = self.concatenation(after(parts[0]), parts[1])
            if self.nullable[parts[0]]: found = self.union(found, after(parts[1]))
        else: found = self.empty if symbol in parts else self.nothing
        spend(300)
        return self.derivatives.setdefault((term, symbol), found)
def check_expression(items, dfa, place):
    """The text of an expression, every derivative of which agrees with the automaton's state on the empty word.  Its
    items are arrays of symbols, one of which is meant, or "()", the empty word; and, after what they are of,
    {"least", "most"}, repetitions, "~", complements, and "|", "&" and ".", unions, intersections, concatenations."""
    names, accepting, terms, stack = dfa.symbols, set(dfa.accepting), Terms(), []
    every, binary = set(names), {"|": terms.union, "&": terms.intersection, ".": terms.concatenation}
    for i, item in enumerate(read(items, [None], place)):
        here, two = "%s[%d]" % (place, i), type(item) is str and item in binary
        operands = 2 if two else 0 if type(item) is list or item == "()" else 1
        need(len(stack) >= operands, "%s: operands are missing", here)
        (last, after), (first, before) = [stack.pop() if n < operands else (None, "") for n in range(2)]
        if type(item) is list:
            given = set(read(item, [every], here))
            chosen = [name for name in names if name in given]
            term, text = terms.letters(chosen), "".join([name_in_text(name) for name in chosen])
            text = text if len(chosen) == 1 else "." if len(chosen) == len(names) else "[%s]" % text
        elif type(item) is dict:
            count = read(item, {"least": _NATURAL, "most": (0, LARGEST, None)}, here)
            need(count.most is None or count.least <= count.most, "%s is from more to less", here)
            term, most = terms.repetition(last, count.least, count.most), "" if count.most is None else count.most
            text = after + ("*" if (count.least, most) == (0, "") else "{%d,%s}" % (count.least, most))
        elif read(item, {"()", "~", *binary}, here) == "()": term, text = terms.empty, "()"
        elif item == "~": term, text = terms.complement(last), "(~%s)" % after
        else: term, text = binary[item](first, last), "(%s%s%s)" % (before, item.strip("."), after)
        stack.append((term, paid(text, 1, 50 + len(names))))
    need(len(stack) == 1, "%s is no expression, but %d", place, len(stack))
    term, text = stack[0]
    def following(pair, _): return zip([terms.derivative(pair[0], a) for a in paid(names, 10)], dfa.table[pair[1]])
    for part, q in reached([(term, dfa.start)], following):
        need(terms.nullable[part] == (q in accepting), "%s: expression and automaton differ in state %d", place, q)
    return "the regular expression %s over the %d symbols %s" % (ascii(text), len(names), some_of(names))
def name_in_text(name):
    """A symbol, as expressions are written."""
    return name if len(name) == 1 and name.isascii() and name.isalnum() else "'%s'" % re.sub(r"([\\'])", r"\\\1", name)
# -- evidence: every pair of a machine's and a model's state -----------------------------------------------------------
def check_closed(claim, evidence):
    machine, dead, at = claim.machine, None, "closed: after %d symbols"
    run = Run(claim.model, machine.all.bit_length() // LANE)  # a state of both is one number
    if evidence.dead is not None:
        dead = Relation(claim, [{"control": None, "ranges": [], "state": evidence.dead}], "evidence.closed.dead")
        dead.check_control(None)
    def following(pair, length):
        (state, given), (wanted, moves) = pair, machine.ways(pair[0])
        compare(claim, given, wanted, at, length)
        moves = paid(moves if length != claim.horizon else {}, run.cost, 500 + run.kept).items()
        after = [run.step((state & keep) + added, symbol) for symbol, (keep, added) in moves]
        if not dead: return after
        return [(q, out) for q, out in after if q & MASK < MASK or out or not dead.covers(run, q, length + 1)]
    start = [run.step(machine.start, -1)]
    reached(start, following, evidence.states, "closed: more than the %d pairs that are announced")
def compare(claim, given, wanted, place, *values):
    if given != wanted:
        raise Failed("%s the outputs are %s, expected %s" % (place % values, named(claim, given), named(claim, wanted)))
def named(claim, mask): return "{%s}" % some_of([name for i, name in enumerate(claim.model.outputs) if mask >> i & 1])
# -- evidence: a string, and strings that never settle -----------------------------------------------------------------
def check_word(claim, evidence):
    """Runs model and machine; rounds are skipped once both are where they have been."""
    machine, run, text, length = claim.machine, Run(claim.model), [], 0
    (state, given), q = run.step(0, -1), machine.start
    for i, part in enumerate(evidence.parts):
        place, seen = "evidence.word.parts[%d]" % i, {}
        names, times = read(part, [None, 2], place)
        word = spelled(names, machine, place)
        need(word, "%s has no symbols", place)
        length += read(times, _COUNT, place + " times") * len(word)
        text.append("(%s)%s" % (" ".join(names), "^%d" % times if times > 1 else ""))
        while times:
            if (q, state) in seen: times, seen = times % (seen[q, state] - times), {}
            else:
                seen[q, state], times = times, times - 1
                for symbol in paid(word, run.cost, 300 + run.kept):
                    (state, given), q = run.step(state, symbol), machine.step(q, symbol)
    need(claim.mode == "recognise" or q != MASK, "word: the string is no prefix of a word, and nothing is asked of it")
    wanted, text = machine.ways(q)[0], " ".join(text)
    need(given != wanted, "word: the model is right after this string")
    text = text if len(text) <= 200 else text[:200] + " ..."
    outputs = named(claim, given), named(claim, wanted)
    claim.text += ": after the string of %d symbols %s it gives %s, not %s" % (length, text, *outputs)
def spelled(names, machine, place):
    for name in read(names, [str], place): need(name in machine.number, "%s: %s is no symbol", place, show(name))
    return [machine.number[name] for name in names]
def check_cycle(claim, evidence):
    machine = claim.machine
    u, w, v = (spelled(word, machine, "evidence.cycle") for word in (evidence.u, evidence.w, evidence.v))
    first = reduce(machine.step, u, machine.start)
    def around(state, _): return [reduce(machine.step, paid(w, 20, 400), state)]
    states = [*reached([first], around)]
    found = {machine.ways(reduce(machine.step, paid(v, 20, 20), state))[0] for state in states}
    need(len(found) == 2, "cycle: all of these strings are words, or none")
    back = around(states[-1], 0) == [first]
    need(back and len(states) == evidence.period, "cycle: not back after %d rounds", evidence.period)
# -- evidence: gates that are not negative, and finitely many states ---------------------------------------------------
def check_bound(claim, evidence):
    """Layer by layer, with all features that the layer below can have: each coordinate moves monotonely."""
    run, most = Run(claim.model), evidence.states
    need(claim.model.arithmetic.kind != "wrap", "bound: numbers that wrap do not keep their order")
    nodes, bos = set(run.roots[:-1]), run.roots[-1]
    for layer in run.layers:
        ways = {node.way: set() for node in nodes}
        right = all([0 <= gate < INFINITY for way in ways for gate in way.gates])
        need(right, "bound: a gate of layer %d is negative or not finite", layer.number)
        first, made = run.turn(bos.way, 0)
        states, bos = run.explored(lambda h: ways, first, most), run.after(bos, made)
        for steps in states.values():
            for way, (_, made) in steps.items(): ways[way].add(made)
        nodes = {run.after(node, made) for node in nodes for made in ways[node.way]}
        need(len(nodes) <= most, "bound: layer %d has more than %d features", layer.number, most)
        finite = all([-INFINITY < v < INFINITY for h in states for v in run.content(layer, h)])
        need(finite, "bound: a state of layer %d is not finite", layer.number)
# -- evidence: a relation, which holds in each control, for any values of the registers --------------------------------
def plus(v, w, factor=1):
    """v + factor w, forms {parameter: coefficient, not 0}; parameters are integers, and parameter 0 is the number 1."""
    total = dict(v)
    for p, a in w.items(): total[p] = total.get(p, 0) + factor * a
    return {p: a for p, a in total.items() if a}
def number(n): return {0: n} if n else {}
def fixed(v): return v.keys() <= {0}
def on_grid(v, places): return all([floored(a, places) == a for a in v.values()])
class Cut(Exception): """It must be known on which side of a number a form is."""
class _Box:
    """Ranges of parameters; what is known on them; the box that it was cut from, where something is known on that."""
    def __init__(self, ranges, memo, parent=None): self.ranges, self.memo, self.parent = ranges, memo, parent
    def within(self, p, low, high):
        """The part of the box in which the parameter lies in this range, where there is one."""
        least, most = self.ranges[p]
        if low <= least and most <= high: return self
        part = _Box(paid(self.ranges[:], 8, 20), {}, self if self.memo else self.parent)
        part.ranges[p] = max(low, least), min(high, most)
        return part
    def where(self, v, low, high):
        """A part of the box that holds all of it where low <= v <= high, where there is some."""
        box = self
        for p in v.keys() - {0}:  # the coefficients of conditions are 1 and -1
            least, most = box.bounds({q: a for q, a in v.items() if q != p})
            box = box.within(p, *((low - most, high - least) if v[p] > 0 else (least - high, most - low)))
        return box
    def bounds(self, v):
        """The least and the greatest value; a form attains them."""
        low = high = 0
        for p, a in v.items():
            least, most = self.ranges[p]
            low, high = (low + a * least, high + a * most) if a > 0 else (low + a * most, high + a * least)
        return low, high
    def fold(self, v):
        """The form without the parameters that have one value here."""
        free = {p: a for p, a in v.items() if self.ranges[p][0] < self.ranges[p][1]}
        return plus(free, number(sum([a * self.ranges[p][0] for p, a in v.items() if p not in free])))
    def halves(self, v, level):
        """Two parts of the box, which help to decide on which side of the level the form is."""
        v = self.fold(v)
        constant = v.pop(0, 0)
        width, p = min([(self.ranges[p][1] - self.ranges[p][0], p) for p in v])
        least, most = self.ranges[p]
        at = (level - constant) // v[p]  # up to here a p + constant is <= the level, for a < 0 >= it
        if len(v) > 1 or not least <= at < most:
            need(width < INFINITY, "a relu, clip or product depends on two unbounded numbers")
            at = least + width // 2
        return [self.within(p, at + 1, most), self.within(p, least, at)]
    def everywhere(self, check):
        """The check on all of the box, cut where the check asks for it."""
        waiting = [self]
        while waiting:
            box = waiting.pop()
            spend(100)
            try: check(box)
            except Cut as cut: waiting += box.halves(*cut.args)
_ENTRY = {"control": (0, LARGEST, None), "ranges": [None], "state": {"exponent": _EXPONENT, "layers": [[None]]}}
class Relation:
    """Entries, each a template of the model's state in a control, that every step keeps."""
    def __init__(self, claim, entries, place):
        self.claim, self.model, self.machine, self.horizon = claim, claim.model, claim.machine, claim.horizon
        self.arithmetic, self.entries, self.precise = self.model.arithmetic, {}, self.model.arithmetic.floats
        for i, entry in enumerate(read(entries, [_ENTRY], place)): self.add(entry, "%s[%d]" % (place, i))
        self.compile()
        self.cubes = [(f, *part) for f, family in enumerate(self.machine.families)
                      for part in self.parted(family, (len(family) - 1).bit_length())]
    def add(self, entry, place):
        """Checks the form of an entry: what its terms may be depends on machine, mode and horizon."""
        limits, found, widths = [], [], [layer.width for layer in self.model.layers]
        need(entry.control not in self.entries, "%s: its control has an entry already", place)
        right = entry.control is not None or self.claim.mode == "recognise"
        need(right, "%s: in predictive mode nothing is asked of dead strings", place)
        registers = len(self.machine.first[1]) if entry.control is not None else 0
        read(entry.ranges, [None, registers], place + ".ranges")
        for i, pair in enumerate(entry.ranges if not self.machine.cells else ()):
            low, high = read(pair, [None, 2], "%s.ranges[%d]" % (place, i))
            read(high, (read(low, _NATURAL, place + ".ranges"), LARGEST, None), place + ".ranges")
            limits.append((low, INFINITY if high is None else high))
        need(limits or entry.ranges == [None] * registers, "%s.ranges: the range of a cell is not null", place)
        for i, terms in enumerate(read(entry.state.layers, [None, len(widths)], place + ".state.layers")):
            for c, term in enumerate(read(terms, [None, widths[i]], "%s.state.layers[%d]" % (place, i))):
                found.append(self.term(term, registers))
                need(found[-1], "%s.state.layers[%d][%d] is no term that machine, mode and horizon allow", place, i, c)
        self.entries[entry.control] = limits, entry.state.exponent, found
    def term(self, term, registers):
        """(counter or bit, None for another number; least, greatest, and how far down and up they move in a step)."""
        kind, *numbers = ("any", term, term) if type(term) is int else term if type(term) is list and term else [None]
        cells, open_ended = self.machine.cells, kind == "any" and len(numbers) == 2
        if not all([type(n) is int and abs(n) <= LARGEST or n is None and open_ended for n in numbers]): return None
        if kind == "any" and (open_ended or len(numbers) == 4 and self.horizon is not None and min(numbers[2:]) >= 0):
            low, high = (end if n is None else n for n, end in zip(numbers, (-INFINITY, INFINITY)))
            return (None, low, high, *(numbers[2:] or (0, 0))) if low <= high else None
        right = kind == ("b" if cells else "r") and len(numbers) == 1 + (cells > 0)
        register, bit = [*numbers, 0][:2] if right else (-1, 0)
        return ((register, bit), 0, 0, 0, 0) if 0 <= register < registers and 0 <= bit < self.machine.bits else None
    def compile(self):
        """The model's numbers as wires, each computed from other wires."""
        self.wires, self.before, self.after = [], [], []
        def new(*wire):
            self.wires.append(wire)
            return len(self.wires) - 1
        def sums(affine, wires, ends=None):
            numbers = paid([*(ends or ()), *[n for row in affine.rows for _, n in row]], 3) if self.precise else ()
            need(all([self.arithmetic.number(n) == n for n in numbers]), "relation: a weight or bound would be rounded")
            columns = {wire: column for wire, column in zip(wires, affine.columns) if column}
            group = Record(first=len(self.wires), bias=affine.bias, columns=columns, rows=affine.rows)
            return [new("sum", ends, group) for _ in affine.bias]
        x = self.inputs = [new("given", None) for _ in self.model.embedding[0]]
        for layer in self.model.layers:
            before = [new("given", None) for _ in range(layer.width)]
            z = after = [new("state", *part) for part in zip(before, sums(layer.gate, x), sums(layer.increment, x))]
            for stage in layer.phi: z = sums(stage.affine, z + x, stage.ends)
            x, self.before, self.after = z, self.before + before, self.after + after
        self.outputs = sums(self.model.readout, x)
    def parted(self, family, size, first=0):
        """A family in parts: (first type, its embedding, what each of its lower bits adds to that, if set)."""
        rows = [self.model.embedding[symbol] for symbol in family[first : first + (1 << size)]]
        if not rows: return []
        spend(len(rows) * (1 + len(rows[0])) * (1 + size))
        added = [[v - w for v, w in zip(rows[1 << b], rows[0])] for b in range(size)] if len(rows) == 1 << size else []
        sums = [rows[0]]  # of all types, as the bits make them
        for delta in added: sums += [[v + d for v, d in zip(row, delta)] for row in sums]
        if rows == sums: return [(first, rows[0], added)]
        return self.parted(family, size - 1, first) + self.parted(family, size - 1, first + (1 << size - 1))
    def value(self, wire, box):
        """The form on a wire, on all of the box, or a Cut."""
        v = self.found(wire, box)
        if type(v) is not dict: raise type(v)(*v.args)
        return v
    def found(self, wire, box):
        """That form, or the Cut or Failed that is in its way.  What is known of a larger box holds here, too."""
        v = box.memo.get(wire)
        if v is None:
            v = self.found(wire, box.parent) if box.parent else None
            if type(v) is not dict:
                try: v = self.computed(wire, box, *self.wires[wire])
                except (Cut, Failed) as stop: v = type(stop)(*stop.args)
            box.memo[wire] = v
        return v
    def computed(self, wire, box, kind, *parts):
        if kind == "state":
            h, gate, increment = [self.value(part, box) for part in parts]
            return self.stored(self.bounded(plus(self.product(gate, h, box), increment), box), box, True)
        (ends, group), (v, waiting) = parts, self.sum(wire, box)
        if self.precise: v = self.added(box, v, waiting)
        elif waiting:
            long = ends and len(group.rows[wire - group.first]) > 2  # two terms are cut as fast
            if long and self.greatest(box, v, waiting) <= ends[0]: return number(ends[0])  # it sleeps
            v = self.found(waiting[0][0], box)
        if type(v) is not dict or ends is None: return v
        v = self.stored(paid(v, 10, 40), box)
        (least, most), (low, high) = ends, box.bounds(v)
        if least <= low and high <= most: return v
        if high <= least or most <= low: return number(least if high <= least else most)
        return Cut(v, least if low < least else most)
    def sum(self, wire, box):
        """Of a sum: the form that some of its terms add up to, for floats none, and the others, (wire, weight), whose
        forms are not known on all of the box.  All rows of an affine map at once, where nothing is known yet."""
        if ~wire in box.memo: return box.memo[~wire]
        if box.parent:
            total, waiting = box.memo[~wire] = self.sum(wire, box.parent)
            if self.precise or not waiting: return total, waiting
            rows, first, columns = [(dict(total), [])], wire, {part: [(0, weight)] for part, weight in waiting}
        else:
            group = self.wires[wire][2]
            first, columns, rows = group.first, group.columns, [({0: bias}, []) for bias in group.bias]
        cost = 30 * len(columns) + 20 * len(rows)
        for part, v in [(i, v) for i in columns for v in [self.found(i, box)] if v]:
            known = v.items() if type(v) is dict and not self.precise else ()
            cost += 8 * len(columns[part]) * (len(known) or 1)
            for r, weight in columns[part]:
                total, others = rows[r]
                if not known: others.append((part, weight))
                for p, a in known: total[p] = total.get(p, 0) + weight * a
        for r, (v, w) in enumerate(paid(rows, 0, cost), first): box.memo[~r] = {p: a for p, a in v.items() if a}, w
        return box.memo[~wire]
    def added(self, box, bias, terms):
        """A sum in order, the bias last: floats hold its terms and what they add up to on the way."""
        total = {}
        for wire, weight in terms:
            v = self.found(wire, box)
            if type(v) is not dict: return v
            total = plus(paid(total, 8, 40 + 8 * len(v)), v, weight)
            for part in (plus({}, v, weight), total): self.bounded(part, box)
        return self.bounded(plus(total, self.bounded(bias, box)), box)
    def greatest(self, box, total, waiting):
        """A bound of a sum, the rest of whose terms are clips: of what one parameter adds exactly, of others apart."""
        most, shares = 0, {p: [(1, 0, a, -INFINITY, INFINITY)] for p, a in total.items()}
        for wire, weight in waiting:
            kind, ends, *_ = self.wires[wire]
            v, others = self.sum(wire, box) if kind == "sum" else ({}, [wire])
            if others or not on_grid(v, self.arithmetic.places): return INFINITY
            p = max(paid(v, 30, 60), default=0)
            if p and v.keys() <= {0, p}: shares.setdefault(p, []).append((weight, v.get(0, 0), v[p], *ends))
            else: most += weight * min(max(box.bounds(v)[weight > 0], ends[0]), ends[1])
        for p, terms in shares.items():
            def share(t): return sum([w * min(max(b + a * t, low), high) for w, b, a, low, high in terms])
            # Integers between which, and beyond which, a share is linear: the range's ends, and both at a breakpoint.
            turns = [(n - b) // a + i for _, b, a, *ends in terms for n in ends if abs(n) < INFINITY for i in (0, 1)]
            least, last = box.ranges[p]
            turns = [min(max(t, least), last) for t in (least, 0, last, *turns)]
            turns = sorted({t for t in turns if abs(t) < INFINITY})
            beyond = [(least, turns[0], -1), (last, turns[-1], 1)]
            if any([abs(end) == INFINITY and share(t + way) > share(t) for end, t, way in beyond]): return INFINITY
            most += max(map(share, turns))
        return most
    def sign(self, wire, box):
        """A form that is positive where a sum is, or None.  A relu is positive where its sum is, not rounded to 0."""
        total, waiting = self.sum(wire, box)
        relu = not total and [(part, weight) for part, weight in waiting if self.wires[part][1] == (0, INFINITY)]
        if relu and len(waiting) == 1 and relu[0][1] > 0: total, waiting = self.sum(relu[0][0], box)
        return None if waiting or relu and not all([type(a) is int for a in total.values()]) else total
    def product(self, v, w, box):
        if not (fixed(v) or fixed(w)): v, w = box.fold(v), box.fold(w)
        for one, other in ((v, w), (w, v)):
            if fixed(one): return self.bounded(plus({}, other, one.get(0, 0)), box)
        finite = [u for u in (v, w) if all([box.ranges[p][1] - box.ranges[p][0] < INFINITY for p in u])]
        need(finite, "a gate and a state are both unbounded")
        raise Cut(finite[0], 0)
    def stored(self, v, box, state=False):
        """Rounded down in fixed and wrap, and a state modulo 2^P; a form that this changes is cut until it does not."""
        if self.arithmetic.places is None: return v
        low, high = box.bounds(v)
        wraps = state and self.arithmetic.kind == "wrap" and not 0 <= low <= high < self.arithmetic.modulus
        if not wraps and on_grid(v, self.arithmetic.places): return v
        v = box.fold(v)
        if not fixed(v): raise Cut(v, 0)
        return number(self.arithmetic.state(v.get(0, 0)) if state else floored(v.get(0, 0), self.arithmetic.places))
    def bounded(self, v, box):
        """v, where floats hold every value that it has in the box."""
        if self.precise and v:
            digits, places, _ = FLOATS[self.arithmetic.name]
            unit, (low, high) = max([a.denominator for a in paid(v, 1, 10).values()]), box.bounds(v)
            exact = unit <= 1 << places and -(1 << digits) <= low * unit <= high * unit <= 1 << digits
            need(exact, "a number that is up to %s may not be exact in %s", max(high, -low), self.arithmetic.name)
        return v
    def opened(self, control):
        """(ranges of parameters, forms on wires, counters or bits, what parameters can be as time goes on)."""
        limits, e, terms = self.entries[control]
        base, times, memo, steps = [(1, 1)], [(1, 1, 0, 0)], {}, max((self.horizon or 0) - 1, 0)
        def parameter(low, high, down=0, up=0, most=INFINITY):
            times.append((low, high, down, up))
            base.append((low - steps * down, min(high + steps * up, most)))
            return {len(base) - 1: 1}
        start = self.machine.first[1] if control is not None else ()
        registers = [[parameter(0, 1) for _ in range(self.machine.bits)] for _ in start if self.machine.cells]
        rows = self.machine.moves.values() if self.horizon else ()
        moves = [changes for row in rows for _, _, changes in row.values()]
        for i, (low, high) in enumerate(limits):
            rise = max([0] + [sum([n for r, n in changes if r == i]) for changes in moves])
            first, most = (high, high) if self.horizon is None else (max(start[i], low), start[i] + steps * rise)
            registers.append([parameter(low, first, 0, rise, min(high, most))])
        for wire, (register, *ends) in zip(self.before, terms):
            if register is not None: memo[wire] = registers[register[0]][register[1]]
            elif ends[0] == ends[1] and not any(ends[2:]): memo[wire] = number(quotient(ends[0], e))
            else: memo[wire] = plus({}, parameter(*ends), quotient(1, e))
        return paid(base, 20, 5 * len(self.before)), memo, registers, times
    def lands(self, term, e, v, registers, box, times, place):
        """Checks that v is what the term says."""
        register, low, high, down, up = term
        v = plus({}, v if register is None else plus(v, registers[register[0]][register[1]], -1), 1 << e)
        least, most = box.bounds(v)
        need(all([a.denominator == 1 for a in v.values()]), "%s is no multiple of the template's unit", place)
        if low <= least and most <= high: return
        for p, a in v.items() if self.horizon is not None else ():
            # A parameter, times a, that stays within these bounds as they move, and what is added to it in one step.
            first, last, falls, rises = (a * n for n in times[p])
            first, last, falls, rises = (first, last, falls, rises) if a > 0 else (last, first, -rises, -falls)
            least, most = box.bounds(plus(v, {p: a}, -1))
            if low <= first and last <= high and falls <= down and rises <= up and -down <= least and most <= up: return
        raise Failed("%s is not what the template says" % place)
    def arrives(self, control, registers, box, times, place):
        """Checks that the state after a step lies in the entry of a control, with these registers."""
        need(control in self.entries, "%s: there is no entry for control %s", place, control)
        limits, e, terms = self.entries[control]
        for i, (low, high) in enumerate(limits):
            least, most = box.bounds(registers[i][0])
            need(low <= least and most <= high, "%s: counter %d may leave its range in control %s", place, i, control)
        for c, (term, wire) in enumerate(zip(terms, self.after)):
            where = "%s: coordinate %d" % (place, c)
            box.everywhere(lambda b: self.lands(term, e, self.value(wire, b), registers, b, times, where))
    def covers(self, run, state, length):
        """Whether a dead state, after a string of this length, lies in the template of the entry null."""
        _, e, terms = self.entries[None]
        values = [v * (1 << e) for layer in run.layers for v in run.content(layer, state)]
        return all([low - length * down <= v <= high + length * up and v % 1 == 0
                    for (_, low, high, down, up), v in zip(paid(terms, 10 + len(terms) // 100, 50), values)])
    def check_control(self, control):
        """One step from an entry by the symbols of a part of a family, the lower bits of whose type are parameters."""
        machine, named, refuses = self.machine, "null" if control is None else control, self.claim.mode == "recognise"
        base, memo, registers, times = self.opened(control)
        for f, first, x, added in self.cubes if all([low <= high for low, high in base]) else ():
            name, like = self.model.symbols[machine.families[f][first]], " or one like it" if added else ""
            place = "relation: in control %s, after %.60a%s" % (named, name, like)
            own = [{len(base) + b: 1} for b in range(len(added))]
            own += [number(first >> b & 1) for b in range(len(added), machine.bits)]
            ranges, moved = base + [(0, 1)] * len(added), times + [(0, 1, 0, 0)] * len(added)
            tests, target, changes = machine.moves.get(control, {}).get(f, (None, None, ()))
            cells = [registers[r] for r, test in tests or () if test is _SAME]  # their types are the symbol's
            typed, after = cells[0][: len(added)] + own[len(added) :] if cells else own, list(registers)
            for r, change in changes: after[r] = typed if change is _SAME else [plus(after[r][0], number(change))]
            blank = _Box(ranges, {})
            box = self.reading(x, added, own, blank, memo) if refuses else None
            shared = box and not machine.cells
            for part, moves in sides(box if shared else blank, self.asked(tests, registers, typed)):
                if moves and not shared: part = self.reading(x, added, typed, part, memo)
                if moves: self.check_step(part, target, after, moved, place)
            for part, moves in sides(box, self.asked(tests, registers, own)) if refuses else ():
                if not moves: self.check_step(part, None, [], moved, place + " without a move")
    def reading(self, x, added, typed, box, before):
        """The box, for a step that reads a symbol of this embedding, for bits of a type with more added."""
        x = [number(n) for n in paid(x, 10, 400 + 10 * len(before))]
        for bit, delta in zip(typed, added): x = [plus(v, bit, d) if d else v for v, d in zip(x, delta)]
        return _Box(box.ranges, {**before, **dict(zip(self.inputs, x))})
    def asked(self, tests, registers, typed):
        """What the tests ask of registers and a type, a number or forms for its bits, as (form, least, greatest)."""
        conditions = [({}, 1, 1)] if tests is None else []  # nowhere: 0 is not 1
        for r, test in tests or ():
            bits_of, ends = registers[r], (1, INFINITY) if test is _POSITIVE else (0, 0)
            if test is not _SAME: conditions += [(v, *ends) for v in bits_of]
            elif type(typed) is list: conditions += [(plus(v, w, -1), 0, 0) for v, w in zip(bits_of, typed)]
            else: conditions += [(v, typed >> b & 1, typed >> b & 1) for b, v in enumerate(bits_of)]
        return conditions
    def check_step(self, box, target, registers, times, place):
        """One step in a part of a box: where it leads, and what is given there."""
        for wire in self.before + self.inputs if self.precise else (): self.bounded(self.value(wire, box), box)
        self.arrives(target, registers, box, times, place)
        accepts, moves = self.machine.accepting.get(target), self.machine.moves.get(target, {})
        self.check_output(box, len(self.outputs) - 1, self.asked(accepts, registers, 0), place)
        for f, family in enumerate(self.machine.families if self.claim.mode == "predictive" else ()):
            for kind, output in enumerate(family):
                self.check_output(box, output, self.asked(moves.get(f, [None])[0], registers, kind), place)
    def check_output(self, box, output, conditions, place):
        """Checks that an output is given where all the conditions hold, and nowhere else."""
        v = None if self.precise else self.sign(self.outputs[output], box)
        if v is not None and settled(box, v, conditions): return
        for part, given in sides(box, conditions):
            def check(b):
                low, high = b.bounds(self.value(self.outputs[output], b))
                said = show(self.model.outputs[output]), "missing" if given else "given"
                need(low > 0 if given else high <= 0, "%s: output %s may be %s", place, *said)
            part.everywhere(check)
def settled(box, v, conditions):
    """Whether bounds show that a form is positive where conditions, each on one parameter, hold, and nowhere else."""
    (low, high), v = box.bounds(v), dict(v)
    for form, first, last in paid(conditions, 20, 20):
        p, c = max(form, default=0), form.get(0, 0)
        if p and form != ({p: 1, 0: c} if c else {p: 1}): return False
        first, last, a, (least, most) = first - c, last - c, v.pop(p, 0) if p else 0, box.ranges[p] if p else (0, 0)
        if least < first and not high + (a * (min(first - 1, most) - most) if a > 0 else 0) <= 0: return False
        if last < most and not high + (a * (max(last + 1, least) - least) if a < 0 else 0) <= 0: return False
        if last < least or most < first: low = INFINITY  # it holds nowhere
        elif a > 0 and least < first: low += a * (first - least)
        elif a < 0 and last < most: low += a * (last - most)
    return low > 0
def sides(box, conditions):
    """(part of the box, whether all the conditions hold there): parts of all points where they do, or one does not."""
    for v, low, high in conditions:
        least, most = box.bounds(v)
        if least < low: yield box.where(v, -INFINITY, low - 1), False
        if high < most: yield box.where(v, high + 1, INFINITY), False
        if high < least or most < low: return
        box = box.where(v, low, high)
    yield box, True
def check_relation(claim, evidence):
    need(claim.machine.first is not None, "relation: the language has no word")
    relation, (control, start) = Relation(claim, evidence.entries, "evidence.relation.entries"), claim.machine.first
    memo = dict(zip(relation.before, [number(v) for layer in claim.model.layers for v in layer.initial]))
    box = relation.reading(claim.model.embedding[-1], [], [], _Box([(1, 1)], {}), memo)
    registers = [[number(n)] * claim.machine.bits for n in start]  # cells hold 0
    relation.check_step(box, control, registers, [(1, 1, 0, 0)], "relation: after BOS")
    for control in relation.entries if claim.horizon != 0 else (): relation.check_control(control)
# -- evidence: levels, digits that name sets of states -----------------------------------------------------------------
def check_levels(claim, evidence):
    place, model, machine, predictive = "evidence.levels", claim.model, claim.machine, claim.mode == "predictive"
    right = machine.dfa is not None and claim.horizon is None and not model.arithmetic.floats
    need(right, "%s is for automata, without a horizon, and not for floats", place)
    for number, coordinates in enumerate(read(evidence.digits, [None, len(model.layers)], place + ".digits")):
        read(coordinates, [(0, model.layers[number].width - 1)], "%s.digits[%d]" % (place, number))
        need(len(set(coordinates)) == len(coordinates), "%s.digits[%d] has a coordinate twice", place, number)
    table, column = machine.dfa.table, {name: i for i, name in enumerate(machine.dfa.symbols)}
    masks, level, tiles = read_chart(evidence, len(table), sum(map(bool, evidence.digits)), place)
    action = [tuple([row[column[name]] for row in paid(table, 10)]) for name in model.symbols]
    letter = {images: symbol for symbol, images in enumerate(action)}  # one of the symbols that act alike
    alive, run, depth, here = bits(machine.moves), Run(model), 0, evidence.root
    facts, after = {(node, here, here, letter[images]) for node, images in zip(run.roots, action)}, run.roots[-1]
    @lru_cache(None)
    def image(s, symbol):
        images = [image(t, symbol) for t in tiles[s]] or [1 << action[symbol][masks[s].bit_length() - 1]]
        return reduce(operator.or_, paid(images, 20 + len(table) // 60, len(table) + 200))
    @lru_cache(None)
    def digit(number, h):
        numbers = [*map(math.floor, run.content(run.layers[number], h))]
        for c in evidence.digits[number]:
            need(numbers[c] in (0, 1), "levels, layer %d: coordinate %d is no bit after some symbol", number, c)
        return sum([numbers[c] << i for i, c in enumerate(evidence.digits[number])])
    def parts(s):
        """What digits make of a set: its tiles, where this is its level; else the digit is 0, and the set stays."""
        return tiles[s] if level[s] == depth and coordinates else [s]
    def refined(s, d):
        need(d < len(parts(s)), "levels, layer %d: digit %d names no tile of set %d", number, d, s)
        return parts(s)[d]
    for number, coordinates in enumerate(evidence.digits):
        asked, ways, moves, following = {}, {}, {}, set()
        for node, before, goal, symbol in facts:  # by the node, and each digit that there may be
            for d, source in enumerate(paid(parts(before), 400)):
                to = image(source, symbol)
                if to & alive or not predictive:
                    asked.setdefault((node, d), []).append((source, to, goal, symbol))
                    ways.setdefault(d, {})[node.way] = None
        first, made = run.turn(after.way, 0)
        here, after = refined(here, digit(number, first)), run.after(after, made)
        for h, steps in run.explored(lambda h: ways.get(digit(number, h), ()), first).items():
            for way, (new, made) in steps.items():
                moves.setdefault((way, digit(number, h)), {})[digit(number, new), made] = None
        for (node, d), some in asked.items():
            for new, made in moves.get((node.way, d), ()):
                z = run.after(node, made)
                for source, to, goal, symbol in paid(some, 20):
                    target, text = refined(goal, new), "levels, layer %d: set %d does not lead to %d by symbol %d"
                    need(not to & ~masks[target], text, number, source, target, symbol)
                    fact = z, source, target, symbol
                    if fact not in following: following.add(paid(fact, 50))
        run.layers[number].nodes.clear()
        facts, depth = following, depth + bool(coordinates)
    need(masks[here] == 1 << machine.dfa.start, "levels: after BOS the digits do not name the start state")
    compare(claim, after, machine.ways(machine.start)[0], "levels: after BOS")
    for given, source, goal, symbol in facts:
        q, target = masks[source].bit_length() - 1, masks[goal].bit_length() - 1
        need(action[symbol][q] == target, "levels: the digits lead from state %d to %d by symbol %d", q, target, symbol)
        state = target if target in machine.moves else MASK
        compare(claim, given, machine.ways(state)[0], "levels: in state %d after symbol %d", target, symbol)
def read_chart(chart, states, levels, place):
    """(sets as bits, their levels, their tiles): sets that nest, down to single states at the last level."""
    shape, count = {"states": [(0, states - 1)], "level": (0, levels)}, len(chart.sets)
    sets = read(chart.sets, [{**shape, "tiles": [(0, count - 1)]}], place + ".sets")
    masks, level, tiles = [bits(s.states) for s in sets], [s.level for s in sets], [s.tiles for s in sets]
    read(chart.root, (0, count - 1), place + ".root")
    need(masks[chart.root] == (1 << states) - 1, "%s: the root is not the set of all states", place)
    for s, parts in enumerate(tiles):
        union = 0
        for t in parts:
            part = masks[t] and not masks[t] & ~masks[s] and level[t] > level[s]
            need(part, "%s.sets[%d]: set %d is empty, no part of it, or not of a greater level", place, s, t)
            union |= masks[t]
        whole = union == masks[s] if level[s] < levels else not parts and bin(masks[s]).count("1") == 1
        need(whole, "%s.sets[%d]: its tiles are not all of it, or at the last level it is not one state", place, s)
    return masks, level, tiles
# -- claims -----------------------------------------------------------------------------------------------------------
_BOTH = {"language": _machine_of, "model": _Model, "mode": {"predictive", "recognise"}}
_KINDS = {  # of each claim: what its file holds besides format, claim and evidence; its kinds of evidence
    "computes": ({**_BOTH, "horizon": (0, LARGEST, None)}, {
        "closed": {"states": _COUNT, "dead": None}, "relation": {"entries": [None]},
        "levels": {"digits": [[_NATURAL]], "root": _NATURAL, "sets": [None]}}),
    "is wrong about": (_BOTH, {"word": {"parts": [None]}}),
    "not star-free": ({"language": _machine_of}, {"cycle": {**dict.fromkeys("uwv", [str]), "period": (2, LARGEST)}}),
    "at most star-free": ({"model": _Model}, {"bound": {"states": _COUNT}})}
class _Claim:
    """What a file claims, its parts read and checked for form; check() checks the evidence."""
    mode = horizon = model = language = None
    def __init__(self, value):
        self.kind = read(value.get("claim"), set(_KINDS), "claim")
        parts, kinds = _KINDS[self.kind]
        evidence = {"evidence": lambda value, place: one_of(value, kinds, place)}
        self.__dict__.update(vars(read(value, {"format": str, "claim": str, **parts, **evidence})))
        machine = self.machine = self.language
        if machine: machine.arrange(self.model.symbols if self.model else machine.names, self.mode or "recognise")
        if self.mode:
            recognise = self.mode == "recognise"
            need((self.model.outputs == [_ACCEPT]) == recognise, "model.outputs are not those of mode %s", self.mode)
            need(recognise or machine.first, "the language has no word, so in predictive mode nothing is asked")
        self.text = self.sentence()  # evidence may add to it
    def check(self): globals()["check_" + self.evidence[0]](self, self.evidence[1])  # of this kind, out of those above
    def sentence(self):
        if self.kind == "not star-free": return "%s is not star-free" % self.machine.text
        if self.kind == "at most star-free":
            return ("for each output of %s, the strings after which it is given are a star-free language; "
                    "so is whatever it recognises or predicts" % self.model.text)
        verb = "recognise" if self.mode == "recognise" else "predict"
        if self.kind == "is wrong about": return "%s does not %s %s" % (self.model.text, verb, self.machine.text)
        text = {"recognise": "it gives <accept> after a string exactly when that is a word",
                "predictive": "after every prefix of a word it gives exactly the symbols that may come next, "
                              "and <eos> exactly after words"}[self.mode]
        reach = "" if self.horizon is None else ", on all strings of at most %d symbols" % self.horizon
        return "%s %ss %s: %s%s" % (self.model.text, verb, self.machine.text, text, reach)
def main(arguments):
    sys.setrecursionlimit(6000)
    gc.set_threshold(10**5)  # what is kept to the end is looked through for garbage less often
    if arguments[:1] == ["--work"] and len(arguments) == 3 and re.match("[1-9][0-9]{0,17}\\Z", arguments[1]):
        Work.limit = Work.left = int(arguments[1])
        arguments = arguments[2:]
    if len(arguments) != 1 or arguments[0].startswith("--"): return report(2, "usage: checker.py [--work N] FILE")
    try:
        claim = _Claim(_load(arguments[0]))
        claim.check()
    except Rejected as reason: return report(2, "%s: %s" % (arguments[0], reason))
    except Failed as reason: return report(1, "FAILED: %s" % reason)
    except (MemoryError, RecursionError, OverflowError) as error:
        return report(1, "FAILED: beyond the checker's means (%s)" % type(error).__name__)
    return report(0, "VERIFIED: %s." % claim.text)
def report(status, text):
    """Prints one line, in ASCII, and gives the status: 2 where it cannot be printed."""
    text = re.sub("[^ -~]", lambda found: ascii(found.group())[1:-1], text)
    try:
        file = sys.stderr if status == 2 else sys.stdout
        file.write(text + "\n")
        file.flush()
    except (OSError, ValueError, AttributeError): return 2
    return status
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
