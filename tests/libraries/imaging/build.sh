set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for archive in sources/*.orig.tar.*; do tar -xf "$archive" -C "$work"; done
(cd "$work"/zlib-*; ./configure --prefix="$PREFIX"; make -j"$(nproc)" install)
(cd "$work"/libpng-*; ./configure --host="$HOST_TRIPLET" --prefix="$PREFIX" --disable-static; make -j"$(nproc)" install)
cd "$work"/libjpeg-turbo-*
cmake -B build -DCMAKE_INSTALL_PREFIX="$PREFIX" -DENABLE_STATIC=OFF -DWITH_TURBOJPEG=OFF -DCMAKE_POLICY_VERSION_MINIMUM=3.5
cmake --build build -j"$(nproc)"
cmake --install build
