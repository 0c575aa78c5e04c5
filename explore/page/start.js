// The page: what is shown by default, what happens where something is changed.

function useDefaults(target) {
  const known = (name) => name in target.units;
  const wanted = Object.keys(data.objectives).filter(known);
  state.target = target;
  const names = drawable();
  const [first, second] = [...new Set([...wanted, ...names])];
  Object.assign(state, {
    goal: metrics().includes(first) ? first : metrics()[0], way: better(first), x: first,
    y: second || first, xway: better(first), yway: better(second || first), point: "", sort: "",
    down: false, rows: ROWS, rules: second ? [newRule(second)] : [],
  });
}

// Another target: what it does not have of the state is as by default. Conditions stay.
function useTarget(target) {
  const { goal, x, y, xway, yway, way, rules } = state;
  useDefaults(target);
  if (metrics().includes(goal)) Object.assign(state, { goal, way });
  if (drawn(x) && drawn(y)) Object.assign(state, { x, y, xway, yway });
  const kept = rules.filter((rule) => drawn(rule.metric) || rule.value !== "");
  if (kept.length) state.rules = kept;
}

function choose(key) {
  state.point = key;
  changed();
}

function changed() {
  draw();
  history.replaceState(null, "", fragment());
}

function draw() {
  const { points } = state.target;
  const found = points.filter(fulfils);
  const front = drawnFront(found);
  const shown = state.alone ? front : found;
  const answer = best(found);
  const chosen = points.find((point) => point.key === state.point) || answer;
  showAnswer(found, answer);
  tellObjectives();
  plot(shown, front, chosen);
  table(shown, chosen);
  details(chosen, chosen === answer, found.includes(chosen));
  const wanted = state.xway === "least" ? "less" : "more";
  const lost = state.yway === "least" ? "more" : "less";
  at("legend").textContent = front.length
    ? `The front is ${front.length} of ${found.length} points: `
      + `whoever wants ${wanted} ${state.x} than one of them gets ${lost} ${state.y}. `
      + `${ownFront()}Drag to zoom, double-click to go back.` : "";
}

// Where the sweep's front, of the table, is not judged by the two metrics drawn: what it is of.
function ownFront() {
  const { objectives, points, target } = state.target;
  const names = Object.keys(objectives);
  const way = { [state.y]: state.yway, [state.x]: state.xway };
  const same = names.length === Object.keys(way).length
    && names.every((name) => way[name] === (objectives[name] === "maximise" ? "most" : "least"));
  if (same) return "";
  const own = points.filter((point) => point.front).length;
  const of = names.map((name) => `${objectives[name]} ${name}`).join(", ") || "no objective";
  return `The column front of the table is of other metrics, the sweep's own on ${target} (${of}): `
    + `${many(own, "point")}. `;
}

// Everything that shows the state, anew.
function show() {
  options(at("target"), data.targets.map((each) => each.target), state.target.target,
    data.targets.map((each) => `${each.target} (${each.points.length} macros)`));
  showQuestion();
  options(at("x"), drawable(), state.x);
  options(at("y"), drawable(), state.y);
  options(at("colour"), ["", ...axes], state.colour, ["front", ...axes]);
  ["xway", "yway"].forEach((id) => { at(id).value = state[id]; });
  ["xlog", "ylog", "alone"].forEach((id) => { at(id).checked = state[id]; });
  showValues();
  draw();
}

function listen() {
  const on = (id, act) => at(id).addEventListener("change", () => { act(at(id)); changed(); });
  ["way", "goal", "colour", "xway", "yway"].forEach((id) => on(id, (it) => {
    state[id] = it.value;
  }));
  ["xlog", "ylog", "alone"].forEach((id) => on(id, (it) => { state[id] = it.checked; }));
  ["x", "y"].forEach((id) => on(id, (it) => {
    state[id] = it.value;
    state[`${id}way`] = at(`${id}way`).value = better(it.value);
  }));
  on("goal", () => { state.way = at("way").value = better(state.goal); });
  on("target", (it) => {
    useTarget(data.targets.find((each) => each.target === it.value));
    show();
  });
  const press = (id, act) => at(id).addEventListener("click", act);
  press("add", () => { state.rules.push(newRule(metrics()[0])); showQuestion(); changed(); });
  press("reset", () => { location.hash = ""; });
  press("more", () => { state.rows += ROWS; draw(); });
  press("csv", () => download("csv", asCsv(state.target.points.filter(fulfils))));
  press("json", () => download("json", asJson(state.target.points.filter(fulfils))));
  at("question").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => { useFragment(); show(); });
  at("plot").on("plotly_click", (event) => {
    const hit = event.points.find((each) => each.customdata !== undefined);
    if (hit) choose(hit.customdata);
  });
}

useFragment();
tellSweep();
show();
listen();
