"""Writes the inputs of the vectors as seeds of the fuzz targets."""
import json
import pathlib

here = pathlib.Path(__file__).parent
for vectors, target in [
    ("frames", "frames"), ("sessions", "frames"), ("manifests", "manifest"), ("journals", "journal"), ("coding", "coding"),
]:
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for case in json.loads((here.parent / "vectors" / f"{vectors}.json").read_text())["cases"]:
        # The target for coded chunks begins with options, among them the length of the chunk.
        length = case.get("length", 0)
        options = bytes([0, length >> 10 & 255, length >> 2 & 255, length & 3, 255, 1]) if target == "coding" else b""
        (folder / f"{vectors}-{case['id']}").write_bytes(options + bytes.fromhex(case["input"]))
