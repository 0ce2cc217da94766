from fashion_dgm.config import DataSplitConfig
from fashion_dgm.pipelines.data_split.nodes import split_images
from tests.conftest import made_up_images


def test_with_all_images_pooled_the_benchmark_holds_official_test_images_that_were_not_trained_on() -> None:
    raw = {"train": made_up_images(200, 0), "benchmark": made_up_images(100, 1)}
    train, test, benchmark = split_images(raw, DataSplitConfig(pool="all", test_fraction=0.2, seed=0))
    seen, held_out, found, official = (
        {image.tobytes() for image in images.images} for images in (train, test, benchmark, raw["benchmark"])
    )
    assert (len(train), len(test)) == (240, 60) and seen.isdisjoint(held_out)
    assert found and found == official & held_out
