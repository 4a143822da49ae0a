#!/usr/bin/env python3
"""watch_load.py SOCKET - a thousand watchers, each of which must get every event, in order, while a
few others never read: those are hung up on, and nobody else notices."""
import json, select, socket, sys, time

PATH = '/api/v1/namespaces/default/configmaps'
WATCHERS, DEAF, WRITES, SIZE = 1000, 5, 60, 400_000


def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(sys.argv[1])
    return s


def call(s, method, path, body=None):
    data = json.dumps(body).encode() if body is not None else b''
    s.sendall(f'{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
              f'Content-Length: {len(data)}\r\n\r\n'.encode() + data)
    f = s.makefile('rb')
    status, length = int(f.readline().split()[1]), 0
    while (line := f.readline().strip()):
        if line.lower().startswith(b'content-length:'):
            length = int(line.split(b':')[1])
    return status, json.loads(f.read(length))


def watch(query):
    s = connect()
    s.sendall(f'GET {PATH}?watch=1&timeoutSeconds=120&{query} HTTP/1.1\r\nHost: x\r\n\r\n'.encode())
    return s


class Watcher:
    """Its events are told by the marks "#000".."#059" in them."""

    def __init__(self, query):
        self.s, self.buf, self.next = watch(query), b'', 0
        while b'\r\n\r\n' not in self.buf:
            self.buf += self.s.recv(4096)

    def read(self):
        self.buf += self.s.recv(1 << 16)
        while (at := self.buf.find(b'#%03d#' % self.next)) >= 0 and (end := self.buf.find(b'\n', at)) >= 0:
            assert b'#' not in self.buf[:at].replace(b'#%03d#' % self.next, b''), 'an event is missing'
            self.buf, self.next = self.buf[end + 1:], self.next + 1
        return self.next == WRITES


writer = connect()
rv = call(writer, 'GET', PATH + '?limit=1')[1]['metadata']['resourceVersion']
# small ones are for the thousand, big ones fill the queues of those who do not read
deaf = [watch(f'resourceVersion={rv}&labelSelector=for%3Ddeaf') for _ in range(DEAF)]
waiting = {w.s.fileno(): w for w in (Watcher(f'resourceVersion={rv}&labelSelector=for%3Dall') for _ in range(WATCHERS))}
poll = select.epoll()
for fd in waiting:
    poll.register(fd, select.EPOLLIN)
delays, start = [], time.monotonic()


def collect(until):
    while waiting and (left := until - time.monotonic()) > 0:
        for fd, _ in poll.poll(left):
            if waiting[fd].read():
                poll.unregister(fd)
                del waiting[fd]


for i in range(WRITES):
    status, obj = call(writer, 'POST', PATH, {'metadata': {'name': f'n{i}', 'labels': {'for': 'all'}}, 'data': {'m': f'#{i:03}#'}})
    assert status == 201, obj
    body = {'metadata': {'name': f'big{i}', 'labels': {'for': 'deaf'}}, 'data': {'x': 'x' * SIZE}}
    status, obj = call(writer, 'POST', PATH, body)
    assert status == 201, obj
    collect(start + (i + 1) / 20)
collect(time.monotonic() + 30)
assert not waiting, f'{len(waiting)} of {WATCHERS} watchers wait in vain, for {sorted({w.next for w in waiting.values()})}'

for s in deaf:  # what was queued for them until it was too much, and then the end
    got, end = 0, b''
    while end != b'0\r\n\r\n' and (data := s.recv(1 << 20)):
        got, end = got + len(data), (end + data)[-5:]
    assert got < WRITES * SIZE, f'one who did not read got all of {got} bytes later'
print(f'{WATCHERS} watchers got {WRITES} events each; {DEAF} who did not read were hung up on')
