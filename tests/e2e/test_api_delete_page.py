"""The official page of DeleteDtsJob, line by line: parameters, answer fields, types, forms, root elements, error codes."""

import re
import sqlite3
import time
import uuid
import xml.etree.ElementTree as ET

import pytest
from sluice import NOWHERE, Service, job_params, sign_v1, sign_v3

FORMS = [("GET", "JSON"), ("GET", "XML"), ("GET", None), ("POST", "JSON"), ("POST", "XML")]
UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def make_job(s):
    done = s.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))
    return done["DtsJobId"], done["DtsInstanceId"]


def members(answer, fmt):
    """Members of an answer as texts and its root element (None for JSON)."""
    if fmt == "JSON":
        return answer.json, None
    root = ET.fromstring(answer.text)
    return {e.tag: e.text or "" for e in root}, root.tag


@pytest.mark.parametrize("method,fmt", FORMS)
def test_success(sluice_server, method, fmt):
    job, instance = make_job(sluice_server)
    params = {"DtsJobId": job, "DtsInstanceId": instance, "SynchronizationDirection": "Forward", "RegionId": "cn-beijing"}
    answer = sluice_server.call("DeleteDtsJob", params, family="v1", method=method, fmt=fmt)
    assert answer.status == 200, answer.text
    got, root = members(answer, fmt)
    assert set(got) == {"HttpStatusCode", "RequestId", "Success"}  # the error members only when the call failed
    assert UUID.fullmatch(got["RequestId"])
    assert answer.headers["x-acs-request-id"] == got["RequestId"]
    if fmt == "JSON":
        assert answer.headers["content-type"].startswith("application/json")
        assert got["HttpStatusCode"] == 200 and type(got["HttpStatusCode"]) is int
        assert got["Success"] is True
    else:
        assert answer.headers["content-type"] == "application/xml"
        assert answer.text.startswith('<?xml version="1.0" encoding="UTF-8"?>')
        assert root == "DeleteDtsJobResponse"
        assert (got["HttpStatusCode"], got["Success"]) == ("200", "true")


@pytest.mark.parametrize("which", ["job", "instance", "both"])
def test_either_id(sluice_server, which):
    job, instance = make_job(sluice_server)
    params = {"job": {"DtsJobId": job}, "instance": {"DtsInstanceId": instance}, "both": {"DtsJobId": job, "DtsInstanceId": instance}}[which]
    sluice_server.ok("DeleteDtsJob", params)
    gone = sluice_server.call("DescribeDtsJobDetail", {"DtsJobId": job})
    assert (gone.status, gone.json["Code"]) == (404, "Forbidden.InstanceNotFound")
    assert sluice_server.ok("DeleteDtsJob", params)["Success"] is True  # a repeat within ten minutes


def fails(answer, fmt, status, code, dynamic=None):
    got, root = members(answer, fmt)
    assert (answer.status, got["Code"]) == (status, code), answer.text
    assert str(got["HttpStatusCode"]) == str(status)
    assert set(got) >= {"RequestId", "HostId", "Code", "Message", "Recommend", "Success", "ErrCode", "ErrMessage", "DynamicMessage", "DynamicCode"}
    if fmt == "JSON":
        assert got["Success"] is False and got["HttpStatusCode"] == status and isinstance(got["DynamicCode"], str)
        assert answer.headers["content-type"].startswith("application/json")
    else:
        assert root == "Error" and got["Success"] == "false"
        assert answer.headers["content-type"] == "text/xml;charset=utf-8"
    if dynamic is not None:
        assert got["DynamicMessage"] == dynamic
    return got


@pytest.mark.parametrize("method,fmt", FORMS)
def test_a_bad_value_names_the_parameter(sluice_server, method, fmt):
    answer = sluice_server.call("DeleteDtsJob", {"DtsJobId": "l3m1213ye7l0000"}, family="v1", method=method, fmt=fmt)
    got = fails(answer, fmt, 404, "Forbidden.InstanceNotFound", "DtsJobId")
    assert got["ErrMessage"].rstrip(".") == "The Value of Input Parameter %s is not valid"
    assert got["ErrCode"] == "InvalidJobId" and got["DynamicCode"] == "404" and "NotFound" in got["Message"]


@pytest.mark.parametrize("method,fmt", FORMS)
def test_ids_that_disagree(sluice_server, method, fmt):
    job, _ = make_job(sluice_server)
    _, other = make_job(sluice_server)
    answer = sluice_server.call("DeleteDtsJob", {"DtsJobId": job, "DtsInstanceId": other}, family="v1", method=method, fmt=fmt)
    fails(answer, fmt, 400, "InvalidParameter", "DtsInstanceId")
    assert sluice_server.ok("DescribeDtsJobDetail", {"DtsJobId": job})["DtsJobId"] == job


