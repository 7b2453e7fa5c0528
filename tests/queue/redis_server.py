"""A Redis of one's own, which a test may stop, restart and freeze."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from redis import Redis
from redis.exceptions import RedisError

from tests.services.redis import find_program

START_SECONDS = 10


class RedisServer:
    """On a free port, behind a password if one is given, and with TLS beside that. Keeps nothing on disk."""

    def __init__(self, password: str = "", *, with_tls: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="belfry-redis-"))
        self.socket = self.folder / "redis.sock"
        self.port = free_port()
        self.tls_port = free_port() if with_tls else 0
        self.certificate = self.folder / "certificate.pem"
        self.password = password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        login = f":{self.password}@" if self.password else ""
        return f"redis://{login}127.0.0.1:{self.port}/0"

    @property
    def tls_url(self) -> str:
        return f"rediss://:{self.password}@127.0.0.1:{self.tls_port}/0"

    @property
    def client(self) -> Redis:
        return Redis.from_url(self.url, protocol=2)

    def start(self) -> "RedisServer":
        more = ["--requirepass", self.password] if self.password else []
        more += self._tls_options() if self.tls_port else []
        command = [str(find_program()), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "no", "--unixsocket", str(self.socket), *more]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            try:
                with self.client as client:
                    client.ping()
            except RedisError:
                continue
            return self
        raise AssertionError("Redis did not start")

    def _tls_options(self) -> list[str]:
        key = write_certificate(self.certificate)
        files = ["--tls-cert-file", str(self.certificate), "--tls-key-file", str(key)]
        return ["--tls-port", str(self.tls_port), *files, "--tls-auth-clients", "no"]

    def stop(self) -> None:
        """Gone, with all that was in it. Connections are refused."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It takes connections and bytes, and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def write_certificate(path: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself. Returns where its key is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path = path.with_suffix(".key")
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key_path
