# shellcheck shell=bash
# What the scripts of this folder have in common. Sourced by them, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Exit statuses, numbered as in sysexits.h; gan-dist itself uses the same.
readonly bad_usage=64 bad_data=65 missing_input=66 unavailable=69 internal_error=70 cannot_write=73
export bad_usage bad_data missing_input unavailable internal_error cannot_write

# say TEXT: one line for people, on standard error.
# (A terminal that is gone must not end a script that has a job to look after.)
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2 || :; }

# die STATUS TEXT: say TEXT and end with STATUS.
die() {
  local status=$1
  shift
  say "$@"
  exit "$status"
}

# The comment at the head of a script is its help.
show_help() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"; }

# rank_count OPTION [VALUE]: prints VALUE, the number of ranks asked for.
rank_count() {
  [[ ${2-} =~ ^[1-9][0-9]*$ ]] || die $bad_usage "$1 needs the number of ranks, 1 or more, not '${2-}'"
  printf '%s\n' "$2"
}

# Prints the number of cores that ranks may use: the slots which mpirun counts on this machine.
# Two hardware threads of a core count once; a smaller affinity mask (a container) is respected.
core_count() {
  local allowed cores
  allowed=$(nproc)
  cores=$(lscpu --parse=SOCKET,CORE 2>/dev/null | grep -v '^#' | sort -u | wc -l) || cores=$allowed
  printf '%s\n' $((cores > 0 && cores < allowed ? cores : allowed))
}

# default_mca NAME VALUE: sets an Open MPI parameter, unless the user's environment sets it already.
# (On the command line, as --mca, it would win over the environment.)
default_mca() {
  local variable=OMPI_MCA_$1
  [[ -n ${!variable-} ]] || export "$variable=$2"
}

# mpirun refuses to work for root unless told twice. In a container root is the usual user.
allow_root() {
  ((EUID != 0)) || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
}

# The folder into which launch/fetch-data puts the images by default, and where they count as there.
fetched_data=$root/data/fashion-mnist
packaged_data=/usr/share/datasets/fashion-mnist

# holds_data FOLDER: the four files are there. (gan-dist checks what is in them.)
holds_data() {
  local name
  for name in {train,t10k}-{images-idx3,labels-idx1}-ubyte; do
    [[ -r $1/$name.gz || -r $1/$name ]] || return 1
  done
}

# Points gan-dist to the fetched images where neither the user nor the system names others.
find_data() {
  if [[ -z ${GAN_DIST_DATA-} ]] && ! holds_data "$packaged_data" && holds_data "$fetched_data"; then
    export GAN_DIST_DATA=$fetched_data
  fi
}

# The release build links the Swift runtime in: the program runs on hosts without Swift.
release_options=(-c release --static-swift-stdlib)

# Prints where the release build puts the program (which may not be built yet).
release_program() {
  local folder
  folder=$(swift build --package-path "$root" "${release_options[@]}" --show-bin-path) || return
  printf '%s/gan-dist\n' "$folder"
}

# Builds the program and prints its path; shows what the compiler said only if it failed.
build_release() {
  local program output
  program=$(release_program) || die $internal_error "Swift cannot read $root/Package.swift"
  [[ -x $program ]] || say "building gan-dist for the first time, which takes a minute or two …"
  output=$(swift build --package-path "$root" "${release_options[@]}" --product gan-dist 2>&1) || {
    printf '%s\n' "$output" >&2
    die $internal_error "gan-dist could not be built; the compiler's messages are above"
  }
  printf '%s\n' "$program"
}

# run_mpirun ARGUMENT…: runs mpirun; leaves its status in $status, and in $requested the signal that the
# user sent meanwhile, if any.
#
# mpirun answers SIGTERM and SIGINT by killing the ranks within two seconds, host by host: too early
# for a checkpoint. SIGUSR1 it hands to all ranks, which agree on a step, save, and end. So the first
# signal to this script becomes SIGUSR1, and any further one ends the job at once.
status=0 requested=''
run_mpirun() {
  local job='' interrupted
  # shellcheck disable=SC2317 # reached through the traps
  stop() {
    interrupted=yes
    local signal=TERM
    if [[ -z $requested ]]; then
      requested=$1 signal=USR1
    fi
    [[ -z $job ]] || kill -"$signal" "$job" || :
    [[ $signal == TERM ]] ||
      say "asked to stop: the ranks save a checkpoint first (once more stops them at once)"
  }

  allow_root
  trap 'stop 1' HUP
  trap 'stop 2' INT
  trap 'stop 15' TERM
  # A session of its own keeps Ctrl-C in a terminal away from mpirun: it reaches this script only.
  setsid mpirun "$@" </dev/null &
  job=$!
  # Asked before there was a job: now there is one.
  [[ -z $requested ]] || kill -TERM "$job" || :
  while # a signal interrupts the wait, too
    interrupted='' status=0
    wait "$job" || status=$?
    [[ -n $interrupted ]]
  do :; done
  trap - HUP INT TERM

  # A stop that was asked for has the status of the signal that asked.
  if [[ -n $requested ]] && ((status == 143 || status == 128 + $(kill -l USR1))); then
    status=$((128 + requested))
  fi
}

