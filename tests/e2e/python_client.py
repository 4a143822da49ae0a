#!/usr/bin/env python3
"""python_client.py SCRIPT - what programs do with Kubernetes' own client for Python.
KUBECONFIG says which server.  Exits 0 when all was as it must be."""
import json
import sys
import tempfile
import threading
import time
import warnings

import urllib3
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.dynamic.exceptions import NotFoundError
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock

warnings.simplefilter('ignore')
config.load_kube_config()
core, apps, batch = client.CoreV1Api(), client.AppsV1Api(), client.BatchV1Api()
NS = 'default'
LABELS = {'app': 'web'}
TEMPLATE = {'metadata': {'labels': LABELS}, 'spec': {'containers': [{'name': 'c', 'image': 'web:1'}]}}


def fails(code, words, what, *args, **kwargs):
    try:
        what(*args, **kwargs)
    except ApiException as err:
        message = json.loads(err.body)['message']
        assert err.status == code and words in message, f'{err.status}: {message}'
        return
    assert False, 'this must fail'


def until(what, test, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if test():
            return
        time.sleep(0.02)
    assert False, f'in vain: {what}'


def configmap(name, data, **meta):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, **meta), data=data)


def deployment(name, replicas=1):
    return client.V1Deployment(
        metadata=client.V1ObjectMeta(name=name),
        spec=client.V1DeploymentSpec(
            replicas=replicas, selector=client.V1LabelSelector(match_labels=LABELS),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=LABELS),
                spec=client.V1PodSpec(containers=[client.V1Container(name='c', image='web:1')]))))


def crud():
    made = core.create_namespaced_config_map(NS, configmap('a', {'k': 'v'}))
    assert made.metadata.uid and made.metadata.creation_timestamp.tzinfo
    fails(409, 'configmaps "a" already exists', core.create_namespaced_config_map, NS, configmap('a', {}))
    made.data = {'k': 'w'}
    newer = core.replace_namespaced_config_map('a', NS, made)
    assert newer.metadata.resource_version != made.metadata.resource_version
    fails(409, 'the object has been modified', core.replace_namespaced_config_map, 'a', NS,
          configmap('a', {}, resource_version=made.metadata.resource_version))
    assert core.read_namespaced_config_map('a', NS).data == {'k': 'w'}
    fails(404, 'configmaps "b" not found', core.read_namespaced_config_map, 'b', NS)
    fails(422, 'spec.containers: Required value', core.create_namespaced_pod, NS,
          {'metadata': {'name': 'p'}, 'spec': {'containers': []}})
    core.create_namespaced_config_map(NS, configmap('dry', {}), dry_run='All')
    fails(404, 'not found', core.read_namespaced_config_map, 'dry', NS)
    assert core.delete_namespaced_config_map('a', NS).status == 'Success'
    pod = core.create_namespaced_pod(NS, {'metadata': {'name': 'p'}, 'spec': TEMPLATE['spec']})
    assert pod.spec.restart_policy == 'Always' and pod.status.phase == 'Pending'
    pod.status.phase = 'Running'
    assert core.replace_namespaced_pod_status('p', NS, pod).status.phase == 'Running'
    core.create_namespaced_pod_eviction('p', NS, client.V1Eviction(metadata=client.V1ObjectMeta(name='p')))
    fails(404, 'pods "p" not found', core.read_namespaced_pod, 'p', NS)


def patches():
    apps.create_namespaced_deployment(NS, deployment('d'))
    # a list is a JSON Patch, a dict a strategic merge patch: the client chooses
    d = apps.patch_namespaced_deployment('d', NS, [{'op': 'replace', 'path': '/spec/replicas', 'value': 2}])
    assert d.spec.replicas == 2
    d = apps.patch_namespaced_deployment(
        'd', NS, {'spec': {'template': {'spec': {'containers': [{'name': 'd', 'image': 'side:1'}]}}}})
    assert sorted(c.name for c in d.spec.template.spec.containers) == ['c', 'd']
    merge = dynamic_client().resources.get(api_version='apps/v1', kind='Deployment')
    d = merge.patch(name='d', namespace=NS, body={'metadata': {'labels': {'x': 'y', 'z': None}}},
                    content_type='application/merge-patch+json')
    assert d.metadata.labels.x == 'y' and not d.metadata.labels.z
    scale = apps.read_namespaced_deployment_scale('d', NS)
    scale.spec.replicas = 4
    assert apps.replace_namespaced_deployment_scale('d', NS, scale).spec.replicas == 4
    assert apps.patch_namespaced_deployment_scale('d', NS, {'spec': {'replicas': 1}}).spec.replicas == 1
    d = apps.read_namespaced_deployment_status('d', NS)
    d.status.observed_generation = d.metadata.generation
    d.status.replicas = 1
    assert apps.replace_namespaced_deployment_status('d', NS, d).status.replicas == 1
    fails(422, 'field is immutable', apps.patch_namespaced_deployment, 'd', NS,
          {'spec': {'selector': {'matchLabels': {'app': 'x'}}}})
    apps.delete_namespaced_deployment('d', NS, propagation_policy='Background')


