"""What a trained run can be asked to explain."""

import dataclasses
import logging
from functools import cached_property

log = logging.getLogger(__name__)
_OF_DATA = {"split", "out", "exclude_known", "label_map", "columns"}  # what is looked at, and where results go


class Explainable:
    """The explanations of a run; what they need is imported when they are asked for."""

    @cached_property
    def _explainers(self):
        return {}

    def gradcam(self, paths, *, layer=None, target=None):
        """Grad-CAM heatmaps of images; see `explain`."""
        return self.explain(paths, layer=layer, target=target)

    def explain(self, paths, **wanted):
        """Heatmaps of images.

        Args:
            paths: files, folders, glob patterns and bytes, see `predict.inputs.expand_inputs`.
            **wanted: fields of `explain.explainer.ExplainRequest`: method, layer, target, engine, options.

        Returns:
            (`explain.heatmaps.Heatmaps`, a list of Heatmap, dict path -> reason of each image that cannot be read).

        Raises:
            ConfigError: unknown method, layer, class or option.
            DataError: the paths hold no image at all.
        """
        from medxray.explain.explainer import ExplainRequest
        from medxray.explain.heatmaps import heatmaps_for

        return heatmaps_for(self, paths, ExplainRequest(**wanted))

    def explainer(self, request):
        """The function that answers an ExplainRequest, built once; see `explain.explainer.explain_function`."""
        from medxray.explain.explainer import explain_function

        if request not in self._explainers:
            self._explainers[request] = explain_function(self, request)
        return self._explainers[request]

    def write_heatmaps(self, paths, out, *, methods="gradcam", raw=False, grid=False, **wanted):
        """Draw heatmaps of images by one method or several, as `medxray explain maps`.

        A warning says where `explain evaluate` found that Grad-CAM, which is asked for, fails on this run; so it does
        in `write_cohort` and `write_audit`.

        Args:
            paths: as for `explain`.
            out: folder to write into, created when missing.
            methods: names with commas between them, or "all", see `explain.several.requests_of`.
            raw: also write the numbers, an npz for each heatmap; see `explain.folder.raw_arrays`.
            grid: draw all heatmaps of an image side by side.
            **wanted: `layer`, `target`, `options` and `engine`, as for `explain`.

        Returns:
            predict.outcomes.WrittenFiles.

        Raises:
            ConfigError, DataError: as for `explain`.
            StorageError: `out` cannot be written.
        """
        from medxray.explain import folder
        from medxray.explain.several import requests_of

        requests = requests_of(self, methods, **wanted)
        self._warn_of_gradcam(
            any(one.method == "gradcam" and one.layer in (None, *self.heat_layers) for one in requests)
        )
        return folder.write_heatmaps(self, paths, out, *requests, raw=raw, grid=grid)

    def _warn_of_gradcam(self, wanted):
        """Warn where Grad-CAM of the usual layer is wanted, which alone is checked, and it failed the check."""
        from medxray.explain.checks.stored_verdicts import failing_words

        if wanted and (words := failing_words(self.directory, "gradcam")):
            log.warning("%s", words)

    def write_checks(self, data=None, **how):
        """Say how far the maps of explanation methods can be trusted, as `medxray explain evaluate`.

        `how` holds fields of `explain.checks.evaluate.CheckRequest` and what `explain.checks.evaluate.write_checks`
        takes, which says what is returned.
        """
        from medxray.explain.checks.evaluate import CheckRequest, write_checks

        return write_checks(self, data, **_with_request(CheckRequest, how))

    def write_cohort(self, data=None, **how):
        """Average the heatmaps of groups of images, as `medxray explain cohort`.

        `how` holds fields of `explain.cohort.cohort.CohortRequest` and what `explain.cohort.cohort.write_cohort` takes,
        which says what is returned.
        """
        from medxray.explain.cohort.cohort import CohortRequest, write_cohort

        self._warn_of_gradcam(how.get("method", CohortRequest.method) == "gradcam")
        return write_cohort(self, data, **_with_request(CohortRequest, how))

    def write_audit(self, data=None, **how):
        """Say how far the answers hang on borders, markers and image size, as `medxray explain audit`.

        `how` holds fields of `explain.audit.audit.AuditRequest` and what `explain.audit.audit.write_audit` takes, which
        says what is returned.
        """
        from medxray.explain.audit.audit import AuditRequest, write_audit

        self._warn_of_gradcam(how.get("method", AuditRequest.method) == "gradcam")
        return write_audit(self, data, **_with_request(AuditRequest, how))

    @property
    def heat_layers(self):
        """Names of the layers that maps are taken from where nobody names one, tuple."""
        return (self.architecture.heat_layer,)

    def map_function(self, method, *, layer, engine, options):
        """Build what explains the model by a method of the table.

        Args:
            method: row of `explain.methods.METHODS`.
            layer: name of a layer; None: the default one.
            engine: one of `explain.method.ENGINES`.
            options: dict of all options of the method.

        Returns:
            function as `explain.methods` describes it.

        Raises:
            ConfigError: the model cannot be explained so.
        """
        layer = (layer or self.architecture.heat_layer) if method.needs_layer else None
        return method.builder(engine)(self.model, layer, **options)

    def layers_by_depth(self):
        """Groups of layers with weights, from the logits down; see `explain.checks.randomisation.depths`."""
        from medxray.explain.checks.randomisation import depths

        return depths(self.model, self.architecture.stages)


def _with_request(kind, how):
    """Keyword arguments with a request in place of its fields, `kind` being its dataclass; TypeError for others."""
    names = {field.name for field in dataclasses.fields(kind)}
    for name in how:
        if name not in names | _OF_DATA:
            raise TypeError(f"There is no option '{name}'. There are {', '.join(sorted(names | _OF_DATA))}.")
    request = kind(**{name: value for name, value in how.items() if name in names})
    return {name: value for name, value in how.items() if name not in names} | {"request": request}
