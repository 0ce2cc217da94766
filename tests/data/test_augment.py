import torch
import torch.nn.functional as F

from fashion_dgm.data.augment import random_flip, random_shift


def images(count: int) -> torch.Tensor:
    return torch.randint(256, (count, 2, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_flips_whole_images_about_half_the_time() -> None:
    before = images(1000)
    after = random_flip(before)
    flipped = (after == before.flip(3)).all(dim=(1, 2, 3))
    assert (flipped | (after == before).all(dim=(1, 2, 3))).all()
    # Binomial(1000, 1/2): outside with probability 1e-6.
    assert 420 < int(flipped.sum()) < 580


def test_shifts_are_windows_of_the_padded_image_and_all_occur() -> None:
    before = images(400)
    after = random_shift(before, 1)
    padded = F.pad(before, (1, 1, 1, 1))
    windows = [padded[:, :, y : y + 6, x : x + 5] for y in range(3) for x in range(3)]
    hits = torch.stack([(after == window).all(dim=(1, 2, 3)) for window in windows])
    assert (hits.sum(dim=0) == 1).all()
    assert (hits.sum(dim=1) > 15).all()  # of 44 expected
    assert after.dtype == torch.uint8 and after.shape == before.shape
    assert random_shift(before, 0) is before
