#!/bin/bash
# Usage: other-processors.sh PROGRAM TESTS [STEPS [PROCESSOR…]]
#
# Runs a built gan-dist (PROGRAM) and the package's tests (TESTS, the .xctest of a debug build; '' for none) on
# processors that qemu-x86_64 of Debian's qemu-user stands in for, as its option -cpu names them. By default these are
#
#   Nehalem      SSE4.2: libxsmm makes code for products, but for no transpositions
#   Penryn       SSE4.1: libxsmm makes no code at all
#   SandyBridge  AVX, without FMA
#   Opteron_G5   AVX and FMA, but not AVX2: counts as AVX
#   Haswell      AVX2
#
# On each: the tests of matrices, layers and ten steps against PyTorch; STEPS (default 20) steps of training; images
# from the generator that they leave; and a limit beyond the processor, which has to be refused. Passes (status 0) only
# if all processors with FMA end in one state and all without it in another, bit for bit, and this one does in the same
# two, limited by LIBXSMM_TARGET. Prints a line a result. Status: 69 where there is no qemu-x86_64.
set -euo pipefail

fail() {
  printf 'other-processors: FAILED: %s\n' "$*" >&2
  exit 1
}

if ! command -v qemu-x86_64 >/dev/null; then
  printf 'other-processors: qemu-x86_64 is missing (Debian: qemu-user)\n' >&2
  exit 69
fi
(($# >= 2)) || { sed -n '2s/^# //p' "$0" >&2 && exit 64; }
program=$(readlink -f "$1") tests=${2:+$(readlink -f "$2")} steps=${3-20}
shift $(($# < 3 ? $# : 3))
processors=("$@")
(($# > 0)) || processors=(Nehalem Penryn SandyBridge Opteron_G5 Haswell)
unset LIBXSMM_TARGET
export OMP_NUM_THREADS=1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fused='' plain=''

# train COMMAND…: a run into $folder/run; leaves its $digest and its log's $libraries.
train() {
  rm -rf "$folder/run"
  "$@" --out "$folder/run" --max-steps "$steps" --threads 1 --quiet --sample-every 0 \
    >"$folder/said" 2>&1 || fail "$*: $(cat "$folder/said")"
  digest=$("$program" inspect --digest "$(printf '%s/run/checkpoints/step_%08d.safetensors' "$folder" "$steps")")
  libraries=$(sed -n 's/.*  libraries  //p' "$folder/run/log.txt")
}

# expect_same WHAT: the state is that of all processors of this kind, or the first one.
expect_same() {
  local -n expected=fused
  [[ $libraries != *'no FMA'* ]] || local -n expected=plain
  printf '%s  %s: %s\n' "${digest:0:16}" "$1" "$libraries"
  : "${expected:=$digest}"
  [[ $digest == "$expected" ]] || fail "$1 ended in another state: $digest, not $expected"
}

for processor in "${processors[@]}"; do
  emulated=(qemu-x86_64 -cpu "$processor")
  if [[ -n $tests ]]; then
    # (/proc/cpuinfo is that of the processor that there is.)
    "${emulated[@]}" "$tests" --testing-library swift-testing --skip theSystemSeesTheSameProcessor \
      --filter 'MatricesTests|RandomnessTests|NeuralNetworkTests|TrajectoryTests' >"$folder/said" 2>&1 ||
      fail "$processor: tests: $(grep -aE '✘|error' "$folder/said" || cat "$folder/said")"
    grep -aoE 'Test run with .* passed' "$folder/said" | sed "s/^/$processor: /" || fail "$processor: no test ran"
  fi
  train "${emulated[@]}" "$program"
  expect_same "$processor"
  "${emulated[@]}" "$program" generate --checkpoint "$folder/run/generator.safetensors" --out "$folder/images.png" \
    >"$folder/said" 2>&1 || fail "$processor: generate: $(cat "$folder/said")"
  status=0
  LIBXSMM_TARGET=cpx "${emulated[@]}" "$program" --max-steps 1 --out "$folder/none" >"$folder/said" 2>&1 || status=$?
  if ((status != 64)) || ! grep -q 'LIBXSMM_TARGET is cpx, which stands for' "$folder/said"; then
    fail "$processor: a limit of cpx ended with status $status: $(cat "$folder/said")"
  fi
  [[ ! -e $folder/none ]] || fail "$processor: a refused start left a folder"
done

train "$program"
expect_same 'this processor'
LIBXSMM_TARGET=generic train "$program"
expect_same 'this processor, limited'
[[ $fused != "$plain" ]] || fail 'the comparison sees no difference where there must be one'
printf 'other-processors: passed: %s, %d steps\n' "${processors[*]}" "$steps"
