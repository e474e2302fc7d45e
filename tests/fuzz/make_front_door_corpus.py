"""Seeds of front_door, addresses and config. Usage: python3 tests/fuzz/make_front_door_corpus.py; layouts: the heads of the targets."""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = [line.split("(")[1].split(")")[0] for line in (ROOT / "src/api/ops.def").read_text().splitlines() if line.startswith("API_OP(")]
SIGNED, V3, IN_BODY, XML = 1, 2, 4, 8
OBJECTS = json.dumps({"shop": {"name": "shop2", "all": False, "Table": {"t": {"name": "u", "all": True, "filter": "id > 5"}}}})
ENDS = {f"{side}Endpoint{k}": v for side in ("Source", "Destination") for k, v in
        {"InstanceType": "other", "EngineName": "MYSQL", "IP": "10.0.0.1", "Port": "3306", "UserName": "u", "Password": "p"}.items()}
CONFIGURE = {"DtsJobName": "n", "JobType": "SYNC", "StructureInitialization": "true", "DataInitialization": "true", "DataSynchronization": "true", "DbList": OBJECTS, **ENDS,
             "Reserve": json.dumps({"autoStartModulesAfterConfig": "none", "targetTableMode": 2, "maxRetryTime": "600", "fullDynamicConfig": {"dts.datamove.source.rps.max": "500"}})}
CALLS = {
    "CreateDtsInstance": {"Type": "SYNC", "PayType": "PostPaid", "InstanceClass": "small", "JobId": "\1", "AutoStart": "true"},
    "ConfigureDtsJob": CONFIGURE,
    "ModifyDtsJobPassword": {"DtsJobId": "\1", "Endpoint": "src", "Password": "x"},
    "ModifyDtsJobEndpoint": {"DtsJobId": "\1", "Endpoint": "dest", "EndpointIp": "10.0.0.2", "EndpointPort": "3307"},
    "ModifyDynamicConfig": {"DtsJobId": "\1", "JobCode": "03", "EnableLimit": "true", "ConfigList": '{"dts.datamove.source.rps.max":"5"}'},
    "DescribeDtsJobs": {"JobType": "SYNC", "DtsJobId": "\1", "PageSize": "30", "PageNumber": "1", "OrderColumn": "CreateTime"},
    "DescribePreCheckStatus": {"DtsJobId": "\1", "JobCode": "01"},
    "DeleteDtsJobs": {"DtsJobIds": "\1,x"},
}


def write(target, name, data):
    folder = ROOT / "tests/fuzz/corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def pairs(params):
    return b"".join(f"{k}\0{v}\0".encode() for k, v in params.items())


for number, operation in enumerate(OPERATIONS):
    params = CALLS.get(operation, {"DtsJobId": "\1", "DtsInstanceId": "\2"})
    write("front_door", f"v1-{operation}", bytes([SIGNED | (XML if number % 2 else 0), number]) + pairs(params))
    write("front_door", f"v3-{operation}", bytes([SIGNED | V3 | (IN_BODY if number % 2 else 0), number]) + pairs(params))
write("front_door", "raw-v1", b"\0Action=DescribeDtsJobs&Version=2020-01-01&AccessKeyId=a&Signature=b&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=n"
      b"&Timestamp=2026-01-02T03%3A04%3A05Z&Format=JSON\0\0host:h")
write("front_door", "raw-v3", b"\4\0DtsJobId=x\0host:h\nx-acs-action:DeleteDtsJob\nx-acs-version:2020-01-01\nx-acs-date:2026-01-02T03:04:05Z\nx-acs-signature-nonce:n\n"
      b"x-acs-content-sha256:00\nauthorization:ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=00")
write("front_door", "raw-json", b"\x14\0{\"Action\":\"DescribeDtsJobs\",\"PageSize\":30,\"a\":null,\"b\":[1,{\"c\":true}]}\0host:h")
POLICY = json.dumps({"Statement": [{"Effect": "Allow", "Action": ["dts:*"], "Resource": "*"}, {"Effect": "Deny", "Action": "dts:Delete*", "Resource": "acs:dts:*:*:instance/dts*"}]})
write("addresses", "mysql", f"mysql://dts@10.0.0.5:3306/shop\0169.254.0.0/16,fd00::/8,db.local:3306\0shop,crm=crm2,a.b=c\0{POLICY}".encode())
write("addresses", "v6", b"postgresql://u@[fe80::1]:5432/d\0[::1]:8888,::1\0a.b.c\0{\"Statement\":[]}")
write("config", "section", b"; comment\n[serve]\ndata = /var/lib/sluice\nhttp=127.0.0.1:8888\nlanes : 4 ; more\nallow-endpoint = 10.0.0.0/8\nallow-endpoint = ::1\n")
write("config", "plain", b"\xef\xbb\xbfrate-limit=5\n[other]\nx=1\n")
