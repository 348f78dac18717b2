#!/bin/bash
# Usage: Tests/fuzz/fuzz.sh READER SECONDS [FOLDER]
#
# Feeds a reader with inputs that libFuzzer makes up, under the address sanitizer, for that long.
# READER is safetensors, npy or idx (plain and gzipped). FOLDER keeps the inputs found between runs.
# Status: 0 if nothing was found; else the input that did it is left in the working folder.
set -euo pipefail

if (($# < 2)) || [[ $1 == -* ]]; then
  sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
  exit 64
fi
case $1 in
  safetensors) module=TensorFiles define=READ_SAFETENSORS ;;
  npy) module=TensorFiles define=READ_NPY ;;
  idx) module=MNISTFamily define=READ_IDX ;;
  *)
    printf 'fuzz.sh: no reader "%s": safetensors, npy or idx\n' "$1" >&2
    exit 64
    ;;
esac

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
corpus=${3-$build/corpus}
mkdir -p "$corpus"
if [[ $1 == idx ]]; then
  # No search finds a gzip stream with the right checksum.
  printf '\0\0\10\3\0\0\0\1\0\0\0\2\0\0\0\2abcd' >"$corpus/images"
  gzip -nc "$corpus/images" >"$corpus/images.gz"
fi

# What the package's readers stand on, and nobody needs to instrument.
swift build --package-path "$root" --target SystemPackage >&2
package=$(swift build --package-path "$root" --show-bin-path)

# Beside the package: instrumented for coverage, which the package's builds are not.
options=(
  -swift-version 6 -O -parse-as-library '-sanitize=fuzzer,address'
  -package-name gan_dist -I "$build" -I "$root/Sources/COpenSSL" -I "$root/Sources/CZlib"
  -I "$package/Modules" -I "$root/.build/checkouts/swift-system/Sources/CSystem/include"
)
modules=(Files "$module")
for name in "${modules[@]}"; do
  swiftc "${options[@]}" -whole-module-optimization -emit-module -emit-object \
    -module-name "$name" -emit-module-path "$build/$name.swiftmodule" -o "$build/$name.o" \
    "$root/Sources/$name/"*.swift
done
# The other linkers warn of each of the sanitizer's own symbols.
swiftc "${options[@]}" -D "$define" -use-ld=lld "$root/Tests/fuzz/Harness.swift" \
  "$build/Files.o" "$build/$module.o" "$package/SystemPackage.build/"*.o \
  "$package/CSystem.build/"*.o -o "$build/fuzz"

# Without Swift's own report of a crash, which would stand in the sanitizer's way. The limit of
# memory is for an input that gets more than it could need; most inputs are tiny.
SWIFT_BACKTRACE=enable=no "$build/fuzz" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 \
  -malloc_limit_mb=64 -max_len=4096 -dict="$root/Tests/fuzz/words.dict" -print_final_stats=1 \
  "$corpus"
