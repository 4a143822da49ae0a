"""Run a command on a terminal of its own, type lines into it, print what it shows and how it ended.
terminal.py LINE... -- COMMAND..."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

split = sys.argv.index("--")
lines, command = sys.argv[1:split], sys.argv[split + 1:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    os.execvp(command[0], command)
shown = b""


def read(quiet):
    """What comes until it has been quiet for so long, or has ended."""
    global shown
    while select.select([fd], [], [], quiet)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            return False
        if not data:
            return False
        shown += data
    return True


deadline = time.time() + 30
while b"# " not in shown and time.time() < deadline and read(0.2):
    pass
for line in lines:
    os.write(fd, line.encode() + b"\n")
    if not read(1):
        break
while time.time() < deadline and read(0.5):
    pass
sys.stdout.write(shown.decode(errors="replace"))
print("\nended:", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
