from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem


@pytest.fixture(params=["local", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty folder."""
    MemoryFileSystem.store.clear()
    return str(tmp_path) if request.param == "local" else "memory://bucket"
