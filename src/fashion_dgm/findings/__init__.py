"""What a run has shown: from its metrics to findings with verdicts, which the report puts into words.

Each chapter of the report has a module here, and every threshold is in `criteria`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from pydantic import BaseModel

from fashion_dgm.findings.data import DataFindings, data
from fashion_dgm.findings.fid import FIDFindings, fid
from fashion_dgm.findings.flow import (
    FLOWS,
    Comparison,
    FlowFindings,
    ResidualFlowFindings,
    flow,
    flows_of,
    other_flow,
    residual_flow,
    with_benchmark,
)
from fashion_dgm.findings.gan import GANFindings, adversarial, gan
from fashion_dgm.findings.latents import LatentsFindings, latents
from fashion_dgm.findings.likelihood import LikelihoodFindings, likelihood
from fashion_dgm.findings.log_det import LogDetFindings, log_det
from fashion_dgm.findings.ood import OODFindings, ood
from fashion_dgm.findings.published import PublishedFindings, published
from fashion_dgm.findings.stability import StabilityFindings, stability
from fashion_dgm.findings.vanishing import VanishingFindings, vanishing

__all__ = ["Findings", "conclude", "main_findings", "to_json"]


@dataclass(frozen=True)
class Findings:
    """The findings of a run, one attribute for each chapter; None where its pipeline was not run.

    Arguments:
        other_flows: by name, flows that the project does not come with.
    """

    data: DataFindings
    flow: FlowFindings
    mixture_flow: Comparison | None
    residual_flow: ResidualFlowFindings | None
    other_flows: Mapping[str, Comparison]
    log_det: LogDetFindings | None
    latents: LatentsFindings | None
    ood: OODFindings
    likelihood: LikelihoodFindings
    gan: GANFindings
    fid: FIDFindings
    vanishing: VanishingFindings | None
    stability: StabilityFindings | None
    published: PublishedFindings


def conclude(metrics: Mapping[str, Any]) -> Findings:
    """Concludes from all metrics of a run, by what was measured, as `metrics.json` has them."""
    metrics = with_benchmark(metrics)

    def made(name: str, conclude_from: Callable[[Any], Any]) -> Any:
        return conclude_from(metrics[name]) if name in metrics else None

    flows, ending = flows_of(metrics), "_discrete_likelihood"
    return Findings(
        data=data(metrics["data"], metrics["ood_sets"]),
        flow=flow(metrics["flow"], {name: metrics[name + ending] for name in flows if name + ending in metrics}),
        mixture_flow=made("mixture_flow", lambda own: other_flow("mixture_flow", metrics["flow"], own)),
        residual_flow=made("residual_flow", lambda own: residual_flow(metrics["flow"], own)),
        other_flows={name: other_flow(name, metrics["flow"], metrics[name]) for name in flows if name not in FLOWS},
        log_det=made("log_det_study", log_det),
        latents=made("latents", latents),
        ood=ood(metrics),
        likelihood=likelihood(metrics["likelihood"]),
        gan=gan({name: metrics[name] for name in adversarial(metrics)}),
        fid=fid(metrics["fid"]),
        vanishing=made("vanishing_gradients", vanishing),
        stability=made("stability", stability),
        published=published(metrics),
    )


def main_findings(findings: Findings) -> dict[str, str]:
    """Returns the few verdicts by which runs are compared, by name; those that this run has."""
    found: dict[str, Enum] = {"ood_paradox": findings.ood.paradox}
    found |= {f"ood_likelihood_{one['name']}": one["side"] for one in findings.ood.detailed}
    found["flow_overfitting"] = findings.flow.flow.overfitting
    for model in findings.gan.models:
        found |= {f"{model.name}_variety": model.variety, f"{model.name}_copying": model.copying}
    if findings.vanishing is not None:
        found["vanishing_gradients"] = findings.vanishing.verdict
    verdicts = {name: verdict.name for name, verdict in found.items()}
    for space in findings.fid.spaces:
        leader = f" {space.standings[0].model}" if space.standings else ""
        verdicts[f"lead_{space.name}"] = f"{space.lead.name}{leader}"
        if space.families is not None:
            verdicts[f"family_{space.name}"] = space.families["nearer"].name
    return verdicts


def to_json(findings: Any) -> Any:
    """Returns findings as JSON has them: dataclasses and models as mappings, verdicts by name, other numbers as they are."""
    if isinstance(findings, Enum):
        return findings.name
    if is_dataclass(findings) and not isinstance(findings, type):
        return {field.name: to_json(getattr(findings, field.name)) for field in fields(findings)}
    if isinstance(findings, BaseModel):
        return findings.model_dump(mode="json")
    if isinstance(findings, Mapping):
        return {str(key): to_json(value) for key, value in findings.items()}
    if isinstance(findings, tuple | list):
        return [to_json(value) for value in findings]
    if isinstance(findings, frozenset):
        return sorted(to_json(value) for value in findings)
    return findings
