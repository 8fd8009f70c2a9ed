"""From a run and the names of methods to a report that says how far their maps can be trusted."""

import logging
import time
from dataclasses import dataclass

import numpy as np

from medxray.errors import ConfigError
from medxray.evaluation.evaluate import part_of_data
from medxray.explain.checks import randomisation
from medxray.explain.checks.bench import Bench
from medxray.explain.checks.figures import figures_of
from medxray.explain.checks.files import write_report
from medxray.explain.checks.maps import MapFunction
from medxray.explain.checks.perturbations import BETTER, FRACTIONS, VERSIONS
from medxray.explain.checks.regions import read_regions
from medxray.explain.checks.sample import read_sample
from medxray.explain.checks.settings import FEW_IMAGES, MANY_PASSES, chosen_methods, setting_of
from medxray.explain.checks.verdicts import verdict_line
from medxray.explain.several import ALL
from medxray.runs.evaluation_files import ExplanationFiles
from medxray.system import progress
from medxray.system.storage import check_place, plain

log = logging.getLogger(__name__)
IMAGES = 64
_PROBED, _FEWEST_PROBED = 4, 8  # one image in four is explained again with random weights, eight at least
EXACT = "exact"


@dataclass(frozen=True)
class CheckRequest:
    """Which methods are checked, and on what.

    Attributes:
        methods: names with commas between them, "all", or None for those of one pass forth and back.
        images: how many images at most; None: `IMAGES`, and fewer for methods of many passes.
        seed: of the sample and of all random draws.
        masks: folder of masks, or None.
        boxes: CSV of boxes, or None.
    """

    methods: str | None = None
    images: int | None = None
    seed: int = 0
    masks: str | None = None
    boxes: str | None = None


def write_checks(run, data=None, *, split="test", request=None, out=None, exclude_known=False, **how):
    """Check explanation methods on images of a run, or of other data, and write what comes of it.

    Args:
        run: trained_run.Run.
        data: folder or CSV, as for `evaluation.evaluate.write_evaluation`; None: the run's own split.
        split: "train", "val" or "test".
        request: CheckRequest; None: the default one.
        out: folder to write to; None: `explanations` in the folder of this evaluation, see `runs.directory`.
        exclude_known: as for `write_evaluation`.
        **how: `label_map` and `columns`, as for `write_evaluation`.

    Returns:
        (dict of JSON values, see docs/explain.md; pathlib.Path of the folder it was written to).

    Raises:
        ConfigError: unknown method, one that the model cannot be explained by, or a run without heatmaps.
        DataError: images, masks or boxes cannot be used.
        StorageError: the folder cannot be written.
    """
    request = request or CheckRequest()
    chosen_methods(request.methods)
    run.check_gradcam()
    check_place(run.path if out is None else out)
    part, known, evaluation = part_of_data(run, data, split, exclude_known=exclude_known, **how)
    files = evaluation.explanations if out is None else ExplanationFiles(out)
    sample = read_sample(run, part, images=request.images or IMAGES, seed=request.seed)
    regions = read_regions(run, sample, masks=request.masks, boxes=request.boxes)
    report = {"split": split, "data": None if known is None else str(data)}
    report |= check_methods(run, sample, regions, request)
    return write_report(plain(report), files, in_run=out is None), files.path


def check_methods(run, sample, regions, request):
    """Check methods on a sample.

    Args:
        run: trained_run.Run.
        sample: sample.CheckedImages.
        regions: regions.Regions, or None.
        request: CheckRequest.

    Returns:
        dict of JSON values.
    """
    begin = time.perf_counter()
    methods, skipped = _built(run, request.methods, len(sample), fewer=request.images is None)
    groups = run.layers_by_depth()
    bench = Bench(run, sample, regions, seed=request.seed)
    total = _tell_passes(methods, len(groups), bench)
    with progress.track(total, "Explanation checks") as bar:
        references = {name: bench.measure(maps, bar.advance) for name, maps in bench.reference_maps().items()}
        measured = {method.name: method.measured(bench, bar) for method in methods}
        _randomised(run, groups, methods, bench, bar, request.seed)
    who = {"patients": sample.patients, "labels": sample.labels, "seed": request.seed}
    of_references = {name: figures_of(one, {}, **who) for name, one in references.items()}
    of_methods = {method.name: figures_of(measured[method.name], references, **who) for method in methods}
    for method in methods:
        of_methods[method.name] |= method.facts(bench)
        of_methods[method.name]["verdict"] = verdict_line(method.name, of_methods[method.name])
    return {
        **_of_sample(run, sample, bench, regions, request),
        "better": BETTER,
        "fractions": FRACTIONS,
        "references": of_references,
        "methods": of_methods,
        "skipped": skipped,
        "passes": total,
        "seconds": round(time.perf_counter() - begin, 1),
    }


