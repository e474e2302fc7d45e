"""sluice serve as a service: its manager's notifications, HTTPS, and every option by command line, environment and file."""

import contextlib
import datetime
import http.client
import ipaddress
import os
import re
import signal
import socket
import sqlite3
import ssl
import subprocess
import time

import pytest
from sluice import Service, program

# --- the service manager ---


class Manager:
    """The socket of a service manager; messages: what came so far, with its time."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)

    def wait(self, wanted, timeout_s=30.0):
        """Reads until `wanted` comes; what came before it."""
        before = []
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                message = self.socket.recv(4096).decode()
                if message == wanted:
                    return before
                before.append(message)
        raise AssertionError(f"{wanted} did not come, only {before}")

    def quiet_for(self, seconds):
        """How many messages come in this time."""
        count, deadline = 0, time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                self.socket.recv(4096)
                count += 1
        return count


@pytest.fixture(params=["path", "abstract"])
def notify(request, tmp_path, monkeypatch):
    name = str(tmp_path / "notify") if request.param == "path" else f"\0sluice-test-{os.getpid()}-{time.monotonic_ns()}"
    manager = Manager(name)
    monkeypatch.setenv("NOTIFY_SOCKET", name.replace("\0", "@"))
    yield manager
    manager.socket.close()


def test_the_manager_hears_of_start_and_stop(notify):
    service = Service()
    with service:
        assert notify.wait("READY=1") == []  # and it answers from then on:
        assert service.send(("GET", "/readyz", {}, None)).status == 200
        assert notify.quiet_for(0.5) == 0  # no watchdog was asked for
        service.process.send_signal(signal.SIGTERM)
        assert notify.wait("STOPPING=1") == []
        assert service.process.wait(30) == 0


def test_a_start_that_fails_tells_nothing_of_readiness(notify, tmp_path):
    done = subprocess.run([program(), "serve", "--data", str(tmp_path / "d"), "--http", "127.0.0.1:99999"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "--http is not valid" in done.stderr
    assert notify.quiet_for(0.3) == 0


@pytest.mark.parametrize("notify", ["path"], indirect=True)
def test_the_watchdog_is_fed_while_the_supervisor_works(notify, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", str(2_000_000))
    with Service() as service:
        notify.wait("READY=1")
        for _ in range(3):
            begun = time.monotonic()
            assert notify.wait("WATCHDOG=1", 5) == []
            assert time.monotonic() - begun < 2
        other = sqlite3.connect(service.data / "sluice.db", isolation_level=None, timeout=20)
        other.execute("BEGIN IMMEDIATE")  # the supervisor waits for the store
        time.sleep(2)
        assert notify.quiet_for(4) <= 1
        other.execute("ROLLBACK")
        notify.wait("WATCHDOG=1", 30)


@pytest.mark.parametrize("notify", ["path"], indirect=True)
def test_a_watchdog_of_another_process_is_none_of_ours(notify, monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with Service():
        notify.wait("READY=1")
        assert notify.quiet_for(1.5) == 0


# --- HTTPS ---


def make_certificate(folder, name):
    """A self-made certificate for 127.0.0.1: certificate file, key file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
                   .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256()))
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    key_file.chmod(0o600)
    return str(cert_file), str(key_file)


class TlsService(Service):
    """HTTPS alone."""

    listen = "https"

    def __init__(self, cert, key, *options):
        super().__init__("--cert", cert, "--key", key, *options)
        self.context = ssl.create_default_context(cafile=cert)

    def connection(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.context)


@pytest.fixture(scope="module")
def https(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    with TlsService(*make_certificate(folder, "service"), "--rate-limit", "0") as service:
        service.folder = folder
        yield service


@pytest.mark.parametrize("family", ["v1", "v3"])
def test_calls_over_tls(https, family):
    assert https.ok("DescribeDtsJobs", family=family)["TotalRecordCount"] == 0
    assert https.send(("GET", "/readyz", {}, None)).status == 200


def test_a_client_without_tls_gets_nothing(https):
    assert b"HTTP/" not in https.raw(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 3)
    assert https.ok("DescribeDtsJobs")["TotalRecordCount"] == 0  # and the service lives


def test_another_certificate_is_not_believed(https):
    other, _ = make_certificate(https.folder, "other")
    with socket.create_connection(("127.0.0.1", https.port), timeout=10) as s, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context(cafile=other).wrap_socket(s, server_hostname="127.0.0.1")


def handshake(port, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s, context.wrap_socket(s) as tls:
        return tls.version()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_versions(https):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert handshake(https.port, version) == version.name.replace("v1_", "v1.")
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionResetError)) as refused:
            handshake(https.port, version)
        # The service's end, not a refusal of this client's library ("no protocols available").
        assert getattr(refused.value, "reason", None) in ("TLSV1_ALERT_PROTOCOL_VERSION", "UNEXPECTED_EOF_WHILE_READING", None), refused.value


