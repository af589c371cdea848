"""The names of arms and of families of networks: that of a file of this package, or ``package.module:Name`` for one outside.

Training depends on this module. It imports nothing, so that a change in the checks of configs trains nothing again.
"""


def module_of(folder: str, name: str) -> str:
    """Return the module whose code the results of ``name`` depend on; ``folder``, arms or nets, is where files stand.

    >>> module_of("arms", "bn"), module_of("arms", "mypkg.norms:Fancy")
    ('bnstudy.arms.bn', 'mypkg.norms')
    """
    return name.partition(":")[0] if ":" in name else f"bnstudy.{folder}.{name}"
