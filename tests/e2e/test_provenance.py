"""A model is evaluated on the split that it was trained for, and a report states what made its results."""

from pathlib import Path

from tests.e2e.command import metrics_of, refused, run


def test_every_result_carries_the_parameters_and_the_data_that_made_it(finished: Path) -> None:
    metrics = metrics_of(finished)
    blocks = {
        "data": "data_split",
        "flow": "train_flow",
        "mixture_flow": "train_mixture_flow",
        "gan": "train_gan",
        "wgan": "train_wgan",
        "ood": "ood_eval",
        "fid": "fid_eval",
        "latents": "latent_space",
        "likelihood": "likelihood_decomposition",
    }
    split = metrics["data"]["splits"]["train"]["sha256"]
    for name, block in blocks.items():
        assert block in metrics[name]["origin"]["parameters"], name
        assert metrics[name]["origin"]["train_sha256"] == split
    assert metrics["gan"]["origin"]["parameters"]["train_gan"]["epochs"] == 2


def test_a_model_of_another_split_is_refused_and_marked_on_request(copy: Path) -> None:
    run(copy, "--pipelines", "data_split", "--params", "data_split.seed=1")
    assert "flow was trained on other images" in refused(copy, "--pipelines", "latent_space")
    run(copy, "--pipelines", "latent_space,report", "--params", "data_mismatch=mark,data_split.seed=1")
    (warning,) = metrics_of(copy)["latents"]["origin"]["mismatches"]
    assert warning.startswith("flow was trained on other images")
    page = (copy / "data" / "08_reporting" / "report.html").read_text()
    assert page.count("flow was trained on other images") >= 2
    # What was not made anew belongs to the split before, and says so.
    assert "the results <code>gan</code> were made with another training split" in page


def test_a_pool_that_holds_the_official_test_images_contaminates_nothing_in_silence(copy: Path) -> None:
    """The flow learns from images that `benchmark` holds after the split is made as usual again."""
    run(copy, "--pipelines", "data_split,train_flow", "--params", "data_split.pool=all")
    run(copy, "--pipelines", "data_split")
    assert "Train again" in refused(copy, "--pipelines", "ood_eval,report")


def test_a_report_made_under_another_configuration_prints_that_of_its_results(copy: Path) -> None:
    run(copy, "--pipelines", "report", "--params", "train_gan.epochs=77")
    page = (copy / "data" / "08_reporting" / "report.html").read_text()
    assert "1 of them differs from the configuration" in page
    row = page[page.index("<code>train_gan.epochs</code>") :][:200]
    assert "<code>2</code>" in row and "<code>77</code>" in row
