#!/bin/bash
# Usage: shaped-network.sh RATE HOSTS BATCH ROUNDS PROGRAM...
#
# Measures a step of BATCH images on HOSTS hosts of one rank each, whose links carry RATE (as tc writes it: 1gbit,
# 10gbit), with each PROGRAM (a built gan-dist) in turn, ROUNDS times: medians of milliseconds a step of each round, and
# the bytes a step that node2 sends. First comes one host alone. The hosts are network namespaces of this
# machine, each link a token bucket. They share its processors: more hosts than processors measure nothing.
# Status: 64 bad usage, 69 no namespaces here, 1 a run failed.
set -euo pipefail

if (($# < 5)); then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 64
fi
rate=$1 hosts=$2 batch=$3 rounds=$4
programs=("${@:5}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nodes=$here/namespaces.sh
"$nodes" supported || exit 69
steps=200 warm_up=30

GAN_DIST_CLUSTER=$("$nodes" new)
export GAN_DIST_CLUSTER OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
trap '"$nodes" down' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
"$nodes" up "$hosts"
list=''
for ((number = 1; number <= hosts; number++)); do
  "$nodes" on "node$number" tc qdisc add dev veth0 root tbf rate "$rate" burst 256kb latency 50ms
  list+=${list:+,}node$number:1
done

# milliseconds JSON-FILE: the median of a step.
milliseconds() { grep -oE '"milliseconds_per_step" *: *[0-9.]+' "$1" | grep -oE '[0-9.]+$'; }

measure() {
  local program=$1 where=$2 output advice=''
  output=$(mktemp)
  ! "$program" bench --help | grep -q -e --no-advice || advice=--no-advice
  OMPI_MCA_plm_rsh_agent="$nodes agent" timeout 300 "$nodes" on node1 \
    mpirun --host "$where" --map-by node --bind-to none "$program" bench --threads 1 --batch-size "$batch" \
    --steps "$steps" --warm-up "$warm_up" ${advice:+"$advice"} --json >"$output" || { cat "$output" >&2; exit 1; }
  milliseconds "$output"
  rm -f "$output"
}

for ((round = 1; round <= rounds; round++)); do
  for program in "${programs[@]}"; do
    alone=$(measure "$program" node1:1)
    before=$("$nodes" bytes)
    all=$(measure "$program" "$list")
    after=$("$nodes" bytes)
    traffic=$(paste -d ' ' <(echo "$after") <(echo "$before") | awk -v steps=$((2 * steps + warm_up)) \
      '$1 == "node2" { printf "%.2f", ($3 - $6) / steps / 1e6 }')
    printf '%s batch %s round %d: one host %s ms, %d hosts %s ms; node2 sends %s MB a step; %s\n' \
      "$rate" "$batch" "$round" "$alone" "$hosts" "$all" "$traffic" "$program"
  done
done
