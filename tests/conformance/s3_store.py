#!/usr/bin/env python3
"""S3 as source and target, against a server that verifies signatures."""
import hashlib, json, os, pathlib, shutil, socket, subprocess, sys, tempfile, threading, time, http.server

ROOT, DGC = os.environ["ROOT"], os.environ["DGC"]
failures = 0


def verdict(ok, what, detail=""):
    global failures
    failures += not ok
    print(("ok " if ok else "FAIL ") + what + ("" if ok else f": {detail}"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dgc(*arguments, env=None, code=0):
    run = subprocess.run([DGC, *arguments], capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=300)
    return run.returncode == code, run.stderr[-600:] + run.stdout[-300:], run


def main():
    built = subprocess.run([os.path.join(ROOT, "scripts/conformance_s3.sh")], capture_output=True, text=True)
    if built.returncode:
        print("ok S3 not compared: no server could be built here")
        return
    work = tempfile.mkdtemp(prefix="dgc-s3-")
    data, port = os.path.join(work, "data"), free_port()
    os.makedirs(os.path.join(data, "lake"))
    server = subprocess.Popen([built.stdout.strip(), "--port", f"127.0.0.1:{port}", "--region", "us-east-1", "posix", data],
                              env={**os.environ, "ROOT_ACCESS_KEY": "AKTEST", "ROOT_SECRET_KEY": "SKTEST"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        cases(work, data, port)
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(work, ignore_errors=True)


def documents(keys):
    """dgc.Documents of a bucket: read once, then only what changed."""
    def send(name, method, body=""):
        digest = "x-amz-content-sha256: " + hashlib.sha256(body.encode()).hexdigest()
        subprocess.run(["curl", "-sf", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", "AKTEST:SKTEST", "-H", digest, "-X", method, *(["--data-binary", body] if body else []), f"{keys['AWS_ENDPOINT_URL_S3']}/lake/docs/deep/{name}"], check=True)

    os.makedirs("papers/defs/rag")
    with open("papers/defs/rag/defs.yaml", "w") as f:
        f.write('type: dgc.Documents\nattributes: {path: "s3://lake/docs/**/*.md", asset: rag/chunks}\n')
    for i in range(3):
        send(f"d{i}.md", "PUT", f"# Document {i}\n\nText.\n")

    def run():
        good, words, process = dgc("run", "papers", "--json", env=keys)
        counts = {m["name"]: m["value"] for m in json.loads(process.stdout)["steps"][0]["metadata"]} if good else {"failed": words}
        return counts

    first = run()
    verdict(first.get("documents_new") == 3, "reads documents of a bucket", first)
    send("d1.md", "PUT", "# Document 1\n\nOther text.\n")
    send("d2.md", "DELETE")
    second = run()
    verdict((second.get("documents_changed"), second.get("documents_unchanged"), second.get("documents_removed")) == (1, 1, 1), "and then what changed", second)


def cases(work, data, port):
    endpoint = f"http://127.0.0.1:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "AKTEST", "AWS_SECRET_ACCESS_KEY": "SKTEST", "AWS_ENDPOINT_URL_S3": endpoint}
    os.chdir(work)
    rows = 300000
    subprocess.run(["sqlite3", "src.db", f"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, hash TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
                    " INSERT INTO t SELECT i, 'name ' || i, hex(randomblob(40)) FROM n"], check=True)
    source = "sqlite://src.db?table=t"

    def count(url):
        good, words, _ = dgc("copy", url, "sqlite://back.db?table=b", "--progress", "none", env=keys)
        if not good:
            return words
        return int(subprocess.run(["sqlite3", "back.db", "SELECT count(DISTINCT id) FROM b"], capture_output=True, text=True).stdout or 0)

    for name in ["a.parquet", "dir/b c+d=e:f.csv", "ü/日本.ndjson", "g.csv.gz"]:
        good, words, _ = dgc("copy", source, "s3://lake/" + name, "--limit", "1000", env=keys)
        verdict(good, f"writes {name}", words)
        n = count("s3://lake/" + name)
        verdict(n == 1000, f"reads {name}", n)
    good, words, _ = dgc("copy", source, "s3://lake/large.csv", env=keys)
    size = os.path.getsize(os.path.join(data, "lake/large.csv")) if good else 0
    verdict(good and size > 16 << 20, "an object of several parts", words)
    n = count("s3://lake/large.csv")
    verdict(n == rows, "and back", n)
    left = subprocess.run(["find", data, "-path", "*multipart*", "-type", "f"], capture_output=True, text=True).stdout
    verdict(not left, "no parts are left over", left)
    documents(keys)
    for i in range(2):
        good, words, _ = dgc("copy", source, "s3://lake/inc/", "--update-key", "id", "--limit", "500", env=keys)
        verdict(good, f"incremental run {i + 1} into a folder", words)
    n = count("s3://lake/inc/*.parquet")
    verdict(n == 1000, "the folder has both runs' rows", n)
    manifest = json.load(open(os.path.join(data, "lake/inc/_dgc_manifest.json")))
    verdict(len(manifest["files"]) == 2 and manifest["value"] == "1000", "its manifest names both files and the cursor", manifest)
    good, words, run = dgc("conns", "discover", "s3://lake", "--table", "inc/*", "--json", env=keys)
    verdict(good and len(json.loads(run.stdout)) == 3, "lists by a glob", words)
    many = os.path.join(data, "lake/many")
    os.makedirs(many)
    for i in range(2300):
        with open(os.path.join(many, f"{i:05}.csv"), "w") as f:
            f.write(f"id\n{i}\n")
    good, words, run = dgc("conns", "discover", "s3://lake", "--table", "many/*.csv", "--json", env=keys)
    verdict(good and len(json.loads(run.stdout)) == 2300, "lists more than one page", words)
    n = count("s3://lake/many/0000*.csv")
    verdict(n == 10, "several objects are one table", n)

    good, words, _ = dgc("copy", "s3://lake/a.parquet", "x.csv", env={**keys, "AWS_SECRET_ACCESS_KEY": "wrong"}, code=77)
    verdict(good and "SignatureDoesNotMatch" in words and "the environment" in words, "a wrong key is exit code 77 and told", words)
    good, words, _ = dgc("copy", "s3://nolake/a.parquet", "x.csv", env=keys, code=78)
    verdict(good and "`nolake` does not exist" in words, "a bucket that is not there", words)
    good, words, _ = dgc("copy", "s3://lake/none.parquet", "x.csv", env=keys, code=78)
    verdict(good and "matches no file" in words, "an object that is not there", words)

    # ---- Each link of the chain of credentials ----
    bare = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL_S3": endpoint, "AWS_EC2_METADATA_DISABLED": "true", "HOME": work}
    os.makedirs(".aws")
    with open(".aws/credentials", "w") as f:
        f.write("[default]\naws_access_key_id = AKTEST\naws_secret_access_key = SKTEST\n[wrong]\naws_access_key_id=A\naws_secret_access_key=B\n")
    with open(".aws/config", "w") as f:
        f.write("[profile process]\nregion = us-east-1\ncredential_process = " + os.path.join(work, "process.sh") + " 'an argument'\n")
    with open("process.sh", "w") as f:
        f.write('#!/bin/sh\n[ "$1" = "an argument" ] || exit 1\necho \'{"Version": 1, "AccessKeyId": "AKTEST", "SecretAccessKey": "SKTEST"}\'\n')
    os.chmod("process.sh", 0o755)
    look = ["conns", "discover", "s3://lake", "--table", "a.*"]
    verdict(*dgc(*look, env=bare)[:1], "the default profile")
    good, words, _ = dgc(*look, env={**bare, "AWS_PROFILE": "wrong"}, code=78)
    verdict(good and "profile `wrong`" in words, "a profile by name", words)
    verdict(*dgc(*look, env={**bare, "AWS_PROFILE": "process"})[:1], "credential_process")
    fake = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fake)
    threading.Thread(target=fake.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{fake.server_address[1]}"
    nothing = {**bare, "HOME": "/nonexistent"}
    verdict(*dgc(*look, env={**nothing, "AWS_CONTAINER_CREDENTIALS_FULL_URI": base + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret"})[:1], "the container's endpoint")
    verdict(*dgc(*look, env={**nothing, "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": base})[:1], "the instance's metadata, version 2")
    with open("token", "w") as f:
        f.write("web-token\n")
    verdict(*dgc(*look, env={**nothing, "AWS_WEB_IDENTITY_TOKEN_FILE": os.path.join(work, "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_ENDPOINT_URL_STS": base})[:1],
            "a web identity through STS")
    good, words, _ = dgc(*look, env=nothing, code=78)
    verdict(good and "has no credentials" in words, "no credentials at all", words)
    fake.shutdown()


class Fake(http.server.BaseHTTPRequestHandler):
    """The endpoints that hand out credentials; all give the same ones."""
    JSON = '{"AccessKeyId": "AKTEST", "SecretAccessKey": "SKTEST", "Token": "", "Expiration": "2999-01-01T00:00:00Z"}'

    def answer(self, text, code=200):
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        good = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        self.answer("imds-token" if good else "no", 200 if good else 400)

    def do_GET(self):
        if self.path == "/container":
            good = self.headers["Authorization"] == "secret"
        else:
            good = self.headers["X-aws-ec2-metadata-token"] == "imds-token"
        if self.path.endswith("/security-credentials/") and good:
            return self.answer("a-role")
        self.answer(self.JSON if good else "no", 200 if good else 401)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        good = "Action=AssumeRoleWithWebIdentity" in body and "WebIdentityToken=web-token" in body
        self.answer("<R><Credentials><AccessKeyId>AKTEST</AccessKeyId><SecretAccessKey>SKTEST</SecretAccessKey><SessionToken></SessionToken>"
                    "<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></R>" if good else "no", 200 if good else 400)

    def log_message(self, *_):
        pass


main()
sys.exit(failures > 0)
