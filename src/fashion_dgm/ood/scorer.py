"""Scores of images, fitted to training images and nothing else."""

# Explained in docs/reading-the-numbers.md.

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fashion_dgm.classifier.network import Classifier
from fashion_dgm.config import OODConfig
from fashion_dgm.data.images import ImageSet, to_unit_interval
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.flow import Flow
from fashion_dgm.flows.likelihood import bits_per_dim_of
from fashion_dgm.ood.measures import Neighbours, coded_bits_per_dim, edges, measure_flow, pixels
from fashion_dgm.ood.scores import SCORES, Fitted, needs_of, scores_of
from fashion_dgm.training.store import Progress

__all__ = ["Models", "Scorer", "for_slow_flow"]

NOT_OF_A_SLOW_FLOW = {"gradient_norm", "background_bits_per_dim", "ensemble_bits_per_dim"}
NOT_OF_A_SLOW_FLOW |= {"nearest_pixels", "nearest_edges", "nearest_features"}

Measured = dict[str, NDArray[np.floating]]


@dataclass(frozen=True)
class Models:
    """What the scores ask; what is None or empty makes the scores that need it missing.

    Arguments:
        flows: the flows to evaluate, by name; each has scores of its own.
        background: a flow trained on noised images, for the likelihood ratio of flows of its own architecture.
        ensembles: other weights of a flow, by its name, for WAIC.
        classifier: trained with labels.
    """

    flows: Mapping[str, Flow]
    background: Flow | None = None
    ensembles: Mapping[str, Sequence[Flow]] = field(default_factory=dict)
    classifier: Classifier | None = None


