"""Writes the inputs of the vectors as seeds of the fuzz targets."""
import json
import pathlib
import zlib

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


def element(group, number, vr, value):
    value += b"\0" * (len(value) % 2)
    long = vr in (b"OB", b"OW", b"SQ")
    length = b"\0\0" + len(value).to_bytes(4, "little") if long else len(value).to_bytes(2, "little")
    return group.to_bytes(2, "little") + number.to_bytes(2, "little") + vr + length + value


def item(value):
    return b"\xfe\xff\x00\xe0" + len(value).to_bytes(4, "little") + value


def undefined(group, number, vr, value):
    head = group.to_bytes(2, "little") + number.to_bytes(2, "little") + vr + b"\0\0\xff\xff\xff\xff"
    return head + value + b"\xfe\xff\xdd\xe0\0\0\0\0"


def image(sop_class, rest):
    short = lambda group, number, value: element(group, number, b"US", value.to_bytes(2, "little"))
    return b"".join([
        element(8, 0x16, b"UI", sop_class), element(8, 0x18, b"UI", b"1.2.3.1.1"),
        element(0x20, 0x0D, b"UI", b"1.2.3"), element(0x20, 0x0E, b"UI", b"1.2.3.1"),
        element(0x20, 0x13, b"IS", b"7"), element(0x20, 0x32, b"DS", b"0\\0\\-12.5"),
        element(0x20, 0x37, b"DS", b"1\\0\\0\\0\\1\\0"), element(0x28, 8, b"IS", b"2"), short(0x28, 0x10, 2),
        short(0x28, 0x11, 3), short(0x28, 0x100, 16), short(0x28, 0x101, 12), rest,
    ])


def part_10(syntax, data):
    group = element(2, 3, b"UI", b"1.2.3.1.1") + element(2, 0x10, b"UI", syntax)
    return bytes(128) + b"DICM" + element(2, 0, b"UL", len(group).to_bytes(4, "little")) + group + data


# Operations and values: connect, greet, offer, manifest, the rest of the image whose pixels are held; then with
# the study that holds them damaged or gone, and the whole image.
begin = bytes([0, 0, 1, 1, 2, 0, 4, 1])
folder = here / "corpus" / "receiver_ops"
folder.mkdir(parents=True, exist_ok=True)
for name, made in {
    "held": begin + bytes([15, 0, 5, 0, 5, 1, 5, 2]),
    "held-wrong": begin + bytes([15, 1, 5, 3]),
    "held-gone": begin + bytes([17, 0, 15, 0, 15, 0, 5, 3]),
    "held-damaged": begin + bytes([17, 9, 15, 0, 5, 3, 5, 0, 5, 1, 5, 2]),
    "held-crash": begin + bytes([15, 0, 18, 7]) + begin + bytes([5, 0, 5, 1, 5, 2]),
}.items():
    (folder / name).write_bytes(made)


CT, KEY_OBJECT = b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.5.1.4.1.1.88.59"
native = image(CT, element(0x7FE0, 0x10, b"OW", bytes(range(24))))
fragments = undefined(0x7FE0, 0x10, b"OB", item(b"\0\0\0\0\x0a\0\0\0") + item(b"aa") + item(b"bb"))
reference = undefined(8, 0x1199, b"SQ", item(element(8, 0x1155, b"UI", b"1.2.3.1.7")))
folder = here / "corpus" / "p10"
folder.mkdir(parents=True, exist_ok=True)
for name, made in {
    "bare": native,
    "native": part_10(b"1.2.840.10008.1.2.1", native),
    "fragments": part_10(b"1.2.840.10008.1.2.4.70", image(CT, fragments)),
    "deflated": part_10(b"1.2.840.10008.1.2.1.99", zlib.compress(native)[2:-4]),
    "key-object": part_10(b"1.2.840.10008.1.2.1", image(KEY_OBJECT, undefined(0x40, 0xA730, b"SQ", item(reference)))),
}.items():
    (folder / name).write_bytes(made)
