// The plot: points by two metrics, their front in steps, the chosen one in a ring.

const COLOURS = ["#3b6fb6", "#228833", "#aa3377", "#b8860b", "#0f8b8d", "#6b4fa0", "#555555"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];
const ORANGE = "#c2410c", GREY = "#b5b5b5";
const SMALL = { size: 7, opacity: 0.6 };
// Without the button that would send the points to a server.
const CONFIG = {
  responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  toImageButtonOptions: { filename: `${data.sweep}-front`, format: "svg" },
};

function plot(points, front, chosen) {
  const shown = points.filter(placed);
  const lines = {
    ...coordinates(front), mode: "lines", name: "front", hoverinfo: "skip",
    line: { color: ORANGE, width: 1.5, shape: state.xway === "least" ? "hv" : "vh" },
  };
  const ring = {
    ...coordinates(chosen && placed(chosen) && shown.length ? [chosen] : []), mode: "markers",
    name: "the point told", hoverinfo: "skip",
    marker: { size: 19, symbol: "circle-open", color: "#000", line: { width: 2.5 } },
  };
  const traces = [lines, ...groups(shown, new Set(front)), ring];
  Plotly.react(at("plot"), traces, layout(shown), CONFIG);
}

const coordinates = (points) => ({
  x: points.map((p) => field(p, state.x)), y: points.map((p) => field(p, state.y)),
});

// Traces of points of one look: those that break a constraint in grey, those of the front large,
// and a colour for each value of the axis that colours.
function groups(points, front) {
  const legal = points.filter((p) => p.feasible);
  const out = points.filter((p) => !p.feasible);
  const of = (on, value) => legal.filter((p) => front.has(p) === on
    && (state.colour === "" || String(p.choice[state.colour]) === String(value)));
  const values = state.colour ? data.axes[state.colour] : [""];
  const look = (place) => ({ color: COLOURS[place % 7], symbol: SYMBOLS[place % 7] });
  const large = { size: 11, line: { width: 1.5, color: ORANGE } };
  const called = (value, otherwise) => (
    state.colour ? `${state.colour} = ${told(value)}` : otherwise);
  return [
    trace("breaks a constraint", out, { ...SMALL, color: GREY }),
    ...values.map((value, place) => trace(
      called(value, "beaten"), of(false, value), { ...SMALL, ...look(place) })),
    ...values.map((value, place) => trace(
      called(value, "on the front"), of(true, value),
      { ...large, ...(state.colour ? look(place) : { color: ORANGE }) })),
  ].filter((each) => each.x.length).map((each, place, all) => (
    { ...each, showlegend: all.findIndex((other) => other.name === each.name) === place }));
}

const trace = (name, points, marker) => ({
  ...coordinates(points), mode: "markers", name, legendgroup: name, marker,
  customdata: points.map((p) => p.key), text: points.map(hover),
  hovertemplate: "%{text}<extra></extra>",
});

const hovers = new WeakMap();  // made once a point

function hover(point) {
  if (!hovers.has(point)) {
    hovers.set(point, [choice(point).replace(/((?:[^,]*,){3})/g, "$1<br>"),
      ...metrics().map((name) => `${name}: <b>${valued(point, name)}</b>`)].join("<br>"));
  }
  return hovers.get(point);
}

// Instead of axes from -1 to 6.
const EMPTY = {
  xaxis: { visible: false }, yaxis: { visible: false },
  annotations: [{ text: "no point to draw", showarrow: false, xref: "paper", yref: "paper" }],
};

function layout(points) {
  const scale = (name, wanted) => {
    const values = points.map((p) => field(p, name));
    const log = wanted && values.every((value) => value > 0);
    const decades = log ? Math.log10(Math.max(...values) / Math.min(...values)) : 0;
    return {
      title: { text: withUnit(name), standoff: 8 }, automargin: true, linecolor: "#888",
      mirror: true, zeroline: false, gridcolor: "#e6e6e6", exponentformat: "none",
      ...(log ? { type: "log", tickformat: ",.2~r", dtick: decades < 3 ? "D2" : 1 } : {}),
    };
  };
  return {
    xaxis: scale(state.x, state.xlog), yaxis: scale(state.y, state.ylog),
    margin: { l: 60, r: 12, t: 34, b: 50 }, hovermode: "closest", font: { size: 13, color: "#333" },
    legend: { orientation: "h", y: -0.16, yanchor: "top", x: 0 }, hoverlabel: { align: "left" },
    uirevision: [state.target.target, state.x, state.y, state.xlog, state.ylog].join(),
    plot_bgcolor: "#fff", ...(points.length ? {} : EMPTY),
  };
}