class _Method:
    """One method in the course of its check.

    Args:
        run: trained_run.Run.
        name: of a row of `methods.METHODS`.
        images: size of the sample.
        fewer: whether fewer are enough where a map takes many passes.
    """

    def __init__(self, run, name, images, *, fewer):
        setting = setting_of(name)
        self.name, self._run, self._setting = name, run, setting
        self._options = setting.options(run.input_size)
        self._explain = MapFunction(run, name, self._options)
        self.passes = setting.passes(self._explain.options, run.input_size)
        self.images = min(images, FEW_IMAGES) if fewer and self.passes > MANY_PASSES else images
        self.probed = min(self.images, max(_FEWEST_PROBED, self.images // _PROBED))
        self.is_seeded = "seed" in self._explain.options
        self._probes, self._steps, self._repeated = None, [], EXACT

    def cost(self, depths):
        """Forward passes of the whole check."""
        again = depths + int(self.is_seeded)
        return self.images * (self.passes + VERSIONS) + self.probed * self.passes * again

    def measured(self, bench, bar):
        """Explain the images, measure the maps, and keep the first ones for comparisons."""
        maps = self._maps(self._explain, bench, self.images, bar)
        self._probes = maps[: self.probed].copy()
        if self.is_seeded:
            other = self._options | {"seed": self._explain.options["seed"] + 1}
            repeated = self._maps(MapFunction(self._run, self.name, other), bench, self.probed, bar)
            self._repeated = randomisation.likeness(self._probes, repeated, bench.sample.boxes[: self.probed])[0]
        return bench.measure(maps, lambda passes: bar.advance(passes, self.name))

    def compare(self, depth, bench, bar):
        """Explain the first images with the weights as they are now, and note how alike the maps are."""
        maps = self._maps(self._explain, bench, self.probed, bar)
        self._steps.append((depth, *randomisation.likeness(self._probes, maps, bench.sample.boxes[: self.probed])))

    def _maps(self, explain, bench, count, bar):
        targets = bench.answers.targets[:count]
        return explain(bench.sample.pixels[:count], targets, lambda done: bar.advance(done * self.passes, self.name))

    def facts(self, bench):
        """What is known of the method besides its figures, dict of JSON values."""
        between = randomisation.likeness_between_images(self._probes, bench.sample.boxes)
        repeated = self._repeated if self._repeated == EXACT else {"rank_correlation": self._repeated, "n": self.probed}
        return {
            "randomisation": randomisation.verdict(self._steps, between) | {"n": self.probed},
            "repeatability": repeated,
            "options": self._explain.options,
            "lowered": self._setting.reason or None,
            "passes_per_map": self.passes,
        }


def _built(run, text, images, *, fewer):
    """(list of _Method, dict name -> why it is left out); what was named must work, of the others it is told."""
    methods, skipped = [], {}
    for name in chosen_methods(text):
        try:
            methods.append(_Method(run, name, images, fewer=fewer))
        except ConfigError as error:
            if text not in (None, ALL):
                raise
            skipped[name] = str(error)
            log.info("%s is left out: %s", name, error)
    return methods, skipped


def _tell_passes(methods, depths, bench):
    """Say what the check will cost, and return its number of passes."""
    images = len(bench.sample)
    total = 2 * images * VERSIONS + sum(method.cost(depths) for method in methods)
    log.info(
        "%d methods on %d images: %d forward passes, about %.0f minutes.",
        len(methods),
        images,
        total,
        max(1, total * bench.seconds_per_pass / 60),
    )
    return total


def _randomised(run, groups, methods, bench, bar, seed):
    """Randomise the run's model step by step, compare the maps at each, and give it its weights back."""
    random = np.random.default_rng([seed, 2])
    with randomisation.weights_kept(run.model):
        for depth, layers in groups:
            randomisation.randomise(layers, random)
            for method in methods:
                method.compare(depth, bench, bar)


def _of_sample(run, sample, bench, regions, request):
    known = None
    if regions is not None:
        known = {"source": regions.source, "missing": len(regions.missing), "n_localised": int(bench.localised.sum())}
    counts = np.bincount(sample.labels, minlength=len(run.classes))
    scores = {"original": bench.answers.scores, "filled": bench.covered, "blurred": bench.soft}
    return {
        "n": len(sample),
        "n_patients": len(np.unique(sample.patients)),
        "classes": dict(zip(run.classes, counts.tolist(), strict=True)),
        "explained": run.positive or "the predicted class",
        "seed": request.seed,
        "left_out": sample.left_out,
        "regions": known,
        "scores": {name: float(values.mean()) for name, values in scores.items()},
    }
