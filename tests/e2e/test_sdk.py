"""Unmodified official SDKs drive a job through its life: create, configure, start, describe, suspend, start, delete.

alibabacloud-dts20200101 signs V3, aliyun-python-sdk-core and @alicloud/pop-core (each by GET and POST) sign V1.
"""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from sluice import endpoints

NODE = Path(__file__).resolve().parent / "node"


class Refused(Exception):
    """The SDK raised its error; code is what it says."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


class PythonV3:
    """alibabacloud-dts20200101."""

    def __init__(self, service):
        from alibabacloud_dts20200101.client import Client
        from alibabacloud_tea_openapi.utils_models import Config

        self._client = Client(Config(access_key_id=service.key_id, access_key_secret=service.key_secret, endpoint=f"127.0.0.1:{service.port}", protocol="http"))

    def __call__(self, action, **parameters):
        from alibabacloud_dts20200101 import models

        request = getattr(models, action + "Request")()
        request.from_map(parameters)
        missing = set(parameters) - set(request.to_map())
        assert not missing, f"{action} of the SDK has no {missing}"
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower()
        try:
            return getattr(self._client, method)(request).body.to_map()
        except Exception as error:
            if not getattr(error, "code", None):
                raise
            raise Refused(error.code, str(error)) from error


class PythonV1:
    """aliyun-python-sdk-core, generic requests."""

    def __init__(self, service, method):
        from aliyunsdkcore.client import AcsClient

        self._client = AcsClient(service.key_id, service.key_secret, "local")
        self._endpoint = f"127.0.0.1:{service.port}"
        self._method = method

    def __call__(self, action, **parameters):
        from aliyunsdkcore.acs_exception.exceptions import ServerException
        from aliyunsdkcore.request import CommonRequest

        request = CommonRequest()
        request.set_domain(self._endpoint)
        request.set_protocol_type("http")
        request.set_method(self._method)
        request.set_version("2020-01-01")
        request.set_action_name(action)
        request.set_accept_format("json")
        for name, value in parameters.items():
            if self._method == "POST" and name in ("DbList", "Reserve"):
                request.add_body_params(name, value)
            else:
                request.add_query_param(name, value)
        try:
            return json.loads(self._client.do_action_with_exception(request))
        except ServerException as error:
            raise Refused(error.get_error_code(), str(error)) from error


class Node:
    """@alicloud/pop-core."""

    def __init__(self, service, method):
        modules = NODE / "node_modules"
        if not modules.is_dir():
            if not shutil.which("npm"):
                pytest.skip("npm is not installed")
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=NODE, check=True, timeout=300)
        self._arguments = ["node", str(NODE / "call.js"), f"http://127.0.0.1:{service.port}", service.key_id, service.key_secret, method]

    def __call__(self, action, **parameters):
        done = subprocess.run([*self._arguments, action], input=json.dumps(parameters), capture_output=True, text=True, timeout=120, check=True)
        out = json.loads(done.stdout)
        if "answer" not in out:
            raise Refused(out.get("code"), done.stdout)
        return out["answer"]


SDKS = {"python-v3": PythonV3, "python-v1-get": lambda s: PythonV1(s, "GET"), "python-v1-post": lambda s: PythonV1(s, "POST"),
        "node-get": lambda s: Node(s, "GET"), "node-post": lambda s: Node(s, "POST")}


def wait(call, job, test, timeout_s=120):
    deadline = time.monotonic() + timeout_s
    while True:
        detail = call("DescribeDtsJobDetail", DtsJobId=job)
        if test(detail):
            return detail
        assert time.monotonic() < deadline and "Failed" not in detail["Status"], detail
        time.sleep(0.3)


def caught_up(detail):
    return detail.get("DataSynchronizationStatus", {}).get("Status") == "Catched"


@pytest.mark.parametrize("sdk", SDKS)
def test_life_of_a_job(sluice_server, mariadb_a, mariadb_b, sdk):
    call = SDKS[sdk](sluice_server)
    name = "sdk_" + sdk.replace("-", "_")
    for server in (mariadb_a, mariadb_b):
        server.sql(f"DROP DATABASE IF EXISTS {name}")
    mariadb_a.sql(f"CREATE DATABASE {name}; USE {name}; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40)); INSERT INTO {name}.t SELECT seq, CONCAT('v', seq) FROM seq_1_to_500")
    bought = call("CreateDtsInstance", Type="SYNC", PayType="PostPaid", InstanceClass="small", RegionId="cn-hangzhou", Quantity=1)
    job, instance = bought["JobId"], bought["InstanceId"]
    objects = json.dumps({name: {"name": name, "all": True}})
    configured = call("ConfigureDtsJob", DtsJobName="迁移 a+b*~/'()!", JobType="SYNC", DtsInstanceId=instance, RegionId="cn-hangzhou", StructureInitialization=True,
                      DataInitialization=True, DataSynchronization=True, DbList=objects, Reserve='{"autoStartModulesAfterConfig":"none"}',
                      **endpoints(mariadb_a, mariadb_b))
    assert (configured["DtsJobId"], configured["DtsInstanceId"]) == (job, instance)
    detail = call("DescribeDtsJobDetail", DtsJobId=job)
    assert detail["DtsJobName"] == "迁移 a+b*~/'()!" and detail["Status"] == "NotStarted" and json.loads(detail["DbObject"]) == json.loads(objects)
    assert detail["SourceEndpoint"]["Port"] == str(mariadb_a.port)
    assert "sluice-root" not in json.dumps(detail)

    call("StartDtsJob", DtsJobId=job, DtsInstanceId=instance, RegionId="cn-hangzhou")
    wait(call, job, caught_up)
    assert mariadb_b.sql(f"SELECT COUNT(*) FROM {name}.t")[0][0] == 500
    listed = call("DescribeDtsJobs", JobType="SYNC", DtsJobId=job, PageNumber=1, PageSize=50)["DtsJobList"]
    assert [j["DtsJobId"] for j in listed] == [job]
    checks = call("DescribePreCheckStatus", DtsJobId=job, JobCode="01")
    assert checks["State"] == "Finished" and {i["State"] for i in checks["JobProgress"]} <= {"Success", "Warning"}

    call("SuspendDtsJob", DtsJobId=job, RegionId="cn-hangzhou")
    wait(call, job, lambda d: d["Status"] == "Suspending")
    mariadb_a.sql(f"INSERT INTO {name}.t VALUES (1001, 'while paused')")
    call("StartDtsJob", DtsJobId=job, RegionId="cn-hangzhou")
    wait(call, job, lambda d: d["Status"] == "Synchronizing")
    deadline = time.monotonic() + 60
    while mariadb_b.sql(f"SELECT COUNT(*) FROM {name}.t")[0][0] != 501:
        assert time.monotonic() < deadline, call("DescribeDtsJobDetail", DtsJobId=job)
        time.sleep(0.2)

    call("DeleteDtsJob", DtsJobId=job, DtsInstanceId=instance, RegionId="cn-hangzhou", SynchronizationDirection="Forward")
    with pytest.raises(Refused) as refused:
        call("DescribeDtsJobDetail", DtsJobId=job)
    assert refused.value.code == "Forbidden.InstanceNotFound"
    assert mariadb_b.sql(f"SELECT COUNT(*) FROM {name}.t")[0][0] == 501
