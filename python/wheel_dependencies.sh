#!/usr/bin/env bash
# Libraries for the wheels that cibuildwheel builds (pyproject.toml): python/wheel_dependencies.sh linux | macos | windows.
# Not tried yet. The images of manylinux lack most of the libraries in the versions that the build needs: those come from source.
set -euo pipefail

# NAME VERSION of an archive of github.com, and options of CMake.
from_source() {
  local name=$1 version=$2 folder
  shift 2
  folder=$(mktemp -d)
  curl -sSL "https://github.com/$name/archive/refs/tags/$version.tar.gz" | tar -xz --strip-components=1 -C "$folder"
  cmake -S "$folder" -B "$folder/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_TESTING=OFF "$@"
  cmake --build "$folder/build" --parallel
  cmake --install "$folder/build"
  rm -rf "$folder"
}

case ${1:-} in
  linux)
    if command -v dnf >/dev/null; then
      dnf install -y pkgconf-pkg-config zlib-devel libzstd-devel libpng-devel libjpeg-turbo-devel libwebp-devel
    fi
    from_source google/highway 1.2.0 -DHWY_ENABLE_TESTS=OFF -DHWY_ENABLE_EXAMPLES=OFF
    from_source uxlfoundation/oneTBB v2021.13.0 -DTBB_TEST=OFF
    from_source fmtlib/fmt 10.2.1 -DFMT_TEST=OFF -DFMT_DOC=OFF
    from_source nlohmann/json v3.11.3 -DJSON_BuildTests=OFF
    from_source zeux/pugixml v1.14
    from_source libeigen/eigen 3.4.0 -DEIGEN_BUILD_DOC=OFF
    from_source libsdl-org/libtiff v4.6.0 -Dtiff-tools=OFF -Dtiff-tests=OFF -Dtiff-docs=OFF
    curl -sSL https://github.com/DEShawResearch/random123/archive/refs/tags/v1.14.0.tar.gz |
      tar -xz --strip-components=2 -C /usr/local/include random123-1.14.0/include
    ;;
  macos) brew install highway tbb fmt nlohmann-json eigen random123 zstd libpng jpeg-turbo libtiff webp pugixml pkgconf ninja ;;
  windows)
    vcpkg install --triplet x64-windows-static-md highway tbb fmt nlohmann-json eigen3 random123 zlib zstd libpng libjpeg-turbo \
      tiff libwebp pugixml pkgconf
    ;;
  *)
    echo "usage: $0 linux | macos | windows" >&2
    exit 2
    ;;
esac
