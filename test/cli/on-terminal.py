"""Runs a program on a pseudo-terminal of some columns. Types a text when the program asks for it.

python3 on-terminal.py COLUMNS TYPED PROGRAM ARGUMENT...
"""

import fcntl
import os
import pty
import re
import struct
import sys
import termios

columns, typed, program = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(program[0], program)

said = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break  # Linux: nobody has the other end open any more
    if not piece:
        break
    os.write(1, piece)
    said += piece
    if typed and re.search(rb"type [^\n]*: $", said):
        os.write(terminal, typed.encode())
        typed = ""
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
