"""``python -m bnstudy.config FILE ...`` checks config files; ``--schema`` prints their schema."""

import json
import sys
from collections.abc import Iterable

from bnstudy.config.errors import fail
from bnstudy.config.models import schema
from bnstudy.config.study import read_study, settings


def check(files: Iterable[str]) -> None:
    """Print of each config file that it has no errors; end the program at the first that has some."""
    for name in files:
        study = read_study(name)
        print(f"{name}: study {study.study}, {len(settings(study))} settings; no errors")


if __name__ == "__main__":
    if sys.argv[1:] == ["--schema"]:
        print(json.dumps(schema(), indent=2))
    elif sys.argv[1:]:
        check(sys.argv[1:])
    else:
        fail("usage: python -m bnstudy.config --schema | FILE ...   (print the schema; or check config files)")
