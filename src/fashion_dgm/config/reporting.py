"""Parameters of the report and of the record of runs."""

from pydantic import Field, PositiveInt

from fashion_dgm.config.base import Config, Seed

__all__ = ["ReportConfig", "TrackingConfig"]


class ReportConfig(Config):
    """What the report shows."""

    title: str = Field(description="heading of the report")
    grid_columns: PositiveInt = Field(description="images in a row of a figure")
    animation_rows: PositiveInt = Field(description="rows of images in an animation")
    animation_milliseconds: PositiveInt = Field(description="duration of a frame")
    seed: Seed
    reproduce: tuple[str, ...] = Field(description="commands that reproduce the report")
    links: str = Field(
        description="base of links to documentation, tests and code: the repository relative to the report, or its URL"
    )


class CurvesConfig(Config):
    """Which metrics of an epoch become curves."""

    left_out: tuple[str, ...] = Field(description="patterns of metrics without a curve; the histories have all")


class TrackingConfig(Config):
    """Where runs are recorded (`tracking.yml`)."""

    enabled: bool = Field(description="whether runs are recorded in MLflow")
    folder: str = Field(
        description="folder of the records; the environment variable MLFLOW_TRACKING_URI takes precedence"
    )
    experiment: str = Field(description="name of the experiment")
    artifact_megabytes: PositiveInt = Field(description="size of the largest file that is copied to MLflow")
    system_metrics: bool = Field(description="whether processor and memory use are recorded")
    final_metrics: dict[str, tuple[str, ...]] = Field(
        description="for each metrics file, patterns of the dotted names that MLflow's tables show"
    )
    curves: CurvesConfig = Field(description="metrics that become curves")
    colours: dict[str, str] = Field(description="colours of runs in charts, by training node")
    charts: dict[str, tuple[str, ...]] = Field(
        description="sections of the view that `make ui` links to, each with its metrics in order; the others follow"
    )
