// The question: what is to be least or most, and which conditions hold.

const SIGNS = { ">=": "at least", "<=": "at most" };

function showQuestion() {
  options(at("goal"), metrics(), state.goal);
  at("way").value = state.way;
  at("rules").replaceChildren();
  state.rules.forEach((rule, place) => showRule(rule, place));
}

function showRule(rule, place) {
  const line = made("li", at("rules"));
  const change = (key) => (event) => { rule[key] = event.target.value; changed(); };
  if (place) made("span", line, "and ");
  const name = made("select", line, undefined, { "aria-label": "metric of the condition" });
  const here = drawn(rule.metric);
  options(name, here ? drawable() : [rule.metric, ...drawable()], rule.metric);
  name.addEventListener("change", (event) => {
    rule.metric = event.target.value;
    rule.sign = better(rule.metric) === "most" ? ">=" : "<=";
    showQuestion();
    changed();
  });
  made("span", line, " is ");
  const sign = made("select", line, undefined, { "aria-label": "at least or at most" });
  options(sign, Object.keys(SIGNS), rule.sign, Object.values(SIGNS));
  sign.addEventListener("change", change("sign"));
  made("span", line, " ");
  const value = made("input", line, undefined, {
    type: "number", step: "any", placeholder: "any", "aria-label": "number of the condition",
  });
  value.value = rule.value;
  value.addEventListener("input", change("value"));
  made("span", line, ` ${unit(rule.metric)} `);
  const about = data.metrics[rule.metric]?.about || data.about_axes[rule.metric];
  made("span", line, `(${about}) `, { class: "small" });
  if (!here) {
    made("b", line, `${state.target.target} has no ${rule.metric}: no condition there. `);
  }
  button(line, "×", () => {
    state.rules.splice(place, 1);
    showQuestion();
    changed();
  }, { "aria-label": "leave this condition out" });
}

function newRule(metric) {
  return { metric, sign: better(metric) === "most" ? ">=" : "<=", value: "" };
}

function showAnswer(points, found) {
  const box = at("answer");
  box.replaceChildren();
  if (!found) {
    const legal = state.target.points.filter((p) => p.feasible);
    const reach = asked().map((rule) => extreme(legal, rule, rule.sign === ">="));
    made("span", box, reach.length && legal.length
      ? `No macro of this sweep fulfils that: ${reach.join("; ")}.` : noAnswer(legal.length));
    return;
  }
  const told = [...new Set(asked().map((rule) => rule.metric))].filter((n) => n !== state.goal);
  made("b", box, `${figure(found, state.goal)}`);
  made("span", box, `: ${choice(found)}`);
  const others = told.filter((name) => !axes.includes(name));
  if (others.length) {
    const named = (name) => (unit(name) === name ? "" : `${name} `) + figure(found, name);
    made("span", box, `; ${others.map(named).join(", ")}`);
  }
  const all = state.target.points;
  made("span", box, `. ${points.length} of ${all.length} macros fulfil this`);
  if (points.length === all.length) {
    const reach = asked().map((rule) => `; ${extreme(all, rule, rule.sign === "<=")}`);
    made("span", box, reach.join(""));
  }
  made("span", box, ". ");
  if (state.point) button(box, "show it", () => choose(""));
}

// How far a condition could go: the most, or least, of its metric.
function extreme(points, rule, most) {
  const reached = ordered(points, rule.metric, most)[0];
  const way = most ? "most" : "least";
  return `the ${way} ${rule.metric} that any has is ${valued(reached, rule.metric)}`;
}

// Why there is none, where no condition of the question is the reason.
function noAnswer(feasible) {
  const { target, points, constraints } = state.target;
  if (!points.length) return whyNone();
  if (!feasible) {
    return `No macro on ${target} fulfils the sweep's constraints: ${constraints.join("; ")}.`;
  }
  return "No macro has the values of the axes that are shown.";
}
