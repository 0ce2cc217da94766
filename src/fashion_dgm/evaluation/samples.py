"""Where images that shall be scored come from: generators at their epochs, flows, and external samples."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fashion_dgm.checkpoint import Checkpoint
from fashion_dgm.config import FIDConfig
from fashion_dgm.data.ood.chance import choose
from fashion_dgm.data.ood.folder import read_folder
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows.families import flow_types
from fashion_dgm.gans.convolution import multiply_matrices
from fashion_dgm.gans.networks import Generator
from fashion_dgm.pretrained import reference_models
from fashion_dgm.registry import build_model, load_flow
from fashion_dgm.training.seeds import derive_seed, generator

__all__ = [
    "SampleSource",
    "Snapshots",
    "check_flows",
    "check_images",
    "external_sources",
    "flow_sources",
    "generators_and_flows",
    "snapshot_sources",
]

Snapshots = Mapping[int, Callable[[], Checkpoint]]
"""Checkpoints of a generator by epoch, loaded when called."""


@dataclass(frozen=True)
class SampleSource:
    """Images of one model.

    Arguments:
        model: its name.
        epoch: the epoch of a snapshot, None for external samples.
        draw: returns `n` images or, where there are fewer, all, `(N, 1, 28, 28)`: uint8, or floats in `[0, 1]`; and
            what was done to make them so.
        temperature: of a flow's latents, None for all others.
    """

    model: str
    epoch: int | None
    draw: Callable[[int], tuple[Tensor, str]]
    temperature: float | None = None

    @property
    def external(self) -> bool:
        """Whether the images come from elsewhere, not from a model of this project."""
        return self.epoch is None and self.temperature is None


def check_flows(config: FIDConfig) -> None:
    """Refuses architectures that do not exist, of which no flow would be sampled.

    Raises:
        FashionDGMError: if there is no flow of a name.
    """
    known = ("all", *sorted(flow_types()))
    for name in config.flows:
        if name not in known:
            raise FashionDGMError(f"there is no flow {name!r}; fid_eval.flows may name {', '.join(known)}")


def reserved_names(models: Collection[str]) -> set[str]:
    """Returns the names that samples from elsewhere cannot have: of models, trained or shipped, of flows and splits."""
    return {*models, *reference_models(), *flow_types(), "train", "test", "benchmark"}


def generators_and_flows(
    models: Mapping[str, Checkpoint | Snapshots | None], architectures: Collection[str]
) -> tuple[dict[str, Snapshots], dict[str, Checkpoint]]:
    """Splits trained models into generators, which come as snapshots, and flows of these architectures, or of "all"."""
    generators = {name: model for name, model in models.items() if model and isinstance(model, Mapping)}
    flows = {name: model for name, model in models.items() if isinstance(model, Checkpoint)}
    wanted = {name: flow for name, flow in flows.items() if {"all", flow.architecture} & {*architectures}}
    return generators, wanted


def snapshot_sources(
    models: Mapping[str, Snapshots], seed: int, device: torch.device, batch_size: int
) -> list[SampleSource]:
    """Returns a source for every epoch of every model; a network is built when its images are drawn, and dropped after.

    All draw from the same latents, so that differences between epochs are the generators' and not the draw's.
    """

    def source(model: str, epoch: int, load: Callable[[], Checkpoint]) -> SampleSource:
        def draw(n: int) -> tuple[Tensor, str]:
            network = build_model(load(), "Generator")
            assert isinstance(network, Generator)
            if device.type == "cpu":
                multiply_matrices(network)
            return network.to(device).sample(n, generator(seed, "latents"), batch_size).cpu(), ""

        return SampleSource(model, epoch, draw)

    return [source(model, epoch, load) for model, epochs in models.items() for epoch, load in sorted(epochs.items())]


def flow_sources(
    flows: Mapping[str, Checkpoint], temperatures: Sequence[float], seed: int, device: torch.device, batch_size: int
) -> list[SampleSource]:
    """Returns a source for every flow and temperature, which scales the same latents.

    A flow goes by its architecture; the second of one architecture by its name.
    """

    def source(model: str, checkpoint: Checkpoint, temperature: float) -> SampleSource:
        def draw(n: int) -> tuple[Tensor, str]:
            flow = load_flow(checkpoint, str(device))
            latents = generator(seed, "latents")
            sizes = [min(batch_size, n - start) for start in range(0, n, batch_size)]
            return torch.cat([flow.sample(size, temperature, latents).cpu() for size in sizes]), ""

        return SampleSource(model, None, draw, temperature)

    named: dict[str, Checkpoint] = {}
    for name, flow in flows.items():
        named[name if flow.architecture in named else flow.architecture] = flow
    return [source(model, flow, temperature) for model, flow in named.items() for temperature in temperatures]


def external_sources(paths: Mapping[str, str], seed: int, taken: Collection[str] = ()) -> list[SampleSource]:
    """Returns a source for every named path; of more images than are asked for, a draw by `seed` is taken.

    Raises:
        FashionDGMError: if a name is `taken` already.
    """
    doubled = sorted(set(paths) & set(taken))
    if doubled:
        raise FashionDGMError(f"{doubled[0]} is a name of the project's own; choose another in fid_eval.samples_from")

    def source(name: str, path: str) -> SampleSource:
        def draw(n: int) -> tuple[Tensor, str]:
            seed_of_draw = derive_seed(seed, "samples", name)
            images, conversion = read_folder(path, n, seed_of_draw)
            # In the order of chance: some measures take the first images, and files may be sorted by class.
            return torch.from_numpy(images[choose(len(images), n, seed_of_draw)]), conversion.describe()

        return SampleSource(name, None, draw)

    return [source(name, path) for name, path in paths.items()]


def check_images(images: Tensor) -> list[str]:
    """Returns what is odd about images that can be scored.

    Raises:
        FashionDGMError: if they cannot, because of their shape, their number, or values that no image has.
    """
    if images.ndim != 4 or images.shape[1:] != (1, 28, 28):
        raise FashionDGMError(f"samples must have the shape (N, 1, 28, 28), not {tuple(images.shape)}")
    if len(images) < 2:
        raise FashionDGMError(f"{len(images)} samples are too few to have a spread; bring at least 2, better thousands")
    if images.dtype != torch.uint8:
        bad = int((~images.isfinite()).flatten(1).any(dim=1).sum())
        if bad:
            raise FashionDGMError(f"{bad} of {len(images)} samples hold NaN or infinite values: the model has diverged")
        low, high = float(images.min()), float(images.max())
        if low < 0 or high > 1:
            raise FashionDGMError(f"samples must lie in [0, 1], not in [{low:g}, {high:g}]")
    return ["all samples are equal: the generator has collapsed"] if (images == images[0]).all() else []
