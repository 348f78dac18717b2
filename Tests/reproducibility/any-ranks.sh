#!/bin/bash
# Usage: any-ranks.sh PROGRAM [STEPS [short]]
#
# Trains with PROGRAM (a built gan-dist) for STEPS (default 300) steps, with 1, 2, 3, 4, 5, 7, 8 and 16 ranks of 1
# and 2 threads each, in batches of 64, 96, 100, 128 and 256 images (short: with fewer of each); then once more in
# batches of 64, killed twice: begun with 4 ranks, gone on with 1, ended with 3. Passes (status 0) only if all runs of
# a batch size end in the same state, bit for bit (gan-dist inspect --digest), products of AVX2 among them; also with
# bfloat16 factors, where the processor has them; and if products that round twice, without FMA, end in another.
# Prints a line a run.
set -euo pipefail

program=$(readlink -f "$1") steps=${2-300}
all_ranks=(1 2 3 4 5 7 8 16) all_threads=(1 2) batches=(64 96 100 128 256)
if [[ ${3-} == short ]]; then
  all_ranks=(1 3 16) all_threads=(1 2) batches=(64 100)
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
runs=0

fail() {
  printf 'any-ranks: FAILED: %s\n' "$*" >&2
  exit 1
}

# train RANKS OPTION…: a run into $folder/run.
train() {
  local ranks=$1
  shift
  mpirun --oversubscribe -np "$ranks" "$program" --out "$folder/run" --max-steps "$steps" --seed 11 --quiet \
    --sample-every 0 "$@"
}

# digest: that of the run's last checkpoint, which has to be that of the last step.
digest() {
  "$program" inspect --digest "$(printf '%s/run/checkpoints/step_%08d.safetensors' "$folder" "$steps")"
}

# expect_same WHAT: the run has ended in the state that $expected names, or is the first one and names it.
expect_same() {
  local actual
  actual=$(digest) || fail "$1: no checkpoint of step $steps"
  : "${expected:=$actual}"
  printf '%s  %s\n' "${actual:0:16}" "$1"
  [[ $actual == "$expected" ]] || fail "$1 ended in another state: $actual, not $expected"
  rm -rf "$folder/run"
  runs=$((runs + 1))
}

for batch in "${batches[@]}"; do
  expected=''
  for ranks in "${all_ranks[@]}"; do
    for threads in "${all_threads[@]}"; do
      train "$ranks" --batch-size "$batch" --threads "$threads"
      expect_same "batch $batch, $ranks ranks, $threads threads each"
    done
  done
  if ((batch == 64)); then
    of_64=$expected
    # An older processor's instructions, as far as this one has them.
    LIBXSMM_TARGET=hsw train 2 --batch-size 64 --threads 1
    expect_same 'batch 64, 2 ranks, products of AVX2'
  fi
done

# Factors in bfloat16 numbers are rounded alike everywhere.
if "$program" --max-steps 0 --precision bfloat16 --quiet --out "$folder/run" 2>"$folder/errors"; then
  rm -rf "$folder/run"
  for batch in 64 100; do
    expected=''
    for ranks in 1 2 3 4; do
      train "$ranks" --batch-size "$batch" --threads 1 --precision bfloat16
      expect_same "batch $batch, $ranks ranks, bfloat16"
    done
    train 2 --batch-size "$batch" --threads 2 --precision bfloat16
    expect_same "batch $batch, 2 ranks, 2 threads each, bfloat16"
    [[ $expected != "$of_64" ]] || fail 'bfloat16 changes nothing'
  done
else
  rm -rf "$folder/run"
  grep -q -- '--precision bfloat16 needs a processor' "$folder/errors" || fail "bfloat16: $(cat "$folder/errors")"
  printf 'skipped: bfloat16, which this processor does not multiply\n'
fi

# killed RANKS STEP OPTION…: a run of so many ranks whose highest rank is killed after it has reached STEP.
killed() {
  local ranks=$1 step=$2 job victim
  shift 2
  train "$ranks" --batch-size 64 --threads 1 --checkpoint-every-steps 1 --keep-checkpoints 1000000 "$@" \
    2>"$folder/errors" &
  job=$!
  until compgen -G "$(printf '%s/run/checkpoints/step_%08d.safetensors' "$folder" "$step")" >/dev/null; do
    kill -0 "$job" 2>/dev/null || fail "the run to be killed ended by itself: $(cat "$folder/errors")"
    sleep 0.01
  done
  victim=$(pgrep -f -- "^$program --out $folder/run " | tail -n 1) || fail "there is nothing to kill"
  kill -KILL "$victim"
  wait "$job" && fail "the run to be killed was not"
  return 0
}

expected=$of_64
killed 4 $((steps / 3))
killed 1 $((2 * steps / 3)) --resume latest
train 3 --threads 1 --resume latest
expect_same 'batch 64, begun with 4 ranks, killed, gone on with 1, killed, ended with 3'

# The comparison can fail: products that round twice have other last digits.
LIBXSMM_TARGET=generic train 2 --batch-size 64 --threads 1
actual=$(digest)
if grep -q 'no FMA' "$folder/run/log.txt" && [[ $actual == "$expected" ]]; then
  fail 'the comparison sees no difference where there must be one'
fi

printf 'any-ranks: passed: %d runs of %d steps\n' "$runs" "$steps"
