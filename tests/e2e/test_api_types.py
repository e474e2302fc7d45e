"""Parameters and answers have the names and JSON types that the DTS API declares (tests/golden/api_types.json, derived from its official SDKs)."""

import json
import re

import pytest
from sluice import NOWHERE, ROOT, endpoints, job_params, wait_for

DECLARED = json.loads((ROOT / "tests/golden/api_types.json").read_text())
JSON_TYPES = {"String": (str,), "Integer": (int,), "Long": (int,), "Number": (int,), "Boolean": (bool,), "Double": (int, float), "Object": (dict,),
              "Array<Object>": (list,), "Map": (dict,)}
# Members of ours beside the declared ones: the stages and the rates of the one task (DescribeDtsJobs has them), the identity of the instance in lists,
# what a server says it is.
EXTRA = {"DescribeDtsJobDetail": r"(Precheck|StructureInitialization|DataInitialization|DataSynchronization)Status(\.\w+)?|Performance(\.\w+)?"
                                 r"|SubSyncJob\[\]|SubDistributedJob\[\]|(Source|Destination)Endpoint\.SluiceProduct",
         "DescribeDtsJobs": r"DtsJobList\[\]\.(BootTime|FinishTime|SubscriptionDataType(\.\w+)?|SubscriptionHost(\.\w+)?|SourceEndpoint\.(AliyunUid|RoleName|SluiceProduct)"
                            r"|DestinationEndpoint\.(AliyunUid|RoleName|SluiceProduct)|(StructureInitialization|DataInitialization|Precheck)Status\.\w+)"}
ENVELOPE = {"RequestId", "Success", "HttpStatusCode"}


def paths(value, prefix=""):
    """Every member with its path: objects by name, arrays by []."""
    for name, member in value.items():
        path = prefix + name
        if isinstance(member, list):
            yield path + "[]", member
            for item in member:
                if isinstance(item, dict):
                    yield from paths(item, path + "[].")
        else:
            yield path, member
            if isinstance(member, dict):
                yield from paths(member, path + ".")


def check(action, answer):
    declared = DECLARED[action]["response"]
    maps = tuple(p + "." for p, t in declared.items() if t == "Map")
    for path, value in paths(answer):
        if path.startswith(maps) and maps:
            continue
        if path not in declared:
            assert re.fullmatch(EXTRA.get(action, "(?!)"), path), f"{action} answers {path}, which is not declared"
            continue
        wanted = JSON_TYPES[declared[path]]
        assert type(value) in wanted, f"{action}.{path} is {value!r}, declared {declared[path]}"
    missing = {name for name in ENVELOPE & set(declared) if name not in answer}
    assert not missing, (action, missing)
    assert not {"ErrCode", "ErrMessage", "DynamicMessage", "DynamicCode"} & set(answer), action


