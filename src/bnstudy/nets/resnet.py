"""Convolutional networks with a skip connection over layers 2 and 3, 4 and 5, ... (He et al. 2016, in the plain form).

The number of channels is constant, so no connection needs weights; where a layer strides, so does the connection.
"""

from functools import partial

from bnstudy.nets import cnn
from bnstudy.nets.cnn import ALONE, PROBE

__all__ = ["ALONE", "PROBE", "build"]

build = partial(cnn.build, skip=True)
