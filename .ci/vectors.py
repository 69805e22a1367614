"""The form of every vector file, so that another language can rely on it.

A file is one JSON object: a header with `spec` (its name) and `version`, and `cases`. A case has `id`,
`note`, `input` and `expect`; a file whose header explains its `columns` may leave out what they make
plain. No id is used twice in a file, no key twice in an object, and at least half of a crate's cases
that expect something expect a fault, by its exact name.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASE = ("id", "note", "input", "expect")
# How an expectation names what is wrong.
FAULTS = ("err", "error", "errors", "fault", "faults", "denial", "refused")
# Larger files can't be read by a person, nor cheaply by a test.
BYTES_MAX = 2_000_000


def once(pairs):
    """JSON lets a key appear twice; a vector must not."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError(f"a key appears twice: {[k for k, _ in pairs]}")
    return table


def wrong_on_purpose(case):
    expect = case["expect"]
    return isinstance(expect, dict) and any(expect.get(name) for name in FAULTS)


def check(path):
    """Breaches of one file, the cases that expect something, and how many of them expect a fault."""
    bad, ids, expecting, wrong = [], set(), 0, 0
    if path.stat().st_size > BYTES_MAX:
        bad.append(f"larger than {BYTES_MAX} bytes")
    try:
        data = json.loads(path.read_text(), object_pairs_hook=once)
    except ValueError as error:
        return [f"no JSON: {error}"], 0, 0
    header = data.get("header", data) if isinstance(data, dict) else {}
    if not header.get("spec") or not header.get("version") or not data.get("cases"):
        return ["a header with spec and version, and cases, are needed"], 0, 0
    needed = ("input",) if "columns" in header else CASE
    for place, case in enumerate(data["cases"]):
        # What is not text has its form in the key: `input_hex`.
        keys = {"input" if key.startswith("input") else key for key in case}
        lacking = [key for key in needed if key not in keys]
        if lacking:
            bad.append(f"case {place} ({case.get('id')}) lacks {', '.join(lacking)}")
            continue
        if "id" in case:
            if case["id"] in ids:
                bad.append(f"the id {case['id']} is used twice")
            ids.add(case["id"])
        if "expect" in case:
            expecting += 1
            wrong += wrong_on_purpose(case)
    return bad, expecting, wrong


def main():
    bad = []
    for crate in sorted(ROOT.glob("mic-*")):
        cases, wrong = 0, 0
        files = sorted(crate.glob("vectors/**/*.json"))
        if not files:
            bad.append(f"{crate.name}: no vectors")
        for path in files:
            found, count, of_them = check(path)
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
