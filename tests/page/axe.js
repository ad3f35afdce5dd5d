// Opens everything on a copy of the page and lets axe-core look at it.
"use strict";
for (const details of document.querySelectorAll("details")) details.open = true;
setTimeout(async () => {
  const found = await axe.run(document, { resultTypes: ["violations", "incomplete"] });
  const told = (rules) => rules.map(({ id, impact, nodes }) =>
    ({ id, impact, nodes: nodes.map((node) => `${node.target}: ${node.html.slice(0, 200)}`).slice(0, 5) }));
  const place = document.createElement("pre");
  place.id = "found";
  place.textContent = JSON.stringify({
    violations: told(found.violations), passes: found.passes.length, steppers: document.querySelectorAll(".stepper input").length,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  });
  document.body.replaceChildren(place);
}, 300);
