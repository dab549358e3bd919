"""Where the CPU goes: records one row of one core with perf and writes a flame
graph, docs/flame.svg or the file given.

  python3 bench/flame.py text [FILE]

Width is CPU time, from all threads of the product; what lies below is called by
what lies above. Functions of stripped libraries show the library's name."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from xml.sax.saxutils import escape

import lib

HERTZ = 997
WIDTH, ROW, LEAST = 1200, 16, 0.4  # pixels; narrower ones are left out
PALETTE = {"rdkafka": "#d9a441", "secor": "#3f7fb5", "plugins": "#5fa36a",
           "kernel": "#b5654a", "other": "#9a9aa5"}


def record(format_name, data):
    """Runs the product under perf."""
    messages = int(lib.MEGABYTES * 1e6 / 300 / 4)
    perf = ["perf", "record", "-q", "-F", str(HERTZ), "--call-graph",
            "dwarf,16384", "-o", data, "--",
            "taskset", "-c", str(lib.CORES[-1])]
    with lib.Folder() as folder, lib.Replay(4, messages) as broker:
        yaml = lib.config(folder, format=lib.FORMATS[format_name])
        with lib.Service(yaml, broker.address, perf) as service:
            def taken():
                time.sleep(0.1)
                return service.taken() >= messages * 4
            lib.until("all messages", taken)
            children = pathlib.Path(
                f"/proc/{service.pid}/task/{service.pid}/children")
            for child in children.read_text().split():
                os.kill(int(child), signal.SIGTERM)
            service.wait()


def name_of(symbol, library):
    """What a frame is called: stripped functions by their library."""
    short = library.rsplit("/", 1)[-1]
    if symbol == "[unknown]":
        return f"[{short}]"
    return re.sub(r"@@?[A-Z0-9_.]+$", "", symbol)


def kind_of(library):
    for word, kind in (("rdkafka", "rdkafka"), ("/plugins/", "plugins"),
                       ("/secor", "secor"), ("kernel", "kernel")):
        if word in library:
            return kind
    return "other"


def calls(lines):
    """(function, library) from the innermost; an inlined one is in the library
    of the next that is none."""
    found, library = [], ""
    for line in reversed(lines):
        part = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
        if part is None:
            continue
        if part[2] != "inlined":
            library = part[2]
        found.append((part[1], library))
    return reversed(found)


def fold(data):
    """{(thread, frame, ...): samples} from the outermost; {frame: kind}."""
    text = subprocess.run(
        ["perf", "script", "-i", data, "-F", "comm,tid,ip,sym,dso"],
        capture_output=True, text=True, check=True).stdout
    stacks, kinds = {}, {}
    for sample in text.split("\n\n"):
        lines = sample.strip("\n").splitlines()
        if not lines:
            continue
        thread = re.sub(r"\s+\d+\s*$", "", lines[0].strip())
        frames = []
        for symbol, library in calls(lines[1:]):
            frame = name_of(symbol, library)
            kinds.setdefault(frame, kind_of(library))
            if not frames or frames[-1] != frame or frame[0] != "[":
                frames.append(frame)
        key = (thread, *reversed(frames))
        stacks[key] = stacks.get(key, 0) + 1
    return stacks, kinds


class Node:
    def __init__(self):
        self.samples = 0
        self.children = {}


def tree(stacks):
    root = Node()
    for stack, samples in stacks.items():
        node = root
        node.samples += samples
        for frame in stack:
            node = node.children.setdefault(frame, Node())
            node.samples += samples
    return root


def boxes(node, kinds, scale, x=0.0, depth=0):
    """(x, depth, width, name, samples) of all that are wide enough."""
    for name, child in sorted(node.children.items()):
        width = child.samples * scale
        if width >= LEAST:
            yield x, depth, width, name, child.samples
            yield from boxes(child, kinds, scale, x, depth + 1)
        x += width


def draw(stacks, kinds, title):
    root = tree(stacks)
    found = list(boxes(root, kinds, WIDTH / root.samples))
    height = 30 + ROW * (1 + max(depth for _, depth, *_ in found))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{height}" font-family="monospace" font-size="11">\n'
           '<rect width="100%" height="100%" fill="#ffffff"/>\n'
           f'<text x="4" y="18">{escape(title)}</text>\n']
    for x, depth, width, name, samples in found:
        kind = "other" if depth == 0 else kinds.get(name, "other")
        y = 26 + ROW * depth
        label = name if len(name) * 6.7 < width else (
            name[:int(width / 6.7) - 1] if width > 20 else "")
        out.append(
            f'<g><title>{escape(name)} {samples / root.samples:.1%}</title>'
            f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.3, 0.1):.1f}" '
            f'height="{ROW - 1}" fill="{PALETTE[kind]}"/>'
            + (f'<text x="{x + 2:.1f}" y="{y + 11}" fill="#ffffff">'
               f'{escape(label)}</text>' if label else "") + "</g>\n")
    return "".join(out) + "</svg>\n"


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "text"
    target = sys.argv[2] if len(sys.argv) > 2 else lib.ROOT / "docs/flame.svg"
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/perf.data"
        record(name, data)
        stacks, kinds = fold(data)
    with open(target, "w", encoding="utf-8") as out:
        out.write(draw(stacks, kinds, (
            f"secor run, {name}, 300-byte messages, one core: CPU time by "
            "thread and call")))


if __name__ == "__main__":
    main()
