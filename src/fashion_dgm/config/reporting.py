"""Parameters of the report and of the record of runs."""

from __future__ import annotations

from pydantic import PositiveInt

from fashion_dgm.config.base import Config, Seed

__all__ = ["ReportConfig", "TrackingConfig"]


class ReportConfig(Config):
    """What the report shows."""

    title: str
    grid_columns: PositiveInt
    animation_rows: PositiveInt
    animation_milliseconds: PositiveInt
    seed: Seed
    reproduce: tuple[str, ...]
    links: str


class CurvesConfig(Config):
    """Which metrics of an epoch become curves."""

    left_out: tuple[str, ...]


class TrackingConfig(Config):
    """Where runs are recorded (`tracking.yml`)."""

    enabled: bool
    folder: str
    experiment: str
    artifact_megabytes: PositiveInt
    system_metrics: bool
    final_metrics: dict[str, tuple[str, ...]]
    curves: CurvesConfig
    colours: dict[str, str]
