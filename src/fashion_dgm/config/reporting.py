"""Parameters of the report and of the record of runs."""

from pydantic import Field, PositiveInt

from fashion_dgm.config.base import Config, Seed

__all__ = ["ReportConfig", "TrackingConfig"]


class ReportConfig(Config):
    """What the report shows."""

    title: str = Field(description="heading of the report")
    grid_columns: PositiveInt = Field(description="images in a row of a figure")
    animation_rows: PositiveInt = Field(description="rows of images in an animation")
    animation_milliseconds: PositiveInt = Field(description="for which a frame is shown")
    seed: Seed
    reproduce: tuple[str, ...] = Field(description="commands that give this report")
    links: str = Field(
        description="base of links to documentation, tests and code: the repository relative to the report, or its URL"
    )


class CurvesConfig(Config):
    """Which metrics of an epoch become curves."""

    left_out: tuple[str, ...] = Field(description="patterns of those that don't; the histories have all")


class TrackingConfig(Config):
    """Where runs are recorded (`tracking.yml`)."""

    enabled: bool = Field(description="whether there is a record in MLflow")
    folder: str = Field(description="of the record; the environment variable MLFLOW_TRACKING_URI takes precedence")
    experiment: str = Field(description="name of the experiment")
    artifact_megabytes: PositiveInt = Field(description="larger files stay in the catalog alone")
    system_metrics: bool = Field(description="whether load and memory of the machine are recorded")
    final_metrics: dict[str, tuple[str, ...]] = Field(
        description="of each metrics file, patterns of the dotted names that the tables of MLflow show"
    )
    curves: CurvesConfig = Field(description="metrics of an epoch")
    colours: dict[str, str] = Field(description="of runs in charts, by training node")
    charts: dict[str, tuple[str, ...]] = Field(
        description="of the view that `make ui` links to: by section, the metrics in their order; the others follow"
    )
