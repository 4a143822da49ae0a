"""A gRPC server with the health service: health_server.py STATUS PORTFILE.  STATUS is the number it
answers for the service "", "slow" never answers, other services are NOT_FOUND; "none" has no
health service at all."""
import os
import sys
import time
from concurrent import futures

import grpc


def check(request, context):
    service = request[2:].decode() if request else ""
    if service == "slow":
        time.sleep(5)
    if service not in ("", "slow"):
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    return bytes([8, int(sys.argv[1])])


server = grpc.server(futures.ThreadPoolExecutor(4))
if sys.argv[1] != "none":
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(check)}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with open(sys.argv[2] + ".new", "w") as f:
    f.write(str(port))
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.wait_for_termination()
