"""What blocks of parameters ask for that no run can give: too much memory, and values that do not go together.

Apart from the classes, of which those of trainings are part of the fingerprint of every finished training. Estimates of
memory count the largest arrays alone: they are to refuse 5 TB, not to predict 5 GB.
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fashion_dgm.config.analyses import (
    LEAST_GROUPS,
    LatentSpaceConfig,
    LikelihoodDecompositionConfig,
    LogDetStudyConfig,
)
from fashion_dgm.config.base import Config
from fashion_dgm.config.data import OODSetsConfig
from fashion_dgm.config.evaluation import FIDConfig, OODConfig
from fashion_dgm.config.flows import (
    CouplingFlowConfig,
    LikelihoodTrainingConfig,
    MixtureFlowConfig,
    ResidualFlowConfig,
    ResidualFlowEvaluationConfig,
)
from fashion_dgm.config.gans import AdversarialConfig
from fashion_dgm.config.reporting import ReportConfig
from fashion_dgm.config.studies import StabilityConfig, VanishingGradientsConfig
from fashion_dgm.config.training import ClassifierConfig, TrainingConfig

__all__ = ["problems", "size_in_words"]

Found = Iterator[tuple[str, str]]

PIXELS, SIDE, TRAINING_IMAGES = 784, 28, 60_000
# Bytes: a number; and a weight in training, with its gradient and Adam's two averages.
NUMBER, WEIGHT = 4, 16
LARGEST = 10**12
# That any machine may be asked for, however few its cores.
PROCESSES = 8
# GIF counts hundredths of a second in 16 bits, and the last frame lasts five times as long.
LONGEST_FRAME = 131_070


def problems(block: Config) -> list[tuple[str, str]]:
    """Returns a field and what is wrong with its value, for each that no run can do with.

    Arguments:
        block: of parameters, each of which is right by itself.
    """
    import psutil

    found = list(_out_of_range(block.model_dump()))
    if found:
        return found
    memory = psutil.virtual_memory().total
    there = f"of memory, and this machine has {size_in_words(memory)}"
    beyond = [(field, size_in_words(needed)) for field, needed in _memory(block) if needed > memory]
    return [*_relations(block), *((field, f"it needs about {needed} {there}") for field, needed in beyond)]


def size_in_words(count: int) -> str:
    """Returns a number of bytes as people write it, such as 5.0 TB."""
    power = min(5, max(0, (len(str(count)) - 1) // 3))
    return f"{count / 1000**power:.{1 if power else 0}f} {('bytes', 'kB', 'MB', 'GB', 'TB', 'PB')[power]}"


def _out_of_range(value: Any, name: str = "") -> Found:
    """Yields what is not finite, and integers that no library takes."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _out_of_range(entry, f"{name}.{key}" if name else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for entry in value:
            yield from _out_of_range(entry, name)
    elif isinstance(value, float) and not math.isfinite(value):
        # An infinite bound is none.
        if not (name.endswith("max_gradient_norm") and value > 0):
            yield name, "it must be finite"
    elif isinstance(value, int) and abs(value) > LARGEST:
        yield name, f"it is beyond {LARGEST:,}"


def _relations(block: Config) -> Found:
    if isinstance(block, TrainingConfig):
        most = max(PROCESSES, os.cpu_count() or 1)
        if block.distributed.processes_per_node > most:
            yield "distributed.processes_per_node", f"a machine with {os.cpu_count()} cores runs at most {most}"
    match block:
        case LikelihoodTrainingConfig() if getattr(_model(block), "scales", 1) > 3:
            yield "model.scales", f"{SIDE}x{SIDE} pixels can be squeezed twice, so there are at most 3 scales"
        case AdversarialConfig() if block.records.neighbours > block.records.samples:
            yield "records.neighbours", f"there are only {block.records.samples} samples (records.samples)"
        case ClassifierConfig() if block.max_shift >= SIDE:
            yield "max_shift", f"images have {SIDE} pixels a side, and would be moved out of sight"
        case OODConfig():
            yield from _relations_of_ood(block)
        case FIDConfig():
            for field in ("neighbours", "extrapolation_groups"):
                if getattr(block, field) >= block.samples:
                    yield field, f"it must be less than samples, {block.samples}"
        case LogDetStudyConfig():
            if block.draws < LEAST_GROUPS * min(block.probes):
                yield (
                    "probes",
                    f"a variance needs {LEAST_GROUPS} means of so many draws, and there are {block.draws} (draws)",
                )
            if max(block.budgets) < min(block.truncations):
                yield "budgets", f"none pays for the shortest series, of {min(block.truncations)} terms (truncations)"
        case LatentSpaceConfig() if max(block.active) > PIXELS:
            yield "active", f"latents have {PIXELS} coordinates"
        case ReportConfig():
            for field in ("grid_columns", "animation_rows"):
                if getattr(block, field) > 100:
                    yield field, "figures have at most 100"
            if block.animation_milliseconds > LONGEST_FRAME:
                yield "animation_milliseconds", f"a frame is shown for at most {LONGEST_FRAME:,}"
    if isinstance(block, OODConfig | ResidualFlowEvaluationConfig) and block.samples * len(block.temperatures) > 2000:
        yield "samples", "a figure shows at most 2,000 images, over all temperatures"


