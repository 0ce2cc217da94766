import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from fashion_dgm.checkpoint import checkpoint_of
from fashion_dgm.classifier.network import Classifier
from fashion_dgm.data.images import ImageSet
from fashion_dgm.errors import FashionDGMError
from fashion_dgm.flows import Flow
from fashion_dgm.flows.likelihood import bits_per_dim_of
from fashion_dgm.flows.preprocessing import dequantize
from fashion_dgm.ood import SCORES, Scorer
from fashion_dgm.ood.scorer import Models, for_slow_flow
from fashion_dgm.ood.scores import Fitted, Measures, Score, scores_of
from fashion_dgm.pipelines.ood_eval.nodes import score_images
from tests.ood.helpers import config
from tests.small import make_flow

CPU = torch.device("cpu")
D = 200


def normal_measures(radius: float, n: int, seed: int) -> dict[str, np.ndarray]:
    """What a flow that is the identity says of N(0, radius^2 I): its likelihood is exact."""
    z = radius * np.random.default_rng(seed).standard_normal((n, D))
    nats = 0.5 * (z**2).sum(1)
    return {"latents": z, "log_prior": -nats, "log_det": np.zeros(n), "bits_per_dim": nats / (D * np.log(2))}


def fitted(name: str, train: Measures) -> Fitted:
    return SCORES[name].fit(train, config())


@pytest.mark.parametrize("name", ["typicality", "latent_typicality", "dose"])
def test_the_likeliest_point_is_not_typical_nor_is_an_unlikely_one(name: str) -> None:
    train, fresh = normal_measures(1.0, 2000, 0), normal_measures(1.0, 500, 1)
    score = fitted(name, train)
    for radius in (0.0, 0.5, 2.0):
        assert score(normal_measures(radius, 50, 2)).min() > score(fresh).max()


def test_a_likelihood_ratio_cancels_what_both_models_share() -> None:
    # Background pixels have the same density under both: only the others count, as in Ren et al., equation 3.
    rng = np.random.default_rng(0)
    shared, own = rng.normal(0, 50, 400), np.r_[np.zeros(200), np.ones(200)] + 0.01 * rng.normal(size=400)
    images = {"bits_per_dim": shared + own, "background_bits_per_dim": shared}
    found = fitted("likelihood_ratio", images)(images)
    np.testing.assert_allclose(found, own, atol=1e-9)
    assert abs(np.corrcoef(fitted("likelihood", images)(images), own)[0, 1]) < 0.2


def test_scores_by_hand() -> None:
    images = {"bits_per_dim": np.array([2.0, 2.5]), "coded_bits_per_dim": np.array([1.0, 3.0])}
    np.testing.assert_array_equal(fitted("likelihood", images)(images), [2.0, 2.5])
    np.testing.assert_array_equal(fitted("input_complexity", images)(images), [1.0, -0.5])
    # WAIC adds disagreement to the mean.
    images = {"latents": np.zeros((2, D)), "ensemble_bits_per_dim": np.array([[1.0, 1.0], [0.9, 1.1]])}
    nats = D * np.log(2)
    np.testing.assert_allclose(fitted("waic", images)(images), [nats, nats + (0.1 * nats) ** 2])


def some(n: int, seed: int = 0) -> ImageSet:
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 200, (n, 1, 28, 1)) + rng.integers(0, 56, (n, 1, 28, 28))
    return ImageSet(rows.astype(np.uint8), np.zeros(n, np.uint8))


ALL = tuple(name for name in SCORES if name not in ("likelihood_ratio", "waic"))


def trained_flow(**changes: int) -> Flow:
    flow = make_flow((1, 28, 28), 0.02, hidden_channels=4, residual_blocks=0, **changes).float().train()
    flow.bits_per_dim(torch.from_numpy(some(64).images))
    return flow.eval()


FLOW = trained_flow()


def scorer(batch_size: int = 50, **changes: object) -> Scorer:
    torch.manual_seed(1)
    models = Models({"RealNVP": FLOW}, classifier=Classifier(2, 4).eval())
    return Scorer(models, some(200), config(scores=ALL, batch_size=batch_size, **changes), CPU)


def test_scores_do_not_depend_on_the_batch_size_or_on_other_images() -> None:
    images = some(40, 1).images
    made = scorer()
    whole, parts, first = (each["RealNVP"] for each in (made(images), scorer(7)(images), made(images[:10])))
    assert set(whole) == {"bits_per_dim", *ALL}
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=2e-3, atol=2e-3, err_msg=name)
        np.testing.assert_allclose(first[name], whole[name][:10], rtol=2e-3, atol=2e-3, err_msg=name)
    expected = bits_per_dim_of(FLOW, torch.from_numpy(images), 50, 0, torch.float32)
    np.testing.assert_allclose(whole["bits_per_dim"], expected, rtol=1e-5)


def test_gradient_norm_is_that_of_each_image_alone() -> None:
    found = scorer().measures(some(3, 1).images)["RealNVP"]["gradient_norm"]
    x = dequantize(torch.from_numpy(some(3, 1).images), torch.Generator().manual_seed(0))
    for i in range(3):
        one = x[i : i + 1].clone().requires_grad_()
        (slope,) = torch.autograd.grad(FLOW.log_prob(one).sum(), one)
        assert found[i] == pytest.approx(slope.norm().item(), rel=1e-3)


