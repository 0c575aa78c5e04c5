// Which values of the axes are shown; a target has no macro of some.

function showValues() {
  at("filters").replaceChildren();
  axes.forEach((axis) => {
    const box = made("fieldset", at("filters"));
    made("legend", box, axis);
    data.axes[axis].forEach((value) => {
      const here = state.target.points.some((p) => String(p.choice[axis]) === String(value));
      const label = made("label", box, undefined, here ? {} : {
        class: "none", title: `no macro on ${state.target.target} has it`,
      });
      const tick = made("input", label, undefined, { type: "checkbox" });
      tick.disabled = !here;
      tick.checked = here && !state.hidden[axis].has(String(value));
      label.append(` ${told(value)}`);
      tick.addEventListener("change", () => {
        state.hidden[axis][tick.checked ? "delete" : "add"](String(value));
        changed();
      });
    });
  });
}
