// Which points fulfil what is asked for, which is the best, and the front of two metrics.

const RULES = { ">=": (a, b) => a >= b, "<=": (a, b) => a <= b };

// Rules with a number in them, of what the target has; others ask for nothing.
const asked = () => state.rules.filter((rule) => rule.value !== "" && drawn(rule.metric));

function fulfils(point) {
  return asked().every((rule) => RULES[rule.sign](field(point, rule.metric), Number(rule.value)))
    && axes.every((axis) => !state.hidden[axis].has(String(point.choice[axis])));
}

const compare = (a, b) => (typeof a === "number" && typeof b === "number"
  ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));

// Points by a field, those without it last; of equal ones those of the sweep's front first.
function ordered(points, name, down) {
  const known = (point) => field(point, name) !== undefined;
  return [...points].sort((a, b) => known(b) - known(a)
    || (known(a) ? (down ? -1 : 1) * compare(field(a, name), field(b, name)) : 0)
    || b.front - a.front);
}

// The point that answers the question; undefined where none fulfils it.
function best(points) {
  const legal = points.filter((p) => p.feasible && field(p, state.goal) !== undefined);
  return ordered(legal, state.goal, state.way === "most")[0];
}

// Of points that keep the sweep's constraints those that no other beats in what is drawn, by x.
function drawnFront(points) {
  const cost = (point, name, way) => (way === "most" ? -1 : 1) * field(point, name);
  const costs = points.filter((p) => p.feasible && placed(p)).map((point) => (
    { point, a: cost(point, state.x, state.xway), b: cost(point, state.y, state.yway) }));
  costs.sort((one, other) => one.a - other.a || one.b - other.b);
  const kept = [];
  for (const each of costs) {
    const last = kept[kept.length - 1];
    if (!last || each.b < last.b || (each.b === last.b && each.a === last.a)) kept.push(each);
  }
  return kept.map((each) => each.point)
    .sort((one, other) => field(one, state.x) - field(other, state.x));
}

// Whether a point has both of what is drawn.
const placed = (p) => field(p, state.x) !== undefined && field(p, state.y) !== undefined;