def dynamic_client():
    return dynamic.DynamicClient(client.ApiClient())


def kinds():
    d = dynamic_client()
    once = {'template': {'spec': {**TEMPLATE['spec'], 'restartPolicy': 'Never'}}}
    works = {'selector': {'matchLabels': LABELS}, 'template': TEMPLATE}
    for version, kind, body in [
            ('v1', 'Pod', {'spec': TEMPLATE['spec']}), ('v1', 'Service', {'spec': {'ports': [{'port': 80}]}}),
            ('v1', 'Secret', {'stringData': {'a': 'b'}}), ('v1', 'ServiceAccount', {}),
            ('v1', 'ReplicationController', {'spec': {'selector': LABELS, 'template': TEMPLATE}}),
            ('apps/v1', 'Deployment', {'spec': works}), ('apps/v1', 'ReplicaSet', {'spec': works}),
            ('apps/v1', 'DaemonSet', {'spec': works}),
            ('apps/v1', 'StatefulSet', {'spec': {**works, 'serviceName': 'one'}}),
            ('batch/v1', 'Job', {'spec': once}),
            ('batch/v1', 'CronJob', {'spec': {'schedule': '0 0 * * *', 'jobTemplate': {'spec': once}}}),
            ('policy/v1', 'PodDisruptionBudget', {'spec': {'minAvailable': 1, 'selector': {'matchLabels': LABELS}}}),
            ('networking.k8s.io/v1', 'Ingress',
             {'spec': {'defaultBackend': {'service': {'name': 'one', 'port': {'number': 80}}}}}),
            ('networking.k8s.io/v1', 'NetworkPolicy', {'spec': {'podSelector': {}}}),
            ('coordination.k8s.io/v1', 'Lease', {'spec': {'holderIdentity': 'me'}})]:
        r = d.resources.get(api_version=version, kind=kind)
        made = r.create(body={'apiVersion': version, 'kind': kind, 'metadata': {'name': 'one'}, **body}, namespace=NS)
        r.patch(name='one', namespace=NS, body={'metadata': {'labels': {'seen': 'yes'}}},
                content_type='application/merge-patch+json')
        read, = r.get(namespace=NS, label_selector='seen=yes').items
        assert read.metadata.uid == made.metadata.uid and read.kind == kind
        r.delete(name='one', namespace=NS, body={'propagationPolicy': 'Background'})
        try:
            r.get(name='one', namespace=NS)
            assert False, kind
        except NotFoundError:
            pass
    with tempfile.NamedTemporaryFile('w', suffix='.yaml') as f:
        f.write('apiVersion: v1\nkind: Namespace\nmetadata: {name: from-yaml}\n---\n'
                'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: from-yaml}\ndata: {a: "1"}\n')
        f.flush()
        utils.create_from_yaml(client.ApiClient(), f.name)
    assert core.read_namespaced_config_map('c', 'from-yaml').data == {'a': '1'}


def lists():
    for i in range(25):
        core.create_namespaced_config_map(NS, configmap(f'p{i}', {}, labels={'page': str(i % 2)}))
    names, more = set(), None
    while True:
        page = core.list_namespaced_config_map(NS, label_selector='page', limit=10, _continue=more)
        names |= {i.metadata.name for i in page.items}
        if not (more := page.metadata._continue):
            break
    assert len(names) == 25
    assert len(core.list_namespaced_config_map(NS, label_selector='page in (1)').items) == 12
    assert len(core.list_config_map_for_all_namespaces(field_selector='metadata.name=p3').items) == 1
    core.delete_collection_namespaced_config_map(NS, label_selector='page')
    assert not core.list_namespaced_config_map(NS, label_selector='page').items


