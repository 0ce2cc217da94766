"""Normalizing flows: bijections, log-determinants exact and estimated, RealNVP and other flows, their training step."""

from fashion_dgm.flows.actnorm import ActNorm
from fashion_dgm.flows.bijection import Bijection, Chain, MultiScale
from fashion_dgm.flows.coupling import AffineCoupling, Coupling, LogisticMixture, MixtureCoupling, ResidualConditioner
from fashion_dgm.flows.coupling_flow import MixtureFlow, RealNVP
from fashion_dgm.flows.families import build_flow, make_flow
from fashion_dgm.flows.flow import BaseDistribution, Flow, StandardNormal
from fashion_dgm.flows.likelihood import bits_per_dim_of, mean_bits_per_dim
from fashion_dgm.flows.lipschitz import LipschitzConv2d, LipschitzLinear, LipSwish, update_norms
from fashion_dgm.flows.log_det import (
    ExactLogDet,
    SeriesLogDet,
    batch_jacobian,
    draw_probes,
    exact_log_det,
    log_det_series,
    neumann_log_det,
    probe_powers,
)
from fashion_dgm.flows.partition import ChannelHalves, Checkerboard, Partition, Squeeze
from fashion_dgm.flows.preprocessing import Logit, dequantize, quantize, to_bits_per_dim
from fashion_dgm.flows.residual_flow import InverseError, InvertibleResidual, ResidualFlow
from fashion_dgm.flows.series_weights import Geometric, Poisson, Roulette, SeriesWeights, Truncation
from fashion_dgm.flows.training import FlowStep

__all__ = [
    "ActNorm",
    "AffineCoupling",
    "BaseDistribution",
    "Bijection",
    "Chain",
    "ChannelHalves",
    "Checkerboard",
    "Coupling",
    "ExactLogDet",
    "Flow",
    "FlowStep",
    "Geometric",
    "InverseError",
    "InvertibleResidual",
    "LipSwish",
    "LipschitzConv2d",
    "LipschitzLinear",
    "LogisticMixture",
    "Logit",
    "MixtureCoupling",
    "MixtureFlow",
    "MultiScale",
    "Partition",
    "Poisson",
    "RealNVP",
    "ResidualConditioner",
    "ResidualFlow",
    "Roulette",
    "SeriesLogDet",
    "SeriesWeights",
    "Squeeze",
    "StandardNormal",
    "Truncation",
    "batch_jacobian",
    "bits_per_dim_of",
    "build_flow",
    "dequantize",
    "draw_probes",
    "exact_log_det",
    "log_det_series",
    "make_flow",
    "mean_bits_per_dim",
    "neumann_log_det",
    "probe_powers",
    "quantize",
    "to_bits_per_dim",
    "update_norms",
]
