"""Batch normalization, cross-examined: networks are trained, measured and judged by rules fixed beforehand."""
