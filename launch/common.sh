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
  allowed=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) # with these it counts threads
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

# Prints the path of a program that somebody else has built here, where this user may build none.
foreign_program() {
  local program=$root/.build/release/gan-dist # a link that every build sets
  [[ -x $program && ! -w $root/.build ]] || return
  printf '%s\n' "$program"
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

# Leaves in $program what is to be run: what GAN_DIST_PROGRAM names, else what the user may build here, else what
# is built here already.
find_program() {
  if [[ -n ${GAN_DIST_PROGRAM-} ]]; then
    program=$GAN_DIST_PROGRAM
  elif program=$(foreign_program); then
    say "you may not build in $root: the program that was built there is taken as it is"
    "$root/launch/prepare" host
  else
    "$root/launch/prepare" run
    program=$(build_release)
  fi
  [[ -f $program && -x $program ]] || die $missing_input "there is no program at '$program'"
}

# Another MPI's mpirun would start ranks that do not find each other.
demand_open_mpi() {
  command -v mpirun >/dev/null ||
    die $unavailable "there is no mpirun on the PATH; ./launch/prepare host installs Open MPI's"
  [[ $(mpirun --version 2>&1) == *'Open MPI'* ]] ||
    die $unavailable "this mpirun is not Open MPI's: $(command -v mpirun) says
  '$(mpirun --version 2>&1 | head -n 1)'. Put the folder of Open MPI's first on the PATH, or on Debian choose it:
  update-alternatives --config mpirun"
}

# mpirun keeps some files open for each rank, and hangs without a word where there may be no more.
raise_file_limit() {
  local hard
  hard=$(ulimit -Hn)
  # Beyond a million some programs take minutes to look through all that may be open.
  if [[ $hard == unlimited ]] || ((hard > 1048576)); then hard=1048576; fi
  ulimit -Sn "$hard" 2>/dev/null || :
}

# Open MPI's own files have a few megabytes, and where files may not be so large mpirun hangs without a word.
demand_file_size() {
  local limit
  limit=$(ulimit -f)
  [[ $limit == unlimited ]] || ((limit >= 16384)) ||
    die $unavailable "files may have no more than $limit KiB (ulimit -f), but Open MPI's need 16,384"
}

# Copies standard input to standard output. A reader that went away ends nothing: the rest is read, and dropped.
relay_output() {
  trap '' PIPE HUP INT TERM USR1
  cat 2>/dev/null || cat >/dev/null
}

# Copies lines from standard input to standard error (9), but for what is not for people: the word of rank 0 on where
# the job is, which goes to standard output, and mpirun's two remarks that some rank's status is not 0. (The rank
# has said why, and the script returns the status.)
relay_errors() {
  trap '' PIPE HUP INT TERM USR1
  local line frame='' within=''
  while IFS= read -r line || [[ -n $line ]]; do
    if [[ $line == *'gan-dist: job: '* ]]; then # mpirun can be told to put a rank's name before each line
      printf '%s\n' "${line##*gan-dist: job: }" || :
    elif [[ $line == 'mpirun: Forwarding signal '* ]]; then
      : # This script has said it.
    elif [[ $line =~ ^-{60,}$ ]]; then
      frame+=$line$'\n'
      if [[ -z $within ]]; then
        within=yes
        continue
      fi
      case $frame in
        *'Primary job  terminated normally'* | *'exited with non-zero status, thus causing'*) ;;
        *) printf '%s' "$frame" >&9 || : ;;
      esac
      frame='' within=''
    elif [[ -n $within ]]; then
      frame+=$line$'\n'
    else
      printf '%s\n' "$line" >&9 || : # who read it may have gone away
    fi
  done 2>/dev/null
  printf '%s' "$frame" >&9 2>/dev/null || :
}

# What is left of a job when this script is asked to stop; see run_mpirun.
job='' job_state='' job_words='' job_deadline='' requested='' requested_at=0 interrupted='' status=0

# stop SIGNAL: the first request asks the ranks to save and end, if they run; any other ends the job.
# mpirun answers SIGTERM and SIGINT by killing the ranks within two seconds, host by host: too early for a
# checkpoint. SIGUSR1 it hands to all ranks, which agree on a step. But while it still starts its hosts it loses that
# signal, or fails: then nothing has been trained, and the job just ends.
stop() {
  local signal=TERM now=${EPOCHREALTIME/[.,]/}
  interrupted=yes
  # One request often comes twice: to this script, and to its whole group of processes.
  [[ -z $requested ]] || ((now - requested_at > 500000)) || return 0
  [[ -z $job ]] || read_job_state
  if [[ -z $requested ]]; then
    requested=$1 requested_at=$now
    [[ $job_state != running && $job_state != finished ]] || signal=USR1
  else
    limit_mpirun
  fi
  [[ -n $job ]] || return 0
  kill -"$signal" "$job" 2>/dev/null || :
  if [[ $signal == USR1 ]]; then
    say "asked to stop: the ranks save a checkpoint first (once more stops them at once)"
  else
    say "asked to stop: the job is ended"
  fi
}

# From now on signals to this script go to its job. Those that were ignored at its start stay so (nohup).
take_signals() {
  trap 'stop 15' HUP TERM USR1
  trap 'stop 2' INT
}

