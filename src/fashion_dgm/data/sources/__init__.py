"""Where raw image sets come from: a module for each source, and `fetch`, which asks them in turn."""

from fashion_dgm.data.sources.fetching import SOURCES, fetch

__all__ = ["SOURCES", "fetch"]
