#!/usr/bin/env bash
# conformance_mlflow.sh: a Python environment in the cache with MLflow itself: tracking server, model server, SDK. Prints its interpreter.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
python_env mlflow mlflow==3.17.2
