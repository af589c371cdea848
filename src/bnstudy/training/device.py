"""The card that networks train on: which it is, how torch is set up for it, how many networks it takes at once.

``python -m bnstudy.training.device`` prints what :func:`describe` returns, for processes that do without torch.
"""

import os
import warnings
from math import prod

import torch

from bnstudy.arms.bn import ROWS
from bnstudy.core.setting import Setting
from bnstudy.data.batches import CPU
from bnstudy.nets.cnn import SIDE
from bnstudy.nets.find import family
from bnstudy.training.clock import fixed_images

CUDA = "cuda"
COPIES = 12
"""Numbers of its size that a layer's output costs, of images: outputs of every stage, their gradients, and what kernels
work in."""
SHARE = 0.6
"""Of a card's memory that the networks of a stack may take."""


def describe() -> str:
    """Return what the bits of a result trained on the card depend on, beside the code: torch, the card, and TF32.

    Raises:
        RuntimeError: There is no card that torch could use; the text says why and what to do.
    """
    back = "or train on processor cores: training: {device: cpu}"
    if torch.version.cuda is None:
        wrong = f"torch {torch.__version__} was built without CUDA"
        raise RuntimeError(f"{wrong}\nwhat to do: install a build for your card (https://pytorch.org), {back}")
    if not torch.cuda.is_available():
        wrong = f"torch {torch.__version__} finds no card"
        raise RuntimeError(f"{wrong}\nwhat to do: see whether nvidia-smi lists one, {back}")
    rounded = [
        name
        for name, on in {
            "convolutions": torch.backends.cudnn.allow_tf32,
            "matrix products": torch.backends.cuda.matmul.allow_tf32,
        }.items()
        if on
    ]
    return f"{torch.__version__.split('+')[0]} on {torch.cuda.get_device_name()}, TF32 in {' and '.join(rounded) or 'nothing'}"


def settle(device: str, described: str) -> None:
    """Set torch up for a job: one thread on processor cores; on a card algorithms that always give the same bits.

    Raises:
        RuntimeError: The job was planned for another card or torch than ``described``, or there is no card.
    """
    if device == CPU:
        torch.set_num_threads(1)
        return
    if (found := describe()) != described:
        raise RuntimeError(
            f"the study was planned for torch {described}; here is {found}\nwhat to do: plan and run on one machine"
        )
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else its sums may vary
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # says so of every cross-entropy, though only its means over a batch vary, and we take none
    warnings.filterwarnings("ignore", message=".*nll_loss2d.*deterministic", category=UserWarning)


def most(setting: Setting, image: tuple[int, ...], parameter_bytes: int = 4) -> int:
    """Return how many networks of a setting train at once on this card, by the limits of its kernels and its memory.

    Args:
        setting: The network design.
        image: The shape (channels, height, width) of the inputs.
        parameter_bytes: Bytes of a number.
    """
    memory = SHARE * torch.cuda.get_device_properties(0).total_memory
    pixels = (
        prod(image[1:]) if hasattr(family(setting.net), "ALONE") else 1
    )  # of a convolution every pixel is an output
    later = min(pixels, SIDE * SIDE)
    outputs = prod(image) + setting.width * (pixels + (setting.depth - 1) * later)
    looked = 3 * fixed_images(image[1:]) * setting.width * pixels  # beside what a step keeps for its gradients
    outputs = max(outputs, looked // (COPIES * setting.batch))
    return max(1, min(ROWS // setting.width, int(memory / (parameter_bytes * COPIES * setting.batch * outputs))))


if __name__ == "__main__":
    try:
        print(describe())
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
