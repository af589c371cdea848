#!/usr/bin/env bash
# All that is checked on a card: tests, speed, small studies, and the times of the large one. Logs go to $OUT.
# usage: bash device/check.sh SECONDS [PART ...]     parts: smoke cpu tests studies bench probe full
set -u
cd "$(dirname "$0")/.."
HERE=$PWD; OUT=${OUT:-/tmp/out}; mkdir -p "$OUT"
BEGUN=$(date +%s); TOTAL=${1:-290}; shift || true
PARTS=" ${*:-smoke cpu tests studies bench probe} "
has() { [[ $PARTS == *" $1 "* ]]; }
left() { echo $((TOTAL - $(date +%s) + BEGUN)); }
at() { echo "== $(($(date +%s) - BEGUN)) s: $*"; }
python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target /tmp/site ../.whl/*.whl || exit 1
export PYTHONPATH=/tmp/site:$HERE/src PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
study() {  # NAME FILE DEVICE: a study run in a folder of its own
  local w=/tmp/w/$1_$3; mkdir -p "$w"; ln -sfn "$HERE/config" "$w/config"
  sed -e "s#^training: {#training: {device: $3, #; s#source: mnist5k#source: npz, path: $HERE/device/mnist5k.npz#" "$2" > "$w/study.yaml"
  ( cd "$w"; time timeout "$(left)" python3 -m bnstudy run --config study.yaml ) > "$OUT/$1_$3.log" 2>&1
  cp "$w"/results/*/claims.json "$OUT/$1_$3_claims.json" 2>/dev/null
}
WAIT=()
if has cpu; then
  study nano tests/nano.yaml cpu & WAIT+=($!)
  study quick config/quick.yaml cpu & WAIT+=($!)
  ( timeout "$(left)" python3 -m pytest -q -n 4 -p no:cacheprovider tests/test_train.py tests/test_nets.py tests/test_batches.py tests/test_ics.py tests/test_intervention.py tests/test_landscape.py tests/test_drift.py tests/test_levels.py tests/test_lecture.py tests/test_shifts.py tests/test_tune.py tests/test_jobs.py tests/test_data.py ) > "$OUT/suite.log" 2>&1 & WAIT+=($!)
  if [ -d device/base ]; then
    ( OMP_NUM_THREADS=1 PYTHONPATH=/tmp/site:device/base/src python3 device/bits.py /tmp/b0.pkl 0 device/base/tests & 
      OMP_NUM_THREADS=1 python3 device/bits.py /tmp/b1.pkl 0 tests & OMP_NUM_THREADS=1 python3 device/bits.py /tmp/b20.pkl 20 tests & wait
      python3 -c 'import pickle; a,b,c=(pickle.load(open(f"/tmp/b{n}.pkl","rb")) for n in (0,1,20)); print(len(a),"results; other bits than before:",[k for k in a if a[k]!=b[k]],"; looked at every 20:",[k for k in a if a[k]!=c[k]])'
    ) > "$OUT/bits.log" 2>&1 & WAIT+=($!)
  fi
fi
if has smoke; then at smoke; timeout 60 python3 device/smoke.py > "$OUT/smoke.log" 2>&1; echo "rc $?"; cat "$OUT/smoke.log" | tail -60; fi
GPU=()
if has studies; then
  study nano tests/nano.yaml cuda & GPU+=($!)
  study quick config/quick.yaml cuda & GPU+=($!)
fi
if has tests; then
  at card tests
  timeout $(($(left) < 125 ? $(left) : 125)) python3 -m pytest -v -rsP -n 2 tests/test_card.py -k "twice_however or agrees_with or tf32 or adam_on or measures_what" -p no:cacheprovider --durations 12 > "$OUT/tests.log" 2>&1
  echo "rc $?"; grep -a -E "^E  |^FAILED|^ERROR|passed|failed|PASSED|FAILED|s call" "$OUT/tests.log" | grep -v "^tests" | cut -c1-260 | tail -60; grep -a -c PASSED "$OUT/tests.log"; grep -a "^\[precision\]" "$OUT/tests.log" | sort -k4 -g -r | head -40
