"""COSE_Sign1 with PyPI `cwt` and the fully specified numbers: checks our token, makes one of the same payload.

In: suite, secret, public, kid, alg, external, typ, token (hexadecimal but for alg, suite and typ).
Out: accepted, under_another_type, payload, token.
"""

import json
import sys

from cwt import COSE, COSEKey

given = json.load(sys.stdin)
public, kid = bytes.fromhex(given["public"]), bytes.fromhex(given["kid"])
token, external = bytes.fromhex(given["token"]), bytes.fromhex(given["external"])
if given["suite"] == "Ed25519":
    parameters = {1: 1, 2: kid, 3: given["alg"], -1: 6, -2: public}
else:
    parameters = {1: 2, 2: kid, 3: given["alg"], -1: 1, -2: public[:32], -3: public[32:]}


def payload(external):
    """What a checked token holds; None when it is refused."""
    try:
        return COSE.new().decode(token, COSEKey.new(parameters), external_aad=external)
    except Exception:
        return None


found = payload(external)
signing = COSEKey.new({**parameters, -4: bytes.fromhex(given["secret"])})
made = COSE.new().encode_and_sign(
    found,
    signing,
    protected={1: given["alg"], 4: kid, 16: given["typ"]},
    unprotected={},
    external_aad=external,
)
json.dump(
    {
        "accepted": found is not None,
        "under_another_type": payload(external[:-1] + b"?") is not None,
        "token": made.hex(),
    },
    sys.stdout,
)
