#!/bin/bash
# Usage: three-hosts.sh PROGRAM [STEPS [BATCH [slot|node]]]
#
# Trains with PROGRAM (a built gan-dist) on a cluster of three hosts, two ranks on node1 and one on each of
# node2 and node3, then with the same options and four ranks on one host: STEPS (default 30) steps of BATCH
# (default 64) images. Ranks are numbered slot by slot (default), or node by node: then those of a host are no
# neighbours. Passes (status 0) only when both runs logged the same losses and ended in the same state, bit for
# bit, and when as many bytes crossed the links of node2 and node3 as rows or sums have to travel. Takes at most
# two minutes.
set -euo pipefail

steps=${2-30} batch=${3-64}
seconds_per_run=50
mapping=${4-slot}
# Of each row the inputs of D's layers, real and fake, and of G's, and the gradients of their outputs travel: a host
# receives those of the others' rows, three quarters of all. Half of that is demanded, and of what it sends to two
# hosts.
numbers_of_row=$((2 * (784 + 512 + 256) + 2 * (512 + 256 + 1) + (64 + 128 + 256 + 512) + (128 + 256 + 512 + 784)))
least_bytes=$((steps * batch * 2 * numbers_of_row * 4 / 4 / 2))
# With large batches sums travel: a host sends two others its slices, a third of both networks' gradients.
sum_bytes=$((steps * 2 * 1110459 * 4 / 3 / 2))
((least_bytes < sum_bytes)) || least_bytes=$sum_bytes

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nodes=$here/namespaces.sh

fail() {
  printf 'three-hosts: FAILED: %s\n' "$*" >&2
  exit 1
}

