"""What tests of prechecks share: running those of a job definition, and the SQL that they are told."""

import json
import uuid

from sluice import endpoints, job_params, wait_for

PASSWORD = "Pw-1234567"  # of accounts that tests make


def name(prefix="pc"):
    """A name that nothing else has."""
    return f"{prefix}_{uuid.uuid4().hex[:8]}"


class Check:
    """The prechecks of one job definition: run again with every call, as a new job. A module's own subclass notes what its tests saw."""

    covered = set()  # items that a test saw failing or warning

    def __init__(self, service, source, target, objects, reserve=None, **params):
        self.service = service
        self.params = job_params(endpoints(source, target), "x", DbList=json.dumps(objects), **params)
        if reserve:
            self.params["Reserve"] = json.dumps({"autoStartModulesAfterConfig": "none", **reserve})

    def __call__(self):
        s = self.service
        job = s.ok("ConfigureDtsJob", self.params)["DtsJobId"]
        s.ok("StartDtsJob", {"DtsJobId": job})
        self.state = wait_for(lambda: s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"], {"PreCheckPass", "PrecheckFailed"})
        answer = s.ok("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "01", "PageSize": "500"})
        s.ok("DeleteDtsJob", {"DtsJobId": job})
        self.answer = answer
        return {i["Item"]: i for i in answer["JobProgress"]}

    def bad(self, item, *words, state="Failed"):
        """The item, which must have this state and name every word."""
        self.covered.add(item)
        got = self()[item]
        assert got["State"] == state, got
        if state == "Failed":
            assert self.state == "PrecheckFailed"
        for word in words:
            assert word in got["ErrDetail"], (word, got)
        assert got["RepairMethod"] and got["ErrMsg"] == item
        assert [log["ErrMsg"] for log in got["Logs"]] == got["ErrDetail"].split("\n")
        return got

    def good(self, item):
        got = self()[item]
        assert got["State"] == "Success" and got["ErrDetail"] == "" and got["RepairMethod"] == "", got

    def repaired(self, item, server, *words, state="Failed"):
        """The item is bad; its RepairMethod, run at the server, makes it good."""
        run_sql(server, self.bad(item, *words, state=state)["RepairMethod"])
        self.good(item)


def run_sql(server, repair):
    """Every statement of a RepairMethod; there must be one."""
    statements = [line for line in repair.split("\n") if line and not line.startswith("--")]
    assert statements, repair
    for statement in statements:
        assert ";" in statement, statement
        server.sql(statement)


def whole(db, to=None):
    return {db: {"name": to or db, "all": True}}