def _relations_of_ood(block: OODConfig) -> Found:
    if block.reference_images is not None and block.neighbour > block.reference_images:
        yield "neighbour", f"there are only {block.reference_images} reference images (reference_images)"
    fewest = min(block.max_images, block.benchmark_images)
    for size in block.group_sizes:
        if size > fewest:
            yield (
                "group_sizes",
                f"a group of {size} is larger than a set of {fewest} images (max_images, benchmark_images)",
            )
    fitted = min(block.fit_images, block.residual_flow_images or block.fit_images)
    if block.residual_flow_images == 1:
        yield "residual_flow_images", "scores are fitted to at least 2 images; 0 leaves the Residual Flow out"
    elif block.components > fitted:
        yield (
            "components",
            f"a mixture needs an image for each, and is fitted to {fitted} (fit_images, residual_flow_images)",
        )


def _memory(block: Config) -> Iterator[tuple[str, int]]:
    """Yields fields with the bytes of the largest arrays that they ask for."""
    if isinstance(block, TrainingConfig):
        weights, values = _network(block)
        yield ("width" if isinstance(block, AdversarialConfig | ClassifierConfig) else "model"), WEIGHT * weights
        yield "batch_size", block.batch_size * NUMBER * (values + PIXELS)
    match block:
        case AdversarialConfig():
            yield "records.samples", block.records.samples * PIXELS * NUMBER
            yield "records.neighbours", block.records.neighbours * TRAINING_IMAGES * NUMBER
        case OODSetsConfig():
            # Gaussian noise is drawn as doubles.
            yield "max_images", block.max_images * PIXELS * (8 if "gaussian_noise" in block.synthetic else 1)
        case OODConfig():
            yield "batch_size", min(block.batch_size, TRAINING_IMAGES) * TRAINING_IMAGES * NUMBER
            yield "bootstrap", block.bootstrap * min(block.benchmark_images + block.max_images, 2 * 10_000)
            yield "components", block.components * len(block.combined_statistics) ** 2 * 8
        case FIDConfig():
            yield "memory_megabytes", block.memory_megabytes * 2**20
            yield "kid.subsets", block.kid.subsets * 8
        case LikelihoodDecompositionConfig():
            yield "bootstrap", block.bootstrap * min(block.images, 10_000) * 8
        case LatentSpaceConfig():
            yield "images", block.images * PIXELS * NUMBER * 4
            yield "steps", block.steps * 9 * PIXELS * NUMBER
            yield "bootstrap", block.bootstrap * block.images * 8
        case LogDetStudyConfig():
            yield "draws", block.draws * block.terms * 8
            yield "trained_draws", block.trained_draws * max(block.trained_terms, PIXELS) * 8
        case VanishingGradientsConfig():
            yield "batch_size", block.batch_size * PIXELS * NUMBER * 10
            yield "uniforms", (block.uniforms.samples + block.uniforms.bins) * 8 * 4
            yield "uniforms.repetitions", block.uniforms.repetitions * len(block.uniforms.shifts) * 100
            yield "dirac.steps", block.dirac.steps * 100
        case StabilityConfig():
            yield "width", 320 * block.width**2 * WEIGHT
            yield "batch_size", block.batch_size * (600 * block.width + PIXELS) * NUMBER
            yield "samples", block.samples * PIXELS * NUMBER
            yield "seeds", block.seeds * (1 + block.variations) * 4 * 1000


def _network(block: TrainingConfig) -> tuple[int, int]:
    """Returns how many weights a network has, and how many values it keeps of an image for the backward pass."""
    model = _model(block)
    match block:
        case LikelihoodTrainingConfig() if isinstance(model, CouplingFlowConfig):
            couplings = model.scales * (model.checkerboard_couplings + model.channel_couplings)
            outputs = 3 * model.components if isinstance(model, MixtureFlowConfig) else 2
            width, depth = model.hidden_channels, model.residual_blocks
            weights = couplings * 9 * width * (2 * depth * width + outputs + 1)
            return weights, couplings * PIXELS // 2 * width * (depth + 1)
        case LikelihoodTrainingConfig() if isinstance(model, ResidualFlowConfig):
            blocks, width = model.scales * model.blocks, model.hidden_channels
            linear = model.linear_blocks * model.linear_width * (2 * PIXELS + model.linear_width)
            return blocks * width * (width + 18) + linear, blocks * PIXELS // 2 * width
        case AdversarialConfig():
            return 64 * block.width * block.latent_dim + 320 * block.width**2, 600 * block.width
        case ClassifierConfig():
            return 200 * block.width**2 + 36 * block.width * block.feature_dim, PIXELS * block.width
    return 0, 0


def _model(block: Config) -> Config | None:
    """Returns the architecture of a flow's training."""
    return getattr(block, "model", None)
