"""Writes the inputs of the vectors as seeds of the fuzz targets."""
import json
import pathlib

here = pathlib.Path(__file__).parent
for vectors, target in [("frames", "frames"), ("sessions", "frames"), ("manifests", "manifest"), ("journals", "journal")]:
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for case in json.loads((here.parent / "vectors" / f"{vectors}.json").read_text())["cases"]:
        (folder / f"{vectors}-{case['id']}").write_bytes(bytes.fromhex(case["input"]))
