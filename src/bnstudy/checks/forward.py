"""What batch normalization computes in the forward pass: checks E2, E11 and E14."""

import torch

from bnstudy.arms import bn
from bnstudy.arms.base import EPS, Place
from bnstudy.checks.base import Check, equal, largest, normal
from bnstudy.data import digits
from bnstudy.data.shifts import CONTRAST, INVERSION, shift
from bnstudy.nets.base import Net
from bnstudy.nets.mlp import build


def outputs_have_mean_beta_and_sd_gamma() -> list[Check]:
    """E2: the output of every unit in training has mean beta and variance gamma^2 var/(var + eps), in float32."""
    checks = []
    gamma, beta = normal("E2 gamma", 2, 64).abs() + 0.5, normal("E2 beta", 2, 64)
    for size, variance in (("1", 1.0), ("eps", EPS)):
        name = f"variance {size}"
        h = ((normal(f"E2 {name}", 2, 64, 64) + 1) * variance**0.5).float()
        norm = bn.build(2, 64, Place(1, 1))
        norm.get_parameter("gamma").data.copy_(gamma)
        norm.get_parameter("beta").data.copy_(beta)
        y = norm(h).detach().double()
        var = h.double().var(2, correction=0)
        closed = gamma.float().double() ** 2 * var / (var + EPS)
        off, relative = largest(y.mean(2) - beta), largest(y.var(2, correction=0) / closed - 1)
        checks.append(equal(f"mean_of_{size}", f"mean minus beta, units of {name}", 0, off, 1e-6))
        checks.append(equal(f"variance_of_{size}", f"variance, relative, units of {name}", 0, relative, 1e-6))
    return checks


def _xhat(net: Net, x: torch.Tensor) -> torch.Tensor:
    """Return x-hat of the last layer [M, C, B]."""
    seen: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        net(x, lambda layer, site, value: seen.update({site: value}))
    return seen["xhat"]


def affine_inputs_leave_xhat() -> list[Check]:
    """E11: contrast and inversion of the input, x -> a x + b, leave x-hat of the first layer but for its sign.

    This is an identity, and no evidence for anything. With large weights (gain 1e4), eps vanishes beside the variance.
    """
    images = torch.from_numpy(digits.load().x[:256]).double()
    net = build(64, 10, 1, 32, 1e4, "bn", (0, 1), torch.float64)

    def enter(kind: str, severity: int) -> torch.Tensor:
        return shift(images, kind, severity, 0).flatten(1).T.expand(2, -1, -1).contiguous()

    clean = enter("contrast", 0)
    net.set_statistics("batch", update=True)
    base = _xhat(net, clean)
    checks = []
    for kind, severity, a in (("contrast", 4, CONTRAST[3]), ("inversion", 3, INVERSION[2])):
        sign, outcome = (1, "unchanged") if a > 0 else (-1, "its sign changed")
        net.set_statistics("batch", update=False)
        change = largest(_xhat(net, enter(kind, severity)) - sign * base) / largest(base)
        net.set_statistics("running", update=False)
        ratio = _xhat(net, enter(kind, severity)).std(2) / _xhat(net, clean).std(2)
        farthest = ratio.flatten()[(ratio - abs(a)).abs().argmax()]
        on_batch = f"x-hat {outcome} by a = {a:g} on batch statistics, relative"
        on_running = f"sd of x-hat, a = {a:g} : clean, on running statistics"
        checks += [equal(f"{kind}_batch", on_batch, 0, change, 1e-10)]
        checks += [equal(f"{kind}_running", on_running, abs(a), float(farthest), 1e-10)]
    return checks


def variances_are_as_in_torch() -> list[Check]:
    """E14: the biased variance divides, the unbiased one is stored (as torch.nn.BatchNorm1d does), and probes store none."""
    m = 8
    h = normal("E14", 1, 32, m)
    norm = bn.build(1, 32, Place(1, 1)).double()
    used = 1 / norm(h).detach().var(2, correction=1)
    for _ in range(500):
        norm(h)
    biased, stored = h.var(2, correction=0), norm.get_buffer("running_var")
    norm.update = False
    before = {name: value.clone() for name, value in norm.named_buffers()}
    norm(normal("E14 probe", 1, 32, m))
    moved = max(largest(value - before[name]) for name, value in norm.named_buffers())
    share, kept = (m - 1) / m, float((biased / stored).mean())
    return [
        equal("divided_by", "variance divided by : unbiased variance, m = 8", share, float(used.mean()), 0.01 * share),
        equal("stored", "batch variance : stored variance, m = 8", share, kept, 0.01 * share),
        equal("probe", "change of the stored averages by a probe pass", 0, moved, 0),
    ]
