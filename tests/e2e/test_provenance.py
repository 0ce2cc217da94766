"""A model is evaluated on the split that it was trained for, and a report states what made its results."""

from pathlib import Path

from tests.e2e.command import metrics_of, refused, run


def test_every_result_carries_the_parameters_and_the_data_that_made_it(finished: Path) -> None:
    metrics = metrics_of(finished)
    blocks = {model: f"train_{model}" for model in ("flow", "mixture_flow", "gan", "wgan")}
    blocks |= {"data": "data_split", "ood": "ood_eval", "fid": "fid_eval"}
    blocks |= {"latents": "latent_space", "likelihood": "likelihood_decomposition"}
    split = metrics["data"]["splits"]["train"]["sha256"]
    for name, block in blocks.items():
        assert block in metrics[name]["origin"]["parameters"], name
        assert metrics[name]["origin"]["train_sha256"] == split
    assert metrics["gan"]["origin"]["parameters"]["train_gan"]["epochs"] == 2


def test_a_model_of_another_split_is_refused_and_marked_on_request(copy: Path) -> None:
    run(copy, "--pipelines", "data_split", "--params", "data_split.seed=1")
    assert "flow was trained on other images" in refused(copy, "--pipelines", "latent_space")
    parameters = "data_mismatch=mark,data_split.seed=1,train_gan.epochs=77"
    run(copy, "--pipelines", "latent_space,report", "--params", parameters)
    (warning,) = metrics_of(copy)["latents"]["origin"]["mismatches"]
    assert warning.startswith("flow was trained on other images")
    page = (copy / "data" / "08_reporting" / "report.html").read_text()
    assert page.count("flow was trained on other images") >= 2
    # What was not made anew belongs to the split before, and says so.
    assert "the results <code>gan</code> were made with another training split" in page
    # Nor does its configuration become that of the report.
    assert "1 of them differs from the configuration" in page
    row = page[page.index("<code>train_gan.epochs</code>") :][:200]
    assert "<code>2</code>" in row and "<code>77</code>" in row
