#!/usr/bin/env bash
# Everything that has to be seen on a GPU, unattended, into one report:
#
#   benches/cuda.sh REPORT [--data DIR] [--peer TORCH_PEER] [--python PYTHON] [--device cuda:0] [--quick] [--no-gpu]
#
#   REPORT     the file that is written: Markdown, every part with its output and whether it passed
#   --data     a folder with MNIST's IDX files, for the accuracy on CPU and GPU
#   --peer     a script that prints the milliseconds of PyTorch's steps as JSON, `CASE: {step_ms}`; it takes
#              --cases, --mode and --device
#   --python   the interpreter for it, with torch
#   --quick    fewer rounds and epochs: to see whether it runs at all
#   --no-gpu   goes on where there is no GPU: builds, and tests on the stand-in; the rest is reported as not done
#
# Nothing is claimed that was not done: a part that cannot run is `not done`, with the reason, and the script ends with 1.
# shellcheck disable=SC2317,SC2329 # Functions are called through `part`.
set -uo pipefail

report="" data="" peer="" python=python3 device=cuda:0 rounds=5 epochs=6 seconds=40 needs_gpu=1
while [ $# -gt 0 ]; do
  case $1 in
    --data) data=$2; shift ;;
    --peer) peer=$2; shift ;;
    --python) python=$2; shift ;;
    --device) device=$2; shift ;;
    --quick) rounds=1 epochs=1 seconds=10 ;;
    --no-gpu) needs_gpu=0 ;;
    -*) echo "cuda.sh: there is no option $1" >&2; exit 2 ;;
    *) report=$1 ;;
  esac
  shift
done
if [ -z "$report" ]; then
  echo "cuda.sh: name the report: benches/cuda.sh REPORT" >&2
  exit 2
fi
# Paths are those of the folder that it is called in.
report=$(realpath -m "$report")
if [ -n "$data" ]; then data=$(realpath -m "$data"); fi
if [ -n "$peer" ]; then peer=$(realpath -m "$peer"); fi
cd "$(dirname "$0")/.." || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# say LINE...
say() { printf '%s\n' "$@" >>"$report"; }

# part NAME COMMAND...: runs it, and puts its output and its end into the report.
part() {
  local name=$1 start=$SECONDS code
  shift
  echo "== $name" >&2
  "$@" >"$work/out" 2>&1
  code=$?
  say "" "## $name" ""
  if [ "$code" = 0 ]; then say "**passed** in $((SECONDS - start)) s"; else say "**FAILED** (exit code $code)"; failed=1; fi
  say "" '```'
  tail -n 120 "$work/out" >>"$report"
  say '```'
  return "$code"
}

# skip NAME REASON: a part that was not done.
skip() {
  echo "== $1: not done" >&2
  say "" "## $1" "" "**not done**: $2"
  failed=1
}

{
  echo "# Strata on a GPU"
  echo
  date -u '+%Y-%m-%d %H:%M UTC'
  echo
  echo "$device, $rounds rounds, $epochs epochs"
  echo
  echo '```'
  git log -1 --format='commit %h %s' 2>/dev/null
  grep -m1 'model name' /proc/cpuinfo
  nvcc --version 2>/dev/null | grep release || echo "nvcc: not found"
  nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap --format=csv 2>/dev/null || echo "nvidia-smi: not found"
  echo '```'
} >"$report"

has_gpu=0
if nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then has_gpu=1; fi
if [ "$has_gpu" = 0 ] && [ "$needs_gpu" = 1 ]; then
  say "" "**Nothing was done**: there is no GPU here (\`nvidia-smi -L\` lists none). \`--no-gpu\` builds and tests what can be tested without one."
  echo "cuda.sh: there is no GPU here; --no-gpu does what can be done without one" >&2
  exit 1
fi

triple=$(rustc -vV | sed -n 's/^host: //p')
strata=${CARGO_TARGET_DIR:-target}/$triple/release/strata

# What the program is linked with: nothing of NVIDIA's.
starts_without_a_driver() {
  readelf -d "$strata" | grep NEEDED
  if readelf -d "$strata" | grep -E 'NEEDED.*(libcuda|libcudart|libcublas|libcurand|libnvrtc|libcudnn)'; then
    echo "the program is linked with NVIDIA's libraries"
    return 1
  fi
  "$strata" devices | tee "$work/devices" || return 1
  if [ "$has_gpu" = 1 ] && ! grep -q "$device" "$work/devices"; then
    echo "$device is not listed"
    return 1
  fi
}

# accuracy DEVICE: of LeNet on the test images of MNIST, in percent.
accuracy() {
  "$strata" train lenet-mnist --set "data.path=$data" --epochs "$epochs" --device "$1" \
    -o "$work/lenet-$1" --json 2>"$work/err" | "$python" -c 'import json, sys; print(100 * json.load(sys.stdin)["test"]["accuracy"])'
}

