# shellcheck shell=bash disable=SC2154
# The programs that tests compare us with: packages of PyPI in an environment of their own that stands
# first on the PATH, OpenSSL, zbarimg, nginx, and a PostgreSQL that lives as long as this run.

step_peers() {
    have openssl || apt_install openssl
    have zbarimg || apt_install zbar-tools
    have nginx || apt_install nginx-light
    export MIC_NGINX=nginx
    python_peers
    postgres_start
    # A test whose peer is not there passes over it on a developer's machine; here it fails.
    export MIC_PEERS=required
}

python_peers() {
    local folder="$target/peers-python"
    if ! cmp -s .ci/peers.txt "$folder/installed.txt"; then
        rm -rf "$folder"
        python3 -m venv "$folder" 2>/dev/null || { apt_install python3-venv; python3 -m venv "$folder"; }
        "$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps -r .ci/peers.txt
        cp .ci/peers.txt "$folder/installed.txt"
    fi
    export PATH="$folder/bin:$PATH"
    say "$(python3 --version) with $(grep -c == .ci/peers.txt) packages"
}

# A cluster in the run's own folder, on a port of its own, without a password, on loopback only.
# PostgreSQL refuses to run as root, so there it runs as Debian's user postgres.
postgres_start() {
    local bin
    bin=$(postgres_programs)
    if [[ -z $bin ]] || ! have psql; then
        apt_install postgresql
        bin=$(postgres_programs)
    fi
    local port data="$work/postgres"
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir "$data"
    if ((EUID == 0)); then
        chmod 711 "$work"
        chown postgres "$data"
    fi
    as_postgres "$bin/initdb" --pgdata "$data/cluster" --username mic --auth trust --encoding UTF8 \
        --no-sync >"$work/initdb.log" || { cat "$work/initdb.log"; fail "initdb"; }
    as_postgres "$bin/pg_ctl" --pgdata "$data/cluster" --wait --log "$data/log" \
        --options "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c fsync=off" \
        start >/dev/null || { cat "$data/log"; fail "PostgreSQL does not start"; }
    postgres_stop=("$bin/pg_ctl" --pgdata "$data/cluster" --mode immediate stop)
    export MIC_PG_URL="postgres://mic@127.0.0.1:$port/postgres"
    say "$("$bin/postgres" --version), named by MIC_PG_URL"
}

postgres_programs() {
    local bin
    for bin in /usr/lib/postgresql/*/bin; do
        [[ -x $bin/initdb ]] && printf '%s' "$bin"
        return 0
    done
}

as_postgres() {
    if ((EUID == 0)); then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}
