# shellcheck shell=bash
# shellcheck disable=SC2154 # common.sh has the statuses
# Reads Open MPI's hostfiles, and asks their hosts whether they live. Sourced by launch/cluster, after common.sh.

# read_hosts FILE: prints FILE's hosts in plain lines, 'HOST slots=N' and what else a line says. Comments, empty lines,
# the line ends of Windows, and spaces around '=' are allowed. A line that Open MPI would take for something else than
# it looks like ends the script, named by its number.
read_hosts() {
  local lines
  lines=$(awk -v file="$1" '
    function refuse(text) {
      print file ": line " NR ": " text > "/dev/stderr"
      refused = 1
      exit 1
    }
    { sub(/\r$/, ""); sub(/#.*/, ""); gsub(/[ \t]*=[ \t]*/, "=") }
    NF == 0 { next }
    {
      host = $1
      if (host ~ /=/) refuse("begins with \"" host "\" where a host is named; a line looks like: node1 slots=4")
      name = host
      sub(/^[^@]*@/, "", name)
      if (name !~ /^[A-Za-z0-9.:_-]+$/) refuse("\"" name "\" is no name of a host")
      if (name in line) refuse(name " is in line " line[name] " already; give it all its slots there")
      # node1 and node1.example.org; of addresses none begins with another and a dot.
      for (other in line) {
        if (index(name ".", other ".") == 1 || index(other ".", name ".") == 1)
          refuse(name " looks like " other " of line " line[other] "; name a host once, with all its slots")
      }
      line[name] = NR
      hosts++
      slots = 0
      most = ""
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^slots=/) {
          if ($i !~ /^slots=[1-9][0-9]*$/) refuse("\"" $i "\" is no number of slots, 1 or more")
          if (slots) refuse("has slots= twice")
          slots = substr($i, 7)
        }
        if ($i ~ /^max[-_]slots=/) most = substr($i, 11)
      }
      if (most != "" && most + 0 < slots + 0) refuse("has more slots than the " most " that max_slots allows")
      # Open MPI would take the number of cores for it, and put all ranks onto the first host.
      if (!slots) refuse("does not say how many ranks run on " name ". Add slots=N")
      $1 = host
      plain[hosts] = $0
    }
    END {
      if (refused) exit 1
      if (!hosts) {
        print file " names no host; a line of it looks like: node1 slots=4" > "/dev/stderr"
        exit 1
      }
      for (i = 1; i <= hosts; i++) print plain[i]
    }' "$1" 2>&1) || die "$bad_usage" "$lines"
  printf '%s\n' "$lines"
}

# count_slots FILE: prints the sum of the slots of plain lines.
count_slots() { sed -n 's/.* slots=\([0-9]*\).*/\1/p' "$1" | awk '{ sum += $1 } END { print sum + 0 }'; }

# is_this_host NAME: whether NAME (perhaps with a user), or the address that it is, is the host this script runs on.
is_this_host() {
  local name=${1##*@} own
  own=$(hostname)
  [[ $name == "$own" || $name == "${own%%.*}" || $name == localhost ]] ||
    [[ " $(hostname -I 2>/dev/null) 127.0.0.1 ::1 " == *" $name "* ]]
}

# host_of_rank_0 FILE: prints the host of plain lines that rank 0 runs on. mpirun puts it on the starting host, if that
# is in the file, and else on the first.
host_of_rank_0() {
  local host rest
  while read -r host rest; do
    ! is_this_host "$host" || { printf '%s\n' "$host" && return; }
  done <"$1"
  read -r host rest <"$1"
  printf '%s\n' "$host"
}

# answers HOST: whether HOST can be reached as mpirun would reach it, within ten seconds. (A frozen one takes the
# connection, and never answers.)
answers() {
  local agent=${OMPI_MCA_plm_rsh_agent:-ssh -o BatchMode=yes -o ConnectTimeout=5} words
  # Within an allocation Slurm starts the other hosts, and knows which are down.
  [[ -z ${SLURM_JOB_ID-} || -n ${OMPI_MCA_plm_rsh_agent-} ]] || return 0
  read -r -a words <<<"$agent ${OMPI_MCA_plm_rsh_args-}"
  timeout -k 1 10 "${words[@]}" "$1" true </dev/null >/dev/null 2>&1
}

# living_hosts FILE: prints those of the plain lines whose hosts answer, all asked at once. That of rank 0 is taken as
# it is: nothing goes on without it.
living_hosts() {
  local host rest first folder
  first=$(host_of_rank_0 "$1")
  folder=$(mktemp -d)
  while read -r host rest; do
    # (The subshell keeps what it is told from the loop's input.)
    if [[ $host == "$first" ]] || is_this_host "$host"; then
      : >"$folder/$host"
    else
      { ! answers "$host" || : >"$folder/$host"; } </dev/null &
    fi
  done <"$1"
  wait
  while read -r host rest; do
    if [[ -e $folder/$host ]]; then
      printf '%s %s\n' "$host" "$rest"
    else
      say "$host does not answer and is left out"
    fi
  done <"$1"
  rm -rf "$folder"
}
