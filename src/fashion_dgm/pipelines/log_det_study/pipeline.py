"""The pipeline `log_det_study`."""

from kedro.pipeline import Node, Pipeline

from fashion_dgm.experiments.log_det import TABLES
from fashion_dgm.pipelines.log_det_study import nodes

__all__ = ["create_pipeline"]


def create_pipeline() -> Pipeline:
    """Returns the pipeline."""
    blocks, truncation, probes, estimators, costs, budgets, tails = (f"log_det_{name}" for name in TABLES)
    config = "params:log_det_study"
    return Pipeline(
        [
            Node(
                nodes.measure_estimators,
                ["residual_flow", "test", config],
                [blocks, truncation, probes, estimators, costs, budgets, tails],
                name="measure_log_det_estimators",
            ),
            Node(
                nodes.summarise_estimators,
                [blocks, truncation, probes, estimators, config],
                "log_det_study_metrics",
                name="summarise_log_det_study",
            ),
            Node(nodes.plot_truncation, truncation, "log_det_truncation_figure", name="plot_log_det_truncation"),
            Node(nodes.plot_probes, [probes, blocks], "log_det_probes_figure", name="plot_log_det_probes"),
            Node(nodes.plot_roulette_bias, [estimators, probes], "log_det_bias_figure", name="plot_log_det_bias"),
            Node(
                nodes.plot_roulette_variance,
                [costs, estimators, tails, probes, config],
                "log_det_variance_figure",
                name="plot_log_det_variance",
            ),
            Node(nodes.plot_roulette_budget, budgets, "log_det_budget_figure", name="plot_log_det_budget"),
        ]
    )
