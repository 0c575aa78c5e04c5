// What the sweep was, in words: what was asked for, what is not here and why, what metrics mean.

const LISTED = 20;  // points without figures, of a kind
const many = (number, what) => `${told(number)} ${what}${number === 1 ? "" : "s"}`;

function tellSweep() {
  const measured = data.targets.reduce((sum, each) => sum + each.points.length, 0);
  const named = (found) => found.map((each) => each.target).join(", ");
  const empty = named(data.targets.filter((each) => !each.points.length));
  const on = named(data.targets.filter((each) => each.points.length));
  at("about").textContent = `${many(measured, "macro")} measured${on && ` on ${on}`}`
    + `${empty && `; none on ${empty}, where the answer says why`}. Pick a target, say `
    + "what you need, and read the answer; a click on a point of the plot or a row of the table "
    + "gives the command that makes it. The address of this page keeps what you chose.";
  missing();
  const terms = (id, found) => found.forEach(([name, about]) => {
    made("dt", at(id), name);
    made("dd", at(id), about);
  });
  terms("metrics", Object.entries(data.metrics).map(([name, { about }]) => [name, about]));
  terms("axes", Object.entries(data.about_axes));
}

// The sweep's objectives that a target has, in words, and what is not judged there.
function tellObjectives() {
  const { target, objectives, not_judged: none } = state.target;
  const ways = Object.entries(objectives).map(([name, way]) => `${way} ${name}`);
  at("objectives").textContent = ways.join(", ") || "of no objective, for none is measured there";
  at("on").textContent = target;
  const told = [["objective", none.objectives], ["constraint", none.constraints]]
    .flatMap(([kind, all]) => all.map((each) => `${kind} ${each}`));
  at("unjudged").textContent = told.length
    ? `Not judged on ${target}, for it is not measured there: ${told.join(", ")}.` : "";
}

// Why a target has no points.
function whyNone() {
  const { target, refused, failures, unfit } = state.target;
  const why = refused.map(({ rule, combinations }) => `${told(combinations)} refused: ${rule}`);
  if (unfit.length) why.push(`${many(unfit.length, "macro")} did not fit`);
  if (failures.length) {
    why.push(`${many(failures.length, "macro")} could not be measured: ${failures[0].why}`);
  }
  return `No macro of this sweep was measured on ${target}. ${why.join("; ")}.`;
}

function looked() {
  const several = data.search === "optimise" && data.targets.length > 1;
  const on = several ? ` (of all ${data.targets.length} targets together)` : "";
  return data.search === "grid"
    ? `${many(data.combinations, "combination")} of the axes' values were looked at. `
    : `The axes' values have ${many(data.grid, "combination")}; ${told(data.combinations)} `
      + `${on ? "were" : "of them were"} tried${on}. `;
}

function missing() {
  const box = at("missing");
  made("p", box, looked()
    + (data.left_out ? `${told(data.left_out)} of them were left out, for they break the sweep's `
      + `"when": ${data.when.join("; ")}. ` : "None was left out. ")
    + (data.refused ? `${told(data.refused)} were refused, on each target where they are: `
      : "None was refused."));
  list(box, data.rules.map(({ rule, combinations }) => `${told(combinations)}: ${rule}`));
  if (data.constraints.length) {
    const broken = data.targets.reduce(
      (sum, each) => sum + each.points.filter((point) => !point.feasible).length, 0);
    made("p", box, "A point that breaks a constraint that its target judges is grey and on no "
      + "front; "
      + `${many(broken, "point")} do: ${data.constraints.join("; ")}.`);
  }
  leftOut(box, "failures", "could not be measured");
  leftOut(box, "unfit", "did not fit their board, which is a result: such a macro is too large");
}

function leftOut(box, kind, what) {
  const found = data.targets.flatMap((each) => each[kind].map(
    (point) => `on ${each.target}, ${choice(point)}: ${point.why}`));
  if (!found.length) return;
  const cut = found.length > LISTED ? "; all are in the CSV beside this page, the first ones" : "";
  made("p", box, `${many(found.length, "point")} ${what}${cut}:`);
  list(box, found.slice(0, LISTED));
}

function list(box, texts) {
  const node = made("ul", box);
  texts.forEach((text) => made("li", node, text));
}
