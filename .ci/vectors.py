"""The form of every vector file, so that another language can rely on it.

A file is one JSON object: `spec` (its name), `version`, and `cases`, each with `id`, `note`, `input`
and `expect`. No id is used twice in a crate; at least half of a crate's cases are wrong on purpose,
which shows in `expect` as an `error` with its exact kind.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ("spec", "version", "cases")
CASE = ("id", "note", "input", "expect")
# Larger files can't be read by a person, nor cheaply by a test.
BYTES_MAX = 2_000_000


def once(pairs):
    """JSON lets a key appear twice; a vector must not."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError(f"a key appears twice: {[k for k, _ in pairs]}")
    return table


def wrong_on_purpose(case):
    return isinstance(case["expect"], dict) and "error" in case["expect"]


def check(path, ids):
    """Breaches of one file, then how many cases it has and how many of them are wrong on purpose."""
    bad = []
    if path.stat().st_size > BYTES_MAX:
        bad.append(f"larger than {BYTES_MAX} bytes")
    try:
        data = json.loads(path.read_text(), object_pairs_hook=once)
    except ValueError as error:
        return [f"no JSON: {error}"], 0, 0
    if not isinstance(data, dict) or any(key not in data for key in HEADER):
        return [f"the header needs {', '.join(HEADER)}"], 0, 0
    wrong = 0
    for place, case in enumerate(data["cases"]):
        lacking = [key for key in CASE if key not in case]
        if lacking:
            bad.append(f"case {place} ({case.get('id')}) lacks {', '.join(lacking)}")
            continue
        if case["id"] in ids:
            bad.append(f"the id {case['id']} is also in {ids[case['id']]}")
        ids[case["id"]] = path.name
        wrong += wrong_on_purpose(case)
    if not data["cases"]:
        bad.append("no cases")
    return bad, len(data["cases"]), wrong


def main():
    bad = []
    for crate in sorted(ROOT.glob("mic-*")):
        ids, cases, wrong = {}, 0, 0
        files = sorted(crate.glob("vectors/**/*.json"))
        if not files:
            bad.append(f"{crate.name}: no vectors")
        for path in files:
            found, count, of_them = check(path, ids)
            bad += [f"{path.relative_to(ROOT)}: {line}" for line in found]
            cases += count
            wrong += of_them
        if 2 * wrong < cases:
            bad.append(f"{crate.name}: {wrong} of {cases} cases are wrong on purpose, at least half must be")
        print(f"   {crate.name}: {cases} vectors in {len(files)} files, {wrong} wrong on purpose")
    if bad:
        print(*bad, sep="\n")
        sys.exit(f"vectors: {len(bad)} breaches")


if __name__ == "__main__":
    main()
