from tests.data.conftest import mirror

__all__ = ["mirror"]
