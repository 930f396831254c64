// @ts-check
'use strict';

/**
 * Puts the tasks together in `dist/`: each has a folder of its own with everything that it needs, which
 * is what an agent gets. `npm ci --omit=dev` must have been run in the folder given by `--modules`, or
 * here.
 *
 *     node build.js [--repository OWNER/NAME] [--checksums SHA256SUMS] [--modules FOLDER]
 *
 * and then
 *
 *     tfx extension create --root dist --manifest-globs vss-extension.json --output-path FILE
 *
 * A release names its repository and the digests of its archives, so that the task trusts no server for
 * them. Without them the result is a task that needs `iefctlPath` or `releaseUrl`.
 */

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');

const TASKS = ['Iefctl', 'IefctlBuild', 'IefctlDeploy'];

const { values } = parseArgs({
  options: {
    repository: { type: 'string' },
    checksums: { type: 'string' },
    modules: { type: 'string', default: __dirname },
  },
});

if (values.repository !== undefined && !/^[\w.-]+\/[\w.-]+$/.test(values.repository)) {
  throw new Error('--repository must be OWNER/NAME');
}

/** @param {string} file @returns {Record<string, string>} */
function digests(file) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const line of fs.readFileSync(file, 'utf8').split('\n').filter((text) => text !== '')) {
    const match = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line);
    if (!match) {
      throw new Error(`${file} has a line that is no digest: ${line}`);
    }
    found[match[2]] = match[1];
  }
  return found;
}

const packaging = path.join(__dirname, '..', 'packaging');
const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, 'package.json'), 'utf8'));
const release = {
  version,
  repository: values.repository ?? null,
  checksums: values.checksums ? digests(values.checksums) : {},
};

const dist = path.join(__dirname, 'dist');
fs.rmSync(dist, { recursive: true, force: true });
for (const task of TASKS) {
  const folder = path.join(dist, task);
  fs.cpSync(path.join(__dirname, 'tasks', task), folder, { recursive: true });
  fs.cpSync(path.join(__dirname, 'src'), path.join(folder, 'src'), { recursive: true });
  fs.cpSync(path.join(__dirname, 'images', 'task.png'), path.join(folder, 'icon.png'));
  fs.cpSync(path.join(packaging, 'targets.json'), path.join(folder, 'targets.json'));
  fs.writeFileSync(path.join(folder, 'release.json'), `${JSON.stringify(release, undefined, 2)}\n`);
  const modules = path.join(/** @type {string} */ (values.modules), 'node_modules');
  fs.cpSync(modules, path.join(folder, 'node_modules'), {
    recursive: true,
    // Links to programs of the packages; an archive cannot hold them.
    filter: (file) => path.basename(file) !== '.bin',
  });
}
for (const [from, to] of [
  ['vss-extension.json', 'vss-extension.json'],
  ['overview.md', 'overview.md'],
  ['images/extension.png', 'images/extension.png'],
  ['../LICENSE', 'LICENSE'],
]) {
  fs.cpSync(path.join(__dirname, from), path.join(dist, to));
}
console.log(`${TASKS.join(', ')} ${version} in ${dist}`);
