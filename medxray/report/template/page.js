// What the page does: charts, colours, the slider of the operating point, printing.
const themeButton = document.getElementById("theme");

function showTheme() {
  themeButton.setAttribute("aria-pressed", String(isDark()));
  drawAll();
}
themeButton.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
window.addEventListener("beforeprint", () => {
  const earlier = root.dataset.theme || "", closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach(one => { one.open = true; });
  printing = true;
  root.dataset.theme = "light";
  drawAll();
  window.addEventListener("afterprint", () => {
    printing = false;
    closed.forEach(one => { one.open = false; });
    if (earlier) root.dataset.theme = earlier; else delete root.dataset.theme;
    showTheme();
  }, { once: true });
});
document.addEventListener("click", event => { // in the frame of a notebook a link would lead out of the page
  const link = event.target.closest("a[href^='#']");
  if (!link || location.protocol !== "about:") return;
  event.preventDefault();
  const place = document.getElementById(link.hash.slice(1));
  place.scrollIntoView();
  place.focus({ preventScroll: true });
});
let resized = null;
window.addEventListener("resize", () => {
  window.clearTimeout(resized);
  resized = window.setTimeout(drawAll, 150);
});
showTheme();

function startSlider(data) {
  const slider = document.getElementById("threshold"), status = document.getElementById("operating-status");
  const thresholds = thresholdsOf(data.logOdds, [data.stored, 0]);
  let told = null, drawn = null;

  function write(id, text) {
    document.getElementById(id).textContent = text;
  }

  function show() {
    const threshold = thresholds[Number(slider.value)], counts = confusionAt(data.logOdds, data.positive, threshold);
    const rates = { ...ratesOf(counts), ...netBenefits(counts, threshold) };
    const text = probabilityText(threshold) + (threshold === data.stored ? " (stored threshold)" : "");
    write("threshold-text", text);
    slider.setAttribute("aria-valuetext", text);
    for (const [key, count] of Object.entries(counts)) write("cell-" + key, String(count));
    for (const [key, rate] of Object.entries(rates)) {
      write("rate-" + key, rate === null ? "–" : rate.toFixed(3).replace("-", "−"));
    }
    window.clearTimeout(told);
    told = window.setTimeout(() => {
      status.textContent = `Threshold ${text}: ${counts.tp} true positives, ${counts.fp} false positives, ` +
        `${counts.fn} false negatives, ${counts.tn} true negatives.`;
    }, 400);
    window.cancelAnimationFrame(drawn);
    drawn = window.requestAnimationFrame(() => {
      const shown = probability(threshold), known = shown > 0 && shown < 1;
      moveLive({
        roc: [rates.specificity === null ? null : 1 - rates.specificity, rates.sensitivity],
        pr: [rates.sensitivity, rates.ppv],
        benefit: [known ? shown : null, known ? rates.benefit : null],
      }, shown);
    });
  }

  function goTo(threshold) {
    slider.value = String(thresholds.indexOf(threshold));
    show();
  }
  slider.max = String(thresholds.length - 1);
  slider.addEventListener("input", show);
  document.getElementById("to-stored").addEventListener("click", () => goTo(data.stored));
  document.getElementById("to-half").addEventListener("click", () => goTo(0));
  goTo(data.stored);
}
if (page.operating) startSlider(page.operating);
