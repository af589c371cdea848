"""Print the schema of configs, or the default config; ``python -m bnstudy check FILE`` checks one."""

import json
import sys

from bnstudy.config.models import DEFAULT_FILE, schema


def main(arguments: list[str]) -> None:
    """Do what the command line asks."""
    if arguments == ["--schema"]:
        print(json.dumps(schema(), indent=2))
    elif arguments == ["--default"]:
        print(DEFAULT_FILE.read_text(encoding="utf-8"), end="")
    else:
        raise SystemExit("usage: python -m bnstudy.config --schema | --default   (or: python -m bnstudy check FILE)")


if __name__ == "__main__":
    main(sys.argv[1:])
