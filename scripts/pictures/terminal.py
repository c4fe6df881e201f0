"""Runs a command on a terminal of a fixed width and prints what it shows, colors included: terminal.py COLUMNS COMMAND..."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def main(columns: str, *command: str) -> None:
    owner, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, int(columns), 0, 0))
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal)  # noqa: S603 - the caller's own command
    os.close(terminal)
    text = b""
    try:
        while chunk := os.read(owner, 65536):
            text += chunk
    except OSError:  # Linux reports the terminal's end as an error.
        pass
    os.close(owner)
    process.wait()
    if not text:
        sys.exit("the command showed nothing")
    sys.stdout.write(text.decode().replace("\r\n", "\n").rstrip())


main(*sys.argv[1:])
