#!/bin/sh
# stage.sh INTO PROGRAM SETTINGS STATE ACCOUNT
#
# Writes what a host needs beside the program into the new folder INTO, with these folders and this account in it:
#   bin/runbook         what people type: enters the account by sudo, with the configuration and state of all
#   systemd/            the units and timers
#   supervisord/ runit/ the same where there is no systemd
#   share/              the manual page, and completion for bash, zsh and fish
#   settings/           an example of a configuration and of an inventory
#   monitoring/         what Prometheus and Alertmanager load, where this version has it
# PROGRAM/current leads to the version that is in use. An empty ACCOUNT is whoever runs it: then there is no sudo.
# Changes nothing else. playbooks/install_runbook.yml calls it; without Ansible, call it by hand.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 5 ] || { sed -n '2s/^# /usage: /p' "$0" >&2; exit 2; }
into=$1 program=$2 settings=$3 state=$4 account=$5
umask 022
share=$into/share
bash=$share/bash-completion/completions
zsh=$share/zsh/site-functions
fish=$share/fish/vendor_completions.d
mkdir -p "$into/bin" "$share/man/man1" "$bash" "$zsh" "$fish"

# As they lie here they are those of the usual folders; systemd makes the usual state folder itself.
own="ReadWritePaths=$state"
[ "$state" != /var/lib/engram-runbook ] || own=StateDirectory=engram-runbook
user=${account:-$(id -un)}
group=${account:-$(id -gn)}
cp -R "$here/systemd" "$here/supervisord" "$here/runit" "$here/settings" "$into"
find "$into/systemd" "$into/supervisord" "$into/runit" "$into/settings" -type f -exec sed -i \
  -e "s|/opt/engram-runbook/|$program/|g" \
  -e "s|/etc/engram-runbook/|$settings/|g" \
  -e "s|/var/lib/engram-runbook|$state|g" \
  -e "s|^\(User=\|user=\|chpst -u \)engram-runbook\>|\1$user|" \
  -e "s|^Group=engram-runbook\$|Group=$group|" \
  -e "s|^StateDirectory=engram-runbook\$|$own|" {} +
chmod 755 "$into"/runit/*/run

{
  cat <<END
#!/bin/sh
# Everybody works as one account, with one configuration and one journal, from wherever they stand.
END
  [ -z "$account" ] || cat <<END
if [ "\$(id -un)" != $account ]; then
  exec sudo -H -u $account $program/current/stage/bin/runbook "\$@"
fi
END
  cat <<END
export RUNBOOK_CONFIG=$settings/runbook.toml RUNBOOK_STATE=$state
if [ -f $settings/environment ]; then
  set -a
  . $settings/environment
  set +a
fi
[ -x . ] || cd /
exec $program/current/bin/runbook "\$@"
END
} >"$into/bin/runbook"
chmod 755 "$into/bin/runbook"

version=$(dirname "$into")
"$version/bin/runbook" completion bash >"$bash/runbook"
"$version/bin/runbook" completion zsh >"$zsh/_runbook"
"$version/bin/runbook" completion fish >"$fish/runbook.fish"
[ ! -e "$version/share/man/man1/runbook.1" ] || cp "$version/share/man/man1/runbook.1" "$share/man/man1/"

if [ -d "$here/../monitoring" ]; then
  cp -R "$here/../monitoring" "$into/monitoring"
  rm -rf "$into/monitoring/rules/tests"
fi
