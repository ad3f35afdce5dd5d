// The steppers: each runs one language's weights (engine.js) on the string that the reader types.
"use strict";

(() => {
  const element = (name, properties = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key in made) made[key] = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };

  const spaced = (model) => model.alphabet.some((symbol) => symbol.length > 1);
  const legalWords = (model, outputs) =>
    outputs.map((output) => (output === model.eos ? "end" : output)).join(" ") || "nothing";
  const MACHINES = { automaton: "automaton", counters: "counter machine", stack: "stack machine" };
  const same = (a, b) => a.length === b.length && a.every((x) => b.includes(x));

  class Stepper {
    constructor(place, model) {
      this.place = place;
      this.model = model;
      this.at = 0;
      const id = `string-${place.id}`;
      this.input = element("input", {
        id, type: "text", value: model.example, autocomplete: "off", spellcheck: false, autocapitalize: "off",
        "aria-describedby": `${id}-help ${id}-fault`,
      });
      this.fault = element("p", { id: `${id}-fault`, className: "fault", role: "alert" });
      this.keys = element("div", { className: "row", role: "group", "aria-label": "Append a symbol" });
      this.moves = element("div", { className: "row", role: "group", "aria-label": "Move through the run" });
      this.now = element("div", { className: "now", "aria-live": "polite" });
      this.body = element("tbody");
      const parted = spaced(model) ? "; blanks between symbols may be left out" : "";
      place.replaceChildren(
        element("label", { htmlFor: id }, `A string over ${model.alphabet.join(" ")}`),
        this.input,
        this.fault,
        element("p", { id: `${id}-help` },
          `Type it, or append symbols with the buttons${parted}. Green and solid is what the model calls legal next.`),
        this.keys, this.moves, this.now,
        element("div", { className: "scroll tall", tabIndex: 0, role: "region", "aria-label": `The run of ${model.name}` },
          this.table()),
      );
      this.input.addEventListener("input", () => this.read(Infinity));
      this.input.addEventListener("keydown", (event) => {
        if (event.key === "ArrowUp" || event.key === "ArrowDown") {
          event.preventDefault();
          this.go(this.at + (event.key === "ArrowDown" ? 1 : -1));
        }
      });
      this.makeMoves();
      this.read(Infinity);
    }

    table() {
      const heads = ["step", "symbol", "gates not 1", "registers", "legal next", "by definition",
        MACHINES[this.model.definition.kind]];
      return element("table", {},
        element("caption", {}, `Weights in ${this.model.arithmetic.name}, run in this page`),
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
        this.body);
    }

    makeMoves() {
      const button = (text, label, where) => {
        const made = element("button", { type: "button", "aria-label": label }, text);
        made.addEventListener("click", () => this.go(where()));
        return made;
      };
      this.first = button("|◀", "First step", () => 0);
      this.back = button("◀", "Step back", () => this.at - 1);
      this.forward = button("▶", "Step forward", () => this.at + 1);
      this.last = button("▶|", "Last step", () => this.steps.length - 1);
      this.clear = element("button", { type: "button" }, "Clear");
      this.clear.addEventListener("click", () => { this.input.value = ""; this.read(Infinity); this.input.focus(); });
      this.counter = element("span");
      this.moves.append(this.first, this.back, this.forward, this.last, this.clear, this.counter);
    }

    // Reads the string and runs the weights on it; what follows a symbol that is none is not run.
    read(at) {
      const { word, fault } = Engine.parse(this.model, this.input.value);
      this.word = word;
      this.fault.textContent = fault
        ? `Character ${fault.place + 1}, “${fault.found}”, is no symbol: expected ${this.model.alphabet.join(" ")}.` : "";
      this.input.setAttribute("aria-invalid", String(Boolean(fault)));
      this.steps = Engine.run(this.model, word);
      this.named = this.steps.map((step) => Engine.registers(this.model, step));
      this.truth = Engine.definition(this.model, word);
      this.left = this.truth.findIndex((state) => state.dead);
      this.body.replaceChildren(...this.steps.map((_, i) => this.row(i)));
      this.go(at);
    }

    // What is said of the model's answer after a step: a predictor is not asked once no word is possible any more.
    answer(i) {
      const said = this.left >= 0 && i >= this.left
        ? `not asked: the string left the language at step ${this.left}` : legalWords(this.model, this.steps[i].outputs);
      const right = this.truth[i].dead || same(this.steps[i].outputs, this.truth[i].legal);
      return { said, right };
    }

    gates(i) {
      return this.named[i].filter((register) => register.gate !== null && !register.holds)
        .map((register) => `${register.name}=${register.gate}`).join(" ") || "-";
    }

    row(i) {
      const registers = element("td", { className: "registers code" });
      this.named[i].forEach((register, n) => {
        const changed = i > 0 && this.named[i - 1][n].value !== register.value;
        registers.append(element("span", { className: changed ? "changed" : "" }, `${register.name}=${register.value}`), " ");
      });
      if (!this.named[i].length) registers.append("-");
      const { said, right } = this.answer(i);
      const defined = this.truth[i].dead ? "-" : legalWords(this.model, this.truth[i].legal);
      return element("tr", {},
        element("th", { scope: "row" }, String(i)),
        element("td", { className: "code" }, i ? this.steps[i].symbol : "(start)"),
        element("td", { className: "code" }, this.gates(i)),
        registers,
        element("td", { className: "code" }, said),
        element("td", { className: right ? "code" : "code wrong" }, right ? defined : `${defined} (differs)`),
        element("td", { className: "code" }, this.truth[i].name));
    }

    go(at) {
      this.at = Math.max(0, Math.min(at, this.steps.length - 1));
      [...this.body.rows].forEach((row, i) => {
        row.className = i === this.at ? "current" : "";
        if (i === this.at) row.setAttribute("aria-current", "step");
        else row.removeAttribute("aria-current");
      });
      const end = this.steps.length - 1;
      this.first.disabled = this.back.disabled = this.at === 0;
      this.last.disabled = this.forward.disabled = this.at === end;
      this.counter.textContent = `step ${this.at} of ${end}`;
      this.show();
      this.offer();
    }

    show() {
      const { said, right } = this.answer(this.at);
      const registers = this.named[this.at].flatMap((register) => [
        element("span", { className: "register" }, `${register.name} = ${register.value}`), " "]);
      const facts = [
        ["after", this.word.slice(0, this.at).join(" ") || "the empty string"],
        [MACHINES[this.model.definition.kind], this.truth[this.at].name],
        ["gates not 1", this.gates(this.at)],
        ["registers", registers.length ? registers : "none: no memory is needed"],
        ["legal next", said + (right ? "" : ", which differs from the definition")],
      ];
      this.now.replaceChildren(element("dl", {}, ...facts.flatMap(([name, value]) => [
        element("dt", {}, name), element("dd", { className: "code" }, ...[value].flat())])));
    }

    // A button for each symbol: it goes on from the step that is shown.
    offer() {
      const asked = this.left < 0 || this.at < this.left;
      const legal = asked ? this.steps[this.at].outputs : [];
      if (this.keys.children.length !== this.model.alphabet.length) {
        this.keys.replaceChildren(...this.model.alphabet.map((symbol) => {
          const made = element("button", { type: "button" }, symbol);
          made.addEventListener("click", () => this.append(symbol));
          return made;
        }));
      }
      [...this.keys.children].forEach((button, i) => {
        const may = legal.includes(this.model.alphabet[i]);
        button.className = may ? "legal" : "illegal";
        button.setAttribute("aria-label", `${this.model.alphabet[i]}, ${may ? "legal" : "not legal"} next`);
      });
    }

    append(symbol) {
      const word = [...this.word.slice(0, this.at), symbol];
      this.input.value = word.join(spaced(this.model) ? " " : "");
      this.read(Infinity);
    }
  }

  const made = new Map();
  function open(details) {
    const place = details.querySelector(".stepper");
    if (place && details.open && !made.has(place)) made.set(place, new Stepper(place, MODELS[place.dataset.name]));
  }
  for (const details of document.querySelectorAll("details.language")) {
    details.addEventListener("toggle", () => open(details));
    open(details);
  }
  // A link to a language opens it.
  function follow() {
    const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (found instanceof HTMLDetailsElement) {
      found.open = true;
      found.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", follow);
  follow();
})();
