"""The classifier that comes with the package, so that distances in its features mean the same on every machine.

It is the catalog's `classifier` after `kedro run --pipelines data_split,train_classifier` with the parameters of
`conf/base`, on a CPU with bfloat16 instructions; another machine's rounding gives other weights of the same quality. Its
accuracies and the hash of its training images are in the file next to the weights.
"""

from pathlib import Path

from fashion_dgm.checkpoint import Checkpoint, load_shipped
from fashion_dgm.classifier.network import Classifier, build_classifier

__all__ = ["REFERENCE_SHA256", "reference_checkpoint", "reference_classifier"]

REFERENCE_SHA256 = "f39d0cbcd87ef3b0e1bcd4e47436a639ebdd6b421bf8d77671da1b1058eba6d5"

_PATH = Path(__file__).parent / "weights" / "classifier.safetensors"


def reference_checkpoint() -> Checkpoint:
    """Returns the shipped weights with what is known of their training.

    Raises:
        CheckpointError: if the file is not there, or not the one that was shipped.
    """
    return load_shipped(_PATH, REFERENCE_SHA256)


def reference_classifier() -> Classifier:
    """Returns the shipped classifier in evaluation mode on the CPU: 128 features before ten logits.

    Raises:
        CheckpointError: as `reference_checkpoint` does.
    """
    return build_classifier(reference_checkpoint())
