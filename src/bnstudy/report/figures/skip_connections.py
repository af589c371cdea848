"""What batch norm adds beside skip connections: figures of steps and gradients, and what the claims become."""

from functools import partial

from bnstudy.core import words
from bnstudy.report.figures.gradients import norm_by_layer
from bnstudy.report.figures.picture import Numbers, Picture
from bnstudy.report.figures.speed import COUNTED, by_network
from bnstudy.report.figures.summary import told
from bnstudy.report.results import Results

ARMS = ["none", "bn"]


def steps(results: Results) -> Picture:
    """Return the figure of steps with and without skip connections."""
    nets = [str(results.base["net"]), results.skip]
    table = results.at("convergence", target=results.target, net=nets, arm=ARMS)
    table = results.beside(table, "depth", net=results.skip)
    draw = partial(by_network, table, results.arms(table, *ARMS))
    subject = f"Steps to training loss {results.target:g} with and without skip connections"
    return Picture(results, "skips", draw, table, subject, COUNTED, claim="U7", arms=ARMS, kind="Dot plot")


def gradients(results: Results) -> Picture:
    """Return the figure of the gradient's norm in the deepest networks with skip connections."""
    table = results.at("gradients", net=results.skip, arm=ARMS, checkpoint=["init", results.main])
    table = table[table["depth"] == table["depth"].max()]
    table = table.sort_values("checkpoint", key=lambda c: c != "init", kind="stable")
    draw = partial(norm_by_layer, table, results.arms(table, *ARMS), growth={})
    subject = "Norm of the loss's gradient at each layer's output, with skip connections"
    how = "On training batches."
    numbers = told(table, "norm", ["checkpoint"])
    return Picture(results, "skips-gradients", draw, table, subject, how, arms=ARMS, told=numbers)


def claims(results: Results) -> Numbers:
    """Return what the verdicts become in networks with skip connections."""
    table = results.table("robustness")
    table = table[(table["change"] == words.factor("net", results.skip)) & (table["kind"] != "not recomputed")]
    how = "Every claim whose settings this study also ran with skip connections, judged by the same rule on those settings."
    title, head = "What the claims become with skip connections", ["claim", "says that", "without", "with"]
    rows = [[row.id, results.claims[row.id].statement, row.base_verdict, row.verdict] for row in table.itertuples()]
    return Numbers(title, head, rows, how)