def test_the_command_line_over_tls(https, tmp_path):
    environment = {**os.environ, "ALIBABA_CLOUD_ACCESS_KEY_ID": https.key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": https.key_secret}
    command = [program(), "job", "list", "--endpoint", f"https://127.0.0.1:{https.port}", "--output", "json"]
    done = subprocess.run([*command, "--ca", str(https.folder / "service.pem")], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout.split() == ["[]"], done.stdout + done.stderr
    other, _ = make_certificate(tmp_path, "other")
    done = subprocess.run([*command, "--ca", other], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5 and "certificate" in done.stderr, done.stderr


def test_certificates_that_do_not_fit(tmp_path):
    cert, key = make_certificate(tmp_path, "a")
    _, other_key = make_certificate(tmp_path, "b")
    for options, text in (([], "--cert FILE and --key FILE"), (["--cert", cert], "--cert FILE and --key FILE"), (["--cert", cert, "--key", other_key], "certificate and key do not fit"),
                          (["--cert", cert, "--key", str(tmp_path / "nowhere")], "nowhere")):
        done = subprocess.run([program(), "serve", "--data", str(tmp_path / "d"), "--https", "127.0.0.1:0", *options], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0 and text in done.stderr and "event=ready" not in done.stderr, (options, done.stderr)


# --- options ---

# Every option of serve: a value that is used and one that is refused (None: any text is a value). What is not named here fails the test below.
OPTIONS = {
    "http": ("127.0.0.1:0", "nowhere"),
    "https": ("127.0.0.1:0", "127.0.0.1"),
    "cert": None,
    "key": None,
    "allow-endpoint": ("169.254.0.0/16,[::1]:8888,db.local:3306", "somewhere"),
    "region": ("eu-test-1", None),
    "rate-limit": ("7", "-1"),
    "rate-burst": ("9", "0"),
    "request-deadline": ("33", "0"),
    "max-workers": ("3", "x"),
    "lanes": ("4", "33"),
    "worker-memory": ("64", "1"),
    "log-level": ("info", "loud"),
}


def option_names():
    done = subprocess.run([program(), "serve", "--help"], capture_output=True, text=True, timeout=60, check=True)
    return re.findall(r"--([\w-]+)", "\n".join(line[:36] for line in done.stdout.splitlines() if line.startswith("  ")))


class Serve:
    """serve with options by one of the three ways; the context: its log, when it is ready or has ended."""

    def __init__(self, tmp_path, data):
        self.data, self.config = data, tmp_path / "sluice.ini"

    def run(self, *, line=None, environment=None, file=None, section=""):
        arguments = [program(), "serve", *(f"--{k}={v}" for k, v in (line or {}).items())]
        env = {k: v for k, v in os.environ.items() if not k.startswith("SLUICE_")}
        env.update({"SLUICE_" + k.upper().replace("-", "_"): v for k, v in (environment or {}).items()})
        if file is not None:
            self.config.write_text("; a comment\n" + section + "".join(f"{k} = {v}\n" for k, v in file.items()))
            arguments += ["--config", str(self.config)]
        process = subprocess.Popen(arguments, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        log = []
        for text in process.stderr:
            log.append(text)
            if "event=ready" in text:
                process.terminate()
        process.stderr.close()
        return process.wait(30), "".join(log)


@pytest.fixture
def serve(tmp_path):
    return Serve(tmp_path, str(tmp_path / "data"))


def used(log):
    """The options that serve says it uses."""
    line = next(text for text in log.splitlines() if "event=options" in text)
    return dict(re.findall(r' ([\w-]+)="([^"]*)"', line))


def test_every_option_by_every_way(serve, tmp_path):
    cert, key = make_certificate(tmp_path, "service")
    values = {"data": serve.data, **{name: pair[0] for name, pair in OPTIONS.items() if pair}, "cert": cert, "key": key}
    assert set(option_names()) == {*values, "config", "help"}  # a new option has to be tried here
    for way in ({"line": values}, {"environment": values}, {"file": values}, {"file": values, "section": "[serve]\n"}):
        status, log = serve.run(**way)
        assert status == 0 and "event=ready" in log, (way, log)
        said = used(log)
        assert {name: said.get(name) for name in values} == values, way
        assert len(re.findall("event=listening scheme=(https?) address=127.0.0.1", log)) == 2


@pytest.mark.parametrize("way", ["line", "environment", "file"])
@pytest.mark.parametrize("name", [name for name, pair in OPTIONS.items() if pair and pair[1]])
def test_every_option_is_checked_by_every_way(serve, tmp_path, name, way):
    base = {"data": serve.data, "http": "127.0.0.1:0"}
    if name == "https":
        base["cert"], base["key"] = make_certificate(tmp_path, "service")
    base.pop(name, None)
    ways = {"line": base}
    ways[way] = {**ways.get(way, {}), name: OPTIONS[name][1]}
    status, log = serve.run(**ways)
    assert status == 2 and f"error: --{name} is not valid" in log, log
    assert OPTIONS[name][1] in log and log.count("error:") == 1, log


def test_the_command_line_wins_over_environment_over_file(serve):
    base = {"data": serve.data, "http": "127.0.0.1:0"}
    file, environment, line = {**base, "lanes": "3", "region": "of-file", "rate-limit": "1"}, {"lanes": "5", "region": "of-environment"}, {"lanes": "7"}
    status, log = serve.run(file=file, environment=environment, line=line)
    said = used(log)
    assert status == 0 and (said["lanes"], said["region"], said["rate-limit"]) == ("7", "of-environment", "1")


def test_an_option_from_the_environment_has_its_effect(monkeypatch):
    monkeypatch.setenv("SLUICE_REGION", "eu-test-1")
    monkeypatch.setenv("SLUICE_RATE_LIMIT", "1")
    monkeypatch.setenv("SLUICE_RATE_BURST", "3")
    with Service() as service:
        codes = [service.call("DescribeDtsJobs") for _ in range(8)]
        assert {a.json.get("Code") for a in codes} == {None, "Throttling.User"}
        assert used(service.log())["region"] == "eu-test-1"


@pytest.mark.parametrize("text,said", [("lames = 3\n", 'unknown key "lames"'), ("config = x\n", 'unknown key "config"'), ("lanes\n", "line 1"), ("[serve\nlanes = 3\n", "line 1"),
                                       ("lanes = 3\nregion = " + "x" * 200, "line 2 is longer than"), ("lanes = 3\0\n", "zero byte"), ("lanes = 3\nlanes = 4\n", '"3,4" is not a number')])
def test_files_that_are_refused(serve, tmp_path, text, said):
    path = tmp_path / "bad.ini"
    path.write_text(text)
    done = subprocess.run([program(), "serve", "--data", serve.data, "--http", "127.0.0.1:0", "--config", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_file_that_is_not_there(serve, tmp_path):
    done = subprocess.run([program(), "serve", "--data", serve.data, "--http", "127.0.0.1:0", "--config", str(tmp_path / "nowhere.ini")],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "nowhere.ini" in done.stderr and "event=" not in done.stderr


def test_switches_in_the_environment(sluice_server):
    """A switch that says no is not given."""
    for value, shown in (("1", True), ("true", True), ("0", False), ("No", False), ("off", False), ("false", False), ("", False)):
        environment = {**os.environ, "ALIBABA_CLOUD_ACCESS_KEY_ID": sluice_server.key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": sluice_server.key_secret, "SLUICE_DEBUG": value}
        done = subprocess.run([program(), "job", "list", "--endpoint", f"http://127.0.0.1:{sluice_server.port}"], capture_output=True, text=True, timeout=60, check=True,
                              env=environment)
        assert ("POST " in done.stderr) == shown, value
