#!/bin/sh
# Makes screenshots/inspect-*.png: what networks have learned, from runs that it trains (about four minutes).
#
#     screenshots/inspections.sh target/release/strata DATA
#
# DATA holds mnist, cifar10/jpeg-decoded and stl10/stl10_binary in their original files.
set -eu
strata=$(realpath "$1")
data=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
runs=$(mktemp -d)
trap 'rm -r "$runs"' EXIT
cd "$runs"

"$strata" train keras-cifar --set data.path="$data/cifar10/jpeg-decoded" --set 'network.encoder.0=conv 32 k7 p3' \
    --set 'network.encoder.1=leakyrelu 0.1' --set 'data.augment=["hflip p0.5"]' \
    --set 'stage.0.optimizer=adamw lr=2e-3 weight_decay=0.5' --set stage.0.schedule=cosine --epochs 40 -o cifar
"$strata" inspect cifar filters --sort norm -o "$here/inspect-cifar-filters.png"

"$strata" train lenet-mnist --set data.path="$data/mnist" -o lenet
"$strata" inspect lenet visualize --class 3 --penalty none --tv 0 --jitter 0 --rotation 0 --scale 0 \
    -o "$here/inspect-class-raw.png"
"$strata" inspect lenet visualize --class 3 --laplacian 3 -o "$here/inspect-class-laplacian.png"
"$strata" inspect lenet saliency --method grad-cam --randomise 3 --split test --limit 3 \
    -o "$here/inspect-grad-cam.png"
"$strata" inspect lenet embedding --by tsne -o "$here/inspect-tsne.png"

"$strata" train sparse-autoencoder --set data.source=stl10 --set data.path="$data/stl10/stl10_binary" \
    --set data.patches_per_image=400 -o sparse
"$strata" inspect sparse filters --decoder -o "$here/inspect-sparse-stl10.png"
