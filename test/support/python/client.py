"""Stands for `python`: `serve.py` runs the program, with this one's arguments, folder, environment and standard streams."""

# `socket` and `pathlib` would take most of the time.
import _socket
import os
import signal
import sys

connection = _socket.socket(_socket.AF_UNIX)
connection.connect(f"{sys.argv[0]}.socket")
request = {"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109
rights = b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in (0, 1, 2))
text = repr(request).encode() + b"\n"
sent = connection.sendmsg([text], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
connection.sendall(text[sent:])
code = int(connection.recv(16) or b"1")
if code < 0:
    signal.raise_signal(-code)
sys.exit(code)
