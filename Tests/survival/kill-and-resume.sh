#!/bin/bash
# Usage: kill-and-resume.sh PROGRAM KILLS [RANKS]
#
# Trains with PROGRAM (a built gan-dist) once undisturbed and once supervised by launch/train, while SIGKILL
# hits a random rank at KILLS random moments: before, inside and after the writing of checkpoints. Passes (status 0)
# only if both runs end in the same state, bit for bit (gan-dist inspect --digest), and with the same table but for
# times. The seed of the moments is printed; SEED sets it. Prints one summary line.
set -euo pipefail

program=$(readlink -f "$1") kills=$2 ranks=${3-2}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RANDOM=${SEED:=$$}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  printf 'kill-and-resume: FAILED: %s (SEED=%s)\n' "$*" "$SEED" >&2
  exit 1
}

# Enough steps that the run outlasts the kills: each sets it back by up to a checkpoint's distance.
steps=$((400 + 60 * kills))
options=(--epochs 100 --max-steps "$steps" --checkpoint-every-steps 25 --seed 3 --quiet --threads 1)
train() { GAN_DIST_PROGRAM=$program "$here/../../launch/train" -np "$ranks" "$@"; }

train "${options[@]}" --out "$folder/undisturbed"

train "${options[@]}" --out "$folder/killed" --restarts $((kills + 5)) 2>"$folder/errors" &
supervisor=$!
done_kills=0
newest() { find "$folder/killed/checkpoints" -type f 2>/dev/null | sort | tail -n 1 || :; }
while ((done_kills < kills)) && kill -0 "$supervisor" 2>/dev/null; do
  # Two kills of three come up to 0.3 s after a checkpoint has begun to be written, the others at any time.
  mapfile -t running < <(pgrep -f -- "^$program .*--out $folder/killed" || :)
  if ((${#running[@]} < ranks)); then
    sleep 0.02
    continue
  fi
  if ((RANDOM % 3 > 0)); then
    before=$(newest)
    while [[ $(newest) == "$before" ]] && kill -0 "${running[0]}" 2>/dev/null; do sleep 0.01; done
    sleep "0.$(printf %03d $((RANDOM % 300)))"
  else
    sleep "0.$((RANDOM % 900 + 100))"
  fi
  if kill -KILL "${running[RANDOM % ranks]}" 2>/dev/null; then
    done_kills=$((done_kills + 1))
    # Wait until the job is gone, so that one kill is one failure.
    for pid in "${running[@]}"; do
      while [[ -e /proc/$pid ]] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.02; done
    done
  fi
done
status=0
wait "$supervisor" || status=$?
((status == 0)) || { tail -n 20 "$folder/errors" >&2; fail "the supervised run ended with status $status"; }
((done_kills == kills)) || fail "only $done_kills of $kills kills were in time: the run was too short"

digest() { "$program" inspect --digest "$(printf '%s/checkpoints/step_%08d.safetensors' "$1" "$steps")"; }
expected=$(digest "$folder/undisturbed")
actual=$(digest "$folder/killed")
[[ $actual == "$expected" ]] || fail "the states differ: $actual, not $expected"
[[ $(cut -d, -f1-6 "$folder/killed/metrics.csv") == "$(cut -d, -f1-6 "$folder/undisturbed/metrics.csv")" ]] ||
  fail "the tables differ"
resumed=$(grep -c 'goes on after step' "$folder/killed/log.txt" || :)
printf 'kill-and-resume: passed: %d kills of %d ranks, %d resumptions, %d steps, digest %s\n' \
  "$kills" "$ranks" "$resumed" "$steps" "${expected:0:16}"
