"""What the front door refuses: forged, replayed and late requests, hostile framing, slow and huge clients; policies; the metrics page."""

import concurrent.futures
import json
import re
import socket
import subprocess
import time
import uuid

import pytest
from servers.cache import cache_dir
from sluice import NOWHERE, ROOT, Service, encode, job_params, sign_v1, sign_v3

PASSWORD = NOWHERE["SourceEndpointPassword"]


def code(answer):
    return answer.status, answer.json["Code"]


@pytest.mark.parametrize("offset_s,accepted", [(-800, True), (800, True), (-1000, False), (1000, False)])
@pytest.mark.parametrize("family", ["v1", "v3"])
def test_time_window(sluice_server, family, offset_s, accepted):
    answer = sluice_server.call("DescribeDtsJobs", family=family, offset_s=offset_s)
    assert answer.status == 200 if accepted else code(answer) == (400, "InvalidTimeStamp.Expired"), answer.text


def test_time_format(sluice_server):
    assert code(sluice_server.call("DescribeDtsJobs", {"Timestamp": "yesterday"}, family="v1")) == (400, "InvalidTimeStamp.Format")


@pytest.mark.parametrize("name", ["Action", "Version", "AccessKeyId", "Signature", "SignatureNonce", "Timestamp"])
def test_missing_parameter_v1(sluice_server, name):
    answer = sluice_server.call("DescribeDtsJobs", family="v1", drop=(name,))
    wanted = (400, "InvalidVersion") if name == "Version" else (400, "MissingParameter")
    assert code(answer) == wanted, answer.text
    if name != "Version":
        assert answer.json["DynamicMessage"] == name and f'"{name}"' in answer.json["Message"]


