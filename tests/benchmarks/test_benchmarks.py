"""The references compute what they stand for, and the tables say what was measured."""

import gc
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import results
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.frechet import exact_distance, made_up_features
from benchmarks.hardware import ROOT
from benchmarks.inputs import TRAININGS, block, parameters
from benchmarks.project import run_kedro
from benchmarks.reference_flow import Form, NormflowsStep, normflows_realnvp
from benchmarks.reference_gan import PlainAdversarial, PlainGAN, PlainWGAN, PlainWGANGP, TransformedImages
from benchmarks.results import Row, compared, load_all, markdown, measured, plain, save, update_page
from benchmarks.timing import Comparison, interleave
from kedro.config import OmegaConfigLoader
from torchvision import transforms

from fashion_dgm.data.images import to_unit_interval
from fashion_dgm.flows import AffineCoupling, RealNVP, dequantize
from fashion_dgm.gans.steps import AdversarialStep
from fashion_dgm.metrics.frechet import Gaussian, frechet_distance
from fashion_dgm.settings import CONFIG_LOADER_ARGS
from tests.conftest import made_up_images
from tests.small import realnvp_config

CPU = torch.device("cpu")
FORMS = pytest.mark.parametrize("form", ["packed", "masked"])
SMALL = realnvp_config(channel_couplings=3, hidden_channels=4)


def test_contestants_take_turns_and_are_compared_by_medians_without_the_warm_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Of all that other tests have left, it takes seconds.
    monkeypatch.setattr(gc, "collect", lambda: 0)
    now, calls = 0.0, []

    def contestant(name: str, *seconds: float) -> Callable[[], None]:
        remaining = iter(seconds)

        def run() -> None:
            nonlocal now
            calls.append(name)
            now += next(remaining)

        return run

    contestants = {"a": contestant("a", 100, 1, 2, 3), "b": contestant("b", 100, 4, 4, 30)}
    timed = interleave(contestants, 3, warmup=1, clock=lambda: now)
    assert calls == ["a", "b"] * 4
    assert timed.seconds == {"a": (1, 2, 3), "b": (4, 4, 30)}
    assert timed.speedup("a", "b") == (4 / 2, 4 / 2, 30 / 3)
    # Queued work is waited for within the time of who queued it.
    queue: list[int] = []

    def synchronize() -> None:
        nonlocal now
        now += sum(queue)
        queue.clear()

    timed = interleave({"a": lambda: queue.append(5)}, 2, synchronize=synchronize, clock=lambda: now)
    assert timed.seconds == {"a": (5, 5)}


def adversarial(name: str, plain: type[PlainAdversarial]) -> tuple[AdversarialStep, PlainAdversarial]:
    """Both loops with the same weights, noise still to be drawn."""
    config = block(name, width=4, latent_dim=8, batch_size=16, device="cpu", precision="float32")
    torch.manual_seed(0)
    step, reference = AdversarialStep(config, CPU, torch.float32), plain(config, CPU)
    reference.generator.load_state_dict(step.generator.state_dict())
    reference.discriminator.load_state_dict(step.discriminator.state_dict())
    return step, reference


@pytest.mark.parametrize(
    ("name", "plain", "steps"),
    [("train_gan", PlainGAN, 2), ("train_wgan", PlainWGAN, 5), ("train_wgan_gp", PlainWGANGP, 2)],
)
def test_plain_loop_computes_the_same_losses(name: str, plain: type[PlainAdversarial], steps: int) -> None:
    step, reference = adversarial(name, plain)
    for number in range(steps):
        batch = made_up_images(16, seed=number)
        images = torch.from_numpy(batch.images)
        torch.manual_seed(number)
        found = step.step(images, torch.from_numpy(batch.labels).long())
        torch.manual_seed(number)
        expected = reference.step(to_unit_interval(images))
        for loss in ("loss_discriminator", "loss_generator"):
            assert (loss in found) == (loss in expected)
            if loss in found:
                assert float(found[loss]) == pytest.approx(expected[loss], rel=1e-3, abs=1e-5), (number, loss)
    assert "loss_generator" in found


def test_plain_epoch_takes_every_full_batch_as_torchvision_gives_it() -> None:
    images = made_up_images(40, seed=0)
    _, reference = adversarial("train_gan", PlainGAN)
    reference.epoch(images, workers=0)
    assert len(reference.history) == 2
    item, label = TransformedImages(images, transforms.ToTensor())[3]
    assert torch.equal(item, to_unit_interval(torch.from_numpy(images.images[3]))) and label == images.labels[3]


@FORMS
def test_normflows_model_is_as_deep_and_invertible(form: Form) -> None:
    model = normflows_realnvp(SMALL, form)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    couplings = [
        module for module in model.modules() if type(module).__name__ in {"AffineCoupling", "MaskedAffineFlow"}
    ]
    assert len(couplings) == sum(isinstance(module, AffineCoupling) for module in RealNVP(SMALL).modules())
    x = dequantize(torch.from_numpy(made_up_images(16, seed=0).images))
    with torch.no_grad():
        z, log_det = model.inverse_and_log_det(x)
        again, back = model.forward_and_log_det(z)
    assert [tuple(part.shape[1:]) for part in z] == [(8, 7, 7), (2, 14, 14)]
    assert torch.allclose(again, x, atol=1e-4)
    assert torch.allclose(log_det, -back, rtol=1e-4)
    assert model.sample(3)[0].shape == (3, 1, 28, 28)


