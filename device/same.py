"""Compare two folders of a study's verdicts: how many claims, and which have another verdict.

usage: python device/same.py results/ONE/claims.json results/OTHER/claims.json
"""

import json
import sys

one, other = ({row["id"]: row for row in json.load(open(path))} for path in sys.argv[1:])
differ = {
    name: (one[name]["verdict"], other[name]["verdict"])
    for name in one
    if one[name]["verdict"] != other[name]["verdict"]
}
print(
    f"{len(one)} claims, {len(differ)} with another verdict{': ' if differ else ''}",
    *(f"{n} {a} -> {b};" for n, (a, b) in differ.items()),
)
