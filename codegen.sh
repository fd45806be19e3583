#!/usr/bin/env bash
# Makes generated/ from openapi/: the low-level client and the tables. With --check it changes
# nothing and exits 1 with the diff when what is committed is not what the document gives.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[ -d .venv/bin ] && PATH="$PWD/.venv/bin:$PATH"

case "${1:-}" in
"" | --check) ;;
*) echo "usage: ./codegen.sh [--check]" >&2 && exit 2 ;;
esac
for tool in python openapi-spec-validator openapi-python-client ruff; do
    command -v "$tool" >/dev/null || { echo "codegen.sh: $tool is not on PATH; run 'make setup'" >&2 && exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

openapi-spec-validator --subschema-errors all openapi/trayport.yaml >"$work/validation" || { cat "$work/validation" >&2 && exit 1; }
openapi-python-client generate --path openapi/trayport.yaml --config openapi/client-config.yaml \
    --custom-template-path openapi/templates --meta none --output-path "$work/trayport_api" \
    --fail-on-warning >"$work/log" 2>&1 || { cat "$work/log" >&2 && exit 1; }
python openapi/generate.py --out "$work/trayport_spec"

touch "$work/trayport_api/py.typed"
find "$work/trayport_api" -name '*.py' -exec sed -i '1i # Generated from openapi/. Do not edit: run ./codegen.sh.\n' {} +
# The wrapper builds its requests with this function; type checkers only let public names through.
find "$work/trayport_api/api" -name "*.py" -exec sed -i "s/\b_get_kwargs\b/get_kwargs/" {} +
ruff check "$work/trayport_api" "$work/trayport_spec" --isolated --no-cache --select F,I,UP --target-version py311 --fix-only -q
ruff format "$work/trayport_api" "$work/trayport_spec" --isolated --no-cache --line-length 100 -q

for package in trayport_api trayport_spec; do
    if [ "${1:-}" = --check ]; then
        diff -ruN -x __pycache__ "generated/$package" "$work/$package" || failed=1
    else
        mkdir -p "generated/$package"
        find "generated/$package" -mindepth 1 -delete
        cp -R "$work/$package/." "generated/$package/"
    fi
done
[ -z "${failed:-}" ] || { echo "generated/ does not match openapi/: run ./codegen.sh and commit the diff" >&2 && exit 1; }
