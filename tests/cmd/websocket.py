#!/usr/bin/env python3
"""A WebSocket client over a unix socket, for the tests.

usage: websocket.py SOCKET PATH [-H HEADER]... [-p PROTOCOL] [-s OPCODE:TEXT]... [-n COUNT] [--unmasked]

Prints the handshake's status line and subprotocol, then one line a message: its opcode, and the text
(of binary ones the length). Ends after COUNT messages, with a close frame, or when the server closes.
"""
import argparse
import base64
import os
import socket
import struct
import sys


def frame(opcode, data, masked=True):
    head = bytes([0x80 | opcode])
    bit = 0x80 if masked else 0
    if len(data) < 126:
        head += bytes([bit | len(data)])
    else:
        head += bytes([bit | 126]) + struct.pack('>H', len(data))
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def exactly(f, n):
    data = f.read(n)
    if len(data) < n:
        raise EOFError
    return data


def message(f):
    first, second = exactly(f, 2)
    n = second & 0x7f
    if n == 126:
        n = struct.unpack('>H', exactly(f, 2))[0]
    elif n == 127:
        n = struct.unpack('>Q', exactly(f, 8))[0]
    return first & 0x0f, exactly(f, n)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('socket')
    p.add_argument('path')
    p.add_argument('-H', dest='headers', action='append', default=[])
    p.add_argument('-p', dest='protocol')
    p.add_argument('-s', dest='send', action='append', default=[])
    p.add_argument('-n', dest='count', type=int, default=0)
    p.add_argument('--unmasked', action='store_true')
    p.add_argument('--key', default=base64.b64encode(os.urandom(16)).decode())
    a = p.parse_args()
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(15)
    s.connect(a.socket)
    lines = [f'GET {a.path} HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket',
             'Sec-WebSocket-Version: 13', f'Sec-WebSocket-Key: {a.key}'] + a.headers
    if a.protocol:
        lines.append(f'Sec-WebSocket-Protocol: {a.protocol}')
    s.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())
    f = s.makefile('rb')
    print(f.readline().decode().strip())
    while (line := f.readline().strip()):
        if line.lower().startswith(b'sec-websocket-protocol:'):
            print(line.decode())
    for one in a.send:
        opcode, text = one.split(':', 1)
        s.sendall(frame(int(opcode), text.encode(), not a.unmasked))
    seen = 0
    try:
        while True:
            opcode, data = message(f)
            if opcode == 8:
                print(8, struct.unpack('>H', data[:2])[0] if data else 1005)
                return
            print(opcode, data.decode().strip() if opcode in (1, 10) else len(data), flush=True)
            seen += 1
            if seen == a.count:
                s.sendall(frame(8, struct.pack('>H', 1000)))
    except EOFError:
        print('gone')


sys.exit(main())
