"""Models of the reference runs, which come with the package: `load_model("reference/gan")`.

Each is a checkpoint, `<name>.safetensors`, with a model card beside it, `<name>.json`. A card states how the model was made,
what it reached and where its use ends; its hash is that of the checkpoint, so that neither is changed unnoticed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fashion_dgm.checkpoint import Checkpoint, load_shipped
from fashion_dgm.errors import FashionDGMError

__all__ = ["ModelCard", "reference_card", "reference_checkpoint", "reference_models"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model.

    Arguments:
        title: one line that names architecture and training.
        data: the images it was trained on, and the SHA-256 of the training split.
        command: makes the model again, from a clone at `commit`.
        commit: of the code.
        hardware: it was trained on.
        hours: that training took.
        metrics: results by name, each with its `value`, the `command` that computes it from the model, and what else decides
            it.
        licence: of the weights.
        limits: what the model is not good for.
        sha256: of the checkpoint's file.
    """

    title: str
    data: dict[str, str]
    command: str
    commit: str
    hardware: str
    hours: float
    metrics: dict[str, dict[str, Any]]
    licence: str
    limits: str
    sha256: str

    def to_markdown(self) -> str:
        """Returns the card for readers: what the model is, a table of its metrics, and how it was made."""
        rows = [f"| {name} | {found['value']} | {found.get('split', '')} |" for name, found in self.metrics.items()]
        table = "\n".join(["| metric | value | on |", "|---|--:|---|", *rows])
        commands = " and ".join(dict.fromkeys(f"`{found['command']}`" for found in self.metrics.values()))
        made = (
            f"These numbers are computed by {commands}. Trained on {self.data['images']} (SHA-256 "
            f"`{self.data['train_sha256'][:12]}`) by `{self.command}` at commit `{self.commit}`, {self.hours:g} hours on "
            f"{self.hardware}. Licence: {self.licence}. Limits: {self.limits} SHA-256 of the file: `{self.sha256}`."
        )
        return f"{self.title}.\n\n{table}\n\n{made}\n"


def reference_models() -> list[str]:
    """Returns the names of the models that there are, such as "gan"."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def reference_card(name: str) -> ModelCard:
    """Returns the card of a model.

    Raises:
        FashionDGMError: if there is no such model; the message lists what there is.
    """
    if name not in reference_models():
        raise FashionDGMError(f"there is no reference model {name}; there are: {', '.join(reference_models())}")
    return ModelCard(**json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def reference_checkpoint(name: str) -> Checkpoint:
    """Returns the checkpoint of a model.

    Raises:
        FashionDGMError: if there is no such model.
        CheckpointError: if its file is not there, or not the one that was shipped.
    """
    return load_shipped(_FOLDER / f"{name}.safetensors", reference_card(name).sha256)