@pytest.mark.parametrize("name", ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"])
def test_unsigned_header_v3(sluice_server, name):
    assert code(sluice_server.call("DescribeDtsJobs", drop=(name,))) == (400, "IncompleteSignature")


def test_forged_v1(sluice_server):
    for change in ({"Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {"PageSize": "1"}, {"Signature": ""}):
        answer = sluice_server.call("DescribeDtsJobs", {"PageSize": "30"}, family="v1", change=change)
        assert answer.json["Code"] in ("SignatureDoesNotMatch", "MissingParameter"), answer.text
    answer = sluice_server.call("DescribeDtsJobs", {"PageSize": "30"}, family="v1", change={"PageSize": "1"})
    assert "server string to sign is:GET&%2F&" in answer.json["Message"]  # old Go clients compare it with theirs


def test_forged_v3(sluice_server):
    for change in ({"x-acs-action": "DeleteDtsJob"}, {"x-acs-date": "2026-01-02T03:04:05Z"}, {"x-acs-signature-nonce": "other"}):
        assert code(sluice_server.call("DescribeDtsJobs", change=change))[0] == 400
    method, target, headers, _ = sluice_server.sign_v3("DeleteDtsJob", body_params={"DtsJobId": "l3m1213ye7l0000"})
    assert code(sluice_server.send((method, target, headers, b"DtsJobId=l3m1213ye7l0001"))) == (400, "SignatureDoesNotMatch")
    assert code(sluice_server.send((method, target + "?JobType=SYNC", headers, b"DtsJobId=l3m1213ye7l0000"))) == (400, "SignatureDoesNotMatch")


def test_other_algorithms(sluice_server):
    assert code(sluice_server.call("DescribeDtsJobs", {"SignatureMethod": "HMAC-SHA256"}, family="v1")) == (400, "InvalidSignatureMethod")
    for name in ("ACS3-HMAC-SM3", "ACS3-RSA-SHA256"):
        method, target, headers, body = sluice_server.sign_v3("DescribeDtsJobs")
        headers["Authorization"] = headers["Authorization"].replace("ACS3-HMAC-SHA256", name)
        assert code(sluice_server.send((method, target, headers, body))) == (400, "InvalidSignatureMethod")


def test_unknown_key(sluice_server):
    for sign in (sign_v1, sign_v3):
        answer = sluice_server.send(sign("DescribeDtsJobs", key=("LTAInobody", "x"), host=f"127.0.0.1:{sluice_server.port}"))
        assert code(answer) == (404, "InvalidAccessKeyId.NotFound")


@pytest.mark.parametrize("family", ["v1", "v3"])
def test_unknown_action(sluice_server, family):
    for action in ("DescribeInstances", "deletedtsjob", "../DeleteDtsJob", "x" * 3000):
        assert code(sluice_server.call(action, family=family)) == (404, "InvalidAction.NotFound")
    assert code(sluice_server.call("DescribeDtsJobs", family=family, version="2019-01-01")) == (400, "InvalidVersion")


def test_methods(sluice_server):
    for method in ("PUT", "DELETE", "PATCH"):
        assert code(sluice_server.call("DescribeDtsJobs", family="v1", method=method))[1] == "UnsupportedHTTPMethod"


@pytest.mark.parametrize("family", ["v1", "v3"])
def test_replay(family):
    """Of 50 copies at once exactly one passes; the nonce is still known after kill -9 and a start."""
    with Service("--rate-limit", "0") as s:
        request = (s.sign_v1 if family == "v1" else s.sign_v3)("DescribeDtsJobs")
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = [a.result() for a in [pool.submit(s.send, request) for _ in range(50)]]
        assert sorted(a.status for a in answers) == [200] + [400] * 49
        assert {a.json["Code"] for a in answers if a.status == 400} == {"SignatureNonceUsed"}
        s.kill9()
        s.start()
        assert code(s.send(request)) == (400, "SignatureNonceUsed")


def test_a_bad_signature_uses_no_nonce(sluice_server):
    nonce = str(uuid.uuid4())
    assert sluice_server.call("DescribeDtsJobs", family="v1", nonce=nonce, change={"PageSize": "7"}).status == 400
    assert sluice_server.call("DescribeDtsJobs", family="v1", nonce=nonce).status == 200


HOST = b"Host: localhost\r\n"
# name, bytes, what one answer's status line may be (None: closed without an answer)
FRAMING = [
    ("length and chunked", b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /readyz HTTP/1.1\r\nHost: h\r\n\r\n", {400}),
    ("two lengths", b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nContent-Length: 35\r\n\r\nGET /readyz HTTP/1.1\r\nHost: h\r\n\r\n", {400}),
    ("signed length", b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nhello", {400}),
    ("xchunked", b"POST /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400}),
    ("space before colon", b"POST /healthz HTTP/1.1\r\n" + HOST + b"Content-Length : 5\r\n\r\nhello", {400}),
    ("no host", b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
    ("two hosts", b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n", {400}),
    ("two authorizations", b"GET / HTTP/1.1\r\n" + HOST + b"Authorization: ACS3-HMAC-SHA256 a\r\nAuthorization: b\r\n\r\n", {400}),
    ("no version", b"GARBAGE\r\n\r\n", {400, None}),
    ("binary", bytes(range(256)) * 4, {400, None}),
]


@pytest.mark.parametrize("name,data,wanted", FRAMING, ids=[f[0] for f in FRAMING])
def test_smuggling(sluice_server, name, data, wanted):
    got = sluice_server.raw(data, 2.0)
    statuses = [int(line.split(b" ")[1]) for line in got.split(b"\r\n") if line.startswith(b"HTTP/1.")]
    assert set(statuses or [None]) <= wanted, got  # a 200 would be the smuggled request's
    assert b"ready" not in got


def test_keep_alive_answers_each_request_once(sluice_server):
    one = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    assert sluice_server.raw(one + one + last).count(b"HTTP/1.1 200") == 3


def test_body_of_the_limit_and_one_byte_more(sluice_server):
    limit = 4 * 1024 * 1024
    for size, allowed in ((limit, True), (limit + 1, False)):
        params = {"DtsJobName": "x"}
        empty = len("DtsJobName=")
        params["DtsJobName"] = "x" * (size - empty)
        answer = None
        try:
            method, target, headers, body = sluice_server.sign_v3("ModifyDtsJobName", {"DtsJobId": "l3m1213ye7l0000"}, body_params=params)
            assert len(body) == size
            answer = sluice_server.send((method, target, headers, body))
        except OSError:
            assert not allowed
        if allowed:
            assert answer.json["Code"] != "SignatureDoesNotMatch" and answer.status in (400, 404), answer.text
        elif answer is not None:
            assert answer.status == 413


def test_oversize_headers(sluice_server):
    head = b"GET /healthz HTTP/1.1\r\nHost: h\r\n"
    assert b" 200 " in sluice_server.raw(head + b"x: " + b"a" * 60000 + b"\r\nConnection: close\r\n\r\n")
    for data in (head + b"x: " + b"a" * 70000 + b"\r\n\r\n", head + b"x: y\r\n" * 200 + b"\r\n"):
        assert b" 431 " in sluice_server.raw(data, 2.0).split(b"\r\n")[0]


def test_a_long_query(sluice_server):
    """Official SDKs put DbList into the query."""
    objects = json.dumps({f"db{i}": {"name": f"db{i}", "all": True} for i in range(20000)})
    assert len(encode(objects)) > 1000000
    answer = sluice_server.call("ConfigureDtsJob", job_params(NOWHERE, "shop", DbList=objects))
    assert answer.status in (200, 400) and answer.json.get("Code") != "SignatureDoesNotMatch", answer.text[:500]


def test_too_many_parameters(sluice_server):
    answer = sluice_server.call("DescribeDtsJobs", {f"p{i}": "1" for i in range(1001)})
    assert code(answer) == (400, "InvalidParameter") and "1000" in answer.json["Message"]


def test_chunked_body(sluice_server):
    """The Node.js SDK sends chunked bodies; every chunk boundary is legal."""
    _, _, headers, body = sluice_server.sign_v1("DescribeDtsJobs", {"PageSize": "3"}, method="POST", all_in_body=True)
    with socket.create_connection(("127.0.0.1", sluice_server.port), timeout=10) as s:
        head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        s.sendall(f"POST / HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode())
        for i in range(0, len(body), 7):
            part = body[i:i + 7]
            s.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        s.sendall(b"0\r\n\r\n")
        got = b""
        while chunk := s.recv(65536):
            got += chunk
    assert got.startswith(b"HTTP/1.1 200"), got


def test_300_connections(sluice_server):
    """256 may be open; the others are refused at once, and the service answers when they are gone."""
    opened = []
    try:
        for _ in range(300):
            s = socket.create_connection(("127.0.0.1", sluice_server.port), timeout=10)
            opened.append(s)
        answered = refused = 0
        for s in opened:
            s.settimeout(10)
            try:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                got = s.recv(4096)
            except OSError:
                got = b""
            answered += got.startswith(b"HTTP/1.1 200")
            refused += not got
        assert answered + refused == 300
        assert 250 <= answered <= 256 and refused >= 44
    finally:
        for s in opened:
            s.close()
    deadline = time.monotonic() + 10
    while True:
        try:
            assert sluice_server.call("DescribeDtsJobs").status == 200
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)



def key_with_policy(s, tmp_path, policy):
    path = tmp_path / f"{uuid.uuid4()}.json"
    path.write_text(json.dumps(policy))
    return s.create_key("--policy", str(path))


def call_as(s, key, action, params=None):
    return s.send(sign_v3(action, params, key=key, host=f"127.0.0.1:{s.port}"))


def test_policies(sluice_server, tmp_path):
    reader = key_with_policy(sluice_server, tmp_path, {"Statement": [{"Effect": "Allow", "Action": "dts:Describe*", "Resource": "*"}]})
    job = sluice_server.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))["DtsJobId"]
    assert call_as(sluice_server, reader, "DescribeDtsJobDetail", {"DtsJobId": job}).status == 200
    assert code(call_as(sluice_server, reader, "DeleteDtsJob", {"DtsJobId": job})) == (403, "Forbidden.RAM")
    assert sluice_server.ok("DescribeDtsJobDetail", {"DtsJobId": job})["DtsJobId"] == job


def test_a_denied_instance_is_denied_by_every_name(sluice_server, tmp_path):
    """Naming the instance in another parameter, or in a list, opens no way around a Deny."""
    made = sluice_server.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))
    other = sluice_server.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))
    job, instance = made["DtsJobId"], made["DtsInstanceId"]
    key = key_with_policy(sluice_server, tmp_path, {"Statement": [
        {"Effect": "Allow", "Action": "dts:*", "Resource": "*"}, {"Effect": "Deny", "Action": "dts:*", "Resource": f"acs:dts:*:*:instance/{instance}"}]})
    tries = [("DescribeDtsJobDetail", {"DtsJobId": job}), ("DeleteDtsJob", {"DtsInstanceId": instance}), ("DeleteDtsJob", {"DtsJobId": job}),
             ("DeleteDtsJobs", {"DtsJobIds": f"{other['DtsJobId']},{job}"}), ("DeleteMigrationJob", {"MigrationJobId": instance}),
             ("DescribeInitializationStatus", {"SynchronizationJobId": instance}), ("StopDtsJobs", {"DtsJobIds": job}),
             ("DeleteDtsJob", {"DtsJobId": job, "DtsJobId.1": other["DtsJobId"]}), ("CreateDtsInstance", {"JobId": job}), ("DescribeDtsJobs", {"DtsJobId": job}), ("SluiceDescribeReceipt", {"DtsInstanceId": instance})]
    for action, params in tries:
        assert code(call_as(sluice_server, key, action, params)) == (403, "Forbidden.RAM"), (action, params)
    assert call_as(sluice_server, key, "DeleteDtsJobs", {"DtsJobIds": other["DtsJobId"]}).status == 200
    assert sluice_server.ok("DescribeDtsJobDetail", {"DtsJobId": job})["DtsJobId"] == job
    # Nor does a Deny end with the task: its receipt and its leftovers stay denied.
    sluice_server.ok("DeleteDtsJob", {"DtsJobId": job})
    for action in ("SluiceDescribeReceipt", "SluiceDescribeLeftovers", "DescribeDtsJobDetail", "DeleteDtsJob"):
        assert code(call_as(sluice_server, key, action, {"DtsJobId": job})) == (403, "Forbidden.RAM"), action
    assert call_as(sluice_server, key, "SluiceDescribeReceipt", {"DtsJobId": other["DtsJobId"]}).status == 200
    # A key that may touch nothing else is told what became of its own task.
    only = key_with_policy(sluice_server, tmp_path, {"Statement": [{"Effect": "Allow", "Action": "dts:*", "Resource": f"acs:dts:*:*:instance/{instance}"}]})
    assert call_as(sluice_server, only, "SluiceDescribeReceipt", {"DtsJobId": job}).status == 200
    assert code(call_as(sluice_server, only, "SluiceDescribeReceipt", {"DtsJobId": other["DtsJobId"]})) == (403, "Forbidden.RAM")


def test_secrets_are_never_answered(sluice_server):
    reserve = json.dumps({"autoStartModulesAfterConfig": "none", "note": "kept", "destSchemaRegistryPassword": PASSWORD, "deep": [{"secretKey": PASSWORD}]})
    made = sluice_server.ok("ConfigureDtsJob", job_params(NOWHERE, "shop", Reserve=reserve))
    job, instance = made["DtsJobId"], made["DtsInstanceId"]
    for action, params in [("DescribeDtsJobDetail", {"DtsJobId": job}), ("DescribeDtsJobs", {"DtsJobId": job}), ("DescribeDtsInstanceDetail", {"DtsInstanceId": instance}),
                           ("DescribeDtsServiceLog", {"DtsJobId": job}), ("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "01"})]:
        assert PASSWORD not in sluice_server.call(action, params).text, action
    detail = sluice_server.ok("DescribeDtsJobDetail", {"DtsJobId": job})
    assert json.loads(detail["Reserved"])["note"] == "kept"
    assert PASSWORD not in sluice_server.log()


def test_pages(sluice_server):
    sluice_server.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))
    for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/nothing", 404), ("/../../etc/passwd", 404)):
        answer = sluice_server.send(("GET", path, {}, None))
        assert answer.status == status, path
    promtool = cache_dir() / "prometheus/usr/bin/promtool"
    assert promtool.exists(), "promtool is not there: scripts/install-packages.sh test"
    text = sluice_server.send(("GET", "/metrics", {}, None)).text
    # docs/METRICS.md lists every metric with its labels.
    listed = dict(re.findall(r"^\| `(\w+)` \| \w+ \| ([\w, ]*) \|", (ROOT / "docs/METRICS.md").read_text(), re.M))
    assert set(re.findall(r"^# TYPE (\w+)", text, re.M)) == set(listed)
    for metric, labels in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.M):
        assert ", ".join(re.findall(r'(\w+)="', labels)) == listed[metric].strip(), metric
    done = subprocess.run([str(promtool), "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stdout and not done.stderr, done.stdout + done.stderr
    assert 'sluice_jobs{state="NotStarted"}' in text


def test_a_slow_client_is_cut():
    with Service("--rate-limit", "0", "--request-deadline", "2") as s:
        for first in (b"", b"GET /healthz HTTP/1.1\r\nHo", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"):
            begun = time.monotonic()
            with socket.create_connection(("127.0.0.1", s.port), timeout=15) as c:
                if first:
                    c.sendall(first)
                try:
                    for _ in range(60):  # a byte now and then does not keep it alive
                        c.settimeout(0.25)
                        try:
                            if not c.recv(4096):
                                break
                        except TimeoutError:
                            if first:
                                c.sendall(b"a")
                except OSError:
                    pass
            assert 1.5 < time.monotonic() - begun < 6, first
