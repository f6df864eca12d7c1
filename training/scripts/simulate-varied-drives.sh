#!/bin/sh
# Drives without cameras through green streets, each with a sensor drawn by its seed: see docs/simulator.md.
#   training/scripts/simulate-varied-drives.sh FOLDER FIRST_SEED LAST_SEED
set -eu
folder=$1
mkdir -p "$folder"
for seed in $(seq "$2" "$3"); do
  case $((seed % 6)) in
    2) lidar=os1-64 ;;
    3) lidar=hdl-32e ;;
    4) lidar=vlp-32c ;;
    5) lidar=pandar40p ;;
    *) lidar=hdl-64e ;;
  esac
  node "$(dirname "$0")/../../dist/cli/main.js" simulate --seed "$seed" --scans 4 --stride 18 --lidar "$lidar" --cameras '' \
    --sensor random --street green -o "$folder/street-$(printf %04d "$seed").mcap"
done
