"""Tables for a terminal and for docs/performance.md."""

import dataclasses
import statistics


@dataclasses.dataclass
class Table:
    title: str
    header: list
    rows: list


def median(samples, field):
    return statistics.median(getattr(sample, field) for sample in samples)


def ratio(samples, others, field):
    """The median of the ratios within each round, which drift cannot move."""
    return statistics.median(getattr(a, field) / getattr(b, field)
                             for a, b in zip(samples, others)
                             if getattr(b, field) > 0)


def as_text(table):
    rows = [table.header] + table.rows
    widths = [max(len(str(row[i])) for row in rows)
              for i in range(len(table.header))]
    lines = []
    for row in rows:
        cells = [str(row[0]).ljust(widths[0])]
        cells += [str(cell).rjust(width)
                  for cell, width in zip(row[1:], widths[1:])]
        lines.append("  " + "  ".join(cells).rstrip())
    return f"\n{table.title}\n" + "\n".join(lines)


def as_markdown(table):
    lines = [f"**{table.title}**", "",
             "| " + " | ".join(table.header) + " |",
             "|---" + "|---:" * (len(table.header) - 1) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |"
              for row in table.rows]
    return "\n".join(lines)


def replace_between(page, begin, end, content):
    """Puts `content` between two marker lines of the file `page`."""
    text = page.read_text()
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{page} needs one '{begin}' and one '{end}'")
    head = text.partition(begin)[0]
    tail = text.partition(end)[2]
    page.write_text(f"{head}{begin}\n{content}\n{end}{tail}")
