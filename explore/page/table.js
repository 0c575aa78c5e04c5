// The table of the points shown: sorted by a column, walked with the arrow keys.

const ROWS = 100;  // at first, and how many more at a time

function table(points, chosen) {
  heads();
  const [name, down] = state.sort ? [state.sort, state.down] : [state.goal, state.way === "most"];
  const order = ordered(points, name, down);
  const shown = order.slice(0, state.rows);
  const reached = shown.includes(chosen) ? chosen : shown[0];
  at("rows").replaceChildren();
  shown.forEach((point) => row(point, point === chosen, point === reached));
  at("more").hidden = order.length <= state.rows;
  at("more").textContent = `${Math.min(ROWS, order.length - state.rows)} more rows`;
  at("shown").textContent = `${points.length} of ${state.target.points.length} points on `
    + `${state.target.target}; a click on a column's name sorts by it, on a row tells how that `
    + "macro is made. Arrow keys walk the rows.";
}

function heads() {
  at("heads").replaceChildren();
  [...axes, ...metrics()].forEach((name) => {
    const on = name === state.sort;
    const cell = made("th", at("heads"), undefined, {
      scope: "col", "aria-sort": on ? (state.down ? "descending" : "ascending") : "none",
    });
    button(cell, name + (on ? (state.down ? " ▾" : " ▴") : ""), () => {
      state.down = on && !state.down;
      state.sort = name;
      changed();
    }, { "data-field": name });
    if (unit(name) && unit(name) !== name) made("div", cell, unit(name));
  });
  made("th", at("heads"), "front", { scope: "col" });
}

function row(point, chosen, reached) {
  const kind = [point.front && "front", !point.feasible && "out", chosen && "chosen"];
  const node = made("tr", at("rows"), undefined, {
    class: kind.filter(Boolean).join(" "), tabindex: reached ? 0 : -1, "data-key": point.key,
  });
  [...axes, ...metrics()].forEach((name) => made("td", node, told(field(point, name))));
  made("td", node, point.front ? "yes" : point.feasible ? "" : "breaks a constraint");
  node.addEventListener("click", () => choose(point.key));
  node.addEventListener("keydown", (event) => walk(event, node));
}

function walk(event, node) {
  const { nextSibling: below, previousSibling: above } = node;
  const next = { ArrowDown: below, ArrowUp: above, Enter: node }[event.key];
  if (!next) return;
  event.preventDefault();
  choose(next.dataset.key);
  document.querySelector("#rows tr.chosen")?.focus();
}
