// What a page computes of strings, as text: added to a copy of the page, or run by node on its scripts.
"use strict";

// Of each string, each step: the outputs as bits, and the state as integers over a power of two.
function computed(engine, models, strings) {
  const results = {};
  for (const [name, words] of Object.entries(strings)) {
    const model = models[name];
    results[name] = words.map((word) => engine.run(model, word).map(({ h, outputs }) => {
      const bits = model.outputs.map((output) => Number(outputs.includes(output))).join("");
      return `${bits} ${h.map(({ values, exponent }) => values.map((value) => `${value}/${exponent}`).join(" ")).join(" ")}`.trim();
    }));
  }
  return results;
}

// What the steppers show of strings that are typed: the cells of each row.
function displayed(strings) {
  const results = {};
  for (const place of document.querySelectorAll(".stepper")) {
    const name = place.dataset.name;
    const input = place.querySelector("input");
    results[name] = strings[name].map((word) => {
      input.value = word.join(" ");
      input.dispatchEvent(new Event("input"));
      const rows = place.querySelectorAll("tbody tr");
      return [...rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
    });
  }
  return results;
}

if (typeof document === "undefined") {
  const fs = require("fs");
  const folder = process.argv[2];
  const models = new Function(`${fs.readFileSync(`${folder}/models.js`)}; return MODELS;`)();
  const strings = JSON.parse(fs.readFileSync(process.argv[3]));
  console.log(JSON.stringify(computed(require(`${folder}/engine.js`), models, strings)));
} else {
  for (const details of document.querySelectorAll("details.language")) details.open = true;
  // Opening is told to the page a moment later.
  setTimeout(() => {
    const found = { computed: computed(Engine, MODELS, STRINGS), displayed: displayed(TYPED) };
    const place = document.createElement("pre");
    place.id = "found";
    place.textContent = JSON.stringify(found);
    document.body.replaceChildren(place);
  }, 100);
}
