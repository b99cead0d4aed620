#!/usr/bin/env bash
# Installs the Python package on a fresh Debian 12: a minimal system that debootstrap makes in a folder, entered with chroot.
#
#   tests/install/fresh_debian.sh FOLDER [WHEEL]
#
# As root; ten to thirty minutes. First WHEEL, if it is given, in the system with nothing but Python: no compiler, no library.
# Then `pip install .` of the committed tree: without the packages of ./dev build, which must name them; with them, it must
# work. Then the ten scripts of examples/python, with their packages from PyPI. The data folder is that of PARSIMONY_DATA.
# A machine with package indices of its own names their folders in FRESH_BIND; the variables PIP_* go along. So does a compiler
# cache: FRESH_PACKAGES=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_DIR=/root/.cache/ccache FRESH_BIND=/root/.cache/ccache, and
# for the files of ./dev build CXX=/usr/bin/c++ CCACHE_BASEDIR=/src and the other variables of cache_settings in dev.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$(realpath -m "$1") wheel=${2:-}
data=$(realpath "${PARSIMONY_DATA:-../shared/data}")
mirror=${MIRROR:-http://deb.debian.org/debian}
begin=$SECONDS
step() { echo "== $* ($((SECONDS - begin)) s)"; }

mounted=()
leave() { for place in "${mounted[@]}"; do umount "$root$place"; done; }
trap leave EXIT
bind() {
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  mounted=("$2" "${mounted[@]}")
}
inside() {
  local variables=(HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive)
  mapfile -t -O "${#variables[@]}" variables < <(env | grep -E '^(PIP_|OPENBLAS|CCACHE_|CMAKE_CXX|CXX=)' || true)
  env -i "${variables[@]}" chroot "$root" bash -ec "$1"
}

if [[ ! -e $root/etc/debian_version ]]; then
  step "debootstrap"
  debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; exit 1; }
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
[[ ! -e /etc/pip.conf ]] || cp /etc/pip.conf "$root/etc/pip.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
bind /proc /proc
bind /dev /dev
bind "$data" /data
for place in ${FRESH_BIND:-}; do bind "$place" "$place"; done
echo "Debian $(cat "$root/etc/debian_version"), $(inside 'python3 --version'), $(inside 'dpkg-query -W | wc -l') packages"

if [[ -n $wheel ]]; then
  step "the wheel in the bare system"
  cp "$wheel" tests/python/try_wheel.py "$root/root/"
  inside "! command -v gcc c++; python3 -m venv /root/bare && /root/bare/bin/pip install --quiet /root/$(basename "$wheel")
    /root/bare/bin/python -P /root/try_wheel.py; ls -l /root/*.whl"
fi

rm -rf "$root/src"
mkdir -p "$root/src"
git archive HEAD | tar -x -C "$root/src"
packages=$(bash -c 'eval "$(sed -n "/^build_packages=(/,/)/p; /^format_packages=(/,/)/p" dev)"; echo "${build_packages[@]} ${format_packages[@]}"')
packages+=" ${FRESH_PACKAGES:-}"
if ! inside 'command -v c++' >/dev/null; then  # a second run on the same folder has the packages
  step "pip install . without the packages of the build"
  inside 'python3 -m venv /root/venv; cd /src
  if /root/venv/bin/pip install . >/root/without.log 2>&1; then echo "it works without a compiler?"; exit 1; fi
  grep -hE "Debian and Ubuntu|CMAKE_CXX_COMPILER|compiler" /root/without.log | sort -u | head -n 5'

  step "apt-get install the packages of ./dev build"
  some=$(tr ' ' '\n' <<<"$packages" | grep -vx libhwy-dev | xargs)
  inside "apt-get update -qq; apt-get install -qq --no-install-recommends python3-dev $some >/root/apt.log 2>&1 || { tail -n 20 /root/apt.log; exit 1; }"
  step "pip install . without libhwy-dev"
  inside 'cd /src; if /root/venv/bin/pip install . >/root/without.log 2>&1; then exit 1; fi
  grep -hE "Debian and Ubuntu|apt-get" /root/without.log | sort -u | head -n 5'
  inside "apt-get install -qq --no-install-recommends libhwy-dev >/root/apt.log 2>&1"
fi
inside "apt-get install -qq --no-install-recommends $packages >/root/apt.log 2>&1"

step "pip install ."
inside 'cd /src; /root/venv/bin/pip install . >/root/install.log 2>&1 || { tail -n 40 /root/install.log; exit 1; }
  /root/venv/bin/pip list 2>/dev/null | grep -i -E "parsimony|numpy"'

step "the packages of the ten scripts"
inside 'cd /src; grep -E "^(anndata|igraph|networkx|scikit-learn|scipy|torch|transformers|safetensors|pandas|pillow)==" tests/python/requirements.txt >/root/needs.txt
  /root/venv/bin/pip install --quiet -r /root/needs.txt'

step "the ten scripts"
# shellcheck disable=SC2016  # the shell inside expands them
inside 'mkdir -p /root/work; cd /root/work; export PARSIMONY_DATA=/data HF_HUB_OFFLINE=1; failed=0
  for script in /src/examples/python/*.py; do
    begin=$(date +%s.%N)
    if ! out=$(/root/venv/bin/python -P "$script" 2>&1); then failed=1; echo "failed: $script"; fi
    echo "$(basename "$script") ($(python3 -c "import time; print(round(time.time() - $begin, 1))") s): $(tail -n 1 <<<"$out")"
  done
  exit $failed'
step "done"
