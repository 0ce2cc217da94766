"""Typed parameters: one frozen model per block of `conf/*/parameters*.yml`.

Kedro checks them before any node runs, so a misspelt name or a bad value costs nothing. This package imports neither
torch nor Kedro: the library below takes these models, the nodes above are annotated with them.
"""

from fashion_dgm.config.analyses import (
    DiscreteLikelihoodConfig,
    LatentSpaceConfig,
    LikelihoodDecompositionConfig,
    LogDetStudyConfig,
)
from fashion_dgm.config.base import Config
from fashion_dgm.config.data import DataSplitConfig, OODSetsConfig
from fashion_dgm.config.evaluation import FIDConfig, KIDConfig, OODConfig
from fashion_dgm.config.flows import (
    BackgroundFlowConfig,
    CouplingFlowConfig,
    CouplingFlowTrainingConfig,
    FlowTrainingConfig,
    MixtureFlowConfig,
    MixtureFlowTrainingConfig,
    NamedFlowConfig,
    NamedFlowTrainingConfig,
    RealNVPConfig,
    ResidualFlowConfig,
    ResidualFlowEvaluationConfig,
    ResidualFlowTrainingConfig,
    SeriesConfig,
)
from fashion_dgm.config.gans import (
    AdversarialConfig,
    ClipConfig,
    GANConfig,
    GradientPenaltyConfig,
    SpectralNormConfig,
    WGANConfig,
)
from fashion_dgm.config.reporting import ReportConfig, TrackingConfig
from fashion_dgm.config.studies import (
    DiracConfig,
    PenalisedWGANConfig,
    SpectralGANConfig,
    StabilityConfig,
    VanishingGradientsConfig,
    VariationRangesConfig,
)
from fashion_dgm.config.training import (
    AdamConfig,
    AdamWConfig,
    ClassifierConfig,
    DistributedConfig,
    OptimizerConfig,
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
    "LogDetStudyConfig",
    "MixtureFlowConfig",
    "MixtureFlowTrainingConfig",
    "NamedFlowConfig",
    "NamedFlowTrainingConfig",
    "OODConfig",
    "OODSetsConfig",
    "OptimizerConfig",
    "PenalisedWGANConfig",
    "RealNVPConfig",
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
    "VanishingGradientsConfig",
    "VariationRangesConfig",
    "WGANConfig",
]
