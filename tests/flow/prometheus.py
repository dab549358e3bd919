"""A strict reader of Prometheus text (exposition format 0.0.4): what a lenient
scraper would forgive is an error here."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
VALUE = re.compile(r"[+-]?(?:\d+(?:\.\d+)?(?:e[+-]\d+)?|Inf)|NaN")
UNESCAPE = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Family:
    """One metric: its type, help, and {labels as sorted pairs: value}."""

    def __init__(self, kind, text):
        self.kind, self.help, self.samples = kind, text, {}

    def value(self, **labels):
        """The sum over all samples that have these labels."""
        return sum(v for k, v in self.samples.items()
                   if set(labels.items()) <= set(k))

    def labels(self):
        """The names of labels; the same for each sample."""
        names, = {tuple(n for n, _ in k) for k in self.samples}
        return list(names)


def _labels(text):
    found = []
    at = 0
    while at < len(text):
        m = LABEL.match(text, at)
        assert m, f"no label: {text[at:]!r}"
        found.append((m[1], re.sub(r"\\.", lambda e: UNESCAPE[e[0]], m[2])))
        at = m.end()
        if at < len(text):
            assert text[at] == "," and at + 1 < len(text), text
            at += 1
    assert len(dict(found)) == len(found), f"a label twice: {text}"
    return tuple(sorted(found))


def parse(text):
    """{name: Family}. HELP, TYPE and all samples of a name stand together, in
    this order and once."""
    assert text.endswith("\n")
    families = {}
    now = pending = None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            name, _, about = line[7:].partition(" ")
            assert NAME.fullmatch(name) and name not in families, line
            assert about and not re.search(r"\\[^\\n]", about), line
            pending = (name, about)
            continue
        if line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert pending and pending[0] == name, line
            assert kind in ("counter", "gauge"), line
            now, families[name] = name, Family(kind, pending[1])
            pending = None
            continue
        m = re.fullmatch(r"([^ {]+)(?:\{(.+)\})? (\S+)", line)
        assert m and m[1] == now and not pending, line
        assert VALUE.fullmatch(m[3]), line
        key = _labels(m[2] or "")
        family = families[now]
        assert key not in family.samples, f"twice: {line}"
        family.samples[key] = float(m[3])
        assert family.kind == "gauge" or family.samples[key] >= 0, line
    assert not pending and all(f.samples for f in families.values())
    return families
