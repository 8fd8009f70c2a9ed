// Charts from the data of the page. Colours of classes are those of Okabe and Ito (2008), lighter ones on dark ground.
const PALETTES = {
  light: ["#0072B2", "#D55E00", "#009E73", "#A2547F", "#8F6200", "#2A7FAE", "#57606a"],
  dark: ["#56B4E9", "#FF9A57", "#35D0A5", "#E3A3C6", "#F0C14B", "#9AD5F7", "#a9b2bc"],
};
const page = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
let printing = false;

function isDark() {
  if (printing) return false;
  if (root.dataset.theme) return root.dataset.theme === "dark";
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

function colourOf(colour) {
  if (colour === "text") return isDark() ? "#e8eaed" : "#1b1f23";
  if (colour === "muted") return isDark() ? "#a9b2bc" : "#57606a";
  const palette = PALETTES[isDark() ? "dark" : "light"];
  return palette[colour % palette.length];
}

function literal(text) { // Plotly reads some markup in names
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function tracesOf(series) {
  const colour = colourOf(series.colour), name = literal(series.name), type = "scatter";
  const common = { x: series.x, y: series.y, name, type };
  if (series.kind === "bars") {
    return [{ ...common, type: "bar", width: series.width, marker: { color: colour }, opacity: 0.65 }];
  }
  if (series.kind === "band") {
    const line = { width: 0, shape: series.shape, color: colour }, fillcolor = colour + "2e";
    const edge = { ...common, mode: "lines", line, hoverinfo: "skip", showlegend: false };
    return [edge, { ...edge, y: series.high, fill: "tonexty", fillcolor, showlegend: true }];
  }
  if (series.kind === "line") {
    const line = { color: colour, dash: series.dash, shape: series.shape, width: 2 };
    return [{ ...common, mode: series.marks ? "lines+markers" : "lines", line, marker: { color: colour } }];
  }
  const line = { width: 2, color: colour }, size = series.live ? 13 : 9;
  const marker = { color: colour, symbol: series.symbol, size, line };
  const trace = { ...common, mode: "markers", marker, meta: series.live };
  if (series.low) {
    const array = series.up.map((value, at) => Math.max(value - series.y[at], 0));
    const arrayminus = series.low.map((value, at) => Math.max(series.y[at] - value, 0));
    trace.error_y = { type: "data", symmetric: false, array, arrayminus, color: colour };
  }
  return [trace];
}

// A title in two lines where one is too long for a width in pixels.
function wrapped(title, width) {
  const middle = title.length / 2, breaks = [...title.matchAll(/ /g)].map(found => found.index);
  if (title.length * 8 <= width || !breaks.length) return literal(title);
  const at = breaks.reduce((best, one) => (Math.abs(one - middle) < Math.abs(best - middle) ? one : best));
  return literal(title.slice(0, at)) + "<br>" + literal(title.slice(at + 1));
}

function axisOf(axis, length) {
  const grid = isDark() ? "#333b43" : "#e3e3e3";
  const found = {
    title: { text: wrapped(axis.title, length), standoff: 8 }, exponentformat: "power", gridcolor: grid, zerolinecolor: grid,
    linecolor: grid,
    type: axis.log ? "log" : "linear",
  };
  if (axis.range) found.range = axis.range;
  if (axis.names) Object.assign(found, { tickvals: axis.names.map((_, at) => at), ticktext: axis.names.map(literal) });
  return found;
}

function shapesOf(lines) {
  return lines.map(line => ({
    type: "line", xref: "x", yref: "paper", x0: line.x, x1: line.x, y0: 0, y1: 1,
    line: { color: colourOf(line.live ? "text" : "muted"), width: line.live ? 2 : 1, dash: line.live ? "solid" : "dot" },
  }));
}

function notesOf(lines) {
  return lines.map((line, at) => ({
    x: line.x, y: 1, xref: "x", yref: "paper", text: literal(line.label), showarrow: false, xanchor: "left",
    yanchor: "bottom", yshift: 13 * (at % 2), font: { size: 11, color: colourOf("muted") },
  }));
}

// The height of a legend below a chart, which is added to that of the chart; one entry has none.
function legendHeight(chart, width) {
  const letters = Math.max(...chart.series.map(series => series.name.length)), count = chart.series.length;
  const columns = Math.max(1, Math.floor((width - 60) / (7 * letters + 60)));
  return count > 1 ? 22 * Math.ceil(count / columns) + 8 : 0;
}

// Pixels; on paper those of A4 and Letter, since the page has no other width yet when it is about to be printed.
function widthOf(node) {
  if (printing) return node.closest(".pair") ? 340 : 680;
  return Math.max(node.clientWidth, 240);
}

function draw(key) {
  const chart = page.charts[key], node = document.getElementById("chart-" + key);
  const width = widthOf(node), above = chart.lines.length ? 40 : 15;
  const below = legendHeight(chart, width), foot = 55 + below + (chart.x.title.length * 8 > width - 75 ? 16 : 0);
  const side = chart.square ? Math.min(width - 75, 420) : Math.min(0.55 * width, 280);
  const height = side + above + foot;
  node.style.height = height + "px";
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: colourOf("text"), size: 13 },
    width, height, margin: { l: 60, r: 15, t: above, b: foot, autoexpand: false },
    barmode: "overlay", hovermode: "closest",
    legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", traceorder: "normal" },
    showlegend: below > 0, xaxis: axisOf(chart.x, width - 75), yaxis: axisOf(chart.y, side),
    shapes: shapesOf(chart.lines), annotations: notesOf(chart.lines),
    dragmode: window.matchMedia("(pointer: coarse)").matches ? false : "zoom",
  };
  if (chart.square) {
    Object.assign(layout.xaxis, { constrain: "domain" });
    Object.assign(layout.yaxis, { scaleanchor: "x", constrain: "domain" });
  }
  Plotly.react(node, chart.series.flatMap(tracesOf), layout, { displayModeBar: false });
}

function drawAll() {
  Object.keys(page.charts).forEach(draw);
}

// Move the points and lines of all charts that follow the operating point.
function moveLive(places, x) {
  for (const [key, chart] of Object.entries(page.charts)) {
    const node = document.getElementById("chart-" + key);
    for (const series of chart.series.filter(one => one.live)) {
      [series.x, series.y] = places[series.live].map(value => (value === null ? [] : [value]));
      const at = node.data.findIndex(trace => trace.meta === series.live);
      Plotly.restyle(node, { x: [series.x], y: [series.y] }, [at]);
    }
    const moved = chart.lines.filter(line => line.live);
    moved.forEach(line => { line.x = x; });
    if (moved.length) Plotly.relayout(node, { shapes: shapesOf(chart.lines), annotations: notesOf(chart.lines) });
  }
}
