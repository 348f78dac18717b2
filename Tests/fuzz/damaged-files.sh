#!/bin/bash
# Usage: Tests/fuzz/damaged-files.sh [COUNT]
#
# The tests of damaged input with COUNT files (default 100,000) for each reader instead of 20,000, under the address
# sanitizer. Takes five minutes. Status: that of the tests; 64 bad usage.
set -euo pipefail

if (($# > 1)) || ! [[ ${1-1} =~ ^[1-9][0-9]*$ ]]; then
  sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
  exit 64
fi
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export GAN_DIST_DAMAGED_FILES=${1-100000} ASAN_OPTIONS=detect_leaks=0
exec swift test --sanitize=address --scratch-path .build/address --filter MutationTests