fi
[ ${#GPU[@]} -gt 0 ] && wait "${GPU[@]}"
for s in nano quick; do [ -f "$OUT/${s}_cuda.log" ] && { at "$s cuda"; tail -6 "$OUT/${s}_cuda.log"; }; done
if has bench; then at bench; timeout $(($(left) < 90 ? $(left) : 90)) python3 -m bnstudy.bench.card 2>&1 | tee "$OUT/bench.log" | cut -c1-200; fi
if has probe && [ "$(left)" -gt 20 ]; then
  at probe
  sed -e "s#source: fashion_mnist#source: fashion_mnist, path: $HERE/device/fashion#" config/fashion_mnist_full.yaml > /tmp/w/full.yaml 2>/dev/null || { mkdir -p /tmp/w; sed -e "s#source: fashion_mnist#source: fashion_mnist, path: $HERE/device/fashion#" config/fashion_mnist_full.yaml > /tmp/w/full.yaml; }
  timeout "$(left)" python3 device/probe.py /tmp/w/full.yaml $(($(left) - 15)) 2>&1 | grep -v "this batch of networks" | tee "$OUT/probe.log" | cut -c1-200
fi
if has full; then
  at full
  mkdir -p /tmp/w/full; ln -sfn "$HERE/config" /tmp/w/full/config
  sed -e "s#source: fashion_mnist#source: fashion_mnist, path: $HERE/device/fashion#" config/fashion_mnist_full.yaml > /tmp/w/full/study.yaml
  sed -e '/name: causes/d; /name: shifts/d; s/measures: \[affine, drift, moments, levels\]/measures: [moments, levels]/' /tmp/w/full/study.yaml > /tmp/w/full/fewer.yaml
  ( while sleep 5; do nvidia-smi --query-gpu=utilization.gpu,memory.used --format=csv,noheader; done ) > "$OUT/smi.log" 2>&1 & SMI=$!
  cd /tmp/w/full
  ( time timeout $(($(left) - 15)) python3 -m bnstudy run --config study.yaml --cores 6 --minutes "$(python3 -c "print(($(left) - 75) / 60)")" ) > "$OUT/full.log" 2>&1
  if [ ! -f results/fashion_mnist_full/claims.json ]; then
    at fewer measures
    ( time timeout $(($(left) - 10)) python3 -m bnstudy run --config fewer.yaml --cores 6 ) > "$OUT/fewer.log" 2>&1; tail -4 "$OUT/fewer.log"
  fi
  kill $SMI; cd "$HERE"
  grep -v "this batch of networks" "$OUT/full.log" | cut -c1-300 | tail -90; tail -6 "$OUT/full.log"; sort -u "$OUT/smi.log" | tail -2; awk '{s+=$1;n++} END {print "mean utilization", s/n, n}' "$OUT/smi.log"
  ( cd /tmp/w/full/results; cp "$HERE/COMMIT" fashion_mnist_full/; tar -czf "$OUT/full_tables.tgz" --exclude=specs fashion_mnist_full; ls -la "$OUT" fashion_mnist_full fashion_mnist_full/tables | cut -c20- )
  python3 -c 'import json; [print(c["id"], c["verdict"], c["effect"][:90]) for c in json.load(open("/tmp/w/full/results/fashion_mnist_full/claims.json")) if c["verdict"] != "not tested"]' | head -60
fi
if has cpu; then
  for p in "${WAIT[@]}"; do while kill -0 "$p" 2>/dev/null && [ "$(left)" -gt 3 ]; do sleep 1; done; done
  at cpu; grep -a -E "^FAILED|^ERROR|passed|failed" "$OUT/suite.log" | cut -c1-200 | tail -12; cat "$OUT/bits.log" 2>/dev/null | tail -4; for s in nano quick; do tail -4 "$OUT/${s}_cpu.log"; done
fi
at summary
for s in nano quick; do
  [ -f "$OUT/${s}_cpu_claims.json" ] && [ -f "$OUT/${s}_cuda_claims.json" ] && { echo -n "$s, cpu against card: "; python3 device/same.py "$OUT/${s}_cpu_claims.json" "$OUT/${s}_cuda_claims.json"; }
done
grep -a -h -E "passed|failed" "$OUT/tests.log" 2>/dev/null | tail -1
grep -a -h -E "^gpu_" "$OUT/bench.log" 2>/dev/null
grep -a -h -o "\[precision\].*" "$OUT/tests.log" 2>/dev/null | sort -k4 -g -r | head -4
tar -czf "$OUT/logs.tgz" -C "$OUT" $(cd "$OUT"; ls | grep -v tgz) && (cd "$OUT"; rm -f *.log *.json)
at end
