"""Side-by-side timings against reference implementations: `python -m benchmarks`."""
