"""Multilayer perceptrons with a skip connection over layers 2 and 3, 4 and 5, ... (He et al. 2016)."""

from functools import partial

from bnstudy.nets import mlp

build = partial(mlp.build, skip=True)
