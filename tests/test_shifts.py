"""Shifted images against closed forms."""

import pytest
import torch
from torch import Tensor

from bnstudy.data import mnist5k, shifts
from bnstudy.data.digits import load
from bnstudy.data.images import pool
from bnstudy.data.shifts import SHIFTS, gaussian, rotate, shift, size, translate

LEVELS = range(1, 6)


@pytest.fixture(scope="module")
def x() -> Tensor:
    """Digits with a border of 8 black pixels: [200, 1, 24, 24], float64."""
    digits = torch.from_numpy(load().x[:200]).double()
    return torch.nn.functional.pad(digits, (8, 8, 8, 8))


@pytest.mark.parametrize("family", SHIFTS)
def test_shape_dtype_and_range_stay(x: Tensor, family: str) -> None:
    for severity in range(6):
        y = shift(x.float(), family, severity, 0)
        assert y.shape == x.shape and y.dtype == torch.float32
        assert 0 <= y.min() and y.max() <= 1


@pytest.mark.parametrize("family", SHIFTS)
def test_colours_are_shifted_alike_on_oblong_images(family: str) -> None:
    grey = torch.rand(6, 1, 19, 23, generator=torch.Generator().manual_seed(0)).double()
    colour = shift(grey.expand(-1, 3, -1, -1), family, 3, 0)
    assert colour.shape == (6, 3, 19, 23)
    if family == "noise":  # independent in every pixel of every colour
        assert not torch.equal(colour[:, 0], colour[:, 1])
    else:
        torch.testing.assert_close(colour, shift(grey, family, 3, 0).expand(-1, 3, -1, -1))


def test_oblong_images_turn_without_distortion() -> None:
    x = torch.rand(2, 3, 19, 23, generator=torch.Generator().manual_seed(0)).double()
    turned = rotate(x, torch.full((2,), torch.pi / 2, dtype=torch.float64))
    torch.testing.assert_close(turned[..., 2:-2], torch.rot90(x[..., 2:-2], 1, (2, 3)))
    moved = translate(x, torch.tensor([2.0, 2.0]), torch.tensor([5.0, 5.0]))
    torch.testing.assert_close(moved[..., 2:, 5:], x[..., :-2, :-5])


@pytest.mark.parametrize("family", SHIFTS)
def test_severity_0_is_the_identity(x: Tensor, family: str) -> None:
    assert torch.equal(shift(x, family, 0, 0), x)


@pytest.mark.parametrize("family", SHIFTS)
def test_each_severity_is_larger_than_the_one_before(x: Tensor, family: str) -> None:
    rms = [size(x, family, severity, 0)["rms_change"] for severity in range(6)]
    assert rms[0] == 0 and all(a < b for a, b in zip(rms, rms[1:]))


@pytest.mark.parametrize("family", SHIFTS)
def test_fixed_by_seed_and_severity_whatever_the_company(x: Tensor, family: str) -> None:
    whole = shift(x, family, 3, 7)
    assert torch.equal(whole, shift(x, family, 3, 7))
    if family != "scaling":  # its centre is the mean pixel of all images given
        assert torch.equal(whole[:13], shift(x[:13], family, 3, 7))
    random = family in ("noise", "rotation", "translation")
    assert torch.equal(whole, shift(x, family, 3, 8)) != random
    if random:
        same = x[:1].expand(40, -1, -1, -1)
        assert len({tuple(y.flatten().tolist()) for y in shift(same, family, 3, 7)}) > 1


@pytest.mark.parametrize("severity, slope", list(enumerate(shifts.CONTRAST, 1)))
def test_contrast_is_a_pull_towards_mid_grey(x: Tensor, severity: int, slope: float) -> None:
    y = shift(x, "contrast", severity, 0)
    torch.testing.assert_close(y, 0.5 + slope * (x - 0.5))
    assert 0 < y.min() and y.max() < 1  # nothing clips


@pytest.mark.parametrize("severity, slope", list(enumerate(shifts.CONTRAST, 1)))
def test_scaling_multiplies_standardized_inputs(x: Tensor, severity: int, slope: float) -> None:
    """So a ReLU network without norm and biases gives the same answers, whatever the severity."""
    y = shift(x, "scaling", severity, 0)
    assert torch.allclose(y, slope * x + (1 - slope) * x.mean(), atol=1e-6)
    assert torch.isclose(y.mean(), x.mean(), atol=1e-5) and torch.isclose(y.std(), slope * x.std(), rtol=1e-4)
    assert 0 < y.min() and y.max() < 1  # nothing clips


def test_inversion_is_affine_and_nothing_clips(x: Tensor) -> None:
    pixels = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64).view(1, 1, 2, 2)
    for severity, a in zip(LEVELS, shifts.INVERSION):
        expected = torch.tensor([(1 - a) / 2, 0.5 - a / 4, 0.5, (1 + a) / 2], dtype=torch.float64)
        torch.testing.assert_close(shift(pixels, "inversion", severity, 0).flatten(), expected, rtol=0, atol=1e-15)
        back = (shift(x, "inversion", severity, 0) - (1 - a) / 2) / a
        torch.testing.assert_close(back, x, rtol=0, atol=1e-14)
        assert size(x, "inversion", severity, 0)["sd_ratio"] == pytest.approx(abs(a), abs=1e-12)
    assert 0.3 in shifts.CONTRAST and shift(pixels, "inversion", 5, 0).flatten().tolist() == [1, 0.75, 0.5, 0]


