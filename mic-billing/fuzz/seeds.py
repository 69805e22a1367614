"""Writes the seeds in corpus/ from the vectors."""
import json
import pathlib

here = pathlib.Path(__file__).parent
vectors = here.parent / "vectors"


def cases(name):
    return json.loads((vectors / f"{name}.json").read_text(encoding="utf-8"))["cases"]


def write(target, name, text):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


for case in cases("books"):
    if case["input"]["toml"]:
        write("book", case["id"], case["input"]["toml"])
for case in cases("models"):
    for layer in case["input"]["book"].get("layers", []):
        write("book", f"json-{case['id']}", json.dumps(layer, ensure_ascii=False, indent=1))
for case in cases("events"):
    write("events", case["id"], json.dumps(case["input"]["event"], ensure_ascii=False))
for name in ["counting", "ledger", "models", "service", "tariff", "retention"]:
    for case in cases(name):
        write("fold", f"{name}-{case['id']}", json.dumps(case["input"]["events"], ensure_ascii=False))
for case in cases("readers"):
    format = ["csv", "ndjson", "json"].index(case["input"]["format"])
    write("readers", case["id"], chr(format) + case["input"]["text"])
for name in ["statements", "contracts", "disposal"]:
    for case in cases(name):
        if "events" in case["input"]:
            write("fold", f"{name}-{case['id']}", json.dumps(case["input"]["events"], ensure_ascii=False))
