"""The arm bn_noisy with the dose of Santurkar et al. (2018): at it inputs move half as far as without batch norm."""

from functools import partial

from bnstudy.arms import bn_noisy

build = partial(bn_noisy.build, dose=1.0)