def test_brightness_adds_and_clips() -> None:
    pixels = torch.tensor([0.0, 0.2, 0.7, 1.0]).view(1, 1, 2, 2)
    for severity, b in zip(LEVELS, shifts.BRIGHTNESS):
        expected = [b, 0.2 + b, min(1, 0.7 + b), 1]
        assert shift(pixels, "brightness", severity, 0).flatten().tolist() == pytest.approx(expected)
    assert size(pixels * 0, "brightness", 2, 0)["mean_change"] == pytest.approx(0.2)


def test_noise_has_the_stated_spread_where_nothing_clips() -> None:
    grey = torch.full((400, 1, 14, 14), 0.5)
    measured = size(grey, "noise", 1, 0)
    assert measured["rms_change"] == pytest.approx(shifts.NOISE[0], rel=0.01)
    assert measured["mean_change"] == pytest.approx(0, abs=0.001)
    # On black ground the lower half is cut off: the mean rises by sd / sqrt(2 pi).
    expected = shifts.NOISE[0] / (2 * torch.pi) ** 0.5
    assert size(grey * 0, "noise", 1, 0)["mean_change"] == pytest.approx(expected, rel=0.02)


def test_blur_keeps_the_mean_and_spreads_a_point_as_a_gaussian(x: Tensor) -> None:
    edge = torch.zeros(1, 1, 14, 14, dtype=torch.float64)
    edge[0, 0, 0, 13] = 1
    for severity in LEVELS:
        for images in (x, edge):
            y = shift(images, "blur", severity, 0)
            torch.testing.assert_close(y.mean((1, 2, 3)), images.mean((1, 2, 3)), rtol=1e-12, atol=0)
    matrix = gaussian(41, 2.0)
    assert torch.allclose(matrix.sum(0), matrix.sum(1)) and torch.allclose(matrix, matrix.T)
    place = torch.arange(41) - 20.0
    assert float((matrix[20] * place**2).sum()) == pytest.approx(4, rel=0.005)
    bell = torch.exp(-(place.double() ** 2) / 8) / (8 * torch.pi) ** 0.5
    torch.testing.assert_close(matrix[20], bell, rtol=0, atol=1e-4)


def test_rotation_by_a_quarter_is_exact_and_the_inverse_brings_back(x: Tensor) -> None:
    quarter = torch.full((len(x),), torch.pi / 2)
    torch.testing.assert_close(rotate(x, quarter), torch.rot90(x, 1, (2, 3)), rtol=0, atol=1e-6)
    smooth = shift(x, "blur", 3, 0)
    for angle in shifts.ROTATION:
        turn = torch.full((len(x),), angle)
        there = rotate(smooth, turn)
        back = rotate(there, -turn)
        left, moved = (back - smooth).square().mean().sqrt(), (there - smooth).square().mean().sqrt()
        assert left < moved / 2 and left < 0.02


def test_rotation_goes_both_ways_by_the_severitys_angle(x: Tensor) -> None:
    y = shift(x, "rotation", 2, 0)
    turns = [rotate(x, torch.full((len(x),), sign * shifts.ROTATION[1])) for sign in (1, -1)]
    same = torch.stack([torch.isclose(y, turn).all(3).all(2).all(1) for turn in turns])
    assert same.any(0).all() and 70 < same[0].sum() < 130


def test_translation_by_whole_pixels_is_a_roll_filled_with_black() -> None:
    x = torch.rand(3, 2, 6, 9, dtype=torch.float64)
    down, right = torch.tensor([2, 0, -1]), torch.tensor([1, -3, 0])
    expected = torch.zeros_like(x)
    expected[0, :, 2:, 1:] = x[0, :, :-2, :-1]
    expected[1, :, :, :-3] = x[1, :, :, 3:]
    expected[2, :, :-1] = x[2, :, 1:]
    torch.testing.assert_close(translate(x, down, right), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("side", [8, 14, 28])
def test_translation_moves_by_its_distance_in_all_directions(side: int) -> None:
    images = torch.zeros(400, 1, 3 * side, 3 * side, dtype=torch.float64)
    images[:, 0, side, side] = 1
    place = torch.arange(3 * side) - side
    for severity in LEVELS:
        y = shift(images, "translation", severity, 0)[:, 0]
        down, right = (y.sum(2) * place).sum(1), (y.sum(1) * place).sum(1)
        distance = shifts.TRANSLATION[severity - 1] * 3 * side
        torch.testing.assert_close(torch.hypot(down, right), torch.full_like(down, distance), rtol=1e-6, atol=0)
        quadrant = 2 * (down > 0).long() + (right > 0)
        assert quadrant.bincount(minlength=4).min() > 70


def test_severities_stay_in_order_on_14_pixels() -> None:
    x = torch.from_numpy(pool(mnist5k.load().x[::10], 2))
    for family in SHIFTS:
        rms = [size(x, family, severity, 0)["rms_change"] for severity in range(6)]
        assert all(a < b for a, b in zip(rms, rms[1:])), (family, rms)


def test_errors_name_what_is_allowed(x: Tensor) -> None:
    with pytest.raises(ValueError, match=r"'contrst': did you mean contrast\?.*noise.*translation"):
        shift(x, "contrst", 1, 0)
    with pytest.raises(ValueError, match="shifts are contrast"):
        shift(x, "zzz", 1, 0)
    with pytest.raises(ValueError, match="severity of noise must be 0 .* not 6"):
        shift(x, "noise", 6, 0)
    with pytest.raises(ValueError, match="pixels in 0..1"):
        shift(255 * x, "noise", 1, 0)
