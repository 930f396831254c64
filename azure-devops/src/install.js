// @ts-check
'use strict';

/**
 * Getting the program: a path, the tool cache of the agent, or the release. An archive is compared with
 * its SHA-256 before it is unpacked. The digests of the version that belongs to this task came with the
 * task; for another version they come from that release.
 *
 * @typedef {typeof import('azure-pipelines-task-lib/task')} TaskLib
 * @typedef {import('./inputs').Inputs} Inputs
 * @typedef {{ version: string, repository: string | null, checksums: Record<string, string> }} Release
 * @typedef {{ target: string, suffix: string, program: string, node: { platform: string, arch: string } }} Target
 * @typedef {{ archive: string, checksums: string, targets: Target[] }} Contract
 */

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

/**
 * @param {TaskLib} tl @param {Inputs} inputs @param {Release} release @param {Contract} contract
 * @returns {Promise<string>} path of the program
 */
async function program(tl, inputs, release, contract) {
  const given = inputs.text('iefctlPath');
  if (given !== undefined) {
    const isBare = path.basename(given) === given;
    const found = isBare ? tl.which(given, false) : path.resolve(given);
    if (!found || !fs.existsSync(found) || !fs.statSync(found).isFile()) {
      throw new Error(`iefctlPath: there is no program ${given}`);
    }
    return found;
  }
  const version = inputs.text('version') ?? release.version;
  if (!VERSION.test(version)) {
    throw new Error(`input version is no version: expected is one like ${release.version}`);
  }
  const target = targetOf(contract, process.platform, process.arch);
  // Loaded late: most of it is not needed where the program is there already.
  const toolLib = require('azure-pipelines-tool-lib/tool');
  const cached = toolLib.findLocalTool('iefctl', version, process.arch);
  if (cached) {
    return path.join(cached, target.program);
  }
  const archive = contract.archive
    .replace('{version}', version)
    .replace('{target}', target.target)
    .replace('{suffix}', target.suffix);
  const base = releaseUrl(inputs, release, version);
  const expected =
    version === release.version && release.checksums[archive]
      ? release.checksums[archive]
      : await published(toolLib, `${base}/${contract.checksums}`, archive);
  const file = await download(toolLib, `${base}/${archive}`);
  const actual = crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex');
  if (actual !== expected) {
    fs.rmSync(file, { force: true });
    throw new Error(`${base}/${archive} has the SHA-256 ${actual}, but ${expected} was expected: it was not used`);
  }
  const unpacked =
    target.suffix === '.zip' ? await toolLib.extractZip(file) : await toolLib.extractTar(file);
  const folder = path.join(unpacked, archive.slice(0, -target.suffix.length));
  if (!fs.existsSync(path.join(folder, target.program))) {
    throw new Error(`${archive} holds no ${target.program}`);
  }
  const kept = await toolLib.cacheDir(folder, 'iefctl', version, process.arch);
  fs.rmSync(file, { force: true });
  return path.join(kept, target.program);
}

/** @param {Contract} contract @param {string} platform @param {string} arch @returns {Target} */
function targetOf(contract, platform, arch) {
  const target = contract.targets.find(
    ({ node }) => node.platform === platform && node.arch === arch,
  );
  if (!target) {
    throw new Error(
      `there is no release of iefctl for ${platform} on ${arch}: build it with cargo and name it in iefctlPath`,
    );
  }
  return target;
}

/** Where the assets of a version lie. @param {Inputs} inputs @param {Release} release @param {string} version */
function releaseUrl(inputs, release, version) {
  const mirror = inputs.text('releaseUrl');
  if (mirror === undefined && !release.repository) {
    throw new Error('this build of the task does not know its releases: name them in releaseUrl, or the program in iefctlPath');
  }
  const base = (mirror ?? `https://github.com/${release.repository}/releases/download`).replace(/\/+$/, '');
  let url;
  try {
    url = new URL(base);
  } catch {
    throw new Error('input releaseUrl is no URL');
  }
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new Error('input releaseUrl must begin with https://');
  }
  return `${base}/v${version}`;
}

/**
 * @param {typeof import('azure-pipelines-tool-lib/tool')} toolLib @param {string} url
 * @returns {Promise<string>}
 */
async function download(toolLib, url) {
  try {
    // Knows the proxy and the certificates that the agent is configured with.
    return await toolLib.downloadToolWithRetries(url);
  } catch (error) {
    throw new Error(`cannot download ${url}: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * The digest that a release publishes for one of its archives.
 *
 * @param {typeof import('azure-pipelines-tool-lib/tool')} toolLib
 * @param {string} url @param {string} archive
 */
async function published(toolLib, url, archive) {
  const file = await download(toolLib, url);
  const lines = fs.readFileSync(file, 'utf8').split(/\r?\n/);
  fs.rmSync(file, { force: true });
  for (const line of lines) {
    const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
    if (match && match[2] === archive) {
      return match[1];
    }
  }
  throw new Error(`${url} has no digest for ${archive}`);
}

module.exports = { program, targetOf };
