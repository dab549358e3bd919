"""The picture of docs/PERFORMANCE.md: bars of CPU seconds a GB, as SVG."""

from xml.sax.saxutils import escape

LEFT, WIDTH, BAR, GAP = 190, 520, 16, 6
ROWS = [("1 300 " + name, name) for name in (
    "bare", "text", "sequencefile", "gzip", "zstd", "text-local",
    "text-s3-tls", "gzip-s3-tls", "plain-text", "plain-gzip")]
KAFKA = [("kafka " + name, "Kafka 3.9: " + name) for name in (
    "bare", "text", "gzip", "plain-text", "plain-gzip")]
COLOURS = {"bare": "#8a8f98", "plain": "#c0653a"}
OURS = "#3a6ea5"


def colour(label):
    for key, value in COLOURS.items():
        if key in label:
            return value
    return OURS


def bar(y, label, value, scale):
    length = max(1, value * scale)
    return (f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">'
            f'{escape(label)}</text>'
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" '
            f'fill="{colour(label)}"/>'
            f'<text x="{LEFT + length + 6:.1f}" y="{y + 12}">{value:.2f}'
            '</text>\n')


def draw(found):
    bars = [(label, found.cpu(row)) for row, label in ROWS + KAFKA
            if row in found]
    if not bars:
        raise ValueError("nothing to draw")
    scale = (WIDTH - 60) / max(value for _, value in bars)
    height = 40 + len(bars) * (BAR + GAP)
    body = "".join(bar(32 + i * (BAR + GAP), label, value, scale)
                   for i, (label, value) in enumerate(bars))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH}" '
            f'height="{height}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n'
            f'<text x="{LEFT}" y="20" font-weight="bold">CPU seconds a GB, '
            f'300-byte messages</text>\n{body}</svg>\n')