@pytest.fixture(scope="module")
def answers(sluice_server, mariadb_a, mariadb_b):
    """One success of every declared operation, on a task that runs."""
    s, got = sluice_server, {}
    mariadb_a.sql("CREATE DATABASE api_types")
    mariadb_a.sql("CREATE TABLE t(id INT PRIMARY KEY, v VARCHAR(40), KEY(v))", db="api_types")
    mariadb_a.sql("INSERT INTO t SELECT seq, seq FROM seq_1_to_100", db="api_types")
    ends = endpoints(mariadb_a, mariadb_b)

    def call(action, **params):
        got[action] = s.ok(action, params)
        return got[action]

    def status():
        return s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"]

    bought = call("CreateDtsInstance", Type="SYNC", PayType="PostPaid")
    job, instance = bought["JobId"], bought["InstanceId"]
    call("ConfigureDtsJob", **{**job_params(ends, "api_types"), "JobType": "SYNC", "DtsInstanceId": instance, "DtsJobId": job})
    call("ModifyDtsJobName", DtsJobId=job, DtsJobName="renamed")
    call("ModifyDtsJobPassword", DtsJobId=job, Endpoint="src", UserName="root", Password=mariadb_a.root_password)
    call("ModifyDtsJobEndpoint", DtsJobId=job, Endpoint="dest", EndpointInstanceType="other", EndpointIp="127.0.0.1", EndpointPort=str(mariadb_b.port))
    call("DescribeConnectionStatus", **ends)
    call("StartDtsJob", DtsJobId=job)
    wait_for(status, {"Synchronizing"})
    wait_for(lambda: s.ok("DescribeDtsJobDetail", {"DtsJobId": job}).get("DataSynchronizationStatus", {}).get("Status"), {"Catched"})
    call("ModifyDynamicConfig", DtsJobId=job, JobCode="04", EnableLimit="true", ConfigList=json.dumps({"dts.datamove.source.rps.max": "100000"}))
    call("DescribeDtsJobDetail", DtsJobId=job)
    assert call("DescribeDtsJobs", JobType="SYNC", DtsJobId=job)["DtsJobList"]
    assert call("DescribeDtsServiceLog", DtsJobId=job)["ServiceLogContexts"]
    assert call("DescribeInitializationStatus", SynchronizationJobId=instance)["DataInitializationDetails"]
    for code in ("02", "03", "04", "01"):
        assert call("DescribePreCheckStatus", DtsJobId=job, JobCode=code)["JobProgress"], code
        got["DescribePreCheckStatus/" + code] = got["DescribePreCheckStatus"]
    def structure(**more):
        return [i["Item"] for i in s.ok("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "02", **more})["JobProgress"]]

    assert structure(StructType="before") == ["database api_types", "table `api_types`.`t`"]
    assert structure(StructType="after", StructPhase="Index") == ["index t"] and set(structure()) > set(structure(StructType="after"))
    assert structure(StructPhase="View") == [] and s.call("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "02", "StructType": "x"}).status == 400
    call("SuspendDtsJob", DtsJobId=job)
    wait_for(status, {"Suspending"})
    call("StartDtsJobs", DtsJobIds=job)
    wait_for(status, {"Synchronizing"})
    call("SuspendDtsJobs", DtsJobIds=job)
    wait_for(status, {"Suspending"})
    call("ResetDtsJob", DtsJobId=job)
    wait_for(status, {"NotConfigured"})
    call("DeleteSynchronizationJob", SynchronizationJobId=instance)
    for action in ("StopDtsJob", "StopDtsJobs", "DeleteDtsJob", "DeleteDtsJobs", "DeleteMigrationJob"):
        made = s.ok("ConfigureDtsJob", job_params(ends, "api_types"))
        name = {"StopDtsJobs": "DtsJobIds", "DeleteDtsJobs": "DtsJobIds", "DeleteMigrationJob": "MigrationJobId"}.get(action, "DtsJobId")
        call(action, **{name: made["DtsInstanceId" if name == "MigrationJobId" else "DtsJobId"]})
    made = s.ok("ConfigureDtsJob", job_params(ends, "api_types"))  # its tables are in the target already
    job = made["DtsJobId"]
    s.ok("StartDtsJob", {"DtsJobId": job})
    wait_for(status, {"PrecheckFailed"})
    items = s.ok("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "01"})["JobProgress"]
    skippable = [i["Item"] for i in items if i["CanSkip"]]
    call("SkipPreCheck", DtsJobId=job, Skip="true", SkipPreCheckItems=json.dumps(skippable[:1]), SkipPreCheckNames=json.dumps(skippable[:1]))
    yield got
    s.ok("DeleteDtsJob", {"DtsJobId": job})
    for server in (mariadb_a, mariadb_b):
        server.sql("DROP DATABASE IF EXISTS api_types")


@pytest.mark.parametrize("action", sorted(DECLARED))
def test_answer(answers, action):
    check(action, answers[action])


@pytest.mark.parametrize("code", ["01", "02", "03", "04"])
def test_items_of_a_stage(answers, code):
    answer = answers["DescribePreCheckStatus/" + code]
    check("DescribePreCheckStatus", answer)
    assert (answer["Code"], answer["Total"]) == (code, len(answer["JobProgress"]))


BIG = ["9223372036854775807", "-9223372036854775808", "2147483647", "-1", "0", "99999999999999999999"]


@pytest.mark.parametrize("value", BIG)
def test_numbers_at_their_limits(sluice_server, value):
    """Answered or refused with 400, never a fault of the service (the sanitizers would end it)."""
    job = sluice_server.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))["DtsJobId"]
    for action, names in (("DescribePreCheckStatus", ("PageNo", "PageSize")), ("DescribeDtsJobs", ("PageNumber", "PageSize")),
                          ("DescribeDtsServiceLog", ("StartTime", "EndTime", "PageNumber", "PageSize")), ("DescribeDtsInstances", ("PageNum", "PageSize"))):
        for name in names:
            assert sluice_server.call(action, {"DtsJobId": job, name: value}).status in (200, 400), (action, name)
    for name in ("ConfigList",):
        answer = sluice_server.call("ModifyDynamicConfig", {"DtsJobId": job, "JobCode": "04", name: json.dumps({"dts.datamove.source.rps.max": value})})
        assert answer.status in (200, 400), answer.text
    assert sluice_server.call("SluiceRetryLeftover", {"LeftoverId": value}).status in (200, 400, 404)


def documented():
    """{action: {parameter: type}} of docs/API.md, which a unit test compares with the program's tables."""
    out, action = {}, None
    for line in (ROOT / "docs/API.md").read_text().splitlines():
        if heading := re.fullmatch(r"#+ (\w+)", line):
            action = heading.group(1)
        elif row := re.match(r"\| `([A-Za-z]\w*)` \| ([\w ]+) \|", line):
            out.setdefault(action, {})[row.group(1)] = row.group(2)
    return out


@pytest.mark.parametrize("action", sorted(DECLARED))
def test_parameters(action):
    ours = documented()[action]
    loose = {"Long": {"Long", "Integer"}, "Double": {"String", "Double"}, "String": {"String", "JSON text", "Integer"}}
    for name, kind in DECLARED[action]["request"].items():
        assert name in ours, f"{action} does not take {name}"
        assert ours[name] in loose.get(kind, {kind}), (action, name, ours[name], kind)
