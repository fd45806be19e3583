#!/usr/bin/env bash
# Makes all generated files from openapi/: the low-level client, the tables, what is made from them
# elsewhere, and what pages of docs/ say of them and of the settings. With --check it changes nothing
# and exits 1 with the diff when what is committed is not what would be made. With --overlay FILE it
# first applies an OpenAPI Overlay to the document, which stays as it was when that does not work out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
[ -d .venv/bin ] && PATH="$PWD/.venv/bin:$PATH"

case "${1:-} $#" in
" 0" | "--check 1" | "--overlay 2") ;;
*) echo "usage: ./codegen.sh [--check | --overlay FILE]" >&2 && exit 2 ;;
esac
for tool in python openapi-spec-validator openapi-python-client ruff; do
    command -v "$tool" >/dev/null || { echo "codegen.sh: $tool is not on PATH; run 'make setup'" >&2 && exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
client="$work/new/generated/trayport_api"
mkdir -p "$work/new/generated"

if [ "${1:-}" = --overlay ]; then
    cp -p openapi/trayport.yaml "$work/before.yaml"
    trap '[ $? -eq 0 ] || cp -p "$work/before.yaml" openapi/trayport.yaml; rm -rf "$work"' EXIT
    python openapi/overlay.py "$2"
fi
openapi-spec-validator --subschema-errors all openapi/trayport.yaml >"$work/validation" || { cat "$work/validation" >&2 && exit 1; }
openapi-python-client generate --path openapi/trayport.yaml --config openapi/client-config.yaml \
    --custom-template-path openapi/templates --meta none --output-path "$client" \
    --fail-on-warning >"$work/log" 2>&1 || { cat "$work/log" >&2 && exit 1; }
touch "$client/py.typed"
find "$client" -name '*.py' -exec sed -i '1i # Generated from openapi/. Do not edit: run ./codegen.sh.\n' {} +
python openapi/generate.py --out "$work/new"
ruff check "$work/new" --isolated --no-cache --select F,I,UP --target-version py311 --fix-only -q
ruff format "$work/new" --isolated --no-cache --line-length 100 -q

# The pages say what the new code says, so they are made beside all of it.
mkdir "$work/tree"
cp -Rp openapi generated trayport_sdk docs mkdocs.yml "$work/tree"
cp -R "$work/new/." "$work/tree"
(cd "$work/tree" && PYTHONPATH="$work/tree/generated" python -m docs._generate --out "$work/new")

# All of generated/ is, and elsewhere the files that say so.
{
    (cd "$work/new" && find . -type f)
    find ./generated -type f ! -path '*/__pycache__/*'
    grep -rl --include='*.py' --include='*.md' 'Generated from openapi/. Do not edit' ./trayport_sdk ./docs 2>/dev/null || true
} | sort -u >"$work/files"
while read -r file; do
    if [ "${1:-}" = --check ]; then
        diff -uN "$file" "$work/new/$file" || failed=1
    elif [ -f "$work/new/$file" ]; then
        cmp -s "$file" "$work/new/$file" || install -D -m 644 "$work/new/$file" "$file"
    else
        rm "$file"
    fi
done <"$work/files"
[ -z "${failed:-}" ] || { echo "the generated files do not match openapi/: run ./codegen.sh and commit the diff" >&2 && exit 1; }
