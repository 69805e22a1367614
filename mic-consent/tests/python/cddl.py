"""The accepted objects under the CDDL of the specification with PyPI `pycddl`, and objects that are none.

In: cddl, tokens and proofs (names with hexadecimal bytes).
Out: checked, refused (names that should pass), changed, passed (changes that should not).

Changes are of type, of unknown keys and of entries left out; not of ranges, sizes and list bounds, which the vectors
have.

`pycddl` reads `.cbor` only where it stands alone, so header and claims are checked by their own rules. It lets pass
what is in an alternative beside an empty one, integers as byte strings of a size, anything as `{}`, and
unknown keys in the maps of an array: no change is of these kinds, and the records of a key set are checked alone.
"""

import copy
import json
import sys

import cbor2
import pycddl

given = json.load(sys.stdin)
RULES = {
    "mic-q": "request", "mic-g": "grant", "mic-p": "proof", "mic-o": "offer", "mic-n": "narrowed",
    "mic-d": "refusal", "mic-w": "withdrawal", "mic-e": "emergency", "mic-l": "order", "mic-s": "status-list",
    "mic-k": "key-set", "mic-r": "receipt", "mic-v": "review", "mic-h": "checkpoint",
}  # fmt: skip
PRIVATE = -65537
PAIR = {(PRIVATE, 18), (PRIVATE, 19)}
# Left out without breaking the grammar: optional entries, and those that the validator does not see are a pair.
OPTIONAL = {
    "request": {13, 14, 24}, "grant": {8, 12, 13, 14, 15}, "proof": {13, 14, 23},
    "narrowed": {12, 13, 14, 18, 19}, "order": {13, 14}, "key-set": {33, 45}, "receipt": {13, 14, 23}, "record": {4, 7, 10, 11},
}  # fmt: skip
outer = given["cddl"]
for inner in ("header", "$claims"):
    assert f"bstr .cbor {inner}" in outer, f"the grammar says nothing of {inner}"
    outer = outer.replace(f"bstr .cbor {inner}", "bstr")
schemas = {}
answer = {"checked": 0, "refused": [], "changed": 0, "passed": []}


def fits(rule, data):
    if rule not in schemas:
        schemas[rule] = pycddl.Schema(f"root = {rule}\n{outer}")
    try:
        schemas[rule].validate_cbor(data)
        return True
    except pycddl.ValidationError:
        return False


def must_pass(name, rule, data):
    answer["checked"] += 1
    if not fits(rule, data):
        answer["refused"].append(f"{name}: {rule}")


def must_fail(name, rule, value):
    answer["changed"] += 1
    if fits(rule, cbor2.dumps(value)):
        answer["passed"].append(name)


def places(value, path=()):
    """The paths of all values within a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*path, key), inner
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, key))


def holder(value, path):
    for key in path[:-1]:
        value = value[key]
    return value


def change(name, rule, value):
    """Each value of another type; each map with an unknown key; each required entry left out."""
    for path, inner in list(places(value)):
        if rule == "narrowed" and path in PAIR:
            continue
        for other in (None, 1.5, [] if isinstance(inner, str) else "x"):
            changed = copy.deepcopy(value)
            holder(changed, path)[path[-1]] = other
            must_fail(f"{name}: {path} as {other}", rule, changed)
        if isinstance(inner, dict) and not isinstance(holder(value, path), list):
            changed = copy.deepcopy(value)
            holder(changed, path)[path[-1]][99] = 0
            must_fail(f"{name}: 99 in {path}", rule, changed)
        # nbf, key 5 of claims, is optional as well.
        claim = len(path) == 1 and (rule == "record" or path[0] != 5)
        term = len(path) == 2 and path[0] == PRIVATE
        named = path[-1] if term or rule == "record" else None
        if (claim or term) and named not in OPTIONAL.get(rule, ()):
            changed = copy.deepcopy(value)
            del holder(changed, path)[path[-1]]
            must_fail(f"{name}: without {path}", rule, changed)
    must_fail(f"{name}: 99", rule, {**value, 99: 0})


done = set()
for name, token in given["tokens"].items():
    data = bytes.fromhex(token)
    whole = cbor2.loads(data).value
    header = cbor2.loads(whole[0])
    rule = RULES[header[16]]
    must_pass(name, "token", data)
    must_pass(name, "header", whole[0])
    must_pass(name, rule, whole[2])
    must_pass(name, "$claims", whole[2])
    # Another type's claims, and a signature of another length.
    for other in sorted(set(RULES.values()) - {rule}):
        must_fail(f"{name}: as {other}", other, cbor2.loads(whole[2]))
    for part in ([], whole[:3], [*whole, b""], [*whole[:3], whole[3][1:]]):
        must_fail(f"{name}: {len(part)} parts", "token", cbor2.CBORTag(18, part))
    must_fail(f"{name}: tag 17", "token", cbor2.CBORTag(17, whole))
    for key, wrong in ((1, -7), (1, -8), (4, header[4] + b"0"), (16, "mic-x"), (99, 0)):
        must_fail(f"{name}: header {key}", "header", {**header, key: wrong})
    # The claims are the same in every suite.
    claims = cbor2.loads(whole[2])
    if str(claims.keys()) + rule + str(claims[PRIVATE].keys()) not in done:
        done.add(str(claims.keys()) + rule + str(claims[PRIVATE].keys()))
        change(name, rule, claims)
        for at, record in enumerate(claims[PRIVATE].get(34, ()) if rule == "key-set" else ()):
            must_pass(f"{name}: {at}", "record", cbor2.dumps(record))
            change(f"{name}: {at}", "record", record)

for name, proof in given["proofs"].items():
    rule = "inclusion" if "inclusion" in name else "consistency"
    data = bytes.fromhex(proof)
    must_pass(name, rule, data)
    size, at, hashes = cbor2.loads(data)
    longer = [size, at, [*hashes, b"0"]], [size, at, [bytes(32)] * 41]
    for wrong in ([size, at], [size, at, hashes, 0], ["", at, hashes], *longer):
        must_fail(f"{name}: {len(wrong)}", rule, wrong)

json.dump(answer, sys.stdout)