@FORMS
def test_normflows_model_starts_as_the_same_density_and_learns(form: Form) -> None:
    x = dequantize(torch.from_numpy(made_up_images(64, seed=0).images))
    ours, theirs = RealNVP(SMALL).train(), normflows_realnvp(SMALL, form)
    with torch.no_grad():
        # Couplings are the identity at first and ActNorm is set by this batch, up to N or N - 1 in its variance.
        assert torch.allclose(ours.log_prob(x), theirs.log_prob(x, None), rtol=1e-3)
    torch.manual_seed(0)
    step = NormflowsStep(block("train_flow", model=SMALL, device="cpu"), CPU, form)
    losses = [step.step(torch.from_numpy(made_up_images(16, seed=0).images)) for _ in range(5)]
    assert losses[-1] < losses[0]


def test_exact_distance_is_exact_for_a_shift_and_a_scale_and_that_of_the_metric_for_features() -> None:
    for samples in (200, 12):
        first, second = (made_up_features(samples, 24, seed) for seed in (0, 1))
        found = frechet_distance(Gaussian.fit(first), Gaussian.fit(second))
        assert found == pytest.approx(exact_distance(first, second), rel=1e-6)
    features = np.random.default_rng(0).standard_normal((50, 3))
    shift = np.array([1.0, -2.0, 3.0])
    assert exact_distance(features, features + shift) == pytest.approx(14)
    total = np.cov(features, rowvar=False).trace()
    mean = features.mean(axis=0)
    assert exact_distance(features, 3 * features) == pytest.approx(4 * total + 4 * mean @ mean)


def rows() -> list[Row]:
    timed = Comparison({"ours": (1.0, 1.0), "reference": (3.0, 5.0)})
    return [
        compared("step", timed, "ours", "reference", items=100, at_least=2),
        compared("slow", timed, "reference", "ours", at_least=2),
        measured("error", 3e-12, "", at_most=1e-8),
        Row("memory", 1234.5, "MiB", note="of one process"),
    ]


def test_rows_and_their_table_say_whether_the_goal_was_met() -> None:
    fast, slow, error, memory = rows()
    assert (fast.ours, fast.reference, fast.unit) == (100, 25, "images/s")
    assert (fast.ratio, fast.goal, fast.met) == ((4, 3, 5), ">= 2x", True)
    assert (slow.ours, slow.reference, slow.unit, slow.met) == (4, 1, "s", False)
    assert (error.goal, error.met, memory.goal, memory.met) == ("<= 1e-08", True, None, None)
    lines = plain(rows()).splitlines()
    assert len(lines) == 5 and len({len(line) for line in lines}) == 1
    assert re.search(r"^step +100 images/s +25 images/s +4x \(3 to 5\) +>= 2x +met$", lines[1].rstrip())
    assert lines[2].rstrip().endswith("MISSED")
    assert "3.0e-12" in lines[3] and "1,234 MiB" in lines[4]


def test_results_are_kept_by_hardware_and_benchmark(tmp_path: Path) -> None:
    save("one", "First", rows(), "cpu", quick=False, folder=tmp_path)
    path = save("two", "Second", rows()[:1], "cpu", quick=True, folder=tmp_path)
    save("one", "First", rows()[1:], "cpu", quick=False, folder=tmp_path)
    (tmp_path / "quality.json").write_text(json.dumps({"rows": []}))
    (found,) = load_all(tmp_path)
    assert [len(found["benchmarks"][name]["rows"]) for name in ("one", "two")] == [3, 1]
    assert {"name", "threads", "torch"} <= set(found["hardware"])
    text = path.read_text()
    assert str(ROOT) not in text and str(Path.home()) not in text
    assert os.uname().nodename not in text or len(os.uname().nodename) < 6

    table = markdown([found])
    assert "### First" in table and "### Second" in table and "(`--quick`)" in table
    assert "| error | 3.0e-12 |  |  | <= 1e-08 | met |" in table
    assert "- memory: of one process" in table


def test_only_the_tables_of_the_page_are_rewritten(tmp_path: Path) -> None:
    written = tmp_path / "performance.md"
    written.write_text(f"before\n\n{results.BEGIN}\nold\n{results.END}\n\nafter\n")
    for _ in range(2):
        update_page(written)
    assert written.read_text() == f"before\n\n{results.BEGIN}\n\n{markdown(load_all())}\n{results.END}\n\nafter\n"
    assert results.BEGIN in results.PAGE.read_text(encoding="utf-8")


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--table"])
    assert capsys.readouterr().out == markdown(load_all())
    with pytest.raises(SystemExit):
        main(["--only", "nothing"])
    message = capsys.readouterr().err
    assert all(name in message for name in BENCHMARKS)


@pytest.mark.parametrize("env", ["base", "quick", "hour", "test"])
def test_parameters_are_those_that_kedro_reads(env: str) -> None:
    assert parameters(env) == OmegaConfigLoader(str(ROOT / "conf"), env=env, **CONFIG_LOADER_ARGS)["parameters"]
    assert {block(name, env, device="cpu").device for name in TRAININGS} == {"cpu"}


def test_memory_is_that_of_the_command_and_a_failure_is_reported() -> None:
    ballast = bytearray(os.urandom(2**20)) * 300
    assert 20 < run_kedro(ROOT, "--version") / 2**20 < len(ballast) / 2**20
    with pytest.raises(RuntimeError, match="no-such-command"):
        run_kedro(ROOT, "no-such-command")
