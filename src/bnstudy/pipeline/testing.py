"""Arms that mix the samples of a batch also when networks are tested: right in training, wrong in tests."""

from collections.abc import Sequence
from typing import Any

from bnstudy.arms.base import Norm
from bnstudy.arms.guest import Guest
from bnstudy.measures.cell import TrainedCell
from bnstudy.pipeline.promises import Stage, alike, moved, passed
from bnstudy.pipeline.reasons import Reason

OF_A_MODULE = """\
       self.register_buffer("mean", torch.zeros(channels))
       self.register_buffer("var", torch.ones(channels))
   Lines for the start of forward:
       if not self.training:
           return torch.nn.functional.batch_norm(x, self.mean, self.var)
       torch.nn.functional.batch_norm(x.detach(), self.mean, self.var, training=True)
"""
OF_NETWORKS = """\
       self.register_buffer("mean", torch.zeros(models, channels))
       self.register_buffer("var", torch.ones(models, channels))
       self.has_statistics = True
   Lines for the start of forward:
       if self.statistics == "running":
           mean, var = (b.view(*b.shape, *[1] * (h.dim() - 2)) for b in (self.mean, self.var))
           return (h - mean) * (var + 1e-5).rsqrt()
       if self.update:
           of_batch = h.detach().flatten(2)
           self.mean.lerp_(of_batch.mean(2), 0.1)
           self.var.lerp_(of_batch.var(2), 0.1)
"""
"""The test mode of batch norm, for an ordinary module and for a norm of M networks."""


def mixes(stage: Stage) -> bool:
    """Return whether on running statistics the output of a sample depends on the samples beside it."""
    norm, half = moved(stage), stage.h.shape[2] // 2
    beside = passed(norm, stage.h, "running")[:, :, :half]
    return not alike(passed(norm, stage.h[:, :, :half].clone(), "running"), beside)


class WatchedCell(TrainedCell):
    """A cell that notes whether norms of its networks ran on running statistics."""

    tested = False

    def net(self, checkpoint: str, statistics: str = "batch") -> Any:
        """Return the networks at a checkpoint, watched."""

        def see(norm: Norm, _: Any) -> None:  # no method: a copy of the networks would take the cell along
            self.tested |= norm.statistics == "running"

        net = super().net(checkpoint, statistics)
        for norm in net.norms:
            norm.register_forward_pre_hook(see)
        return net


def without_test_mode(norm: Norm, testing: Sequence[str], measures: Sequence[str]) -> Reason:
    """Return why an arm that mixes samples cannot be tested as the measures ``testing``, of all ``measures``, do."""
    module = isinstance(norm, Guest)
    where = "in eval()" if module else 'where self.statistics is "running"'
    like = ", as torch.nn.BatchNorm1d does with track_running_stats=True" if module else ""
    fault = "on running statistics a sample's output depends on the other samples of its batch"
    others = ", ".join(name for name in measures if name not in testing)
    remedy = f"""\
Keep averages in buffers while training, and use them {where}{like}.
   What batch norm would need, lines for the end of __init__:
{OF_A_MODULE if module else OF_NETWORKS}   Or study it in training alone, in a grid of its own with measures: [{others}]."""
    return Reason(f"{fault}, and so would what {' and '.join(testing)} measure", remedy)
