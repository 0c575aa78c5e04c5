// What is told of a point: its figures, the command that makes it, its configuration.

function details(point, isAnswer, shown) {
  const box = at("chosen");
  box.replaceChildren();
  if (!point) {
    made("p", box, state.target.points.length
      ? "No point fulfils what is asked for." : "No point was measured on this target.");
    return;
  }
  const best = state.way === "least" ? "Least" : "Most";
  made("h2", box, isAnswer ? `${best} ${state.goal} of those asked for` : "The point that you chose");
  if (!shown) made("p", box, "It is hidden by the conditions or the values of the axes.");
  const standing = point.front ? "On the sweep's front." : point.feasible
    ? "Beaten by another in what the sweep asks for." : "Breaks a constraint of the sweep.";
  made("p", box, standing, { class: "note" });
  const rows = made("tbody", made("table", box, undefined, { id: "figures" }));
  axes.forEach((axis) => pair(rows, axis, told(point.choice[axis])));
  metrics().forEach((name) => pair(rows, name, valued(point, name), name));
  copied(box, "The command that makes it:", point.command, "command");
  copied(box, `The command that measures it on ${state.target.target}:`, point.measure, "measure");
  const config = point.config || "# all as by default";
  copied(box, "Its configuration, as a TOML file:", config, "config");
  made("p", box, `Key in the store: ${point.key}`, { class: "note" });
}

function pair(rows, name, value, metric) {
  const line = made("tr", rows, undefined, metric ? { title: data.metrics[metric].about } : {});
  made("td", line, name);
  made("td", line, value);
}

// A text with a button that copies it.
function copied(box, what, text, id) {
  const line = made("p", box, `${what} `, { class: "note" });
  const node = made("pre", box, text, { id, tabindex: 0 });
  const press = button(line, "copy", async () => {
    press.textContent = (await copy(text, node)) ? "copied" : "selected; press Ctrl-C";
  }, { "data-copies": id });
}

async function copy(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {  // a page without the right to
    getSelection().selectAllChildren(node);
    return false;
  }
}
