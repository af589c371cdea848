"""How many steps the later layers need to make good a change of the early ones.

At the main target the early layers 1..L/2 are moved at random (as in :mod:`bnstudy.measures.intervention`) and then
held. The later layers and the head go on training as before (with the cell's optimizer and rate; the momentum starts
at zero) until the loss of the probe is back within 5% of what it was before.
"""

from copy import deepcopy

import pandas as pd
import torch
from torch import Tensor

from bnstudy.measures.cell import TrainedCell
from bnstudy.measures.common import Table, milestones
from bnstudy.measures.intervention import early_directions, shock
from bnstudy.measures.steps import TrainingImages, crossing
from bnstudy.nets.base import Net, State, cross_entropy
from bnstudy.training import optim

COLUMNS = ("checkpoint", "match", "dose", "before", "harm", "steps", "reached", "budget")
"""The columns after `seed`:

checkpoint: the main target's loss level
match: dose (every early weight matrix moves by half its norm) or damage (by what doubles the probe's loss)
dose: ||dW|| / ||W|| of every early weight matrix
before: nats: probe loss before the shock
harm: probe loss after the shock : before
steps: training steps until the probe's loss is within 5% of what it was; 0: it never left that range; empty if not
    reached. The loss is looked at after every step up to 20, then about every 5%
reached: whether it was reached within the budget
budget: steps
"""
DOSE = 0.5
"""A dose that about doubles the loss of networks without normalization. In a trial, 10% raised the loss by 1 to 6%, with or
without batch normalization. That is hardly outside the 5% that count as recovered, and leaves nothing to make good."""
HARM, BACK = 2.0, 1.05
BUDGET = 200
"""A third of the training budget of a shallow network: beyond it, half a network is trained anew rather than adapted."""
LOOKS = {0, BUDGET} | {int(1.05**k) for k in range(BUDGET) if 1.05**k < BUDGET}
"""The steps after which the probe is evaluated: all up to 20, then about every 5%."""


def measure(cell: TrainedCell) -> pd.DataFrame:
    """Return one row per seed and kind of match. A seed whose loss no dose doubles has no row for damage."""
    table, checkpoint = Table(cell, COLUMNS), milestones(cell)[-1]
    if checkpoint == "init":
        return table.frame()
    images = TrainingImages(cell, BUDGET)
    x, labels = images.probe
    net, have = cell.net(checkpoint), cell.have(checkpoint)
    net.set_noise(cell.seeds, 0)
    half = len(net.weights) // 2
    directions = early_directions(net, half, "random", cell.seeds, images.batch(0))
    trial = deepcopy(net)
    before = cross_entropy(net(x), labels).detach()

    @torch.no_grad()
    def harm(dose: Tensor) -> Tensor:
        trial.set_noise(cell.seeds, 0)
        return cross_entropy(shock(trial, net, directions, dose)(x), labels) / before

    doses = {
        "dose": torch.full_like(before, DOSE),
        "damage": crossing(lambda dose: harm(dose) - HARM, torch.full_like(before, DOSE / 32)),
    }
    for match, dose in doses.items():
        known = have & ~dose.isnan().cpu().numpy()
        values = {"dose": dose, "before": before, "harm": harm(dose)}
        wanted = torch.from_numpy(known).to(x.device)
        steps = adapt(cell, shock(trial, net, directions, dose), images, BACK * before, half, wanted)
        values |= {"steps": steps, "reached": ~steps.isnan()}
        table.add(known, values, checkpoint=checkpoint, match=match, budget=BUDGET)
    return table.frame()


def adapt(cell: TrainedCell, net: Net, images: TrainingImages, target: Tensor, half: int, wanted: Tensor) -> Tensor:
    """Train the layers after the first ``half`` and the head of ``net``; return the steps [M] until the loss of the probe
    is at most ``target`` [M], NaN beyond the budget. Stop once all ``wanted`` [M] networks are there."""
    x, labels = images.probe
    early, late = net.section(1, half), net.section(half + 1, len(net.weights))
    rates = torch.full_like(target, cell.rate)
    optimizer = optim.build(cell.setting.optimizer, late.parameters(), rates, cell.spec.momentum)

    @torch.no_grad()
    def held(x: Tensor, step: int) -> State:
        """Return the output of the early half; it and the next pass of the later half have the noise of ``step``."""
        for section in (early, late):
            section.set_noise(cell.seeds, step)
        return list(early.states(x))[-1]

    needed = torch.full_like(target, torch.nan)
    probe = held(x, 0)
    for step in range(BUDGET + 1):
        if step in LOOKS:
            late.set_noise(cell.seeds, 0)
            with torch.no_grad():
                back = cross_entropy(late(probe), labels) <= target
            needed = torch.where(needed.isnan() & back, step, needed)
            if not needed[wanted].isnan().any():
                break
        if step < BUDGET:
            inputs, answers = images.batch(step)
            optimizer.begin(step + 1)
            optimizer.step(cross_entropy(late(held(inputs, step + 1)), answers))
    return needed
