#!/bin/sh
# Installs Debian's PostgreSQL and Chromium, which some tests drive, where apt and the right to use it are at hand.
# MariaDB is installed too where that is possible; without it its tests skip, in CI as well.
# With the word "bench" also PostGIS, the peer of bench/link.py. Elsewhere it says what is missing; the tests that need it skip with that reason (in CI they must run).
set -eu
missing=""
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v mosquitto >/dev/null 2>&1 || missing="$missing mosquitto"
command -v mosquitto_pub >/dev/null 2>&1 || missing="$missing mosquitto-clients"
command -v nats-server >/dev/null 2>&1 || [ -x /usr/sbin/nats-server ] || missing="$missing nats-server"
fc-list 2>/dev/null | grep -qi "noto.*cjk" || missing="$missing fonts-noto-cjk"
if [ "${1:-}" = bench ] && ! ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1; then
  version=$(ls /usr/lib/postgresql 2>/dev/null | sort -n | tail -1)
  missing="$missing postgresql-${version:-15}-postgis-3"
fi
welcome=""
command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || welcome="mariadb-server-core mariadb-client-core"
[ -z "$missing$welcome" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "installing$missing${welcome:+ $welcome}"
  log=$(mktemp)
  [ -z "$welcome" ] || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $welcome; } >"$log" 2>&1 || true
  [ -z "$missing" ] && exit 0
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    [ -n "${CI:-}" ] && exit 1
  fi
  exit 0
fi
echo "not installed:$missing${welcome:+ $welcome} (tests that need them will skip; on Debian: sudo apt install$missing${welcome:+ $welcome})"
[ -z "${CI:-}" ] || [ -z "$missing" ]
