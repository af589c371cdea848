#!/usr/bin/env bash
# Copies what a card's machine needs into a folder: this tree, the code before it, and images. usage: pack.sh FOLDER BASE
set -eu
cd "$(dirname "$0")/.."
rm -rf "$1"; mkdir -p "$1/device/fashion" "$1/device/base"
cp -r src tests config device pyproject.toml workflow profiles Snakefile report "$1/"
cp /usr/share/datasets/fashion-mnist/* "$1/device/fashion/"
git archive "$2" src tests | tar -x -C "$1/device/base"
git rev-parse HEAD > "$1/COMMIT"
find "$1" -name __pycache__ -prune -exec rm -rf {} +
du -sh "$1"
