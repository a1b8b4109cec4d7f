# Sourced by the npm scripts, from the root of the repository: which Node runs, and which settings it reads.
# Puts the Node that `npm ci` brought first on the path: npm 10 installs it, but loses the link in node_modules/.bin.
# An older Node would die on the first .ts file with an error that nobody can read; here it is one line.
# infra/ can be installed alone, and brings one too.
for node in "$PWD"/infra/node_modules/node-*/bin/node "$PWD"/node_modules/node-*/bin/node; do
  if [ -x "$node" ]; then PATH=${node%/node}:$PATH; fi
done
version=$(node --version)
case $version in
  v[0-9].* | v1[0-9].* | v2[0-3].*)
    echo "The shop needs Node 24 or newer, and this is $version. \"npm ci\" without --omit=optional brings it along." >&2
    exit 1
    ;;
esac
# Settings may stand in a file; without one nothing is said about it.
env_file=
[ ! -f .env ] || env_file=--env-file=.env
