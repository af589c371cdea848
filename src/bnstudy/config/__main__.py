"""``python -m bnstudy.config FILE ...`` checks config files; ``--schema`` prints their schema."""

import json
import sys

from bnstudy.config.errors import fail
from bnstudy.config.models import schema
from bnstudy.config.study import read_study, settings

if __name__ == "__main__":
    if sys.argv[1:] == ["--schema"]:
        print(json.dumps(schema(), indent=2))
    elif sys.argv[1:]:
        for name in sys.argv[1:]:
            checked = read_study(name)
            print(f"{name}: study {checked.study}, {len(settings(checked))} settings; no errors")
    else:
        fail("usage: python -m bnstudy.config --schema | FILE ...   (print the schema; or check config files)")
