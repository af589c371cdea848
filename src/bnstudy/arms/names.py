"""Arms by name: a file of src/bnstudy/arms, or ``package.module:Name`` for one that stands outside.

Training depends on this module, so it imports nothing: an edit of how configs are checked must not train again.
"""


def module_of(arm: str) -> str:
    """The module whose code an arm's results depend on."""
    return arm.partition(":")[0] if ":" in arm else f"bnstudy.arms.{arm}"
