from typing import Any

from fashion_dgm.provenance import ORIGIN, differences, inherited, parameters_of

NOW, BEFORE = "a" * 64, "b" * 64


def test_origins_are_inherited_and_later_parameters_stay() -> None:
    scored: dict[str, Any] = {"parameters": {"ood_eval": {"seed": 0}, "ood_sets": {"n": 1}}, "mismatches": ["x"]}
    measured: dict[str, Any] = {"parameters": {"ood_eval": {"seed": 1}}, "mismatches": ["x", "y"]}
    merged = inherited([scored, measured])
    assert merged == {"parameters": {"ood_eval": {"seed": 1}, "ood_sets": {"n": 1}}, "mismatches": ["x", "y"]}
    assert scored["mismatches"] == ["x"]


def test_training_images_are_those_of_the_first_origin_that_has_them() -> None:
    unknown, first, second = ({"train_sha256": value} for value in (None, NOW, BEFORE))
    assert inherited([unknown, first, second])["train_sha256"] == NOW
    assert "train_sha256" not in inherited([unknown, {}])


def test_parameters_are_those_of_the_results_and_differences_are_named() -> None:
    results = {
        "flow": {"bits_per_dim": 3.0, ORIGIN: {"parameters": {"train_flow": {"epochs": 3, "model": {"width": 8}}}}},
        "old": {},
    }
    made = parameters_of(results)
    assert made == {"train_flow": {"epochs": 3, "model": {"width": 8}}}
    now = {"train_flow": {"epochs": 100, "model": {}}, "train_gan": {"epochs": 1}}
    assert list(differences(made, now)) == [("train_flow.epochs", 3, 100)]
    assert list(differences(made, made)) == []