lenet_on_both() {
  local cpu gpu
  if ! cpu=$(accuracy cpu) || ! gpu=$(accuracy "$device"); then
    cat "$work/err"
    return 1
  fi
  echo "LeNet on MNIST after $epochs epochs: CPU $cpu %, $device $gpu %"
  "$python" -c "import sys; sys.exit(abs($cpu - $gpu) > 0.2)" || { echo "they differ by more than 0.2 %"; return 1; }
}

# milliseconds FILE CASE
milliseconds() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]]["step_ms"])' "$1" "$2"; }

# compare CASE MOST: steps of both in turn; the median ratio is at most MOST.
compare() {
  local case=$1 most=$2 round ours theirs ratios=()
  for ((round = 1; round <= rounds; round++)); do
    "$strata" bench --cases "$case" --device "$device" --json >"$work/ours.json" || return 1
    "$python" "$peer" --cases "$case" --mode best --device "$device" >"$work/theirs.json" || return 1
    ours=$(milliseconds "$work/ours.json" "$case") || return 1
    theirs=$(milliseconds "$work/theirs.json" "$case") || return 1
    echo "$case round $round: strata $ours ms, torch $theirs ms"
    ratios+=("$("$python" -c "print($ours / $theirs)")")
  done
  "$python" -c "
import statistics, sys
ratio = statistics.median(float(r) for r in sys.argv[2:])
print(f'$case: ratio {ratio:.2f}, at most $most')
sys.exit(ratio > float(sys.argv[1]))" "$most" "${ratios[@]}"
}

# frames KIND: of the window while the device trains, its 99 % and what is left of the training's speed.
frames() {
  "$strata" bench "$1" --device "$device" --seconds "$seconds" --json >"$work/frames.json" || return 1
  "$python" - "$work/frames.json" <<'PYTHON'
import json, sys
report = json.load(open(sys.argv[1]))
p99 = report["training"]["p99_ms"]
share = report["images_per_second"] / report["images_per_second_unwatched"]
print(json.dumps(report, indent=1))
print(f"99 % of the frames within {p99:.1f} ms (at most 8), {100 * share:.0f} % of the speed (at least 95)")
sys.exit(p99 > 8 or share < 0.95)
PYTHON
}

part "Build of one program for machines with and without a driver" \
  cargo build --release --features cuda --config .cargo/cuda.toml
built=$?
if [ "$built" = 0 ]; then
  part "It is linked with nothing of NVIDIA's, and lists the devices" starts_without_a_driver
else
  skip "It is linked with nothing of NVIDIA's, and lists the devices" "the program was not built"
fi
where="on its stand-in"
if [ "$has_gpu" = 1 ]; then
  where="on cuda:0 and its stand-in"
  # Without it the tests would be content with the stand-in.
  export STRATA_NEEDS_GPU=1
fi
part "Every layer, loss, random network, built-in project and whole run $where" \
  cargo test --release --features cuda --config .cargo/cuda.toml --test cuda -- --nocapture
part "The estimate of memory, and fifty runs in a row, on the stand-in" \
  cargo test --release --features cuda --config .cargo/cuda.toml --test heap on_device -- --nocapture

no_gpu="there is no GPU here"
if [ "$has_gpu" = 0 ] || [ "$built" != 0 ]; then
  [ "$built" = 0 ] || no_gpu="the program was not built"
  skip "LeNet on MNIST, CPU and GPU" "$no_gpu"
  skip "Steps beside PyTorch" "$no_gpu"
  skip "Frames of the window while the GPU trains" "$no_gpu"
else
  if [ -d "$data" ]; then
    part "LeNet on MNIST, CPU and GPU: within 0.2 %" lenet_on_both
  else
    skip "LeNet on MNIST, CPU and GPU" "no folder with MNIST was given (--data)"
  fi
  part "Steps of all cases on $device" "$strata" bench --device "$device" --steps 15
  if [ ! -f "$peer" ]; then
    skip "Steps beside PyTorch" "no script was given for PyTorch's side (--peer)"
  elif ! "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    skip "Steps beside PyTorch" "$python has no torch that finds the GPU (--python)"
  else
    for pair in keras-cifar:0.7 conv-ae:0.7 lenet-mnist:0.7 vgg-96:1.0 xception-mini:1.0; do
      case=${pair%:*} most=${pair#*:}
      part "Steps beside PyTorch: $case, ratio at most $most" compare "$case" "$most"
    done
  fi
  if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    part "Frames of the window while the GPU trains" frames window
  else
    part "Frames of the window while the GPU trains, without a display: nothing is painted" frames headless
  fi
fi

say ""
if [ "$failed" = 0 ]; then say "All parts passed."; else say "**Not all parts passed or were done.**"; fi
echo "cuda.sh: the report is $report" >&2
exit "$failed"
