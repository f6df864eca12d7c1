#!/bin/sh
# The drives that models/street-tiny was trained and scored on: six scans each, 1.2 s apart.
#   training/scripts/simulate-street-drives.sh FOLDER FIRST_SEED LAST_SEED   (training: 1 96, validation: 9001 9010, test: 9101 9110)
set -eu
folder=$1
mkdir -p "$folder"
for seed in $(seq "$2" "$3"); do
  case $((seed % 6)) in
    2) lidar=os1-64 ;;
    3) lidar=hdl-32e ;;
    5) lidar=vlp-16 ;;
    *) lidar=hdl-64e ;;
  esac
  node "$(dirname "$0")/../../dist/cli/main.js" simulate --seed "$seed" --scans 6 --stride 12 --lidar "$lidar" \
    --semantic -o "$folder/street-$(printf %04d "$seed").mcap"
done
