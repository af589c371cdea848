"""What names a network but its rate and seed: the factors that a study crosses. Every table begins with them."""

SETTING = ("arm", "depth", "gain", "inputs", "net", "width", "batch", "optimizer", "pool")
FIXED = SETTING[4:]
"""Factors that a study holds at one value of its own; grids at others are sensitivity runs, read on request alone."""
SKIP = {"mlp": "resmlp", "cnn": "resnet"}
"""The same networks with skip connections; the claims file calls either `skip`."""
