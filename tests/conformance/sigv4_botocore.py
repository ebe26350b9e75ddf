#!/usr/bin/env python3
"""Signatures of S3 requests: ours against botocore's, on request shapes of every kind."""
import datetime, itertools, json, os, pathlib, subprocess, sys, tempfile, urllib.parse
from unittest import mock

import botocore.auth, botocore.awsrequest, botocore.credentials

ROOT = pathlib.Path(os.environ.get("ROOT", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build"))
NOW = datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

keys = ["", "a", "a b", "a+b", "a=b", "a:b@c", "a/b//c", "a/./b/../c", "ä/日本/😀", "a%20b", "~-._", "!*'()", "a&b?c#d", "\"quoted\"", "tab\there",
        "x" * 300, "[1]{2}|\\^`<>", ";,$"]
queries = [[], [("list-type", "2"), ("prefix", "a/b c+d")], [("uploads", "")], [("partNumber", "2"), ("uploadId", "a=b+c/d~")],
           [("b", "2"), ("a", "1"), ("a", "0")], [("X", "1"), ("x", "2")], [("prefix", "ä&=?")], [("a-b", "1"), ("a", "2"), ("a.b", "3")],
           [("delimiter", "/"), ("encoding-type", "url"), ("continuation-token", "1/2+3==")]]
headers = [[], ["If-Match: \"abc\""], ["Range: bytes=10-", "If-None-Match: *"], ["x-amz-meta-a:  two   blanks  ", "Content-Type: text/plain; charset=utf-8"],
           ["X-Amz-Copy-Source: /b/k%20x", "x-amz-acl: private"]]


def shapes():
    for key, query in itertools.product(keys, queries):
        yield "GET", key, query, [], None, EMPTY
    for method, head in itertools.product(["GET", "PUT", "POST", "DELETE", "HEAD"], headers):
        yield method, "some/key", [], head, None, "UNSIGNED-PAYLOAD" if method == "PUT" else EMPTY
    for key, head in itertools.product(keys[:8], headers):
        yield "PUT", key, queries[3], head, "TOKEN/with+chars==", EMPTY


def encoded(text, safe):
    return urllib.parse.quote(text, safe=safe)


class FixedTime(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return NOW.replace(tzinfo=None)

    @classmethod
    def now(cls, tz=None):
        return NOW if tz else NOW.replace(tzinfo=None)


def theirs(method, url, head, token, payload):
    request = botocore.awsrequest.AWSRequest(method=method, url=url, headers=dict(h.split(": ", 1) for h in head))
    if payload == "UNSIGNED-PAYLOAD":
        request.context["client_config"] = None
        request.context["payload_signing_enabled"] = False
    auth = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token), "s3", "eu-central-1")
    auth.payload = lambda r: payload
    with mock.patch("botocore.auth.datetime.datetime", FixedTime) if hasattr(botocore.auth, "datetime") else mock.patch("botocore.auth.get_current_datetime", lambda *a, **k: NOW.replace(tzinfo=None)):
        auth.add_auth(request)
    return request.headers["Authorization"]


def main():
    work = tempfile.mkdtemp()
    driver = os.path.join(work, "sigv4_driver")
    third = subprocess.run([ROOT / "scripts" / "tp_dir.sh"], capture_output=True, text=True).stdout.strip()
    build = subprocess.run(["gcc", "-D_GNU_SOURCE", "-std=gnu11", "-O1", "-I", ROOT, "-isystem", third + "/include", ROOT / "tests/conformance/sigv4_driver.c", "-o", driver,
                            BUILD / "lib" / "libdgrt.a", third + "/lib/libcjson.a", third + "/lib/libcurl.a", "-lnghttp2", "-lssl", "-lcrypto", "-lz", "-lzstd", "-lsqlite3",
                            "-lpcre2-8", "-ldl", "-lpthread", "-lm"], capture_output=True, text=True)
    if build.returncode:
        print("FAIL the driver builds:", build.stderr[-600:])
        sys.exit(1)
    failures = count = 0
    requests = list(shapes())
    lines = []
    for method, key, query, head, token, payload in requests:
        path = "/" + encoded(key, "/~")
        text = "&".join(f"{encoded(k, '~')}={encoded(v, '~')}" for k, v in query)
        lines.append(json.dumps({"method": method, "host": "b.s3.eu-central-1.amazonaws.com", "path": path, "query": text, "headers": head, "payload": payload, "region": "eu-central-1",
                                 "access": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token": token or "", "now": NOW.timestamp()}))
    ours = subprocess.run([driver], input="\n".join(lines) + "\n", capture_output=True, text=True).stdout.split("\n")
    for (method, key, query, head, token, payload), mine in zip(requests, ours):
        text = "&".join(f"{encoded(k, '~')}={encoded(v, '~')}" for k, v in query)
        url = "https://b.s3.eu-central-1.amazonaws.com/" + encoded(key, "/~") + ("?" + text if text else "")
        want = theirs(method, url, head, token, payload)
        count += 1
        if mine != want:
            failures += 1
            print(f"FAIL {method} {key!r} {query} {head}\n    ours   {mine}\n    theirs {want}")
    if not failures:
        print(f"ok {count} request shapes are signed as botocore signs them")
    sys.exit(failures > 0)


main()
