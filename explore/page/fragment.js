// The state in the address, so that a link shows what its sender saw.

const TEXTS = ["way", "goal", "x", "y", "xway", "yway", "colour", "point", "sort"];
const TICKS = ["xlog", "ylog", "alone", "down"];

function fragment() {
  const told = new URLSearchParams();
  told.set("target", state.target.target);
  TEXTS.filter((name) => state[name]).forEach((name) => told.set(name, state[name]));
  TICKS.filter((name) => state[name]).forEach((name) => told.set(name, 1));
  state.rules.forEach((r) => told.append("where", `${r.metric}${r.sign}${r.value}`));
  axes.forEach((axis) => state.hidden[axis].forEach((v) => told.append("hide", `${axis}:${v}`)));
  return `#${told}`;
}

// What any target has: conditions on it stay where one has not.
const known = (name) => drawn(name) || data.targets.some((each) => name in each.units);

// Takes what an address says; what it does not know of is left as it is by default.
function useFragment() {
  const told = new URLSearchParams(location.hash.slice(1));
  const target = data.targets.find((each) => each.target === told.get("target"));
  useDefaults(target || FIRST);
  const legal = {
    way: ["least", "most"], xway: ["least", "most"], yway: ["least", "most"], goal: metrics(),
    x: drawable(), y: drawable(), colour: axes, sort: [...axes, ...metrics()],
    point: state.target.points.map((point) => point.key),
  };
  TEXTS.filter((name) => legal[name].includes(told.get(name)))
    .forEach((name) => { state[name] = told.get(name); });
  TICKS.forEach((name) => { state[name] = told.has(name); });
  const rules = told.getAll("where").map((text) => text.match(/^(\w+)([<>]=)([-+.\deE]*)$/))
    .filter((found) => found && known(found[1]) && !Number.isNaN(Number(found[3])))
    .map(([, metric, sign, value]) => ({ metric, sign, value }));
  if (told.has("where")) state.rules = rules;
  axes.forEach((axis) => {
    const hidden = told.getAll("hide").filter((text) => text.startsWith(`${axis}:`));
    state.hidden[axis] = new Set(hidden.map((text) => text.slice(axis.length + 1)));
  });
}
