// Preloaded by the npm scripts: an older Node dies on the first .ts file with an error that nobody can read.
// CommonJS and old syntax, so that every Node can run it.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(`The shop needs Node 24 or newer; this is ${process.version}. "npm ci" without --omit=optional brings it along.`);
  process.exit(1);
}
