"""Thin pipelines: load, call the library, return."""
