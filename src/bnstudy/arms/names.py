"""The names of arms: that of a file in src/bnstudy/arms, or ``package.module:Name`` for an arm outside the package.

Training depends on this module. It imports nothing, so that a change in the checks of configs trains nothing again.
"""


def module_of(arm: str) -> str:
    """Return the module whose code the results of an arm depend on."""
    return arm.partition(":")[0] if ":" in arm else f"bnstudy.arms.{arm}"