# Options that supervise a job, shared by the scripts that start one.
restarts=0 shrink=''

# supervision_option ARGUMENT…: takes --restarts N or --shrink off the front; $taken says how many words.
supervision_option() {
  # shellcheck disable=SC2034 # the scripts read what is set here
  case $1 in
    --restarts)
      [[ ${2-} =~ ^[0-9]+$ ]] || die $bad_usage "--restarts needs a number, not '${2-}'"
      restarts=$((10#$2)) taken=2
      ;;
    --shrink) shrink=yes taken=1 ;;
    *) return 1 ;;
  esac
}

# worth_restarting STATUS: whether the same job could do better when it is started again.
worth_restarting() {
  case $1 in
    0 | 64 | 65 | 66 | 69 | 70 | 73 | 126 | 127) return 1 ;; # done, or the same again
    *) return 0 ;;                                         # a rank or a host failed
  esac
}

# supervise START OPTION…: runs the function START with gan-dist's options, and on failures again from the
# last good checkpoint, at most $restarts times with growing pauses; ends the script with the last status.
# START makes the job's arguments anew each time: some hosts may be gone.
supervise() {
  local start=$1 attempt=0 pause=1 out='' resume='' newest='' newest_before=''
  shift
  local options=("$@")
  if ((restarts > 0)); then
    out=$(option_value --out "$@")
    resume=$(option_value --resume "$@")
    [[ -n $out ]] || out=$(resumed_folder "$resume")
    if [[ -z $out ]]; then
      out=runs/$(date +%Y-%m-%d_%H-%M-%S)
      while [[ -e $out ]]; do out+=_2; done # another start of this second
      options+=(--out "$out")
    fi
    newest_before=$(newest_checkpoint "$out")
  fi
  while :; do
    "$start" ${options[@]+"${options[@]}"}
    if [[ -n $requested ]] || ((attempt >= restarts)) || ! worth_restarting "$status"; then
      exit "$status"
    fi
    attempt=$((attempt + 1))
    # A job that got further before it failed is no hopeless one.
    newest=$(newest_checkpoint "$out")
    if [[ $newest != "$newest_before" ]]; then
      pause=1 newest_before=$newest
      # It has left a checkpoint of its own: what it was told to begin with is in there.
      without_option --resume ${options[@]+"${options[@]}"}
      without_option --batch-size-per-rank ${remaining[@]+"${remaining[@]}"}
      without_option --out ${remaining[@]+"${remaining[@]}"}
      options=(${remaining[@]+"${remaining[@]}"} --resume latest --out "$out")
    fi
    say "the job failed with status $status; restart $attempt of $restarts in $pause s"
    sleep "$pause"
    pause=$((pause < 32 ? 2 * pause : 60))
  done
}

# resumed_folder PATH: prints the run's folder in which gan-dist goes on with --resume PATH, if there is one.
resumed_folder() {
  local folder=$1
  [[ -n $folder && $folder != latest ]] || return 0
  [[ -d $folder ]] || folder=$(dirname -- "$folder")
  if [[ ${folder##*/} == checkpoints ]]; then
    folder=$(dirname -- "$folder")
  elif [[ $(realpath -m -- "$folder") == */checkpoints ]]; then
    folder+=/..
  elif [[ ! -d $1 ]]; then
    return 0
  fi
  printf '%s\n' "$folder"
}

# started_as WORD…: tells gan-dist how this script was started, for the line which says how to go on.
started_as() {
  local words
  printf -v words '%q ' "$0" "$@"
  [[ -z ${GAN_DIST_PROGRAM-} ]] || printf -v words 'GAN_DIST_PROGRAM=%q %s' "$GAN_DIST_PROGRAM" "$words"
  export GAN_DIST_START_COMMAND=${words% }
}

# newest_checkpoint RUN: prints name and time of the newest checkpoint of a run's folder, if there is one.
newest_checkpoint() {
  find "$1/checkpoints" -name '*.safetensors' -printf '%p %T@\n' 2>/dev/null | sort | tail -n 1 || :
}

# option_value NAME OPTION…: prints the value of a gan-dist option, if it is given; the last one counts.
option_value() {
  local name=$1 value=''
  shift
  while (($# > 0)); do
    case $1 in
      "$name") value=${2-} ;;
      "$name"=*) value=${1#*=} ;;
    esac
    shift
  done
  printf '%s\n' "$value"
}

# without_option NAME OPTION…: leaves in $remaining the options without that one and its value.
without_option() {
  local name=$1
  shift
  remaining=()
  while (($# > 0)); do
    case $1 in
      "$name") shift ;;
      "$name"=*) ;;
      *) remaining+=("$1") ;;
    esac
    shift || :
  done
}