# Reads what ranks have said of the job since: 'running', once all ranks listen to signals, 'finished', and 'failed'
# when one is about to end the job. After the last two mpirun has nothing to wait for.
read_job_state() {
  local word status=0
  while read -r -t "${1-0.2}" -u "$job_words" word || { status=$? && false; }; do
    job_state=$word
    [[ $word == running ]] || limit_mpirun
  done
  # Nobody can say any more: no reason to ask again at once.
  ((status > 128)) || sleep 0.1
}

# mpirun waits for ever for a host that is frozen. From now on it has so many seconds.
readonly mpirun_grace=20
limit_mpirun() { job_deadline=${job_deadline:-$((SECONDS + mpirun_grace))}; }

# Waits while mpirun runs, ends it when its time is over, and leaves its status in $status.
await_mpirun() {
  status=0
  while kill -0 "$job" 2>/dev/null; do
    read_job_state 0.5
    if [[ -n $job_deadline ]] && ((SECONDS >= job_deadline)); then
      say "mpirun has outlived its ranks by $mpirun_grace s, as it does when a host no longer answers: it is ended"
      # (The shell's own remark on that is not for people.)
      { kill -KILL -- "-$job" || kill -KILL "$job" || :; wait "$job"; } 2>/dev/null || status=$?
      return
    fi
  done
  while # a signal interrupts the wait, too
    interrupted='' status=0
    wait "$job" || status=$?
    [[ -n $interrupted ]]
  do :; done
}

# run_mpirun ARGUMENT…: runs mpirun, and leaves its status in $status. After take_signals.
run_mpirun() {
  local relay_in relay_out relay_process errors output=1 output_relay=''
  job_state='' job_deadline=''
  # Asked between two attempts: there is nothing to start any more.
  if [[ -n $requested ]]; then
    status=$((128 + requested))
    return
  fi
  demand_open_mpi
  allow_root
  raise_file_limit
  demand_file_size

  exec 9>&2
  coproc relay { relay_errors; }
  # shellcheck disable=SC2154 # coproc sets it
  relay_out=${relay[0]} relay_in=${relay[1]} relay_process=$relay_PID
  exec {errors}>&"$relay_in" {job_words}<&"$relay_out"
  exec {relay_in}>&- {relay_out}<&-
  # A terminal can be drawn on, and does not go away by itself.
  if [[ ! -t 1 ]]; then
    exec {output}> >(relay_output)
    output_relay=$!
  fi
  # A session of its own keeps Ctrl-C in a terminal away from mpirun: it reaches this script only. Should this script
  # be killed, the job ends, too.
  local guard=()
  ! command -v setpriv >/dev/null || guard=(setpriv --pdeathsig TERM)
  setsid "${guard[@]}" mpirun "$@" \
    </dev/null >&"$output" 2>&"$errors" 9>&- {errors}>&- {job_words}<&- &
  job=$!
  # Asked while it was being started.
  [[ -z $requested ]] || kill -TERM "$job" 2>/dev/null || :
  exec {errors}>&-
  [[ -z $output_relay ]] || exec {output}>&-
  await_mpirun
  job=''
  # All that was said is to be seen before this script ends.
  finish_relay "$output_relay"
  finish_relay "$relay_process"
  read_job_state
  exec {job_words}<&- 9>&-

  # All is written, whatever became of mpirun.
  if [[ $job_state == finished && $status == 137 ]]; then status=0; fi
  # A stop that was asked for has the status of the signal that asked, unless the run was done, or failed.
  if [[ -n $requested && $job_state != finished ]]; then
    case $status in
      0 | 1 | 130 | 137 | 138 | 143) status=$((128 + requested)) ;;
    esac
  fi
}

# finish_relay PROCESS: waits until it has copied all, but not for what a lost process of the job, or a reader that
# takes its time, keeps it with: it may outlive this script.
finish_relay() {
  local tries
  for ((tries = 0; tries < 50; tries++)); do
    [[ -n $1 ]] && kill -0 "$1" 2>/dev/null || return 0
    sleep 0.05
  done
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
  take_signals
  if ((restarts > 0)); then
    out=$(option_value --out "$@")
    resume=$(option_value --resume "$@")
    [[ -n $out ]] || out=$(resumed_folder "$resume")
    if [[ -z $out ]]; then
      out=$(new_run_folder)
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
    elif [[ -z $resume || $resume == latest ]]; then # (else what to go on from is elsewhere)
      # There may be one on rank 0's host, which this host does not see. If there is none a run begins.
      without_option --resume ${options[@]+"${options[@]}"}
      options=(${remaining[@]+"${remaining[@]}"} --resume latest)
    fi
    say "the job failed with status $status; restart $attempt of $restarts in $pause s"
    sleep "$pause" >/dev/null 2>&1 & # it keeps nobody's pipe open
    interrupted=''
    wait $! || : # a signal ends it
    [[ -z $interrupted ]] || kill $! 2>/dev/null || :
    pause=$((pause < 32 ? 2 * pause : 60))
  done
}

# Prints the name of a run's folder that is nobody else's: the date and time, as gan-dist would choose it, and this host
# and process. (Jobs of an array begin in the same second, and the folder is only made when all ranks are there.)
new_run_folder() {
  local host
  host=$(hostname)
  printf 'runs/%s_%s-%d\n' "$(date +%Y-%m-%d_%H-%M-%S)" "${host%%.*}" $$
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
