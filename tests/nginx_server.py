"""A real nginx with a folder of its own, on free ports, stopped by its own pid."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from peers import closed_port
from running_node import wait_until

WORKERS = 2


@dataclass(frozen=True)
class Nginx:
    """It runs `nginx.conf` of its folder, whose http block includes every file of `split.d`."""

    folder: Path
    program: str
    process: "subprocess.Popen[bytes]"

    @property
    def file(self) -> Path:
        """What a splitter renders."""
        return self.folder / "split.d" / "engram-split.conf"

    @property
    def log(self) -> Path:
        """The access log of the splitter."""
        return self.folder / "split.log"

    @property
    def errors(self) -> str:
        """What it said in its error log."""
        return (self.folder / "error.log").read_text(errors="replace")

    def command(self, *words: str) -> list[str]:
        """A command to this very nginx, such as `-t` or `-s reload`."""
        return [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), *words]

    def settle(self) -> None:
        """Wait until the workers of before a reload are gone."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        if not children.exists():
            return  # this kernel does not tell
        wait_until(lambda: len(children.read_text().split()) == WORKERS, "workers of before do not leave")

    def variables(self, routes: list[dict[str, Any]]) -> dict[str, Any]:
        """What an inventory says of it as a splitter; read back through the first route."""
        return {
            "engram_splitter_url": f"http://{routes[0]['listen']}",
            "engram_splitter_file": str(self.file),
            "engram_splitter_log": str(self.log),
            "engram_splitter_test_command": self.command("-t"),
            "engram_splitter_reload_command": self.command("-s", "reload"),
            "engram_splitter_routes": routes,
        }


@contextmanager
def nginx(folder: Path, content: str = "") -> Iterator[Nginx]:
    """It runs, with that content in its http block beside what a splitter will render."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (make setup installs it as root)")
    port = closed_port()
    _write_configuration(folder, content, port)
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    out = folder / "out.log"
    with (
        out.open("wb") as told,
        subprocess.Popen(command, stdout=told, stderr=told, stdin=subprocess.DEVNULL) as process,
    ):

        def ready() -> bool:
            if process.poll() is not None:
                pytest.fail(f"nginx ended with {process.returncode}: {out.read_text()}")
            return (folder / "nginx.pid").exists() and (folder / "nginx.pid").read_text().strip() == str(process.pid)

        try:
            wait_until(ready, "nginx did not get ready")
            yield Nginx(folder, program, process)
        finally:
            process.terminate()  # at once, its workers too
            process.wait(timeout=30)


def _write_configuration(folder: Path, content: str, port: int) -> None:
    (folder / "split.d").mkdir(exist_ok=True)
    temporary = "".join(
        f"    {name}_temp_path {folder}/temp_{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"worker_processes {WORKERS};\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        "events {\n    worker_connections 256;\n}\n"
        f"http {{\n    access_log off;\n{temporary}"
        f"    server {{\n        listen 127.0.0.1:{port};\n        return 204;\n    }}\n"
        f"{content}\n    include {folder}/split.d/*.conf;\n}}\n"
    )
