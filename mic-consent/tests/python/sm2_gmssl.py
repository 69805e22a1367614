"""SM2 with PyPI `gmssl`: checks our signature over the bytes, signs them anew, says what it hashed.

In: secret, public (x and y), message, signature, all hexadecimal. Out: accepted, digest, signature.
gmssl knows one distinguishing id, 1234567812345678.
"""

import json
import sys

from gmssl import sm2

given = json.load(sys.stdin)
message = bytes.fromhex(given["message"])
key = sm2.CryptSM2(private_key=given["secret"], public_key=given["public"])
json.dump(
    {
        "accepted": bool(key.verify_with_sm3(given["signature"], message)),
        "digest": key._sm3_z(message),
        "signature": key.sign_with_sm3(message),
    },
    sys.stdout,
)
