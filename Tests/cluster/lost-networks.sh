#!/bin/bash
# Usage: lost-networks.sh PROGRAM
#
# Starts PROGRAM (a built gan-dist) on a cluster of three hosts whose networks are not what MPI takes them for:
#
#   every host has a docker0 with the same address      the run starts all the same
#   every host has another such network (lab0)          the ranks name each other and the remedy, and end with 75;
#                                                       with the remedy the run starts
#   node2 and node3 do not hear each other              the same
#
# Passes with status 0. Takes about a minute.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
nodes=$here/namespaces.sh

fail() {
  printf 'lost-networks: FAILED: %s\n' "$*" >&2
  exit 1
}

if (($# != 1)); then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 64
fi
program=$(readlink -f "$1")
[[ -f $program && -x $program ]] || fail "there is no program at '$1'"

# Once more from the top (in the same process), where namespaces can be made also without root.
if [[ ${LOST_NETWORKS_WITHIN-} != "$$" ]]; then
  "$nodes" supported || exit 1
  LOST_NETWORKS_WITHIN=$$ exec "$nodes" within "$here/${0##*/}" "$program"
fi

GAN_DIST_CLUSTER=$("$nodes" new)
export GAN_DIST_CLUSTER
folder=$(mktemp -d)
clean_up() {
  # Once begun it is not to be stopped: the namespaces would stay.
  trap '' TERM INT HUP
  "$nodes" down
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

"$nodes" up 3
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_plm_rsh_agent="$nodes agent"

# train STATUS NAME: begins a run on all hosts, which has to end with STATUS.
train() {
  local expected=$1 log=$folder/$2.log status=0
  # In the background: a signal to this script would wait for what is in the foreground.
  timeout --foreground --kill-after 5 60 "$nodes" on node1 mpirun --host node1:1,node2:1,node3:1 "$program" \
    --stall-timeout 4 --max-steps 2 --batch-size 64 --threads 1 --out "$folder/$2" >"$log" 2>&1 &
  wait "$!" || status=$?
  ((status == expected)) || fail "$2: status $status, not $expected: $(cat "$log")"
}

# expect NAME TEXT…: the log has each text.
expect() {
  local log=$folder/$1.log text
  shift
  for text; do grep -qF -- "$text" "$log" || fail "'$text' is not in: $(cat "$log")"; done
}

# on_all COMMAND…: on every host.
on_all() {
  local node
  for node in node1 node2 node3; do "$nodes" on "$node" "$@"; done
}

# add_network NAME: the same network of its own on every host.
add_network() {
  on_all ip link add "$1" type veth peer name "$1-end"
  on_all ip addr add 172.17.0.1/16 dev "$1"
  on_all ip link set "$1" up
  on_all ip link set "$1-end" up
}

add_network docker0
train 0 docker
on_all ip link del docker0

add_network lab0
train 75 lab
expect lab 'has not answered for 7 s' 'OMPI_MCA_btl_tcp_if_include=eth0' '(rank 0 on node1)' '(rank 2 on node3)'
OMPI_MCA_btl_tcp_if_include=10.77.0.0/16 train 0 lab-remedy
on_all ip link del lab0

"$nodes" on node2 ip neigh replace 10.77.0.3 lladdr 02:00:00:00:00:99 dev veth0 nud permanent
"$nodes" on node3 ip neigh replace 10.77.0.2 lladdr 02:00:00:00:00:99 dev veth0 nud permanent
train 75 deaf
expect deaf '(rank 1 on node2): rank 2 has not answered' '(rank 2 on node3): rank 1 has not answered'

printf 'lost-networks: passed\n'
