"""COSE_Sign1 with PyPI `pycose`, which writes the older numbers -8 and -7: checks our token under such a
number, makes one of the same payload.

In and out as in sign1_cwt.py.
"""

import json
import sys

from pycose.algorithms import EdDSA, Es256
from pycose.headers import KID, Algorithm
from pycose.keys import EC2Key, OKPKey
from pycose.keys.curves import P256, Ed25519
from pycose.messages import Sign1Message

given = json.load(sys.stdin)
public, secret = bytes.fromhex(given["public"]), bytes.fromhex(given["secret"])
external = bytes.fromhex(given["external"])
if given["suite"] == "Ed25519":
    key, algorithm = OKPKey(crv=Ed25519, x=public, d=secret), EdDSA
else:
    key, algorithm = EC2Key(crv=P256, x=public[:32], y=public[32:], d=secret), Es256


def checked(external):
    message = Sign1Message.decode(bytes.fromhex(given["token"]))
    message.key, message.external_aad = key, external
    return bool(message.verify_signature()), message.payload


accepted, payload = checked(external)
made = Sign1Message(
    phdr={Algorithm: algorithm, KID: bytes.fromhex(given["kid"]), 16: given["typ"]},
    uhdr={},
    payload=payload,
    external_aad=external,
)
made.key = key
json.dump(
    {
        "accepted": accepted,
        "under_another_type": checked(external[:-1] + b"?")[0],
        "token": made.encode().hex(),
    },
    sys.stdout,
)
