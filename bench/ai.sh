#!/usr/bin/env bash
# ai.sh: chunks embedded and indexed by a provider that answers after 50 ms, against what that provider allows at this concurrency; a second
# run with 1 % of the documents changed: only their chunks are asked for. Chunking is in documents.sh, exact search in vectors.sh.
# AI_CHUNKS: how many, a multiple of 100 (10 000).
. "$(dirname "$0")/lib.sh"
count=${AI_CHUNKS:-10000} batch=16 concurrency=16 latency=0.05
mkdir -p "$WORK/p/defs/rag" "$WORK/s"
cat > "$WORK/provider.py" <<'P'
"""Answers /embeddings after LATENCY seconds, and costs as little as it can: vectors are made of a text's hash. FOLDER/calls, FOLDER/texts: counts."""
import asyncio, base64, hashlib, json, os, sys
folder, latency = sys.argv[1], float(sys.argv[2])
calls = texts = 0
async def serve(reader, writer):
    global calls, texts
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if b"expect: 100" in head:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            asked = json.loads(await reader.readexactly(length))["input"]
            calls += 1
            texts += len(asked)
            with open(folder + "/count", "w") as f:
                f.write("%d %d" % (calls, texts))
            loop = asyncio.get_running_loop()
            due = loop.time() + latency
            data = [{"index": i, "embedding": [b / 255 - 0.5 for b in hashlib.sha256(t.encode()).digest()]} for i, t in enumerate(asked)]
            body = json.dumps({"data": data, "usage": {"prompt_tokens": 5 * len(asked), "total_tokens": 5 * len(asked)}}).encode()
            await asyncio.sleep(due - loop.time())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=256)
    with open(folder + "/port.new", "w") as f:
        f.write(str(server.sockets[0].getsockname()[1]))
    os.rename(folder + "/port.new", folder + "/port")
    await server.serve_forever()
asyncio.run(main())
P
python3 "$WORK/provider.py" "$WORK/s" "$latency" 2> "$WORK/s/err" & provider=$!
trap 'kill $provider 2> /dev/null; rm -rf "$WORK"' EXIT
for _ in $(seq 100); do [ -e "$WORK/s/port" ] && break; sleep 0.05; done
PROVIDER=http://127.0.0.1:$(cat "$WORK/s/port"); export PROVIDER
cd "$WORK/p" || exit 1
printf 'name: a\n' > dgc.yaml
cat > defs/rag/defs.yaml <<Y
type: dgc.Documents
attributes: {path: "../../docs/*.md", asset: rag/chunks, chunk: {by: heading, tokens: 400, overlap: 0}}
---
type: dgc.Embed
attributes: {from: rag/chunks, column: text, asset: rag/embeddings, model: compatible/small, base_url: "{{ env.PROVIDER }}", batch: $batch, concurrency: $concurrency, prices: {input: 0}}
---
type: dgc.VectorIndex
attributes: {from: rag/embeddings, collection: docs}
Y
# Ten sections of some sixty words each; DAY 1: one document in a hundred is another one.
documents() {
    python3 - "$count" "$1" docs <<'P'
import os, random, sys
count, day, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
words = "refund order parcel invoice customer ledger warehouse policy".split()
os.makedirs(folder, exist_ok=True)
for d in range(0, count // 10, 100 if day else 1):
    random.seed(d)
    with open("%s/d%05d.md" % (folder, d), "w") as f:
        for s in range(10):
            f.write("## Section %d of document %d\n\n%s%s.\n\n" % (s, d, " ".join(random.choice(words) for _ in range(60)), " changed" if day else ""))
P
}
asked() { cat "$WORK/s/count"; }
cpu() { cat "$WORK/cpu"; }
"$DGC" build . -o ai.bin > "$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
documents 0
read -r first mb code < <(measure ./ai.bin run --progress none)
[ "$code" = 0 ] || { tail -n 3 "$WORK/log"; exit 1; }
ours=$(cpu)
read -r calls texts < <(asked)
[ "$texts" = "$count" ] || { echo "FAIL ai: $texts texts were asked for, of $count"; exit 1; }
# The provider's limit: the same number of calls, drained by curl with so many connections.
limit=$(awk -v c="$calls" -v n="$concurrency" -v l="$latency" 'BEGIN { printf "%.1f", int((c + n - 1) / n) * l * 1000 }') by="arithmetic"
if command -v curl > /dev/null; then
    python3 -c 'import json, sys; print(json.dumps({"input": ["Section %d of a document, about " % i + "customer " * 55 for i in range(int(sys.argv[1]))]}))' "$batch" > "$WORK/body"
    for ((i = 0; i < calls; i++)); do
        [ "$i" = 0 ] || echo next
        printf 'url = "%s/embeddings"\nsilent\noutput = /dev/null\ndata = "@%s/body"\nheader = "Content-Type: application/json"\n' "$PROVIDER" "$WORK"
    done > "$WORK/curlrc"
    read -r limit _ code < <(measure curl --no-progress-meter -Z --parallel-max "$concurrency" -K "$WORK/curlrc")
    by=curl
    [ "$code" = 0 ] || { tail -n 3 "$WORK/log"; exit 1; }
fi
echo "$count chunks, $calls calls of $batch at $latency s, $concurrency at once: $first ms; the provider alone takes $limit ms ($by)"
figure "read, embedded and indexed, of the limit" "$(ratio "$first" "$limit")" x 1.1
figure "memory" "$mb" MB 300
documents 1
read -r calls texts < <(asked)
read -r second mb code < <(measure ./ai.bin run --progress none)
[ "$code" = 0 ] || { tail -n 3 "$WORK/log"; exit 1; }
read -r _ again < <(asked)
[ $((again - texts)) = $((count / 100)) ] || { echo "FAIL ai: $((again - texts)) texts were asked for again, $((count / 100)) have changed"; exit 1; }
echo "1 % changed: $((again - texts)) texts asked for, $second ms"
figure "1 % changed, of the first run" "$(ratio "$second" "$first")" x 0.03

# Peers, with the same documents and provider; what counts is processor time.
"$ROOT/scripts/bench_setup.sh" || { echo "LlamaIndex and CocoIndex could not be installed: not compared"; exit 0; }
peers=$("$ROOT/scripts/bench_setup.sh" --print)
for peer in llamaindex:0.1 cocoindex:0.2; do
    name=${peer%:*}
    mkdir "$WORK/$name"
    export COCOINDEX_DISABLE_USAGE_TRACKING=1
    read -r ms mb code < <(measure "$peers/bin/python" "$ROOT/bench/ai_$name.py" docs "$WORK/$name" "$PROVIDER" "$batch" "$concurrency")
    [ "$code" = 0 ] || { tail -n 3 "$WORK/log"; exit 1; }
    theirs=$(cpu)
    echo "$name: $ms ms, $theirs ms of processor, $mb MB; dgc $first ms, $ours ms of processor"
    figure "processor time, of $name's" "$(ratio "$ours" "$theirs")" x "${peer#*:}"
done
