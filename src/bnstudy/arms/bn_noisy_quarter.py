"""The arm bn_noisy with a quarter of the dose."""

from functools import partial

from bnstudy.arms import bn_noisy

build = partial(bn_noisy.build, dose=0.25)
