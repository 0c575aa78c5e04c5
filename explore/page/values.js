// Which values of the axes are shown.

function showValues() {
  at("filters").replaceChildren();
  axes.forEach((axis) => {
    const box = made("fieldset", at("filters"));
    made("legend", box, axis);
    data.axes[axis].forEach((value) => {
      const label = made("label", box);
      const tick = made("input", label, undefined, { type: "checkbox" });
      tick.checked = !state.hidden[axis].has(String(value));
      label.append(` ${told(value)}`);
      tick.addEventListener("change", () => {
        state.hidden[axis][tick.checked ? "delete" : "add"](String(value));
        changed();
      });
    });
  });
}
