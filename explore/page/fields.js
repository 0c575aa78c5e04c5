// What the page knows: the sweep's data, the state that a link keeps, and how things are written.

const data = JSON.parse(document.getElementById("data").textContent);
const axes = Object.keys(data.axes);
const at = (id) => document.getElementById(id);

// Shown at first: a target that has points.
const FIRST = data.targets.find((each) => each.points.length) || data.targets[0];

// All that is chosen; fragment.js writes it into the address. `point` is a key, "" for the answer.
const state = {
  target: FIRST, way: "least", goal: "", rules: [], x: "", y: "", xway: "least",
  yway: "least", xlog: false, ylog: false, colour: "", alone: false, point: "", sort: "",
  down: false, rows: 0, hidden: Object.fromEntries(axes.map((axis) => [axis, new Set()])),
};

function made(name, parent, text, attributes) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  for (const key in attributes || {}) node.setAttribute(key, attributes[key]);
  return parent.appendChild(node);
}

// A button that says so where it was pressed.
function button(parent, text, act, attributes) {
  const node = made("button", parent, text, { type: "button", ...attributes });
  node.addEventListener("click", act);
  return node;
}

function options(select, names, chosen, texts) {
  select.replaceChildren();
  names.forEach((name, place) => {
    const about = data.metrics[name]?.about || data.about_axes[name] || "";
    made("option", select, texts ? texts[place] : withUnit(name), { value: name, title: about });
  });
  select.value = chosen;
}

// One for all numbers: making one takes longer than a hundred uses of it.
const NUMBERS = new Intl.NumberFormat("en-GB", {
  maximumSignificantDigits: 15, useGrouping: "min2",
});

function told(value) {
  if (value === undefined) return "–";
  if (Array.isArray(value)) return value.join(" ") || "none";
  if (typeof value !== "number") return String(value);
  return NUMBERS.format(Number.isInteger(value) ? value : Number(value.toPrecision(5)));
}

const metrics = () => Object.keys(state.target.units);
const field = (point, name) => (name in state.target.units
  ? point.figures[name] : point.choice[name]);

function unit(name) {
  const raw = state.target.units[name];
  return raw === undefined ? "" : data.shown_units[raw] ?? raw;
}

const withUnit = (name) => (unit(name) && unit(name) !== name ? `${name} (${unit(name)})` : name);
const figure = (point, name) => `${told(field(point, name))} ${unit(name)}`.trim();
// Beside the name, which may be the unit: cycles.
const valued = (point, name) => (
  unit(name) === name ? told(field(point, name)) : figure(point, name));
const choice = (point) => axes.map((axis) => `${axis} = ${told(point.choice[axis])}`).join(", ");

const NUMERIC = axes.filter((axis) => data.axes[axis].every((v) => typeof v === "number"));

// What can be drawn: metrics, and axes of numbers.
const drawable = () => [...metrics(), ...NUMERIC];
const drawn = (name) => name in state.target.units || NUMERIC.includes(name);

// "least" or "most": the sweep's objective, else what one rather has of such a metric.
const better = (name) => (name in data.metrics ? data.metrics[name].better : "least");
