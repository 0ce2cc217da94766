import pandas as pd
import pytest
import torch

from fashion_dgm.gans.networks import Generator
from fashion_dgm.metrics.classifier import Classifier
from fashion_dgm.metrics.features import classifier_space
from fashion_dgm.metrics.fid import best_and_last, sample_size_warnings, score_generators
from tests.conftest import made_up_images

CPU = torch.device("cpu")


def space():
    torch.manual_seed(0)
    return classifier_space(Classifier(width=4, feature_dim=8), CPU)


def score(samples: int):
    torch.manual_seed(1)
    generator = Generator(latent_dim=5, width=4)
    return score_generators(
        {"a": {1: lambda: generator, 3: lambda: generator}, "b": {2: lambda: generator}},
        {"test": made_up_images(90, 1), "benchmark": made_up_images(120, 2)},
        made_up_images(200, 3),
        [space()],
        samples,
        seed=0,
        device=CPU,
        batch_size=50,
    )


def test_one_row_a_model_epoch_space_and_split_at_one_n() -> None:
    table, floors = score(60)
    assert len(table) == 6
    assert set(table["samples"]) == {60}
    assert set(floors["classifier"]) == {"test", "benchmark"}
    # The same generator at every epoch: the same latents, so the same distance.
    assert table.groupby("split")["distance"].nunique().eq(1).all()


def test_n_is_the_same_everywhere_even_where_images_are_few() -> None:
    assert set(score(10_000)[0]["samples"]) == {90}


def test_real_images_are_nearer_than_an_untrained_generator() -> None:
    table, floors = score(90)
    assert floors["classifier"]["test"] < table["distance"].min()


def test_best_is_chosen_on_one_split_and_read_off_the_other() -> None:
    rows = [(1, 9.0, 5.0), (2, 4.0, 6.0), (3, 8.0, 1.0)]
    table = pd.DataFrame(
        [
            {"model": "gan", "epoch": epoch, "feature_space": "s", "split": split, "distance": distance}
            for epoch, test, benchmark in rows
            for split, distance in (("test", test), ("benchmark", benchmark))
        ]
    )
    (row,) = best_and_last(table, select="test", report="benchmark")
    assert row["best_epoch"] == 2 and row["best_on_benchmark"] == 6.0
    assert row["last_epoch"] == 3 and row["last_on_test"] == 8.0


@pytest.mark.parametrize(("n", "count"), [(8, 1), (9, 0)])
def test_warns_where_covariances_are_singular(n: int, count: int) -> None:
    assert len(sample_size_warnings([space()], n)) == count
