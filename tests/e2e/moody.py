"""moody.py PORT-FILE SOCKET MODE-FILE: passes connections on to a server's socket, or answers for it.

The mode file says how: "pass", "500", "429" (with Retry-After), "hang" (takes requests and says
nothing), "reset" (closes).  A change of mode closes what was passed on.
"""
import asyncio
import sys

port_file, server, mode_file = sys.argv[1:]
passed = set()


def mode():
    try:
        return open(mode_file).read().strip() or "pass"
    except OSError:
        return "pass"


async def copy(a, b):
    try:
        while data := await a.read(65536):
            b.write(data)
            await b.drain()
    except OSError:
        pass
    b.close()


def answer(status):
    body = b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"not now","code":%d}' % status
    return (b"HTTP/1.1 %d no\r\nContent-Type: application/json\r\nRetry-After: 5\r\nContent-Length: %d\r\n\r\n" % (status, len(body))) + body


async def refuse(reader, writer, how):
    while mode() == how:
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.split(b":")[1]))
        writer.write(answer(int(how)))
        await writer.drain()


async def serve(reader, writer):
    how = mode()
    try:
        if how == "pass":
            r, w = await asyncio.open_unix_connection(server)
            passed.add((writer, w))
            await asyncio.gather(copy(reader, w), copy(r, writer))
            passed.discard((writer, w))
        elif how == "hang":
            while mode() == how:
                await asyncio.sleep(0.1)
        elif how != "reset":
            await refuse(reader, writer, how)
    except (OSError, asyncio.IncompleteReadError):
        pass
    writer.close()


async def main():
    s = await asyncio.start_server(serve, "127.0.0.1", 0)
    with open(port_file, "w") as f:
        f.write(str(s.sockets[0].getsockname()[1]))
    last = mode()
    while True:
        await asyncio.sleep(0.05)
        if mode() != last:
            last = mode()
            for pair in list(passed):
                for w in pair:
                    w.transport.abort()
            passed.clear()


asyncio.run(main())