class Scorer:
    """Fits the scores that `config.scores` names; then scores any images, each on its own.

    The first `config.fit_images` training images fit the scores; others are the references among which neighbours are
    looked for, so that no image is its own neighbour while fitting.

    Arguments:
        device: of the models and of the search for neighbours.
        progress: where the measures of each set of images are kept; in memory only if left out.

    Attributes:
        missing: scores that could not be made, with the reason, for each flow.
        references: how many images neighbours are looked for among.
        typical: mean bits/dim of the training images that the scores were fitted to, for each flow.

    Raises:
        FashionDGMError: if there are too few training images, or every score is missing.
    """

    def __init__(
        self,
        models: Models,
        train: ImageSet,
        config: OODConfig,
        device: torch.device,
        progress: Progress | None = None,
    ) -> None:
        self._models, self._config, self._device = models, config, device
        self._progress = progress or Progress()
        if len(train) <= config.fit_images:
            raise FashionDGMError(
                f"ood_eval.fit_images is {config.fit_images}, which leaves none of {len(train)} training images as a "
                "reference; lower it"
            )
        held = train.images[: config.fit_images]
        reference = train.images[config.fit_images :][: config.reference_images]
        self.references = len(reference)
        self.missing = {flow: self._missing(flow) for flow in models.flows}
        wanted = {
            flow: [score for score in scores_of(config) if score not in missing]
            for flow, missing in self.missing.items()
        }
        if not any(wanted.values()):
            reasons = "; ".join(f"{score}: {reason}" for score, reason in next(iter(self.missing.values())).items())
            raise FashionDGMError(f"not one of ood_eval.scores can be computed. {reasons}")
        self._needed = {
            flow: set().union(*(needs_of(score, config) for score in scores)) for flow, scores in wanted.items()
        }
        self._neighbours = self._search(torch.from_numpy(reference))
        self._fitted: dict[str, dict[str, Fitted]] = {}
        self.typical: dict[str, float] = {}
        for flow, measures in self.measures(held).items():
            self._fitted[flow] = {score: SCORES[score].fit(measures, config) for score in wanted[flow]}
            self.typical[flow] = float(measures["bits_per_dim"].mean())

    def __call__(self, images: NDArray[np.uint8]) -> dict[str, Measured]:
        """Returns for each flow `bits_per_dim` and each score, `(N,)`, of images, uint8 `(N, 1, H, W)`."""
        scored = {}
        for flow, measures in self.measures(images).items():
            scores = {name: np.asarray(score(measures)) for name, score in self._fitted[flow].items()}
            scored[flow] = {"bits_per_dim": measures["bits_per_dim"], **scores}
        return scored

    def measures(self, images: NDArray[np.uint8]) -> dict[str, Measured]:
        """Returns for each flow all measures that its scores need."""
        images = np.ascontiguousarray(images)
        part = f"{', '.join(self._models.flows)}: {hashlib.sha256(images.data).hexdigest()}"
        kept = self._progress(part, lambda: _mapped(torch.from_numpy, self._measures(images)))
        return _mapped(Tensor.numpy, kept)

    def _measures(self, images: NDArray[np.uint8]) -> dict[str, Measured]:
        pixels_of, config = torch.from_numpy(images), self._config
        needed = set().union(*self._needed.values())
        shared: Measured = {name: search.distance(pixels_of) for name, search in self._neighbours.items()}
        if "coded_bits_per_dim" in needed:
            shared["coded_bits_per_dim"] = coded_bits_per_dim(images, config.coders)
        if "background_bits_per_dim" in needed and self._models.background is not None:
            shared["background_bits_per_dim"] = self._bits(self._models.background, pixels_of)
        found = {}
        for name, flow in self._models.flows.items():
            gradient = "gradient_norm" in self._needed[name]
            found[name] = shared | measure_flow(flow, pixels_of, config.batch_size, config.seed, gradient)
            if "ensemble_bits_per_dim" in self._needed[name]:
                others = [self._bits(other, pixels_of) for other in self._models.ensembles[name]]
                found[name]["ensemble_bits_per_dim"] = np.stack([found[name]["bits_per_dim"], *others], axis=1)
        return found

    def _bits(self, flow: Flow, images: Tensor) -> NDArray[np.float64]:
        return bits_per_dim_of(flow, images, self._config.batch_size, self._config.seed, torch.float32)

    def _search(self, reference: Tensor) -> dict[str, Neighbours]:
        needed = set().union(*self._needed.values())
        describe: dict[str, Callable[[Tensor], Tensor]] = {"nearest_pixels": pixels, "nearest_edges": edges}
        classifier = self._models.classifier
        if classifier is not None:
            describe["nearest_features"] = lambda images: torch.nn.functional.normalize(
                classifier.features(to_unit_interval(images)), dim=1
            )
        return {
            name: Neighbours(function, reference, self._config.neighbour, self._device, self._config.batch_size)
            for name, function in describe.items()
            if name in needed
        }

    def _missing(self, flow: str) -> dict[str, str]:
        """Returns the scores that cannot be made of a flow, each with the reason: a measure that cannot be taken."""
        models, impossible = self._models, {}
        if models.background is None:
            impossible["background_bits_per_dim"] = "the background flow has not been trained"
        elif type(models.background) is not type(models.flows[flow]):
            kind = type(models.background).__name__
            impossible["background_bits_per_dim"] = f"the background flow is of another architecture ({kind})"
        if not models.ensembles.get(flow):
            impossible["ensemble_bits_per_dim"] = "its training kept no weights of earlier epochs (kept_epochs)"
        if models.classifier is None:
            impossible["nearest_features"] = "there is no classifier that was trained with labels of these images"
        missing: dict[str, str] = {}
        for score in scores_of(self._config):
            for need in sorted(needs_of(score, self._config) & impossible.keys()):
                missing.setdefault(score, impossible[need])
        return missing


def _mapped(function: Callable[[Any], Any], measures: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {flow: {name: function(values) for name, values in found.items()} for flow, found in measures.items()}


def for_slow_flow(config: OODConfig) -> OODConfig:
    """Returns the configuration for a flow that estimates its log-determinant.

    It has fewer images, and only those scores that a flow and the training images suffice for.
    """
    own = tuple(name for name in scores_of(config) if SCORES[name].uses_flow and not SCORES[name].uses_labels)
    possible = tuple(name for name in own if not needs_of(name, config) & NOT_OF_A_SLOW_FLOW)
    numbers = ("max_images", "benchmark_images", "fit_images", "batch_size")
    changes: dict[str, Any] = {name: min(config.residual_flow_images, getattr(config, name)) for name in numbers}
    changes["scores"] = tuple(dict.fromkeys(("likelihood", *possible)))
    changes["primary_score"] = config.primary_score if config.primary_score in possible else "likelihood"
    return config.model_copy(update=changes)
