"""Weights together with what is needed to rebuild their network, in a file that holds no code."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from fashion_dgm.errors import FashionDGMError
from fashion_dgm.files import DAMAGED, opened, write_bytes
from fashion_dgm.training.device import allow_tf32

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "checkpoint_of",
    "content_hashes",
    "from_bytes",
    "load_checkpoint",
    "load_shipped",
    "rebuild",
    "save_checkpoint",
    "to_bytes",
    "weights_sha256",
]

N = TypeVar("N", bound=nn.Module)
MAX_GIGABYTES = 2


class CheckpointError(FashionDGMError):
    """A checkpoint is damaged, or of another architecture."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights of one network.

    Arguments:
        architecture: key of the network's class: "RealNVP", "MixtureFlow", "ResidualFlow", "Generator", "Discriminator" or
            "Classifier".
        config: the arguments the network was made with, as JSON can hold them.
        weights: its state dict, on the CPU.
        training: how it was trained (seed, epoch, data hash …), as JSON can hold it.
    """

    architecture: str
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    training: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Hash of the weights alone, in hexadecimal."""
        return weights_sha256(self.weights)

    @property
    def content_sha256(self) -> str:
        """Hash of all that the checkpoint holds, in hexadecimal."""
        return hashlib.sha256(f"{json.dumps(_about(self), sort_keys=True)} {self.sha256}".encode()).hexdigest()


def weights_sha256(weights: Mapping[str, Tensor]) -> str:
    """Returns a hash of names, dtypes, shapes and values, in hexadecimal."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        # As bytes, because numpy has no bfloat16.
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def content_hashes(models: Mapping[str, Checkpoint | Mapping[int, Callable[[], Checkpoint]] | None]) -> dict[str, str]:
    """Returns the hash of all that each model holds, by its name and, where it is a checkpoint for each epoch, by epoch."""
    hashes = {}
    for name, model in models.items():
        if isinstance(model, Checkpoint):
            hashes[name] = model.content_sha256
            continue
        for epoch, checkpoint in (model or {}).items():
            # What cannot be read is reported by whoever uses it.
            with contextlib.suppress(FashionDGMError):
                hashes[f"{name}.{epoch}"] = checkpoint().content_sha256
    return hashes


def checkpoint_of(
    network: nn.Module | Mapping[str, Tensor],
    architecture: str,
    config: Mapping[str, Any],
    training: Mapping[str, Any] | None = None,
) -> Checkpoint:
    """Returns a checkpoint of a network, or of the state dict of one."""
    weights = network.state_dict() if isinstance(network, nn.Module) else network
    # Channels-last weights are views in another order, which safetensors has no word for.
    cpu = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights.items()}
    return Checkpoint(architecture, dict(config), cpu, dict(training or {}))


def rebuild(checkpoint: Checkpoint | None, architecture: str, make: Callable[[Mapping[str, Any]], N]) -> N:
    """Rebuilds the network of `checkpoint` in evaluation mode on the CPU.

    If it is moved to a GPU, its float32 is float32 there: TF32 is switched off for the process.

    Arguments:
        make: makes the network from the checkpoint's `config`.

    Raises:
        CheckpointError: if there is none, it is not of that architecture, or its weights don't fit.
    """
    allow_tf32(False)
    if checkpoint is None:
        raise CheckpointError(f"there is no checkpoint of a {architecture} yet; run the pipeline that trains it first")
    if checkpoint.architecture != architecture:
        raise CheckpointError(
            f"this checkpoint holds a {checkpoint.architecture}, not a {architecture}; give the path of the right one"
        )
    try:
        network = make(checkpoint.config)
        network.load_state_dict(dict(checkpoint.weights))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"the weights of this {architecture} checkpoint don't fit its network, perhaps because another version of "
            f"the code made it; train it again. In detail: {error}"
        ) from error
    return network.eval()


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Returns `checkpoint` as safetensors; equal checkpoints are equal bytes."""
    # One entry, because safetensors writes several in no fixed order.
    header = {**_about(checkpoint), "sha256": checkpoint.content_sha256}
    return save(dict(checkpoint.weights), metadata={"fashion_dgm": json.dumps(header, sort_keys=True)})


def from_bytes(content: bytes) -> Checkpoint:
    """Returns the checkpoint that `to_bytes` made these bytes of; nothing is unpickled.

    Raises:
        CheckpointError: if they are damaged or of another origin.
    """
    try:
        weights = load(content)
        # safetensors gives the metadata of files only; a length of 8 bytes and a header in JSON precede the weights.
        metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        header = json.loads(metadata["fashion_dgm"])
        checkpoint = Checkpoint(header.pop("architecture"), header.pop("config"), weights, header.pop("training"))
        # Of a version that wrote no hash.
        if header and header.pop("sha256") != checkpoint.content_sha256:
            raise ValueError("its content differs from its SHA-256")
        parts = ((checkpoint.architecture, str), (checkpoint.config, dict), (checkpoint.training, dict))
        if not all(isinstance(part, kind) for part, kind in parts):
            raise ValueError("its metadata have another form")
        return checkpoint
    except (SafetensorError, *DAMAGED) as error:
        raise CheckpointError(f"not a checkpoint of fashion-dgm, or damaged ({error})") from error


def _about(checkpoint: Checkpoint) -> dict[str, Any]:
    return {name: getattr(checkpoint, name) for name in ("architecture", "config", "training")}


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Writes `checkpoint` to a file, atomically."""
    write_bytes(path, to_bytes(checkpoint))


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Reads what `save_checkpoint` wrote.

    Raises:
        CheckpointError: if the file is not there, damaged or of another origin.
        FashionDGMError: if it may not be read.
    """
    try:
        with opened(Path(path)) as file:
            if (size := os.fstat(file.fileno()).st_size) > MAX_GIGABYTES * 1e9:
                raise CheckpointError(f"it has {size / 1e9:,.0f} GB, more than any model of fashion-dgm")
            return from_bytes(file.read())
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist: train the model first") from error
    except CheckpointError as error:
        advice = "if it was such a checkpoint, delete it and train again"
        raise CheckpointError(f"{path} cannot be read: {error}; {advice}") from error


def load_shipped(path: Path, sha256: str) -> Checkpoint:
    """Reads a checkpoint that comes with the package.

    Raises:
        CheckpointError: if the file is not there, or has another hash.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path.name} comes with the package and cannot be read; install it again") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise CheckpointError(
            f"{path.name} comes with the package and has SHA-256 {found}, not {sha256}: it was changed or damaged; install "
            "the package again"
        )
    return from_bytes(content)
