// What programs do with Kubernetes' own client for JavaScript.
//
//	node javascript_client.mjs FOLDER-OF-THE-CLIENT SCRIPT
//
// KUBECONFIG says which server.  Exits 0 when all was as it must be.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import readline from 'node:readline';

const [folder, script] = process.argv.slice(2);
const k8s = await import(`${folder}/dist/index.js`);
const kc = new k8s.KubeConfig();
kc.loadFromDefault();
const core = kc.makeApiClient(k8s.CoreV1Api);
const apps = kc.makeApiClient(k8s.AppsV1Api);
const namespace = 'default';
const labels = { app: 'web' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:1' }] } };
const configmap = (name, data, more = {}) => ({ metadata: { name, ...more }, data });
const patch = type => k8s.setHeaderOptions('Content-Type', type);

async function fails(promise, code, words) {
  const err = await promise.then(() => assert.fail('this must fail'), e => e);
  assert.equal(err.code, code, String(err));
  assert.match(JSON.parse(err.body).message, words);
}

async function until(what, test, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20))
    if (await test()) return;
  assert.fail(`in vain: ${what}`);
}

const scripts = {
  async crud() {
    const made = await core.createNamespacedConfigMap({ namespace, body: configmap('a', { k: 'v' }) });
    assert.ok(made.metadata.uid && made.metadata.creationTimestamp instanceof Date);
    await fails(core.createNamespacedConfigMap({ namespace, body: configmap('a', {}) }), 409, /configmaps "a" already exists/);
    const next = await core.replaceNamespacedConfigMap({ name: 'a', namespace, body: { ...made, data: { k: 'w' } } });
    assert.notEqual(next.metadata.resourceVersion, made.metadata.resourceVersion);
    await fails(core.replaceNamespacedConfigMap({ name: 'a', namespace, body: { ...made, data: {} } }), 409, /the object has been modified/);
    assert.equal((await core.readNamespacedConfigMap({ name: 'a', namespace })).data.k, 'w');
    await fails(core.readNamespacedConfigMap({ name: 'b', namespace }), 404, /configmaps "b" not found/);
    await fails(core.createNamespacedPod({ namespace, body: { metadata: { name: 'p' }, spec: { containers: [] } } }), 422, /spec.containers: Required value/);
    const dry = await core.createNamespacedConfigMap({ namespace, body: configmap('dry', {}), dryRun: 'All' });
    assert.ok(dry.metadata.uid);
    await fails(core.readNamespacedConfigMap({ name: 'dry', namespace }), 404, /not found/);
    assert.equal((await core.deleteNamespacedConfigMap({ name: 'a', namespace })).status, 'Success');
    const secret = await core.createNamespacedSecret({ namespace, body: { metadata: { name: 's' }, stringData: { a: 'b' } } });
    assert.equal(secret.data.a, Buffer.from('b').toString('base64'));
    await core.deleteNamespacedSecret({ name: 's', namespace });
  },

  async patches() {
    await apps.createNamespacedDeployment({ namespace, body: { metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: labels }, template } } });
    const at = { name: 'd', namespace };
    let d = await apps.patchNamespacedDeployment({ ...at, body: [{ op: 'replace', path: '/spec/replicas', value: 2 }] }, patch(k8s.PatchStrategy.JsonPatch));
    assert.equal(d.spec.replicas, 2);
    d = await apps.patchNamespacedDeployment({ ...at, body: { spec: { template: { spec: { containers: [{ name: 'd', image: 'side:1' }] } } } } }, patch(k8s.PatchStrategy.StrategicMergePatch));
    assert.deepEqual(d.spec.template.spec.containers.map(c => c.name).sort(), ['c', 'd']);
    d = await apps.patchNamespacedDeployment({ ...at, body: { metadata: { labels: { x: 'y', z: null } } } }, patch(k8s.PatchStrategy.MergePatch));
    assert.deepEqual(d.metadata.labels, { x: 'y' });
    const config = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 5 } };
    const apply = { ...at, fieldManager: 'js', body: config };
    await fails(apps.patchNamespacedDeployment(apply, patch(k8s.PatchStrategy.ServerSideApply)), 409, /conflict with "[^"]+"( using apps\/v1)?: \.spec\.replicas/);
    d = await apps.patchNamespacedDeployment({ ...apply, force: true }, patch(k8s.PatchStrategy.ServerSideApply));
    assert.equal(d.spec.replicas, 5);
    assert.ok(d.metadata.managedFields.some(m => m.manager === 'js' && m.operation === 'Apply'));
    const scale = await apps.readNamespacedDeploymentScale(at);
    assert.equal(scale.spec.replicas, 5);
    await apps.replaceNamespacedDeploymentScale({ ...at, body: { ...scale, spec: { replicas: 1 } } });
    d = await apps.readNamespacedDeploymentStatus(at);
    d.status = { observedGeneration: d.metadata.generation, replicas: 1, conditions: [] };
    d = await apps.replaceNamespacedDeploymentStatus({ ...at, body: d });
    assert.equal(d.status.replicas, 1);
    assert.equal(d.spec.replicas, 1);
    await apps.deleteNamespacedDeployment({ ...at, propagationPolicy: 'Background' });
  },

  async kinds() {
    const objects = k8s.KubernetesObjectApi.makeApiClient(kc);
    const all = [
      ['v1', 'Pod', { spec: template.spec }], ['v1', 'Service', { spec: { ports: [{ port: 80 }], selector: labels } }],
      ['v1', 'ReplicationController', { spec: { selector: labels, template } }], ['v1', 'PodTemplate', { template }],
      ['v1', 'PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
      ['v1', 'ServiceAccount', {}], ['v1', 'LimitRange', { spec: { limits: [{ type: 'Pod', max: { cpu: '9' } }] } }],
      ['v1', 'ResourceQuota', { spec: { hard: { 'count/things.example.com': '100' } } }],
      ['apps/v1', 'Deployment', { spec: { selector: { matchLabels: labels }, template } }],
      ['apps/v1', 'ReplicaSet', { spec: { selector: { matchLabels: labels }, template } }],
      ['apps/v1', 'StatefulSet', { spec: { serviceName: 'one', selector: { matchLabels: labels }, template } }],
      ['apps/v1', 'DaemonSet', { spec: { selector: { matchLabels: labels }, template } }],
      ['batch/v1', 'Job', { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } }],
      ['batch/v1', 'CronJob', { spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } } } }],
      ['autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'one' } } }],
      ['policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 1, selector: { matchLabels: labels } } }],
      ['networking.k8s.io/v1', 'Ingress', { spec: { defaultBackend: { service: { name: 'one', port: { number: 80 } } } } }],
      ['networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {} } }],
      ['rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }],
      ['rbac.authorization.k8s.io/v1', 'RoleBinding', { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'one' }, subjects: [] }],
      ['coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'me' } }],
      ['discovery.k8s.io/v1', 'EndpointSlice', { addressType: 'IPv4', endpoints: [] }],
      ['scheduling.k8s.io/v1', 'PriorityClass', { value: 1 }], ['storage.k8s.io/v1', 'StorageClass', { provisioner: 'x.y/z' }],
    ];
    for (const [apiVersion, kind, body] of all) {
      const meta = { name: 'one', namespace: /Class$/.test(kind) ? undefined : namespace };
      const made = await objects.create({ apiVersion, kind, metadata: meta, ...body });
      assert.equal(made.kind, kind);
      await objects.patch({ apiVersion, kind, metadata: { ...meta, labels: { seen: 'yes' } } }, undefined, undefined, undefined, undefined, k8s.PatchStrategy.MergePatch);
      const [read] = (await objects.list(apiVersion, kind, undefined, undefined, undefined, undefined, undefined, 'seen=yes')).items;
      assert.equal(read.metadata.uid, made.metadata.uid);
      await objects.delete({ apiVersion, kind, metadata: meta }, undefined, undefined, undefined, undefined, 'Background');
      // a claim stays until the controller says that no Pod has it
      const left = await objects.read({ apiVersion, kind, metadata: meta }).catch(err => assert.equal(err.code, 404));
      assert.ok(!left || (left.metadata.deletionTimestamp && left.metadata.finalizers.length), kind);
    }
  },

  async lists() {
    for (let i = 0; i < 25; i++)
      await core.createNamespacedConfigMap({ namespace, body: configmap(`p${i}`, {}, { labels: { page: String(i % 2) } }) });
    let names = [], _continue, left;
    do {
      const page = await core.listNamespacedConfigMap({ namespace, labelSelector: 'page', limit: 10, _continue });
      names.push(...page.items.map(i => i.metadata.name));
      ({ _continue } = page.metadata);
      left ??= page.metadata.remainingItemCount;
    } while (_continue);
    assert.equal(new Set(names).size, 25);
    assert.equal((await core.listNamespacedConfigMap({ namespace, labelSelector: 'page=1' })).items.length, 12);
    assert.equal((await core.listConfigMapForAllNamespaces({ fieldSelector: 'metadata.name=p3' })).items.length, 1);
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'page' });
    assert.equal((await core.listNamespacedConfigMap({ namespace, labelSelector: 'page' })).items.length, 0);
  },

  async watch() {
    const seen = [];
    let over;
    const request = await new k8s.Watch(kc).watch(`/api/v1/namespaces/${namespace}/configmaps`, { labelSelector: 'w', allowWatchBookmarks: true },
      (type, object) => { if (type !== 'BOOKMARK') seen.push(`${type} ${object.metadata.name} ${object.data?.k}`); }, err => { over = err ?? 'ended'; });
    await core.createNamespacedConfigMap({ namespace, body: configmap('w', { k: '1' }, { labels: { w: '' } }) });
    await core.patchNamespacedConfigMap({ name: 'w', namespace, body: { data: { k: '2' } } }, patch(k8s.PatchStrategy.MergePatch));
    await core.patchNamespacedConfigMap({ name: 'w', namespace, body: { metadata: { labels: { w: null } } } }, patch(k8s.PatchStrategy.MergePatch));
    await core.deleteNamespacedConfigMap({ name: 'w', namespace });
    await until('three events', () => seen.length >= 3);
    assert.deepEqual(seen, ['ADDED w 1', 'MODIFIED w 2', 'DELETED w 2']);
    request.abort();
    await until('the end of the watch', () => over);
  },

  // The one who runs this ends the server and starts it again between our lines.
  async informer() {
    const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector: 'i' });
    const informer = k8s.makeInformer(kc, `/api/v1/namespaces/${namespace}/configmaps`, list, 'i');
    const seen = new Map();
    let errors = 0;
    const note = o => seen.set(o.metadata.name, o.data.k);
    informer.on('add', note);
    informer.on('update', note);
    informer.on('delete', o => seen.delete(o.metadata.name));
    const start = () => informer.start().catch(again);
    const again = () => { errors++; setTimeout(start, 50); };
    informer.on('error', again);
    const make = (name, k) => core.createNamespacedConfigMap({ namespace, body: configmap(name, { k }, { labels: { i: '' } }) });
    await make('before', '1');
    await start();
    await make('live', '1');
    await until('the first two', () => seen.get('before') === '1' && seen.get('live') === '1');
    console.log('ready');
    await lines.next(); // the server has gone and come back
    await until('the server', () => core.patchNamespacedConfigMap({ name: 'live', namespace, body: { data: { k: '2' } } }, patch(k8s.PatchStrategy.MergePatch)).then(() => true, () => false));
    await core.deleteNamespacedConfigMap({ name: 'before', namespace });
    await make('after', '1');
    await until('what happened since', () => seen.size === 2 && seen.get('live') === '2' && seen.get('after') === '1');
    assert.deepEqual(informer.list(namespace).map(o => o.metadata.name).sort(), ['after', 'live']);
    assert.ok(errors > 0, 'the informer has noticed');
    await informer.stop();
  },

  async exec() {
    await core.createNamespacedPod({ namespace, body: { metadata: { name: 'x' }, spec: template.spec } });
    await fails(core.connectPostNamespacedPodExec({ name: 'x', namespace, command: 'true', container: 'c', stdout: true }), 400, /pod x does not have a host assigned/);
    await fails(core.readNamespacedPodLog({ name: 'x', namespace, container: 'd' }), 400, /container d is not valid for pod x/);
    const authn = kc.makeApiClient(k8s.AuthenticationV1Api);
    assert.ok((await authn.createSelfSubjectReview({ body: {} })).status.userInfo.groups.includes('system:masters'));
    const version = await kc.makeApiClient(k8s.VersionApi).getCode();
    assert.equal(version.major, '1');
  },
};

await scripts[script]();
process.exit(0);
