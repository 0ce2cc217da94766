"""Nodes of `report`."""

from typing import Any

from pydantic import BaseModel

from fashion_dgm.config import ReportConfig
from fashion_dgm.pipelines.late import DataFrame, Figure, ReferenceRun, figures
from fashion_dgm.pipelines.tracking import tag_findings

__all__ = ["collect_metrics", "conclude", "plot_published", "plot_records", "plot_training", "write_report"]


def collect_metrics(
    data: dict[str, Any],
    ood_sets: dict[str, Any],
    flow: dict[str, Any],
    ood: dict[str, Any],
    latents: dict[str, Any],
    likelihood: dict[str, Any],
    gan: dict[str, Any],
    wgan: dict[str, Any],
    fid: dict[str, Any],
    **others: dict[str, Any] | None,
) -> dict[str, Any]:
    """Collects all metrics of a run; those that were not made are left out."""
    required = {"data": data, "ood_sets": ood_sets, "flow": flow, "ood": ood, "latents": latents}
    required |= {"likelihood": likelihood, "gan": gan, "wgan": wgan, "fid": fid}
    return required | {name: metrics for name, metrics in others.items() if metrics is not None}


def conclude(metrics: dict[str, Any]) -> dict[str, Any]:
    """Concludes from the metrics what the run has shown, and tags the MLflow run with the main findings."""
    from fashion_dgm.findings import conclude, main_findings, to_json

    findings = conclude(metrics)
    tag_findings(main_findings(findings))
    return to_json(findings)


def plot_training(**histories: DataFrame | None) -> Figure:
    """Draws losses, scores and gradient norms of the models that were trained."""
    return figures.gan_curves({name: history for name, history in histories.items() if history is not None})


def plot_records(**histories: DataFrame | None) -> Figure:
    """Draws which classes these models make, and how near their images are to training images."""
    from fashion_dgm.data.images import FASHION_CLASSES

    made = {name: history for name, history in histories.items() if history is not None}
    return figures.sample_records(made, FASHION_CLASSES)


def plot_published(metrics: dict[str, Any]) -> Figure:
    """Draws bits/dim and AUROC with published results."""
    from fashion_dgm.findings.flow import with_benchmark
    from fashion_dgm.findings.published import published

    return figures.published_comparison(published(with_benchmark(metrics)))


def write_report(
    metrics: dict[str, Any],
    reference: ReferenceRun | None,
    parameters: dict[str, Any],
    config: ReportConfig,
    **figures: bytes | None,
) -> str:
    """Writes the report from metrics, parameters and figures; what this run has left out, from a reference run."""
    from fashion_dgm.reporting.compose import compose
    from fashion_dgm.reporting.report import build_report

    configured = {
        name: block.model_dump(mode="json") if isinstance(block, BaseModel) else block
        for name, block in parameters.items()
    }
    return build_report(compose(metrics, figures, configured, config, reference))
