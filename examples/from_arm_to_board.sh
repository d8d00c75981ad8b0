#!/usr/bin/env bash
# From an arm to a board that decides, by commands: record, train, quantize, try, build, and let the
# (emulated) board decide about the live signal while this machine compares every decision.
#
#   examples/from_arm_to_board.sh [FOLDER [SOURCE [BOARD]]]
set -euo pipefail
folder=${1:-my-hand} source=${2:-synthetic://} board=${3:-mps2-an386}
classes=${CLASSES:-rest,fist,open hand} repetitions=${REPETITIONS:-5} epochs=${EPOCHS:-30}

edgebio init "$folder" --source "$source" --classes "$classes" --board "$board"
cd "$folder"
edgebio record --unattended --repetitions "$repetitions" --seconds 3 --rest-seconds 1
edgebio train --epochs "$epochs"
edgebio quantize
edgebio live --seconds 5
edgebio build --allow-late
edgebio live --seconds 10 --board "$board"
