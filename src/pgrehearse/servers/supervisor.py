"""The shell between a server and the program that wants it: it ends the server when the program is gone."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pgrehearse.servers.account import identity
from pgrehearse.servers.process_environment import server_environment

__all__ = ["configuration", "supervise"]

# Runs as the leader of a session of its own, so Ctrl-C in a terminal does not reach the server. Its
# standard input is a pipe whose other end only the program that wants the server holds: end of file
# means that program stopped, was killed, or does not need the server any more. $1 is the directory
# to remove then, $2 the server's log, $3 the data directory to copy first (or nothing), $4 settings
# for the copy, $5 is not empty where the data goes with $1, the rest the server's command. Data that goes
# is not written to the end first: SIGQUIT takes a tenth of the time. Standard output may be a lock: the
# server and all its processes hold it to their end, the subshell that waits does not. The signal is
# repeated because a shell starts background processes with it ignored: one that comes before the server
# handles it is lost.
_SUPERVISOR = r"""
unset PGREHEARSE_SUPERVISOR
dir=$1; log=$2; prepared=$3; settings=$4; throwaway=$5; shift 5
exec 3<&0 4>&1 </dev/null >>"$log" 2>&1
if [ -n "$prepared" ]; then
  cp -R "$prepared/." "$dir/data" && printf %s "$settings" >>"$dir/data/postgresql.conf"
fi
"$@" 3<&- &
pid=$!
(
  exec 4>&- >/dev/null 2>&1
  word=; read -r word <&3
  echo "$word" >"$dir/stop"
  how=INT
  if [ -n "$throwaway" ] && [ "$word" != keep ]; then how=QUIT; fi
  tries=0
  while [ "$tries" -lt 40 ]; do kill "-$how" "$pid" || exit; sleep 0.2; tries=$((tries + 1)); done
  kill -QUIT "$pid" || exit; sleep 8
  kill -KILL "$pid"
) &
watcher=$!
asked=
trap 'asked=1; kill -INT "$pid"' HUP INT TERM
wait "$pid"; status=$?
[ -z "$asked" ] || wait "$pid"
trap '' HUP INT TERM
echo "$status" >"$dir/exited"
if [ -e "$dir/stop" ]; then kill -TERM 0; else wait "$watcher"; fi
if [ "$(cat "$dir/stop")" != keep ]; then rm -rf "$dir" || rm -rf "$dir"; fi
exit 0
"""


def supervise(
    command: Sequence[str],
    directory: Path,
    log: Path,
    *,
    copy: Path | None = None,
    settings: Mapping[str, str] = {},
    lock: int | None = None,
    throwaway: bool = True,
) -> subprocess.Popen[bytes]:
    """Start ``command`` under the supervisor, which stops it when our end of its standard input closes.

    Args:
        command: the server's program and arguments.
        directory: removed at the end, unless the word ``keep`` is written to that input first.
        log: where the server's messages go.
        copy: copied to ``directory/data`` first. The supervisor does it, so that no moment is left in
            which our death would leave the copy behind.
        settings: appended to the copy's configuration.
        lock: descriptor of a locked file, which stays locked until the last process of the server ends.
        throwaway: its data lies in ``directory``.
    """
    throws = "throwaway" * throwaway
    arguments = [str(directory), str(log), str(copy or ""), configuration(settings), throws, *command]
    return subprocess.Popen(
        # By the environment, so that a list of processes shows a short line.
        ["/bin/sh", "-c", 'eval "$PGREHEARSE_SUPERVISOR"', "pgrehearse-supervisor", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if lock is None else lock,
        stderr=subprocess.DEVNULL,
        cwd=directory,
        env={**server_environment(), "PGREHEARSE_SUPERVISOR": _SUPERVISOR},
        start_new_session=True,
        **identity(),
    )


def configuration(settings: Mapping[str, str]) -> str:
    """Lines for the configuration file, where ALTER SYSTEM and SET can still override them."""
    quoted = {name: value.replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())