def test_reverse_on_a_one_way_task(sluice_server):
    job, _ = make_job(sluice_server)
    answer = sluice_server.call("DeleteDtsJob", {"DtsJobId": job, "SynchronizationDirection": "Reverse"})
    fails(answer, "JSON", 400, "InvalidParameter", "SynchronizationDirection")
    assert sluice_server.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"] == "NotStarted"


def test_a_job_type_that_disagrees(sluice_server):
    job, _ = make_job(sluice_server)
    fails(sluice_server.call("DeleteDtsJob", {"DtsJobId": job, "JobType": "SYNC"}), "JSON", 400, "InvalidParameter", "JobType")
    sluice_server.ok("DeleteDtsJob", {"DtsJobId": job, "JobType": "MIGRATION"})


@pytest.mark.parametrize("fmt", ["JSON", "XML"])
def test_neither_id(sluice_server, fmt):
    fails(sluice_server.call("DeleteDtsJob", {}, family="v1", fmt=fmt), fmt, 400, "MissingParameter", "DtsJobId")


@pytest.mark.parametrize("method,fmt", FORMS)
def test_throttling(method, fmt):
    with Service("--rate-limit", "1", "--rate-burst", "2") as s:
        answers = [s.call("DeleteDtsJob", {"DtsJobId": "l3m1213ye7l0000"}, family="v1", method=method, fmt=fmt) for _ in range(6)]
        denied = [a for a in answers if a.status == 400]
        assert denied and answers[0].status == 404
        got = fails(denied[0], fmt, 400, "Throttling.User")
        assert got["Message"].startswith("Request was denied due to user flow control.")


@pytest.mark.parametrize("method,fmt", FORMS)
def test_expired_token(sluice_server, method, fmt):
    key_id, secret, token = sluice_server.temporary_key(1)
    time.sleep(1.2)
    request = sign_v1("DeleteDtsJob", {"DtsJobId": "l3m1213ye7l0000"}, key=(key_id, secret), method=method, fmt=fmt, token=token)
    answer = sluice_server.send(request)
    got = fails(answer, fmt, 403, "InvalidSecurityToken.Expired")
    assert got["Message"] == "Specified SecurityToken is expired."


def test_tokens_v3(sluice_server):
    host = f"127.0.0.1:{sluice_server.port}"
    key_id, secret, token = sluice_server.temporary_key(60)

    def send(key, token):
        return sluice_server.send(sign_v3("DescribeDtsJobs", key=key, host=host, token=token))

    assert send((key_id, secret), token).status == 200
    assert send((key_id, secret), ("y" if token[0] == "x" else "x") + token[1:]).json["Code"] == "InvalidSecurityToken.Malformed"
    assert send((key_id, secret), None).json["Code"] == "InvalidSecurityToken.Malformed"
    assert send((sluice_server.key_id, sluice_server.key_secret), token).json["Code"] == "InvalidSecurityToken.Malformed"


@pytest.mark.parametrize("method,fmt", FORMS)
def test_unavailable(method, fmt):
    """The catalog's table is gone: nothing of the failure's cause (paths, SQL) may be answered."""
    with Service() as s:
        catalog = next(p for p in s.data.glob("*.db") if p.name != "nonce.db")
        with sqlite3.connect(catalog, timeout=10) as db:
            db.execute("ALTER TABLE access_key RENAME TO access_key_away")
        answer = s.call("DeleteDtsJob", {"DtsJobId": "l3m1213ye7l0000"}, family="v1", method=method, fmt=fmt)
        got = fails(answer, fmt, 500, "ServiceUnavailable")
        assert got["Message"] == "The request has failed due to a temporary failure of the server."
        assert "access_key" not in answer.text and str(s.data) not in answer.text
        with sqlite3.connect(catalog, timeout=10) as db:
            db.execute("ALTER TABLE access_key_away RENAME TO access_key")
        assert s.call("DeleteDtsJob", {"DtsJobId": "l3m1213ye7l0000"}).status == 404  # it answers again by itself


def test_request_ids_differ(sluice_server):
    ids = {sluice_server.call("DeleteDtsJob", {"DtsJobId": str(uuid.uuid4())[:15]}).json["RequestId"] for _ in range(5)}
    assert len(ids) == 5
