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
type: dgc.Files
attributes: {path: ../../chunks.csv, asset: rag/chunks}
---
type: dgc.Embed
attributes: {from: rag/chunks, column: text, asset: rag/embeddings, model: compatible/small, base_url: "{{ env.PROVIDER }}", batch: $batch, concurrency: $concurrency, prices: {input: 0}}
---
type: dgc.VectorIndex
attributes: {from: rag/embeddings, collection: docs}
Y
chunks() { awk -v n="$count" -v day="$1" 'BEGIN { print "id,text"; for (i = 1; i <= n; i++) printf "d%d,chunk %d of some words that a document has%s\n", i, i, i % 100 == 0 && day ? " and that were changed" : "" }' > chunks.csv; }
asked() { cat "$WORK/s/count"; }
"$DGC" build . -o ai.bin > "$WORK/log" 2>&1 || { cat "$WORK/log"; exit 1; }
chunks 0
read -r first mb code < <(measure ./ai.bin run --progress none)
[ "$code" = 0 ] || { tail -n 3 "$WORK/log"; exit 1; }
read -r calls texts < <(asked)
[ "$texts" = "$count" ] || { echo "FAIL ai: $texts texts were asked for, of $count"; exit 1; }
limit=$(awk -v c="$calls" -v n="$concurrency" -v l="$latency" 'BEGIN { printf "%.1f", int((c + n - 1) / n) * l * 1000 }')
echo "$count chunks, $calls calls of $batch at $latency s, $concurrency at once: $first ms; the provider alone takes $limit ms"
figure "embedded and indexed, of the provider's limit" "$(ratio "$first" "$limit")" x 1.1
figure "memory" "$mb" MB 300
chunks 1
read -r second mb code < <(measure ./ai.bin run --progress none)
[ "$code" = 0 ] || { tail -n 3 "$WORK/log"; exit 1; }
read -r _ again < <(asked)
[ $((again - texts)) = $((count / 100)) ] || { echo "FAIL ai: $((again - texts)) texts were asked for again, $((count / 100)) have changed"; exit 1; }
echo "1 % changed: $((again - texts)) texts asked for, $second ms"
figure "1 % changed, of the first run" "$(ratio "$second" "$first")" x 0.03
