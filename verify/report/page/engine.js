// Runs exported weights on strings, symbol by symbol, in exact integers.
//
// A number is an integer (a BigInt) over a power of two.  A vector has one such power for all of its numbers:
// {values: [BigInt], exponent}.  Nothing here knows what a model was built for; the language's own machine, which is
// shown beside it, is stepped by `definition` further below and never asked for an answer of the model.
"use strict";

const Engine = (() => {
  const shifted = (value, by) => (by >= 0 ? value << BigInt(by) : value >> BigInt(-by)); // >> rounds down

  const vector = (values, exponent) => ({ values: values.map(BigInt), exponent });

  function joined(first, second) {
    const exponent = Math.max(first.exponent, second.exponent);
    const raised = (part) => part.values.map((value) => shifted(value, exponent - part.exponent));
    return { values: [...raised(first), ...raised(second)], exponent };
  }

  // (matrix x + bias) / 2^exponent; the rows of the matrix are sparse.
  function affine(map, x) {
    const values = map.bias.map((bias, row) => {
      let total = shifted(BigInt(bias), x.exponent);
      for (let place = map.starts[row]; place < map.starts[row + 1]; place++) {
        total += BigInt(map.values[place]) * x.values[map.columns[place]];
      }
      return total;
    });
    return { values, exponent: map.exponent + x.exponent };
  }

  // A value as it is stored: rounded down to `bits` fractional bits, or to integers where they wrap round.
  function stored(arithmetic, x) {
    if (arithmetic.kind === "exact") return x;
    const exponent = arithmetic.kind === "fixed" ? arithmetic.bits : 0;
    return { values: x.values.map((value) => shifted(value, exponent - x.exponent)), exponent };
  }

  function storedState(arithmetic, x) {
    const kept = stored(arithmetic, x);
    if (arithmetic.kind !== "wrap") return kept;
    return { values: kept.values.map((value) => BigInt.asUintN(arithmetic.bits, value)), exponent: 0 };
  }

  function activated(arithmetic, mix, x) {
    const least = (a, b) => (a < b ? a : b);
    const greatest = (a, b) => (a > b ? a : b);
    if (mix.activation === "relu") return { ...x, values: x.values.map((value) => greatest(value, 0n)) };
    if (mix.activation === "clip") {
      const bounds = stored(arithmetic, vector([mix.low, mix.high], mix.affine.exponent));
      const all = joined(bounds, x);
      const [low, high, ...values] = all.values;
      return { values: values.map((value) => least(greatest(value, low), high)), exponent: all.exponent };
    }
    return x;
  }

  // h_t = A(x_t) * h_(t-1) + B(x_t) elementwise, then the mixes of phi on [h; x].
  function layerStep(arithmetic, layer, h, x) {
    const gates = affine(layer.gate, x);
    const increments = affine(layer.increment, x);
    const product = {
      values: gates.values.map((gate, i) => gate * h.values[i]),
      exponent: gates.exponent + h.exponent,
    };
    const both = joined(product, increments);
    const count = gates.values.length;
    const sums = both.values.slice(0, count).map((value, i) => value + both.values[count + i]);
    const after = storedState(arithmetic, { values: sums, exponent: both.exponent });
    let z = after;
    for (const mix of layer.phi) {
      z = activated(arithmetic, mix, stored(arithmetic, affine(mix.affine, joined(z, x))));
    }
    return { gates, after, features: z };
  }

  const given = (model, numbers) => model.outputs.filter((_, i) => numbers.values[i] > 0n);

  function ssmStep(model, state, row) {
    let x = stored(model.arithmetic, vector(model.embedding.rows[row], model.embedding.exponent));
    const h = [];
    const gates = [];
    model.layers.forEach((layer, number) => {
      const step = layerStep(model.arithmetic, layer, state[number], x);
      h.push(step.after);
      gates.push(step.gates);
      x = step.features;
    });
    return { h, gates, outputs: given(model, affine(model.readout, x)) };
  }

  // h_t = relu(W x_t + U h_(t-1)), as torch.nn.RNN has it; there are no gates.
  function cellStep(model, state, row) {
    const fromInput = affine(model.input, vector(model.embedding.rows[row], model.embedding.exponent));
    const fromState = affine(model.recurrent, state[0]);
    const values = fromInput.values.map((value, i) => value + fromState.values[i]);
    const h = activated(model.arithmetic, { activation: "relu" }, { values, exponent: 0 });
    return { h: [h], gates: [], outputs: given(model, affine(model.readout, h)) };
  }

  function start(model) {
    if (model.kind !== "ssm") return [vector(Array(model.units.length).fill(0), 0)];
    return model.layers.map((layer) =>
      storedState(model.arithmetic, vector(layer.initial.values, layer.initial.exponent)));
  }

  const step = (model, state, row) => (model.kind === "ssm" ? ssmStep : cellStep)(model, state, row);

  // All steps of a string of symbols, the one of BOS first: {symbol, h, gates, outputs}.
  function run(model, word) {
    let state = start(model);
    return [model.bos, ...word].map((symbol, place) => {
      const row = place ? model.alphabet.indexOf(symbol) : model.alphabet.length;
      if (row < 0) throw new Error(`${symbol} is not a symbol`);
      const found = step(model, state, row);
      state = found.h;
      return { symbol, ...found };
    });
  }

  // -- what the numbers are called ---------------------------------------------------------------------

  const decimal = (value, exponent) =>
    exponent === 0 || value % (1n << BigInt(exponent)) === 0n
      ? String(shifted(value, -exponent))
      : String(Number(value) / 2 ** exponent);

  // The digit after the step, of h = ballast + digit + previous * epsilon, as [value, exponent]; others as they are.
  function digit(value, exponent, digits) {
    const rest = shifted(value - shifted(BigInt(digits.ballast), exponent), digits.epsilon);
    const one = shifted(1n, digits.epsilon + exponent);
    if (rest === 0n || rest === shifted(1n, exponent)) return [0n, 0];
    if (rest === one || rest === one + shifted(1n, exponent)) return [1n, 0];
    return [value, exponent];
  }

  // Each register by name: its gates, and its value in words where it has some.
  function registers(model, found) {
    if (model.kind !== "ssm") {
      const on = model.units.filter((_, i) => found.h[0].values[i] !== 0n);
      return [{ name: "unit on", gate: null, value: on.join(", ") || "none", holds: false }];
    }
    return model.registers.map(({ name, places, coded, words, digits }) => {
      const gates = places.map(([layer, i]) => decimal(found.gates[layer].values[i], found.gates[layer].exponent));
      const numbers = places.map(([layer, i]) => [found.h[layer].values[i], found.h[layer].exponent])
        .map(([value, exponent]) => (digits ? digit(value, exponent, digits) : [value, exponent]));
      const shown = numbers.map(([value, exponent]) => decimal(value, exponent));
      let value = shown.join(",");
      if (coded && shown.every((bit) => bit === "0" || bit === "1")) {
        const code = shown.reduce((sum, bit, i) => sum + (bit === "1" ? 2 ** i : 0), 0);
        value = code < words.length ? words[code] : String(code);
      }
      return {
        name,
        gate: new Set(gates).size === 1 ? gates[0] : gates.join(","),
        value,
        holds: gates.every((gate) => gate === "1"),
      };
    });
  }

  // -- the language's own machine ----------------------------------------------------------------------

  // Each kind: the first state, its successor (null is dead for good), a name for a state, whether a word may end in it.
  const machines = {
    automaton: (of, alphabet) => ({
      initial: of.initial,
      next: (state, symbol) => of.table[state][alphabet.indexOf(symbol)],
      dead: (state) => !of.live[state],
      ends: (state) => of.accepting.includes(state),
      name: (state) => `q${state}`,
    }),
    counters: (of) => {
      const holds = (values, tests) =>
        values.every((value, i) => tests[i] === "*" || (value > 0) === (tests[i] === "+"));
      return {
        initial: of.initial,
        next: ([control, values], symbol) => {
          const move = of.moves.find((m) => m[0] === control && m[1] === symbol && holds(values, m[2]));
          return move ? [move[3], values.map((value, i) => value + move[4][i])] : null;
        },
        dead: (state) => state === null,
        ends: ([control, values]) => of.accepting.some(([at, tests]) => at === control && holds(values, tests)),
        name: ([control, values]) => {
          const counted = of.counters.map((counter, i) => `${counter} ${values[i]}`).join(", ");
          return of.controls.length > 1 ? `${control}: ${counted}` : counted;
        },
      };
    },
    stack: (of) => ({
      initial: [],
      next: (open, symbol) => {
        const type = of.openers.indexOf(symbol);
        if (type >= 0) return open.length < of.depth ? [...open, type] : null;
        return open.length && of.closers[open[open.length - 1]] === symbol ? open.slice(0, -1) : null;
      },
      dead: (open) => open === null,
      ends: (open) => open.length === 0,
      name: (open) => (open.length ? `open ${open.map((type) => of.openers[type]).join(" ")}` : "nothing open"),
    }),
  };

  // After each prefix, the empty one first: the state's name, whether it is dead, and what is legal by definition.
  function definition(model, word) {
    const machine = machines[model.definition.kind](model.definition, model.alphabet);
    let state = machine.initial;
    return [null, ...word].map((symbol, place) => {
      if (place && !machine.dead(state)) state = machine.next(state, symbol);
      if (machine.dead(state)) return { name: "dead: no word begins like this", dead: true, legal: [] };
      const legal = model.alphabet.filter((next) => !machine.dead(machine.next(state, next)));
      return { name: machine.name(state), dead: false, legal: machine.ends(state) ? [...legal, model.eos] : legal };
    });
  }

  // The symbols of a text: parted by blanks, or the longest symbol that fits at each place.
  function parse(model, text) {
    const word = [];
    let place = 0;
    while (place < text.length) {
      if (/\s/.test(text[place])) { place++; continue; }
      const fits = model.alphabet.filter((symbol) => text.startsWith(symbol, place));
      if (!fits.length) return { word, fault: { place, found: [...text.slice(place)][0] } };
      const longest = fits.reduce((a, b) => (b.length > a.length ? b : a));
      word.push(longest);
      place += longest.length;
    }
    return { word, fault: null };
  }

  return { run, start, step, registers, definition, parse, decimal };
})();

if (typeof module !== "undefined") module.exports = Engine;
