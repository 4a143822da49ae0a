#!/usr/bin/env python3
"""store_compact.py ORCH-STORE DIR SOCKET - kill the store again and again while objects so large
are written that it compacts all the time; what was acknowledged must be there each time."""
import json, random, signal, socket, sqlite3, subprocess, sys, threading, time

BINARY, DATA, SOCKET = sys.argv[1:]
PATH = '/api/v1/namespaces/default/configmaps'
ROUNDS, OBJECTS, BYTES = 8, 4, 200000


class Client:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        self.s.connect(SOCKET)
        self.f = self.s.makefile('rb')

    def call(self, method, path, body=None, kind='application/json'):
        data = json.dumps(body).encode() if body else b''
        self.s.sendall(f'{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n'
                       f'Content-Length: {len(data)}\r\n\r\n'.encode() + data)
        status, length = int(self.f.readline().split()[1]), 0
        while (line := self.f.readline().strip()):
            if line.lower().startswith(b'content-length:'):
                length = int(line.split(b':')[1])
        return status, json.loads(self.f.read(length))


def start():
    p = subprocess.Popen([BINARY, '--data', DATA, '--listen', '127.0.0.1:0', '--socket', SOCKET],
                         stderr=subprocess.PIPE, text=True)
    line = p.stderr.readline()
    assert 'ready' in line, line
    return p


def write(i):
    try:
        c, n = Client(), acknowledged.get(i, 0)
        if n == 0:
            c.call('POST', PATH, {'metadata': {'name': f'o{i}'}, 'data': {'n': '0'}})
        while True:
            n += 1
            status, _ = c.call('PATCH', f'{PATH}/o{i}', {'data': {'n': str(n), 'pad': 'x' * BYTES}},
                               'application/merge-patch+json')
            if status == 200:
                acknowledged[i] = n
    except (OSError, IndexError, ValueError):
        pass    # killed


acknowledged = {}
for _ in range(ROUNDS):
    store = start()
    try:
        for i, n in acknowledged.items():
            there = int(Client().call('GET', f'{PATH}/o{i}')[1]['data']['n'])
            assert there in (n, n + 1), f'o{i}: {n} was acknowledged, {there} is there'
        threads = [threading.Thread(target=write, args=(i,)) for i in range(OBJECTS)]
        [t.start() for t in threads]
        time.sleep(random.uniform(.5, 1.5))
    finally:
        store.send_signal(signal.SIGKILL)
        store.wait()
    [t.join() for t in threads]


def used():
    """Bytes of the file that hold something: what was compacted is free for the next writes."""
    db = sqlite3.connect(f'file:{DATA}/store.db?mode=ro', uri=True)
    pages, free, size = (db.execute(f'PRAGMA {p}').fetchone()[0] for p in ('page_count', 'freelist_count', 'page_size'))
    db.close()
    return (pages - free) * size


# A slow disk may fall behind while it is written to, but not for ever.
store = start()
end = time.time() + 120
while used() > 150 << 20 and time.time() < end:
    time.sleep(.2)
size = used()
store.send_signal(signal.SIGTERM)
store.wait()
assert size <= 150 << 20, f'{size >> 20} MB are kept'
print(f'{sum(acknowledged.values())} writes acknowledged, {size >> 20} MB kept')
