#!/usr/bin/env python3
"""watch_model.py SOCKET - write at random from several connections, then watch from every single
revision, plainly and by label: each watch must give exactly what the writes were answered with."""
import json, random, socket, sys, threading

PATH = '/api/v1/namespaces/default/configmaps'
NAMES, WRITERS, WRITES = 12, 4, 120


class Client:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        self.s.connect(sys.argv[1])
        self.f = self.s.makefile('rb')

    def send(self, method, path, body=None, kind='application/json'):
        data = json.dumps(body).encode() if body is not None else b''
        self.s.sendall(f'{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n'
                       f'Content-Length: {len(data)}\r\n\r\n'.encode() + data)
        status = int(self.f.readline().split()[1])
        length = 0
        while (line := self.f.readline().strip()):
            if line.lower().startswith(b'content-length:'):
                length = int(line.split(b':')[1])
        return status, length

    def call(self, *args):
        status, length = self.send(*args)
        return status, json.loads(self.f.read(length))

    def events(self, query, n):
        assert self.send('GET', f'{PATH}?watch=1&timeoutSeconds=30&{query}')[0] == 200
        got = []
        while len(got) < n:
            size = int(self.f.readline(), 16)
            got += [json.loads(l) for l in self.f.read(size + 2).split(b'\n') if l.strip()]
        self.s.close()
        return got


written, lock = {}, threading.Lock()    # revision -> (deleted, name, object)


def note(obj, deleted=False):
    with lock:
        rv = int(obj['metadata']['resourceVersion'])
        assert rv not in written, f'revision {rv} was given twice'
        written[rv] = (deleted, obj['metadata']['name'], obj)


def write(seed):
    r, c = random.Random(seed), Client()
    for i in range(WRITES):
        name = f'n{seed}-{r.randrange(NAMES // WRITERS)}'
        meta = {'name': name, 'labels': {'on': r.choice(['yes', 'no'])}, 'finalizers': ['x.y/z']}
        status, obj = c.call('POST', PATH, {'metadata': meta, 'data': {'i': f'{seed}.{i}'}})
        if status == 201:
            note(obj)
            continue
        assert status == 409, obj
        if r.random() < .7:
            status, obj = c.call('PATCH', f'{PATH}/{name}', {'metadata': {'labels': meta['labels']}, 'data': {
                'i': f'{seed}.{i}'}}, 'application/merge-patch+json')
            assert status == 200, obj
            note(obj)
            continue
        status, obj = c.call('DELETE', f'{PATH}/{name}')    # held by its finalizer, then let go
        assert status == 200 and 'deletionTimestamp' in obj['metadata'], obj
        note(obj)
        status, obj = c.call('PATCH', f'{PATH}/{name}', {'metadata': {'finalizers': None}},
                             'application/merge-patch+json')
        assert status == 200, obj
        gone.append(name)


def expected(select):
    """What a watch from `first` tells, by revision; deletions carry a revision of their own."""
    there, out = {}, []
    for rv in sorted(written):
        deleted, name, obj = written[rv]
        was, now = there.get(name), None if deleted or not select(obj) else obj
        there[name] = now
        if deleted:
            kind = 'DELETED' if was else None
        else:
            kind = ('MODIFIED' if was else 'ADDED') if now else 'DELETED' if was else None
        if kind:
            out.append((rv, kind, name, obj['data']['i']))
    return out


def told(events):
    return [(int(e['object']['metadata']['resourceVersion']), e['type'], e['object']['metadata']['name'],
             e['object']['data']['i']) for e in events]


gone = []
first = int(Client().call('GET', PATH)[1]['metadata']['resourceVersion'])
threads = [threading.Thread(target=write, args=(i,)) for i in range(WRITERS)]
[t.start() for t in threads]
[t.join() for t in threads]
last = int(Client().call('GET', PATH)[1]['metadata']['resourceVersion'])
# a deletion's revision is in no answer: the watch tells it, and it must be one that nobody else had
history = Client().events(f'resourceVersion={first}', last - first)
deletions = [e['object'] for e in history if e['type'] == 'DELETED']
assert sorted(gone) == sorted(o['metadata']['name'] for o in deletions)
for o in deletions:
    note(o, True)
assert sorted(written) == list(range(first + 1, last + 1)), 'the revisions have gaps'
for query, select in (('', lambda o: True),
                      ('&labelSelector=on%3Dyes', lambda o: o['metadata']['labels']['on'] == 'yes'),
                      ('&fieldSelector=metadata.name%3Dn1-1', lambda o: o['metadata']['name'] == 'n1-1')):
    whole = expected(select)
    for r in range(first, last + 1):
        want = [e for e in whole if e[0] > r]
        got = told(Client().events(f'resourceVersion={r}{query}', len(want)))
        if query.startswith('&label'):  # who leaves a selection is shown as he was
            want, got = [e[:3] for e in want], [e[:3] for e in got]
        assert got == want, f'{query} from {r}: {[x for x in zip(got, want) if x[0] != x[1]][:3]}'
print(f'{last - first} revisions, {3 * (last - first + 1)} watches')
