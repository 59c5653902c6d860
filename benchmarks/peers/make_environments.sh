#!/bin/sh
# Makes an environment for each tool that benchmarks/compare.py compares with, below a folder:
#   sh benchmarks/peers/make_environments.sh FOLDER
# They do not fit into one environment, nor into ours. Data-Juicer brings torch, so some gigabytes are needed;
# torch, ray and aiohttp are installed first, or its resolver takes the CUDA builds.
set -e
folder=${1:?"usage: make_environments.sh FOLDER"}
python=${PYTHON:-python3}

$python -m venv "$folder/datatrove"
"$folder/datatrove/bin/python" -m pip install --quiet "datatrove[io,processing]==0.10.1"

$python -m venv "$folder/data_juicer"
"$folder/data_juicer/bin/python" -m pip install --quiet torch==2.13.0 ray aiohttp
"$folder/data_juicer/bin/python" -m pip install --quiet py-data-juicer ftfy opencc simhash-pybind
