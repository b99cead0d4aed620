#!/bin/sh
# precompile_for_cache.sh COMPILER ARGUMENT…: runs Clang. Where it precompiles a header, HEADER.sum is written beside it.
#
# Clang writes absolute paths into a precompiled header. Its bytes differ in every checkout, and a compiler cache would
# compile again all that reads it. With CCACHE_PCH_EXTSUM, ccache compares the .sum instead: a checksum of the text and
# the macros that the header was made from.
set -eu
case "$*" in *-emit-pch*) "$@" ;; *) exec "$@" ;; esac
for argument; do
  shift
  case ${previous:-} in
    -o) header=$argument && set -- "$@" - ;;
    *) if [ "$argument" = -emit-pch ]; then set -- "$@" -fno-pch-timestamp; else set -- "$@" "$argument"; fi ;;
  esac
  previous=$argument
done
"$@" -E -dD -P | cksum >"$header.sum"
