"""Parameter blocks: each field says what it is for, and nothing can be changed or misspelt."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from fashion_dgm.config import Config, DistributedConfig


def blocks(block: type[Config] = Config) -> Iterator[type[Config]]:
    for inner in block.__subclasses__():
        yield inner
        yield from blocks(inner)


@pytest.mark.parametrize("block", sorted(set(blocks()), key=lambda block: block.__name__))
def test_every_parameter_is_described(block: type[Config]) -> None:
    assert [name for name, field in block.model_fields.items() if not field.description] == []


def test_blocks_are_frozen_and_refuse_unknown_names() -> None:
    block = DistributedConfig()
    with pytest.raises(ValidationError, match="frozen"):
        block.nodes = 2  # type: ignore[misc]
    with pytest.raises(ValidationError, match="nodse"):
        DistributedConfig(nodse=2)  # type: ignore[call-arg]
