// @ts-check
'use strict';

/** Where the program comes from: a release on a server of this test, the tool cache, a proxy. */

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { after, afterEach, before, beforeEach, describe, it } = require('node:test');

const { DIST, Job, PROGRAM, serve } = require('./agent');

const contract = JSON.parse(fs.readFileSync(path.join(DIST, 'Iefctl', 'targets.json'), 'utf8'));
const release = JSON.parse(fs.readFileSync(path.join(DIST, 'Iefctl', 'release.json'), 'utf8'));
const target = contract.targets.find(
  (/** @type {any} */ { node }) => node.platform === process.platform && node.arch === process.arch,
);

// Making an archive needs `tar`, and on Windows it would be another kind of archive.
describe('the program', { skip: process.platform === 'win32' }, () => {
  const OTHER = '9.8.7';
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {Job} */
  let job;
  /** @type {Map<string, string | Buffer>} */
  let assets;

  /** @param {string} version */
  const name = (version) => `iefctl-${version}-${target.target}`;

  /** @param {string} version @param {string} [folder] */
  function archive(version, folder = name(version)) {
    const place = fs.mkdtempSync(path.join(job.folder, 'archive-'));
    fs.mkdirSync(path.join(place, folder));
    const program = `#!/bin/sh\nexec '${PROGRAM}' "$@"\n`;
    fs.writeFileSync(path.join(place, folder, target.program), program, { mode: 0o755 });
    const file = path.join(place, 'archive.tar.gz');
    execFileSync('tar', ['--create', '--gzip', '--file', file, '--directory', place, folder]);
    return fs.readFileSync(file);
  }

  /** @param {string} version @param {Buffer} bytes @param {string} [digest] */
  function publish(version, bytes, digest = crypto.createHash('sha256').update(bytes).digest('hex')) {
    assets.set(`/v${version}/${name(version)}.tar.gz`, bytes);
    assets.set(`/v${version}/SHA256SUMS`, `${'0'.repeat(64)}  other.tar.gz\n${digest}  ${name(version)}.tar.gz\n`);
  }

  /** @param {Record<string, string>} [inputs] @param {Record<string, string>} [env] */
  const run = (inputs = {}, env = {}) =>
    job.run('Iefctl', { inputs: { paths: 'policies', version: OTHER, releaseUrl: server.url, ...inputs }, env });

  before(async () => {
    server = await serve((request) => {
      // A request to a proxy has the whole URL.
      const asset = assets.get(new URL(request.url ?? '', 'http://release.contoso.com').pathname);
      return asset === undefined ? { status: 404, body: 'Not Found' } : { body: asset };
    });
  });
  after(() => server.end());
  beforeEach(() => {
    job = new Job();
    assets = new Map();
    server.requests.length = 0;
    fs.cpSync(path.join(DIST, '..', '..', 'policies-example'), path.join(job.work, 'policies'), { recursive: true });
  });
  afterEach(() => job.end());

  it('is downloaded once, and found in the tool cache after that', async () => {
    publish(OTHER, archive(OTHER));
    const first = await run({ environment: 'dev' });
    assert.equal(first.result, 'Succeeded', first.log);
    assert.equal(first.variables.policies, '6');
    const asked = server.requests.map(({ url }) => url);
    assert.deepEqual(asked, [`/v${OTHER}/SHA256SUMS`, `/v${OTHER}/${name(OTHER)}.tar.gz`]);
    const second = await run({ environment: 'dev' });
    assert.equal(second.result, 'Succeeded', second.log);
    assert.equal(server.requests.length, 2);
  });

  it('is not run if its digest is another one, or is not published', async () => {
    publish(OTHER, archive(OTHER), 'a'.repeat(64));
    const wrong = await run();
    assert.equal(wrong.result, 'Failed');
    assert.match(wrong.message, /has the SHA-256 [0-9a-f]{64}, but a{64} was expected/);
    assets.set(`/v${OTHER}/SHA256SUMS`, `${'a'.repeat(64)}  other.tar.gz\n`);
    const none = await run();
    assert.match(none.message, /has no digest for/);
    assert.deepEqual(fs.readdirSync(path.join(job.folder, 'tools')), []);
  });

  it('of the version of this task is compared with the digest that came with the task', async () => {
    const bytes = archive(release.version);
    // A server that lies about both.
    publish(release.version, bytes);
    const file = path.join(DIST, 'Iefctl', 'release.json');
    const original = fs.readFileSync(file);
    const asset = `${name(release.version)}.tar.gz`;
    try {
      fs.writeFileSync(file, JSON.stringify({ ...release, checksums: { [asset]: 'b'.repeat(64) } }));
      const refused = await run({ version: '' });
      assert.equal(refused.result, 'Failed');
      assert.match(refused.message, /but b{64} was expected/);
      const digest = crypto.createHash('sha256').update(bytes).digest('hex');
      fs.writeFileSync(file, JSON.stringify({ ...release, checksums: { [asset]: digest } }));
      const accepted = await run({ version: '', environment: 'dev' });
      assert.equal(accepted.result, 'Succeeded', accepted.log);
      assert.ok(!server.requests.some(({ url }) => url?.endsWith('SHA256SUMS')));
    } finally {
      fs.writeFileSync(file, original);
    }
  });

  it('must be where the contract says', async () => {
    publish(OTHER, archive(OTHER, 'elsewhere'));
    const finished = await run();
    assert.equal(finished.result, 'Failed');
    assert.match(finished.message, /holds no iefctl/);
  });

  it('that cannot be had says what was asked for', async () => {
    const missing = await run();
    assert.equal(missing.result, 'Failed');
    assert.match(missing.message, new RegExp(`cannot download ${server.url}/v${OTHER}/SHA256SUMS: .*404`));
    const plain = await run({ releaseUrl: 'http://mirror.contoso.com' });
    assert.match(plain.message, /must begin with https/);
    const nowhere = await run({ releaseUrl: '' });
    assert.match(nowhere.message, /releaseUrl/);
    const path = await run({ iefctlPath: 'no-such-program-anywhere' });
    assert.match(path.message, /there is no program/);
    const strange = await run({ version: '../../1.0.0' });
    assert.match(strange.message, /is no version/);
  });

  it('comes through the proxy of the agent', async () => {
    publish(OTHER, archive(OTHER));
    // Port 9 serves nothing: only the proxy can answer for it.
    const finished = await run(
      { environment: 'dev', releaseUrl: 'http://localhost:9' },
      { AGENT_PROXYURL: server.url, AGENT_PROXYUSERNAME: 'contoso', AGENT_PROXYPASSWORD: 'pr0xy-s3cret' },
    );
    assert.equal(finished.result, 'Succeeded', finished.log);
    assert.deepEqual(new Set(server.tunnels.map(({ url }) => url)), new Set(['localhost:9']));
    const expected = `Basic ${Buffer.from('contoso:pr0xy-s3cret').toString('base64')}`;
    assert.equal(server.tunnels[0].headers['proxy-authorization'], expected);
  });
});
