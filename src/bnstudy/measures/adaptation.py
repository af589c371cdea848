"""How many steps the later layers need to make good a change of the early ones.

At the main target the early blocks 1..L/2 are moved at random (as in :mod:`bnstudy.measures.intervention`) and then
held, while the later blocks and the head go on training as before (the cell's own optimizer and rate, momentum from
zero) until the probe's loss is back within 5% of what it was before.
"""

from copy import deepcopy
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import frame, milestones
from bnstudy.measures.intervention import early_directions, shock
from bnstudy.measures.steps import TrainingImages, blocks, crossing, loss, outputs
from bnstudy.nets.base import Net, State
from bnstudy.training import optim

COLUMNS = {
    "checkpoint": "the main target's loss level",
    "match": "dose (every early weight matrix moves by half its norm) or damage (by what doubles the probe's loss)",
    "dose": "||dW|| / ||W|| of every early weight matrix",
    "harm": "probe loss after the shock : before",
    "steps": "training steps until the probe's loss is within 5% of what it was; 0: it was not pushed out of that; "
    "empty if not reached. The loss is looked at after every step up to 20, then about every 5%",
    "reached": "whether it was reached within the budget",
    "budget": "steps",
}
DOSE = 0.5
"""About what doubles the loss of networks without normalization. 10% raised it by 1 to 6% in a trial, with or without
batch normalization: hardly out of the 5% that count as recovered, with nothing to make good."""
HARM, BACK = 2.0, 1.05
BUDGET = 200
"""A third of the training budget of a shallow network: after that a half is trained anew rather than adapted."""
LOOKS = {0, BUDGET} | {int(1.05**k) for k in range(BUDGET) if 1.05**k < BUDGET}
"""Steps after which the probe is evaluated: all up to 20, then about every 5%."""


def measure(cell: TrainedCell) -> pd.DataFrame:
    """One row a seed and kind of match; a seed whose loss no dose doubles has no row for damage."""
    rows: list[dict[str, Any]] = []
    checkpoint = milestones(cell)[-1]
    if checkpoint == "init":
        return pd.DataFrame(columns=["seed", *COLUMNS])
    images = TrainingImages(cell, BUDGET)
    x, labels = images.probe
    net, have = cell.net(checkpoint), cell.have(checkpoint)
    net.set_moment(cell.seeds, 0)
    half = len(net.weights) // 2
    directions = early_directions(net, half, "random", cell.seeds, images.batch(0))
    trial = deepcopy(net)
    before = loss(net(x), labels).detach()

    @torch.no_grad()
    def harm(dose: Tensor) -> Tensor:
        trial.set_moment(cell.seeds, 0)
        return loss(shock(trial, net, directions, dose)(x), labels) / before

    doses = {
        "dose": torch.full_like(before, DOSE),
        "damage": crossing(lambda dose: harm(dose) - HARM, torch.full_like(before, DOSE / 32)),
    }
    for match, dose in doses.items():
        known = have & ~dose.isnan().cpu().numpy()
        values = {"dose": dose, "harm": harm(dose)}
        wanted = torch.from_numpy(known).to(x.device)
        steps = adapt(cell, shock(trial, net, directions, dose), images, BACK * before, half, wanted)
        values |= {"steps": steps, "reached": ~steps.isnan()}
        rows += frame(cell, known, values, checkpoint=checkpoint, match=match, budget=BUDGET)
    return pd.DataFrame(rows, columns=["seed", *COLUMNS])


def adapt(cell: TrainedCell, net: Net, images: TrainingImages, target: Tensor, half: int, wanted: Tensor) -> Tensor:
    """Steps [M] until the loss of the probe is at most ``target`` [M] when only the blocks after the first ``half``
    and the head of ``net`` are trained; NaN where that takes more than the budget. Stops when all ``wanted`` [M] are
    there."""
    x, labels = images.probe
    early, late = blocks(net, 1, half), blocks(net, half + 1, len(net.weights))
    rates = target.new_full((net.models,), cell.rate)
    optimizer = optim.build(cell.setting.optimizer, late.parameters(), rates, cell.spec.momentum)

    @torch.no_grad()
    def held(x: Tensor, moment: int) -> State:
        """The early half's output; noise of ``moment`` here and in the later half's next pass."""
        for part in (early, late):
            part.set_moment(cell.seeds, moment)
        return outputs(early, x)[-1]

    found = torch.full_like(target, torch.nan)
    probe = held(x, 0)
    for step in range(BUDGET + 1):
        if step in LOOKS:
            late.set_moment(cell.seeds, 0)
            with torch.no_grad():
                back = loss(late(probe), labels) <= target
            found = torch.where(found.isnan() & back, step, found)
            if not found[wanted].isnan().any():
                break
        if step < BUDGET:
            inputs, answers = images.batch(step)
            optimizer.begin(step + 1)
            optimizer.step(loss(late(held(inputs, step + 1)), answers))
    return found
