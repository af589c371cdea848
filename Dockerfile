# `make quick` in a container; docs/cluster.md says how to run it, on processor cores and on cards.
ARG PYTHON=3.11
FROM python:${PYTHON}-slim-bookworm
# Options by which pip finds torch's build for processor cores; left empty, the default index may give that for CUDA.
ARG INDEX=""
# git tells provenance.json the commit.
RUN apt-get update && apt-get install -y --no-install-recommends git make && rm -rf /var/lib/apt/lists/*
WORKDIR /bnstudy
COPY requirements.txt requirements-torch.txt ./
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir --no-compile --no-deps --require-hashes -r requirements.txt
RUN .venv/bin/pip install --no-cache-dir --no-compile $INDEX -r requirements-torch.txt
COPY . .
RUN make PYTHON=python .venv/ready && git config --system --add safe.directory /bnstudy
# Any user may run it, also one without a home.
RUN mkdir -p results .snakemake && chmod a+rwx . results .snakemake
ENV PATH=/bnstudy/.venv/bin:$PATH USER=bnstudy HOME=/tmp XDG_CACHE_HOME=/tmp/cache MPLCONFIGDIR=/tmp/matplotlib PYTHONPYCACHEPREFIX=/tmp/pycache
CMD ["make", "quick"]