if (($# < 1 || $# > 4)) || [[ $mapping != slot && $mapping != node ]]; then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 64
fi
program=$(readlink -f "$1")
[[ -f $program && -x $program ]] || fail "there is no program at '$1'"

# Once more from the top (in the same process), where namespaces can be made also without root.
if [[ ${THREE_HOSTS_WITHIN-} != "$$" ]]; then
  "$nodes" supported || exit 1
  THREE_HOSTS_WITHIN=$$ exec "$nodes" within "$here/${0##*/}" "$program" "$steps" "$batch" "$mapping"
fi

# limited WHAT COMMAND…: COMMAND, with a time limit.
limited() {
  local what=$1 status=0
  shift
  # In the background: a signal to this script would wait for what is in the foreground.
  timeout --foreground --kill-after 5 "$seconds_per_run" "$@" &
  wait "$!" || status=$?
  ((status != 124 && status != 137)) || fail "$what: not done after $seconds_per_run s"
  ((status == 0)) || fail "$what: status $status"
}

# same_numbers FILE FILE: two tables agree in all columns but those of times. Prints how much was compared.
same_numbers() {
  awk -F, -v tolerance=1e-5 '
    function fault(text) { print text > "/dev/stderr"; failed = 1; exit 1 }
    function is_number(text) { return text ~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/ }
    function magnitude(x) { return x < 0 ? -x : x }
    { sub(/\r$/, "") }
    FILENAME == ARGV[1] { expected[FNR] = $0; expected_rows = FNR; next }
    { rows = FNR }
    FNR == 1 {
      if ($0 != expected[1]) fault("the headers differ: " expected[1] " | " $0)
      for (i = 1; i <= NF; i++) {
        name[i] = tolower($i)
        # Whole words: "time (s)", "epoch_seconds", "images/s"; but not "loss".
        is_time[i] = name[i] ~ /(^|[^a-z])(s|ms|seconds?|minutes?|times?|elapsed|duration|speed|throughput)([^a-z]|$)/
        if (!is_time[i] && name[i] ~ /loss/) losses++
      }
      columns = NF
      next
    }
    {
      if (NF != columns || split(expected[FNR], other) != columns) fault("row " FNR " has not " columns " columns")
      for (i = 1; i <= NF; i++) {
        if (is_time[i]) continue
        if (is_number($i) && is_number(other[i])) {
          larger = magnitude($i) > magnitude(other[i]) ? magnitude($i) : magnitude(other[i])
          difference = magnitude($i - other[i])
          if (difference > tolerance * larger) fault("row " FNR ", " name[i] ": " other[i] " and " $i)
          if (difference > worst * larger) worst = difference / larger
        } else if ($i != other[i] || name[i] ~ /loss/) fault("row " FNR ", " name[i] ": " other[i] " and " $i)
        compared++
      }
    }
    END {
      if (failed) exit 1
      if (rows != expected_rows) fault("one table has " expected_rows + 0 " rows, the other " rows + 0)
      if (rows < 2 || losses < 1) fault("the tables have no losses to compare")
      printf "%d numbers equal within %.1e\n", compared, worst
    }' "$1" "$2"
}

GAN_DIST_CLUSTER=$("$nodes" new)
export GAN_DIST_CLUSTER
clean_up() {
  # Once begun it is not to be stopped: the namespaces would stay.
  trap '' TERM INT HUP
  "$nodes" down
  [[ -z ${folder-} ]] || rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP
folder=$(mktemp -d)

"$nodes" up 3
printf 'node1 slots=2\nnode2 slots=1\nnode3 slots=1\n' >"$folder/hosts"
# The hosts share this machine's cores without knowing: more threads would only wait for one another.
options=(--max-steps "$steps" --batch-size "$batch" --epochs 1 --seed 7 --threads 1 --quiet)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

"$nodes" bytes >"$folder/before"
export OMPI_MCA_rmaps_base_mapping_policy=$mapping
OMPI_MCA_plm_rsh_agent="$nodes agent" GAN_DIST_PROGRAM=$program limited 'three hosts' \
  "$nodes" on node1 "$here/../../launch/cluster" "$folder/hosts" "${options[@]}" --out "$folder/cluster" \
  --trace "$folder/trace.json" --trace-after 0 --trace-steps 5
unset OMPI_MCA_rmaps_base_mapping_policy
"$nodes" bytes >"$folder/after"

OMPI_MCA_mpi_yield_when_idle=1 limited 'one host' \
  "$nodes" on node1 mpirun -np 4 --oversubscribe "$program" "${options[@]}" --out "$folder/one-host"

for run in cluster one-host; do
  [[ -s $folder/$run/metrics.csv ]] || fail "the run '$run' wrote no metrics.csv"
done
equality=$(same_numbers "$folder/one-host/metrics.csv" "$folder/cluster/metrics.csv") ||
  fail "one host and three hosts learned differently"

state() { "$program" inspect --digest "$(printf '%s/%s/checkpoints/step_%08d.safetensors' "$folder" "$1" "$steps")"; }
digest=$(state one-host)
[[ $(state cluster) == "$digest" ]] || fail "one host and three hosts ended in different states"

# The ranks of node2 and node3.
others='2 3'
[[ $mapping == slot ]] || others='1 2'
# The nodes of this machine have one clock: the estimates of two ranks must find it, within their own uncertainty.
clocks=$(grep -o '"offsetNanoseconds":-\?[0-9]*,"rank":[0-9]*,"uncertaintyNanoseconds":[0-9]*' "$folder/trace.json" |
  awk -F '[:,]' -v others="$others" '{ print $2, $6 }
    $2 * $2 > $6 * $6 || (index(others, $4) && $6 == 0) { exit 1 }') ||
  fail "the clocks of the trace are not one: $clocks"
[[ $(wc -l <<<"$clocks") == 4 ]] || fail "the trace has not the clocks of four ranks: $clocks"

traffic=''
while read -r node received sent _ received_before sent_before; do
  received=$((received - received_before)) sent=$((sent - sent_before))
  printf '%s: %d bytes received, %d bytes sent\n' "$node" "$received" "$sent"
  traffic+=" $node $((received / 1000000))/$((sent / 1000000))"
  if [[ $node != node1 ]]; then
    ((received >= least_bytes && sent >= least_bytes)) ||
      fail "$node received $received and sent $sent bytes; $steps steps need $least_bytes each way"
  fi
done < <(paste -d ' ' "$folder/after" "$folder/before")
[[ $traffic == *node2*node3* ]] || fail "the bytes of the links could not be read"

printf 'three-hosts: passed: %s; digest %s; MB received/sent:%s\n' "$equality" "${digest:0:16}" "$traffic"
