"""Draws what a terminal shows: draw.py COLUMNS TEXT_FILE OUTPUT.svg COMMAND"""

import re
import sys
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

# The fonts of the reader's machine: a page that shows the picture loads nothing from elsewhere.
FORMAT = re.sub(r"\s*@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
FORMAT = FORMAT.replace("Fira Code, ", "").replace("arial;", "arial, sans-serif;")


def main(columns: str, text: str, output: str, command: str) -> None:
    console = Console(record=True, file=StringIO(), width=int(columns), force_terminal=True)
    console.print(Text(f"$ {command}", style="bold"))
    for line in Text.from_ansi(Path(text).read_text(encoding="utf-8")).split("\n", allow_blank=True):
        # A terminal breaks a line that is too long wherever it ends.
        for part in line.divide(range(console.width, len(line), console.width)):
            console.print(part, soft_wrap=True)
    svg = console.export_svg(title=command, code_format=FORMAT, unique_id="terminal")
    named = svg.replace("<style>", f"<title>{command}</title>\n    <style>", 1).replace("<svg ", '<svg role="img" ', 1)
    Path(output).write_text(named, encoding="utf-8")


main(*sys.argv[1:])
