"""Check config files: ``python -m bnstudy.config FILE ...``; or print the config's schema or the default config."""

import json
import sys

from bnstudy.config.models import DEFAULT_FILE, schema
from bnstudy.config.study import StudyConfig, read_study, settings


def _untried(study: StudyConfig) -> str:
    """Say where to try what a study has from outside."""
    outside = sorted({name for s in settings(study) for name in (s.arm, s.net) if ":" in name})
    return f"; python -m bnstudy check tries {', '.join(outside)}" if outside else ""


def main(arguments: list[str]) -> None:
    """Do what the command line asks; end the program at the first config file that has errors."""
    if arguments == ["--schema"]:
        print(json.dumps(schema(), indent=2))
    elif arguments == ["--default"]:
        print(DEFAULT_FILE.read_text(encoding="utf-8"), end="")
    elif not arguments or arguments[0].startswith("-"):
        usage = "python -m bnstudy.config --schema | --default | FILE ...   (print one of these; or check files)"
        raise SystemExit(f"usage: {usage}")
    else:
        for name in arguments:
            study = read_study(name)
            count, untried = len(settings(study)), _untried(study)
            print(f"{name}: study {study.study}, {count} settings; no errors in the file{untried}")


if __name__ == "__main__":
    main(sys.argv[1:])
