"""Runs a command on a terminal and draws what it prints: terminal_picture.py OUTPUT.svg TITLE SHOWN COMMAND..."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

COLUMNS = 108
# The fonts of the reader's machine: a page that shows the picture loads nothing from elsewhere.
FORMAT = re.sub(r"\s*@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
FORMAT = FORMAT.replace("Fira Code, ", "").replace("arial;", "arial, sans-serif;")


def output_of(command: list[str]) -> str:
    """What the command prints on a terminal, standard output alone."""
    owner, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    process = subprocess.Popen(command, stdout=terminal, stderr=subprocess.DEVNULL)  # noqa: S603 - the caller's own command
    os.close(terminal)
    text = b""
    try:
        while chunk := os.read(owner, 65536):
            text += chunk
    except OSError:  # Linux reports the terminal's end as an error.
        pass
    os.close(owner)
    process.wait()
    return text.decode().replace("\r\n", "\n").rstrip()


def main(output: str, title: str, shown: str, *command: str) -> None:
    console = Console(record=True, file=StringIO(), width=COLUMNS, force_terminal=True)
    console.print(Text(f"$ {shown}", style="bold"))
    printed = output_of([*command])
    if not printed:
        sys.exit(f"{command[0]} printed nothing")
    console.print(Text.from_ansi(printed), soft_wrap=True)
    svg = console.export_svg(title=title, code_format=FORMAT, unique_id="terminal")
    named = svg.replace("<style>", f"<title>{title}</title>\n    <style>", 1).replace("<svg ", '<svg role="img" ', 1)
    Path(output).write_text(named, encoding="utf-8")


main(*sys.argv[1:])
