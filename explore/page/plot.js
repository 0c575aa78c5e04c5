// The plot: points by two metrics, their front in steps, the chosen one in a ring.

const COLOURS = ["#3b6fb6", "#228833", "#aa3377", "#b8860b", "#0f8b8d", "#6b4fa0", "#555555"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];
const ORANGE = "#c2410c", GREY = "#b5b5b5";
// Without the button that would send the points to a server.
const CONFIG = {
  responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  toImageButtonOptions: { filename: `${data.sweep}-front`, format: "svg" },
};

function plot(points, front, chosen) {
  const drawn = points.filter(placed);
  const shown = state.alone ? front : drawn;
  const lines = {
    ...coordinates(front), mode: "lines", name: "front", hoverinfo: "skip",
    line: { color: ORANGE, width: 1.5, shape: state.xway === "least" ? "hv" : "vh" },
  };
  const ring = {
    ...coordinates(chosen && placed(chosen) ? [chosen] : []), mode: "markers",
    name: "the point told", hoverinfo: "skip",
    marker: { size: 19, symbol: "circle-open", color: "#000", line: { width: 2.5 } },
  };
  const traces = [lines, ...groups(shown, new Set(front)), ring];
  Plotly.react(at("plot"), traces, layout(shown), CONFIG);
}

const coordinates = (points) => ({
  x: points.map((p) => field(p, state.x)), y: points.map((p) => field(p, state.y)),
});

// A trace for each value of the axis that colours; points that break a constraint are grey.
function groups(points, front) {
  const legal = points.filter((p) => p.feasible);
  const found = state.colour
    ? data.axes[state.colour].map((value) => [`${state.colour} = ${value}`,
      legal.filter((p) => p.choice[state.colour] === value)])
    : [["on the front", legal.filter((p) => front.has(p))],
      ["beaten", legal.filter((p) => !front.has(p))]].reverse();
  const traces = found.map(([name, some], place) => trace(name, some, front, {
    color: state.colour ? COLOURS[place % 7] : [COLOURS[0], ORANGE][place],
    symbol: state.colour ? SYMBOLS[place % 7] : "circle",
  }));
  const out = points.filter((p) => !p.feasible);
  return [trace("breaks a constraint", out, front, { color: GREY }), ...traces]
    .filter((each) => each.x.length);
}

function trace(name, points, front, marker) {
  const on = (yes, no) => points.map((p) => (front.has(p) ? yes : no));
  return {
    ...coordinates(points), mode: "markers", name, customdata: points.map((p) => p.key),
    text: points.map(hover), hovertemplate: "%{text}<extra></extra>",
    marker: {
      ...marker, size: on(11, 7), opacity: on(1, 0.6), line: { width: on(1.5, 0), color: ORANGE },
    },
  };
}

const hover = (point) => [choice(point).replace(/((?:[^,]*,){3})/g, "$1<br>"),
  ...metrics().map((name) => `${name}: <b>${figure(point, name)}</b>`)].join("<br>");

function layout(points) {
  const scale = (name, wanted) => {
    const log = wanted && points.every((p) => field(p, name) > 0);
    return {
      title: { text: withUnit(name), standoff: 8 }, automargin: true, linecolor: "#888",
      mirror: true, zeroline: false, gridcolor: "#e6e6e6", exponentformat: "none",
      type: log ? "log" : "linear", tickformat: log ? ",.2~r" : "", nticks: log ? 7 : 0,
    };
  };
  return {
    xaxis: scale(state.x, state.xlog), yaxis: scale(state.y, state.ylog),
    margin: { l: 60, r: 12, t: 34, b: 50 }, hovermode: "closest", font: { size: 13, color: "#333" },
    legend: { orientation: "h", y: -0.16, yanchor: "top", x: 0 }, hoverlabel: { align: "left" },
    uirevision: [state.target.target, state.x, state.y, state.xlog, state.ylog].join(),
    plot_bgcolor: "#fff",
  };
}
