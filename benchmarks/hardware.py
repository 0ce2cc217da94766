"""What machine this is, without its name or its folders."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

__all__ = ["ROOT", "commit", "describe", "slug"]

ROOT = Path(__file__).parents[1]
LIBRARIES = ("torch", "numpy", "scipy", "normflows", "pytorch-fid", "kedro")


def describe(device: str) -> dict[str, str]:
    """Returns the hardware that torch's `device` stands for, and the versions of what was timed on it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Processors of one name differ in what they can: "AMD EPYC" may have AVX-512, or not.
    processor = f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}, {cores} cores"
    on_gpu = torch.device(device).type == "cuda"
    found = {"name": torch.cuda.get_device_name(device) if on_gpu else processor}
    if on_gpu:
        found |= {"processor": processor, "CUDA": str(torch.version.cuda)}
    found["bfloat16 instructions"] = "yes" if _has_bfloat16(on_gpu) else "no"
    found["threads"] = str(torch.get_num_threads())
    found["Python"] = platform.python_version()
    return found | {library: _version(library) for library in LIBRARIES}


def slug(hardware: Mapping[str, str]) -> str:
    """Returns a file name for the hardware: its name in lower case, with hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", hardware["name"].lower()).strip("-")


def commit() -> str:
    """Returns the short hash of the commit of the code, marked where source differs from it, or "unknown"."""
    try:
        git = ["git", "-C", str(ROOT)]
        found = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", "src", "conf"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip() + (" with changes" if changed.stdout.strip() else "")


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def _has_bfloat16(on_gpu: bool) -> bool:
    if on_gpu:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
