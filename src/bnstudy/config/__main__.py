"""Check config files: ``python -m bnstudy.config FILE ...``; or print the config's schema or the default config."""

import json
import sys

from bnstudy.config.errors import fail
from bnstudy.config.models import DEFAULT_FILE, schema
from bnstudy.config.study import read_study, settings


def main(arguments: list[str]) -> None:
    """Do what the command line asks; end the program at the first config file that has errors."""
    if arguments == ["--schema"]:
        print(json.dumps(schema(), indent=2))
    elif arguments == ["--default"]:
        print(DEFAULT_FILE.read_text(encoding="utf-8"), end="")
    elif not arguments:
        fail("usage: python -m bnstudy.config --schema | --default | FILE ...   (print one of these; or check files)")
    else:
        for name in arguments:
            study = read_study(name)
            print(f"{name}: study {study.study}, {len(settings(study))} settings; no errors")


if __name__ == "__main__":
    main(sys.argv[1:])
