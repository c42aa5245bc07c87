"""Nodes that are reached over https: nginx checks whom it talks to, and sends nothing to anyone else."""

import http.client
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from ansible_collections.engram.ops.plugins.module_utils.split_render import rendered
from ansible_collections.engram.ops.plugins.module_utils.split_values import FIRST, split_of
from nginx_server import nginx
from peers import closed_port


class Told(BaseHTTPRequestHandler):
    """A node that tells the group of a request."""

    def do_GET(self) -> None:
        """Answer with the header."""
        body = self.headers["X-Engram-Group"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """One for `localhost`, which is its own authority, and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    return made, key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where certificates lie."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def node(folder: Path) -> Iterator[int]:
    """The port of a node that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder, "node"))
    with HTTPServer(("127.0.0.1", 0), Told) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize(("authority", "status"), [("node", 200), ("other", 502)])
def test_a_certificate_that_is_not_the_node_s_is_not_talked_to(
    folder: Path, tmp_path: Path, node: int, authority: str, status: int
) -> None:
    """The authorities are those that the inventory names."""
    trusted = folder / f"{authority}.pem"
    if not trusted.exists():
        certificate(folder, authority)
    port = closed_port()
    routes = [{"listen": f"127.0.0.1:{port}", "control": [f"https://localhost:{node}"], "mirror": True}]
    inputs = {"routes": routes, "log": str(tmp_path / "split.log"), "authorities": str(trusted)}
    (tmp_path / "split.d").mkdir()
    (tmp_path / "split.d" / "engram-split.conf").write_text(rendered(split_of(FIRST, inputs)))
    with nginx(tmp_path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", "/api/v1/memories/recall?query=x&observe=false")
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
    assert (answer.status, body == b"control") == (status, status == 200)
