"""Writes the seed corpora from the vectors. Run in the crate's folder: python3 fuzz/seeds.py"""

import hashlib
import json
import pathlib

here = pathlib.Path(__file__).parent


def cases(name):
    return json.loads((here.parent / "vectors" / f"{name}.json").read_text("utf-8"))["cases"]


def seed(corpus, data):
    folder = here / "corpus" / corpus
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


for name in ("valid", "invalid", "normalise", "repair"):
    for case in cases(name):
        text = case.get("input")
        seed("text", bytes.fromhex(case["input_hex"]) if text is None else text.encode())
for case in cases("packed"):
    seed("packed", bytes.fromhex(case["input"]))
ordered = [bytes.fromhex(case["packed"]) for case in cases("order")]
for a, b in zip(ordered, ordered[1:]):
    seed("pairs", a + b)
for case in cases("fhir"):
    study = case["input"] if case["direction"] == "read" else case["expect"]["study"]
    seed("studies", json.dumps(study, ensure_ascii=False, separators=(",", ":")).encode())
header = ["1.2.840.1.2.3", "A1", "P1", "CT", "", "", "20241122", "143000", "2024.11.22", "14:30"]
seed("headers", "\n".join(header).encode())
carried = cases("valid")[0]["input"]
seed("headers", "\n".join(header + [""] * 6 + [carried]).encode())
seed("headers", "\n".join([""] * 16 + [carried + "\\" + cases("valid")[1]["input"]]).encode())
seed("headers", "\n".join([""] * 6 + ["***", "08", "", "", "20241122063059.5+0000"]).encode())
for case in cases("bulk"):
    text = case.get("input")
    file = bytes.fromhex(case["input_hex"]) if text is None else text.encode()
    limit = min(case.get("options", {}).get("line_len_max", 1020) // 4, 255)
    seed("files", bytes([82, limit]) + file)
kinds = ["4501", "4501 imageinfo", "4801", "4801 output", "4802", "4802 output", "4803", "4804", "4804 output"]
for case in cases("messages"):
    seed("messages", bytes([kinds.index(case["kind"])]) + case["input"].encode())
events = ["sent", "accepted", "released", "retryable", "needs_person", "permanent"]
for case in cases("ledger"):
    told = [event for event in case["input"] if event["event"] != "ask"]
    if told:
        seed("ledger", b"".join(
            bytes([events.index(e.get("class", e["event"])), e["attempt"]]) + (2 * e["at"]).to_bytes(2, "little")
            for e in told
        ))
