"use strict";
// The arithmetic of the operating point. Scores are calibrated log-odds; an image is called from the threshold on.

// Counts at a threshold, and what they are shares of.
function confusionAt(logOdds, positive, threshold) {
  const counts = { tp: 0, fp: 0, fn: 0, tn: 0 };
  logOdds.forEach((value, row) => {
    const called = value >= threshold;
    counts[positive[row] ? (called ? "tp" : "fn") : (called ? "fp" : "tn")] += 1;
  });
  return counts;
}

function share(part, whole) {
  return whole > 0 ? part / whole : null;
}

function ratesOf(counts) {
  const { tp, fp, fn, tn } = counts;
  const sensitivity = share(tp, tp + fn), specificity = share(tn, tn + fp);
  return {
    sensitivity, specificity, ppv: share(tp, tp + fp), npv: share(tn, tn + fn),
    accuracy: share(tp + tn, tp + fp + fn + tn),
    balanced: sensitivity === null || specificity === null ? null : (sensitivity + specificity) / 2,
  };
}

// Net benefit of acting on the counts, and of treating all: true positives per image less false positives times the
// odds of the threshold (Vickers and Elkin 2006).
function netBenefits(counts, threshold) {
  const { tp, fp, fn, tn } = counts, images = tp + fp + fn + tn, odds = Math.exp(threshold);
  return { benefit: (tp - fp * odds) / images, all: (tp + fn - (fp + tn) * odds) / images };
}

// Every threshold that tells two images apart, ascending: midpoints between different scores, one below and one above
// all by a factor of two in the odds, and the given ones.
function thresholdsOf(logOdds, given) {
  const scores = [...new Set(logOdds)].sort((a, b) => a - b), found = new Set(given);
  for (let at = 1; at < scores.length; at += 1) {
    const middle = scores[at - 1] + (scores[at] - scores[at - 1]) / 2;
    found.add(middle > scores[at - 1] ? middle : scores[at]);
  }
  if (scores.length) {
    found.add(scores[0] - Math.LN2);
    found.add(scores[scores.length - 1] + Math.LN2);
  }
  return [...found].sort((a, b) => a - b);
}

function probability(logOdds) {
  return 1 / (1 + Math.exp(-logOdds));
}

// A probability in words that never claims 0 or 1.
function probabilityText(logOdds) {
  const value = probability(logOdds), rest = probability(-logOdds);
  if (value >= 0.001 && rest >= 0.001) return value.toFixed(3);
  return value < 0.5 ? value.toExponential(1) : "1 − " + rest.toExponential(1);
}
