"""Every endpoint by name. A module of endpoints counts when it is imported here."""

from bnstudy.claims.endpoints import accuracy, distributions, gradients, intervention, steps
from bnstudy.claims.endpoints.common import ENDPOINTS

__all__ = ["ENDPOINTS", "accuracy", "distributions", "gradients", "intervention", "steps"]
