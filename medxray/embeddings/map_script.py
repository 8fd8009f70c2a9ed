"""Style and script of the page of `scatter_page`. Texts from data are only ever set as text."""

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.2rem; color: #1b1b1b; background: #fff; }
h1 { font-size: 1.25rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
main { display: flex; flex-wrap: wrap; gap: 1.2rem; }
section { flex: 3 1 520px; }
aside { flex: 1 1 430px; max-width: 560px; }
svg { width: 100%; border: 1px solid #ccc; background: #fafafa; }
fieldset { display: inline-block; border: 1px solid #ccc; margin: 0 .6rem .5rem 0; padding: .2rem .6rem .3rem; }
label { margin-right: .8rem; white-space: nowrap; }
.mark { display: inline-block; vertical-align: -2px; width: 14px; height: 14px; border: 0; background: none; }
.hidden { display: none; }
.chosen { stroke: #000; stroke-width: 2.5px; }
#card { border: 1px solid #ccc; padding: .7rem; margin-bottom: 1rem; display: flex; gap: .8rem; }
#card[hidden], #missing[hidden], #picture[hidden] { display: none; }
#picture { image-rendering: auto; align-self: flex-start; background: #000; }
dl { margin: 0; overflow-wrap: anywhere; }
dt { color: #555; font-size: .85em; }
dd { margin: 0 0 .35rem; }
table { border-collapse: collapse; font-size: .85em; }
td { white-space: nowrap; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: right; padding: .18rem .45rem; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums; }
th:first-child { text-align: left; overflow-wrap: anywhere; }
footer, .axes { color: #555; font-size: .85em; overflow-wrap: anywhere; }
"""

SCRIPT = """
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const map = document.getElementById("map"), card = document.getElementById("card");
const picture = document.getElementById("picture"), missing = document.getElementById("missing");
const facts = document.getElementById("facts"), NS = "http://www.w3.org/2000/svg";
const off = { c: new Set(), s: new Set() };
const shown = { c: i => data.classes[i].name, s: i => data.splits[i] || "no split" };
let kept = null, chosen = null;

function shape(split, x, y, r) {
  const name = data.splits[split], node = document.createElementNS(NS, name === "train" ? "circle" : "path");
  if (name === "train") {
    node.setAttribute("cx", x); node.setAttribute("cy", y); node.setAttribute("r", r);
  } else {
    const paths = {
      val: `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
      test: `M${x} ${y - 1.3 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}z`,
      "": `M${x} ${y - 1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`,
    };
    node.setAttribute("d", paths[name]);
  }
  return node;
}

function show(point) {
  if (chosen) chosen.node.classList.remove("chosen");
  chosen = point;
  card.hidden = point === null;
  if (point === null) return;
  point.node.classList.add("chosen");
  picture.hidden = point.jpeg === null;
  missing.hidden = point.jpeg !== null;
  if (point.jpeg !== null) picture.src = "data:image/jpeg;base64," + point.jpeg;
  facts.replaceChildren();
  const rows = [["class", shown.c(point.c)], ["subtype", point.subtype], ["split", shown.s(point.s)],
    ["file", point.id], ["patient", point.patient]];
  for (const [name, value] of rows) {
    if (!value) continue;
    const term = document.createElement("dt"), text = document.createElement("dd");
    term.textContent = name; text.textContent = value;
    facts.append(term, text);
  }
}

for (const point of data.points) {
  const node = shape(point.s, 20 + 760 * point.x, 620 - 600 * point.y, point.s === 0 ? 4 : 5);
  node.setAttribute("fill", data.classes[point.c].colour);
  node.setAttribute("fill-opacity", data.splits[point.s] === "train" ? "0.55" : "0.9");
  node.setAttribute("stroke", "#fff");
  node.setAttribute("stroke-width", "0.6");
  point.node = node;
  node.addEventListener("mouseenter", () => { if (!kept) show(point); });
  node.addEventListener("click", event => {
    event.stopPropagation();
    kept = kept === point ? null : point;
    show(point);
  });
  map.append(node);
}
map.addEventListener("click", () => { kept = null; show(null); });

function switches(id, key, count, colour) {
  const box = document.getElementById(id);
  for (let i = 0; i < count; i++) {
    const label = document.createElement("label"), input = document.createElement("input");
    const mark = document.createElementNS(NS, "svg");
    mark.setAttribute("class", "mark");
    mark.setAttribute("viewBox", "0 0 14 14");
    const node = key === "s" ? shape(i, 7, 7, 4.5) : document.createElementNS(NS, "rect");
    if (key === "c") { node.setAttribute("width", "14"); node.setAttribute("height", "14"); }
    node.setAttribute("fill", colour(i));
    mark.append(node);
    input.type = "checkbox"; input.checked = true;
    input.addEventListener("change", () => {
      input.checked ? off[key].delete(i) : off[key].add(i);
      for (const point of data.points) {
        point.node.classList.toggle("hidden", off.c.has(point.c) || off.s.has(point.s));
      }
    });
    label.append(input, mark, " " + shown[key](i));
    box.append(label);
  }
}
switches("classes", "c", data.classes.length, i => data.classes[i].colour);
switches("splits", "s", data.splits.length, () => "#767676");
"""
