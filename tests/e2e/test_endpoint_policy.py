"""Where endpoints may not be: link-local addresses and the service's own listeners, by number, by name and by connection test, unless the service allows them."""

import pytest
from jobs import delete, status
from sluice import NOWHERE, Service, job_params, wait_for


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def at(host, port):
    return {**NOWHERE, "SourceEndpointIP": host, "SourceEndpointPort": str(port)}


def test_own_listener_by_number(service):
    for host in ("127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"):
        answer = service.call("ConfigureDtsJob", job_params(at(host, service.port), "shop"))
        assert (answer.status, answer.json["Code"], answer.json["DynamicMessage"]) == (400, "InvalidParameter", "SourceEndpointIP"), answer.text
        assert "own listener" in answer.json["Message"] and "--allow-endpoint" in answer.json["Message"]
    job = service.ok("ConfigureDtsJob", job_params(at("127.0.0.1", 1), "shop"))["DtsJobId"]  # another port
    answer = service.call("ModifyDtsJobEndpoint", {"DtsJobId": job, "Endpoint": "dest", "EndpointIp": "127.0.0.1", "EndpointPort": str(service.port)})
    assert (answer.status, answer.json["DynamicMessage"]) == (400, "EndpointIp"), answer.text


def test_own_listener_by_name(service):
    """A name is known to be ours only to the process that is about to connect."""
    job = service.ok("ConfigureDtsJob", job_params(at("localhost", service.port), "shop", JobType="SYNC"))["DtsJobId"]
    service.ok("StartDtsJob", {"DtsJobId": job})
    wait_for(lambda: status(service, job), {"PrecheckFailed"})
    assert "own listener" in service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
    delete(service, job)


def test_connection_test_is_no_port_scanner_of_ours(service):
    for host in ("127.0.0.1", "localhost", "2130706433"):
        tested = service.ok("DescribeConnectionStatus", {**at(host, service.port), "DestinationEndpointIP": "169.254.169.254"})
        for end in ("SourceConnectionStatus", "DestinationConnectionStatus"):
            assert "AddressRefused" in str(tested[end]), tested
    tested = service.ok("DescribeConnectionStatus", at("127.0.0.1", 1))
    assert "AddressRefused" not in str(tested["SourceConnectionStatus"])


def test_allowed_endpoints():
    with Service("--rate-limit", "0") as s:
        s.stop()
        s.options += ["--allow-endpoint", f"169.254.0.0/16,localhost:{s.port}"]
        s.start()
        for host, port, allowed in (("169.254.169.254", 3306, True), ("fe80::1", 3306, False), ("127.0.0.1", s.port, False), ("localhost", s.port, True)):
            answer = s.call("ConfigureDtsJob", job_params(at(host, port), "shop"))
            assert answer.status == (200 if allowed else 400), (host, answer.text)
        tested = s.ok("DescribeConnectionStatus", {**at("127.0.0.1", s.port), "DestinationEndpointIP": "localhost", "DestinationEndpointPort": str(s.port)})
        assert "AddressRefused" in str(tested["SourceConnectionStatus"])
        assert "ConnectFailed" in str(tested["DestinationConnectionStatus"]), tested  # reached: it is no database