def test_nothing_but_training_images_can_be_fitted_to() -> None:
    """docs/reading-the-numbers.md#ood-scores

    Of the node that evaluates: an image's scores stay the same to the last bit whatever is scored with it, official test
    images included, and those that are fitted change with the training images.
    """
    torch.manual_seed(1)
    flow = checkpoint_of(FLOW, "RealNVP", FLOW.config.model_dump(mode="json"))
    classifier = checkpoint_of(Classifier(2, 4), "Classifier", {"width": 2, "feature_dim": 4})
    noise = ImageSet(np.random.default_rng(3).integers(0, 256, (30, 1, 28, 28), np.uint8), np.zeros(30, np.uint8))

    def scores(train: ImageSet, benchmark: ImageSet, **others: ImageSet) -> pd.DataFrame:
        sets = {"kept": some(20, 1), **others}
        table, _ = score_images(flow, None, train, benchmark, sets, config(scores=ALL), classifier=classifier)
        return table[table["dataset"] == "kept"].reset_index(drop=True)

    found = scores(some(200), some(40, 2))
    pd.testing.assert_frame_equal(scores(some(200), noise, other=noise), found, check_exact=True)
    refitted = scores(some(200, 4), some(40, 2))
    np.testing.assert_array_equal(refitted["likelihood"], found["likelihood"])
    for name in ("typicality", "dose", "combined", "nearest_pixels", "nearest_features"):
        assert not np.allclose(refitted[name], found[name]), name


def test_every_flow_is_compared_with_its_own_weights_and_a_background_of_its_own_architecture() -> None:
    mixture = trained_flow(components=2)
    models = Models({"RealNVP": FLOW, "MixtureFlow": mixture}, background=FLOW, ensembles={"MixtureFlow": (mixture,)})
    made = Scorer(models, some(100), config(scores=("likelihood", "likelihood_ratio", "waic")), CPU)
    assert set(made.missing["RealNVP"]) == {"waic"} and set(made.missing["MixtureFlow"]) == {"likelihood_ratio"}
    assert "RealNVP" in made.missing["MixtureFlow"]["likelihood_ratio"]
    images = some(9, 1).images
    scores = made(images)
    np.testing.assert_allclose(scores["RealNVP"]["likelihood_ratio"], 0, atol=1e-4)
    # WAIC of weights that are the same is -log p under that very flow.
    nats = 784 * np.log(2) * scores["MixtureFlow"]["likelihood"]
    np.testing.assert_allclose(scores["MixtureFlow"]["waic"], nats, rtol=1e-5)
    expected = bits_per_dim_of(mixture, torch.from_numpy(images), 50, 0, torch.float32)
    np.testing.assert_allclose(scores["MixtureFlow"]["likelihood"], expected, rtol=1e-5)
    assert np.abs(expected - scores["RealNVP"]["likelihood"]).max() > 1e-2
    # Without other models, every score but those that need them.
    alone = Scorer(Models({"RealNVP": FLOW}), some(100), config(scores=tuple(SCORES)), CPU).missing["RealNVP"]
    assert set(alone) == {"likelihood_ratio", "waic", "nearest_features", "combined_labels"}
    assert "has not been trained" in alone["likelihood_ratio"]


def test_a_slow_flow_has_fewer_images_and_only_scores_of_its_own() -> None:
    everything = config(scores=list(SCORES), primary_score="waic")
    slow = for_slow_flow(everything)
    assert slow.max_images == slow.benchmark_images == slow.fit_images == 30
    assert {"likelihood", "typicality", "dose"} <= set(slow.scores)
    assert not {"waic", "likelihood_ratio", "gradient_norm", "nearest_pixels", "combined_labels"} & set(slow.scores)
    assert slow.primary_score == "likelihood"


def test_scores_can_be_named_in_one_word_and_mistakes_are_reported() -> None:
    assert scores_of(config(scores="all")) == tuple(SCORES)
    assert scores_of(config(scores="likelihood+waic")) == ("likelihood", "waic")
    with pytest.raises(FashionDGMError, match="no score 'wiac'"):
        scores_of(config(scores="likelihood+wiac"))
    with pytest.raises(FashionDGMError, match="fit_images is 60"):
        Scorer(Models({"RealNVP": FLOW}), some(60), config(), CPU)
    with pytest.raises(ValidationError, match="not among the scores"):
        config(primary_score="dose")


def test_a_new_score_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry of `SCORES` is computed and fitted like the others, and asks for the measures that it needs."""

    def fit(train: Measures, config: object) -> Fitted:
        mean = train["log_det"].mean()
        return lambda images: images["log_det"] - mean

    own = Score("log-determinant", "", ("log_det",), fit)
    for module in ("scores", "scorer"):
        monkeypatch.setattr(f"fashion_dgm.ood.{module}.SCORES", {**SCORES, "own": own})
    images = some(120)
    found = Scorer(Models({"RealNVP": FLOW}), images, config(scores="own+likelihood", primary_score="own"), CPU)
    assert set(found(images.images[:5])["RealNVP"]) == {"bits_per_dim", "own", "likelihood"}
