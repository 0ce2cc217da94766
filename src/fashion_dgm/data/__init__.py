"""Raw formats, checksums, sources, splits and preprocessing."""
