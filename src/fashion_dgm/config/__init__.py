"""Typed parameters: one frozen model per block of `conf/*/parameters*.yml`.

Kedro checks them before any node runs, so a misspelt name or a bad value costs nothing. This package imports neither
torch nor Kedro: the library below takes these models, the nodes above are annotated with them.
"""

from fashion_dgm.config.base import Config
from fashion_dgm.config.classifier import ClassifierConfig
from fashion_dgm.config.data import DataSplitConfig
from fashion_dgm.config.evaluation import FIDConfig, KIDConfig, OODConfig
from fashion_dgm.config.flows import (
    BackgroundFlowConfig,
    CouplingFlowConfig,
    CouplingFlowTrainingConfig,
    FlowTrainingConfig,
    LikelihoodTrainingConfig,
    MixtureFlowConfig,
    MixtureFlowTrainingConfig,
    NamedFlowConfig,
    NamedFlowTrainingConfig,
    RealNVPConfig,
)
from fashion_dgm.config.gans import (
    AdversarialConfig,
    ClipConfig,
    GANConfig,
    GradientPenaltyConfig,
    LipschitzConfig,
    NormalisationConfig,
    RecordsConfig,
    SpectralNormConfig,
    WarmupConfig,
    WGANConfig,
)
from fashion_dgm.config.latent_space import LatentSpaceConfig
from fashion_dgm.config.likelihood import DiscreteLikelihoodConfig, LikelihoodDecompositionConfig, PerturbationsConfig
from fashion_dgm.config.log_det_study import LogDetStudyConfig
from fashion_dgm.config.ood_sets import OODSetsConfig
from fashion_dgm.config.reporting import ReportConfig, TrackingConfig
from fashion_dgm.config.residual_flow import (
    ResidualFlowConfig,
    ResidualFlowEvaluationConfig,
    ResidualFlowTrainingConfig,
    SeriesConfig,
)
from fashion_dgm.config.studies import (
    DiracConfig,
    PenalisedWGANConfig,
    SpectralGANConfig,
    StabilityConfig,
    UniformsConfig,
    VanishingGradientsConfig,
    VariationRangesConfig,
)
from fashion_dgm.config.training import (
    AdamConfig,
    AdamWConfig,
    DistributedConfig,
    OptimizerConfig,
    RMSpropConfig,
    ScheduleConfig,
    SpeedConfig,
    TrainingConfig,
)

__all__ = [
    "AdamConfig",
    "AdamWConfig",
    "AdversarialConfig",
    "BackgroundFlowConfig",
    "ClassifierConfig",
    "ClipConfig",
    "Config",
    "CouplingFlowConfig",
    "CouplingFlowTrainingConfig",
    "DataSplitConfig",
    "DiracConfig",
    "DiscreteLikelihoodConfig",
    "DistributedConfig",
    "FIDConfig",
    "FlowTrainingConfig",
    "GANConfig",
    "GradientPenaltyConfig",
    "KIDConfig",
    "LatentSpaceConfig",
    "LikelihoodDecompositionConfig",
    "LikelihoodTrainingConfig",
    "LipschitzConfig",
    "LogDetStudyConfig",
    "MixtureFlowConfig",
    "MixtureFlowTrainingConfig",
    "NamedFlowConfig",
    "NamedFlowTrainingConfig",
    "NormalisationConfig",
    "OODConfig",
    "OODSetsConfig",
    "OptimizerConfig",
    "PenalisedWGANConfig",
    "PerturbationsConfig",
    "RMSpropConfig",
    "RealNVPConfig",
    "RecordsConfig",
    "ReportConfig",
    "ResidualFlowConfig",
    "ResidualFlowEvaluationConfig",
    "ResidualFlowTrainingConfig",
    "ScheduleConfig",
    "SeriesConfig",
    "SpectralGANConfig",
    "SpectralNormConfig",
    "SpeedConfig",
    "StabilityConfig",
    "TrackingConfig",
    "TrainingConfig",
    "UniformsConfig",
    "VanishingGradientsConfig",
    "VariationRangesConfig",
    "WGANConfig",
    "WarmupConfig",
]
