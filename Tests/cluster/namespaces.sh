#!/bin/bash
# Usage: namespaces.sh VERB …
#
# A cluster on one machine: each node is a network namespace with its own host name, joined to the others
# by a bridge. Nothing of it is visible outside, and no ssh is needed.
#
#   new               makes the cluster's folder and prints its path: export it as GAN_DIST_CLUSTER, which
#                     names the cluster to all other verbs. Clusters of different folders do not meet
#   up N              makes node1 … nodeN, which have the addresses 10.77.0.1 … 10.77.0.N
#   on NODE CMD…      runs CMD on NODE
#   agent NODE CMD…   the same in the manner of ssh (clean environment, home folder, a shell): with
#                     OMPI_MCA_plm_rsh_agent='…/namespaces.sh agent' mpirun starts its remote daemons so
#   bytes             one line for each node: NAME, bytes received, bytes sent
#   down              ends what runs on the nodes and removes all that 'new' and 'up' made; also after a
#                     failed 'up'
#   supported         status 0 where all this works; else 1, and the reason on standard error
#   within CMD…       runs CMD where namespaces can be made: as it is for root, else in a user namespace
#                     in which the user counts as root
#
# Whoever takes a cluster up takes it down when a signal ends it, too:
#
#   GAN_DIST_CLUSTER=$(namespaces.sh new) && export GAN_DIST_CLUSTER
#   trap 'namespaces.sh down' EXIT
#   trap 'exit 143' TERM; trap 'exit 130' INT; trap 'exit 129' HUP
#
# Files are shared, but the images are hidden from all nodes except node1.
set -euo pipefail

self=$(readlink -f "${BASH_SOURCE[0]}")
fail() {
  printf 'namespaces.sh: %s\n' "$*" >&2
  exit 1
}

# The cluster's own files: 'hosts', 'hidden' (folders), and 'tmp' for Open MPI's sessions. Others may write to
# the folder above it, so mktemp makes it, under a name that nobody knows before.
state=${GAN_DIST_CLUSTER-}
# Namespaces have one list of names for the whole machine: the folder's name makes them this cluster's own.
cluster=${state##*/}

new() { mktemp -d "${TMPDIR:-/tmp}/gan-dist-cluster-XXXXXXXXXX"; }

demand_cluster() {
  [[ $cluster =~ ^gan-dist-cluster-[A-Za-z0-9]+$ ]] ||
    fail "GAN_DIST_CLUSTER='$state' names no cluster; make one with: namespaces.sh new"
  [[ -d $state && ! -L $state && -O $state ]] || fail "$state is no folder of this user's own"
}

# The name that the kernel knows a node by.
namespace() { printf '%s-%s\n' "$cluster" "$1"; }

namespaces() { ip netns list | awk -v name="^$cluster-(node[0-9]+|switch)\$" '$1 ~ name { print $1 }' | sort -V; }

up() {
  local count=${1-} number node switch folder
  [[ $count =~ ^[1-9][0-9]?$ ]] || fail "up needs the number of nodes, 1 to 99"
  mkdir "$state/tmp" || fail "this cluster is up already"
  printf '127.0.0.1 localhost\n' >"$state/hosts"
  for folder in "${GAN_DIST_DATA-}" /usr/share/datasets "$(dirname "$self")/../../data"; do
    [[ -z $folder || ! -d $folder ]] || readlink -f "$folder"
  done >"$state/hidden"

  switch=$(namespace switch)
  ip netns add "$switch"
  ip -n "$switch" link add bridge type bridge
  ip -n "$switch" link set bridge up
  for ((number = 1; number <= count; number++)); do
    node=$(namespace "node$number")
    printf '10.77.0.%d node%d\n' "$number" "$number" >>"$state/hosts"
    ip netns add "$node"
    ip -n "$switch" link add "port$number" type veth peer name veth0 netns "$node"
    ip -n "$switch" link set "port$number" master bridge up
    ip -n "$node" addr add "10.77.0.$number/24" dev veth0
    ip -n "$node" link set veth0 up
    ip -n "$node" link set lo up
  done
}

# Becomes CMD on NODE. Host name and mounts belong to this one process and its children.
on() {
  local node=${1-}
  (($# > 1)) || fail "on needs a node and a command"
  [[ -e /run/netns/$(namespace "$node") ]] || fail "the cluster has no $node"
  shift
  exec nsenter --net="/run/netns/$(namespace "$node")" \
    unshare --uts --mount "$self" inside "$node" "$@"
}

# The second half of 'on', after the namespaces were entered.
inside() {
  local node=$1 folder
  shift
  hostname "$node"
  mount --bind "$state/hosts" /etc/hosts
  # Shared memory of ranks that were killed goes with the node, as on a real machine.
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  if [[ $node != node1 ]]; then
    unset GAN_DIST_DATA
    while read -r folder; do mount -t tmpfs -o ro tmpfs "$folder"; done <"$state/hidden"
  fi
  export OMPI_MCA_orte_tmpdir_base=$state/tmp
  exec "$@"
}

agent() {
  local node=$1
  shift
  cd "${HOME:-/}"
  exec env -i HOME="${HOME:-/}" SHELL=/bin/sh PATH=/usr/local/bin:/usr/bin:/bin \
    GAN_DIST_CLUSTER="$state" ${TMPDIR:+TMPDIR="$TMPDIR"} "$self" on "$node" /bin/sh -c "$*"
}

bytes() {
  local name
  for name in $(namespaces); do
    [[ $name != *-switch ]] || continue
    nsenter --net="/run/netns/$name" sed 's/:/ /' /proc/self/net/dev |
      awk -v node="${name#"$cluster-"}" '$1 == "veth0" { print node, $2, $10 }'
  done
}

down() {
  local name process processes attempt
  for name in $(namespaces); do
    # A process may start another while it is being ended: look again until none is left.
    for attempt in {1..50}; do
      processes=$(ip netns pids "$name")
      [[ -n $processes ]] || break
      for process in $processes; do kill -KILL "$process" 2>/dev/null || :; done
      ((attempt == 1)) || sleep 0.1
    done
    ip netns del "$name"
  done
  rm -rf "$state"
}

supported() {
  local tool reason
  for tool in ip unshare nsenter mount hostname; do
    command -v $tool >/dev/null ||
      fail "the program '$tool' is missing (packages iproute2, util-linux, mount, hostname)"
  done
  # Trying is the only reliable way to know.
  # shellcheck disable=SC2016 # for the inner shell
  reason=$("$self" within bash -c '
    GAN_DIST_CLUSTER=$("$0" new) && export GAN_DIST_CLUSTER || exit
    trap "\"\$0\" down" EXIT
    trap "exit 143" TERM; trap "exit 130" INT; trap "exit 129" HUP
    "$0" up 2 && "$0" on node2 true' "$self" 2>&1) ||
    fail "network namespaces cannot be made here: ${reason:-no reason given}"
}

within() {
  if ((EUID == 0)) && unshare --net --uts --mount true 2>/dev/null; then exec "$@"; fi
  # 'ip netns' keeps its names in /run, which belongs to the real root.
  # shellcheck disable=SC2016 # for the inner shell
  exec unshare --user --map-root-user --net --mount bash -c '
    mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"' within "$@"
}

verb=${1-}
case $verb in
  new | supported | within)
    shift
    "$verb" "$@"
    ;;
  up | on | agent | bytes | down | inside)
    shift
    demand_cluster
    "$verb" "$@"
    ;;
  *)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$self"
    [[ $verb == -h || $verb == --help ]] || exit 64
    ;;
esac
