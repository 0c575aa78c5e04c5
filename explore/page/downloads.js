// The points shown as a file: as CSV with the names of the sweep's own, or as JSON with units.

function asCsv(points) {
  const names = [...axes, ...metrics()];
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = points.map((point) => [
    state.target.target, ...names.map((name) => field(point, name) ?? ""),
    Number(point.feasible), Number(point.front), point.key,
  ]);
  return [["target", ...names, "feasible", "front", "key"], ...lines]
    .map((line) => `${line.map((value) => quoted(String(value))).join(",")}\n`).join("");
}

function asJson(points) {
  const { target, units } = state.target;
  return `${JSON.stringify({ sweep: data.sweep, target, units, points }, null, 2)}\n`;
}

function download(kind, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text]));
  link.download = `${data.sweep}-${state.target.target}-shown.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
