"""A running `sluice serve` for tests, and the two request signatures written independently of the program."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = "2020-01-01"
START_S = 30


def program():
    """$SLUICE_BIN, else the sanitized build, else the plain one."""
    named = os.environ.get("SLUICE_BIN")
    paths = [Path(named)] if named else [ROOT / "build/asan/sluice", ROOT / "build/sluice"]
    for path in paths:
        if path.exists():
            return str(path)
    raise FileNotFoundError(f"no sluice program at {', '.join(map(str, paths))}: build it first")


class Service:
    """One service with its own data folder and one key; a context manager. options: of `sluice serve`; popen: more arguments of its process."""

    listen = "http"

    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix="sluice-e2e-")
        self.data = Path(self.dir) / "data"
        self.log_path = Path(self.dir) / "serve.log"
        self.options = list(options)
        self.popen = {}
        self.process = None
        self.port = 0

    def __enter__(self):
        self.key_id, self.key_secret = self.create_key()
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *arguments, check=True):
        done = subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise AssertionError(f"sluice {' '.join(arguments)}: status {done.returncode}: {done.stderr}")
        return done

    def client(self, *arguments, check=True):
        """A command that asks this service, as the user with its key."""
        env = {**os.environ, "SLUICE_ENDPOINT": f"http://127.0.0.1:{self.port}", "ALIBABA_CLOUD_ACCESS_KEY_ID": self.key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.key_secret}
        done = subprocess.run([program(), *arguments], env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 or not check, f"sluice {' '.join(arguments)}: status {done.returncode}: {done.stderr}"
        return done

    def create_key(self, *options):
        key = json.loads(self.run("key", "create", "--data", str(self.data), "--output", "json", *options).stdout)
        return key["AccessKeyId"], key["AccessKeySecret"]

    def temporary_key(self, ttl_s):
        text = self.run("key", "sts", self.key_id, "--data", str(self.data), "--ttl", str(ttl_s), "--output", "json").stdout
        key = json.loads(text)
        return key["AccessKeyId"], key["AccessKeySecret"], key["SecurityToken"]

    def start(self):
        begin = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program(), "serve", "--data", str(self.data), f"--{self.listen}", f"127.0.0.1:{self.port}", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.popen)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = re.search(r"event=listening .*port=(\d+)", self.log()[begin:])
            if found and "event=ready" in self.log()[begin:]:
                self.port = int(found.group(1))
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"sluice serve did not start: {self.log()[-2000:]}")

    def stop(self):
        """SIGTERM; a service that does not end with status 0 is a failure."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("sluice serve did not end on SIGTERM") from None
        if status:
            raise AssertionError(f"sluice serve ended with status {status}: {self.log()[-4000:]}")

    def kill9(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def send(self, request):
        """Sends (method, target, headers, body); returns an Answer."""
        method, target, headers, body = request
        with contextlib.closing(self.connection()) as c:
            c.request(method, target, body=body, headers=headers)
            return Answer(c.getresponse())

    def raw(self, data, wait_s=5.0):
        """Bytes in, every byte that comes back until the server closes or wait_s without a byte."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            s.settimeout(wait_s)
            got = b""
            try:
                s.sendall(data)
                while chunk := s.recv(65536):
                    got += chunk
            except OSError:
                pass
            return got

    def sign_v1(self, action, params=None, **options):
        return sign_v1(action, params, key=(self.key_id, self.key_secret), **{"host": f"127.0.0.1:{self.port}", **options})

    def sign_v3(self, action, params=None, **options):
        return sign_v3(action, params, key=(self.key_id, self.key_secret), host=f"127.0.0.1:{self.port}", **options)

    def call(self, action, params=None, *, family="v3", **options):
        """A signed call; an Answer."""
        return self.send((self.sign_v3 if family == "v3" else self.sign_v1)(action, params, **options))

    def ok(self, action, params=None, **options):
        """A signed call that must succeed; its members."""
        answer = self.call(action, params, **options)
        assert answer.status == 200, (action, answer.status, answer.text)
        return answer.json


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)


def encode(text):
    return urllib.parse.quote(str(text), safe="~")


def joined(params):
    return "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(params.items()))


def now(offset_s=0):
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=offset_s)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def sign_v1(action, params=None, *, key, method="GET", fmt="JSON", body_params=None, all_in_body=False, token=None, offset_s=0,
            nonce=None, drop=(), change=None, host="127.0.0.1", version=VERSION):
    """HMAC-SHA1 over sorted parameters. drop: names left out before signing; change: values put in after signing."""
    query = {"AccessKeyId": key[0], "Action": action, "Version": version, "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
             "SignatureNonce": nonce or str(uuid.uuid4()), "Timestamp": now(offset_s), **(params or {})}
    if fmt:
        query["Format"] = fmt
    if token:
        query["SecurityToken"] = token
    query = {k: v for k, v in query.items() if k not in drop}
    body = dict(body_params or {})
    text = f"{method}&%2F&{encode(joined({**query, **body}))}"
    if "Signature" not in drop:
        query["Signature"] = base64.b64encode(hmac.new((key[1] + "&").encode(), text.encode(), hashlib.sha1).digest()).decode()
    query.update(change or {})
    if all_in_body:
        query, body = {}, {**query, **body}
    headers = {"Host": host}
    if body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return method, "/" + ("?" + joined(query) if query else ""), headers, joined(body).encode() if body else None


def sign_v3(action, params=None, *, key, method="POST", body_params=None, token=None, offset_s=0, nonce=None, drop=(), change=None,
            host="127.0.0.1", version=VERSION):
    """ACS3-HMAC-SHA256. drop: headers neither sent nor signed; change: header values put in after signing."""
    body = joined(body_params).encode() if body_params else b""
    headers = {"host": host, "x-acs-action": action, "x-acs-version": version, "x-acs-date": now(offset_s),
               "x-acs-signature-nonce": nonce or uuid.uuid4().hex, "x-acs-content-sha256": hashlib.sha256(body).hexdigest()}
    if body:
        headers["content-type"] = "application/x-www-form-urlencoded"
    if token:
        headers["x-acs-security-token"] = token
    headers = {k: v for k, v in headers.items() if k not in drop}
    names = ";".join(sorted(headers))
    query = joined(params or {})
    canonical = "\n".join([method, "/", query, "".join(f"{k}:{headers[k]}\n" for k in sorted(headers)), names, hashlib.sha256(body).hexdigest()])
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    mac = hmac.new(key[1].encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = f"ACS3-HMAC-SHA256 Credential={key[0]},SignedHeaders={names},Signature={mac}"
    headers.update(change or {})
    return method, "/" + ("?" + query if query else ""), headers, body


def endpoints(source, target):
    """Endpoint parameters of two private servers (tests/servers)."""
    out = {}
    for side, server in (("Source", source), ("Destination", target)):
        out.update({f"{side}EndpointInstanceType": "OTHER", f"{side}EndpointEngineName": server.kind.upper(), f"{side}EndpointIP": "127.0.0.1",
                    f"{side}EndpointPort": str(server.port), f"{side}EndpointUserName": server.user, f"{side}EndpointPassword": server.root_password})
        if server.kind == "postgresql":
            name = "DataBaseName" if side == "Destination" else "DatabaseName"
            out[f"{side}Endpoint{name}"] = "postgres"
    return out


def job_params(ends, database, **more):
    """Parameters of ConfigureDtsJob for all of one database."""
    return {"DtsJobName": f"copy of {database}", "JobType": "MIGRATION", "StructureInitialization": "true", "DataInitialization": "true",
            "DataSynchronization": "true", "Reserve": json.dumps({"autoStartModulesAfterConfig": "none"}),
            "DbList": json.dumps({database: {"name": database, "all": True}}), **ends, **more}


# Endpoints where nothing listens: for tests that never start a job.
NOWHERE = {f"{side}Endpoint{name}": value for side in ("Source", "Destination")
           for name, value in {"InstanceType": "OTHER", "EngineName": "MYSQL", "IP": "192.0.2.10", "Port": "3306", "UserName": "u",
                               "Password": "planted-Passw0rd"}.items()}


def wait_for(read, wanted, timeout_s=60):
    """read() until it gives one of `wanted`; the value."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = read()
        if value in wanted:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {timeout_s} s, waited for {wanted}")
        time.sleep(0.1)