def watches():
    """The one who runs this ends the server and starts it again between our lines."""
    seen, stop = [], threading.Event()

    def follow():
        version = core.list_namespaced_config_map(NS, label_selector='w').metadata.resource_version
        while not stop.is_set():
            try:
                for e in watch.Watch().stream(core.list_namespaced_config_map, NS, label_selector='w',
                                              resource_version=version, timeout_seconds=3):
                    version = e['object'].metadata.resource_version
                    seen.append((e['type'], e['object'].metadata.name, (e['object'].data or {}).get('k')))
            except (urllib3.exceptions.HTTPError, ApiException, OSError):
                time.sleep(0.1)

    def make(name):
        core.create_namespaced_config_map(NS, configmap(name, {'k': '1'}, labels={'w': ''}))

    threading.Thread(target=follow, daemon=True).start()
    time.sleep(0.5)
    make('one')
    core.patch_namespaced_config_map('one', NS, {'data': {'k': '2'}})
    until('the first events', lambda: len(seen) == 2)
    print('ready', flush=True)
    sys.stdin.readline()  # the server has gone and come back

    def back():
        try:
            make('two')
            return True
        except (urllib3.exceptions.HTTPError, ApiException, OSError):
            return False
    until('the server', back)
    core.delete_namespaced_config_map('one', NS)
    until('all events', lambda: len(seen) == 4)
    assert seen == [('ADDED', 'one', '1'), ('MODIFIED', 'one', '2'), ('ADDED', 'two', '1'), ('DELETED', 'one', '2')], seen
    # from before what there was: every event again, in order, and once each
    again = [e['type'] for e in watch.Watch().stream(core.list_namespaced_config_map, NS, label_selector='w',
                                                     resource_version='1', timeout_seconds=1)]
    assert again == ['ADDED', 'MODIFIED', 'ADDED', 'DELETED'], again
    stop.set()


def leaders():
    """Two candidates, one lock: one leads."""
    led = []

    def candidate(name):
        lock = ConfigMapLock('election', NS, name)
        leaderelection.LeaderElection(electionconfig.Config(
            lock, lease_duration=4, renew_deadline=3, retry_period=1, onstarted_leading=lambda: led.append(name),
            onstopped_leading=lambda: None)).run()

    threading.Thread(target=candidate, args=('first',), daemon=True).start()
    until('a leader', lambda: led == ['first'])
    key = 'control-plane.alpha.kubernetes.io/leader'
    lock = core.read_namespaced_config_map('election', NS)
    assert json.loads(lock.metadata.annotations[key])['holderIdentity'] == 'first'
    threading.Thread(target=candidate, args=('second',), daemon=True).start()
    time.sleep(2.5)
    assert led == ['first'], 'one leads at a time'
    core.delete_namespaced_config_map('election', NS)  # the lock is free: the first to come has it
    until('another lock', lambda: (lock := core.list_namespaced_config_map(
        NS, field_selector='metadata.name=election').items) and key in lock[0].metadata.annotations)
    # the same by Leases and their versions, as controllers do it
    leases = client.CoordinationV1Api()
    lease = leases.create_namespaced_lease(NS, {'metadata': {'name': 'l'}, 'spec': {'holderIdentity': 'a'}})
    lease.spec.holder_identity = 'b'
    leases.replace_namespaced_lease('l', NS, lease)
    fails(409, 'the object has been modified', leases.replace_namespaced_lease, 'l', NS, lease)


def others():
    core.create_namespaced_pod(NS, {'metadata': {'name': 'x'}, 'spec': TEMPLATE['spec']})
    fails(400, 'pod x does not have a host assigned', core.connect_post_namespaced_pod_exec, 'x', NS, command='true',
          container='c')
    assert core.read_namespaced_pod_log('x', NS) == ''
    assert client.VersionApi().get_code().major == '1'
    groups = [g.name for g in client.ApisApi().get_api_versions().groups]
    assert groups[0] == 'apiregistration.k8s.io' or 'apps' in groups
    review = client.AuthorizationV1Api().create_self_subject_access_review(
        {'spec': {'resourceAttributes': {'verb': 'delete', 'resource': 'pods', 'namespace': NS}}})
    assert review.status.allowed
    core.create_namespaced_service_account(NS, {'metadata': {'name': 'robot'}})
    token = core.create_namespaced_service_account_token(
        'robot', NS, client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[])))
    assert token.status.token.count('.') == 2
    fails(403, 'is forbidden', as_token(token.status.token).list_namespaced_secret, NS)


def as_token(token):
    c = client.Configuration.get_default_copy()
    c.api_key, c.api_key_prefix = {'authorization': token}, {'authorization': 'Bearer'}
    c.cert_file = c.key_file = None
    return client.CoreV1Api(client.ApiClient(c))


globals()[sys.argv[1]]()
